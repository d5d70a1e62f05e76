//! What is kept how long. Copies of identity cards and licences are for the review: when a business has come to an end they
//! go after 90 days, and with them what was typed by whom nothing came of it. The history stays, it names nobody.
//!
//! The law wants a CA to keep what belongs to an issued certificate for five years after its end (电子签名法 art. 24): the
//! typed fields of such a business stay until then, the pictures do not.

use std::path::Path;

use sqlx::Row;

use super::{Database, uploads};

const DAY: i64 = 86_400;
/// Files are deleted so long after the end of the business.
pub const FILES: i64 = 90 * DAY;
/// Fields of a business without a certificate are deleted so long after its end.
pub const FIELDS: i64 = 180 * DAY;
/// Fields of a business with a certificate are deleted so long after the certificate's end.
pub const WITH_CERTIFICATE: i64 = 5 * 365 * DAY;

/// Hand-overs are deleted so long after their ticket's end. A token's own end is long before that: it cannot come again.
pub const HANDOVERS: i64 = 3600;

/// What a run of the rule took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cleared {
    /// Files.
    pub files: u64,
    /// Businesses whose fields and messages were cleared.
    pub businesses: u64,
}

/// Deletes what need not be kept any more.
///
/// # Errors
/// The database's.
pub async fn run(database: &Database, folder: &Path, now: i64) -> Result<Cleared, sqlx::Error> {
    let mut cleared = Cleared::default();
    let mut transaction = database.begin().await?;
    let rows = sqlx::query(
        "SELECT u.id, u.file FROM uploads u JOIN applications a ON a.id = u.application \
         WHERE a.state IN ('done', 'withdrawn', 'closed') AND a.since <= ? LIMIT 1000",
    )
    .bind(now.saturating_sub(FILES))
    .fetch_all(&mut *transaction)
    .await?;
    let mut files = Vec::new();
    for row in rows {
        sqlx::query("DELETE FROM uploads WHERE id = ?").bind(row.try_get::<i64, _>("id")?).execute(&mut *transaction).await?;
        files.push(row.try_get::<String, _>("file")?);
    }
    sqlx::query("DELETE FROM impressions WHERE application IN (SELECT id FROM applications WHERE state IN ('done', 'withdrawn', 'closed') AND since <= ?)")
        .bind(now.saturating_sub(FILES))
        .execute(&mut *transaction)
        .await?;
    sqlx::query("DELETE FROM handovers WHERE expires_at < ?").bind(now.saturating_sub(HANDOVERS)).execute(&mut *transaction).await?;
    let rows = sqlx::query(
        "SELECT a.id FROM applications a LEFT JOIN certificates c ON c.application = a.id \
         WHERE a.cleared_at IS NULL AND a.state IN ('done', 'withdrawn', 'closed') \
         AND ((c.id IS NULL AND a.since <= ?) OR (c.id IS NOT NULL AND c.not_after <= ?)) LIMIT 1000",
    )
    .bind(now.saturating_sub(FIELDS))
    .bind(now.saturating_sub(WITH_CERTIFICATE))
    .fetch_all(&mut *transaction)
    .await?;
    for row in rows {
        let id: i64 = row.try_get("id")?;
        sqlx::query("UPDATE applications SET fields_sealed = x'', code_sealed = x'', code_sha256 = '', cleared_at = ? WHERE id = ?")
            .bind(now)
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM messages WHERE application = ?").bind(id).execute(&mut *transaction).await?;
        sqlx::query("DELETE FROM codes WHERE application = ?").bind(id).execute(&mut *transaction).await?;
        sqlx::query("DELETE FROM key_challenges WHERE application = ?").bind(id).execute(&mut *transaction).await?;
        sqlx::query("DELETE FROM key_signatures WHERE application = ?").bind(id).execute(&mut *transaction).await?;
        cleared.businesses = cleared.businesses.saturating_add(1);
    }
    transaction.commit().await?;
    // After the commit: a row without its file can be told, a file without its row is swept at the next start.
    for file in files {
        uploads::remove(folder, &file);
        cleared.files = cleared.files.saturating_add(1);
    }
    Ok(cleared)
}
