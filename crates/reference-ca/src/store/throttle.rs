//! Slows down guessing at passwords, access codes and the opening of businesses (R21). Attempts are counted before they are
//! answered, so that a thousand at once gain nothing; the wait doubles and ends at 15 minutes, so that nobody is locked
//! out for good by a stranger.

use sqlx::Row;

use super::{Database, sha256_hex};

/// Attempts without a wait, and the wait's growth after them.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// So many attempts are free.
    pub free: i64,
    /// The first wait, in seconds; each further attempt doubles it.
    pub first_wait: i64,
}

/// An officer's name: the lockout.
pub const OFFICER: Schedule = Schedule { free: 5, first_wait: 15 * 60 };
/// Access codes of one business.
pub const BUSINESS: Schedule = Schedule { free: 5, first_wait: 60 };
/// One network address, from which a whole office may come.
pub const ADDRESS: Schedule = Schedule { free: 120, first_wait: 30 };

const LONGEST_WAIT: i64 = 15 * 60;
const FORGOTTEN_AFTER: i64 = 60 * 60;

/// Whether an attempt may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It is counted.
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
        let doubling = 1_i64.checked_shl(u32::try_from(over.min(20)).unwrap_or(20)).unwrap_or(1);
        schedule.first_wait.saturating_mul(doubling).min(LONGEST_WAIT)
    };
    sqlx::query(
        "INSERT INTO throttles (subject, attempts, blocked_until, updated_at) VALUES (?, ?, ?, ?) \
         ON CONFLICT (subject) DO UPDATE SET attempts = excluded.attempts, blocked_until = excluded.blocked_until, updated_at = excluded.updated_at",
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

/// Forgets a subject's attempts after a success.
///
/// # Errors
/// The database's.
pub async fn clear(database: &Database, subject: &str) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM throttles WHERE subject = ?").bind(sha256_hex(subject.to_lowercase().as_bytes())).execute(database.write()).await?;
    Ok(())
}
