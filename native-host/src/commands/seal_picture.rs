//! `seal-picture`: a seal's picture as the seal holds it. No key is used and no PIN is asked.

use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::fields::Bytes;
use sealbridge_protocol::seal_picture::{Answer, Arguments};

use super::stamp::parsed_seal;
use crate::host::Host;
use crate::stop::Stop;
use crate::upkeep;

/// Runs the verb.
///
/// # Errors
/// `seal-missing`, `seal-invalid`, `token-…`, `module-…`.
pub fn run(host: &Host, arguments: &Arguments, stop: &Stop) -> Result<Answer, Failure> {
    let slot = upkeep::find(host, &arguments.token, stop)?.slot.slot;
    let seal = parsed_seal(host, &arguments.token.module, slot, arguments.seal, stop)?;
    let format = match seal.picture().kind.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "bmp" => "image/bmp",
        other => return Err(Failure::new(Code::SealInvalid).with("detail", format!("picture of the kind {other}"))),
    };
    Ok(Answer { format: format.to_owned(), picture: Bytes(seal.picture().data.clone()) })
}
