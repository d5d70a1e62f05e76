//! Supplier accounts. A password is checked with argon2id and leaves nothing but a yes or no; an unknown name costs
//! the same time as a wrong password, so that names can not be told apart by the clock.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Database, is_duplicate};

/// A supplier's (or auditor's) account, as pages may show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The row's number.
    pub id: i64,
    /// What the user types at login.
    pub name: String,
    /// The organisation's name as on its licence.
    pub organisation: String,
    /// The unified social credit code (GB 32100).
    pub credit_code: String,
    /// What the account may see.
    pub role: Role,
}

/// What an account may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Its own records.
    Supplier,
    /// Every audit record.
    Auditor,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Role::Supplier => "supplier",
            Role::Auditor => "auditor",
        }
    }
}

/// A new account, before it is stored.
#[derive(Debug, Clone)]
pub struct NewAccount<'a> {
    /// 1 to 64 characters, no control characters.
    pub name: &'a str,
    /// 1 to 128 characters.
    pub organisation: &'a str,
    /// 18 characters, checksum-valid.
    pub credit_code: &'a str,
    /// What it may see.
    pub role: Role,
}

/// Why an account was not made.
#[derive(Debug)]
pub enum AddError {
    /// The name is taken.
    NameTaken,
    /// A field is empty, too long or holds control characters.
    Field(&'static str),
    /// The credit code's length, alphabet or check character is wrong (GB 32100-2015).
    CreditCode,
    /// Fewer than 10 or more than 256 characters.
    PasswordLength,
    /// The password could not be hashed.
    Hash,
    /// The database failed.
    Database(sqlx::Error),
}

impl std::fmt::Display for AddError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AddError::NameTaken => out.write_str("the account name is taken"),
            AddError::Field(field) => write!(out, "{field}: empty, too long or with control characters"),
            AddError::CreditCode => out.write_str("the unified social credit code is not valid (18 characters, GB 32100)"),
            AddError::PasswordLength => out.write_str("a password has 10 to 256 characters"),
            AddError::Hash => out.write_str("the password could not be hashed"),
            AddError::Database(error) => write!(out, "database: {error}"),
        }
    }
}

impl std::error::Error for AddError {}

/// Proof that a password was checked; only [`check_password`] makes one.
#[derive(Debug)]
pub struct PasswordChecked {
    account: Account,
}

impl PasswordChecked {
    /// Whose password it was.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }
}

/// Stores a new account.
///
/// # Errors
/// [`AddError`] says which field is wrong.
pub async fn add(database: &Database, new: &NewAccount<'_>, password: String, now: i64) -> Result<i64, AddError> {
    for (field, value, longest) in [("name", new.name, 64), ("organisation", new.organisation, 128)] {
        let length = value.chars().count();
        if length == 0 || length > longest || value.trim() != value || value.chars().any(char::is_control) {
            return Err(AddError::Field(field));
        }
    }
    if !credit_code_is_valid(new.credit_code) {
        return Err(AddError::CreditCode);
    }
    if !(10..=256).contains(&password.chars().count()) {
        return Err(AddError::PasswordLength);
    }
    let hashed = tokio::task::spawn_blocking(move || hash(&password)).await.map_err(|_| AddError::Hash)??;
    let added = sqlx::query("INSERT INTO accounts (name, password_hash, organisation, credit_code, role, created_at) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(new.name)
        .bind(hashed)
        .bind(new.organisation)
        .bind(new.credit_code)
        .bind(new.role.as_str())
        .bind(now)
        .execute(database.write())
        .await;
    match added {
        Ok(done) => Ok(done.last_insert_rowid()),
        Err(error) if is_duplicate(&error) => Err(AddError::NameTaken),
        Err(error) => Err(AddError::Database(error)),
    }
}

/// The account of this number.
///
/// # Errors
/// The database's.
pub async fn by_id(database: &Database, id: i64) -> Result<Option<Account>, sqlx::Error> {
    let row = sqlx::query("SELECT id, name, organisation, credit_code, role FROM accounts WHERE id = ?").bind(id).fetch_optional(database.read()).await?;
    row.as_ref().map(read).transpose()
}

/// The account of this name (case does not count).
///
/// # Errors
/// The database's.
pub async fn by_name(database: &Database, name: &str) -> Result<Option<Account>, sqlx::Error> {
    let row = sqlx::query("SELECT id, name, organisation, credit_code, role FROM accounts WHERE name = ?").bind(name).fetch_optional(database.read()).await?;
    row.as_ref().map(read).transpose()
}

/// Checks a password. `None`: no such account, or not its password; both take the same time.
///
/// # Errors
/// The database's.
pub async fn check_password(database: &Database, name: &str, password: String) -> Result<Option<PasswordChecked>, sqlx::Error> {
    // What a missing account is compared with: an argon2id string of the same cost that no password was hashed for.
    const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2VhbGJyaWRnZS1wb3J0YWw$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let row = sqlx::query("SELECT id, name, organisation, credit_code, role, password_hash FROM accounts WHERE name = ?")
        .bind(name)
        .fetch_optional(database.read())
        .await?;
    let (account, stored) = match &row {
        Some(row) => (Some(read(row)?), row.try_get::<String, _>("password_hash")?),
        None => (None, NOBODY.to_owned()),
    };
    let matches = tokio::task::spawn_blocking(move || {
        PasswordHash::new(&stored).is_ok_and(|stored| Argon2::default().verify_password(password.as_bytes(), &stored).is_ok())
    })
    .await
    .unwrap_or(false);
    Ok(account.filter(|_| matches).map(|account| PasswordChecked { account }))
}

fn hash(password: &str) -> Result<String, AddError> {
    Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(|_| AddError::Hash)
}

fn read(row: &SqliteRow) -> Result<Account, sqlx::Error> {
    let role: String = row.try_get("role")?;
    Ok(Account {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        organisation: row.try_get("organisation")?,
        credit_code: row.try_get("credit_code")?,
        role: if role == "auditor" { Role::Auditor } else { Role::Supplier },
    })
}

/// GB 32100-2015: 17 characters and a check character modulo 31; I, O, S, V and Z do not occur.
fn credit_code_is_valid(code: &str) -> bool {
    const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    let values: Option<Vec<usize>> = code.chars().map(|character| ALPHABET.find(character)).collect();
    let Some(values) = values.filter(|values| values.len() == 18) else { return false };
    let (mut sum, mut weight) = (0_usize, 1_usize);
    for value in values.iter().take(17) {
        sum = (sum + value * weight) % 31;
        weight = weight * 3 % 31;
    }
    values.get(17) == Some(&((31 - sum) % 31))
}

#[cfg(test)]
mod tests {
    use super::credit_code_is_valid;

    #[test]
    fn credit_codes() {
        // The example of GB 32100-2015, and what one wrong place makes of it.
        for (code, valid) in [
            ("", false),
            ("91350100M000100Y43", true), // GB 32100-2015, appendix
            ("91350100M000100Y44", false),
            ("91350100M000100y43", false),
            ("91350100I000100Y43", false),
            ("91350100M000100Y431", false),
        ] {
            assert_eq!(credit_code_is_valid(code), valid, "{code}");
        }
    }
}
