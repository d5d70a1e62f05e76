//! The verdict on a document: it comes in as it is, goes to a temporary file, is judged there by the relying party, and
//! is deleted. Memory does not grow with it. The answer is the verdict, or the whole evidence package with the document.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use sealbridge_intake::{FileSource, Partial, Received, receive};
use sealbridge_relying_party::document::{self, Verdict};
use sealbridge_relying_party::{Accepted, Certificate, Code, Evidence, Failure, Language, Policy, StatusDemand};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::io::ReaderStream;

use super::call::{Asked, Caller, receipt, refuse};
use crate::authorities::Learned;
use crate::evidence::{self, Material, Signature, revocation};
use crate::problem::Problem;
use crate::service::{Service, random};
use crate::store::audit::{self, Entry};
use crate::store::rations;

/// What the portal demands.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Demand {
    /// The file's name, for the words.
    #[serde(default)]
    name: String,
    /// The credit code of whoever must have signed the whole file.
    signer: Option<String>,
    /// `required`: the signature over the whole file must carry a seal.
    #[serde(default)]
    seal: Seal,
    /// Unix seconds: the earliest and latest signing time that is accepted.
    signed_not_before: Option<i64>,
    signed_not_after: Option<i64>,
    /// Answer with the evidence package.
    #[serde(default)]
    package: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Seal {
    #[default]
    Any,
    Required,
}

/// Receives a document and judges it. Status 200 means "judged"; `accepted` tells the outcome.
pub(super) async fn judge(
    State(service): State<Service>,
    caller: Caller,
    demand: Result<Query<Demand>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
    mut body: Body,
) -> Result<Response, Problem> {
    let done = match demand {
        Ok(Query(demand)) => done(&service, &caller, demand, announced(&headers), &mut body).await,
        Err(error) => Err(Problem::malformed(&error.body_text())),
    };
    if done.is_err() {
        service.intake().linger(body);
    }
    done
}

async fn done(service: &Service, caller: &Caller, demand: Demand, announced: Option<u64>, body: &mut Body) -> Result<Response, Problem> {
    ration(service, caller).await?;
    let place = service.intake().place().await?;
    let id = Base64UrlUnpadded::encode_string(&random::<16>()?);
    let partial = Partial::new(service.settings().temporary.join(format!("{id}.part")));
    let limit = service.settings().document_max;
    let received = match receive(partial.path(), body, announced, limit, service.intake().pace()).await {
        Ok(received) => received,
        Err(refused) => {
            // Before anything else: a full disk has no room for the record below either.
            drop(partial);
            let problem = Problem::from(refused);
            return Err(refuse(service, caller.entry("document", service.now()), problem.failure().clone()).await);
        }
    };
    drop(place);

    let now = service.now();
    // Judging reads the whole file and computes; it must not hold up other requests. The permit goes with it, so that a
    // sender who hangs up in the middle can not set off the next one beside it.
    let permit = service.intake().judge().await?;
    let (policy, package) = (Arc::new(caller.0.policy.signed_between(demand.signed_not_before, demand.signed_not_after)), demand.package);
    let (status, demand) = (policy.status, Arc::new(demand));
    let look_at = |partial: Partial, learned: Learned, permit: OwnedSemaphorePermit| {
        let (policy, demand) = (Arc::clone(&policy), Arc::clone(&demand));
        async move {
            let judged = tokio::task::spawn_blocking(move || {
                let judged = look(partial.path(), &policy, &demand, &learned, now);
                drop(permit);
                (judged, partial)
            });
            judged.await.map_err(|_| Failure::new(Code::Internal))
        }
    };
    let (judged, mut partial) = look_at(partial, Learned::default(), permit).await?;
    let mut judged = judged?;
    if status != StatusDemand::NotAsked && !judged.paths.is_empty() {
        // Whom to ask about is known only now; what they say, where the document does not bring it, is judged with the document once more.
        let learned = service.authorities().learn(status, &judged.paths, &judged.brought, now).await;
        if !learned.is_silent() {
            let permit = service.intake().judge().await?;
            let (again, kept) = look_at(partial, learned, permit).await?;
            (judged, partial) = (again?, kept);
        }
    }
    let Judged { verdict, material, told, .. } = judged;
    let body = recorded(service, caller, &received, (&verdict, &told), &material, now).await?;
    if !package {
        return Ok(caller.answer(StatusCode::OK, &body.answer));
    }

    let file = service.settings().temporary.join(format!("{id}.zip.part"));
    let links = audit::links(service.database(), body.record.sequence, evidence::LINKS_MAX).await?;
    let packed = tokio::task::spawn_blocking(move || {
        let mut document = File::open(partial.path())?;
        let out = File::options().read(true).write(true).create_new(true).open(&file)?;
        // Unlinked while it is open, it is gone whatever happens to the sender or to us.
        let packed = Partial::new(file);
        let out = evidence::write(out, &body.record, &body.material, &links, Some(&mut document))?;
        Ok::<_, std::io::Error>((out, packed))
    });
    let (mut out, packed) = packed.await.map_err(|_| Code::Internal)?.map_err(|error| {
        tracing::error!(%error, "evidence");
        Code::StorageFailed
    })?;
    std::io::Seek::rewind(&mut out).map_err(|_| Code::StorageFailed)?;
    drop(packed);
    let name = format!("attachment; filename=\"evidence-{}.zip\"", body.sequence);
    let headers = [(header::CONTENT_TYPE, "application/zip".to_owned()), (header::CONTENT_DISPOSITION, name)];
    let mut response = (headers, Body::from_stream(ReaderStream::with_capacity(tokio::fs::File::from_std(out), 256 * 1024))).into_response();
    response.extensions_mut().insert(Asked(caller.id().to_owned()));
    Ok(response)
}

