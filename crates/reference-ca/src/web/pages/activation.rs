//! The calls of activation: a grant for one certificate request, then the certificate against it. Both can be asked again
//! after any interruption: a new grant replaces an unused one, and the same request gets the same certificate (E6, R97).

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use base64ct::{Base64, Encoding};
use sealbridge_pki::Certificate;
use sealbridge_pki::request::Request;
use sealbridge_seal::ses::Seal;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::business::{Act, Actor, State as Stand};
use crate::error::DeskError;
use crate::grant;
use crate::issue::{self, Source};
use crate::refusal::{Reason, Refusal};
use crate::settings::Desk;
use crate::store::applications::{Application, Doing};
use crate::store::certificates::{self, Activation, Registered};
use crate::store::impressions;
use crate::store::sha256_hex;
use crate::web::visitor::Visitor;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::web) struct Asked {
    /// PKCS#10 in DER, base64.
    request: String,
    /// The grant, for the second call.
    #[serde(default)]
    grant: String,
}

/// What the key's side has to know before it makes a key: the subject, the PIN's rule, and where the business stands.
pub(in crate::web) async fn facts(State(desk): State<Desk>, visitor: Visitor, Path(number): Path<String>) -> Result<Json<Value>, Refusal> {
    let application = visitor.asked(&desk, &number).await?;
    let profile = desk.profile(&application.profile).ok_or(Reason::Internal)?;
    let subject = issue::subject(application.case.kind, &application.values);
    Ok(Json(json!({
        "number": application.number,
        "business": application.case.kind.as_str(),
        "state": application.case.state.as_str(),
        "paperVerified": application.case.facts.paper_verified,
        "pin": { "minimum": profile.pin_minimum },
        "subject": {
            "country": subject.country, "state": subject.state, "organisation": subject.organisation,
            "organisationUnit": subject.organisation_unit, "commonName": subject.common_name, "creditCode": subject.credit_code,
        },
    })))
}

/// Signs a grant for this request, if the originals have been verified.
pub(in crate::web) async fn grant(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(number): Path<String>,
    headers: HeaderMap,
    asked: Result<Json<Asked>, JsonRejection>,
) -> Result<Json<Value>, Refusal> {
    let (application, request) = read(&desk, &visitor, &number, &headers, &asked.map_err(|_| Reason::Malformed)?).await?;
    check(&application, &request)?;
    let now = desk.now();
    // What was interrupted after the certificate was issued goes on: the key's side needs a grant for the request once more, and the
    // desk has nothing left to use up.
    if let Some(found) = certificates::of_application(desk.database(), application.id).await? {
        if found.request_sha256 != sha256_hex(&request) {
            return Err(Reason::AlreadyActivated.into());
        }
        let (signed, claims) = grant::activation(desk.authority(), &application.number, &request, now)?;
        return Ok(granted(&desk, &signed, claims.exp));
    }
    if application.case.state != Stand::Activatable {
        // A state before the gate says why (R40, R41, R86, E3).
        let waits = matches!(application.case.state, Stand::Making | Stand::AwaitingPaper | Stand::PaperReview);
        return Err(if waits { Reason::PaperNotVerified } else { Reason::NotNow }.into());
    }
    let (signed, claims) = grant::activation(desk.authority(), &application.number, &request, now)?;
    certificates::note_grant(desk.database(), &claims.jti, application.id, &sha256_hex(&request), now, claims.exp).await?;
    Ok(granted(&desk, &signed, claims.exp))
}

fn granted(desk: &Desk, signed: &str, expires_at: i64) -> Json<Value> {
    Json(json!({ "grant": signed, "issuer": Base64::encode_string(desk.authority().issuing().der()), "expiresAt": expires_at }))
}

