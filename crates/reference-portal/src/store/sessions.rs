//! Sessions: a random token in the visitor's cookie, its SHA-256 in the database.
//!
//! Signing in always makes a new token, so that a token planted before the login is worth nothing after it. A signed-in
//! session can only be opened with a proof: a checked password, or a verified login statement. Sessions end after
//! 30 idle minutes or 8 hours, whichever is first, and can be ended one by one.

use base64ct::{Base64UrlUnpadded, Encoding};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::accounts::{self, Account, PasswordChecked};
use super::{Database, sha256_hex};
use crate::checks::CertificateLogin;

/// A session without requests ends after this many seconds.
pub const IDLE_SECONDS: i64 = 30 * 60;
/// A session ends after this many seconds in any case.
pub const LONGEST_SECONDS: i64 = 8 * 60 * 60;
/// So many visitors who have not signed in are remembered; the oldest go first.
const ANONYMOUS_MAX: i64 = 20_000;
/// So many sessions of one account are kept; the oldest go first.
const PER_ACCOUNT_MAX: i64 = 20;

/// How the visitor showed who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Not yet.
    Anonymous,
    /// Account and password.
    Password,
    /// A bound certificate.
    Certificate,
}

impl Method {
    fn as_str(self) -> &'static str {
        match self {
            Method::Anonymous => "anonymous",
            Method::Password => "password",
            Method::Certificate => "certificate",
        }
    }
}

