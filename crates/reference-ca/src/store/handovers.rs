//! Hand-overs from portals. A token is taken once; what it said waits under a ticket for the applicant's 【同意并继续】, for a
//! quarter of an hour. A business remembers the account it came from.

use sqlx::{Row, Sqlite, Transaction};

use super::applications::NotDone;
use super::{Database, foreign, is_duplicate, sha256_hex};
use crate::handover::Handover;
use crate::vault::Vault;

/// Seconds that a ticket waits for its owner to read the notice.
const TICKET_LIFE: i64 = 15 * 60;

/// Takes a token that was checked; `false`: it was used before.
///
/// # Errors
/// [`NotDone`].
pub async fn take(database: &Database, vault: &Vault, claims: &Handover, ticket: &str, now: i64) -> Result<bool, NotDone> {
    let ticket = sha256_hex(ticket.as_bytes());
    let text = serde_json::to_vec(claims).map_err(|error| foreign(&error.to_string()))?;
    let mut transaction = database.begin().await?;
    let taken = sqlx::query("INSERT INTO handovers (jti, portal, account, ticket_sha256, claims_sealed, expires_at) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(&claims.jti)
        .bind(&claims.iss)
        .bind(&claims.sub)
        .bind(&ticket)
        .bind(vault.seal(&place(&ticket), &text)?)
        .bind(now.saturating_add(TICKET_LIFE))
        .execute(&mut *transaction)
        .await;
    match taken {
        Ok(_) => {
            transaction.commit().await?;
            Ok(true)
        }
        Err(error) if is_duplicate(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What waits under a ticket; it stays there, so that a page can be shown again.
///
/// # Errors
/// The database's.
pub async fn waiting(database: &Database, vault: &Vault, ticket: &str, now: i64) -> Result<Option<Handover>, sqlx::Error> {
    let ticket = sha256_hex(ticket.as_bytes());
    let row = sqlx::query("SELECT claims_sealed FROM handovers WHERE ticket_sha256 = ? AND used_at IS NULL AND expires_at > ?")
        .bind(&ticket)
        .bind(now)
        .fetch_optional(database.read())
        .await?;
    row.map(|row| {
        let sealed: Vec<u8> = row.try_get("claims_sealed")?;
        let plain = vault.unseal(&place(&ticket), &sealed).map_err(|error| foreign(&error.to_string()))?;
        serde_json::from_slice(&plain).map_err(|error| foreign(&error.to_string()))
    })
    .transpose()
}

/// A hand-over that its owner agreed to.
#[derive(Debug, Clone, Copy)]
pub struct Handed<'a> {
    /// Under which it waits.
    pub ticket: &'a str,
    /// What it said.
    pub claims: &'a Handover,
}

/// Uses the ticket up and opens every business of the account in a session (R100).
///
/// # Errors
/// [`NotDone`]; [`NotDone::Ticket`] for whoever comes second, and then nothing is opened.
pub async fn open(database: &Database, handed: &Handed<'_>, session: &str, now: i64) -> Result<(), NotDone> {
    let mut transaction = database.begin().await?;
    open_in(&mut transaction, handed, session, now).await?;
    transaction.commit().await?;
    Ok(())
}

/// The same inside a transaction that does more.
pub(super) async fn open_in(transaction: &mut Transaction<'_, Sqlite>, handed: &Handed<'_>, session: &str, now: i64) -> Result<(), NotDone> {
    let used = sqlx::query("UPDATE handovers SET used_at = ? WHERE ticket_sha256 = ? AND used_at IS NULL AND expires_at > ?")
        .bind(now)
        .bind(sha256_hex(handed.ticket.as_bytes()))
        .bind(now)
        .execute(&mut **transaction)
        .await?;
    if used.rows_affected() != 1 {
        return Err(NotDone::Ticket);
    }
    sqlx::query("INSERT INTO openings (session, application) SELECT ?, application FROM origins WHERE portal = ? AND account = ? ON CONFLICT DO NOTHING")
        .bind(session)
        .bind(&handed.claims.iss)
        .bind(&handed.claims.sub)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Notes where a business came from.
pub(super) async fn belongs(transaction: &mut Transaction<'_, Sqlite>, application: i64, claims: &Handover) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO origins (application, portal, account) VALUES (?, ?, ?)")
        .bind(application)
        .bind(&claims.iss)
        .bind(&claims.sub)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// The portal and the account that a business came from.
///
/// # Errors
/// The database's.
pub async fn origin_of(database: &Database, application: i64) -> Result<Option<(String, String)>, sqlx::Error> {
    let row = sqlx::query("SELECT portal, account FROM origins WHERE application = ?").bind(application).fetch_optional(database.read()).await?;
    row.map(|row| Ok((row.try_get("portal")?, row.try_get("account")?))).transpose()
}

fn place(ticket: &str) -> String {
    format!("handover:{ticket}")
}
