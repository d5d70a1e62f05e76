//! The register of certificates and of the grants that they were issued against. A grant is used once, a business has one
//! certificate, and both are decided in the transaction that writes the certificate.

use sealbridge_pki::Certificate;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Row, Sqlite, Transaction};

use super::applications::{Application, Doing, NotDone, perform_in};
use super::{Database, is_duplicate};
use crate::business::Refused;
use crate::business::table::Need;
use crate::profile::Profile;
use crate::vault::Vault;

/// A certificate in the register.
#[derive(Debug, Clone)]
pub struct Registered {
    /// Serial number, lower-case hexadecimal.
    pub serial: String,
    /// DER.
    pub der: Vec<u8>,
    /// SHA-256 of the request that it was issued for.
    pub request_sha256: String,
    /// First second, Unix seconds.
    pub not_before: i64,
    /// Last second, Unix seconds.
    pub not_after: i64,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
    /// The seal that names it, once made.
    pub seal: Option<Vec<u8>>,
}

/// What is written when a key is activated.
#[derive(Debug)]
pub struct Activation<'a> {
    /// The grant's number.
    pub jti: &'a str,
    /// SHA-256 of the request.
    pub request_sha256: &'a str,
    /// The certificate.
    pub serial: &'a str,
    /// DER.
    pub der: &'a [u8],
    /// Validity.
    pub validity: (i64, i64),
    /// The seal, where one was made.
    pub seal: Option<&'a [u8]>,
    /// The certificate that this one takes the place of.
    pub replaces: Option<&'a str>,
}

const COLUMNS: &str = "serial, der, request_sha256, not_before, not_after, revoked_at, seal";

/// The certificate of this serial number, if it is this unit's.
pub(super) async fn of_unit(connection: &mut SqliteConnection, serial: &str, credit_code: &str) -> Result<Option<Registered>, sqlx::Error> {
    let serial = serial.to_ascii_lowercase();
    let sql = format!("SELECT {COLUMNS} FROM certificates WHERE serial = ? AND credit_code = ?");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(serial).bind(credit_code).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

/// The same, outside a transaction.
///
/// # Errors
/// The database's.
pub async fn find(database: &Database, serial: &str, credit_code: &str) -> Result<Option<Registered>, sqlx::Error> {
    let mut connection = database.read().acquire().await?;
    of_unit(&mut connection, serial, credit_code).await
}

/// The certificate that a business led to.
///
/// # Errors
/// The database's.
pub async fn of_application(database: &Database, application: i64) -> Result<Option<Registered>, sqlx::Error> {
    let sql = format!("SELECT {COLUMNS} FROM certificates WHERE application = ?");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(application).fetch_optional(database.read()).await?;
    row.as_ref().map(read).transpose()
}

/// The business that led to the key of the certificate of this serial number: a renewed one has the key of the one that it renews.
///
/// # Errors
/// The database's.
pub async fn key_of(database: &Database, serial: &str) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "WITH RECURSIVE earlier (serial, renews, application) AS (SELECT serial, renews, application FROM certificates WHERE serial = ? \
         UNION SELECT older.serial, older.renews, older.application FROM certificates AS older JOIN earlier ON older.serial = earlier.renews) \
         SELECT application FROM earlier WHERE renews IS NULL",
    )
    .bind(serial.to_ascii_lowercase())
    .fetch_optional(database.read())
    .await
}

/// Whether the certificate of this serial number was renewed.
pub(super) async fn is_renewed(connection: &mut SqliteConnection, serial: &str) -> Result<bool, sqlx::Error> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT application FROM certificates WHERE renews = ?").bind(serial.to_ascii_lowercase()).fetch_optional(connection).await?;
    Ok(found.is_some())
}

/// Registers a renewed certificate beside the one that it renews, for a business that waits for it; what was there for the business
/// before stays.
///
/// # Errors
/// [`NotDone`]; [`NotDone::Renewed`] where another business renewed it.
pub async fn renew(database: &Database, application: &Application, old: &Registered, certificate: &Certificate, seal: Option<&[u8]>) -> Result<(), NotDone> {
    let (serial, credit_code) = (certificate.serial_hex(), application.values.get("creditCode").map_or("", String::as_str));
    let mut transaction = database.begin().await?;
    let there: Option<i64> =
        sqlx::query_scalar("SELECT id FROM certificates WHERE application = ?").bind(application.id).fetch_optional(&mut *transaction).await?;
    if there.is_some() {
        return Ok(());
    }
    let inserted = sqlx::query(
        "INSERT INTO certificates (application, serial, credit_code, request_sha256, der, not_before, not_after, seal, renews) \
         SELECT ?, ?, ?, ?, ?, ?, ?, ?, serial FROM certificates WHERE serial = ? AND revoked_at IS NULL",
    )
    .bind(application.id)
    .bind(serial)
    .bind(credit_code)
    .bind(&old.request_sha256)
    .bind(certificate.der())
    .bind(certificate.not_before())
    .bind(certificate.not_after())
    .bind(seal)
    .bind(&old.serial)
    .execute(&mut *transaction)
    .await;
    match inserted {
        Ok(_) => Ok(transaction.commit().await?),
        Err(error) if is_duplicate(&error) => Err(NotDone::Renewed),
        Err(error) => Err(error.into()),
    }
}

