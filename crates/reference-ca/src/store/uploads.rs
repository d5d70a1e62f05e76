//! What applicants send in: the bytes in files under the vault's encryption, one file for each slot, the rest in a row. A
//! new file for a slot replaces the old one. A file is on the disk before its row says so; what no row names is swept away.

use std::io::Write;
use std::path::{Path, PathBuf};

use sqlx::{Row, Sqlite, Transaction};

use super::applications::File;
use super::{Database, hex, sha256_hex};
use crate::error::DeskError;
use crate::vault::Vault;

/// A file that was sent in.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Names it in addresses.
    pub id: i64,
    /// Whose.
    pub application: i64,
    /// The slot.
    pub slot: String,
    /// What it is.
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    /// SHA-256 of the bytes.
    pub sha256: String,
    /// Unix seconds.
    pub created_at: i64,
    /// Whether a machine read this business's number on it; `None` where the slot takes no form.
    pub form: Option<bool>,
    file: String,
}

/// Why a file was not kept or not found.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The disk or the vault.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// The database.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}

/// Encrypts and writes the bytes; the row is written by [`put`], in the caller's transaction.
///
/// # Errors
/// [`DeskError`].
pub fn write(folder: &Path, vault: &Vault, bytes: &[u8]) -> Result<String, DeskError> {
    let mut name = [0_u8; 16];
    getrandom::fill(&mut name)?;
    let name = hex(&name);
    let sealed = vault.seal(&place(&name), bytes)?;
    let (part, file) = (folder.join(format!("{name}.part")), folder.join(&name));
    let mut out = std::fs::File::create_new(&part).map_err(DeskError::file(&part))?;
    out.write_all(&sealed).and_then(|()| out.sync_all()).map_err(DeskError::file(&part))?;
    std::fs::rename(&part, &file).map_err(DeskError::file(&file))?;
    Ok(name)
}

/// Notes a written file as the slot's; answers the file that it replaces.
///
/// # Errors
/// The database's.
pub(super) async fn put(transaction: &mut Transaction<'_, Sqlite>, application: i64, file: &File<'_>, now: i64) -> Result<Option<String>, sqlx::Error> {
    let old =
        sqlx::query("SELECT file FROM uploads WHERE application = ? AND slot = ?").bind(application).bind(file.slot).fetch_optional(&mut **transaction).await?;
    sqlx::query(
        "INSERT INTO uploads (application, slot, media_type, size, sha256, file, created_at, form) VALUES (?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (application, slot) DO UPDATE SET media_type = excluded.media_type, size = excluded.size, sha256 = excluded.sha256, \
         file = excluded.file, created_at = excluded.created_at, form = excluded.form",
    )
    .bind(application)
    .bind(file.slot)
    .bind(file.content.media_type())
    .bind(i64::try_from(file.bytes.len()).unwrap_or(i64::MAX))
    .bind(sha256_hex(file.bytes))
    .bind(file.name)
    .bind(now)
    .bind(file.form.map(|own| if own { "own" } else { "unread" }))
    .execute(&mut **transaction)
    .await?;
    old.map(|row| row.try_get("file")).transpose()
}

/// The slots that hold a file.
pub(super) async fn filled(transaction: &mut Transaction<'_, Sqlite>, application: i64) -> Result<Vec<String>, sqlx::Error> {
    let rows = sqlx::query("SELECT slot FROM uploads WHERE application = ?").bind(application).fetch_all(&mut **transaction).await?;
    rows.iter().map(|row| row.try_get("slot")).collect()
}

/// The files of one business.
///
/// # Errors
/// The database's.
pub async fn of(database: &Database, application: i64) -> Result<Vec<Upload>, sqlx::Error> {
    let rows = sqlx::query("SELECT id, application, slot, media_type, size, sha256, file, created_at, form FROM uploads WHERE application = ? ORDER BY id")
        .bind(application)
        .fetch_all(database.read())
        .await?;
    rows.iter().map(read).collect()
}

/// One file's row.
///
/// # Errors
/// The database's.
pub async fn by_id(database: &Database, id: i64) -> Result<Option<Upload>, sqlx::Error> {
    let row = sqlx::query("SELECT id, application, slot, media_type, size, sha256, file, created_at, form FROM uploads WHERE id = ?")
        .bind(id)
        .fetch_optional(database.read())
        .await?;
    row.as_ref().map(read).transpose()
}

/// Its bytes.
///
/// # Errors
/// [`DeskError`] where the file is gone or was changed.
pub fn bytes(folder: &Path, vault: &Vault, upload: &Upload) -> Result<Vec<u8>, DeskError> {
    let path = folder.join(&upload.file);
    let sealed = std::fs::read(&path).map_err(DeskError::file(&path))?;
    let plain = vault.unseal(&place(&upload.file), &sealed).map_err(|error| DeskError::Content { path: path.clone(), what: error.to_string() })?;
    if sha256_hex(&plain) != upload.sha256 {
        return Err(DeskError::Content { path, what: "other bytes than were sent in".to_owned() });
    }
    Ok(plain)
}

/// Removes a file; one that is gone already is no error.
pub fn remove(folder: &Path, file: &str) {
    let _gone = std::fs::remove_file(folder.join(file));
}

/// Removes files that no row names: what a killed desk left half done, or a crash between two steps.
///
/// # Errors
/// The database's.
pub async fn sweep(database: &Database, folder: &Path) -> Result<u64, sqlx::Error> {
    let rows = sqlx::query("SELECT file FROM uploads").fetch_all(database.write()).await?;
    let known: std::collections::BTreeSet<String> = rows.iter().map(|row| row.try_get("file")).collect::<Result<_, _>>()?;
    let mut removed = 0_u64;
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path: PathBuf = entry.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if !known.contains(&name) && std::fs::remove_file(&path).is_ok() {
            removed = removed.saturating_add(1);
        }
    }
    Ok(removed)
}

fn place(file: &str) -> String {
    format!("upload:{file}")
}

fn read(row: &sqlx::sqlite::SqliteRow) -> Result<Upload, sqlx::Error> {
    Ok(Upload {
        id: row.try_get("id")?,
        application: row.try_get("application")?,
        slot: row.try_get("slot")?,
        media_type: row.try_get("media_type")?,
        size: row.try_get("size")?,
        sha256: row.try_get("sha256")?,
        created_at: row.try_get("created_at")?,
        form: row.try_get::<Option<String>, _>("form")?.map(|form| form == "own"),
        file: row.try_get("file")?,
    })
}
