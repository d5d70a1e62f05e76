//! The businesses. What is typed is sealed; what moves a business is one act in one transaction: load, ask the state
//! machine, write, chain the history, write the messages. Two people at once, or one who clicks twice, meet the revision.

mod perform;

pub(in crate::store) use perform::perform_in;
pub use perform::{Doing, NotDone, needs_note, outstanding, perform, resend_code, try_code};

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, SqliteConnection, Transaction};

use super::handovers::{self, Handed};
use super::history::{self, New};
use super::{Database, foreign, impressions, sha256_hex, uploads};
use crate::business::fields::{self, Field, Values};
use crate::business::{Actor, Case, Facts, Kind, State, number};
use crate::calendar::Moment;
use crate::profile::Profile;
use crate::scan::Impression;
use crate::upload::Content;
use crate::vault::Vault;

/// A business as it is stored.
#[derive(Debug, Clone)]
pub struct Application {
    /// The row's number.
    pub id: i64,
    /// Its number for people.
    pub number: String,
    /// The institution.
    pub profile: String,
    /// Kind, state and facts.
    pub case: Case,
    /// Counted up by every change.
    pub revision: i64,
    /// Whether the unit came from the portal.
    pub prefilled: bool,
    /// The fee, fixed when it was submitted.
    pub fee_fen: i64,
    /// What was typed.
    pub values: Values,
    /// Unix seconds.
    pub created_at: i64,
    /// When the retention rule took the personal data away.
    pub cleared_at: Option<i64>,
}

/// A new business with its access code.
#[derive(Debug)]
pub struct Begun {
    /// Its number.
    pub number: String,
    /// What opens it elsewhere.
    pub code: String,
}

const COLUMNS: &str = "id, number, profile, kind, state, before, since, facts, revision, prefilled, fee_fen, fields_sealed, created_at, cleared_at";

/// What a business begins with.
#[derive(Debug)]
pub struct Start<'a> {
    /// The institution.
    pub profile: &'a Profile,
    /// What is asked for.
    pub kind: Kind,
    /// The session that begins it.
    pub session: &'a str,
    /// What is known already.
    pub values: Values,
    /// The hand-over that it comes from: it is used up, and the unit is not to be changed here.
    pub handed: Option<Handed<'a>>,
}

/// A file that was written and looked at.
#[derive(Debug)]
pub struct File<'a> {
    /// Its slot.
    pub slot: &'a str,
    /// What it is.
    pub content: Content,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Its name in the folder of uploads.
    pub name: &'a str,
    /// Whether a machine read this business's number on it; `None` where the slot takes no form.
    pub form: Option<bool>,
    /// The impressions that were read out of it; `None` for a slot that holds none.
    pub impressions: Option<&'a [Impression]>,
}

