//! The register of certificates and of the grants that they were issued against. A grant is used once, a business has one
//! certificate, and both are decided in the transaction that writes the certificate.

use sealbridge_pki::Certificate;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Row, Sqlite, Transaction};

use super::applications::{Application, Doing, NotDone, perform_in};
use super::{Database, is_duplicate};
use crate::business::fields::Values;
use crate::business::table::Need;
use crate::business::{Kind, Refused};
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

/// Why a certificate is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The key may be in others' hands.
    KeyCompromise,
    /// What the certificate says about its holder is not so any more.
    AffiliationChanged,
    /// Another one takes its place.
    Superseded,
    /// It is not needed any more.
    Cessation,
}

impl Reason {
    /// Of a business that puts an end to a certificate, by what was typed into it.
    #[must_use]
    pub fn of(kind: Kind, values: &Values) -> Self {
        match (kind, values.get("reason").map(String::as_str)) {
            (Kind::Change, _) => Self::AffiliationChanged,
            (_, Some("lost")) => Self::KeyCompromise,
            (Kind::Revoke, _) => Self::Cessation,
            _ => Self::Superseded,
        }
    }

    /// CRLReason (RFC 5280, 5.3.1).
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::KeyCompromise => 1,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::Cessation => 5,
        }
    }
}

/// A revocation that revocation lists and OCSP do not say yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpublished {
    /// Serial number, lower-case hexadecimal.
    pub serial: String,
    /// Unix seconds.
    pub at: i64,
    /// CRLReason (RFC 5280, 5.3.1).
    pub reason: u8,
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
pub(super) async fn revoke(transaction: &mut Transaction<'_, Sqlite>, serial: &str, why: Reason, now: i64) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE certificates SET revoked_at = ?, revoked_reason = ? \
         WHERE request_sha256 = (SELECT request_sha256 FROM certificates WHERE serial = ?) AND revoked_at IS NULL",
    )
    .bind(now)
    .bind(i64::from(why.number()))
    .bind(serial.to_ascii_lowercase())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Revocations that the CA's own record has not learned of yet.
///
/// # Errors
/// The database's.
pub async fn unpublished(database: &Database) -> Result<Vec<Unpublished>, sqlx::Error> {
    let rows = sqlx::query("SELECT serial, revoked_at, revoked_reason FROM certificates WHERE revoked_at IS NOT NULL AND published_at IS NULL")
        .fetch_all(database.read())
        .await?;
    rows.iter()
        .map(|row| {
            let reason: Option<i64> = row.try_get("revoked_reason")?;
            // Revoked before reasons were kept: 0, unspecified.
            let reason = reason.and_then(|reason| u8::try_from(reason).ok()).unwrap_or(0);
            Ok(Unpublished { serial: row.try_get("serial")?, at: row.try_get("revoked_at")?, reason })
        })
        .collect()
}

/// Lists and OCSP say it from now on.
///
/// # Errors
/// The database's.
pub async fn note_published(database: &Database, serial: &str, now: i64) -> Result<(), sqlx::Error> {
    let mut transaction = database.begin().await?;
    sqlx::query("UPDATE certificates SET published_at = ? WHERE serial = ?").bind(now).bind(serial).execute(&mut *transaction).await?;
    transaction.commit().await
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
        let why = Reason::of(after.case.kind, &after.values);
        let taken = sqlx::query("UPDATE certificates SET revoked_at = ?, revoked_reason = ? WHERE serial = ? AND revoked_at IS NULL AND not_after > ?")
            .bind(doing.now)
            .bind(i64::from(why.number()))
            .bind(old.to_ascii_lowercase())
            .bind(doing.now)
            .execute(&mut *transaction)
            .await?;
        if taken.rows_affected() != 1 {
            return Err(NotDone::Refused(Refused::Need(Need::ValidCertificate)));
        }
        revoke(&mut transaction, old, why, doing.now).await?;
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
