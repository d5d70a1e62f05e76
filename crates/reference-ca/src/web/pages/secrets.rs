//! The calls that release a token's security officer secret, encrypted to the host whose request the page carries: for setting a token up
//! (originals verified, R86) and for unlocking it (handler and code checked, R69, R89). The page learns nothing from either.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use sealbridge_pki::Certificate;
use sealbridge_protocol::grant::{GrantSubject, Purpose, TokenRequest};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::business::{Kind, State as Stand};
use crate::grant;
use crate::issue;
use crate::refusal::{Reason, Refusal};
use crate::settings::Desk;
use crate::store::applications::Application;
use crate::store::{certificates, officer_secrets};
use crate::web::visitor::Visitor;

/// Seconds after the code was entered within which the grant is released, as often as an interruption needs.
const UNLOCK_SECONDS: i64 = 30 * 60;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::web) struct Asked {
    /// The host's request, as it made it.
    request: String,
}

/// The setup grant, once the originals have been verified and while there is no certificate yet.
pub(in crate::web) async fn setup(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(number): Path<String>,
    headers: HeaderMap,
    asked: Result<Json<Asked>, JsonRejection>,
) -> Result<Json<Value>, Refusal> {
    let (application, request) = read(&desk, &visitor, &number, &headers, asked, Purpose::Activate).await?;
    match application.case.state {
        Stand::Activatable => {}
        Stand::Making | Stand::AwaitingPaper | Stand::PaperReview => return Err(Reason::PaperNotVerified.into()),
        _ => return Err(Reason::NotNow.into()),
    }
    let secret = officer_secrets::of_application_or_new(desk.database(), desk.vault(), application.id, desk.now()).await?;
    let subject = issue::subject(application.case.kind, &application.values);
    let subject = GrantSubject {
        country: subject.country,
        state: subject.state,
        locality: subject.locality,
        organisation: subject.organisation,
        organisation_unit: subject.organisation_unit,
        common_name: subject.common_name,
        credit_code: subject.credit_code,
    };
    answer(&desk, &request, &secret, Some(subject))
}

/// The unlock grant, for a while after the code was right.
pub(in crate::web) async fn unlock(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(number): Path<String>,
    headers: HeaderMap,
    asked: Result<Json<Asked>, JsonRejection>,
) -> Result<Json<Value>, Refusal> {
    let (application, request) = read(&desk, &visitor, &number, &headers, asked, Purpose::Unlock).await?;
    if application.case.kind != Kind::Unlock || application.case.state != Stand::Done {
        return Err(Reason::NotNow.into());
    }
    if desk.now() > application.case.since.saturating_add(UNLOCK_SECONDS) {
        return Err(Reason::UnlockOver.into());
    }
    let text = |key: &str| application.values.get(key).map_or("", String::as_str);
    let registered = certificates::find(desk.database(), text("serial"), text("creditCode")).await?.ok_or(Reason::CertificateNotValid)?;
    // The certificate on the token is the one that this business is about.
    let named = Certificate::parse(&registered.der).map_err(|_| Reason::Internal)?;
    if request.certificate.is_none_or(|asked| *asked.as_bytes() != named.sha256()) {
        return Err(Reason::RequestRefused.into());
    }
    let holder = certificates::key_of(desk.database(), &registered.serial).await?.ok_or(Reason::NoUnlockSecret)?;
    let secret = officer_secrets::of_application(desk.database(), desk.vault(), holder).await?.ok_or(Reason::NoUnlockSecret)?;
    answer(&desk, &request, &secret, None)
}

fn answer(desk: &Desk, request: &TokenRequest, secret: &str, subject: Option<GrantSubject>) -> Result<Json<Value>, Refusal> {
    let grant = grant::secret(desk.authority(), request, secret, subject, desk.now()).map_err(|error| {
        tracing::info!(%error, "grant");
        Reason::RequestRefused
    })?;
    Ok(Json(json!({ "grant": grant })))
}

async fn read(
    desk: &Desk,
    visitor: &Visitor,
    number: &str,
    headers: &HeaderMap,
    asked: Result<Json<Asked>, JsonRejection>,
    purpose: Purpose,
) -> Result<(Application, TokenRequest), Refusal> {
    let asked = asked.map_err(|_| Reason::Malformed)?;
    let application = visitor.called(desk, number, headers).await?;
    let request = TokenRequest::parse(&asked.request).map_err(|_| Reason::Malformed)?;
    if request.purpose != purpose || request.business.as_str() != application.number {
        return Err(Reason::RequestRefused.into());
    }
    Ok((application, request))
}