/// Revokes a certificate with all others of its key: where the key is gone, what was renewed on it is gone too.
pub(super) async fn revoke(transaction: &mut Transaction<'_, Sqlite>, serial: &str, now: i64) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE certificates SET revoked_at = ? \
         WHERE request_sha256 = (SELECT request_sha256 FROM certificates WHERE serial = ?) AND revoked_at IS NULL",
    )
    .bind(now)
    .bind(serial.to_ascii_lowercase())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Notes a grant that was signed.
///
/// # Errors
/// The database's.
pub async fn note_grant(database: &Database, jti: &str, application: i64, request_sha256: &str, now: i64, expires_at: i64) -> Result<(), sqlx::Error> {
    let mut transaction = database.begin().await?;
    // Unused grants of this business are worth nothing once there is a newer one.
    sqlx::query("DELETE FROM grants WHERE application = ? AND used_at IS NULL").bind(application).execute(&mut *transaction).await?;
    sqlx::query("INSERT INTO grants (jti, application, request_sha256, issued_at, expires_at) VALUES (?, ?, ?, ?, ?)")
        .bind(jti)
        .bind(application)
        .bind(request_sha256)
        .bind(now)
        .bind(expires_at)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}

/// Uses the grant, registers the certificate and moves the business on, or does nothing at all. `Ok(None)`: the grant is
/// unknown, used, over, or was for another request.
///
/// # Errors
/// [`NotDone`].
pub async fn activate(
    database: &Database,
    vault: &Vault,
    profile: &Profile,
    doing: &Doing<'_>,
    activation: &Activation<'_>,
) -> Result<Option<Application>, NotDone> {
    let mut transaction = database.begin().await?;
    let used = sqlx::query("UPDATE grants SET used_at = ? WHERE jti = ? AND application = ? AND request_sha256 = ? AND used_at IS NULL AND expires_at > ?")
        .bind(doing.now)
        .bind(activation.jti)
        .bind(doing.id)
        .bind(activation.request_sha256)
        .bind(doing.now)
        .execute(&mut *transaction)
        .await?;
    if used.rows_affected() != 1 {
        return Ok(None);
    }
    let after = perform_in(&mut transaction, vault, profile, doing).await?;
    let (not_before, not_after) = activation.validity;
    sqlx::query(
        "INSERT INTO certificates (application, serial, credit_code, request_sha256, der, not_before, not_after, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(doing.id)
    .bind(activation.serial)
    .bind(after.values.get("creditCode").map_or("", String::as_str))
    .bind(activation.request_sha256)
    .bind(activation.der)
    .bind(not_before)
    .bind(not_after)
    .bind(activation.seal)
    .execute(&mut *transaction)
    .await?;
    if let Some(old) = activation.replaces {
        // Two businesses may have been begun for one certificate: the first takes its place, the second finds it taken.
        let taken = sqlx::query("UPDATE certificates SET revoked_at = ? WHERE serial = ? AND revoked_at IS NULL AND not_after > ?")
            .bind(doing.now)
            .bind(old.to_ascii_lowercase())
            .bind(doing.now)
            .execute(&mut *transaction)
            .await?;
        if taken.rows_affected() != 1 {
            return Err(NotDone::Refused(Refused::Need(Need::ValidCertificate)));
        }
        revoke(&mut transaction, old, doing.now).await?;
    }
    transaction.commit().await?;
    Ok(Some(after))
}

fn read(row: &SqliteRow) -> Result<Registered, sqlx::Error> {
    Ok(Registered {
        serial: row.try_get("serial")?,
        der: row.try_get("der")?,
        request_sha256: row.try_get("request_sha256")?,
        not_before: row.try_get("not_before")?,
        not_after: row.try_get("not_after")?,
        revoked_at: row.try_get("revoked_at")?,
        seal: row.try_get("seal")?,
    })
}