/// What opens a signed-in session.
#[derive(Debug)]
pub enum Proof<'a> {
    /// A checked password.
    Password(&'a PasswordChecked),
    /// A verified login statement whose certificate is bound to the account.
    Certificate(&'a CertificateLogin),
}

/// A running session.
#[derive(Debug, Clone)]
pub struct Session {
    /// SHA-256 of the token: names the row.
    pub id: String,
    /// The token that every form and call repeats (a page of another site can not read it).
    pub csrf: String,
    /// How the visitor signed in.
    pub method: Method,
    /// Who it is, once signed in.
    pub account: Option<Account>,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds, at most a minute old.
    pub seen_at: i64,
    /// The browser, as it names itself; shown to the account's owner.
    pub agent: String,
}

/// A new session and its token, which is not stored anywhere.
#[derive(Debug)]
pub struct Opened {
    /// For the cookie.
    pub token: String,
    /// The session.
    pub session: Session,
}

/// Opens a session for a visitor who has not signed in.
///
/// # Errors
/// The database's.
pub async fn open_anonymous(database: &Database, agent: &str, random: [u8; 64], now: i64) -> Result<Opened, sqlx::Error> {
    let mut transaction = database.begin().await?;
    let opened = open(&mut transaction, None, Method::Anonymous, agent, random, now).await?;
    transaction.commit().await?;
    Ok(opened)
}

/// Opens a signed-in session and ends the one the visitor came with, inside the caller's transaction.
///
/// # Errors
/// The database's.
pub async fn open_signed_in(connection: &mut SqliteConnection, proof: &Proof<'_>, before: &Session, random: [u8; 64], now: i64) -> Result<Opened, sqlx::Error> {
    let (account, method) = match proof {
        Proof::Password(checked) => (checked.account(), Method::Password),
        Proof::Certificate(login) => (login.account(), Method::Certificate),
    };
    sqlx::query("DELETE FROM sessions WHERE token_sha256 = ?").bind(&before.id).execute(&mut *connection).await?;
    open(connection, Some(account), method, &before.agent, random, now).await
}

async fn open(
    connection: &mut SqliteConnection,
    account: Option<&Account>,
    method: Method,
    agent: &str,
    random: [u8; 64],
    now: i64,
) -> Result<Opened, sqlx::Error> {
    let (token, csrf) = random.split_at(32);
    let (token, csrf) = (Base64UrlUnpadded::encode_string(token), Base64UrlUnpadded::encode_string(csrf));
    let agent: String = agent.chars().filter(|character| !character.is_control()).take(200).collect();
    let session = Session { id: sha256_hex(token.as_bytes()), csrf, method, account: account.cloned(), created_at: now, seen_at: now, agent };
    sqlx::query("DELETE FROM sessions WHERE ends_at <= ? OR seen_at <= ?").bind(now).bind(now.saturating_sub(IDLE_SECONDS)).execute(&mut *connection).await?;
    let (keep, owner) = match account {
        None => (ANONYMOUS_MAX, None),
        Some(account) => (PER_ACCOUNT_MAX, Some(account.id)),
    };
    sqlx::query(
        "DELETE FROM sessions WHERE token_sha256 IN \
         (SELECT token_sha256 FROM sessions WHERE account IS ? ORDER BY seen_at DESC, token_sha256 LIMIT -1 OFFSET ?)",
    )
    .bind(owner)
    .bind(keep.saturating_sub(1))
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO sessions (token_sha256, account, method, csrf, agent, created_at, seen_at, ends_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&session.id)
    .bind(owner)
    .bind(method.as_str())
    .bind(&session.csrf)
    .bind(&session.agent)
    .bind(now)
    .bind(now)
    .bind(now.saturating_add(LONGEST_SECONDS))
    .execute(&mut *connection)
    .await?;
    Ok(Opened { token, session })
}

/// Finds the running session of a cookie's token and notes that it was seen.
///
/// # Errors
/// The database's.
pub async fn find(database: &Database, token: &str, now: i64) -> Result<Option<Session>, sqlx::Error> {
    if token.len() > 64 {
        return Ok(None);
    }
    let id = sha256_hex(token.as_bytes());
    let row = sqlx::query(
        "SELECT token_sha256, account, method, csrf, agent, created_at, seen_at FROM sessions \
         WHERE token_sha256 = ? AND ends_at > ? AND seen_at > ?",
    )
    .bind(&id)
    .bind(now)
    .bind(now.saturating_sub(IDLE_SECONDS))
    .fetch_optional(database.read())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let owner: Option<i64> = row.try_get("account")?;
    let mut session = read(&row)?;
    if let Some(owner) = owner {
        session.account = accounts::by_id(database, owner).await?;
    }
    // Once a minute is enough, and spares a write for each request.
    if now.saturating_sub(session.seen_at) >= 60 {
        sqlx::query("UPDATE sessions SET seen_at = ? WHERE token_sha256 = ?").bind(now).bind(&id).execute(database.write()).await?;
    }
    Ok(Some(session))
}

/// The running sessions of an account, newest first.
///
/// # Errors
/// The database's.
pub async fn of_account(database: &Database, account: i64, now: i64) -> Result<Vec<Session>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT token_sha256, account, method, csrf, agent, created_at, seen_at FROM sessions \
         WHERE account = ? AND ends_at > ? AND seen_at > ? ORDER BY seen_at DESC, created_at DESC LIMIT 50",
    )
    .bind(account)
    .bind(now)
    .bind(now.saturating_sub(IDLE_SECONDS))
    .fetch_all(database.read())
    .await?;
    rows.iter().map(read).collect()
}

/// Ends one session.
///
/// # Errors
/// The database's.
pub async fn end(database: &Database, id: &str) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM sessions WHERE token_sha256 = ?").bind(id).execute(database.write()).await?;
    Ok(())
}

/// Ends every session of the account but one; returns how many.
///
/// # Errors
/// The database's.
pub async fn end_others(database: &Database, account: i64, keep: &str) -> Result<u64, sqlx::Error> {
    let done = sqlx::query("DELETE FROM sessions WHERE account = ? AND token_sha256 <> ?").bind(account).bind(keep).execute(database.write()).await?;
    Ok(done.rows_affected())
}

fn read(row: &SqliteRow) -> Result<Session, sqlx::Error> {
    let method: String = row.try_get("method")?;
    Ok(Session {
        id: row.try_get("token_sha256")?,
        csrf: row.try_get("csrf")?,
        method: match method.as_str() {
            "password" => Method::Password,
            "certificate" => Method::Certificate,
            _ => Method::Anonymous,
        },
        account: None,
        created_at: row.try_get("created_at")?,
        seen_at: row.try_get("seen_at")?,
        agent: row.try_get("agent")?,
    })
}
