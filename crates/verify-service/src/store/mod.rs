//! The service's memory: SQLite in a file, or PostgreSQL that several instances share. One set of statements for both;
//! only the schema is written twice. Nothing here knows HTTP, and no function returns a stored secret.
//!
//! Everything that is written goes through [`writer`], which commits many callers' work at once and answers none of
//! them before the commit is on the disk.

pub(crate) mod answers;
pub mod audit;
pub mod bindings;
pub mod challenges;
pub mod portals;
pub mod rations;
pub mod writer;

use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Once;
use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyPool, AssertSqlSafe, SqlSafeStr};

use self::writer::Writer;

/// A handle to the database; cheap to clone.
#[derive(Debug, Clone)]
pub struct Database {
    pool: AnyPool,
    writer: Writer,
    backend: Backend,
}

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A file on this machine.
    Sqlite,
    /// A server.
    Postgres,
}

/// The database could not be opened or brought to this version.
#[derive(Debug)]
pub enum OpenError {
    /// It cannot be used.
    Database(sqlx::Error),
    /// A migration failed, or the database was written by a newer version.
    Migration(MigrateError),
}

impl fmt::Display for OpenError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Database(error) => write!(out, "database: {error}"),
            OpenError::Migration(error) => write!(out, "database migration: {error}"),
        }
    }
}

impl std::error::Error for OpenError {}

/// How long a request waits for a connection before it is told that the service is busy.
const ACQUIRE: Duration = Duration::from_secs(10);

impl Database {
    /// Opens what `place` names: a `postgres://` URL, or a SQLite file that is made where it is not there.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(place: &str) -> Result<Self, OpenError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let (backend, url) = if place.starts_with("postgres://") || place.starts_with("postgresql://") {
            (Backend::Postgres, place.to_owned())
        } else {
            (Backend::Sqlite, sqlite_url(Path::new(place)))
        };
        let options = AnyConnectOptions::from_str(&url).map_err(OpenError::Database)?;
        let pool = |connections: u32| {
            AnyPoolOptions::new().max_connections(connections).acquire_timeout(ACQUIRE).after_connect(move |connection, _| {
                Box::pin(async move {
                    if backend == Backend::Sqlite {
                        // FULL: an answer is given after the commit, so the commit has to be on the disk.
                        for pragma in ["PRAGMA busy_timeout = 10000", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON"] {
                            sqlx::query(pragma).execute(&mut *connection).await?;
                        }
                    } else {
                        // Whatever the server's default is: what was acknowledged is on its disk.
                        sqlx::query("SET synchronous_commit = on").execute(&mut *connection).await?;
                        // A vanished instance must not hold the chain's end for long.
                        sqlx::query("SET idle_in_transaction_session_timeout = '10s'").execute(&mut *connection).await?;
                        sqlx::query("SET statement_timeout = '30s'").execute(&mut *connection).await?;
                    }
                    Ok(())
                })
            })
        };
        let write = pool(1).connect_with(options.clone()).await.map_err(OpenError::Database)?;
        migrations(backend).run(&write).await.map_err(OpenError::Migration)?;
        let read = pool(4).connect_with(options).await.map_err(OpenError::Database)?;
        Ok(Database { pool: read, writer: Writer::start(write, backend), backend })
    }

    /// For reading.
    pub(crate) fn read(&self) -> &AnyPool {
        &self.pool
    }

    /// For everything else.
    pub(crate) fn writer(&self) -> &Writer {
        &self.writer
    }

    /// Which database it is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Its name, for people.
    #[must_use]
    pub fn backend_name(&self) -> &'static str {
        match self.backend {
            Backend::Sqlite => "sqlite",
            Backend::Postgres => "postgresql",
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// The database's.
    pub async fn ping(&self) -> Result<(), sqlx::Error> {
        sqlx::query("SELECT 1").execute(&self.pool).await.map(|_| ())
    }

    /// Finishes what is being written and closes every connection.
    pub async fn close(&self) {
        self.writer.close().await;
        self.pool.close().await;
    }
}

fn sqlite_url(file: &Path) -> String {
    let mut url = String::from("sqlite://");
    for byte in file.to_string_lossy().bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url.push_str("?mode=rwc");
    url
}

fn migrations(backend: Backend) -> Migrator {
    let all: [(i64, &'static str, &'static str); 3] = match backend {
        Backend::Sqlite => [
            (1, "service", include_str!("../../migrations/sqlite/0001_service.sql")),
            (2, "authority answers", include_str!("../../migrations/sqlite/0002_authority_answers.sql")),
            (3, "organisations", include_str!("../../migrations/sqlite/0003_organisations.sql")),
        ],
        Backend::Postgres => [
            (1, "service", include_str!("../../migrations/postgres/0001_service.sql")),
            (2, "authority answers", include_str!("../../migrations/postgres/0002_authority_answers.sql")),
            (3, "organisations", include_str!("../../migrations/postgres/0003_organisations.sql")),
        ],
    };
    Migrator::with_migrations(
        all.into_iter()
            .map(|(version, name, sql)| Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, AssertSqlSafe(sql).into_sql_str(), false))
            .collect(),
    )
}

/// So many rows one statement reads or writes at most: one text for any number, so that the database prepares it once.
pub(crate) const ROWS_MAX: usize = 16;

/// The values, and then the last of them again until there are [`ROWS_MAX`].
pub(crate) fn padded<T>(values: &[T]) -> impl Iterator<Item = &T> {
    values.iter().take(ROWS_MAX).chain(values.last().into_iter().cycle()).take(if values.is_empty() { 0 } else { ROWS_MAX })
}

/// Places for the values of so many rows, counted from `first` on: `($1, $2), ($3, $4)`.
pub(crate) fn placeholders(rows: usize, columns: usize, first: usize) -> String {
    let row = |row: usize| {
        let values: Vec<String> = (0..columns).map(|column| format!("${}", row * columns + column + first)).collect();
        format!("({})", values.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// SHA-256 as 64 lower-case hexadecimal digits.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut out, byte| {
        use std::fmt::Write as _;
        // Writing to a String can not fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}
