//! The portals that may ask: their keys, origins and trust anchors. A key is shown once, when it is made, and stored as
//! its SHA-256: it has 256 random bits, so nothing is gained by hashing it slowly.

use sealbridge_relying_party::StatusDemand;
use serde::{Deserialize, Serialize};
use sqlx::Row;

use super::audit::Entry;
use super::{Database, sha256_hex};

/// What a portal is, as it was set on the command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {
    /// Its own origins, as browsers write them.
    pub origins: Vec<String>,
    /// Root certificates that statements and seals must lead to (PEM).
    pub trust: String,
    /// Certificates between roots and holders, for chains that come incomplete (PEM); not trusted by themselves.
    #[serde(default)]
    pub intermediates: String,
    /// Certificates of seal makers that are trusted by themselves (PEM).
    #[serde(default)]
    pub seal_makers: String,
    /// Revoked certificates, by SHA-256, with the time of revocation (unix seconds); `None`: there is no such list.
    #[serde(default)]
    pub revocation: Option<Revoked>,
    /// What is demanded of the word of the certificates' own authorities, which the service asks.
    #[serde(default)]
    pub status: StatusDemand,
}

/// The portal's present list of revoked certificates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Revoked {
    /// SHA-256 of each certificate and since when, in unix seconds.
    pub revoked: std::collections::BTreeMap<String, i64>,
    /// Until when the list is fresh, in unix seconds.
    pub fresh_until: i64,
}

/// A key as the operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    /// Its number, which may be shown.
    pub id: String,
    /// The portal.
    pub portal: String,
    /// What the operator wrote to it.
    pub label: String,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<i64>,
}

/// Makes a portal, or changes it.
///
/// # Errors
/// The database's.
pub async fn put(database: &Database, id: &str, settings: &str, now: i64) -> Result<(), sqlx::Error> {
    let (id, settings) = (id.to_owned(), settings.to_owned());
    database
        .writer()
        .write(move |batch| {
            let (id, settings) = (id.clone(), settings.clone());
            Box::pin(async move {
                sqlx::query("INSERT INTO portals (id, settings, created_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET settings = excluded.settings")
                    .bind(&id)
                    .bind(&settings)
                    .bind(now)
                    .execute(batch.connection())
                    .await?;
                batch.record(Entry { at: now, portal: id, action: "portal-set".into(), outcome: "ok".into(), material: settings, ..Entry::default() });
                Ok(())
            })
        })
        .await
        .map(|_| ())
}

/// Every portal and its settings, as JSON.
///
/// # Errors
/// The database's.
pub async fn all(database: &Database) -> Result<Vec<(String, String)>, sqlx::Error> {
    let rows = sqlx::query("SELECT id, settings FROM portals ORDER BY id").fetch_all(database.read()).await?;
    rows.iter().map(|row| Ok((row.try_get("id")?, row.try_get("settings")?))).collect()
}

/// The portal and settings behind a key that is not revoked.
///
/// # Errors
/// The database's.
pub async fn by_key(database: &Database, key: &str) -> Result<Option<(String, String)>, sqlx::Error> {
    let row = sqlx::query("SELECT p.id, p.settings FROM api_keys k JOIN portals p ON p.id = k.portal WHERE k.key_sha256 = $1 AND k.revoked_at IS NULL")
        .bind(sha256_hex(key.as_bytes()))
        .fetch_optional(database.read())
        .await?;
    row.map(|row| Ok((row.try_get("id")?, row.try_get("settings")?))).transpose()
}

/// Stores a new key; `false` where there is no such portal.
///
/// # Errors
/// The database's.
pub async fn add_key(database: &Database, id: &str, portal: &str, key: &str, label: &str, now: i64) -> Result<bool, sqlx::Error> {
    let (id, portal, label, hash) = (id.to_owned(), portal.to_owned(), label.to_owned(), sha256_hex(key.as_bytes()));
    let written = database
        .writer()
        .write(move |batch| {
            let (id, portal, label, hash) = (id.clone(), portal.clone(), label.clone(), hash.clone());
            Box::pin(async move {
                if sqlx::query("SELECT id FROM portals WHERE id = $1").bind(&portal).fetch_optional(batch.connection()).await?.is_none() {
                    return Ok(false);
                }
                sqlx::query("INSERT INTO api_keys (id, portal, key_sha256, label, created_at) VALUES ($1, $2, $3, $4, $5)")
                    .bind(&id)
                    .bind(&portal)
                    .bind(&hash)
                    .bind(&label)
                    .bind(now)
                    .execute(batch.connection())
                    .await?;
                batch.record(Entry { at: now, portal, action: "key-create".into(), outcome: "ok".into(), detail: id, ..Entry::default() });
                Ok(true)
            })
        })
        .await?;
    Ok(written.value)
}

/// Revokes a key; `false` where there is none with this number that is still good.
///
/// # Errors
/// The database's.
pub async fn revoke_key(database: &Database, id: &str, now: i64) -> Result<bool, sqlx::Error> {
    let id = id.to_owned();
    let written = database
        .writer()
        .write(move |batch| {
            let id = id.clone();
            Box::pin(async move {
                let row = sqlx::query("UPDATE api_keys SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL RETURNING portal")
                    .bind(now)
                    .bind(&id)
                    .fetch_optional(batch.connection())
                    .await?;
                let Some(row) = row else { return Ok(false) };
                let portal = row.try_get("portal")?;
                batch.record(Entry { at: now, portal, action: "key-revoke".into(), outcome: "ok".into(), detail: id, ..Entry::default() });
                Ok(true)
            })
        })
        .await?;
    Ok(written.value)
}

/// Every key.
///
/// # Errors
/// The database's.
pub async fn keys(database: &Database) -> Result<Vec<Key>, sqlx::Error> {
    let rows = sqlx::query("SELECT id, portal, label, created_at, revoked_at FROM api_keys ORDER BY created_at, id").fetch_all(database.read()).await?;
    let read = |row: &sqlx::any::AnyRow| {
        Ok(Key {
            id: row.try_get("id")?,
            portal: row.try_get("portal")?,
            label: row.try_get("label")?,
            created_at: row.try_get("created_at")?,
            revoked_at: row.try_get("revoked_at")?,
        })
    };
    rows.iter().map(read).collect()
}
