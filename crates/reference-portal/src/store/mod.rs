//! The portal's memory in SQLite: one room per table, every statement written out.
//!
//! Writes go through one connection, so that "taken once" and "next row of the chain" are decided by the database's
//! own order and never by a race between two connections. Nothing here knows HTTP, and no function returns a stored
//! secret: what must be compared is compared here.

pub mod accounts;
pub mod audit;
pub mod bindings;
pub mod challenges;
pub mod desk;
pub mod sessions;
pub mod submissions;
pub mod tenders;
pub mod throttle;

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, SqlSafeStr, Sqlite, Transaction};

/// A handle to the database file; cheap to clone.
#[derive(Debug, Clone)]
pub struct Database {
    readers: SqlitePool,
    writer: SqlitePool,
}

/// The database could not be opened or brought to this version.
#[derive(Debug)]
pub enum OpenError {
    /// The file can not be used.
    Database(sqlx::Error),
    /// A migration failed, or the file was written by a newer version.
    Migration(MigrateError),
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OpenError::Database(error) => write!(out, "database: {error}"),
            OpenError::Migration(error) => write!(out, "database migration: {error}"),
        }
    }
}

impl std::error::Error for OpenError {}

impl Database {
    /// Opens or creates the file and applies what is missing.
    ///
    /// # Errors
    /// [`OpenError`] where the file can not be used.
    pub async fn open(file: &Path) -> Result<Self, OpenError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A receipt is handed out after the commit: the commit has to be on the disk.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(options.clone())
            .await
            .map_err(OpenError::Database)?;
        migrations().run(&writer).await.map_err(OpenError::Migration)?;
        bindings::fill_keys(&writer).await.map_err(OpenError::Database)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(options.read_only(true))
            .await
            .map_err(OpenError::Database)?;
        Ok(Database { readers, writer })
    }

    pub(crate) fn read(&self) -> &SqlitePool {
        &self.readers
    }

    pub(crate) fn write(&self) -> &SqlitePool {
        &self.writer
    }

    /// Opens a transaction that holds the write lock from its first statement on.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }

    /// Closes every connection; open requests finish first.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

fn migrations() -> Migrator {
    const ALL: [(i64, &str, &str); 5] = [
        (1, "portal", include_str!("../../migrations/0001_portal.sql")),
        (2, "buckets", include_str!("../../migrations/0002_buckets.sql")),
        (3, "published", include_str!("../../migrations/0003_published.sql")),
        (4, "desk", include_str!("../../migrations/0004_desk.sql")),
        (5, "keys", include_str!("../../migrations/0005_keys.sql")),
    ];
    Migrator::with_migrations(
        ALL.iter()
            .map(|(version, name, sql)| {
                let sql = AssertSqlSafe(*sql).into_sql_str();
                Migration::new(*version, Cow::Borrowed(*name), MigrationType::Simple, sql, false)
            })
            .collect(),
    )
}

/// Whether the error is a broken unique constraint.
pub(crate) fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// SHA-256 as 64 lower-case hexadecimal digits.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut out = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.extend(DIGITS.get(usize::from(nibble)));
        }
    }
    out
}
