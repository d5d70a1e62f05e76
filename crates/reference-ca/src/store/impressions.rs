//! Impressions of seals: what was read out of the scan that lies in a slot, and which of them an officer picked. A new scan takes
//! the place of the old one's; the clearest is picked until somebody picks another (R31). Seals that wait for their installation lie here too.

use sqlx::{Row, Sqlite, Transaction};

use super::applications::{Application, Doing, NotDone, perform_in};
use super::{Database, foreign};
use crate::business::{Refused, State};
use crate::profile::Profile;
use crate::scan::{Impression, Measures};
use crate::vault::Vault;

/// An impression without its pictures.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its place on the sheet, from 1.
    pub ordinal: i64,
    /// True side of its picture.
    pub millimetres: u32,
    /// What was measured.
    pub measures: Measures,
    /// Whether it is the one.
    pub picked: bool,
}

/// Which picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The scan's own pixels, JPEG.
    Before,
    /// The clean picture, PNG.
    After,
}

/// Takes these in the place of what was known; with none, forgets.
pub(super) async fn replace(transaction: &mut Transaction<'_, Sqlite>, vault: &Vault, application: i64, found: &[Impression]) -> Result<(), NotDone> {
    sqlx::query("DELETE FROM impressions WHERE application = ?").bind(application).execute(&mut **transaction).await?;
    let best = found.iter().enumerate().max_by_key(|(index, one)| (one.measures.score, std::cmp::Reverse(*index))).map(|(index, _)| index);
    for (index, one) in found.iter().enumerate() {
        let ordinal = i64::try_from(index).unwrap_or_default().saturating_add(1);
        sqlx::query("INSERT INTO impressions (application, ordinal, millimetres, measures, before_sealed, after_sealed, picked) VALUES (?, ?, ?, ?, ?, ?, ?)")
            .bind(application)
            .bind(ordinal)
            .bind(one.millimetres)
            .bind(serde_json::to_string(&one.measures).map_err(|error| foreign(&error.to_string()))?)
            .bind(vault.seal(&place(application, ordinal, Side::Before), &one.before)?)
            .bind(vault.seal(&place(application, ordinal, Side::After), &one.after)?)
            .bind(Some(index) == best)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

/// The impressions of a business, in the order of the sheet.
///
/// # Errors
/// The database's.
pub async fn of(database: &Database, application: i64) -> Result<Vec<Known>, sqlx::Error> {
    let rows = sqlx::query("SELECT ordinal, millimetres, measures, picked FROM impressions WHERE application = ? ORDER BY ordinal")
        .bind(application)
        .fetch_all(database.read())
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Known {
                ordinal: row.try_get("ordinal")?,
                millimetres: row.try_get("millimetres")?,
                measures: serde_json::from_str(row.try_get("measures")?).map_err(|error| foreign(&error.to_string()))?,
                picked: row.try_get("picked")?,
            })
        })
        .collect()
}

/// One picture.
///
/// # Errors
/// The database's, also where the vault does not open it.
pub async fn picture(database: &Database, vault: &Vault, application: i64, ordinal: i64, side: Side) -> Result<Option<Vec<u8>>, sqlx::Error> {
    let row = sqlx::query("SELECT before_sealed, after_sealed FROM impressions WHERE application = ? AND ordinal = ?")
        .bind(application)
        .bind(ordinal)
        .fetch_optional(database.read())
        .await?;
    let column = match side {
        Side::Before => "before_sealed",
        Side::After => "after_sealed",
    };
    row.map(|row| {
        let sealed: Vec<u8> = row.try_get(column)?;
        vault.unseal(&place(application, ordinal, side), &sealed).map_err(|error| foreign(&error.to_string()))
    })
    .transpose()
}

/// The picture that was picked, with its true side in millimetres.
///
/// # Errors
/// As [`picture`].
pub async fn picked(database: &Database, vault: &Vault, application: i64) -> Result<Option<(Vec<u8>, u32)>, sqlx::Error> {
    let Some(known) = of(database, application).await?.into_iter().find(|known| known.picked) else { return Ok(None) };
    Ok(picture(database, vault, application, known.ordinal, Side::After).await?.map(|png| (png, known.millimetres)))
}

/// An officer picks another one: an act of the business, with its line in the history.
///
/// # Errors
/// [`NotDone`]; [`NotDone::Gone`] where there is no such impression.
pub async fn pick(database: &Database, vault: &Vault, profile: &Profile, doing: &Doing<'_>, ordinal: i64) -> Result<Application, NotDone> {
    let mut transaction = database.begin().await?;
    let after = perform_in(&mut transaction, vault, profile, doing).await?;
    sqlx::query("UPDATE impressions SET picked = 0 WHERE application = ?").bind(doing.id).execute(&mut *transaction).await?;
    let picked =
        sqlx::query("UPDATE impressions SET picked = 1 WHERE application = ? AND ordinal = ?").bind(doing.id).bind(ordinal).execute(&mut *transaction).await?;
    if picked.rows_affected() != 1 {
        return Err(NotDone::Gone);
    }
    transaction.commit().await?;
    Ok(after)
}

/// The seal that was made for a business about an existing certificate.
///
/// # Errors
/// The database's.
pub async fn seal_of(database: &Database, application: i64) -> Result<Option<Vec<u8>>, sqlx::Error> {
    let row = sqlx::query("SELECT der FROM seals WHERE application = ?").bind(application).fetch_optional(database.read()).await?;
    row.map(|row| row.try_get("der")).transpose()
}

/// Keeps a seal that was made; whoever is second gets the first one's.
///
/// # Errors
/// The database's.
pub async fn keep_seal(database: &Database, application: i64, serial: &str, der: &[u8], now: i64) -> Result<Vec<u8>, sqlx::Error> {
    let mut transaction = database.begin().await?;
    sqlx::query("INSERT INTO seals (application, serial, der, made_at) VALUES (?, ?, ?, ?) ON CONFLICT (application) DO NOTHING")
        .bind(application)
        .bind(serial.to_ascii_lowercase())
        .bind(der)
        .bind(now)
        .execute(&mut *transaction)
        .await?;
    let kept: Vec<u8> = sqlx::query("SELECT der FROM seals WHERE application = ?").bind(application).fetch_one(&mut *transaction).await?.try_get("der")?;
    transaction.commit().await?;
    Ok(kept)
}

/// The seal is on the key: the business ends, and the register knows the seal as the certificate's one seal (R10).
///
/// # Errors
/// [`NotDone`]; a seal that was never made cannot have been installed.
pub async fn installed(database: &Database, vault: &Vault, profile: &Profile, doing: &Doing<'_>) -> Result<Application, NotDone> {
    let mut transaction = database.begin().await?;
    let moved = sqlx::query(
        "UPDATE certificates SET seal = (SELECT der FROM seals WHERE application = ?1) \
         WHERE serial = (SELECT serial FROM seals WHERE application = ?1)",
    )
    .bind(doing.id)
    .execute(&mut *transaction)
    .await?;
    if moved.rows_affected() != 1 {
        return Err(NotDone::Refused(Refused::State { state: State::Installable, act: doing.act }));
    }
    let after = perform_in(&mut transaction, vault, profile, doing).await?;
    transaction.commit().await?;
    Ok(after)
}

fn place(application: i64, ordinal: i64, side: Side) -> String {
    format!("impression:{application}:{ordinal}:{side:?}")
}
