//! What existing keys sign for applications: the challenge that waits, and the signature that was given, which counts as long as
//! what was typed stays what it was. Challenge, signature and the act that it is for are settled in one transaction.

use sqlx::{Row, Sqlite, SqliteConnection, Transaction};

use super::applications::{Application, Doing, NotDone, load, perform_in};
use super::{Database, certificates, foreign};
use crate::business::table::Need;
use crate::business::{Kind, Refused};
use crate::error::DeskError;
use crate::key_signature::{self, CHALLENGE_SECONDS, Challenge, Expected, Fault};
use crate::profile::Profile;
use crate::vault::Vault;

/// A statement on its way in.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The statement.
    pub token: &'a str,
    /// The desk's own origins.
    pub origins: &'a [String],
}

/// A new challenge for what stands in the application now; an earlier one is worth nothing any more.
///
/// # Errors
/// [`NotDone`]; nobody signs for a certificate that is not valid any more, or was renewed already.
pub async fn challenge(database: &Database, vault: &Vault, id: i64, now: i64) -> Result<String, NotDone> {
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random).map_err(DeskError::from)?;
    let mut transaction = database.begin().await?;
    let application = load(&mut transaction, vault, id).await?.ok_or(NotDone::Gone)?;
    let text = |key: &str| application.values.get(key).map_or("", String::as_str);
    let registered = certificates::of_unit(&mut transaction, text("serial"), text("creditCode")).await?;
    if registered.is_none_or(|found| found.revoked_at.is_some() || found.not_after <= now) {
        return Err(NotDone::Refused(Refused::Need(Need::ValidCertificate)));
    }
    if application.case.kind == Kind::Renewal && certificates::is_renewed(&mut transaction, text("serial")).await? {
        return Err(NotDone::Renewed);
    }
    let nonce = key_signature::nonce(&random, &digest(&application));
    sqlx::query(
        "INSERT INTO key_challenges (application, random, nonce, expires_at) VALUES (?, ?, ?, ?) \
         ON CONFLICT (application) DO UPDATE SET random = excluded.random, nonce = excluded.nonce, expires_at = excluded.expires_at",
    )
    .bind(id)
    .bind(random.as_slice())
    .bind(&nonce)
    .bind(now.saturating_add(CHALLENGE_SECONDS))
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(nonce)
}

/// Takes the signature and does what it is for, or neither.
///
/// # Errors
/// [`NotDone`]; [`NotDone::KeySignature`] where it does not count.
pub async fn perform_signed(database: &Database, vault: &Vault, profile: &Profile, doing: &Doing<'_>, signed: Signed<'_>) -> Result<Application, NotDone> {
    let mut transaction = database.begin().await?;
    let application = load(&mut transaction, vault, doing.id).await?.ok_or(NotDone::Gone)?;
    if doing.seen.is_some_and(|seen| seen != application.revision) {
        return Err(NotDone::Stale);
    }
    take(&mut transaction, &application, signed, doing.now).await?;
    let after = perform_in(&mut transaction, vault, profile, doing).await?;
    transaction.commit().await?;
    Ok(after)
}

/// Whether the existing key signed this application as it is now.
pub(super) async fn is_signed(connection: &mut SqliteConnection, application: &Application) -> Result<bool, sqlx::Error> {
    let signed: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT values_sha256 FROM key_signatures WHERE application = ?").bind(application.id).fetch_optional(connection).await?;
    Ok(signed.is_some_and(|signed| signed == digest(application)))
}

async fn take(transaction: &mut Transaction<'_, Sqlite>, application: &Application, signed: Signed<'_>, now: i64) -> Result<(), NotDone> {
    let row = sqlx::query("DELETE FROM key_challenges WHERE application = ? RETURNING random, nonce, expires_at")
        .bind(application.id)
        .fetch_optional(&mut **transaction)
        .await?;
    let challenge = row
        .map(|row| {
            let random: Vec<u8> = row.try_get("random")?;
            let random = random.try_into().map_err(|_| foreign("random"))?;
            Ok::<_, sqlx::Error>(Challenge { random, nonce: row.try_get("nonce")?, expires_at: row.try_get("expires_at")? })
        })
        .transpose()?;
    let text = |key: &str| application.values.get(key).map_or("", String::as_str);
    let registered = certificates::of_unit(transaction, text("serial"), text("creditCode")).await?;
    let values = digest(application);
    let expected = Expected {
        origins: signed.origins,
        number: &application.number,
        challenge: challenge.as_ref(),
        values: &values,
        unit: text("unitName"),
        certificate: registered.as_ref().map(|found| (found.der.as_slice(), found.revoked_at)),
        now,
    };
    key_signature::check(signed.token, &expected).map_err(|fault: Fault| {
        tracing::info!(number = application.number, %fault, "key signature");
        NotDone::KeySignature(fault)
    })?;
    sqlx::query(
        "INSERT INTO key_signatures (application, values_sha256, token, at) VALUES (?, ?, ?, ?) \
         ON CONFLICT (application) DO UPDATE SET values_sha256 = excluded.values_sha256, token = excluded.token, at = excluded.at",
    )
    .bind(application.id)
    .bind(values.as_slice())
    .bind(signed.token)
    .bind(now)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

fn digest(application: &Application) -> [u8; 32] {
    key_signature::digest(&application.number, &application.profile, application.case.kind, &application.values)
}
