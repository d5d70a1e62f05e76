//! The audit log: who did what with which certificate and document, with which outcome, and what it was proven with.
//! Rows are only ever added; each one's hash covers the row before it (see the relying party's `chain`). A row is kept
//! at least five years after the end of the certificate that it is about; the database itself refuses to delete it
//! earlier. No PIN, key, password or document content is ever written here.

mod offline;

pub use offline::check_lines;

use std::sync::LazyLock;

use sealbridge_relying_party::chain::{self, Walk, Why};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::{Backend, Database, ROWS_MAX, placeholders, sha256_hex};

/// Apart from every other kind of record.
const DOMAIN: &str = "sealbridge-verify-audit-1";
/// Five years with every leap day that can be in them.
pub const KEPT_SECONDS: i64 = (5 * 365 + 2) * 86_400;
/// So many rows are read or written in one step.
const STEP: i64 = 500;

/// What is to be recorded.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// Unix seconds.
    pub at: i64,
    /// The portal; empty for what the operator does.
    pub portal: String,
    /// What was done: a stable word such as `login`.
    pub action: String,
    /// The account, where it is known.
    pub account: String,
    /// SHA-256 of the certificate, hexadecimal, or empty.
    pub certificate: String,
    /// SHA-256 of the document, hexadecimal, or empty.
    pub document: String,
    /// `ok`, or the code of the refusal.
    pub outcome: String,
    /// Further facts, as text.
    pub detail: String,
    /// What it was proven with, as JSON, or empty. Only its digest is in the chain.
    pub material: String,
    /// The end of the certificate's validity, unix seconds; 0 where there is none.
    pub not_after: i64,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Record {
    /// 1, 2, 3 …
    pub sequence: i64,
    /// Unix seconds, the service's clock.
    pub at: i64,
    /// See [`Entry`].
    pub portal: String,
    /// See [`Entry`].
    pub action: String,
    /// See [`Entry`].
    pub account: String,
    /// See [`Entry`].
    pub certificate: String,
    /// See [`Entry`].
    pub document: String,
    /// See [`Entry`].
    pub outcome: String,
    /// See [`Entry`].
    pub detail: String,
    /// SHA-256 of the material.
    pub material_sha256: String,
    /// Until when the row is kept, unix seconds.
    pub keep_until: i64,
    /// The hash of the row before.
    pub previous_hash: String,
    /// The digest of this row's content.
    pub digest: String,
    /// This row's link.
    pub hash: String,
}

/// A row of which only the digest is shown: enough to follow the chain over it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Link {
    /// 1, 2, 3 …
    pub sequence: i64,
    /// The digest of the row's content.
    pub digest: String,
    /// The row's link.
    pub hash: String,
}

/// Where a row stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The row's number.
    pub sequence: i64,
    /// The row's link.
    pub hash: String,
}

/// What a walk over a chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Rows seen.
    pub rows: i64,
    /// Of these, rows whose whole content was there.
    pub whole: i64,
    /// The first row's number.
    pub first: i64,
    /// The last row's link.
    pub head: String,
    /// The first row that does not fit, and why.
    pub broken: Option<(i64, Why)>,
}

impl Record {
    fn content_digest(&self) -> String {
        let numbers = [self.sequence, self.at, self.keep_until].map(|number| number.to_string());
        let [sequence, at, keep_until] = &numbers;
        chain::digest(
            DOMAIN,
            &[
                sequence,
                at,
                &self.portal,
                &self.action,
                &self.account,
                &self.certificate,
                &self.document,
                &self.outcome,
                &self.detail,
                &self.material_sha256,
                keep_until,
            ],
        )
    }

    /// Takes the next step of a walk.
    fn step(&self, walk: &mut Walk) -> Result<(), Why> {
        if self.content_digest() != self.digest {
            return Err(if self.sequence == walk.next() { Why::Changed } else { Why::Gap });
        }
        walk.step(self.sequence, &self.previous_hash, &self.digest, &self.hash)
    }
}

/// The end of the chain.
#[derive(Debug)]
pub(crate) struct End {
    sequence: i64,
    hash: String,
}

/// Holds the end of the chain until the transaction is over.
pub(crate) async fn lock(connection: &mut AnyConnection, backend: Backend) -> Result<End, sqlx::Error> {
    let statement = match backend {
        // The transaction has the whole file for itself already.
        Backend::Sqlite => "SELECT sequence, hash FROM audit_ends WHERE id = 1",
        Backend::Postgres => "SELECT sequence, hash FROM audit_ends WHERE id = 1 FOR UPDATE",
    };
    let row = sqlx::query(statement).fetch_one(connection).await?;
    Ok(End { sequence: row.try_get("sequence")?, hash: row.try_get("hash")? })
}