/// Begins a business in a session; with a hand-over all or nothing: a business that does not begin leaves the ticket as it was.
///
/// # Errors
/// [`NotDone`]; [`NotDone::Ticket`] for whoever comes second with a hand-over.
pub async fn begin(database: &Database, vault: &Vault, start: Start<'_>, now: i64) -> Result<Begun, NotDone> {
    let Start { profile, kind, session, mut values, handed } = start;
    let code = access_code()?;
    let case = Case::open(kind, Facts::default(), now);
    if let Some(term) = profile.terms.first()
        && fields::of(kind).any(|field| field.key == "termMonths")
    {
        values.entry("termMonths".to_owned()).or_insert_with(|| term.to_string());
    }
    if kind == Kind::New {
        // R25: ticked unless somebody takes the tick away.
        values.entry("sealService".to_owned()).or_insert_with(|| "yes".to_owned());
    }
    let mut transaction = database.begin().await?;
    if let Some(handed) = &handed {
        handovers::open_in(&mut transaction, handed, session, now).await?;
    }
    // The number needs the row's; the vault's place needs the number of the row too.
    let id = sqlx::query(
        "INSERT INTO applications (number, profile, kind, state, since, facts, revision, prefilled, fee_fen, fields_sealed, code_sha256, code_sealed, created_at) \
         VALUES ('-' || hex(randomblob(16)), ?, ?, ?, ?, '{}', 1, ?, 0, x'', ?, x'', ?)",
    )
    .bind(&profile.id)
    .bind(kind.as_str())
    .bind(case.state.as_str())
    .bind(now)
    .bind(handed.is_some())
    .bind(sha256_hex(code.as_bytes()))
    .bind(now)
    .execute(&mut *transaction)
    .await?
    .last_insert_rowid();
    let number = number::make(Moment::from_unix(now).yymmdd(), u64::try_from(id).unwrap_or_default());
    sqlx::query("UPDATE applications SET number = ?, fields_sealed = ?, code_sealed = ?, credit_code = ? WHERE id = ?")
        .bind(&number)
        .bind(seal_values(vault, id, &values)?)
        .bind(vault.seal(&format!("code:{id}"), code.as_bytes())?)
        .bind(values.get("creditCode").map_or("", String::as_str))
        .bind(id)
        .execute(&mut *transaction)
        .await?;
    sqlx::query("INSERT INTO openings (session, application) VALUES (?, ?)").bind(session).bind(id).execute(&mut *transaction).await?;
    if let Some(handed) = &handed {
        handovers::belongs(&mut transaction, id, handed.claims).await?;
    }
    transaction.commit().await?;
    Ok(Begun { number, code })
}

/// The business of this number, if it was opened in this session.
///
/// # Errors
/// The database's.
pub async fn opened(database: &Database, vault: &Vault, session: &str, number: &str) -> Result<Option<Application>, sqlx::Error> {
    let sql =
        format!("SELECT {COLUMNS} FROM applications WHERE number = ? AND EXISTS (SELECT 1 FROM openings WHERE session = ? AND application = applications.id)");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(number).bind(session).fetch_optional(database.read()).await?;
    row.as_ref().map(|row| read(vault, row)).transpose()
}

/// The business of this number, for officers.
///
/// # Errors
/// The database's.
pub async fn by_number(database: &Database, vault: &Vault, number: &str) -> Result<Option<Application>, sqlx::Error> {
    let row =
        sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM applications WHERE number = ?"))).bind(number).fetch_optional(database.read()).await?;
    row.as_ref().map(|row| read(vault, row)).transpose()
}

/// The businesses that were opened in a session, newest first.
///
/// # Errors
/// The database's.
pub async fn of_session(database: &Database, vault: &Vault, session: &str) -> Result<Vec<Application>, sqlx::Error> {
    let sql = format!("SELECT {COLUMNS} FROM applications WHERE id IN (SELECT application FROM openings WHERE session = ?) ORDER BY id DESC LIMIT 20");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(session).fetch_all(database.read()).await?;
    rows.iter().map(|row| read(vault, row)).collect()
}

/// What officers see: businesses in these states, the longest waiting first.
///
/// # Errors
/// The database's.
pub async fn queue(database: &Database, vault: &Vault, states: &[State]) -> Result<Vec<Application>, sqlx::Error> {
    let marks = vec!["?"; states.len()].join(", ");
    let mut query = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM applications WHERE state IN ({marks}) ORDER BY since, id LIMIT 200")));
    for state in states {
        query = query.bind(state.as_str());
    }
    let rows = query.fetch_all(database.read()).await?;
    rows.iter().map(|row| read(vault, row)).collect()
}

/// The business that this number and this access code belong to; `None` where they do not belong together.
///
/// # Errors
/// The database's.
pub async fn of_code(database: &Database, number: &str, code: &str) -> Result<Option<i64>, sqlx::Error> {
    let code: String =
        code.chars().filter(|character| !character.is_whitespace() && *character != '-').map(|character| character.to_ascii_uppercase()).collect();
    let row = sqlx::query("SELECT id, code_sha256 FROM applications WHERE number = ?").bind(number).fetch_optional(database.read()).await?;
    let Some(row) = row else { return Ok(None) };
    let (id, right): (i64, String) = (row.try_get("id")?, row.try_get("code_sha256")?);
    // Digests: the time of comparing them tells nothing about the code.
    Ok((sha256_hex(code.as_bytes()) == right).then_some(id))
}

