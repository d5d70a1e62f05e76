//! The officers. A password is checked with argon2id and leaves nothing but a yes or no; an unknown or disabled name costs
//! the same time as a wrong password.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use sqlx::Row;

use super::{Database, is_duplicate};

/// An officer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Officer {
    /// The row's number: what four eyes are told apart by.
    pub id: i64,
    /// What they type at login.
    pub name: String,
}

/// Proof that a password was checked; only [`check_password`] makes one.
#[derive(Debug)]
pub struct PasswordChecked {
    officer: Officer,
}

impl PasswordChecked {
    /// Whose password it was.
    #[must_use]
    pub fn officer(&self) -> &Officer {
        &self.officer
    }
}

/// Why an officer was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// The name is taken.
    #[error("the name is taken")]
    NameTaken,
    /// 1 to 64 characters, without spaces around and control characters.
    #[error("a name has 1 to 64 characters")]
    Name,
    /// Fewer than 10 or more than 256 characters.
    #[error("a password has 10 to 256 characters")]
    PasswordLength,
    /// The password could not be hashed.
    #[error("the password could not be hashed")]
    Hash,
    /// The database failed.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}

/// Stores a new officer.
///
/// # Errors
/// [`AddError`].
pub async fn add(database: &Database, name: &str, password: String, now: i64) -> Result<i64, AddError> {
    if !(1..=64).contains(&name.chars().count()) || name.trim() != name || name.chars().any(char::is_control) {
        return Err(AddError::Name);
    }
    if !(10..=256).contains(&password.chars().count()) {
        return Err(AddError::PasswordLength);
    }
    let hashed = tokio::task::spawn_blocking(move || Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()));
    let hashed = hashed.await.map_err(|_| AddError::Hash)?.map_err(|_| AddError::Hash)?;
    let added = sqlx::query("INSERT INTO officers (name, password_hash, created_at) VALUES (?, ?, ?)")
        .bind(name)
        .bind(hashed)
        .bind(now)
        .execute(database.write())
        .await;
    match added {
        Ok(done) => Ok(done.last_insert_rowid()),
        Err(error) if is_duplicate(&error) => Err(AddError::NameTaken),
        Err(error) => Err(AddError::Database(error)),
    }
}

/// Disables an officer and ends all their sessions; `false` where there is none of this name.
///
/// # Errors
/// The database's.
pub async fn disable(database: &Database, name: &str) -> Result<bool, sqlx::Error> {
    let mut transaction = database.begin().await?;
    let done = sqlx::query("UPDATE officers SET disabled = 1 WHERE name = ?").bind(name).execute(&mut *transaction).await?;
    sqlx::query("DELETE FROM sessions WHERE officer IN (SELECT id FROM officers WHERE name = ?)").bind(name).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(done.rows_affected() > 0)
}

/// The officer of this number, if not disabled.
///
/// # Errors
/// The database's.
pub async fn by_id(database: &Database, id: i64) -> Result<Option<Officer>, sqlx::Error> {
    let row = sqlx::query("SELECT id, name FROM officers WHERE id = ? AND disabled = 0").bind(id).fetch_optional(database.read()).await?;
    row.map(|row| Ok(Officer { id: row.try_get("id")?, name: row.try_get("name")? })).transpose()
}

/// Whether there is an officer of this name.
///
/// # Errors
/// The database's.
pub async fn exists(database: &Database, name: &str) -> Result<bool, sqlx::Error> {
    Ok(sqlx::query("SELECT 1 FROM officers WHERE name = ?").bind(name).fetch_optional(database.read()).await?.is_some())
}

/// Checks a password. `None`: no such officer, or not their password; both take the same time.
///
/// # Errors
/// The database's.
pub async fn check_password(database: &Database, name: &str, password: String) -> Result<Option<PasswordChecked>, sqlx::Error> {
    // What a missing officer is compared with: an argon2id string of the same cost that no password was hashed for.
    const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2VhbGJyaWRnZS1kZXNr$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let row = sqlx::query("SELECT id, name, password_hash FROM officers WHERE name = ? AND disabled = 0").bind(name).fetch_optional(database.read()).await?;
    let (officer, stored) = match &row {
        Some(row) => (Some(Officer { id: row.try_get("id")?, name: row.try_get("name")? }), row.try_get::<String, _>("password_hash")?),
        None => (None, NOBODY.to_owned()),
    };
    let matches = tokio::task::spawn_blocking(move || {
        PasswordHash::new(&stored).is_ok_and(|stored| Argon2::default().verify_password(password.as_bytes(), &stored).is_ok())
    })
    .await
    .unwrap_or(false);
    Ok(officer.filter(|_| matches).map(|officer| PasswordChecked { officer }))
}
