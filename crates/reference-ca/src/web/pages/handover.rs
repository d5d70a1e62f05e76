//! 采购门户转来: the portal's page posts a signed hand-over; its reader sees the notice with unit name and number filled in and locked
//! (R13), and 【同意并继续】 begins the business. The post comes from another site, so no cookie of ours comes with it: it changes
//! nothing but that the token is used up, and leads on by a ticket. The way back carries a signed answer and no personal data.

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Deserialize;

use super::home::{self, Arrival};
use super::see_other;
use crate::business::Kind;
use crate::business::fields::Values;
use crate::error::DeskError;
use crate::handover::{self, Handover, LIFE, PROGRESS, Progress};
use crate::refusal::{Reason, Refusal};
use crate::settings::Desk;
use crate::store::applications::{self, Start};
use crate::store::handovers::{self, Handed};
use crate::web::visitor::{Visitor, set_session};

/// The business that only looks.
const LOOK: &str = "progress";

#[derive(Debug, Deserialize)]
pub(in crate::web) struct Token {
    token: String,
}

#[derive(Debug, Deserialize)]
pub(in crate::web) struct Begin {
    ticket: String,
    #[serde(default)]
    agreement: String,
    #[serde(default)]
    privacy: String,
}

/// Takes a hand-over.
pub(in crate::web) async fn arrive(State(desk): State<Desk>, visitor: Visitor, fields: Result<Form<Token>, FormRejection>) -> Result<Response, Refusal> {
    let Form(fields) = fields.map_err(|_| Reason::Malformed)?;
    let settings = desk.settings();
    let claims = handover::verify(&fields.token, &settings.portals, &settings.origins, desk.now()).map_err(|error| {
        tracing::info!(%error, "hand-over");
        Reason::HandoverRefused
    })?;
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random).map_err(DeskError::from)?;
    let ticket = Base64UrlUnpadded::encode_string(&random);
    if !handovers::take(desk.database(), desk.vault(), &claims, &ticket, desk.now()).await? {
        return Err(Reason::HandoverRefused.into());
    }
    notice(&desk, &visitor, &claims, &ticket, None).await
}

/// 同意并继续.
pub(in crate::web) async fn begin(State(desk): State<Desk>, visitor: Visitor, fields: Result<Form<Begin>, FormRejection>) -> Result<Response, Refusal> {
    let Form(fields) = fields.map_err(|_| Reason::Malformed)?;
    let now = desk.now();
    let claims = handovers::waiting(desk.database(), desk.vault(), &fields.ticket, now).await?.ok_or(Reason::HandoverRefused)?;
    let looks = claims.business == LOOK;
    let agreed = fields.agreement == "yes" && fields.privacy == "yes";
    if !looks && !agreed {
        return notice(&desk, &visitor, &claims, &fields.ticket, Some(Reason::FieldsMissing.into())).await;
    }
    let kind = Kind::from_name(&claims.business);
    // R93, E16: after a change they could not be opened any more.
    if kind == Some(Kind::Change) && claims.undecrypted > 0 {
        let refusal = Refusal::from(Reason::UndecryptedFiles).with("count", claims.undecrypted);
        return notice(&desk, &visitor, &claims, &fields.ticket, Some(refusal)).await;
    }
    let start = if looks {
        None
    } else {
        let (profile, kind) = (desk.profile(&claims.institution).ok_or(Reason::NotFound)?, kind.ok_or(Reason::NotFound)?);
        if let Err(reason) = home::online(profile, kind) {
            return notice(&desk, &visitor, &claims, &fields.ticket, Some(reason.into())).await;
        }
        Some((profile, kind))
    };
    let opened = if visitor.session.is_none() { Some(visitor.open(&desk).await?) } else { None };
    let session = opened.as_ref().map(|opened| &opened.session).or(visitor.session.as_ref()).ok_or(Reason::Internal)?;
    let handed = Handed { ticket: &fields.ticket, claims: &claims };
    let mut response = match start {
        None => {
            handovers::open(desk.database(), &handed, &session.id, now).await?;
            see_other("/")
        }
        Some((profile, kind)) => {
            let mut values = Values::from([("unitName".to_owned(), claims.unit_name.clone()), ("creditCode".to_owned(), claims.credit_code.clone())]);
            if let Some(serial) = claims.serial.clone().filter(|_| kind.about_a_certificate()) {
                values.insert("serial".to_owned(), serial);
            }
            let start = Start { profile, kind, session: &session.id, values, handed: Some(handed) };
            let begun = applications::begin(desk.database(), desk.vault(), start, now).await?;
            see_other(&format!("/business/{}", begun.number))
        }
    };
    if let Some(opened) = opened {
        set_session(&desk, &mut response, &opened.token);
    }
    Ok(response)
}

/// Back to the portal, with how the business stands.
pub(in crate::web) async fn back(State(desk): State<Desk>, visitor: Visitor, Path(number): Path<String>) -> Result<Response, Refusal> {
    let application = visitor.business(&desk, &number).await?;
    let (portal, account) = handovers::origin_of(desk.database(), application.id).await?.ok_or(Reason::NotFound)?;
    // A portal that is no longer known is nobody to send people to.
    if !desk.settings().portals.iter().any(|known| known.origin == portal) {
        return Err(Reason::NotFound.into());
    }
    let now = desk.now();
    let claims = Progress {
        iss: desk.settings().origins.first().cloned().unwrap_or_default(),
        aud: portal.clone(),
        sub: account,
        iat: now,
        exp: now.saturating_add(LIFE),
        number: application.number,
        business: application.case.kind.as_str().to_owned(),
        state: application.case.state.as_str().to_owned(),
    };
    let input = handover::to_be_signed(PROGRESS, &claims).map_err(|_| Reason::Internal)?;
    let token = handover::assemble(&input, &desk.authority().sign_grant(input.as_bytes()));
    let target = HeaderValue::from_str(&format!("{portal}/ca/returned?progress={token}")).map_err(|_| Reason::Internal)?;
    Ok((StatusCode::SEE_OTHER, [(LOCATION, target)]).into_response())
}

async fn notice(desk: &Desk, visitor: &Visitor, claims: &Handover, ticket: &str, refusal: Option<Refusal>) -> Result<Response, Refusal> {
    let arrival = Arrival {
        ticket: ticket.to_owned(),
        portal: claims.iss.clone(),
        unit: claims.unit_name.clone(),
        credit_code: claims.credit_code.clone(),
        looks: claims.business == LOOK,
    };
    if arrival.looks {
        return Ok(home::look(visitor, arrival));
    }
    let profile = desk.profile(&claims.institution).ok_or(Reason::NotFound)?;
    let kind = Kind::from_name(&claims.business).ok_or(Reason::NotFound)?;
    let refusal = refusal.or_else(|| home::online(profile, kind).err().map(Refusal::from));
    home::notice_page(desk, visitor, &profile.id, kind.as_str(), Some(arrival), refusal).await
}