/// Opens a business in a session.
///
/// # Errors
/// The database's.
pub async fn open(database: &Database, session: &str, id: i64) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO openings (session, application) VALUES (?, ?) ON CONFLICT DO NOTHING").bind(session).bind(id).execute(database.write()).await?;
    Ok(())
}

/// The access code, for a page of the session that opened the business.
///
/// # Errors
/// The database's.
pub async fn code_of(database: &Database, vault: &Vault, application: &Application) -> Result<String, sqlx::Error> {
    let row = sqlx::query("SELECT code_sealed FROM applications WHERE id = ?").bind(application.id).fetch_one(database.read()).await?;
    let sealed: Vec<u8> = row.try_get("code_sealed")?;
    Ok(vault.unseal(&format!("code:{}", application.id), &sealed).ok().and_then(|plain| String::from_utf8(plain).ok()).unwrap_or_default())
}

/// What saving did.
#[derive(Debug)]
pub struct Saved {
    /// The revision now.
    pub revision: i64,
    /// Fields that could not be changed any more.
    pub locked: Vec<&'static Field>,
}

/// Takes over what was typed, as far as it may be changed now. Typing counts no revision up: two tabs of one applicant
/// do not refuse each other's drafts, the last one stays.
///
/// # Errors
/// [`NotDone`].
pub async fn save(database: &Database, vault: &Vault, profile: &Profile, id: i64, typed: &Values, now: i64) -> Result<Saved, NotDone> {
    let mut transaction = database.begin().await?;
    let mut application = load(&mut transaction, vault, id).await?.ok_or(NotDone::Gone)?;
    let locked = fields::merge(application.case.kind, application.case.state, application.prefilled, &mut application.values, typed);
    let mut since = application.case.since;
    if application.case.state == State::Draft {
        // Somebody is at work: time begins anew.
        since = now;
    }
    let fee = if application.case.facts.paid { application.fee_fen } else { i64::from(profile.fee_fen(application.case.kind, &application.values)) };
    sqlx::query("UPDATE applications SET fields_sealed = ?, credit_code = ?, since = ?, fee_fen = ? WHERE id = ?")
        .bind(seal_values(vault, id, &application.values)?)
        .bind(application.values.get("creditCode").map_or("", String::as_str))
        .bind(since)
        .bind(fee)
        .bind(id)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(Saved { revision: application.revision, locked })
}

/// Notes an uploaded file, if files may be changed now; answers the file that it replaces.
///
/// # Errors
/// [`NotDone::Locked`] once the review has begun.
pub async fn attach(database: &Database, vault: &Vault, id: i64, file: &File<'_>, now: i64) -> Result<Option<String>, NotDone> {
    let mut transaction = database.begin().await?;
    let application = load(&mut transaction, vault, id).await?.ok_or(NotDone::Gone)?;
    if !takes_files(application.case.state) {
        return Err(NotDone::Locked);
    }
    let old = uploads::put(&mut transaction, id, file, now).await?;
    if let Some(found) = file.impressions {
        impressions::replace(&mut transaction, vault, id, found).await?;
    }
    transaction.commit().await?;
    Ok(old)
}

/// Whether files may be sent in or exchanged.
#[must_use]
pub fn takes_files(state: State) -> bool {
    matches!(state, State::Collecting | State::Payment | State::Returned)
}

pub(in crate::store) async fn load(connection: &mut SqliteConnection, vault: &Vault, id: i64) -> Result<Option<Application>, sqlx::Error> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM applications WHERE id = ?"))).bind(id).fetch_optional(connection).await?;
    row.as_ref().map(|row| read(vault, row)).transpose()
}