/// Columns of a row.
const COLUMNS: usize = 14;

/// One text for each number of rows that is written at once, so that the database prepares it once.
static INSERTS: LazyLock<[(usize, String); 3]> = LazyLock::new(|| [ROWS_MAX, 4, 1].map(|rows| (rows, insert(rows))));

fn insert(rows: usize) -> String {
    format!(
        "INSERT INTO audit (sequence, at, portal, action, account, certificate, document, outcome, detail, material, keep_until, previous_hash, digest, hash) \
         VALUES {}",
        placeholders(rows, COLUMNS, 1)
    )
}

/// Adds rows, inside the transaction that holds the end.
pub(crate) async fn append(connection: &mut AnyConnection, end: End, entries: Vec<Entry>) -> Result<Vec<Place>, sqlx::Error> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let End { mut sequence, mut hash } = end;
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        sequence = sequence.saturating_add(1);
        let cut = |text: &str| text.chars().take(500).collect::<String>();
        let mut record = Record {
            sequence,
            at: entry.at,
            portal: cut(&entry.portal),
            action: cut(&entry.action),
            account: cut(&entry.account),
            certificate: cut(&entry.certificate),
            document: cut(&entry.document),
            outcome: cut(&entry.outcome),
            detail: cut(&entry.detail),
            material_sha256: sha256_hex(entry.material.as_bytes()),
            keep_until: entry.at.max(entry.not_after).saturating_add(KEPT_SECONDS),
            previous_hash: hash,
            digest: String::new(),
            hash: String::new(),
        };
        record.digest = record.content_digest();
        record.hash = chain::link(&record.previous_hash, &record.digest);
        hash = record.hash.clone();
        rows.push((record, entry.material));
    }
    let mut left = rows.as_slice();
    for (count, statement) in &*INSERTS {
        while let Some((some, rest)) = left.split_at_checked(*count) {
            // Made of numbers only.
            let query = some.iter().fold(sqlx::query(AssertSqlSafe(statement.as_str())), bound);
            query.execute(&mut *connection).await?;
            left = rest;
        }
    }
    sqlx::query("UPDATE audit_ends SET sequence = $1, hash = $2 WHERE id = 1").bind(sequence).bind(&hash).execute(connection).await?;
    Ok(rows.into_iter().map(|(record, _)| Place { sequence: record.sequence, hash: record.hash }).collect())
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

fn bound<'q>(query: Query<'q>, (record, material): &'q (Record, String)) -> Query<'q> {
    query
        .bind(record.sequence)
        .bind(record.at)
        .bind(record.portal.clone())
        .bind(record.action.clone())
        .bind(record.account.clone())
        .bind(record.certificate.clone())
        .bind(record.document.clone())
        .bind(record.outcome.clone())
        .bind(record.detail.clone())
        .bind(material.clone())
        .bind(record.keep_until)
        .bind(record.previous_hash.clone())
        .bind(record.digest.clone())
        .bind(record.hash.clone())
}

/// Rows from `from` on, at most 500, with their material.
///
/// # Errors
/// The database's.
pub async fn rows(database: &Database, from: i64) -> Result<Vec<(Record, String)>, sqlx::Error> {
    let rows = sqlx::query("SELECT * FROM audit WHERE sequence >= $1 ORDER BY sequence LIMIT $2").bind(from).bind(STEP).fetch_all(database.read()).await?;
    rows.iter().map(read).collect()
}

/// One row of a portal, with its material.
///
/// # Errors
/// The database's.
pub async fn one(database: &Database, portal: &str, sequence: i64) -> Result<Option<(Record, String)>, sqlx::Error> {
    let row = sqlx::query("SELECT * FROM audit WHERE sequence = $1 AND portal = $2").bind(sequence).bind(portal).fetch_optional(database.read()).await?;
    row.as_ref().map(read).transpose()
}

/// The links after `sequence`, at most `limit`: with the row itself they prove that it is in the chain.
///
/// # Errors
/// The database's.
pub async fn links(database: &Database, after: i64, limit: i64) -> Result<Vec<Link>, sqlx::Error> {
    let rows = sqlx::query("SELECT sequence, digest, hash FROM audit WHERE sequence > $1 ORDER BY sequence LIMIT $2")
        .bind(after)
        .bind(limit)
        .fetch_all(database.read())
        .await?;
    rows.iter().map(|row| Ok(Link { sequence: row.try_get("sequence")?, digest: row.try_get("digest")?, hash: row.try_get("hash")? })).collect()
}

