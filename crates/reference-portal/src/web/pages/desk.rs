//! From 【CA管理】 to the CA's desk and back. Out goes a page whose one form posts the signed hand-over to the desk's origin and
//! nowhere else; 变更 is only handed over after its warning, and never while files are still encrypted (R64, R93). Back comes the
//! CA's signed word. The session's cookie does not travel with a link on another site, so that page needs none: the signature
//! says whose business it is, and the page shows nothing else.

use askama::Template;
use axum::Form;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::response::Response;
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Deserialize;

use super::{Alert, Frame, render, see_other};
use crate::businesses::{self, CHANGE};
use crate::handover::{self, Handover, LIFE, ProgressError, UNIT_NAME_MAX};
use crate::refusal::{Reason, Refusal};
use crate::settings::{Portal, random};
use crate::store::desk::{self, Told};
use crate::store::throttle::{self, Attempt};
use crate::store::{accounts, audit, bindings};
use crate::web::guard::PostsTo;
use crate::web::visitor::Visitor;

#[derive(Template)]
#[template(path = "handover.html")]
struct HandoverPage {
    page: Frame,
    business: [&'static str; 2],
    desk: String,
    organisation: String,
    credit_code: String,
    serial: Option<String>,
    token: String,
}

#[derive(Template)]
#[template(path = "change.html")]
struct ChangePage {
    page: Frame,
    undecrypted: u32,
    alert: Option<Alert>,
}

#[derive(Template)]
#[template(path = "returned.html")]
struct ReturnedPage {
    page: Frame,
    number: String,
    business: [String; 2],
    state: [String; 2],
    told_at: i64,
}

#[derive(Debug, Deserialize)]
pub(in crate::web) struct Wanted {
    csrf: String,
    business: String,
    /// `yes`: the user says that everything is decrypted.
    #[serde(default)]
    decrypted: String,
}

#[derive(Debug, Deserialize)]
pub(in crate::web) struct Returned {
    progress: String,
}

/// Signs a hand-over and shows the button that posts it to the desk.
pub(in crate::web) async fn hand_over(
    State(portal): State<Portal>,
    visitor: Visitor,
    fields: Result<Form<Wanted>, FormRejection>,
) -> Result<Response, Refusal> {
    let Form(fields) = fields.map_err(|_| Reason::Malformed)?;
    let (session, account) = visitor.checked_supplier(&fields.csrf)?;
    let ca = portal.settings().desk.as_ref().ok_or(Reason::DeskMissing)?;
    let (business, words) = businesses::offered(&fields.business).ok_or(Reason::Malformed)?;
    if account.organisation.chars().count() > UNIT_NAME_MAX {
        return Err(Refusal::from(Reason::UnitNameTooLong).with("limit", UNIT_NAME_MAX));
    }
    let undecrypted = desk::undecrypted(portal.database(), account.id).await?;
    if business == CHANGE && (undecrypted > 0 || fields.decrypted != "yes") {
        return Ok(warning(&portal, &visitor, undecrypted));
    }
    let now = portal.now();
    // Each is a row of the audit log here and a number that the desk remembers.
    let subject = format!("hand-over:session:{}", session.id);
    if let Attempt::Wait { seconds } = throttle::take(portal.database(), &subject, portal.settings().limits.session_challenges, now).await? {
        return Err(Refusal::from(Reason::Busy).with("seconds", seconds).retry_after(u64::try_from(seconds).unwrap_or(1)));
    }
    let claims = Handover {
        iss: portal.settings().origin().to_owned(),
        aud: ca.origin().to_owned(),
        sub: handover::account_name(account.id),
        jti: Base64UrlUnpadded::encode_string(&random::<16>()?),
        iat: now,
        exp: now.saturating_add(LIFE),
        business: business.to_owned(),
        institution: ca.institution().to_owned(),
        unit_name: account.organisation.clone(),
        credit_code: account.credit_code.clone(),
        serial: bindings::of_account(portal.database(), account.id).await?.map(|bound| bound.serial),
        undecrypted,
    };
    let token = handover::sign(&claims, ca.key()).map_err(|error| {
        tracing::error!(%error, "hand-over");
        Reason::Internal
    })?;
    let detail = format!("{business} to {} jti {}", claims.aud, claims.jti);
    let entry = audit::Entry {
        account: Some(account.id),
        actor: &account.name,
        action: "hand-over",
        origin: portal.settings().origin(),
        outcome: "ok",
        detail: &detail,
        ..audit::Entry::default()
    };
    audit::record(portal.database(), &entry, now).await?;
    // Without menu and sign-out: the policy lets this page's forms post to the desk only.
    let page = Frame { account: None, csrf: String::new(), ..frame(&portal, &visitor) };
    let mut response = render(&HandoverPage {
        page,
        business: words,
        desk: claims.aud,
        organisation: claims.unit_name,
        credit_code: claims.credit_code,
        serial: claims.serial,
        token,
    });
    response.extensions_mut().insert(PostsTo(ca.origin().to_owned()));
    Ok(response)
}

/// Whoever had to sign in again chooses again: a hand-over is made by a press of a button only.
pub(in crate::web) async fn menu() -> Response {
    see_other("/ca")
}

/// Takes the CA's word on how a business stands.
pub(in crate::web) async fn returned(
    State(portal): State<Portal>,
    visitor: Visitor,
    query: Result<Query<Returned>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(query) = query.map_err(|_| Reason::Malformed)?;
    let ca = portal.settings().desk.as_ref().ok_or(Reason::DeskMissing)?;
    let now = portal.now();
    let claims = handover::verify(&query.progress, ca, portal.settings().origin(), now).map_err(|error| {
        tracing::info!(%error, "progress");
        match error {
            ProgressError::Time => Reason::ProgressExpired,
            ProgressError::Form | ProgressError::Signature | ProgressError::Audience => Reason::ProgressRefused,
        }
    })?;
    let id = handover::account_id(&claims.sub).ok_or(Reason::ProgressRefused)?;
    let account = accounts::by_id(portal.database(), id).await?.ok_or(Reason::ProgressRefused)?;
    if visitor.supplier().is_ok_and(|(_, signed_in)| signed_in.id != account.id) {
        return Err(Reason::ProgressOtherAccount.into());
    }
    let told = Told { number: claims.number, business: claims.business, state: claims.state, told_at: claims.iat };
    let detail = format!("{} {} {}", told.number, told.business, told.state);
    let entry = audit::Entry {
        account: Some(account.id),
        actor: &account.name,
        action: "desk-progress",
        origin: portal.settings().origin(),
        outcome: "ok",
        detail: &detail,
        ..audit::Entry::default()
    };
    let mut transaction = portal.database().begin().await?;
    // The same word again is no event.
    if desk::keep(&mut transaction, account.id, &told).await? {
        audit::append(&mut transaction, &entry, now).await?;
    }
    transaction.commit().await?;
    Ok(render(&ReturnedPage {
        page: frame(&portal, &visitor),
        business: businesses::business(&told.business),
        state: businesses::state(&told.state),
        number: told.number,
        told_at: told.told_at,
    }))
}

fn warning(portal: &Portal, visitor: &Visitor, undecrypted: u32) -> Response {
    let refusal = (undecrypted > 0).then(|| Refusal::from(Reason::UndecryptedFiles).with("count", undecrypted));
    let alert = refusal.as_ref().map(|refusal| Alert::of(refusal, visitor.language));
    let mut response = render(&ChangePage { page: frame(portal, visitor), undecrypted, alert });
    if let Some(refusal) = refusal {
        *response.status_mut() = refusal.status;
    }
    response
}

/// Whoever changes the language goes to the menu: the pages here are answers that no link gives again.
fn frame(portal: &Portal, visitor: &Visitor) -> Frame {
    Frame { path: "/ca".to_owned(), ..Frame::of(portal, visitor, "functions") }
}
