//! Challenges: one use, for one portal's one session, gone after two minutes.
//!
//! Taking is one statement, `DELETE … RETURNING`, for many bringers at once: of any number of requests that bring the same nonce, to any number of
//! instances, the database gives the row to one. A nonce is spent by whoever brings it first, even from a wrong session:
//! it was seen where it should not be. Another portal's nonce is not touched.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use sealbridge_relying_party::ration::Bucket;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use super::writer::{Batch, Written};
use super::{Database, ROWS_MAX, answers, bindings, padded, placeholders, rations, sha256_hex};
use crate::store::audit::Entry;

/// An expired challenge is kept this long, so that "too late" can be told from "never issued".
const EXPIRED_KEPT_SECONDS: i64 = 60 * 60;
/// A spent nonce is kept this long, so that "used" can be told from "never issued".
const SPENT_KEPT_SECONDS: i64 = 24 * 60 * 60;

/// What the challenge is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// To log in with a bound certificate.
    Login,
    /// To bind a certificate to the account.
    Bind,
    /// Renewal: for the new key.
    RenewNew,
    /// Renewal: for the old key.
    RenewOld,
}

impl Kind {
    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Login => "login",
            Kind::Bind => "bind",
            Kind::RenewNew => "renew-new",
            Kind::RenewOld => "renew-old",
        }
    }
}

/// A challenge that is to be stored.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// 43 characters of base64url.
    pub nonce: String,
    /// The portal.
    pub portal: String,
    /// What the portal calls the session that asked.
    pub session: String,
    /// What for.
    pub kind: Kind,
    /// The relying party's record, as JSON.
    pub record: String,
    /// Unix seconds.
    pub expires_at: i64,
}

/// What became of a nonce that was brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It is the bringer's alone, with the relying party's record; it is gone from the database.
    Fresh(String),
    /// Somebody brought it before.
    Used,
    /// It was issued to another session, and is now spent.
    OtherSession,
    /// It was issued for another operation, and is now spent.
    OtherKind,
    /// Its time was over.
    Expired,
    /// It was never issued here, or more than an hour ago.
    Unknown,
}

/// Rations that a challenge costs: of the portal, and of the session.
#[derive(Debug, Clone, Copy)]
pub struct Rations {
    /// For all sessions of one portal.
    pub portal: Bucket,
    /// For one session.
    pub session: Bucket,
}

/// Stores a challenge, or says how many seconds to wait.
///
/// # Errors
/// The database's.
pub async fn issue(database: &Database, challenge: Challenge, allowed: Rations, now: i64) -> Result<Option<i64>, sqlx::Error> {
    let written = database
        .writer()
        .write(move |batch| {
            let challenge = challenge.clone();
            Box::pin(async move {
                let wait = rations::take(batch, &format!("challenges of {}", challenge.portal), allowed.portal, now).await?;
                let wait = match wait {
                    Some(wait) => Some(wait),
                    None => rations::take(batch, &format!("challenges of {} for {}", challenge.portal, challenge.session), allowed.session, now).await?,
                };
                if wait.is_none() {
                    put(batch, &challenge).await?;
                }
                Ok(wait)
            })
        })
        .await?;
    Ok(written.value)
}

/// Stores a challenge as part of other work.
///
/// # Errors
/// The database's.
pub(crate) async fn put(batch: &mut Batch, challenge: &Challenge) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO challenges (nonce, portal, session, kind, record, expires_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(&challenge.nonce)
        .bind(&challenge.portal)
        .bind(sha256_hex(challenge.session.as_bytes()))
        .bind(challenge.kind.as_str())
        .bind(&challenge.record)
        .bind(challenge.expires_at)
        .execute(batch.connection())
        .await
        .map(|_| ())
}

