//! Login: the token that the supplier's key has signed opens the account that its certificate is bound to. The nonce is
//! taken and gone before anything else about the token is believed.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use sealbridge_relying_party::{Accepted, Code, Evidence, Failure, Policy, Signed, import, login, renewal};
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Call, Caller, Shown, receipt, refuse, session};
use super::challenges::read;
use crate::authorities::Learned;
use crate::evidence::{Material, revocation};
use crate::problem::Problem;
use crate::service::Service;
use crate::store::audit::{Entry, Place};
use crate::store::bindings::{self, Bound, New, Opening};
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
    let of_key = match (&found.of_certificate, &found.old) {
        (None, None) => bindings::of_key(service.database(), caller.id(), signed.certificate()).await?,
        _ => None,
    };
    // Another login may have carried it over since the nonce was taken.
    let (of_certificate, of_key) = match of_key {
        Some(bound) if bound.binding.covers(signed.certificate()) => (Some(bound), None),
        of_key => (found.of_certificate, of_key),
    };
    let mut paths = vec![Accepted { path: signed.path().clone(), at: now }];
    if let Some(bound) = &of_key {
        let old = bound.certificate();
        let held = renewal::Bound { binding: &bound.binding, certificate: old.as_ref(), anchor: bound.anchor };
        paths.extend(renewal::also_ask(&signed, held, policy, now).map(|path| Accepted { at: path.at(), path }));
    }
    let learned = service.authorities().learn(policy.status, &paths, &Evidence::default(), now).await;
    if let Some(old) = &found.old {
        return adopt(&service, &caller, (signed, &nonce), &read(old)?, &learned, entry, now).await;
    }
    if let Some(bound) = of_key {
        return renew(&service, &caller, (signed, &nonce), &bound, &learned, entry, now).await;
    }
    let binding = of_certificate.map(|bound| bound.binding);
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
    Ok(caller.answer(StatusCode::OK, &told(policy, &learned, &verified, Came::Bound, place.as_ref(), now)))
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
    Ok(caller.answer(StatusCode::OK, &told(policy, learned, verified, Came::Adopted, place.as_ref(), now)))
}

/// A login with a newer certificate of the key that is bound: the binding goes over to it.
async fn renew(
    service: &Service,
    caller: &Caller,
    (signed, nonce): (Signed<login::Pending>, &str),
    bound: &Bound,
    learned: &Learned,
    entry: Entry,
    now: i64,
) -> Result<Response, Problem> {
    let policy = &caller.0.policy;
    let old = bound.certificate();
    let held = renewal::Bound { binding: &bound.binding, certificate: old.as_ref(), anchor: bound.anchor };
    let (verified, renewed) = match renewal::at_login(signed, held, None, &learned.evidence, policy, now) {
        Ok(done) => done,
        Err(failure) => return Err(refuse(service, entry, learned.explain(failure)).await),
    };
    let certificate = verified.certificate();
    let known = revocation(policy, learned, verified.revocation());
    let material = Material::of_statements(vec![verified.statement().to_owned()], nonce, certificate, verified.issuers(), known);
    let operation = verified.operation();
    let entry = Entry {
        account: verified.account().as_str().to_owned(),
        detail: format!("operation {operation}"),
        material: material.to_json(),
        not_after: certificate.not_after(),
        ..entry
    };
    let detail = format!("same-key replaces {} operation {operation}", bound.binding.certificate);
    let new = New {
        portal: caller.id().to_owned(),
        binding: renewed.record().clone(),
        der: certificate.der().to_vec(),
        anchor: renewed.anchor(),
        replaces: Some(bound.binding.certificate),
        adopts: false,
        entry: Entry { action: "login-renew".to_owned(), detail, ..entry.clone() },
    };
    let (done, place) = bindings::store(service.database(), new).await?;
    let (came, place) = match done {
        Ok(()) => (Came::Renewed, place),
        // Another login with this certificate was faster; or the account was unbound, and then this opens nothing.
        Err(failure) if failure.code == Code::NothingBound => {
            let opening = Opening { portal: caller.id().to_owned(), certificate: certificate.id(), account: verified.account().clone(), entry };
            let (done, place) = bindings::open(service.database(), opening).await?;
            done?;
            (Came::Bound, place)
        }
        Err(failure) => return Err(failure.into()),
    };
    Ok(caller.answer(StatusCode::OK, &told(policy, learned, &verified, came, place.as_ref(), now)))
}

/// How the login's certificate came to be the account's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    Bound,
    Adopted,
    Renewed,
}

fn told(policy: &Policy, learned: &Learned, verified: &login::VerifiedLogin, came: Came, place: Option<&Place>, now: i64) -> Value {
    json!({
        "account": verified.account(),
        "certificate": Shown::of(verified.certificate()),
        "operation": verified.operation(),
        "at": verified.at(),
        "adopted": came == Came::Adopted,
        "renewed": came == Came::Renewed,
        "revocation": learned.told(policy.status, verified.revocation(), now),
        "audit": receipt(place),
    })
}
