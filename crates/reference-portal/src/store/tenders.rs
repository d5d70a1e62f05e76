//! The tenders that a supplier may bid for. They come with the database; the portal has no desk for buyers.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::Database;
use crate::language::Language;

/// A tender.
#[derive(Debug, Clone)]
pub struct Tender {
    /// Its number, as in addresses.
    pub id: String,
    title: [String; 2],
    buyer: [String; 2],
    scope: [String; 2],
    /// No bid was stamped before this time, unix seconds.
    pub published_at: i64,
    /// No bids after this time, unix seconds.
    pub closes_at: i64,
}

impl Tender {
    /// The project's name.
    #[must_use]
    pub fn title(&self, language: Language) -> &str {
        language.pick(&self.title)
    }

    /// Who buys.
    #[must_use]
    pub fn buyer(&self, language: Language) -> &str {
        language.pick(&self.buyer)
    }

    /// What is bought.
    #[must_use]
    pub fn scope(&self, language: Language) -> &str {
        language.pick(&self.scope)
    }

    /// Whether bids are still taken.
    #[must_use]
    pub fn is_open(&self, now: i64) -> bool {
        now < self.closes_at
    }
}

/// All tenders, open ones first.
///
/// # Errors
/// The database's.
pub async fn all(database: &Database) -> Result<Vec<Tender>, sqlx::Error> {
    let rows = sqlx::query("SELECT * FROM tenders ORDER BY closes_at DESC, id LIMIT 200").fetch_all(database.read()).await?;
    rows.iter().map(read).collect()
}

/// The tender of this number.
///
/// # Errors
/// The database's.
pub async fn by_id(database: &Database, id: &str) -> Result<Option<Tender>, sqlx::Error> {
    let row = sqlx::query("SELECT * FROM tenders WHERE id = ?").bind(id).fetch_optional(database.read()).await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &SqliteRow) -> Result<Tender, sqlx::Error> {
    Ok(Tender {
        id: row.try_get("id")?,
        title: [row.try_get("title_zh")?, row.try_get("title_en")?],
        buyer: [row.try_get("buyer_zh")?, row.try_get("buyer_en")?],
        scope: [row.try_get("scope_zh")?, row.try_get("scope_en")?],
        published_at: row.try_get("published_at")?,
        closes_at: row.try_get("closes_at")?,
    })
}