/// Who brings a nonce, and for what.
#[derive(Debug, Clone)]
pub struct Bringer {
    /// The portal.
    pub portal: String,
    /// What the portal calls the session.
    pub session: String,
    /// What for.
    pub kind: Kind,
    /// The nonce.
    pub nonce: String,
    /// SHA-256 of the statement's certificate: what is stored about it is looked up in the same step.
    pub certificate: String,
    /// The account whose binding is looked up too; a login has none.
    pub account: Option<String>,
    /// Marks under which an old binding may wait.
    pub marks: Vec<String>,
    /// What is recorded where the nonce is not fresh; its outcome is filled in.
    pub entry: Entry,
    /// Unix seconds.
    pub now: i64,
}

/// A nonce that was brought, and what is stored about who brought it.
#[derive(Debug)]
pub struct Brought {
    /// What became of the nonce.
    pub taken: Taken,
    /// The binding of the certificate.
    pub of_certificate: Option<bindings::Bound>,
    /// The binding of the account.
    pub of_account: Option<bindings::Bound>,
    /// An old binding that waits for this certificate.
    pub old: Option<String>,
}

impl Taken {
    /// The refusal's code; none where the nonce is fresh.
    #[must_use]
    pub fn code(&self) -> Option<sealbridge_relying_party::Code> {
        use sealbridge_relying_party::Code;
        match self {
            Taken::Fresh(_) => None,
            Taken::Used => Some(Code::NonceUsed),
            Taken::OtherSession => Some(Code::NonceOtherSession),
            Taken::OtherKind => Some(Code::NonceOtherKind),
            Taken::Expired => Some(Code::NonceExpired),
            Taken::Unknown => Some(Code::NonceUnknown),
        }
    }
}

/// Takes a nonce out of the database, for this portal, session and operation. A refusal is recorded in the same transaction.
///
/// # Errors
/// The database's; whether the nonce is still there is then not known.
pub async fn take(database: &Database, bringer: Bringer) -> Result<Brought, sqlx::Error> {
    database.writer().take(bringer).await
}

/// Takes for any number of bringers, [`ROWS_MAX`] of one portal with each statement, and answers in their order. Of several that bring the same
/// nonce the first has it.
///
/// # Errors
/// The database's, for all of them.
pub(crate) async fn take_all(batch: &mut Batch, bringers: &[&Bringer]) -> Result<Vec<Brought>, sqlx::Error> {
    let mut of_portals: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (number, bringer) in bringers.iter().enumerate() {
        of_portals.entry(&bringer.portal).or_default().push(number);
    }
    let mut answers: BTreeMap<usize, Brought> = BTreeMap::new();
    for (portal, numbers) in of_portals {
        for some in numbers.chunks(ROWS_MAX) {
            let some: Vec<(usize, &Bringer)> = some.iter().filter_map(|number| Some((*number, *bringers.get(*number)?))).collect();
            take_some(batch, portal, &some, &mut answers).await?;
        }
    }
    Ok(answers.into_values().collect())
}

