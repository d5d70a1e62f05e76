//! What happened, in the order in which it happened: every act of every business, chained by SHA-256, so that a row that
//! was changed or taken out shows. Notes are sealed and take part in the chain by their sealed bytes.

use sqlx::sqlite::SqliteConnection;
use sqlx::{Row, Sqlite, Transaction};

use super::{Database, foreign, sha256_hex};
use crate::business::{Act, Actor, State};
use crate::vault::Vault;

/// An act that was done.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Unix seconds.
    pub at: i64,
    /// The officer's name, where an officer did it.
    pub officer: Option<String>,
    /// `applicant`, `officer` or `desk`.
    pub actor: String,
    /// The act.
    pub act: Act,
    /// Where it led.
    pub to: State,
    /// What was said to it.
    pub note: String,
}

/// Where the chain is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The first row that does not fit.
    pub row: i64,
}

/// What is written.
#[derive(Debug)]
pub(super) struct New<'a> {
    pub(super) application: i64,
    pub(super) actor: Actor,
    pub(super) act: &'a str,
    pub(super) from: State,
    pub(super) to: State,
    pub(super) note: &'a [u8],
}

pub(super) async fn append(transaction: &mut Transaction<'_, Sqlite>, new: &New<'_>, now: i64) -> Result<(), sqlx::Error> {
    let last = sqlx::query("SELECT digest FROM history ORDER BY id DESC LIMIT 1").fetch_optional(&mut **transaction).await?;
    let previous: String = last.map(|row| row.try_get("digest")).transpose()?.unwrap_or_default();
    let (officer, actor) = match new.actor {
        Actor::Officer(id) => (Some(id), "officer"),
        Actor::Applicant => (None, "applicant"),
        Actor::Desk => (None, "desk"),
    };
    let digest = digest(&previous, new.application, now, officer, actor, new.act, [new.from.as_str(), new.to.as_str()], new.note);
    sqlx::query(
        "INSERT INTO history (application, at, officer, actor, act, from_state, to_state, note_sealed, previous, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(new.application)
    .bind(now)
    .bind(officer)
    .bind(actor)
    .bind(new.act)
    .bind(new.from.as_str())
    .bind(new.to.as_str())
    .bind(new.note)
    .bind(previous)
    .bind(digest)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// The history of one business, oldest first.
///
/// # Errors
/// The database's.
pub async fn of(database: &Database, vault: &Vault, application: i64) -> Result<Vec<Entry>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT h.at, h.actor, h.act, h.to_state, h.note_sealed, o.name FROM history h LEFT JOIN officers o ON o.id = h.officer \
         WHERE h.application = ? ORDER BY h.id LIMIT 500",
    )
    .bind(application)
    .fetch_all(database.read())
    .await?;
    let mut entries = Vec::with_capacity(rows.len());
    for row in rows {
        let note: Vec<u8> = row.try_get("note_sealed")?;
        let note = if note.is_empty() { String::new() } else { text(vault, application, &note) };
        entries.push(Entry {
            at: row.try_get("at")?,
            officer: row.try_get("name")?,
            actor: row.try_get("actor")?,
            act: Act::from_name(row.try_get("act")?).ok_or_else(|| foreign("act"))?,
            to: State::from_name(row.try_get("to_state")?).ok_or_else(|| foreign("state"))?,
            note,
        });
    }
    Ok(entries)
}

/// Walks the whole chain.
///
/// # Errors
/// The database's.
pub async fn check(database: &Database) -> Result<Result<i64, Gap>, sqlx::Error> {
    let mut connection = database.read().acquire().await?;
    let (mut previous, mut after, mut count) = (String::new(), 0_i64, 0_i64);
    loop {
        let rows = page(&mut connection, after).await?;
        if rows.is_empty() {
            return Ok(Ok(count));
        }
        for row in rows {
            let id: i64 = row.try_get("id")?;
            let (actor, act, from, to): (String, String, String, String) =
                (row.try_get("actor")?, row.try_get("act")?, row.try_get("from_state")?, row.try_get("to_state")?);
            let note: Vec<u8> = row.try_get("note_sealed")?;
            let right = digest(&previous, row.try_get("application")?, row.try_get("at")?, row.try_get("officer")?, &actor, &act, [&from, &to], &note);
            if right != row.try_get::<String, _>("digest")? {
                return Ok(Err(Gap { row: id }));
            }
            (previous, after, count) = (right, id, count.saturating_add(1));
        }
    }
}

async fn page(connection: &mut SqliteConnection, after: i64) -> Result<Vec<sqlx::sqlite::SqliteRow>, sqlx::Error> {
    sqlx::query("SELECT id, application, at, officer, actor, act, from_state, to_state, note_sealed, digest FROM history WHERE id > ? ORDER BY id LIMIT 500")
        .bind(after)
        .fetch_all(connection)
        .await
}

pub(super) fn place(application: i64) -> String {
    format!("note:{application}")
}

fn text(vault: &Vault, application: i64, sealed: &[u8]) -> String {
    vault.unseal(&place(application), sealed).ok().and_then(|plain| String::from_utf8(plain).ok()).unwrap_or_default()
}

#[allow(clippy::too_many_arguments, reason = "one argument for each column that the chain covers")]
fn digest(previous: &str, application: i64, at: i64, officer: Option<i64>, actor: &str, act: &str, states: [&str; 2], note: &[u8]) -> String {
    let [from, to] = states;
    let note = sha256_hex(note);
    sha256_hex(format!("{previous}\n{application}\n{at}\n{}\n{actor}\n{act}\n{from}\n{to}\n{note}", officer.unwrap_or_default()).as_bytes())
}
