//! Which certificate belongs to which account. One to one: the table's own constraints decide, also between two
//! requests at the same time. A binding is only stored with a verified binding statement in hand.

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::{Database, is_duplicate};
use crate::checks::CheckedBinding;

/// A stored binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The account's number.
    pub account: i64,
    /// The account's name.
    pub account_name: String,
    /// SHA-256 of the certificate, hexadecimal.
    pub certificate_sha256: String,
    /// The certificate itself (DER).
    pub certificate: Vec<u8>,
    /// The organisation that the certificate names.
    pub organisation: String,
    /// The unified social credit code that the certificate names.
    pub credit_code: String,
    /// The certificate's serial number, hexadecimal.
    pub serial: String,
    /// End of the certificate's validity, unix seconds.
    pub not_after: i64,
    /// Unix seconds.
    pub bound_at: i64,
}

impl Binding {
    /// For the audit log.
    #[must_use]
    pub fn detail(&self) -> String {
        format!("certificate {} serial {}", self.certificate_sha256, self.serial)
    }
}

/// What became of a new binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It stands.
    Done,
    /// The account has a certificate already.
    AccountBound,
    /// The certificate has an account already.
    CertificateBound,
}

/// Stores a binding, inside the caller's transaction.
///
/// # Errors
/// The database's.
pub async fn add(connection: &mut SqliteConnection, checked: &CheckedBinding) -> Result<Stored, sqlx::Error> {
    let binding = checked.binding();
    let held = sqlx::query("SELECT account FROM bindings WHERE account = ?").bind(binding.account).fetch_optional(&mut *connection).await?;
    if held.is_some() {
        return Ok(Stored::AccountBound);
    }
    let added = sqlx::query(
        "INSERT INTO bindings (account, certificate_sha256, certificate, organisation, credit_code, serial, not_after, bound_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(binding.account)
    .bind(&binding.certificate_sha256)
    .bind(&binding.certificate)
    .bind(&binding.organisation)
    .bind(&binding.credit_code)
    .bind(&binding.serial)
    .bind(binding.not_after)
    .bind(binding.bound_at)
    .execute(&mut *connection)
    .await;
    match added {
        Ok(_) => Ok(Stored::Done),
        Err(error) if is_duplicate(&error) => Ok(Stored::CertificateBound),
        Err(error) => Err(error),
    }
}

/// The account's binding.
///
/// # Errors
/// The database's.
pub async fn of_account(database: &Database, account: i64) -> Result<Option<Binding>, sqlx::Error> {
    let row = sqlx::query("SELECT b.*, a.name AS account_name FROM bindings b JOIN accounts a ON a.id = b.account WHERE b.account = ?")
        .bind(account)
        .fetch_optional(database.read())
        .await?;
    row.as_ref().map(read).transpose()
}

/// The binding of a certificate.
///
/// # Errors
/// The database's.
pub async fn of_certificate(database: &Database, certificate_sha256: &str) -> Result<Option<Binding>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT b.*, a.name AS account_name FROM bindings b JOIN accounts a ON a.id = b.account \
         WHERE b.certificate_sha256 = ?",
    )
    .bind(certificate_sha256)
    .fetch_optional(database.read())
    .await?;
    row.as_ref().map(read).transpose()
}

/// Removes the account's binding, inside the caller's transaction; tells whether there was one.
///
/// # Errors
/// The database's.
pub async fn remove(connection: &mut SqliteConnection, account: i64) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("DELETE FROM bindings WHERE account = ?").bind(account).execute(connection).await?;
    Ok(done.rows_affected() > 0)
}

fn read(row: &SqliteRow) -> Result<Binding, sqlx::Error> {
    Ok(Binding {
        account: row.try_get("account")?,
        account_name: row.try_get("account_name")?,
        certificate_sha256: row.try_get("certificate_sha256")?,
        certificate: row.try_get("certificate")?,
        organisation: row.try_get("organisation")?,
        credit_code: row.try_get("credit_code")?,
        serial: row.try_get("serial")?,
        not_after: row.try_get("not_after")?,
        bound_at: row.try_get("bound_at")?,
    })
}