async fn ration(service: &Service, caller: &Caller) -> Result<(), Problem> {
    let (portal, bucket, now) = (caller.id().to_owned(), service.settings().documents, service.now());
    let written = service
        .database()
        .writer()
        .write(move |batch| {
            let subject = format!("documents of {portal}");
            Box::pin(async move { rations::take(batch, &subject, bucket, now).await })
        })
        .await?;
    match written.value {
        None => Ok(()),
        Some(seconds) => {
            let failure = Failure::new(Code::RateLimited).with("seconds", seconds);
            Err(Problem::from(failure).retry_after(u64::try_from(seconds).unwrap_or(1)))
        }
    }
}

/// The verdict and what is kept of it.
fn look(path: &Path, policy: &Policy, demand: &Demand, learned: &Learned, now: i64) -> Result<Judged, Failure> {
    let open = || FileSource::open(path).map_err(|error| Failure::new(Code::ReadFailed).with("detail", error));
    let document::Examined { mut verdict, paths, brought } = document::examine(open()?, policy, &learned.evidence, now);
    verdict = verdict.explained(|failure| learned.explain(failure));
    if let Some(signer) = &demand.signer {
        verdict = verdict.require_signer(signer);
    }
    if demand.seal == Seal::Required {
        verdict = verdict.require_seal();
    }
    if !demand.name.is_empty() {
        verdict = verdict.named(&demand.name);
    }
    if let Some(failure) = verdict.failure()
        && matches!(failure.code, Code::ReadFailed | Code::Internal)
    {
        return Err(failure.clone());
    }
    let taken = sealbridge_relying_party::evidence::of_document(open()?);
    let mut certificates: Vec<Certificate> = Vec::new();
    for certificate in taken.iter().flat_map(|signature| &signature.certificates).chain(&policy.intermediates).chain(&policy.anchors) {
        if !certificates.contains(certificate) {
            certificates.push(certificate.clone());
        }
    }
    let signatures =
        taken.into_iter().map(|signature| Signature { field: signature.field, byte_range: signature.byte_range, cms: Base64::encode_string(&signature.cms) });
    let statuses: Vec<_> = verdict.report().iter().flat_map(|report| &report.signatures).flat_map(|signature| signature.revocation.clone()).collect();
    let material = Material {
        certificates: certificates.iter().map(Certificate::to_pem).collect(),
        revocation: Some(revocation(policy, learned, &statuses)),
        verdict: Some(serde_json::to_value(&verdict).map_err(|_| Failure::new(Code::Internal).with("detail", "verdict"))?),
        text: Language::ALL.iter().map(|language| (language.as_str().to_owned(), verdict.text(*language))).collect::<BTreeMap<_, _>>(),
        signatures: signatures.collect(),
        ..Material::default()
    };
    let told = learned.told(policy.status, &statuses, now);
    Ok(Judged { verdict, material, told, paths, brought })
}

/// A verdict, what is kept of it, and whom there is to ask about.
struct Judged {
    verdict: Verdict,
    material: Material,
    /// What the authorities have said, for the portal.
    told: serde_json::Value,
    paths: Vec<Accepted>,
    /// What the document says about them itself.
    brought: Evidence,
}

struct Recorded {
    answer: serde_json::Value,
    record: audit::Record,
    material: String,
    sequence: i64,
}

async fn recorded(
    service: &Service,
    caller: &Caller,
    received: &Received,
    (verdict, told): (&Verdict, &serde_json::Value),
    material: &Material,
    now: i64,
) -> Result<Recorded, Problem> {
    let signers =
        verdict.report().map(|report| report.signatures.iter().filter_map(|signature| signature.signer.as_ref()).collect::<Vec<_>>()).unwrap_or_default();
    let entry = Entry {
        certificate: signers.last().map(|signer| signer.sha256.clone()).unwrap_or_default(),
        document: received.sha256.clone(),
        outcome: verdict.failure().map_or_else(|| "ok".to_owned(), |failure| failure.code.as_str().to_owned()),
        detail: format!("{} bytes, {} signatures", received.size, signers.len()),
        material: material.to_json(),
        not_after: signers.iter().map(|signer| signer.not_after).max().unwrap_or(0),
        ..caller.entry("document", now)
    };
    let place = service.database().writer().record(entry).await?;
    let answer = json!({
        "accepted": verdict.is_accepted(),
        "sha256": received.sha256,
        "size": received.size,
        "verdict": verdict,
        "text": material.text,
        "revocation": told,
        "audit": receipt(Some(&place)),
    });
    let found = audit::one(service.database(), caller.id(), place.sequence).await?;
    let (record, material) = found.ok_or(Code::Internal)?;
    Ok(Recorded { answer, record, material, sequence: place.sequence })
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
