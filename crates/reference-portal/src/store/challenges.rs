//! Challenges: 32 random bytes, one use, bound to the session that asked, gone after two minutes.
//!
//! Taking is one statement, `DELETE … RETURNING`: of any number of requests that bring the same nonce, the database
//! gives the row to one. A nonce is spent by whoever brings it first, even from a wrong session: it was seen where it
//! should not be.

use sqlx::Row;

use super::{Database, sha256_hex};

/// So many open challenges a session may have; the oldest go first.
const PER_SESSION_MAX: i64 = 5;
/// An expired challenge is kept this long, so that "too late" can be told from "never issued".
const EXPIRED_KEPT_SECONDS: i64 = 60 * 60;
/// A spent nonce is kept this long, so that "used" can be told from "never issued".
const SPENT_KEPT_SECONDS: i64 = 24 * 60 * 60;

/// What the challenge is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// To bind a certificate to the signed-in account.
    Bind,
    /// To sign in with a bound certificate.
    Login,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Kind::Bind => "bind",
            Kind::Login => "login",
        }
    }
}

/// A challenge that was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// 43 characters of base64url.
    pub nonce: String,
    /// The session that asked.
    pub session: String,
    /// What for.
    pub kind: Kind,
    /// The account to bind; login has none, the certificate decides.
    pub account: Option<i64>,
    /// Unix seconds.
    pub issued_at: i64,
    /// Unix seconds.
    pub expires_at: i64,
}

/// What became of a nonce that was brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It is the bringer's alone; it is gone from the database.
    Fresh(Challenge),
    /// Somebody brought it before.
    Used,
    /// It was issued to another session, and is now spent.
    OtherSession,
    /// It was issued for the other kind of statement, and is now spent.
    OtherKind,
    /// Its time was over.
    Expired,
    /// It was never issued here, or more than an hour ago.
    Unknown,
}

/// Stores a challenge.
///
/// # Errors
/// The database's.
pub async fn issue(database: &Database, challenge: &Challenge) -> Result<(), sqlx::Error> {
    let now = challenge.issued_at;
    let mut transaction = database.begin().await?;
    sqlx::query("DELETE FROM challenges WHERE expires_at < ?").bind(now.saturating_sub(EXPIRED_KEPT_SECONDS)).execute(&mut *transaction).await?;
    sqlx::query("DELETE FROM spent_nonces WHERE spent_at < ?").bind(now.saturating_sub(SPENT_KEPT_SECONDS)).execute(&mut *transaction).await?;
    sqlx::query(
        "DELETE FROM challenges WHERE nonce IN \
         (SELECT nonce FROM challenges WHERE session = ? ORDER BY issued_at DESC, nonce LIMIT -1 OFFSET ?)",
    )
    .bind(&challenge.session)
    .bind(PER_SESSION_MAX.saturating_sub(1))
    .execute(&mut *transaction)
    .await?;
    sqlx::query("INSERT INTO challenges (nonce, session, kind, account, issued_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(&challenge.nonce)
        .bind(&challenge.session)
        .bind(challenge.kind.as_str())
        .bind(challenge.account)
        .bind(challenge.issued_at)
        .bind(challenge.expires_at)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}

/// Takes a nonce out of the database, for this session and this kind.
///
/// # Errors
/// The database's; the nonce is then still there.
pub async fn take(database: &Database, nonce: &str, session: &str, kind: Kind, now: i64) -> Result<Taken, sqlx::Error> {
    let mut transaction = database.begin().await?;
    let row = sqlx::query("DELETE FROM challenges WHERE nonce = ? RETURNING session, kind, account, issued_at, expires_at")
        .bind(nonce)
        .fetch_optional(&mut *transaction)
        .await?;
    let Some(row) = row else {
        let spent =
            sqlx::query("SELECT 1 FROM spent_nonces WHERE nonce_sha256 = ?").bind(sha256_hex(nonce.as_bytes())).fetch_optional(&mut *transaction).await?;
        return Ok(if spent.is_some() { Taken::Used } else { Taken::Unknown });
    };
    sqlx::query("INSERT OR IGNORE INTO spent_nonces (nonce_sha256, spent_at) VALUES (?, ?)")
        .bind(sha256_hex(nonce.as_bytes()))
        .bind(now)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    let issued_for: String = row.try_get("kind")?;
    let challenge = Challenge {
        nonce: nonce.to_owned(),
        session: row.try_get("session")?,
        kind,
        account: row.try_get("account")?,
        issued_at: row.try_get("issued_at")?,
        expires_at: row.try_get("expires_at")?,
    };
    Ok(if challenge.session != session {
        Taken::OtherSession
    } else if issued_for != kind.as_str() {
        Taken::OtherKind
    } else if now > challenge.expires_at {
        Taken::Expired
    } else {
        Taken::Fresh(challenge)
    })
}