/// Writes the case and the history's row.
pub(super) async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    vault: &Vault,
    before: &Application,
    after: &Case,
    doing: &Doing<'_>,
) -> Result<(), NotDone> {
    let facts = serde_json::to_string(&after.facts).map_err(|error| foreign(&error.to_string()))?;
    sqlx::query("UPDATE applications SET state = ?, before = ?, since = ?, facts = ?, revision = revision + 1 WHERE id = ?")
        .bind(after.state.as_str())
        .bind(after.before.map(State::as_str))
        .bind(after.since)
        .bind(facts)
        .bind(before.id)
        .execute(&mut **transaction)
        .await?;
    let note = if doing.note.is_empty() { Vec::new() } else { vault.seal(&history::place(before.id), doing.note.as_bytes())? };
    let new = New { application: before.id, actor: doing.actor, act: doing.act.as_str(), from: before.case.state, to: after.state, note: &note };
    history::append(transaction, &new, doing.now).await?;
    Ok(())
}

/// The values of the last business of this unit that came to an end: whose handler the next one is compared with (R16).
pub(super) async fn last_of_unit(connection: &mut SqliteConnection, vault: &Vault, credit_code: &str, but: i64) -> Result<Option<Values>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT id, fields_sealed FROM applications WHERE credit_code = ? AND id <> ? AND state IN ('done', 'activated') AND cleared_at IS NULL ORDER BY since DESC, id DESC LIMIT 1",
    )
    .bind(credit_code)
    .bind(but)
    .fetch_optional(connection)
    .await?;
    row.map(|row| open_values(vault, row.try_get("id")?, row.try_get::<Vec<u8>, _>("fields_sealed")?.as_slice())).transpose()
}

fn read(vault: &Vault, row: &SqliteRow) -> Result<Application, sqlx::Error> {
    let id: i64 = row.try_get("id")?;
    let cleared_at: Option<i64> = row.try_get("cleared_at")?;
    let sealed: Vec<u8> = row.try_get("fields_sealed")?;
    Ok(Application {
        id,
        number: row.try_get("number")?,
        profile: row.try_get("profile")?,
        case: Case {
            kind: Kind::from_name(row.try_get("kind")?).ok_or_else(|| foreign("kind"))?,
            state: State::from_name(row.try_get("state")?).ok_or_else(|| foreign("state"))?,
            before: row.try_get::<Option<String>, _>("before")?.as_deref().and_then(State::from_name),
            since: row.try_get("since")?,
            facts: serde_json::from_str(row.try_get("facts")?).map_err(|error| foreign(&error.to_string()))?,
        },
        revision: row.try_get("revision")?,
        prefilled: row.try_get("prefilled")?,
        fee_fen: row.try_get("fee_fen")?,
        values: if cleared_at.is_some() { Values::new() } else { open_values(vault, id, &sealed)? },
        created_at: row.try_get("created_at")?,
        cleared_at,
    })
}

fn seal_values(vault: &Vault, id: i64, values: &Values) -> Result<Vec<u8>, NotDone> {
    let text = serde_json::to_vec(values).map_err(|error| foreign(&error.to_string()))?;
    Ok(vault.seal(&format!("fields:{id}"), &text)?)
}

fn open_values(vault: &Vault, id: i64, sealed: &[u8]) -> Result<Values, sqlx::Error> {
    let plain = vault.unseal(&format!("fields:{id}"), sealed).map_err(|error| foreign(&error.to_string()))?;
    serde_json::from_slice(&plain).map_err(|error| foreign(&error.to_string()))
}

/// Ten of 31 characters that nobody mistakes for one another: 49 bits, and five tries a minute.
fn access_code() -> Result<String, NotDone> {
    const ALPHABET: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";
    let mut code = String::with_capacity(10);
    while code.len() < 10 {
        let mut byte = [0_u8; 1];
        getrandom::fill(&mut byte).map_err(crate::error::DeskError::from)?;
        // 248 = 8 × 31: above it the remainder would prefer some characters.
        if byte[0] < 248 {
            code.extend(ALPHABET.get(usize::from(byte[0]) % 31).map(|byte| char::from(*byte)));
        }
    }
    Ok(code)
}

/// An actor's name in logs: never a person's.
pub(super) fn actor_word(actor: Actor) -> &'static str {
    match actor {
        Actor::Applicant => "applicant",
        Actor::Officer(_) => "officer",
        Actor::Desk => "desk",
    }
}
