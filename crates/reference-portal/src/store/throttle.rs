//! Slows down guessing, and rations what costs us something. Attempts are counted before they are answered, so that a
//! thousand at once gain nothing.
//!
//! Guesses at passwords have a [`Schedule`]: the subject is an account name or a network address, the wait doubles and
//! ends at 15 minutes, so that nobody can be locked out for good by a stranger; signing in with a certificate is not
//! touched by it. What honest visitors ask for again and again has a [`Bucket`]: it never punishes, it only runs dry and
//! fills up again at its own pace.

use sealbridge_relying_party::ration::{Bucket, Taken};
use sqlx::Row;

use super::{Database, sha256_hex};

/// Attempts without a wait, and the wait's growth after them.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// So many attempts are free.
    pub free: i64,
    /// The first wait, in seconds; each further failure doubles it.
    pub first_wait: i64,
}

/// For one account name.
pub const ACCOUNT: Schedule = Schedule { free: 5, first_wait: 30 };
/// For one network address, from which many people may come.
pub const ADDRESS: Schedule = Schedule { free: 60, first_wait: 30 };

const LONGEST_WAIT: i64 = 15 * 60;
/// After this long without an attempt everything is forgotten.
const FORGOTTEN_AFTER: i64 = 60 * 60;

/// Whether an attempt may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It is counted; so many more may fail before a wait begins.
    Allowed {
        /// Attempts left without a wait.
        left: i64,
    },
    /// Not now; it was not counted.
    Wait {
        /// Seconds until the next attempt.
        seconds: i64,
    },
}

/// Counts an attempt, or says how long to wait.
///
/// # Errors
/// The database's.
pub async fn begin(database: &Database, subject: &str, schedule: Schedule, now: i64) -> Result<Attempt, sqlx::Error> {
    let subject = sha256_hex(subject.to_lowercase().as_bytes());
    let mut transaction = database.begin().await?;
    sqlx::query("DELETE FROM throttles WHERE updated_at < ? AND blocked_until < ?")
        .bind(now.saturating_sub(FORGOTTEN_AFTER))
        .bind(now)
        .execute(&mut *transaction)
        .await?;
    let row = sqlx::query("SELECT attempts, blocked_until FROM throttles WHERE subject = ?").bind(&subject).fetch_optional(&mut *transaction).await?;
    let (attempts, blocked_until): (i64, i64) = match &row {
        Some(row) => (row.try_get("attempts")?, row.try_get("blocked_until")?),
        None => (0, 0),
    };
    if blocked_until > now {
        return Ok(Attempt::Wait { seconds: blocked_until.saturating_sub(now) });
    }
    let attempts = attempts.saturating_add(1);
    let over = attempts.saturating_sub(schedule.free);
    let wait = if over < 0 {
        0
    } else {
        let doubled = schedule.first_wait.saturating_mul(1_i64.checked_shl(u32::try_from(over.min(20)).unwrap_or(20)).unwrap_or(1));
        doubled.min(LONGEST_WAIT)
    };
    sqlx::query(
        "INSERT INTO throttles (subject, attempts, blocked_until, updated_at) VALUES (?, ?, ?, ?) \
         ON CONFLICT (subject) DO UPDATE SET attempts = excluded.attempts, blocked_until = excluded.blocked_until, \
         updated_at = excluded.updated_at",
    )
    .bind(&subject)
    .bind(attempts)
    .bind(if wait == 0 { 0 } else { now.saturating_add(wait) })
    .bind(now)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(Attempt::Allowed { left: schedule.free.saturating_sub(attempts).max(0) })
}

/// Takes one out of the subject's bucket, or says how long until there is one. What was refused costs nothing.
///
/// # Errors
/// The database's.
pub async fn take(database: &Database, subject: &str, bucket: Bucket, now: i64) -> Result<Attempt, sqlx::Error> {
    let subject = sha256_hex(subject.as_bytes());
    let now = now.saturating_mul(1_000_000);
    let mut transaction = database.begin().await?;
    sqlx::query("DELETE FROM buckets WHERE full_at <= ?").bind(now).execute(&mut *transaction).await?;
    let row = sqlx::query("SELECT full_at FROM buckets WHERE subject = ?").bind(&subject).fetch_optional(&mut *transaction).await?;
    let stored = row.map(|row| row.try_get::<i64, _>("full_at")).transpose()?;
    match bucket.take(stored, now) {
        Taken::Wait { seconds } => Ok(Attempt::Wait { seconds }),
        Taken::Allowed { full_at, left } => {
            sqlx::query("INSERT INTO buckets (subject, full_at) VALUES (?, ?) ON CONFLICT (subject) DO UPDATE SET full_at = excluded.full_at")
                .bind(&subject)
                .bind(full_at)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(Attempt::Allowed { left })
        }
    }
}

/// Forgets a subject's attempts after a success.
///
/// # Errors
/// The database's.
pub async fn clear(database: &Database, subject: &str) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM throttles WHERE subject = ?").bind(sha256_hex(subject.to_lowercase().as_bytes())).execute(database.write()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use sealbridge_relying_party::ration::Bucket;

    use super::{Attempt, take};
    use crate::store::Database;

    #[tokio::test]
    async fn a_bucket_runs_dry_and_fills_at_its_own_pace() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("b.sqlite")).await.unwrap();
        let bucket = Bucket::every(3, 10);
        let (left, wait) = (|left| Attempt::Allowed { left }, |seconds| Attempt::Wait { seconds });
        for (at, subject, expected) in [
            (1000, "a", left(2)),
            (1000, "a", left(1)),
            (1000, "a", left(0)),
            (1000, "a", wait(10)),
            // Asking again while it is dry makes nothing worse.
            (1004, "a", wait(6)),
            (1009, "a", wait(1)),
            (1009, "b", left(2)),
            (1010, "a", left(0)),
            (1010, "a", wait(10)),
            (1031, "a", left(1)),
            // Full, and never more than full.
            (9000, "a", left(2)),
            // The clock is set back by two hours: nobody waits two hours for it.
            (2000, "a", left(2)),
            (2000, "a", left(1)),
        ] {
            assert_eq!(take(&database, subject, bucket, at).await.unwrap(), expected, "{subject} at {at}");
        }
    }
}
