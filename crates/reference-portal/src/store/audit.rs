//! The audit log: who did what, from where, to which document, with which outcome. Rows are only ever added, and each
//! row's hash covers the row before it, so that a change, a gap or a swap shows in [`check`]. Rows cut off the end show
//! as long as a later receipt exists. No PIN, key, password or document content is ever written here.

use sealbridge_relying_party::chain::{self, Walk};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::Database;

/// What is to be recorded.
#[derive(Debug, Clone, Default)]
pub struct Entry<'a> {
    /// The account's number, where it is known.
    pub account: Option<i64>,
    /// The account's name, or what was typed as a name.
    pub actor: &'a str,
    /// What was done: a stable word such as `login-password`.
    pub action: &'a str,
    /// The portal's origin under which it was done.
    pub origin: &'a str,
    /// SHA-256 of the document, hexadecimal, or empty.
    pub document: &'a str,
    /// `ok`, or the code of the refusal.
    pub outcome: &'a str,
    /// Further facts as text, for example the certificate's digest and serial number.
    pub detail: &'a str,
}

/// A row.
#[derive(Debug, Clone)]
pub struct Record {
    /// 1, 2, 3 …
    pub sequence: i64,
    /// Unix seconds, the portal's clock.
    pub at: i64,
    /// See [`Entry`].
    pub actor: String,
    /// See [`Entry`].
    pub action: String,
    /// See [`Entry`].
    pub origin: String,
    /// See [`Entry`].
    pub document: String,
    /// See [`Entry`].
    pub outcome: String,
    /// See [`Entry`].
    pub detail: String,
    account: Option<i64>,
    previous_hash: String,
    /// SHA-256 over this row and the hash before it.
    pub hash: String,
}

/// Where a record stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The row's number.
    pub sequence: i64,
    /// The row's hash.
    pub hash: String,
}

/// What a walk over the chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Rows seen.
    pub rows: i64,
    /// The last row's hash.
    pub head: String,
    /// The first row that does not fit, and why.
    pub broken: Option<Broken>,
}

/// A row that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Its number.
    pub sequence: i64,
    /// Why.
    pub why: Why,
}

/// Why a row does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Its hash is not that of its content.
    Changed,
    /// The row before it is missing or another.
    Gap,
    /// A receipt names this row, but it is not there or has another hash.
    Receipt,
}

impl From<chain::Why> for Why {
    fn from(why: chain::Why) -> Self {
        match why {
            chain::Why::Gap => Why::Gap,
            chain::Why::Changed => Why::Changed,
        }
    }
}

/// Adds a row, inside the caller's transaction.
///
/// # Errors
/// The database's.
pub async fn append(connection: &mut SqliteConnection, entry: &Entry<'_>, now: i64) -> Result<Place, sqlx::Error> {
    let last = sqlx::query("SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1").fetch_optional(&mut *connection).await?;
    let (last, previous_hash) = match &last {
        Some(row) => (row.try_get("sequence")?, row.try_get("hash")?),
        None => (0_i64, chain::BEGINNING.to_owned()),
    };
    let cut = |text: &str| text.chars().take(500).collect::<String>();
    let mut record = Record {
        sequence: last.saturating_add(1),
        at: now,
        account: entry.account,
        actor: cut(entry.actor),
        action: cut(entry.action),
        origin: cut(entry.origin),
        document: cut(entry.document),
        outcome: cut(entry.outcome),
        detail: cut(entry.detail),
        previous_hash,
        hash: String::new(),
    };
    record.hash = chain::link(&record.previous_hash, &digest(&record));
    sqlx::query(
        "INSERT INTO audit (sequence, at, account, actor, action, origin, document, outcome, detail, previous_hash, hash) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(record.sequence)
    .bind(record.at)
    .bind(record.account)
    .bind(&record.actor)
    .bind(&record.action)
    .bind(&record.origin)
    .bind(&record.document)
    .bind(&record.outcome)
    .bind(&record.detail)
    .bind(&record.previous_hash)
    .bind(&record.hash)
    .execute(connection)
    .await?;
    Ok(Place { sequence: record.sequence, hash: record.hash })
}

/// Adds a row by itself.
///
/// # Errors
/// The database's.
pub async fn record(database: &Database, entry: &Entry<'_>, now: i64) -> Result<Place, sqlx::Error> {
    let mut transaction = database.begin().await?;
    let place = append(&mut transaction, entry, now).await?;
    transaction.commit().await?;
    Ok(place)
}

/// The newest rows: of one account, or of all.
///
/// # Errors
/// The database's.
pub async fn newest(database: &Database, account: Option<i64>) -> Result<Vec<Record>, sqlx::Error> {
    let rows =
        sqlx::query("SELECT * FROM audit WHERE ?1 IS NULL OR account = ?1 ORDER BY sequence DESC LIMIT 100").bind(account).fetch_all(database.read()).await?;
    rows.iter().map(read).collect()
}

/// Walks the whole chain and then compares every receipt with it.
///
/// # Errors
/// The database's.
pub async fn check(database: &Database) -> Result<Checked, sqlx::Error> {
    const STEP: i64 = 500;
    let mut walk = Walk::default();
    let mut broken = None;
    'all: loop {
        let rows =
            sqlx::query("SELECT * FROM audit WHERE sequence >= ? ORDER BY sequence LIMIT ?").bind(walk.next()).bind(STEP).fetch_all(database.read()).await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            let record = read(row)?;
            if let Err(why) = walk.step(record.sequence, &record.previous_hash, &digest(&record), &record.hash) {
                broken = Some(Broken { sequence: record.sequence, why: why.into() });
                break 'all;
            }
        }
    }
    let mut found = Checked { rows: walk.rows(), head: walk.head().to_owned(), broken };
    if found.broken.is_some() {
        return Ok(found);
    }
    let lost: Option<i64> = sqlx::query_scalar(
        "SELECT s.audit_sequence FROM submissions s LEFT JOIN audit a ON a.sequence = s.audit_sequence \
         WHERE a.hash IS NULL OR a.hash <> s.audit_hash ORDER BY s.audit_sequence LIMIT 1",
    )
    .fetch_optional(database.read())
    .await?;
    found.broken = lost.map(|sequence| Broken { sequence, why: Why::Receipt });
    Ok(found)
}

/// The digest of a row's content.
fn digest(record: &Record) -> String {
    let numbers = [record.sequence.to_string(), record.at.to_string(), record.account.map_or_else(|| "-".to_owned(), |account| account.to_string())];
    let [sequence, at, account] = &numbers;
    chain::digest(
        "sealbridge-portal-audit-2",
        &[sequence, at, account, &record.actor, &record.action, &record.origin, &record.document, &record.outcome, &record.detail],
    )
}

fn read(row: &SqliteRow) -> Result<Record, sqlx::Error> {
    Ok(Record {
        sequence: row.try_get("sequence")?,
        at: row.try_get("at")?,
        account: row.try_get("account")?,
        actor: row.try_get("actor")?,
        action: row.try_get("action")?,
        origin: row.try_get("origin")?,
        document: row.try_get("document")?,
        outcome: row.try_get("outcome")?,
        detail: row.try_get("detail")?,
        previous_hash: row.try_get("previous_hash")?,
        hash: row.try_get("hash")?,
    })
}
