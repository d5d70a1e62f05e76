//! Which certificate belongs to which account of a portal. One to one: the table's own constraints decide, also between
//! two requests at the same time and two instances. A binding is only stored with a verified statement in hand.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use sealbridge_relying_party::import::OldBinding;
use sealbridge_relying_party::{Account, Binding, Certificate, CertificateId, Code, Failure};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use super::audit::{Entry, Place};
use super::writer::Batch;
use super::{Database, ROWS_MAX, padded, placeholders};

/// A stored binding.
#[derive(Debug, Clone)]
pub struct Bound {
    /// The relying party's record.
    pub binding: Binding,
    /// The certificate (DER). Most who look a binding up do not read it.
    pub der: Vec<u8>,
    /// The trust anchor that it led to when it was bound.
    pub anchor: Option<CertificateId>,
}

impl Bound {
    /// The certificate, where it was kept.
    #[must_use]
    pub fn certificate(&self) -> Option<Certificate> {
        Certificate::parse(&self.der).ok()
    }
}

/// What a binding is looked up by.
#[derive(Debug, Clone, Copy)]
pub enum By {
    /// The account's name.
    Account,
    /// SHA-256 of the certificate.
    Certificate,
}

/// A binding that is to be stored.
#[derive(Debug, Clone)]
pub struct New {
    /// The portal.
    pub portal: String,
    /// The relying party's record.
    pub binding: Binding,
    /// The certificate (DER).
    pub der: Vec<u8>,
    /// The trust anchor.
    pub anchor: Option<CertificateId>,
    /// Which certificate it replaces: `None` where the account must not have another one.
    pub replaces: Option<CertificateId>,
    /// Whether an old binding of the account ends with it; it must still be there.
    pub adopts: bool,
    /// What is recorded; its outcome is filled in.
    pub entry: Entry,
}

macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT b.*, l.reported_at FROM bindings b LEFT JOIN losses l ON l.portal = b.portal AND l.certificate = b.certificate WHERE b.portal = $1 AND ",
            $condition
        )
    };
}

/// Looks a binding up, inside other work.
///
/// # Errors
/// The database's.
pub(crate) async fn find(batch: &mut Batch, portal: &str, by: By, value: &str) -> Result<Option<Bound>, sqlx::Error> {
    let row = sqlx::query(statement(by)).bind(portal).bind(value).fetch_optional(batch.connection()).await?;
    row.as_ref().map(read).transpose()
}

/// Looks up the bindings of at most [`ROWS_MAX`] certificates of a portal, inside other work.
///
/// # Errors
/// The database's.
pub(crate) async fn find_all(batch: &mut Batch, portal: &str, certificates: &[&str]) -> Result<Vec<Bound>, sqlx::Error> {
    static STATEMENT: LazyLock<String> = LazyLock::new(|| format!("{}{}", select!("b.certificate IN "), placeholders(1, ROWS_MAX, 2)));
    let query = padded(certificates).fold(sqlx::query(AssertSqlSafe(STATEMENT.as_str())).bind(portal), |query, certificate| query.bind(*certificate));
    query.fetch_all(batch.connection()).await?.iter().map(read).collect()
}

/// A login that has been verified, and is about to be answered.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The portal.
    pub portal: String,
    /// SHA-256 of the certificate that logs in.
    pub certificate: String,
    /// The account that it is to open.
    pub account: Account,
    /// What is recorded; its outcome is filled in.
    pub entry: Entry,
}

/// Records a login if its binding still stands in the transaction that records it, else the refusal: what was unbound or reported lost while the
/// login was on its way opens nothing.
///
/// # Errors
/// The database's.
pub async fn open(database: &Database, opening: Opening) -> Result<(Result<(), Failure>, Option<Place>), sqlx::Error> {
    database.writer().open(opening).await
}

/// The same for any number of logins, [`ROWS_MAX`] of one portal with each statement. Answers and records stand in the logins' order.
///
/// # Errors
/// The database's, for all of them.
pub(crate) async fn open_all(batch: &mut Batch, openings: &[&Opening]) -> Result<Vec<Result<(), Failure>>, sqlx::Error> {
    let mut of_portals: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for opening in openings {
        of_portals.entry(&opening.portal).or_default().push(&opening.certificate);
    }
    let mut bound: BTreeMap<(&str, String), Binding> = BTreeMap::new();
    for (portal, certificates) in of_portals {
        for some in certificates.chunks(ROWS_MAX) {
            let found = find_all(batch, portal, some).await?;
            bound.extend(found.into_iter().map(|found| ((portal, found.binding.certificate.to_string()), found.binding)));
        }
    }
    let mut answers = Vec::with_capacity(openings.len());
    for opening in openings {
        let done = match bound.get(&(opening.portal.as_str(), opening.certificate.clone())) {
            Some(binding) if binding.account == opening.account => binding.require_not_suspended(),
            _ => Err(Failure::new(Code::NotBound)),
        };
        let outcome = done.as_ref().map_or_else(|failure| failure.code.as_str(), |()| "ok").to_owned();
        batch.record(Entry { outcome, ..opening.entry.clone() });
        answers.push(done);
    }
    Ok(answers)
}

