//! Which certificate belongs to which account. One to one: the table's own constraints decide, also between two
//! requests at the same time. A binding is only stored with a verified binding statement in hand, and only replaced with a verified
//! login by a newer certificate of its key.

use sealbridge_relying_party::Certificate;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};

use super::{Database, is_duplicate, sha256_hex};
use crate::checks::{CertificateLogin, CheckedBinding};

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
    /// SHA-256 of the trust anchor that it led to, hexadecimal; `None` for bindings from before that was kept, until their next login.
    pub anchor: Option<String>,
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

/// Under what a certificate's key is found: SHA-256 of its SubjectPublicKeyInfo, hexadecimal.
#[must_use]
pub fn key_sha256(certificate: &Certificate) -> String {
    sha256_hex(certificate.spki_der())
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
        "INSERT INTO bindings (account, certificate_sha256, certificate, key_sha256, anchor, organisation, credit_code, serial, not_after, bound_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(binding.account)
    .bind(&binding.certificate_sha256)
    .bind(&binding.certificate)
    .bind(key_of(&binding.certificate))
    .bind(&binding.anchor)
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

/// How the binding stands under a verified login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is the certificate's that logs in.
    Holds,
    /// It was carried over to that certificate just now.
    CarriedOver,
    /// It was removed or changed while the login was on its way.
    Gone,
}

/// Carries the binding over where the login says so, and tells whether it stands, inside the transaction that opens the session. Of two
/// logins with the new certificate at once, one carries it over, and the other finds it carried.
///
/// # Errors
/// The database's.
pub async fn stand(connection: &mut SqliteConnection, login: &CertificateLogin) -> Result<Standing, sqlx::Error> {
    if let Some(carried) = login.carried_over() {
        let new = &carried.new;
        let done = sqlx::query(
            "UPDATE bindings SET certificate_sha256 = ?, certificate = ?, key_sha256 = ?, anchor = ?, organisation = ?, credit_code = ?, serial = ?, \
             not_after = ?, bound_at = ? WHERE account = ? AND certificate_sha256 = ?",
        )
        .bind(&new.certificate_sha256)
        .bind(&new.certificate)
        .bind(key_of(&new.certificate))
        .bind(&new.anchor)
        .bind(&new.organisation)
        .bind(&new.credit_code)
        .bind(&new.serial)
        .bind(new.not_after)
        .bind(new.bound_at)
        .bind(new.account)
        .bind(&carried.old.certificate_sha256)
        .execute(&mut *connection)
        .await;
        match done {
            Ok(done) if done.rows_affected() > 0 => return Ok(Standing::CarriedOver),
            Ok(_) => {}
            // It was bound to another account meanwhile.
            Err(error) if is_duplicate(&error) => return Ok(Standing::Gone),
            Err(error) => return Err(error),
        }
    }
    let held = sqlx::query("UPDATE bindings SET anchor = coalesce(anchor, ?) WHERE account = ? AND certificate_sha256 = ?")
        .bind(login.anchor())
        .bind(login.account().id)
        .bind(login.certificate_sha256())
        .execute(connection)
        .await?;
    Ok(if held.rows_affected() > 0 { Standing::Holds } else { Standing::Gone })
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

/// The binding of a certificate, or else of its key: what a renewed certificate has to do with. A key that stands in the bindings of several
/// accounts finds none of them.
///
/// # Errors
/// The database's.
pub async fn of_certificate_or_key(database: &Database, certificate: &Certificate) -> Result<Option<Binding>, sqlx::Error> {
    if let Some(binding) = of_certificate(database, &certificate.id()).await? {
        return Ok(Some(binding));
    }
    let rows = sqlx::query("SELECT b.*, a.name AS account_name FROM bindings b JOIN accounts a ON a.id = b.account WHERE b.key_sha256 = ? LIMIT 2")
        .bind(key_sha256(certificate))
        .fetch_all(database.read())
        .await?;
    match rows.as_slice() {
        [row] => read(row).map(Some),
        _ => Ok(None),
    }
}

/// Removes the account's binding, inside the caller's transaction; tells whether there was one.
///
/// # Errors
/// The database's.
pub async fn remove(connection: &mut SqliteConnection, account: i64) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("DELETE FROM bindings WHERE account = ?").bind(account).execute(connection).await?;
    Ok(done.rows_affected() > 0)
}

/// Writes the keys of bindings from before they were kept.
pub(super) async fn fill_keys(writer: &SqlitePool) -> Result<(), sqlx::Error> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    let rows = sqlx::query("SELECT account, certificate FROM bindings WHERE key_sha256 IS NULL").fetch_all(&mut *transaction).await?;
    for row in rows {
        let (account, certificate): (i64, Vec<u8>) = (row.try_get("account")?, row.try_get("certificate")?);
        sqlx::query("UPDATE bindings SET key_sha256 = ? WHERE account = ?").bind(key_of(&certificate)).bind(account).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

fn key_of(certificate: &[u8]) -> Option<String> {
    Certificate::parse(certificate).ok().map(|certificate| key_sha256(&certificate))
}

fn read(row: &SqliteRow) -> Result<Binding, sqlx::Error> {
    Ok(Binding {
        account: row.try_get("account")?,
        account_name: row.try_get("account_name")?,
        certificate_sha256: row.try_get("certificate_sha256")?,
        certificate: row.try_get("certificate")?,
        anchor: row.try_get("anchor")?,
        organisation: row.try_get("organisation")?,
        credit_code: row.try_get("credit_code")?,
        serial: row.try_get("serial")?,
        not_after: row.try_get("not_after")?,
        bound_at: row.try_get("bound_at")?,
    })
}
