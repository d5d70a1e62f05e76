//! `bind`: signs that a certificate belongs to an account at a portal. The statement is built here from checked fields.

use sealbridge_protocol::bind::{Answer, Arguments};
use sealbridge_protocol::failure::Failure;
use sealbridge_protocol::operation::OperationId;
use sealbridge_protocol::statement::{Claims, Kind};

use crate::choice::{Purpose, choose};
use crate::consent::Operation;
use crate::host::{Host, now};
use crate::key_use::Asked;

/// Runs the verb.
///
/// # Errors
/// `origin-refused`, what [`choose`] and [`crate::key_use::sign`] say.
pub fn run(host: &Host, id: OperationId, arguments: &Arguments, asked: Asked<'_>) -> Result<Answer, Failure> {
    let origin = arguments.origin.check(host.config.developer)?;
    let chosen = choose(&host.directory.shelves(asked.stop), arguments.certificate, Purpose::Login, now())?;
    let operation = Operation::Bind { account: arguments.account.as_str() };
    let token = super::login::signed_statement(host, &chosen, &origin, operation, Kind::Bind, asked, |iat| {
        Claims::bind(origin.clone(), arguments.nonce.clone(), iat, id, arguments.account.clone())
    })?;
    Ok(Answer { token })
}