/// Issues the certificate against a grant, once.
pub(in crate::web) async fn activate(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(number): Path<String>,
    headers: HeaderMap,
    asked: Result<Json<Asked>, JsonRejection>,
) -> Result<Json<Value>, Refusal> {
    let asked = asked.map_err(|_| Reason::Malformed)?;
    let (application, request) = read(&desk, &visitor, &number, &headers, &asked).await?;
    let request_sha256 = sha256_hex(&request);
    if let Some(answer) = again(&desk, &application, &request_sha256).await? {
        return answer;
    }
    check(&application, &request)?;
    let now = desk.now();
    let claims = grant::check_activation(desk.authority(), &asked.grant, &request, now).map_err(|error| {
        tracing::info!(number = application.number, code = %error.code, "grant");
        Reason::GrantRefused
    })?;
    if claims.sub != application.number {
        return Err(Reason::GrantRefused.into());
    }
    let (kind, values) = (application.case.kind, &application.values);
    let text = |key: &str| values.get(key).map_or("", String::as_str);
    let replaced = if kind.about_a_certificate() { certificates::find(desk.database(), text("serial"), text("creditCode")).await? } else { None };
    let validity = issue::validity(kind, values, replaced.as_ref().map(|old| old.not_after), now);
    let certificate = issue::certificate(desk.authority(), &request, &issue::subject(kind, values), validity).map_err(|error| {
        tracing::info!(number = application.number, %error, "request");
        Reason::RequestRefused
    })?;
    let picked = impressions::picked(desk.database(), desk.vault(), application.id).await?;
    let wanted = text("sealService") == "yes";
    let made = match (wanted, &picked, &desk.settings().font, replaced.as_ref()) {
        (true, Some((png, millimetres)), _, _) => Some(issue::seal(desk.authority(), Source::Impression(png, *millimetres), values, &certificate, now)),
        (true, None, Some(font), _) => Some(issue::seal(desk.authority(), Source::Font(font), values, &certificate, now)),
        // R92: the seal of the certificate that was replaced does not name the new one; it is made again, and nobody has to ask for it.
        (false, _, _, Some(old)) if kind != crate::business::Kind::Additional => moved(&desk, old, &certificate, now),
        _ => None,
    };
    let seal = match made {
        Some(Ok(seal)) => Some(seal),
        // A name that the engraver cannot set must not withhold the certificate.
        Some(Err(error)) => {
            tracing::warn!(number = application.number, %error, "no seal was made");
            None
        }
        None => None,
    };
    let serial = certificate.serial_hex();
    let activation = Activation {
        jti: &claims.jti,
        request_sha256: &request_sha256,
        serial: &serial,
        der: certificate.der(),
        validity,
        seal: seal.as_ref().map(|seal| seal.der()),
        // An additional certificate stands beside the other; reissue and change put an end to it.
        replaces: replaced.as_ref().filter(|_| kind != crate::business::Kind::Additional).map(|old| old.serial.as_str()),
    };
    let profile = desk.profile(&application.profile).ok_or(Reason::Internal)?;
    let doing = Doing { id: application.id, act: Act::Activate, actor: Actor::Applicant, seen: None, note: "", now };
    match certificates::activate(desk.database(), desk.vault(), profile, &doing, &activation).await? {
        Some(_) => Ok(Json(json!({
            "certificate": Base64::encode_string(certificate.der()),
            "chain": chain(&desk),
            "seal": seal.map(|seal| Base64::encode_string(seal.der())),
        }))),
        // Somebody used the grant at the same moment: they get what the first one got.
        None => match again(&desk, &application, &request_sha256).await? {
            Some(answer) => answer,
            None => Err(Reason::GrantRefused.into()),
        },
    }
}

/// The old certificate's seal made again for the new one, where both are of one name: a seal that shows the name of before a change
/// (R64) is nobody's any more.
pub(super) fn moved(desk: &Desk, old: &Registered, certificate: &Certificate, now: i64) -> Option<Result<Seal, DeskError>> {
    let seal = old.seal.as_deref()?;
    let before = match Certificate::parse(&old.der) {
        Ok(before) => before,
        Err(error) => return Some(Err(error.into())),
    };
    (before.subject().organisation() == certificate.subject().organisation()).then(|| issue::seal_again(desk.authority(), seal, certificate, now))
}

/// What was issued before for this business: the same to the same request, nothing to another.
async fn again(desk: &Desk, application: &Application, request_sha256: &str) -> Result<Option<Result<Json<Value>, Refusal>>, Refusal> {
    let found: Option<Registered> = certificates::of_application(desk.database(), application.id).await?;
    Ok(found.map(|found| {
        if found.request_sha256 != request_sha256 {
            return Err(Reason::AlreadyActivated.into());
        }
        Ok(Json(json!({
            "certificate": Base64::encode_string(&found.der),
            "chain": chain(desk),
            "seal": found.seal.as_deref().map(Base64::encode_string),
        })))
    }))
}

async fn read(desk: &Desk, visitor: &Visitor, number: &str, headers: &HeaderMap, asked: &Json<Asked>) -> Result<(Application, Vec<u8>), Refusal> {
    let application = visitor.called(desk, number, headers).await?;
    let request = Base64::decode_vec(&asked.request).map_err(|_| Reason::Malformed)?;
    Ok((application, request))
}

/// The request holds and is for this unit: told before a grant is given, so that no key is made in vain.
fn check(application: &Application, request: &[u8]) -> Result<(), Refusal> {
    let wanted = issue::subject(application.case.kind, &application.values).to_der().map_err(|_| Reason::RequestRefused)?;
    match Request::parse(request) {
        Ok(request) if request.subject().der() == wanted => Ok(()),
        _ => Err(Reason::RequestRefused.into()),
    }
}

pub(super) fn chain(desk: &Desk) -> Vec<String> {
    [desk.authority().issuing(), desk.authority().root()].into_iter().map(Certificate::der).map(Base64::encode_string).collect()
}
