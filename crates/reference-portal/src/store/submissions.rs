//! Bids as they came in: the file's digest, the verdict as it was given, and the place in the audit chain. A verdict is
//! never computed again; what the supplier was told is what stays.

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::Database;

/// So many bids of one account for one tender are kept; further ones are refused.
pub const PER_TENDER_MAX: i64 = 50;

/// A bid.
#[derive(Debug, Clone)]
pub struct Submission {
    /// 22 characters of base64url; also the name of the kept file.
    pub id: String,
    /// The tender's number.
    pub tender: String,
    /// Whose it is.
    pub account: i64,
    /// As the supplier named the file.
    pub file_name: String,
    /// Bytes.
    pub size: i64,
    /// SHA-256 of the whole file, hexadecimal.
    pub sha256: String,
    /// Whether the portal took it as a bid.
    pub accepted: bool,
    /// [`crate::judgement::Judgement`] as JSON.
    pub verdict: String,
    /// Unix seconds.
    pub received_at: i64,
    /// The audit row that recorded it.
    pub audit_sequence: i64,
    /// That row's hash; the chain's check compares it, so that rows cut off the end are noticed.
    pub audit_hash: String,
}

/// Stores a bid, inside the caller's transaction.
///
/// # Errors
/// The database's.
pub async fn add(connection: &mut SqliteConnection, new: &Submission) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO submissions (id, tender, account, file_name, size, sha256, accepted, verdict, received_at, \
         audit_sequence, audit_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&new.id)
    .bind(&new.tender)
    .bind(new.account)
    .bind(&new.file_name)
    .bind(new.size)
    .bind(&new.sha256)
    .bind(new.accepted)
    .bind(&new.verdict)
    .bind(new.received_at)
    .bind(new.audit_sequence)
    .bind(&new.audit_hash)
    .execute(connection)
    .await?;
    Ok(())
}

/// How many bids the account has made for the tender.
///
/// # Errors
/// The database's.
pub async fn count(database: &Database, account: i64, tender: &str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT count(*) FROM submissions WHERE account = ? AND tender = ?").bind(account).bind(tender).fetch_one(database.read()).await
}

/// The account's bids, newest first.
///
/// # Errors
/// The database's.
pub async fn of_account(database: &Database, account: i64) -> Result<Vec<Submission>, sqlx::Error> {
    let rows =
        sqlx::query("SELECT * FROM submissions WHERE account = ? ORDER BY received_at DESC, id LIMIT 200").bind(account).fetch_all(database.read()).await?;
    rows.iter().map(read).collect()
}

/// One bid of the account; another account's bid is not found.
///
/// # Errors
/// The database's.
pub async fn by_id(database: &Database, account: i64, id: &str) -> Result<Option<Submission>, sqlx::Error> {
    let row = sqlx::query("SELECT * FROM submissions WHERE id = ? AND account = ?").bind(id).bind(account).fetch_optional(database.read()).await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &SqliteRow) -> Result<Submission, sqlx::Error> {
    Ok(Submission {
        id: row.try_get("id")?,
        tender: row.try_get("tender")?,
        account: row.try_get("account")?,
        file_name: row.try_get("file_name")?,
        size: row.try_get("size")?,
        sha256: row.try_get("sha256")?,
        accepted: row.try_get("accepted")?,
        verdict: row.try_get("verdict")?,
        received_at: row.try_get("received_at")?,
        audit_sequence: row.try_get("audit_sequence")?,
        audit_hash: row.try_get("audit_hash")?,
    })
}
