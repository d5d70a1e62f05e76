//! Sessions of applicants and officers: a random token in the cookie, its SHA-256 in the database. An officer's session is
//! always a new one, ends after 30 idle minutes or 8 hours, and can be ended by its owner from another one. An applicant's
//! session knows which businesses were opened in it, with their access codes.

use base64ct::{Base64UrlUnpadded, Encoding};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::officers::{self, Officer, PasswordChecked};
use super::{Database, sha256_hex};

/// An officer's session without requests ends after this many seconds.
pub const OFFICER_IDLE: i64 = 30 * 60;
/// An officer's session ends after this many seconds in any case.
pub const OFFICER_LONGEST: i64 = 8 * 60 * 60;
/// An applicant's session: forms take time, and what is typed is kept anyway.
pub const APPLICANT_LONGEST: i64 = 24 * 60 * 60;
const APPLICANTS_MAX: i64 = 20_000;

/// A running session.
#[derive(Debug, Clone)]
pub struct Session {
    /// SHA-256 of the token: names the row.
    pub id: String,
    /// The token that every form repeats.
    pub csrf: String,
    /// The officer, where one signed in.
    pub officer: Option<Officer>,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds, at most a minute old.
    pub seen_at: i64,
    /// The browser, as it names itself; shown to the session's owner.
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

/// Opens an applicant's session.
///
/// # Errors
/// The database's.
pub async fn open(database: &Database, agent: &str, random: [u8; 64], now: i64) -> Result<Opened, sqlx::Error> {
    insert(database, None, agent, random, now).await
}

/// Opens an officer's session and ends the one that they came with.
///
/// # Errors
/// The database's.
pub async fn open_officer(
    database: &Database,
    checked: &PasswordChecked,
    before: Option<&Session>,
    agent: &str,
    random: [u8; 64],
    now: i64,
) -> Result<Opened, sqlx::Error> {
    if let Some(before) = before {
        end(database, &before.id).await?;
    }
    insert(database, Some(checked.officer()), agent, random, now).await
}

async fn insert(database: &Database, officer: Option<&Officer>, agent: &str, random: [u8; 64], now: i64) -> Result<Opened, sqlx::Error> {
    let (token, csrf) = random.split_at(32);
    let (token, csrf) = (Base64UrlUnpadded::encode_string(token), Base64UrlUnpadded::encode_string(csrf));
    let agent: String = agent.chars().filter(|character| !character.is_control()).take(200).collect();
    let session = Session { id: sha256_hex(token.as_bytes()), csrf, officer: officer.cloned(), created_at: now, seen_at: now, agent };
    let longest = if officer.is_some() { OFFICER_LONGEST } else { APPLICANT_LONGEST };
    let mut transaction = database.begin().await?;
    sqlx::query("DELETE FROM sessions WHERE ends_at <= ?").bind(now).execute(&mut *transaction).await?;
    sqlx::query(
        "DELETE FROM sessions WHERE token_sha256 IN \
         (SELECT token_sha256 FROM sessions WHERE officer IS NULL ORDER BY seen_at DESC, token_sha256 LIMIT -1 OFFSET ?)",
    )
    .bind(APPLICANTS_MAX)
    .execute(&mut *transaction)
    .await?;
    sqlx::query("INSERT INTO sessions (token_sha256, officer, csrf, agent, created_at, seen_at, ends_at) VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(&session.id)
        .bind(officer.map(|officer| officer.id))
        .bind(&session.csrf)
        .bind(&session.agent)
        .bind(now)
        .bind(now)
        .bind(now.saturating_add(longest))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
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
        "SELECT token_sha256, officer, csrf, agent, created_at, seen_at FROM sessions \
         WHERE token_sha256 = ? AND ends_at > ? AND (officer IS NULL OR seen_at > ?)",
    )
    .bind(&id)
    .bind(now)
    .bind(now.saturating_sub(OFFICER_IDLE))
    .fetch_optional(database.read())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let mut session = read(&row)?;
    if let Some(officer) = row.try_get::<Option<i64>, _>("officer")? {
        // An officer who was disabled has no session any more, whatever the row says.
        match officers::by_id(database, officer).await? {
            Some(officer) => session.officer = Some(officer),
            None => return Ok(None),
        }
    }
    if now.saturating_sub(session.seen_at) >= 60 {
        sqlx::query("UPDATE sessions SET seen_at = ? WHERE token_sha256 = ?").bind(now).bind(&id).execute(database.write()).await?;
    }
    Ok(Some(session))
}

/// The running sessions of an officer, newest first.
///
/// # Errors
/// The database's.
pub async fn of_officer(database: &Database, officer: i64, now: i64) -> Result<Vec<Session>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT token_sha256, officer, csrf, agent, created_at, seen_at FROM sessions \
         WHERE officer = ? AND ends_at > ? AND seen_at > ? ORDER BY seen_at DESC, created_at DESC LIMIT 50",
    )
    .bind(officer)
    .bind(now)
    .bind(now.saturating_sub(OFFICER_IDLE))
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

/// Ends every session of the officer but one.
///
/// # Errors
/// The database's.
pub async fn end_others(database: &Database, officer: i64, keep: &str) -> Result<u64, sqlx::Error> {
    let done = sqlx::query("DELETE FROM sessions WHERE officer = ? AND token_sha256 <> ?").bind(officer).bind(keep).execute(database.write()).await?;
    Ok(done.rows_affected())
}

fn read(row: &SqliteRow) -> Result<Session, sqlx::Error> {
    Ok(Session {
        id: row.try_get("token_sha256")?,
        csrf: row.try_get("csrf")?,
        officer: None,
        created_at: row.try_get("created_at")?,
        seen_at: row.try_get("seen_at")?,
        agent: row.try_get("agent")?,
    })
}
