//! The life of a binding but its renewal: bind, look, unbind, report and withdraw a loss, bring over from an older system.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use sealbridge_relying_party::import::OldBinding;
use sealbridge_relying_party::{CertificateId, Code, Failure, bind, words};
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Call, Caller, receipt, refuse, session};
use super::challenges::read;
use super::logins::Brought;
use crate::evidence::{Material, revocation};
use crate::problem::Problem;
use crate::service::Service;
use crate::store::audit::Entry;
use crate::store::bindings::{self, Bound, By, New};
use crate::store::challenges::{self, Bringer, Kind, Taken};

/// So many old bindings are brought over at once.
const IMPORT_ROWS_MAX: usize = 1000;

/// Binds the certificate of a statement to the account that the challenge was issued for.
pub(super) async fn bind(State(service): State<Service>, caller: Caller, Call(brought): Call<Brought>) -> Result<Response, Problem> {
    let session = session(&brought.session)?;
    let now = service.now();
    let policy = &caller.0.policy;
    let entry = caller.entry("bind", now);
    let statement = match bind::read(&brought.token) {
        Ok(statement) => statement,
        Err(failure) => return Err(refuse(&service, entry, failure).await),
    };
    let nonce = statement.nonce().as_str().to_owned();
    let entry = Entry { certificate: statement.certificate_id().to_string(), ..entry };
    let bringer = Bringer {
        portal: caller.id().to_owned(),
        session: session.to_owned(),
        kind: Kind::Bind,
        nonce: nonce.clone(),
        certificate: statement.certificate_id().to_string(),
        account: None,
        marks: Vec::new(),
        entry: entry.clone(),
        now,
    };
    let found = challenges::take(service.database(), bringer).await?;
    let Taken::Fresh(record) = &found.taken else {
        return Err(found.taken.code().unwrap_or(Code::Internal).into());
    };
    let record: bind::Record = read(record)?;
    let entry = Entry { account: record.account.as_str().to_owned(), ..entry };
    let of_account = bindings::get(service.database(), caller.id(), By::Account, record.account.as_str()).await?;
    let existing = bind::Existing {
        of_account: of_account.as_ref().map(|bound| &bound.binding),
        of_certificate: found.of_certificate.as_ref().map(|bound| &bound.binding),
    };
    let signed = match bind::prove(bind::Pending::from_record(record), statement, policy, now) {
        Ok(signed) => signed,
        Err(failure) => return Err(refuse(&service, entry, failure).await),
    };
    let learned = service.authorities().learn_of(policy.status, signed.path(), now).await;
    let verified = match bind::accept(signed, existing, &learned.evidence, policy, now) {
        Ok(verified) => verified,
        Err(failure) => return Err(refuse(&service, entry, learned.explain(failure)).await),
    };
    let certificate = verified.certificate();
    let known = revocation(policy, &learned, verified.revocation());
    let material = Material::of_statements(vec![verified.statement().to_owned()], &nonce, certificate, verified.issuers(), known);
    let new = New {
        portal: caller.id().to_owned(),
        binding: verified.record().clone(),
        der: certificate.der().to_vec(),
        anchor: verified.issuers().last().map(|anchor| CertificateId::new(anchor.sha256())),
        replaces: None,
        adopts: false,
        entry: Entry { detail: format!("operation {}", verified.operation()), material: material.to_json(), not_after: certificate.not_after(), ..entry },
    };
    let (done, place) = bindings::store(service.database(), new).await?;
    done?;
    let revocation = learned.told(policy.status, verified.revocation(), now);
    Ok(caller.answer(StatusCode::CREATED, &json!({ "binding": verified.record(), "revocation": revocation, "audit": receipt(place.as_ref()) })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    #[serde(default)]
    after: String,
    #[serde(default = "page_size")]
    limit: u16,
}

fn page_size() -> u16 {
    100
}

/// The portal's bindings, in pages.
pub(super) async fn list(
    State(service): State<Service>,
    caller: Caller,
    page: Result<Query<Page>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let Query(page) = page.map_err(|error| Problem::malformed(&error.body_text()))?;
    let limit = page.limit.clamp(1, 1000);
    let found = bindings::list(service.database(), caller.id(), &page.after, i64::from(limit)).await?;
    let next = if found.len() == usize::from(limit) { found.last().map(|bound| bound.binding.account.clone()) } else { None };
    let all: Vec<_> = found.iter().map(|bound| &bound.binding).collect();
    Ok(caller.answer(StatusCode::OK, &json!({ "bindings": all, "next": next })))
}

/// One account's binding.
pub(super) async fn show(State(service): State<Service>, caller: Caller, Path(account): Path<String>) -> Result<Response, Problem> {
    let bound = bindings::get(service.database(), caller.id(), By::Account, &account).await?.ok_or(Code::NothingBound)?;
    Ok(caller.answer(StatusCode::OK, &json!({ "binding": bound.binding })))
}

/// Ends an account's binding. The portal has asked its user first.
pub(super) async fn unbind(State(service): State<Service>, caller: Caller, Path(account): Path<String>) -> Result<Response, Problem> {
    let entry = Entry { account: account.clone(), ..caller.entry("unbind", service.now()) };
    let (held, place) = bindings::remove(service.database(), caller.id(), &account, entry).await?;
    ended(&caller, held, place.as_ref())
}

/// Reports the loss of what is bound to the account: it opens nothing from now on.
pub(super) async fn report_loss(State(service): State<Service>, caller: Caller, Path(account): Path<String>) -> Result<Response, Problem> {
    let now = service.now();
    let entry = Entry { account: account.clone(), ..caller.entry("loss", now) };
    let (held, place) = bindings::report_loss(service.database(), caller.id(), &account, entry).await?;
    let held = held.map(|mut held| {
        held.binding.suspended_at.get_or_insert(now);
        held
    });
    ended(&caller, held, place.as_ref())
}

fn ended(caller: &Caller, held: Option<Bound>, place: Option<&crate::store::audit::Place>) -> Result<Response, Problem> {
    let held = held.ok_or(Code::NothingBound)?;
    Ok(caller.answer(StatusCode::OK, &json!({ "binding": held.binding, "audit": receipt(place) })))
}

/// Withdraws a report of loss: the key was found.
pub(super) async fn withdraw_loss(State(service): State<Service>, caller: Caller, Path(certificate): Path<String>) -> Result<Response, Problem> {
    let certificate: CertificateId = certificate.parse().map_err(Problem::from)?;
    let entry = caller.entry("loss-withdrawn", service.now());
    let (was, place) = bindings::withdraw_loss(service.database(), caller.id(), &certificate.to_string(), entry).await?;
    if !was {
        return Err(Failure::new(Code::NotFound).with("what", certificate).into());
    }
    Ok(caller.answer(StatusCode::OK, &json!({ "certificate": certificate, "audit": receipt(place.as_ref()) })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Imported {
    bindings: Vec<OldBinding>,
}

/// Brings bindings of an older system over. Each row has its own answer.
pub(super) async fn import(State(service): State<Service>, caller: Caller, Call(imported): Call<Imported>) -> Result<Response, Problem> {
    if imported.bindings.len() > IMPORT_ROWS_MAX {
        return Err(Problem::malformed(&format!("bindings: at most {IMPORT_ROWS_MAX} at once")));
    }
    let entry = caller.entry("import", service.now());
    let answers = bindings::import(service.database(), caller.id(), imported.bindings, entry).await?;
    let imported = answers.iter().filter(|answer| answer.is_ok()).count();
    let rows: Vec<Value> = answers
        .iter()
        .map(|answer| match answer {
            Ok(()) => json!({ "ok": true }),
            Err(failure) => json!({ "ok": false, "failure": words::tell_page(failure, sealbridge_relying_party::Language::ZhCn) }),
        })
        .collect();
    Ok(caller.answer(StatusCode::OK, &json!({ "imported": imported, "rows": rows })))
}
