//! What the key's side of a renewal and of an additional certificate asks the desk for: the challenge that the existing key signs, and the
//! renewed certificate with its grant and its seal, issued once and the same each time it is asked for (R58, R92, R97).

use axum::Json;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::http::HeaderMap;
use base64ct::{Base64, Encoding};
use sealbridge_pki::Certificate;
use serde::Deserialize;
use serde_json::{Value, json};

use super::activation::{chain, moved};
use crate::business::{Act, Actor, Kind, State as Stand};
use crate::error::DeskError;
use crate::refusal::{Reason, Refusal};
use crate::settings::Desk;
use crate::store::applications::{Application, Doing, outstanding, perform};
use crate::store::certificates::{self, Registered};
use crate::store::key_signatures;
use crate::web::visitor::Visitor;
use crate::{grant, issue};

#[derive(Debug, Deserialize)]
pub(in crate::web) struct Fields {
    csrf: String,
}

/// A nonce for what was saved, and the account that the statement is to name. Nobody is asked for a PIN for an application that could
/// not be submitted all the same.
pub(in crate::web) async fn challenge(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(number): Path<String>,
    fields: Result<Form<Fields>, FormRejection>,
) -> Result<Json<Value>, Refusal> {
    let Form(fields) = fields.map_err(|_| Reason::Malformed)?;
    visitor.checked(&fields.csrf)?;
    let application = visitor.business(&desk, &number).await?;
    let (kind, state) = (application.case.kind, application.case.state);
    if !kind.signed_by_key() || !matches!(state, Stand::Draft | Stand::Returned) {
        return Err(Reason::NotNow.into());
    }
    let profile = desk.profile(&application.profile).ok_or(Reason::Internal)?;
    if !outstanding(desk.database(), profile, &application).await?.is_empty() {
        return Err(Reason::FieldsMissing.into());
    }
    let nonce = key_signatures::challenge(desk.database(), desk.vault(), application.id, desk.now()).await?;
    Ok(Json(json!({ "nonce": nonce, "account": application.number })))
}

/// The renewed certificate; issued when it is first asked for. The old one stays what it is.
pub(in crate::web) async fn renewed(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(number): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let application = visitor.called(&desk, &number, &headers).await?;
    // Asked again after it was installed: an interruption may have swallowed the answer.
    if application.case.kind != Kind::Renewal || !matches!(application.case.state, Stand::Installable | Stand::Done) {
        return Err(Reason::NotNow.into());
    }
    let text = |key: &str| application.values.get(key).map_or("", String::as_str);
    let old = certificates::find(desk.database(), text("serial"), text("creditCode")).await?.ok_or(Reason::CertificateNotValid)?;
    let before = Certificate::parse(&old.der).map_err(DeskError::from)?;
    let issued = match certificates::of_application(desk.database(), application.id).await? {
        Some(issued) => issued,
        None => issue_now(&desk, &application, &old, &before).await?,
    };
    let certificate = Certificate::parse(&issued.der).map_err(DeskError::from)?;
    let grant = grant::renewal(desk.authority(), &application.number, &before, &certificate, desk.now())?;
    Ok(Json(json!({
        "grant": grant,
        "old": before.id(),
        "certificate": Base64::encode_string(&issued.der),
        "chain": chain(&desk),
        "seal": issued.seal.as_deref().map(Base64::encode_string),
    })))
}

/// The key's side has it on the key. What was never issued cannot have been installed.
pub(super) async fn installed(desk: &Desk, application: &Application) -> Result<Json<Value>, Refusal> {
    if application.case.state != Stand::Done {
        certificates::of_application(desk.database(), application.id).await?.ok_or(Reason::NotNow)?;
        let profile = desk.profile(&application.profile).ok_or(Reason::Internal)?;
        let doing = Doing { id: application.id, act: Act::Install, actor: Actor::Applicant, seen: None, note: "", now: desk.now() };
        perform(desk.database(), desk.vault(), profile, &doing).await?;
    }
    Ok(Json(json!({ "state": Stand::Done.as_str() })))
}

async fn issue_now(desk: &Desk, application: &Application, old: &Registered, before: &Certificate) -> Result<Registered, Refusal> {
    if application.case.state != Stand::Installable {
        return Err(Reason::NotNow.into());
    }
    if old.revoked_at.is_some() {
        return Err(Reason::CertificateNotValid.into());
    }
    let now = desk.now();
    let validity = issue::validity(Kind::Renewal, &application.values, Some(old.not_after), now);
    let certificate = issue::renewed(desk.authority(), before, validity)?;
    let seal = match moved(desk, old, &certificate, now) {
        Some(Ok(seal)) => Some(seal),
        // A seal that cannot be made again must not withhold the certificate.
        Some(Err(error)) => {
            tracing::warn!(number = application.number, %error, "no seal was made");
            None
        }
        None => None,
    };
    certificates::renew(desk.database(), application, old, &certificate, seal.as_ref().map(|seal| seal.der())).await?;
    // Whoever was first: everybody gets that one.
    certificates::of_application(desk.database(), application.id).await?.ok_or_else(|| Reason::CertificateNotValid.into())
}
