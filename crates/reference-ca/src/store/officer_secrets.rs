//! The security officer secrets of tokens, one for each business that a token is activated for. They lie sealed in the vault's form and
//! leave only encrypted to one host. A secret that was made is never replaced: the token has it.

use sqlx::Row;
use zeroize::Zeroizing;

use super::Database;
use crate::error::DeskError;
use crate::grant::new_secret;
use crate::vault::Vault;

/// The secret of this business's token, made now if there was none.
///
/// # Errors
/// [`DeskError`]
pub async fn of_application_or_new(database: &Database, vault: &Vault, application: i64, now: i64) -> Result<Zeroizing<String>, DeskError> {
    let sealed = vault.seal(&place(application), new_secret()?.as_bytes())?;
    // Whoever came first made it.
    let made = sqlx::query("INSERT INTO officer_secrets (application, sealed, created_at) VALUES (?, ?, ?) ON CONFLICT (application) DO NOTHING");
    let mut transaction = database.begin().await.map_err(refused)?;
    made.bind(application).bind(sealed).bind(now).execute(&mut *transaction).await.map_err(refused)?;
    transaction.commit().await.map_err(refused)?;
    of_application(database, vault, application).await?.ok_or_else(|| DeskError::Refused("a secret that was just kept is gone".to_owned()))
}

/// The secret of this business's token, if the desk has one.
///
/// # Errors
/// [`DeskError`]
pub async fn of_application(database: &Database, vault: &Vault, application: i64) -> Result<Option<Zeroizing<String>>, DeskError> {
    let row =
        sqlx::query("SELECT sealed FROM officer_secrets WHERE application = ?").bind(application).fetch_optional(database.read()).await.map_err(refused)?;
    let Some(row) = row else { return Ok(None) };
    let sealed: Vec<u8> = row.try_get("sealed").map_err(refused)?;
    let plain = Zeroizing::new(vault.unseal(&place(application), &sealed).map_err(|_| DeskError::Refused("a secret does not open".to_owned()))?);
    let text = std::str::from_utf8(&plain).map_err(|_| DeskError::Refused("a secret is no text".to_owned()))?;
    Ok(Some(Zeroizing::new(text.to_owned())))
}

fn place(application: i64) -> String {
    format!("officer:{application}")
}

fn refused(error: sqlx::Error) -> DeskError {
    DeskError::Refused(error.to_string())
}