/// Looks a binding up.
///
/// # Errors
/// The database's.
pub async fn get(database: &Database, portal: &str, by: By, value: &str) -> Result<Option<Bound>, sqlx::Error> {
    let row = sqlx::query(statement(by)).bind(portal).bind(value).fetch_optional(database.read()).await?;
    row.as_ref().map(read).transpose()
}

/// So many bindings of one organisation are looked through for a key.
const OF_ONE_MAX: i64 = 64;

/// The binding of the certificate's key under another certificate, among those of its organisation. A key that stands in the bindings of several
/// accounts finds none of them.
///
/// # Errors
/// The database's.
pub async fn of_key(database: &Database, portal: &str, certificate: &Certificate) -> Result<Option<Bound>, sqlx::Error> {
    let Some(credit_code) = certificate.credit_code() else { return Ok(None) };
    let query = sqlx::query(select!("b.credit_code = $2 ORDER BY b.bound_at DESC LIMIT $3")).bind(portal).bind(credit_code).bind(OF_ONE_MAX);
    let mut found = query.fetch_all(database.read()).await?.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    found.retain(|bound| bound.certificate().is_some_and(|bound| bound.spki_der() == certificate.spki_der()));
    Ok(found.pop().filter(|_| found.is_empty()))
}

fn statement(by: By) -> &'static str {
    match by {
        By::Account => select!("b.account = $2"),
        By::Certificate => select!("b.certificate = $2"),
    }
}

/// The portal's bindings in the order of their accounts, after the account `after`.
///
/// # Errors
/// The database's.
pub async fn list(database: &Database, portal: &str, after: &str, limit: i64) -> Result<Vec<Bound>, sqlx::Error> {
    let rows = sqlx::query(select!("b.account > $2 ORDER BY b.account LIMIT $3")).bind(portal).bind(after).bind(limit).fetch_all(database.read()).await?;
    rows.iter().map(read).collect()
}

/// Since when a certificate is reported lost.
async fn lost_since(batch: &mut Batch, portal: &str, certificate: &str) -> Result<Option<i64>, sqlx::Error> {
    let row = sqlx::query("SELECT reported_at FROM losses WHERE portal = $1 AND certificate = $2")
        .bind(portal)
        .bind(certificate)
        .fetch_optional(batch.connection())
        .await?;
    row.map(|row| row.try_get("reported_at")).transpose()
}

/// The old binding that waits under one of these marks, as JSON.
///
/// # Errors
/// The database's.
pub(crate) async fn old(batch: &mut Batch, portal: &str, marks: &[String]) -> Result<Option<String>, sqlx::Error> {
    for mark in marks {
        let row =
            sqlx::query("SELECT record FROM old_bindings WHERE portal = $1 AND mark = $2").bind(portal).bind(mark).fetch_optional(batch.connection()).await?;
        if let Some(row) = row {
            return row.try_get("record").map(Some);
        }
    }
    Ok(None)
}

/// Stores a binding and its record. The refusal, where another request was faster, is recorded too.
///
/// # Errors
/// The database's.
pub async fn store(database: &Database, new: New) -> Result<(Result<(), Failure>, Option<Place>), sqlx::Error> {
    let written = database
        .writer()
        .write(move |batch| {
            let new = new.clone();
            Box::pin(async move {
                let done = store_in(batch, &new).await?;
                let outcome = done.as_ref().map_or_else(|failure| failure.code.as_str(), |()| "ok").to_owned();
                batch.record(Entry { outcome, ..new.entry });
                Ok(done)
            })
        })
        .await?;
    Ok((written.value, written.places.into_iter().next()))
}

