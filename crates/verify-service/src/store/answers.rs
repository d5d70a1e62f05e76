//! What authorities have answered about revocation, kept for every instance and over restarts. Answers are their signers' words and are
//! judged anew each time; a row that somebody has changed can at most be useless. Bounded in bytes: what was fetched longest ago goes first.

use sqlx::Row;

use super::Database;
use super::writer::Batch;

/// A question's row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Kept {
    /// The last answer, empty where there is none.
    pub(crate) body: Vec<u8>,
    /// When it was fetched, unix seconds.
    pub(crate) fetched_at: i64,
    /// Until when it is taken without asking again; of a failure, until when nobody asks again.
    pub(crate) ask_again_at: i64,
    /// Until when the answer says that it is news.
    pub(crate) valid_until: i64,
    /// The last failure, as JSON; empty where the last question was answered.
    pub(crate) failure: String,
}

/// A question's row.
///
/// # Errors
/// The database's.
pub(crate) async fn get(database: &Database, question: &str) -> Result<Option<Kept>, sqlx::Error> {
    let row = sqlx::query("SELECT body, fetched_at, ask_again_at, valid_until, failure FROM authority_answers WHERE question = $1")
        .bind(question)
        .fetch_optional(database.read())
        .await?;
    row.map(|row| {
        Ok(Kept {
            body: row.try_get("body")?,
            fetched_at: row.try_get("fetched_at")?,
            ask_again_at: row.try_get("ask_again_at")?,
            valid_until: row.try_get("valid_until")?,
            failure: row.try_get("failure")?,
        })
    })
    .transpose()
}

/// Keeps a question's row, and drops the oldest where all together have more than `bytes_max`.
///
/// # Errors
/// The database's.
pub(crate) async fn put(database: &Database, question: String, kept: Kept, bytes_max: i64) -> Result<(), sqlx::Error> {
    let kept = std::sync::Arc::new(kept);
    let written = database.writer().write(move |batch| {
        let (question, kept) = (question.clone(), std::sync::Arc::clone(&kept));
        Box::pin(async move {
            sqlx::query(
                "INSERT INTO authority_answers (question, body, size, fetched_at, ask_again_at, valid_until, failure) VALUES ($1, $2, $3, $4, $5, $6, $7) \
                 ON CONFLICT (question) DO UPDATE SET body = excluded.body, size = excluded.size, fetched_at = excluded.fetched_at, \
                 ask_again_at = excluded.ask_again_at, valid_until = excluded.valid_until, failure = excluded.failure",
            )
            .bind(&question)
            .bind(kept.body.clone())
            .bind(i64::try_from(kept.body.len()).unwrap_or(i64::MAX).saturating_add(ROW))
            .bind(kept.fetched_at)
            .bind(kept.ask_again_at)
            .bind(kept.valid_until)
            .bind(&kept.failure)
            .execute(batch.connection())
            .await?;
            make_room(batch, bytes_max).await
        })
    });
    written.await.map(|_| ())
}

/// What a row weighs beside its body.
const ROW: i64 = 512;

async fn make_room(batch: &mut Batch, bytes_max: i64) -> Result<(), sqlx::Error> {
    let row = sqlx::query("SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes FROM authority_answers").fetch_one(batch.connection()).await?;
    let mut bytes: i64 = row.try_get("bytes")?;
    while bytes > bytes_max {
        let oldest =
            sqlx::query("SELECT question, size FROM authority_answers ORDER BY fetched_at, question LIMIT 1").fetch_optional(batch.connection()).await?;
        let Some(oldest) = oldest else { break };
        let question: String = oldest.try_get("question")?;
        sqlx::query("DELETE FROM authority_answers WHERE question = $1").bind(question).execute(batch.connection()).await?;
        bytes = bytes.saturating_sub(oldest.try_get::<i64, _>("size")?);
    }
    Ok(())
}

/// Forgets what is news no longer.
///
/// # Errors
/// The database's.
pub(crate) async fn forget(batch: &mut Batch, now: i64) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM authority_answers WHERE valid_until < $1 AND ask_again_at < $1").bind(now).execute(batch.connection()).await.map(|_| ())
}
