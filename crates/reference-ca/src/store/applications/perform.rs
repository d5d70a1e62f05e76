//! One act: the facts from outside are gathered, the state machine is asked, and what follows is written, all in one
//! transaction. Nothing is said to the outside world for an act that was not committed.

use sqlx::{Row, Sqlite, Transaction};

use super::{Application, actor_word, last_of_unit, load, write};
use crate::business::fields::{self, Fault, Field};
use crate::business::{Act, Actor, Effect, Facts, Kind, Refused, State};
use crate::error::DeskError;
use crate::profile::Profile;
use crate::store::messages::{Channel, post};
use crate::store::{Database, certificates, key_signatures, sha256_hex, uploads};
use crate::vault::Vault;

/// Who does what to which business.
#[derive(Debug, Clone, Copy)]
pub struct Doing<'a> {
    /// The business's row.
    pub id: i64,
    /// What.
    pub act: Act,
    /// Who.
    pub actor: Actor,
    /// The revision that they saw; `None` for the desk itself.
    pub seen: Option<i64>,
    /// What they say to it.
    pub note: &'a str,
    /// Unix seconds.
    pub now: i64,
}

/// Why an act was not done.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    /// There is no such business.
    #[error("no such business")]
    Gone,
    /// Somebody did something in between; a second click does not do it twice.
    #[error("changed in between")]
    Stale,
    /// Files cannot be changed any more.
    #[error("locked")]
    Locked,
    /// A reason, a courier's number or the payer is needed.
    #[error("a note is needed")]
    Note,
    /// The signature of the existing key does not count.
    #[error("key signature: {0}")]
    KeySignature(#[from] crate::key_signature::Fault),
    /// The certificate was renewed before.
    #[error("renewed before")]
    Renewed,
    /// The hand-over was used or is over.
    #[error("the hand-over is not valid any more")]
    Ticket,
    /// The state machine says no.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The vault or the disk.
    #[error(transparent)]
    Desk(DeskError),
    /// The database.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}

/// Seconds that a code lives (E14).
const CODE_LIFE: i64 = 10 * 60;
const CODE_TRIES: i64 = 5;

/// Does it.
///
/// # Errors
/// [`NotDone`]; then nothing has changed.
pub async fn perform(database: &Database, vault: &Vault, profile: &Profile, doing: &Doing<'_>) -> Result<Application, NotDone> {
    let mut transaction = database.begin().await?;
    let after = perform_in(&mut transaction, vault, profile, doing).await?;
    transaction.commit().await?;
    Ok(after)
}

/// Does it inside a transaction that does more.
pub(in crate::store) async fn perform_in(
    transaction: &mut Transaction<'_, Sqlite>,
    vault: &Vault,
    profile: &Profile,
    doing: &Doing<'_>,
) -> Result<Application, NotDone> {
    let mut application = load(transaction, vault, doing.id).await?.ok_or(NotDone::Gone)?;
    if doing.seen.is_some_and(|seen| seen != application.revision) {
        return Err(NotDone::Stale);
    }
    if needs_note(doing.act) && doing.note.trim().is_empty() {
        return Err(NotDone::Note);
    }
    if doing.act == Act::Submit && application.case.kind == Kind::Renewal && certificates::is_renewed(transaction, text(&application, "serial")).await? {
        return Err(NotDone::Renewed);
    }
    application.case.facts = facts(transaction, vault, profile, &application, doing.now).await?;
    let step = application.case.apply(doing.act, doing.actor, doing.now)?;
    write(transaction, vault, &application, &step.after, doing).await?;
    tracing::info!(number = application.number, act = doing.act.as_str(), by = actor_word(doing.actor), to = step.after.state.as_str(), "business");
    for effect in step.effects {
        follow(transaction, vault, profile, &application, &step.after.state, *effect, doing).await?;
    }
    application.case = step.after;
    application.revision = application.revision.saturating_add(1);
    Ok(application)
}

/// Acts that nobody may do without a word.
#[must_use]
pub fn needs_note(act: Act) -> bool {
    matches!(act, Act::Return | Act::RefusePaper | Act::Close | Act::RefusePayment | Act::Ship)
}

/// What is wrong with what was typed, the register included.
///
/// # Errors
/// The database's.
pub async fn outstanding(database: &Database, profile: &Profile, application: &Application) -> Result<Vec<(&'static Field, Fault)>, sqlx::Error> {
    let mut connection = database.read().acquire().await?;
    faults(&mut connection, profile, application).await
}

async fn faults(connection: &mut sqlx::SqliteConnection, profile: &Profile, application: &Application) -> Result<Vec<(&'static Field, Fault)>, sqlx::Error> {
    let (kind, values) = (application.case.kind, &application.values);
    let mut found = fields::faults(kind, values, &profile.terms);
    if kind.about_a_certificate()
        && !found.iter().any(|(field, _)| matches!(field.key, "serial" | "creditCode"))
        && let Some(field) = fields::of(kind).find(|field| field.key == "serial")
        && certificates::of_unit(connection, text(application, "serial"), text(application, "creditCode")).await?.is_none()
    {
        found.push((field, Fault::Check));
    }
    Ok(found)
}

async fn facts(transaction: &mut Transaction<'_, Sqlite>, vault: &Vault, profile: &Profile, application: &Application, now: i64) -> Result<Facts, NotDone> {
    let (kind, values, known) = (application.case.kind, &application.values, application.case.facts);
    let filled = uploads::filled(transaction, application.id).await?;
    let certificate = certificates::of_unit(transaction, text(application, "serial"), text(application, "creditCode")).await?;
    let last = last_of_unit(transaction, vault, text(application, "creditCode"), application.id).await?;
    Ok(Facts {
        fields_complete: faults(transaction, profile, application).await?.is_empty(),
        attachments_complete: profile.slots_of(kind, values).iter().all(|(slot, must)| !must || filled.contains(&slot.id)),
        key_signed: key_signatures::is_signed(transaction, application).await?,
        has_fee: application.fee_fen > 0 || profile.fee_fen(kind, values) > 0,
        certificate_valid: certificate.is_some_and(|certificate| certificate.revoked_at.is_none() && certificate.not_after > now),
        handler_same: last.is_some_and(|last| fields::same_handler(&last, values)),
        handler_change_online: profile.business(kind).is_some_and(|business| business.other_handler_online),
        decrypted_first: text(application, "decrypted") == "yes",
        ..known
    })
}

async fn follow(
    transaction: &mut Transaction<'_, Sqlite>,
    vault: &Vault,
    profile: &Profile,
    application: &Application,
    state: &State,
    effect: Effect,
    doing: &Doing<'_>,
) -> Result<(), NotDone> {
    let (id, number, now) = (application.id, application.number.as_str(), doing.now);
    let fee = format!("{}.{:02}", application.fee_fen / 100, application.fee_fen % 100);
    let [name, _] = &profile.name;
    match effect {
        Effect::Notify => {
            let [state, _] = state.words();
            let what = match doing.act {
                Act::Ship => "运单号",
                Act::Pay => "支付方式",
                _ => "说明",
            };
            let note = if doing.note.is_empty() { String::new() } else { format!("{what}：{}。", doing.note) };
            let message = match doing.act {
                // R46: 激活短信.
                Act::VerifyPaper if application.case.kind.activates() => {
                    format!("【{name}】业务{number}资料审核通过。收到USB Key后请及时激活；一经激活，无法退回。")
                }
                _ => format!("【{name}】业务{number}：{state}。{note}"),
            };
            post(transaction, vault, id, Channel::Sms, text(application, "handlerMobile"), &message, now).await
        }
        Effect::Courier => {
            let to = format!("{} {}", text(application, "postTo"), text(application, "handlerName"));
            post(transaction, vault, id, Channel::Courier, &to, &format!("USB Key，业务{number}，运单号 {}", doing.note), now).await
        }
        Effect::Invoice if application.fee_fen > 0 => {
            let to = format!("{} {}", text(application, "invoiceTitle"), text(application, "taxNumber"));
            post(transaction, vault, id, Channel::Invoice, &to, &format!("电子发票 {fee} 元，业务{number}；发票一经开具，不能重新开票。"), now).await
        }
        Effect::Refund if application.case.facts.paid && application.fee_fen > 0 => {
            post(transaction, vault, id, Channel::Bank, text(application, "unitName"), &format!("退款 {fee} 元，业务{number}"), now).await
        }
        Effect::Code => new_code(transaction, vault, profile, application, now).await,
        Effect::Revoke => {
            let why = certificates::Reason::of(application.case.kind, &application.values);
            Ok(certificates::revoke(transaction, text(application, "serial"), why, now).await?)
        }
        // The seal is made when the certificate that it names is there.
        Effect::Seal | Effect::Invoice | Effect::Refund => Ok(()),
    }
}

async fn new_code(transaction: &mut Transaction<'_, Sqlite>, vault: &Vault, profile: &Profile, application: &Application, now: i64) -> Result<(), NotDone> {
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random).map_err(DeskError::from)?;
    let code = format!("{:06}", u64::from_le_bytes(random) % 1_000_000);
    sqlx::query(
        "INSERT INTO codes (application, code_sha256, expires_at, tries_left) VALUES (?, ?, ?, ?) \
         ON CONFLICT (application) DO UPDATE SET code_sha256 = excluded.code_sha256, expires_at = excluded.expires_at, tries_left = excluded.tries_left",
    )
    .bind(application.id)
    .bind(digest(application.id, &code))
    .bind(now.saturating_add(CODE_LIFE))
    .bind(CODE_TRIES)
    .execute(&mut **transaction)
    .await?;
    let [name, _] = &profile.name;
    let message = format!("【{name}】解锁验证码 {code}，10分钟内有效。业务{}。请勿告诉他人。", application.number);
    post(transaction, vault, application.id, Channel::Sms, text(application, "handlerMobile"), &message, now).await
}

