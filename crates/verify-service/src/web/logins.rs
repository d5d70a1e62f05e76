//! Login: the token that the supplier's key has signed opens the account that its certificate is bound to. The nonce is
//! taken and gone before anything else about the token is believed.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use sealbridge_relying_party::{Code, Failure, Signed, import, login};
use serde::Deserialize;
use serde_json::json;

use super::call::{Call, Caller, Shown, receipt, refuse, session};
use super::challenges::read;
use crate::authorities::Learned;
use crate::evidence::{Material, revocation};
use crate::problem::Problem;
use crate::service::Service;
use crate::store::audit::Entry;
use crate::store::bindings::{self, New, Opening};
use crate::store::challenges::{self, Bringer, Kind, Taken};

/// A statement and the session that it is brought in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Brought {
    pub(super) session: String,
    pub(super) token: String,
}

/// Checks a login.
pub(super) async fn login(State(service): State<Service>, caller: Caller, Call(brought): Call<Brought>) -> Result<Response, Problem> {
    let session = session(&brought.session)?;
    let now = service.now();
    let policy = &caller.0.policy;
    let entry = caller.entry("login", now);
    let statement = match login::read(&brought.token) {
        Ok(statement) => statement,
        Err(failure) => return Err(refuse(&service, entry, failure).await),
    };
    let nonce = statement.nonce().as_str().to_owned();
    let entry = Entry { certificate: statement.certificate_id().to_string(), ..entry };
    let bringer = Bringer {
        portal: caller.id().to_owned(),
        session: session.to_owned(),
        kind: Kind::Login,
        nonce: nonce.clone(),
        certificate: statement.certificate_id().to_string(),
        account: None,
        marks: import::marks(&statement, policy),
        entry: entry.clone(),
        now,
    };
    let found = challenges::take(service.database(), bringer).await?;
    let Taken::Fresh(record) = &found.taken else {
        // It was recorded when it was taken.
        return Err(found.taken.code().unwrap_or(Code::Internal).into());
    };
    let pending = login::Pending::from_record(read(record)?);
    let signed = match login::prove(pending, statement, policy, now) {
        Ok(signed) => signed,
        Err(failure) => return Err(refuse(&service, entry, failure).await),
    };
    let learned = service.authorities().learn_of(policy.status, signed.path(), now).await;
    if let Some(old) = &found.old {
        return adopt(&service, &caller, (signed, &nonce), &read(old)?, &learned, entry, now).await;
    }
    let binding = found.of_certificate.map(|bound| bound.binding);
    let verified = match login::accept(signed, binding.as_ref(), &learned.evidence, policy, now) {
        Ok(verified) => verified,
        Err(failure) => return Err(refuse(&service, entry, learned.explain(failure)).await),
    };
    let certificate = verified.certificate();
    let known = revocation(policy, &learned, verified.revocation());
    let material = Material::of_statements(vec![verified.statement().to_owned()], &nonce, certificate, verified.issuers(), known);
    let entry = Entry {
        account: verified.account().as_str().to_owned(),
        detail: format!("operation {}", verified.operation()),
        material: material.to_json(),
        not_after: certificate.not_after(),
        ..entry
    };
    let opening = Opening { portal: caller.id().to_owned(), certificate: certificate.id(), account: verified.account().clone(), entry };
    // The binding is looked at once more where this is written: a loss may have been reported while the authorities were asked.
    let (done, place) = bindings::open(service.database(), opening).await?;
    done?;
    let body = json!({
        "account": verified.account(),
        "certificate": Shown::of(certificate),
        "operation": verified.operation(),
        "at": verified.at(),
        "adopted": false,
        "revocation": learned.told(policy.status, verified.revocation(), now),
        "audit": receipt(place.as_ref()),
    });
    Ok(caller.answer(StatusCode::OK, &body))
}

/// The first login of a supplier whose binding came from an older system.
async fn adopt(
    service: &Service,
    caller: &Caller,
    (signed, nonce): (Signed<login::Pending>, &str),
    old: &import::OldBinding,
    learned: &Learned,
    entry: Entry,
    now: i64,
) -> Result<Response, Problem> {
    let policy = &caller.0.policy;
    let adopted = match import::accept(signed, old, &learned.evidence, policy, now) {
        Ok(adopted) => adopted,
        Err(failure) => return Err(refuse(service, entry, learned.explain(failure)).await),
    };
    let verified = adopted.login();
    let certificate = verified.certificate();
    let known = revocation(policy, learned, verified.revocation());
    let material = Material::of_statements(vec![verified.statement().to_owned()], nonce, certificate, verified.issuers(), known);
    let entry = Entry {
        action: "login-adopt".to_owned(),
        account: verified.account().as_str().to_owned(),
        detail: old.mark.key()?,
        material: material.to_json(),
        not_after: certificate.not_after(),
        ..entry
    };
    let new = New {
        portal: caller.id().to_owned(),
        binding: adopted.record().clone(),
        der: certificate.der().to_vec(),
        anchor: adopted.anchor(),
        replaces: None,
        adopts: true,
        entry,
    };
    let (done, place) = bindings::store(service.database(), new).await?;
    done.map_err(|failure: Failure| Problem::from(failure))?;
    let body = json!({
        "account": verified.account(),
        "certificate": Shown::of(certificate),
        "operation": verified.operation(),
        "at": verified.at(),
        "adopted": true,
        "revocation": learned.told(policy.status, verified.revocation(), now),
        "audit": receipt(place.as_ref()),
    });
    Ok(caller.answer(StatusCode::OK, &body))
}
