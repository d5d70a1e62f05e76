//! The check of a bind or login statement before it is handed to the page: signed by the certificate it carries, and saying
//! exactly what was asked.
//!
//! Trust in the certificate's issuer is the portal's to judge; no anchor is known here.

use sealbridge_pki::{Algorithm, Certificate, usable_for_login};
use sealbridge_protocol::fields::{Account, Nonce};
use sealbridge_protocol::operation::OperationId;
use sealbridge_protocol::statement::{self, Kind};
use sealbridge_protocol::{Code, Failure};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use crate::page::arguments;
use crate::throw::{Thrown, thrown, to_js, unusable};

/// How far the host's clock may be from the browser's, in seconds: it is the same computer, and an answer may have waited in the journal.
const CLOCK_MAX: i64 = 900;

/// What was asked of the host.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    origin: String,
    nonce: Nonce,
    account: Option<Account>,
    operation: OperationId,
}

/// Who signed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Signer {
    certificate: String,
    organisation: String,
    credit_code: Option<String>,
}

/// Checks a statement of the host against what was asked.
///
/// # Errors
/// `signature-mismatch`, `token-malformed` and its like, the certificate's own failures.
#[wasm_bindgen(js_name = checkStatement)]
pub fn check_statement(verb: &str, token: &str, asked: &str, now: f64) -> Result<JsValue, Thrown> {
    let checked = arguments(asked).and_then(|asked| check(verb, token, &asked, crate::view::seconds(now)));
    to_js(&checked.map_err(|failure| thrown(&failure))?)
}

pub(crate) fn check(verb: &str, token: &str, asked: &Asked, now: i64) -> Result<Signer, Failure> {
    let parsed = statement::parse(token)?;
    let kind = if verb == "bind" { Kind::Bind } else { Kind::Login };
    let mismatch = || Failure::new(Code::SignatureMismatch);
    let claims = &parsed.claims;
    let same = parsed.kind == kind
        && claims.aud.as_str() == asked.origin
        && claims.nonce == asked.nonce
        && claims.sub == asked.account
        && claims.jti == asked.operation
        && claims.iat.abs_diff(now) <= CLOCK_MAX.unsigned_abs();
    if !same {
        return Err(mismatch());
    }
    let der = parsed.unverified_chain.first().ok_or_else(mismatch)?;
    let certificate = Certificate::parse(der).map_err(|error| Failure::new(Code::CertificateUnreadable).with("detail", error))?;
    if certificate.sha256() != parsed.leaf_sha256 {
        return Err(mismatch());
    }
    let algorithm = Algorithm::from_name(parsed.algorithm.as_str()).ok_or_else(mismatch)?;
    certificate.public_key().verify(algorithm, parsed.signing_input.as_bytes(), &parsed.signature).map_err(|_| mismatch())?;
    usable_for_login(&certificate, now).map_err(|reason| unusable(&reason))?;
    Ok(Signer {
        certificate: certificate.id(),
        organisation: certificate.organisation().unwrap_or_default().to_owned(),
        credit_code: certificate.credit_code(),
    })
}