async fn store_in(batch: &mut Batch, new: &New) -> Result<Result<(), Failure>, sqlx::Error> {
    let New { portal, binding, .. } = new;
    let certificate = binding.certificate.to_string();
    if let Some(since) = lost_since(batch, portal, &certificate).await? {
        let lost = Binding { suspended_at: Some(since), ..binding.clone() };
        return Ok(lost.require_not_suspended());
    }
    let held = find(batch, portal, By::Account, binding.account.as_str()).await?;
    match (&held, &new.replaces) {
        (None, None) => {}
        (Some(held), None) if held.binding.certificate == binding.certificate => {}
        (Some(_), None) => return Ok(Err(Failure::new(Code::AccountAlreadyBound))),
        // The old key may have been reported lost while the authorities were asked: then it carries nothing over.
        (Some(held), Some(old)) if held.binding.certificate == *old => {
            if let Err(lost) = held.binding.require_not_suspended() {
                return Ok(Err(lost));
            }
        }
        (_, Some(_)) => return Ok(Err(Failure::new(Code::NothingBound))),
    }
    if let Some(other) = find(batch, portal, By::Certificate, &certificate).await?
        && other.binding.account != binding.account
    {
        return Ok(Err(Failure::new(Code::CertificateAlreadyBound)));
    }
    let waiting = sqlx::query("DELETE FROM old_bindings WHERE portal = $1 AND account = $2 RETURNING account")
        .bind(portal)
        .bind(binding.account.as_str())
        .fetch_optional(batch.connection())
        .await?;
    if new.adopts && waiting.is_none() {
        return Ok(Err(Failure::new(Code::NotBound)));
    }
    sqlx::query(
        "INSERT INTO bindings (portal, account, certificate, der, anchor, organisation, credit_code, serial, not_after, bound_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (portal, account) DO UPDATE SET certificate = excluded.certificate, \
         der = excluded.der, anchor = excluded.anchor, organisation = excluded.organisation, credit_code = excluded.credit_code, \
         serial = excluded.serial, not_after = excluded.not_after, bound_at = excluded.bound_at",
    )
    .bind(portal)
    .bind(binding.account.as_str())
    .bind(certificate)
    .bind(new.der.clone())
    .bind(new.anchor.map(|anchor| anchor.to_string()).unwrap_or_default())
    .bind(&binding.organisation)
    .bind(&binding.credit_code)
    .bind(&binding.serial)
    .bind(binding.not_after)
    .bind(binding.bound_at)
    .execute(batch.connection())
    .await?;
    Ok(Ok(()))
}

/// Removes an account's binding; tells what it was. A report of loss of its certificate stays.
///
/// # Errors
/// The database's.
pub async fn remove(database: &Database, portal: &str, account: &str, entry: Entry) -> Result<(Option<Bound>, Option<Place>), sqlx::Error> {
    let (portal, account) = (portal.to_owned(), account.to_owned());
    let written = database
        .writer()
        .write(move |batch| {
            let (portal, account, entry) = (portal.clone(), account.clone(), entry.clone());
            Box::pin(async move {
                let held = find(batch, &portal, By::Account, &account).await?;
                let waiting = sqlx::query("DELETE FROM old_bindings WHERE portal = $1 AND account = $2 RETURNING account")
                    .bind(&portal)
                    .bind(&account)
                    .fetch_optional(batch.connection())
                    .await?;
                sqlx::query("DELETE FROM bindings WHERE portal = $1 AND account = $2").bind(&portal).bind(&account).execute(batch.connection()).await?;
                let outcome = if held.is_some() || waiting.is_some() { "ok" } else { Code::NothingBound.as_str() };
                batch.record(about(held.as_ref(), Entry { outcome: outcome.to_owned(), ..entry }));
                Ok(held)
            })
        })
        .await?;
    Ok((written.value, written.places.into_iter().next()))
}

/// Reports the loss of what is bound to the account: from this moment on it opens nothing. Reporting again changes nothing.
///
/// # Errors
/// The database's.
pub async fn report_loss(database: &Database, portal: &str, account: &str, entry: Entry) -> Result<(Option<Bound>, Option<Place>), sqlx::Error> {
    let (portal, account) = (portal.to_owned(), account.to_owned());
    let written = database
        .writer()
        .write(move |batch| {
            let (portal, account, entry) = (portal.clone(), account.clone(), entry.clone());
            Box::pin(async move {
                let held = find(batch, &portal, By::Account, &account).await?;
                if let Some(held) = &held {
                    sqlx::query(
                        "INSERT INTO losses (portal, certificate, account, reported_at) VALUES ($1, $2, $3, $4) ON CONFLICT (portal, certificate) DO NOTHING",
                    )
                    .bind(&portal)
                    .bind(held.binding.certificate.to_string())
                    .bind(&account)
                    .bind(entry.at)
                    .execute(batch.connection())
                    .await?;
                }
                let outcome = if held.is_some() { "ok" } else { Code::NothingBound.as_str() };
                batch.record(about(held.as_ref(), Entry { outcome: outcome.to_owned(), ..entry }));
                Ok(held)
            })
        })
        .await?;
    Ok((written.value, written.places.into_iter().next()))
}

