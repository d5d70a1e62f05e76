//! What concerns a CA's desk: the newest word about each of an account's businesses, and how many of the account's files are still
//! encrypted. An older word never replaces a newer one, so a statement that comes twice changes nothing.

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::Database;
use super::accounts::Account;
use super::audit::{self, Entry};

/// So many businesses of one account are remembered; the oldest go first.
const PER_ACCOUNT_MAX: i64 = 100;
/// The counter's end.
pub const UNDECRYPTED_MAX: u32 = 1_000_000;

/// Where a business stands, as the desk told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its number at the desk.
    pub number: String,
    /// What it is.
    pub business: String,
    /// Where it stands.
    pub state: String,
    /// When the desk said so, unix seconds.
    pub told_at: i64,
}

/// Keeps what the desk told, inside the caller's transaction; tells whether it was news.
///
/// # Errors
/// The database's.
pub async fn keep(connection: &mut SqliteConnection, account: i64, told: &Told) -> Result<bool, sqlx::Error> {
    let kept = sqlx::query(
        "INSERT INTO desk_progress (account, number, business, state, told_at) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT (account, number) DO UPDATE SET business = excluded.business, state = excluded.state, told_at = excluded.told_at \
         WHERE excluded.told_at > desk_progress.told_at",
    )
    .bind(account)
    .bind(&told.number)
    .bind(&told.business)
    .bind(&told.state)
    .bind(told.told_at)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "DELETE FROM desk_progress WHERE account = ? AND number NOT IN \
         (SELECT number FROM desk_progress WHERE account = ? ORDER BY told_at DESC, number DESC LIMIT ?)",
    )
    .bind(account)
    .bind(account)
    .bind(PER_ACCOUNT_MAX)
    .execute(connection)
    .await?;
    Ok(kept.rows_affected() > 0)
}

/// The account's businesses, the latest word first.
///
/// # Errors
/// The database's.
pub async fn of_account(database: &Database, account: i64) -> Result<Vec<Told>, sqlx::Error> {
    let rows = sqlx::query("SELECT number, business, state, told_at FROM desk_progress WHERE account = ? ORDER BY told_at DESC, number DESC")
        .bind(account)
        .fetch_all(database.read())
        .await?;
    rows.iter().map(read).collect()
}

/// How many of the account's files are encrypted to its certificate and not yet decrypted.
///
/// # Errors
/// The database's.
pub async fn undecrypted(database: &Database, account: i64) -> Result<u32, sqlx::Error> {
    let count: Option<i64> =
        sqlx::query_scalar("SELECT undecrypted FROM encrypted_files WHERE account = ?").bind(account).fetch_optional(database.read()).await?;
    // A number that does not fit must not read as none.
    Ok(count.map_or(0, |count| u32::try_from(count).unwrap_or(u32::MAX)))
}

/// Notes how many they are, with a row of the audit log; at most [`UNDECRYPTED_MAX`].
///
/// # Errors
/// The database's.
pub async fn set_undecrypted(database: &Database, account: &Account, count: u32, now: i64) -> Result<(), sqlx::Error> {
    let mut transaction = database.begin().await?;
    sqlx::query(
        "INSERT INTO encrypted_files (account, undecrypted, noted_at) VALUES (?, ?, ?) \
         ON CONFLICT (account) DO UPDATE SET undecrypted = excluded.undecrypted, noted_at = excluded.noted_at",
    )
    .bind(account.id)
    .bind(i64::from(count))
    .bind(now)
    .execute(&mut *transaction)
    .await?;
    let detail = count.to_string();
    let entry = Entry { account: Some(account.id), actor: "operator", action: "encrypted-files", outcome: "ok", detail: &detail, ..Entry::default() };
    audit::append(&mut transaction, &entry, now).await?;
    transaction.commit().await
}

fn read(row: &SqliteRow) -> Result<Told, sqlx::Error> {
    Ok(Told { number: row.try_get("number")?, business: row.try_get("business")?, state: row.try_get("state")?, told_at: row.try_get("told_at")? })
}