/// The last row's place.
///
/// # Errors
/// The database's.
pub async fn head(database: &Database) -> Result<Place, sqlx::Error> {
    let row = sqlx::query("SELECT sequence, hash FROM audit_ends WHERE id = 1").fetch_one(database.read()).await?;
    Ok(Place { sequence: row.try_get("sequence")?, hash: row.try_get("hash")? })
}

/// Walks the whole chain in the database.
///
/// # Errors
/// The database's.
pub async fn check(database: &Database) -> Result<Checked, sqlx::Error> {
    let ends = sqlx::query("SELECT start_sequence, start_hash FROM audit_ends WHERE id = 1").fetch_one(database.read()).await?;
    let (first, start): (i64, String) = (ends.try_get("start_sequence")?, ends.try_get("start_hash")?);
    let mut walk = Walk::from(first, &start);
    let mut broken = None;
    'all: loop {
        let rows = rows(database, walk.next()).await?;
        if rows.is_empty() {
            break;
        }
        for (record, _) in &rows {
            // The material's digest was made anew when the row was read.
            if let Err(why) = record.step(&mut walk) {
                broken = Some((record.sequence, why));
                break 'all;
            }
        }
    }
    // What is cut off at the end is missed by the end itself.
    let head = head(database).await?;
    if broken.is_none() && (walk.next() <= head.sequence) {
        broken = Some((walk.next(), Why::Gap));
    }
    Ok(Checked { rows: walk.rows(), whole: walk.rows(), first, head: walk.head().to_owned(), broken })
}

/// Deletes rows from the beginning of the chain, up to the first that must still be kept; tells how many.
///
/// # Errors
/// The database's.
pub async fn prune(database: &Database, now: i64) -> Result<Result<i64, i64>, sqlx::Error> {
    let written = database
        .writer()
        .write(move |batch| {
            Box::pin(async move {
                let kept = sqlx::query("SELECT sequence, previous_hash, keep_until FROM audit WHERE keep_until >= $1 ORDER BY sequence LIMIT 1")
                    .bind(now)
                    .fetch_optional(batch.connection())
                    .await?;
                let ends = sqlx::query("SELECT sequence, hash, start_sequence FROM audit_ends WHERE id = 1").fetch_one(batch.connection()).await?;
                let start: i64 = ends.try_get("start_sequence")?;
                let (first, hash, until): (i64, String, i64) = match &kept {
                    Some(row) => (row.try_get("sequence")?, row.try_get("previous_hash")?, row.try_get("keep_until")?),
                    None => (ends.try_get::<i64, _>("sequence")?.saturating_add(1), ends.try_get("hash")?, 0),
                };
                if first == start && kept.is_some() {
                    return Ok(Err(until));
                }
                sqlx::query("DELETE FROM audit WHERE sequence < $1").bind(first).execute(batch.connection()).await?;
                sqlx::query("UPDATE audit_ends SET start_sequence = $1, start_hash = $2 WHERE id = 1")
                    .bind(first)
                    .bind(hash)
                    .execute(batch.connection())
                    .await?;
                let count = first.saturating_sub(start);
                batch.record(Entry { at: now, action: "audit-prune".into(), outcome: "ok".into(), detail: format!("{count} records"), ..Entry::default() });
                Ok(Ok(count))
            })
        })
        .await?;
    Ok(written.value)
}

fn read(row: &AnyRow) -> Result<(Record, String), sqlx::Error> {
    let material: String = row.try_get("material")?;
    let record = Record {
        sequence: row.try_get("sequence")?,
        at: row.try_get("at")?,
        portal: row.try_get("portal")?,
        action: row.try_get("action")?,
        account: row.try_get("account")?,
        certificate: row.try_get("certificate")?,
        document: row.try_get("document")?,
        outcome: row.try_get("outcome")?,
        detail: row.try_get("detail")?,
        material_sha256: sha256_hex(material.as_bytes()),
        keep_until: row.try_get("keep_until")?,
        previous_hash: row.try_get("previous_hash")?,
        digest: row.try_get("digest")?,
        hash: row.try_get("hash")?,
    };
    Ok((record, material))
}
