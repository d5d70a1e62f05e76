//! The register of certificates and of the grants that they were issued against. A grant is used once, a business has one
//! certificate, and both are decided in the transaction that writes the certificate.

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Row, Sqlite, Transaction};

use super::Database;
use super::applications::{Application, Doing, NotDone, perform_in};
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

/// The business that led to the certificate of this serial number.
///
/// # Errors
/// The database's.
pub async fn application_of(database: &Database, serial: &str) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar("SELECT application FROM certificates WHERE serial = ?").bind(serial.to_ascii_lowercase()).fetch_optional(database.read()).await
}

pub(super) async fn revoke(transaction: &mut Transaction<'_, Sqlite>, serial: &str, now: i64) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE certificates SET revoked_at = ? WHERE serial = ? AND revoked_at IS NULL")
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
