//! Renewal: the new key signs first; where the CA's own number does not carry the binding over, the old key signs too.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use sealbridge_relying_party::renewal::{self, Step, VerifiedRenewal};
use sealbridge_relying_party::{Certificate, Code, bind};
use serde_json::json;

use super::call::{Call, Caller, receipt, refuse, session};
use super::challenges::{kept, read, told};
use super::logins::Brought;
use crate::authorities::Learned;
use crate::evidence::{Material, revocation};
use crate::problem::Problem;
use crate::service::{Service, random};
use crate::store::audit::Entry;
use crate::store::bindings::{self, Bound, By, New};
use crate::store::challenges::{self, Bringer, Challenge, Kind, Taken};

/// The new key's statement.
pub(super) async fn present(State(service): State<Service>, caller: Caller, Call(brought): Call<Brought>) -> Result<Response, Problem> {
    let now = service.now();
    let entry = caller.entry("renew", now);
    let (statement, record, of_certificate, entry) = taken(&service, &caller, &brought, Kind::RenewNew, entry, now).await?;
    let record: renewal::Record = read(&record)?;
    let entry = Entry { account: record.account.as_str().to_owned(), ..entry };
    let Some(bound) = bindings::get(service.database(), caller.id(), By::Account, record.account.as_str()).await? else {
        return Err(refuse(&service, entry, Code::NothingBound.into()).await);
    };
    let nonce = record.nonce.as_str().to_owned();
    let pending = renewal::Pending::from_record(record);
    let other = of_certificate.as_ref().map(|bound| &bound.binding);
    let policy = &caller.0.policy;
    let signed = match renewal::prove_new(pending, statement, policy, now) {
        Ok(signed) => signed,
        Err(failure) => return Err(refuse(&service, entry, failure).await),
    };
    let learned = service.authorities().learn_of(policy.status, signed.path(), now).await;
    match renewal::accept_new(signed, held(&bound, bound.certificate().as_ref()), other, &learned.evidence, policy, now, random()?) {
        Err(failure) => Err(refuse(&service, entry, learned.explain(failure)).await),
        Ok(Step::Carried(verified)) => store(&service, &caller, &bound, &verified, &nonce, (entry, &learned)).await,
        Ok(Step::OldKeyNeeded(issued, successor)) => {
            let challenge = Challenge {
                nonce: issued.nonce.as_str().to_owned(),
                portal: caller.id().to_owned(),
                session: brought.session.clone(),
                kind: Kind::RenewOld,
                record: kept(&successor.into_record())?,
                expires_at: issued.expires_at,
            };
            let entry = Entry { outcome: Code::RenewalOldKeyNeeded.as_str().to_owned(), ..entry };
            let written = service
                .database()
                .writer()
                .write(move |batch| {
                    let (challenge, entry) = (challenge.clone(), entry.clone());
                    Box::pin(async move {
                        challenges::put(batch, &challenge).await?;
                        batch.record(entry);
                        Ok(())
                    })
                })
                .await?;
            let body = json!({ "carried": false, "challenge": told(&issued)?, "audit": receipt(written.places.first()) });
            Ok(caller.answer(StatusCode::ACCEPTED, &body))
        }
    }
}

/// The old key's statement.
pub(super) async fn confirm(State(service): State<Service>, caller: Caller, Call(brought): Call<Brought>) -> Result<Response, Problem> {
    let now = service.now();
    let entry = caller.entry("renew-confirm", now);
    let (statement, record, _, entry) = taken(&service, &caller, &brought, Kind::RenewOld, entry, now).await?;
    let record: renewal::SuccessorRecord = read(&record)?;
    let entry = Entry { account: record.binding.account.as_str().to_owned(), ..entry };
    let Some(bound) = bindings::get(service.database(), caller.id(), By::Account, record.binding.account.as_str()).await? else {
        return Err(refuse(&service, entry, Code::NothingBound.into()).await);
    };
    let nonce = record.nonce.as_str().to_owned();
    let policy = &caller.0.policy;
    let signed = match renewal::prove_old(renewal::Successor::from_record(record), statement, policy, now) {
        Ok(signed) => signed,
        Err(failure) => return Err(refuse(&service, entry, failure).await),
    };
    let learned = service.authorities().learn_of(policy.status, signed.path(), now).await;
    match renewal::accept_old(signed, held(&bound, bound.certificate().as_ref()), &learned.evidence, policy, now) {
        Err(failure) => Err(refuse(&service, entry, learned.explain(failure)).await),
        Ok(verified) => store(&service, &caller, &bound, &verified, &nonce, (entry, &learned)).await,
    }
}

fn held<'a>(bound: &'a Bound, certificate: Option<&'a Certificate>) -> renewal::Bound<'a> {
    renewal::Bound { binding: &bound.binding, certificate, anchor: bound.anchor }
}

async fn taken(
    service: &Service,
    caller: &Caller,
    brought: &Brought,
    kind: Kind,
    entry: Entry,
    now: i64,
) -> Result<(bind::Unverified, String, Option<Bound>, Entry), Problem> {
    let session = session(&brought.session)?;
    let statement = match bind::read(&brought.token) {
        Ok(statement) => statement,
        Err(failure) => return Err(refuse(service, entry, failure).await),
    };
    let entry = Entry { certificate: statement.certificate_id().to_string(), ..entry };
    let bringer = Bringer {
        portal: caller.id().to_owned(),
        session: session.to_owned(),
        kind,
        nonce: statement.nonce().as_str().to_owned(),
        certificate: statement.certificate_id().to_string(),
        account: None,
        marks: Vec::new(),
        entry: entry.clone(),
        now,
    };
    let found = challenges::take(service.database(), bringer).await?;
    match found.taken {
        Taken::Fresh(record) => Ok((statement, record, found.of_certificate, entry)),
        other => Err(other.code().unwrap_or(Code::Internal).into()),
    }
}

async fn store(
    service: &Service,
    caller: &Caller,
    bound: &Bound,
    verified: &VerifiedRenewal,
    nonce: &str,
    (entry, learned): (Entry, &Learned),
) -> Result<Response, Problem> {
    let policy = &caller.0.policy;
    let certificate = verified.certificate();
    let old = bound.certificate().map(|certificate| certificate.to_pem());
    let material = Material {
        statements: verified.statements().to_vec(),
        nonce: nonce.to_owned(),
        certificates: std::iter::once(certificate.to_pem()).chain(old).collect(),
        revocation: Some(revocation(policy, learned, verified.revocation())),
        ..Material::default()
    };
    let proven = serde_json::to_value(verified.proven()).unwrap_or_default();
    let new = New {
        portal: caller.id().to_owned(),
        binding: verified.record().clone(),
        der: certificate.der().to_vec(),
        anchor: verified.anchor(),
        replaces: Some(bound.binding.certificate),
        adopts: false,
        entry: Entry {
            certificate: certificate.id(),
            detail: format!("{} replaces {}", proven.as_str().unwrap_or_default(), bound.binding.certificate),
            material: material.to_json(),
            not_after: certificate.not_after(),
            ..entry
        },
    };
    let (done, place) = bindings::store(service.database(), new).await?;
    done?;
    let revocation = learned.told(policy.status, verified.revocation(), service.now());
    let body = json!({ "carried": true, "proven": proven, "binding": verified.record(), "revocation": revocation, "audit": receipt(place.as_ref()) });
    Ok(caller.answer(StatusCode::OK, &body))
}
