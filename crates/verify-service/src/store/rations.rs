//! Rations in the database, so that several instances share them. The arithmetic is the relying party's `ration`.

use sealbridge_relying_party::ration::{Bucket, Taken};
use sqlx::Row;

use super::sha256_hex;
use super::writer::Batch;

/// Takes one out of the subject's bucket, or says how many seconds until there is one. `now` is in unix seconds.
///
/// # Errors
/// The database's.
pub(crate) async fn take(batch: &mut Batch, subject: &str, bucket: Bucket, now: i64) -> Result<Option<i64>, sqlx::Error> {
    let subject = sha256_hex(subject.as_bytes());
    let now = now.saturating_mul(1_000_000);
    let row = sqlx::query("SELECT full_at FROM rations WHERE subject = $1").bind(&subject).fetch_optional(batch.connection()).await?;
    let stored = row.map(|row| row.try_get::<i64, _>("full_at")).transpose()?;
    match bucket.take(stored, now) {
        Taken::Wait { seconds } => Ok(Some(seconds)),
        Taken::Allowed { full_at, .. } => {
            sqlx::query("INSERT INTO rations (subject, full_at) VALUES ($1, $2) ON CONFLICT (subject) DO UPDATE SET full_at = excluded.full_at")
                .bind(&subject)
                .bind(full_at)
                .execute(batch.connection())
                .await?;
            Ok(None)
        }
    }
}

/// Forgets full buckets.
///
/// # Errors
/// The database's.
pub(crate) async fn forget(batch: &mut Batch, now: i64) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM rations WHERE full_at <= $1").bind(now.saturating_mul(1_000_000)).execute(batch.connection()).await.map(|_| ())
}
