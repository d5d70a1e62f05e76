//! A bid comes in: the bytes go to a temporary file as they arrive, are hashed on the way, judged, and recorded together
//! with the verdict in one transaction. An accepted bid is kept byte for byte as it came; a refused one is deleted, and
//! its digest and verdict stay. One account sends one document at a time, at a pace that does not keep others waiting.

use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use axum::response::{IntoResponse, Response};
use base64ct::{Base64UrlUnpadded, Encoding};
use sealbridge_intake::{Partial, Turn, receive as receive_file};
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;

use super::csrf;
use crate::authorities::Learned;
use crate::checks::Bid;
use crate::judgement::Judgement;
use crate::refusal::{Reason, Refusal};
use crate::settings::{Portal, random};
use crate::store::accounts::Account;
use crate::store::audit::{self, Entry};
use crate::store::submissions::{self, Submission};
use crate::store::tenders;
use crate::web::visitor::Visitor;

#[derive(Debug, Deserialize)]
pub(in crate::web) struct Target {
    tender: String,
    #[serde(default)]
    name: String,
}

/// Receives a document, judges it, answers with the verdict. Status 200 means "judged"; `accepted` tells the outcome.
pub(in crate::web) async fn receive(
    State(portal): State<Portal>,
    visitor: Visitor,
    Query(target): Query<Target>,
    headers: HeaderMap,
    mut body: Body,
) -> Result<Response, Refusal> {
    let (_, account) = visitor.checked_supplier(&csrf(&headers))?;
    let done = submit(&portal, account, &target, announced(&headers), &mut body).await;
    if done.is_err() {
        portal.uploads().linger(body);
    }
    done
}

async fn submit(portal: &Portal, account: &Account, target: &Target, announced: Option<u64>, body: &mut Body) -> Result<Response, Refusal> {
    let tender = tenders::by_id(portal.database(), &target.tender).await?.ok_or(Reason::NotFound)?;
    if !tender.is_open(portal.now()) {
        return Err(Reason::TenderClosed.into());
    }
    let turn = portal.uploads().turn(account.id)?;
    if submissions::count(portal.database(), account.id, &tender.id).await? >= submissions::PER_TENDER_MAX {
        return Err(Refusal::from(Reason::SubmissionLimit).with("limit", submissions::PER_TENDER_MAX));
    }
    let place = portal.uploads().place().await?;
    let id = Base64UrlUnpadded::encode_string(&random::<16>()?);
    let partial = Partial::new(portal.settings().documents.join(format!("{id}.part")));
    let received = match receive_file(partial.path(), body, announced, portal.settings().document_max, portal.uploads().pace()).await {
        Ok(received) => received,
        Err(refused) => {
            let refusal = Refusal::from(refused);
            // Before anything else: a full disk has no room for the record below either.
            drop(partial);
            let entry = Entry {
                account: Some(account.id),
                actor: &account.name,
                action: "submit",
                origin: portal.settings().origin(),
                outcome: &refusal.code,
                detail: &tender.id,
                ..Entry::default()
            };
            audit::record(portal.database(), &entry, portal.now()).await?;
            return Err(refusal);
        }
    };
    drop(place);

    // A slow upload must not carry a bid past the closing time: what counts is when the last byte is here.
    let now = portal.now();
    if !tender.is_open(now) {
        return Err(Reason::TenderClosed.into());
    }

    // Judging reads the whole file and computes; it must not hold up other requests. Turn and permit go with it, so that a
    // sender who hangs up in the middle can not set off the next one beside it.
    let permit = portal.uploads().judge().await?;
    let name = file_name(&target.name);
    let bid = Bid { name: name.clone(), credit_code: account.credit_code.clone(), published_at: tender.published_at };
    let look_at = |(partial, turn): (Partial, Turn<i64>), learned: Learned, permit: OwnedSemaphorePermit| {
        let (judge, bid) = (portal.clone(), bid.clone());
        async move {
            let judged = tokio::task::spawn_blocking(move || {
                let examined = judge.checks().document(partial.path(), &bid, &learned, now);
                drop(permit);
                (examined, (partial, turn))
            });
            judged.await.map_err(|_| Refusal::from(Reason::Internal))
        }
    };
    let (examined, mut here) = look_at((partial, turn), Learned::default(), permit).await?;
    let mut examined = examined?;
    // Whom to ask is known only now; what they say is judged with the document once more.
    let learned = portal.authorities().learn(std::mem::take(&mut examined.paths), std::mem::take(&mut examined.brought), now).await;
    if !learned.is_silent() {
        let (again, kept) = look_at(here, learned, portal.uploads().judge().await?).await?;
        (examined, here) = (again?, kept);
    }
    let (judgement, (partial, _turn)) = (Judgement::of(&examined.verdict), here);

    let kept = portal.settings().documents.join(format!("{id}.pdf"));
    if judgement.accepted {
        tokio::fs::rename(partial.path(), &kept).await.map_err(storage)?;
    }
    let outcome = judgement.reasons.first().map_or("ok", |reason| reason.code.as_str()).to_owned();
    let detail = format!("{} {id} {} bytes", tender.id, received.size);
    let entry = Entry {
        account: Some(account.id),
        actor: &account.name,
        action: "submit",
        origin: portal.settings().origin(),
        document: &received.sha256,
        outcome: &outcome,
        detail: &detail,
    };
    let recorded = async {
        let mut transaction = portal.database().begin().await?;
        let place = audit::append(&mut transaction, &entry, now).await?;
        let submission = Submission {
            id,
            tender: tender.id.clone(),
            account: account.id,
            file_name: name,
            size: i64::try_from(received.size).unwrap_or(i64::MAX),
            sha256: received.sha256.clone(),
            accepted: judgement.accepted,
            verdict: serde_json::to_string(&judgement).map_err(|_| Reason::Internal)?,
            received_at: now,
            audit_sequence: place.sequence,
            audit_hash: place.hash,
        };
        submissions::add(&mut transaction, &submission).await?;
        transaction.commit().await?;
        Ok::<_, Refusal>(submission)
    };
    let submission = match recorded.await {
        Ok(submission) => submission,
        Err(refusal) => {
            // No receipt was given, so nothing may stay behind.
            let _gone = tokio::fs::remove_file(&kept).await;
            return Err(refusal);
        }
    };
    Ok(Json(serde_json::json!({
        "id": submission.id,
        "accepted": submission.accepted,
        "sha256": submission.sha256,
        "size": submission.size,
        "receivedAt": submission.received_at,
        "audit": { "sequence": submission.audit_sequence, "hash": submission.audit_hash },
        "page": format!("/submissions/{}", submission.id),
        "receipt": format!("/submissions/{}/receipt", submission.id),
        "verdict": judgement,
    }))
    .into_response())
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn storage(error: std::io::Error) -> Refusal {
    tracing::error!(%error, "document");
    Reason::StorageFailed.into()
}

/// The supplier's name for the file, without what could mislead a reader of it.
fn file_name(name: &str) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let turns = |character: char| matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}');
    let clean: String = base.chars().filter(|character| !character.is_control() && !turns(*character)).take(120).collect();
    if clean.trim().is_empty() { "document.pdf".to_owned() } else { clean.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn file_names() {
        for (given, shown) in [
            ("投标函.pdf", "投标函.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\temp\\bid.pdf", "bid.pdf"),
            ("a\u{202E}fdp.exe", "afdp.exe"),
            ("a\r\nb", "ab"),
            ("", "document.pdf"),
            ("  ", "document.pdf"),
        ] {
            assert_eq!(file_name(given), shown);
        }
    }
}