async fn take_some(batch: &mut Batch, portal: &str, some: &[(usize, &Bringer)], answers: &mut BTreeMap<usize, Brought>) -> Result<(), sqlx::Error> {
    let nonces: Vec<&str> = some.iter().map(|(_, bringer)| bringer.nonce.as_str()).collect();
    let query = padded(&nonces).fold(sqlx::query(AssertSqlSafe(TAKE.as_str())).bind(portal), |query, nonce| query.bind(*nonce));
    let mut rows = HashMap::new();
    for row in query.fetch_all(batch.connection()).await? {
        rows.insert(row.try_get::<String, _>("nonce")?, row);
    }
    let spent: Vec<(String, i64)> =
        some.iter().filter(|(_, bringer)| rows.contains_key(&bringer.nonce)).map(|(_, bringer)| (sha256_hex(bringer.nonce.as_bytes()), bringer.now)).collect();
    if !spent.is_empty() {
        let query = padded(&spent).fold(sqlx::query(AssertSqlSafe(SPEND.as_str())), |query, (nonce, now)| query.bind(nonce).bind(*now));
        query.execute(batch.connection()).await?;
    }
    let mut taken = Vec::with_capacity(some.len());
    for (number, bringer) in some {
        let row = rows.remove(&bringer.nonce);
        taken.push((*number, *bringer, what_became(batch, bringer, row).await?));
    }
    let certificates: Vec<&str> = taken.iter().filter(|(_, _, taken)| taken.code().is_none()).map(|(_, bringer, _)| bringer.certificate.as_str()).collect();
    let bound = if certificates.is_empty() { Vec::new() } else { bindings::find_all(batch, portal, &certificates).await? };
    for (number, bringer, taken) in taken {
        if let Some(code) = taken.code() {
            batch.record(Entry { outcome: code.as_str().to_owned(), ..bringer.entry.clone() });
            answers.insert(number, Brought { taken, of_certificate: None, of_account: None, old: None });
            continue;
        }
        let of_certificate = bound.iter().find(|bound| bound.binding.certificate.to_string() == bringer.certificate).cloned();
        let of_account = match &bringer.account {
            Some(account) => bindings::find(batch, portal, bindings::By::Account, account).await?,
            None => None,
        };
        let old = match (&of_certificate, bringer.marks.is_empty()) {
            (None, false) => bindings::old(batch, portal, &bringer.marks).await?,
            _ => None,
        };
        answers.insert(number, Brought { taken, of_certificate, of_account, old });
    }
    Ok(())
}

/// The database gives each row to one statement.
static TAKE: LazyLock<String> = LazyLock::new(|| {
    let nonces = placeholders(1, ROWS_MAX, 2);
    format!("DELETE FROM challenges WHERE portal = $1 AND nonce IN {nonces} RETURNING nonce, session, kind, record, expires_at")
});
static SPEND: LazyLock<String> = LazyLock::new(|| {
    let rows = placeholders(ROWS_MAX, 2, 1);
    format!("INSERT INTO spent_nonces (nonce_sha256, spent_at) VALUES {rows} ON CONFLICT (nonce_sha256) DO NOTHING")
});

/// `row` is the challenge's, where this bringer has got it.
async fn what_became(batch: &mut Batch, bringer: &Bringer, row: Option<AnyRow>) -> Result<Taken, sqlx::Error> {
    let Some(row) = row else {
        let nonce = sha256_hex(bringer.nonce.as_bytes());
        let spent = sqlx::query("SELECT 1 AS found FROM spent_nonces WHERE nonce_sha256 = $1").bind(nonce).fetch_optional(batch.connection()).await?;
        return Ok(if spent.is_some() { Taken::Used } else { Taken::Unknown });
    };
    let (session, kind): (String, String) = (row.try_get("session")?, row.try_get("kind")?);
    Ok(if session != sha256_hex(bringer.session.as_bytes()) {
        Taken::OtherSession
    } else if kind != bringer.kind.as_str() {
        Taken::OtherKind
    } else if bringer.now > row.try_get::<i64, _>("expires_at")? {
        Taken::Expired
    } else {
        Taken::Fresh(row.try_get("record")?)
    })
}

/// Deletes what is over, and of authorities' answers what is more than `answers_max` bytes. Called now and then by every instance; no request waits for it.
///
/// # Errors
/// The database's.
pub async fn sweep(database: &Database, now: i64, answers_max: i64) -> Result<(), sqlx::Error> {
    let written = database
        .writer()
        .write(move |batch| {
            Box::pin(async move {
                sqlx::query("DELETE FROM challenges WHERE expires_at < $1").bind(now.saturating_sub(EXPIRED_KEPT_SECONDS)).execute(batch.connection()).await?;
                sqlx::query("DELETE FROM spent_nonces WHERE spent_at < $1").bind(now.saturating_sub(SPENT_KEPT_SECONDS)).execute(batch.connection()).await?;
                answers::forget(batch, now, answers_max).await?;
                rations::forget(batch, now).await
            })
        })
        .await?;
    let Written { value: (), .. } = written;
    Ok(())
}