/// Sends another code; the one before is worth nothing any more.
///
/// # Errors
/// [`NotDone`].
pub async fn resend_code(database: &Database, vault: &Vault, profile: &Profile, id: i64, now: i64) -> Result<(), NotDone> {
    let mut transaction = database.begin().await?;
    let application = load(&mut transaction, vault, id).await?.ok_or(NotDone::Gone)?;
    if application.case.state != State::AwaitingCode {
        return Err(NotDone::Refused(Refused::State { state: application.case.state, act: Act::EnterCode }));
    }
    new_code(&mut transaction, vault, profile, &application, now).await?;
    transaction.commit().await?;
    Ok(())
}

/// Tries a code; every try counts, and the right one is used up (E14).
///
/// # Errors
/// The database's.
pub async fn try_code(database: &Database, id: i64, code: &str, now: i64) -> Result<bool, sqlx::Error> {
    let mut transaction = database.begin().await?;
    let row = sqlx::query("SELECT code_sha256, expires_at, tries_left FROM codes WHERE application = ?").bind(id).fetch_optional(&mut *transaction).await?;
    let Some(row) = row else { return Ok(false) };
    let (right, expires_at, tries): (String, i64, i64) = (row.try_get("code_sha256")?, row.try_get("expires_at")?, row.try_get("tries_left")?);
    let good = tries > 0 && now < expires_at && digest(id, code.trim()) == right;
    if good {
        sqlx::query("DELETE FROM codes WHERE application = ?").bind(id).execute(&mut *transaction).await?;
    } else {
        sqlx::query("UPDATE codes SET tries_left = tries_left - 1 WHERE application = ? AND tries_left > 0").bind(id).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(good)
}

/// A six-digit number is guessed from its digest in no time; what protects it is that it lives for ten minutes.
fn digest(id: i64, code: &str) -> String {
    sha256_hex(format!("{id}:{code}").as_bytes())
}

fn text<'a>(application: &'a Application, key: &str) -> &'a str {
    application.values.get(key).map_or("", String::as_str)
}
