//! The check of a Web eID token before it is handed to the page: signed by the certificate it carries, over the origin and
//! nonce that were asked for.
//!
//! Trust in the certificate's issuer is the site's to judge; no anchor is known here.

use sealbridge_pki::{Algorithm, Certificate, usable_for_client_authentication};
use sealbridge_protocol::fields::WebEidNonce;
use sealbridge_protocol::origin::Origin;
use sealbridge_protocol::statement::web_eid::{self, Unsigned};
use sealbridge_protocol::{Code, Failure};
use serde::Deserialize;
use wasm_bindgen::prelude::*;

use crate::page::arguments;
use crate::throw::{Thrown, thrown, unusable};

/// What was asked of the host.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    origin: String,
    nonce: WebEidNonce,
}

/// Checks a token of the host against what was asked.
///
/// # Errors
/// `signature-mismatch`, `token-malformed` and its like, the certificate's own failures.
#[wasm_bindgen(js_name = checkWebEid)]
pub fn check_web_eid(token: &str, asked: &str, now: f64) -> Result<(), Thrown> {
    arguments(asked).and_then(|asked| check(token, &asked, crate::view::seconds(now))).map_err(|failure| thrown(&failure))
}

fn check(token: &str, asked: &Asked, now: i64) -> Result<(), Failure> {
    let mismatch = || Failure::new(Code::SignatureMismatch);
    let token = web_eid::parse(token)?;
    // Whether loopback origins are served was decided before anything was signed.
    let origin = Origin::from_browser(&asked.origin, true)?;
    let certificate = Certificate::parse(&token.unverified_certificate).map_err(|error| Failure::new(Code::CertificateUnreadable).with("detail", error))?;
    let algorithm = Algorithm::from_name(token.algorithm.as_str()).ok_or_else(mismatch)?;
    let digest = algorithm.digest_algorithm();
    let unsigned = Unsigned::new(token.algorithm, &origin, &asked.nonce, |bytes| digest.digest(bytes))?;
    certificate.public_key().verify(algorithm, unsigned.signing_input(), &token.signature).map_err(|_| mismatch())?;
    usable_for_client_authentication(&certificate, now).map_err(|reason| unusable(&reason))
}
