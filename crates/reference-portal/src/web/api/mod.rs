//! What the page's script calls. JSON in, JSON out; a refusal is `{code, party, facts, what, remedy, words}` with a
//! fitting status. Every call carries the session's token in `X-CSRF-Token`.

pub(super) mod documents;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use sealbridge_relying_party::{Certificate, Evidence};
use serde::{Deserialize, Serialize};

use super::visitor::{Counted, Visitor, set_session};
use crate::refusal::{Reason, Refusal};
use crate::settings::{Portal, random};
use crate::store::accounts::{self, Account};
use crate::store::audit::{self, Entry, Why};
use crate::store::bindings::{self, Binding, Standing};
use crate::store::challenges::{self, Challenge, Kind, Taken};
use crate::store::sessions::{self, Proof};
use crate::store::throttle::{self, Attempt};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChallengeRequest {
    kind: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ChallengeAnswer {
    nonce: String,
    /// Only for bind: what goes into the statement's `sub`.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    expires_at: i64,
    seconds: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenRequest {
    token: String,
}

/// Issues a challenge to this session.
pub(super) async fn challenge(State(portal): State<Portal>, visitor: Visitor, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    let session = visitor.checked(&csrf(&headers))?;
    let request: ChallengeRequest = parse(&body)?;
    let (kind, account) = match request.kind.as_str() {
        "login" => (Kind::Login, None),
        "bind" => (Kind::Bind, Some(visitor.supplier()?.1)),
        _ => return Err(Reason::Malformed.into()),
    };
    if let Some(account) = account
        && bindings::of_account(portal.database(), account.id).await?.is_some()
    {
        return Err(crate::checks::account_already_bound().into());
    }
    let now = portal.now();
    // A challenge is cheap, but every one is a row.
    ration(&portal, &visitor, "challenge").await?;
    let (nonce, expires_at) = match account {
        None => portal.checks().start_login(now, random()?)?,
        Some(account) => portal.checks().start_bind(account, now, random()?)?,
    };
    let challenge = Challenge { nonce, session: session.id.clone(), kind, account: account.map(|account| account.id), issued_at: now, expires_at };
    challenges::issue(portal.database(), &challenge).await?;
    let answer =
        ChallengeAnswer { nonce: challenge.nonce, account: account.map(|account| account.name.clone()), expires_at, seconds: expires_at.saturating_sub(now) };
    Ok(Json(answer).into_response())
}

/// Binds the certificate to the signed-in account.
pub(super) async fn bind(State(portal): State<Portal>, visitor: Visitor, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    let (session, account) = visitor.checked_supplier(&csrf(&headers))?;
    let request: TokenRequest = parse(&body)?;
    let entry = Entry { account: Some(account.id), actor: &account.name, action: "bind", origin: portal.settings().origin(), ..Entry::default() };
    let now = portal.now();
    let proven = async {
        let statement = portal.checks().read_bind(&request.token)?;
        let certificate = statement.certificate_sha256.clone();
        let challenge = take(&portal, &statement.nonce, &session.id, Kind::Bind).await?;
        Ok::<_, Refusal>((portal.checks().prove_bind(challenge, statement, account, now)?, certificate))
    };
    let (signed, certificate) = match proven.await {
        Ok(proven) => proven,
        Err(refusal) => return Err(record_refusal(&portal, &entry, refusal).await),
    };
    let detail = signed.detail();
    let learned = portal.authorities().learn(signed.paths(now), Evidence::default(), now).await;
    let of_account = bindings::of_account(portal.database(), account.id).await?;
    let of_certificate = bindings::of_certificate(portal.database(), &certificate).await?;
    let checked = match portal.checks().bind(signed, (of_account.as_ref(), of_certificate.as_ref()), &learned, now) {
        Ok(checked) => checked,
        Err(failure) => return Err(record_refusal(&portal, &Entry { detail: &detail, ..entry }, failure.into()).await),
    };
    let detail = checked.detail();
    let mut transaction = portal.database().begin().await?;
    let refusal: Refusal = match bindings::add(&mut transaction, &checked).await? {
        bindings::Stored::Done => {
            audit::append(&mut transaction, &Entry { outcome: "ok", detail: &detail, ..entry }, now).await?;
            transaction.commit().await?;
            return Ok(Json(serde_json::json!({ "bound": true, "page": "/ca" })).into_response());
        }
        bindings::Stored::AccountBound => crate::checks::account_already_bound().into(),
        bindings::Stored::CertificateBound => crate::checks::certificate_already_bound().into(),
    };
    transaction.rollback().await?;
    Err(record_refusal(&portal, &Entry { detail: &detail, ..entry }, refusal).await)
}

/// Signs in with a bound certificate.
pub(super) async fn login(State(portal): State<Portal>, visitor: Visitor, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    let session = visitor.checked(&csrf(&headers))?;
    let request: TokenRequest = parse(&body)?;
    let now = portal.now();
    let origin = portal.settings().origin();
    let entry = Entry { actor: "-", action: "login-certificate", origin, ..Entry::default() };
    let proven = async {
        let statement = portal.checks().read_login(&request.token)?;
        let challenge = take(&portal, &statement.nonce, &session.id, Kind::Login).await?;
        Ok::<_, Refusal>(portal.checks().prove_login(challenge, statement, now)?)
    };
    let signed = match proven.await {
        Ok(signed) => signed,
        Err(refusal) => return Err(record_refusal(&portal, &entry, refusal).await),
    };
    let detail = signed.detail();
    let held = held(&portal, signed.certificate()).await?;
    let paths = portal.checks().paths(&signed, held.as_ref(), now)?;
    // Whether the binding still stands is looked at again below.
    let learned = portal.authorities().learn(paths, Evidence::default(), now).await;
    let owner = held.as_ref().map(|(_, account)| account.clone());
    let login = match portal.checks().login(signed, held, &learned, now) {
        Ok(login) => login,
        Err(failure) => {
            // Somebody has signed with this account's key: its owner sees what became of it.
            let (account, actor) = owner.as_ref().map_or((None, entry.actor), |owner| (Some(owner.id), owner.name.as_str()));
            return Err(record_refusal(&portal, &Entry { account, actor, detail: &detail, ..entry }, failure.into()).await);
        }
    };
    let account = login.account();
    let detail = login.detail();
    let entry = Entry { account: Some(account.id), actor: &account.name, outcome: "ok", detail: &detail, ..entry };
    let mut transaction = portal.database().begin().await?;
    match bindings::stand(&mut transaction, &login).await? {
        Standing::Holds => {}
        Standing::CarriedOver => {
            let detail = login.carried_detail().unwrap_or_default();
            audit::append(&mut transaction, &Entry { action: "renew", detail: &detail, ..entry.clone() }, now).await?;
        }
        Standing::Gone => {
            transaction.rollback().await?;
            return Err(record_refusal(&portal, &entry, crate::checks::not_bound().into()).await);
        }
    }
    let opened = sessions::open_signed_in(&mut transaction, &Proof::Certificate(&login), session, random()?, now).await?;
    audit::append(&mut transaction, &entry, now).await?;
    transaction.commit().await?;
    let mut response = Json(serde_json::json!({ "account": account.name, "organisation": account.organisation })).into_response();
    set_session(&portal, &mut response, &opened.token);
    Ok(response)
}

/// The binding of the certificate or of its key, and its account.
async fn held(portal: &Portal, certificate: &Certificate) -> Result<Option<(Binding, Account)>, Refusal> {
    let Some(binding) = bindings::of_certificate_or_key(portal.database(), certificate).await? else { return Ok(None) };
    let account = accounts::by_id(portal.database(), binding.account).await?;
    Ok(account.map(|account| (binding, account)))
}

/// Walks the whole chain. Every signed-in account may ask: the answer tells numbers and no content.
pub(super) async fn audit_check(State(portal): State<Portal>, visitor: Visitor) -> Result<Response, Refusal> {
    visitor.supplier()?;
    // It reads the whole table.
    ration(&portal, &visitor, "audit").await?;
    let found = audit::check(portal.database()).await?;
    let (zh, en) = match &found.broken {
        None => (
            format!("校验通过：{} 条记录首尾相连，与所有回执一致。", found.rows),
            format!("The chain holds: {} records, in agreement with every receipt.", found.rows),
        ),
        Some(broken) => {
            let (zh, en) = match broken.why {
                Why::Changed => ("内容被改动", "its content was changed"),
                Why::Gap => ("与前一条不相连", "it does not follow the one before"),
                Why::Receipt => ("与已发出的回执不一致", "it does not agree with a receipt that was given"),
            };
            (format!("校验未通过：第 {} 条记录{zh}。", broken.sequence), format!("The chain is broken at record {}: {en}.", broken.sequence))
        }
    };
    let answer = serde_json::json!({
        "ok": found.broken.is_none(),
        "rows": found.rows,
        "head": found.head,
        "broken": found.broken.map(|broken| broken.sequence),
        "words": { "zh-CN": zh, "en": en },
    });
    Ok(Json(answer).into_response())
}

/// Takes one out of the visitor's bucket for this kind of call.
async fn ration(portal: &Portal, visitor: &Visitor, what: &str) -> Result<(), Refusal> {
    let limits = &portal.settings().limits;
    let (subject, bucket) = match visitor.counted_as() {
        Counted::Session(id) => (format!("{what}:session:{id}"), limits.session_challenges),
        Counted::Address(address) => (format!("{what}:address:{address}"), limits.address_challenges),
    };
    match throttle::take(portal.database(), &subject, bucket, portal.now()).await? {
        Attempt::Allowed { .. } => Ok(()),
        Attempt::Wait { seconds } => Err(Refusal::from(Reason::Busy).with("seconds", seconds).retry_after(u64::try_from(seconds).unwrap_or(1))),
    }
}

/// The one check that only one request can pass.
async fn take(portal: &Portal, nonce: &str, session: &str, kind: Kind) -> Result<Challenge, Refusal> {
    let taken = challenges::take(portal.database(), nonce, session, kind, portal.now()).await?;
    Err(match taken {
        Taken::Fresh(challenge) => return Ok(challenge),
        Taken::Used => Reason::NonceUsed.into(),
        Taken::OtherSession => Reason::NonceOtherSession.into(),
        Taken::OtherKind => Reason::NonceOtherKind.into(),
        Taken::Expired => crate::checks::nonce_expired(portal.checks().challenge_seconds()).into(),
        Taken::Unknown => crate::checks::nonce_unknown().into(),
    })
}

/// A refusal is worth a row too: it may be somebody's attempt. Those that cost nothing to repeat are not recorded.
async fn record_refusal(portal: &Portal, entry: &Entry<'_>, refusal: Refusal) -> Refusal {
    let free = [Reason::NonceUsed.code(), "nonce-unknown", "token-malformed", "token-too-large", "token-type"];
    if free.contains(&refusal.code.as_str()) || refusal.status.is_server_error() {
        return refusal;
    }
    let entry = Entry { outcome: &refusal.code, ..entry.clone() };
    match audit::record(portal.database(), &entry, portal.now()).await {
        Ok(_) => refusal,
        Err(error) => error.into(),
    }
}

pub(super) fn csrf(headers: &HeaderMap) -> String {
    headers.get("x-csrf-token").and_then(|token| token.to_str().ok()).unwrap_or_default().to_owned()
}

fn parse<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|_| Reason::Malformed.into())
}
