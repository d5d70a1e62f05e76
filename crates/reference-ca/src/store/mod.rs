//! The desk's memory in SQLite: one room per table or two, every statement written out. Writes go through one connection,
//! so that "first come" is decided by the database's own order. Nothing here knows HTTP.

pub mod applications;
pub mod certificates;
pub mod handovers;
pub mod history;
pub mod impressions;
pub mod key_signatures;
pub mod messages;
pub mod officer_secrets;
pub mod officers;
pub mod reminders;
pub mod retention;
pub mod sessions;
pub mod throttle;
pub mod uploads;

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
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file can not be used.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// A migration failed, or the file was written by a newer version.
    #[error("database migration: {0}")]
    Migration(#[from] MigrateError),
}

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
            // An applicant is told after the commit: the commit has to be on the disk.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        let pool = |connections| SqlitePoolOptions::new().max_connections(connections).acquire_timeout(Duration::from_secs(30));
        let writer = pool(1).connect_with(options.clone()).await?;
        let migrations = [
            (1, "desk", include_str!("../../migrations/0001_desk.sql")),
            (2, "officer secrets", include_str!("../../migrations/0002_officer_secrets.sql")),
            (3, "impressions", include_str!("../../migrations/0003_impressions.sql")),
            (4, "handovers", include_str!("../../migrations/0004_handovers.sql")),
            (5, "key signatures", include_str!("../../migrations/0005_key_signatures.sql")),
            (6, "revocations", include_str!("../../migrations/0006_revocations.sql")),
            (7, "reminders", include_str!("../../migrations/0007_reminders.sql")),
        ];
        let migrations =
            migrations.map(|(number, name, sql)| Migration::new(number, Cow::Borrowed(name), MigrationType::Simple, AssertSqlSafe(sql).into_sql_str(), false));
        Migrator::with_migrations(migrations.to_vec()).run(&writer).await?;
        let readers = pool(4).connect_with(options.read_only(true)).await?;
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

/// Whether the error is a broken unique constraint.
pub(crate) fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// A value in the database that nobody here wrote.
pub(crate) fn foreign(what: &str) -> sqlx::Error {
    sqlx::Error::Decode(what.to_owned().into())
}

/// SHA-256 as 64 lower-case hexadecimal digits.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut out, byte| {
        // Writing to a String can not fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}
