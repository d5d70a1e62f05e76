//! Reminders of keys that may be activated and are not (R52): a short message to the handler after some days, each once, whatever restarts come in
//! between. It reminds of nothing else.

use super::Database;
use super::applications::{self, Application, NotDone};
use super::messages::{Channel, post};
use crate::business::State;
use crate::profile::Profile;
use crate::vault::Vault;

/// Days after which a key is spoken of again.
pub const DAYS: [i64; 3] = [3, 10, 25];

/// Reminds; answers how many messages were written. Of several reminders that have come, only the last is sent.
///
/// # Errors
/// The database's.
pub async fn run(database: &Database, vault: &Vault, profiles: &[Profile], now: i64) -> Result<u64, sqlx::Error> {
    let mut written = 0_u64;
    for application in applications::queue(database, vault, &[State::Activatable]).await? {
        let Some(profile) = profiles.iter().find(|profile| profile.id == application.profile) else { continue };
        match remind(database, vault, &profile.name[0], &application, now).await {
            Ok(one) => written = written.saturating_add(u64::from(one)),
            Err(error) => tracing::warn!(number = application.number, %error, "not reminded"),
        }
    }
    Ok(written)
}

async fn remind(database: &Database, vault: &Vault, institution: &str, application: &Application, now: i64) -> Result<bool, NotDone> {
    let since = application.case.since;
    let Some(days) = DAYS.into_iter().rev().find(|days| now >= since.saturating_add(days.saturating_mul(86_400))) else { return Ok(false) };
    let mut transaction = database.begin().await?;
    // It may have been activated since the look at the queue.
    let added = sqlx::query(
        "INSERT OR IGNORE INTO reminders (application, since, days) SELECT id, since, ? FROM applications WHERE id = ? AND state = 'activatable' AND since = ?",
    )
    .bind(days)
    .bind(application.id)
    .bind(since)
    .execute(&mut *transaction)
    .await?;
    if added.rows_affected() == 0 {
        return Ok(false);
    }
    let to = application.values.get("handlerMobile").map_or("", String::as_str);
    let text = format!("【{institution}】业务{}的USB Key可以激活已有{days}天，请及时激活；未激活的Key不能登录和盖章。", application.number);
    post(&mut transaction, vault, application.id, Channel::Sms, to, &text, now).await?;
    transaction.commit().await?;
    Ok(true)
}
