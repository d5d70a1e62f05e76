//! What the desk says to the outside world: short messages, couriers, bank, invoices. A message is written in the transaction
//! of the act that causes it and carried afterwards, so that none is lost and none is sent for something that did not
//! happen. The default carrier is the spool: the message stays here, where a page shows it (R102).

use sqlx::{Row, Sqlite, Transaction};

use super::Database;
use crate::error::DeskError;
use crate::vault::Vault;

/// Where a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// A short message to the handler.
    Sms,
    /// The courier.
    Courier,
    /// Refunds and PIN memos.
    Bank,
    /// Electronic invoices.
    Invoice,
}

impl Channel {
    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Channel::Sms => "sms",
            Channel::Courier => "courier",
            Channel::Bank => "bank",
            Channel::Invoice => "invoice",
        }
    }

    /// What it is called, Chinese and English.
    #[must_use]
    pub const fn words(self) -> [&'static str; 2] {
        match self {
            Channel::Sms => ["短信", "Short message"],
            Channel::Courier => ["快递", "Courier"],
            Channel::Bank => ["银行", "Bank"],
            Channel::Invoice => ["发票", "Invoice"],
        }
    }

    fn from_name(text: &str) -> Option<Self> {
        [Channel::Sms, Channel::Courier, Channel::Bank, Channel::Invoice].into_iter().find(|channel| channel.as_str() == text)
    }
}

/// A message.
#[derive(Debug, Clone)]
pub struct Message {
    /// The row's number: a carrier that is asked twice for one number sends once.
    pub id: i64,
    /// The business's number.
    pub number: String,
    /// Where it goes.
    pub channel: Channel,
    /// To whom: a phone number, an address, an account.
    pub to: String,
    /// What it says.
    pub text: String,
    /// Unix seconds.
    pub created_at: i64,
    /// What the carrier answered, once it did.
    pub receipt: Option<String>,
}

/// Carries messages; what varies between operators.
pub trait Carrier: std::fmt::Debug + Send + Sync {
    /// Carries one message and answers a receipt.
    ///
    /// # Errors
    /// A sentence for the operator's log, without personal data; the message is tried again.
    fn carry(&self, message: &Message) -> Result<String, String>;
}

/// The default: messages stay in the spool.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spool;

impl Carrier for Spool {
    fn carry(&self, _message: &Message) -> Result<String, String> {
        Ok("spool".to_owned())
    }
}

pub(super) async fn post(
    transaction: &mut Transaction<'_, Sqlite>,
    vault: &Vault,
    application: i64,
    channel: Channel,
    to: &str,
    text: &str,
    now: i64,
) -> Result<(), super::applications::NotDone> {
    let body = vault.seal(&place(application), format!("{to}\n{text}").as_bytes())?;
    sqlx::query("INSERT INTO messages (application, channel, body_sealed, created_at) VALUES (?, ?, ?, ?)")
        .bind(application)
        .bind(channel.as_str())
        .bind(body)
        .bind(now)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Hands waiting messages to the carrier; answers how many it took.
///
/// # Errors
/// The database's.
pub async fn carry(database: &Database, vault: &Vault, carrier: &dyn Carrier, now: i64) -> Result<u64, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT m.id, m.application, m.channel, m.body_sealed, m.created_at, m.receipt, a.number FROM messages m JOIN applications a ON a.id = m.application \
         WHERE m.carried_at IS NULL ORDER BY m.id LIMIT 100",
    )
    .fetch_all(database.read())
    .await?;
    let mut carried = 0_u64;
    for row in rows {
        let message = read(vault, &row)?;
        match carrier.carry(&message) {
            Ok(receipt) => {
                sqlx::query("UPDATE messages SET carried_at = ?, receipt = ? WHERE id = ?")
                    .bind(now)
                    .bind(receipt)
                    .bind(message.id)
                    .execute(database.write())
                    .await?;
                carried = carried.saturating_add(1);
            }
            Err(error) => tracing::warn!(message = message.id, channel = message.channel.as_str(), %error, "not carried"),
        }
    }
    Ok(carried)
}

/// The newest messages, for the spool's page.
///
/// # Errors
/// The database's.
pub async fn newest(database: &Database, vault: &Vault) -> Result<Vec<Message>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT m.id, m.application, m.channel, m.body_sealed, m.created_at, m.receipt, a.number FROM messages m JOIN applications a ON a.id = m.application \
         ORDER BY m.id DESC LIMIT 200",
    )
    .fetch_all(database.read())
    .await?;
    rows.iter().map(|row| read(vault, row)).collect()
}

fn place(application: i64) -> String {
    format!("message:{application}")
}

fn read(vault: &Vault, row: &sqlx::sqlite::SqliteRow) -> Result<Message, sqlx::Error> {
    let application: i64 = row.try_get("application")?;
    let sealed: Vec<u8> = row.try_get("body_sealed")?;
    let body = vault.unseal(&place(application), &sealed).ok().and_then(|plain| String::from_utf8(plain).ok()).unwrap_or_default();
    let (to, text) = body.split_once('\n').unwrap_or_default();
    Ok(Message {
        id: row.try_get("id")?,
        number: row.try_get("number")?,
        channel: Channel::from_name(row.try_get("channel")?).ok_or_else(|| super::foreign("channel"))?,
        to: to.to_owned(),
        text: text.to_owned(),
        created_at: row.try_get("created_at")?,
        receipt: row.try_get("receipt")?,
    })
}

impl From<DeskError> for super::applications::NotDone {
    fn from(error: DeskError) -> Self {
        super::applications::NotDone::Desk(error)
    }
}
