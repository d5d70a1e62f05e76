//! `web-eid`: signs the challenge of a page that was written for Web eID. Both digests are made here, of the origin that the
//! browser names and of the site's nonce; a hash from outside does not exist. The certificate goes to the site, as with a login.

use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::statement::web_eid::{Token, Unsigned};
use sealbridge_protocol::web_eid::Arguments;

use crate::choice::{Purpose, choose};
use crate::consent::Operation;
use crate::host::{Host, now};
use crate::key_use::{self, Asked, Statements};

/// What made the token, for the site's records.
const APP_VERSION: &str = concat!("https://sealbridge.org/native-host/", env!("CARGO_PKG_VERSION"));

/// Runs the verb.
///
/// # Errors
/// `origin-refused`, what [`choose`] and [`key_use::sign`] say.
pub fn run(host: &Host, arguments: &Arguments, asked: Asked<'_>) -> Result<Token, Failure> {
    let origin = arguments.origin.check(host.config.developer)?;
    let chosen = choose(&host.directory.shelves(asked.stop), arguments.certificate, Purpose::WebEid, now())?;
    let digest = chosen.algorithm.digest_algorithm();
    let unsigned = Unsigned::new(super::login::algorithm(chosen.algorithm), &origin, &arguments.nonce, |bytes| digest.digest(bytes))?;
    let bytes = vec![unsigned.signing_input().to_vec()];
    let signatures = key_use::sign(host, &chosen, Operation::WebEid, Some(&origin), asked, |_| Ok(Statements { digest, bytes }))?;
    let signature = signatures.first().ok_or_else(|| Failure::new(Code::Internal).with("detail", "no signature"))?;
    unsigned.attach(chosen.certificate.der(), signature, APP_VERSION)
}