/// Withdraws the report of loss of a certificate; tells whether there was one.
///
/// # Errors
/// The database's.
pub async fn withdraw_loss(database: &Database, portal: &str, certificate: &str, entry: Entry) -> Result<(bool, Option<Place>), sqlx::Error> {
    let (portal, certificate) = (portal.to_owned(), certificate.to_owned());
    let written = database
        .writer()
        .write(move |batch| {
            let (portal, certificate, entry) = (portal.clone(), certificate.clone(), entry.clone());
            Box::pin(async move {
                let gone = sqlx::query("DELETE FROM losses WHERE portal = $1 AND certificate = $2 RETURNING account")
                    .bind(&portal)
                    .bind(&certificate)
                    .fetch_optional(batch.connection())
                    .await?;
                let outcome = if gone.is_some() { "ok" } else { Code::NotFound.as_str() };
                batch.record(Entry { outcome: outcome.to_owned(), certificate, ..entry });
                Ok(gone.is_some())
            })
        })
        .await?;
    Ok((written.value, written.places.into_iter().next()))
}

/// Stores old bindings; each answer is that of the row with the same place. A row that cannot be stored hinders no other.
///
/// # Errors
/// The database's.
pub async fn import(database: &Database, portal: &str, rows: Vec<OldBinding>, entry: Entry) -> Result<Vec<Result<(), Failure>>, sqlx::Error> {
    let portal = portal.to_owned();
    let written = database
        .writer()
        .write(move |batch| {
            let (portal, rows, entry) = (portal.clone(), rows.clone(), entry.clone());
            Box::pin(async move {
                let mut answers = Vec::with_capacity(rows.len());
                for row in &rows {
                    let done = import_one(batch, &portal, row).await?;
                    let outcome = done.as_ref().map_or_else(|failure| failure.code.as_str(), |()| "ok").to_owned();
                    let detail = row.mark.key().unwrap_or_default();
                    batch.record(Entry { account: row.account.as_str().to_owned(), outcome, detail, ..entry.clone() });
                    answers.push(done);
                }
                Ok(answers)
            })
        })
        .await?;
    Ok(written.value)
}

async fn import_one(batch: &mut Batch, portal: &str, row: &OldBinding) -> Result<Result<(), Failure>, sqlx::Error> {
    let mark = match row.mark.key() {
        Ok(mark) => mark,
        Err(failure) => return Ok(Err(failure)),
    };
    let Ok(record) = serde_json::to_string(row) else { return Ok(Err(Failure::new(Code::Internal))) };
    if find(batch, portal, By::Account, row.account.as_str()).await?.is_some() {
        return Ok(Err(Failure::new(Code::AccountAlreadyBound)));
    }
    let held = sqlx::query("SELECT account, mark FROM old_bindings WHERE portal = $1 AND (mark = $2 OR account = $3)")
        .bind(portal)
        .bind(&mark)
        .bind(row.account.as_str())
        .fetch_all(batch.connection())
        .await?;
    for held in &held {
        let (account, other): (String, String) = (held.try_get("account")?, held.try_get("mark")?);
        if account != row.account.as_str() {
            return Ok(Err(Failure::new(Code::CertificateAlreadyBound)));
        }
        if other != mark {
            return Ok(Err(Failure::new(Code::AccountAlreadyBound)));
        }
    }
    sqlx::query(
        "INSERT INTO old_bindings (portal, account, mark, record) VALUES ($1, $2, $3, $4) ON CONFLICT (portal, account) DO UPDATE SET record = excluded.record",
    )
    .bind(portal)
    .bind(row.account.as_str())
    .bind(mark)
    .bind(record)
    .execute(batch.connection())
    .await?;
    Ok(Ok(()))
}

/// Puts the certificate into a record.
fn about(held: Option<&Bound>, entry: Entry) -> Entry {
    match held {
        Some(held) => Entry { certificate: held.binding.certificate.to_string(), not_after: held.binding.not_after, ..entry },
        None => entry,
    }
}

fn read(row: &AnyRow) -> Result<Bound, sqlx::Error> {
    let damaged = |failure: Failure| sqlx::Error::Decode(failure.code.as_str().into());
    let (account, certificate): (String, String) = (row.try_get("account")?, row.try_get("certificate")?);
    let anchor: String = row.try_get("anchor")?;
    let binding = Binding {
        account: Account::new(account).map_err(damaged)?,
        certificate: certificate.parse().map_err(damaged)?,
        organisation: row.try_get("organisation")?,
        credit_code: row.try_get("credit_code")?,
        serial: row.try_get("serial")?,
        not_after: row.try_get("not_after")?,
        bound_at: row.try_get("bound_at")?,
        suspended_at: row.try_get("reported_at")?,
    };
    Ok(Bound { binding, der: row.try_get("der")?, anchor: anchor.parse().ok() })
}
