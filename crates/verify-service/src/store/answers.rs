//! What authorities have answered about revocation, kept for every instance and over restarts. Answers are their signers' words and are
//! judged anew each time; a row that somebody has changed can at most be useless. Bounded in bytes by every sweep: what was fetched longest ago goes first.

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

/// Keeps a question's row.
///
/// # Errors
/// The database's.
pub(crate) async fn put(database: &Database, question: String, kept: Kept) -> Result<(), sqlx::Error> {
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
            .await
            .map(|_| ())
        })
    });
    written.await.map(|_| ())
}

/// What a row weighs beside its body.
const ROW: i64 = 512;

/// Forgets what is news no longer, and of the rest what was fetched longest ago, until all together have `bytes_max`.
///
/// # Errors
/// The database's.
pub(crate) async fn forget(batch: &mut Batch, now: i64, bytes_max: i64) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM authority_answers WHERE valid_until < $1 AND ask_again_at < $1").bind(now).execute(batch.connection()).await?;
    // Each with the sum of itself and all that are newer; the index alone answers that.
    sqlx::query(
        "DELETE FROM authority_answers WHERE question IN (SELECT question FROM (SELECT question, \
         CAST(SUM(size) OVER (ORDER BY fetched_at DESC, question DESC) AS BIGINT) AS so_far FROM authority_answers) AS sums WHERE so_far > $1)",
    )
    .bind(bytes_max)
    .execute(batch.connection())
    .await
    .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_answers_have_room() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("a.sqlite").to_string_lossy()).await.unwrap();
        for (number, bytes) in [(1, 100), (2, 5000), (3, 100), (4, 100)] {
            let kept = Kept { body: vec![0; bytes], fetched_at: number, ask_again_at: 50, valid_until: 60, failure: String::new() };
            put(&database, format!("question-{number}"), kept).await.unwrap();
        }
        let left = async |now: i64, bytes_max: i64| {
            database.writer().write(move |batch| Box::pin(forget(batch, now, bytes_max))).await.unwrap();
            let mut left = Vec::new();
            for number in 1..=4 {
                left.extend(get(&database, &format!("question-{number}")).await.unwrap().map(|_| number));
            }
            left
        };
        assert_eq!(left(60, 100_000).await, [1, 2, 3, 4]);
        // The large one in the middle does not fit, and nothing older is kept in its stead.
        assert_eq!(left(60, 2 * (100 + ROW) + 4999).await, [3, 4]);
        assert_eq!(left(60, 100 + ROW).await, [4]);
        assert_eq!(left(61, 100_000).await, [0; 0]);
    }
}
