//! Failures on their way to JavaScript: thrown as plain objects `{code, facts}`, never as strings or traps.
//!
//! It adds no words; whoever shows a failure makes them.

use sealbridge_pdf::PdfError;
use sealbridge_pki::Unusable;
use sealbridge_protocol::{Code, Failure};
use sealbridge_seal::StampError;
use serde::Serialize;
use wasm_bindgen::JsValue;

/// What every exported function throws.
pub(crate) type Thrown = JsValue;

/// A failure as the object that is thrown.
pub(crate) fn thrown(failure: &Failure) -> Thrown {
    to_js(failure).unwrap_or_else(|_| JsValue::from_str(failure.code.as_str()))
}

/// A value as a plain JavaScript object: maps as objects, large numbers as numbers, byte slices as `Uint8Array`.
pub(crate) fn to_js<T: Serialize + ?Sized>(value: &T) -> Result<JsValue, JsValue> {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible().serialize_bytes_as_arrays(false);
    value.serialize(&serializer).map_err(|error| JsValue::from_str(&error.to_string()))
}

/// A stamping failure by its own code and facts.
pub(crate) fn stamp_failure(error: &StampError, name: &str) -> Failure {
    let code = error.code().parse().unwrap_or(Code::Internal);
    with_name(error.facts().into_iter().fold(Failure::new(code), |failure, (fact, value)| failure.with(fact, value)), name)
}

/// A document that cannot be read.
pub(crate) fn pdf_failure(error: PdfError, name: &str) -> Failure {
    stamp_failure(&StampError::Pdf(error), name)
}

/// Documents have names; the words use them where the code knows them.
fn with_name(failure: Failure, name: &str) -> Failure {
    if !name.is_empty() && failure.code.facts().contains(&"name") { failure.with("name", name) } else { failure }
}

/// Why a certificate cannot be used.
pub(crate) fn unusable(reason: &Unusable) -> Failure {
    match reason {
        Unusable::Expired { not_after } => Failure::new(Code::CertificateExpired).with("notAfter", day(*not_after)),
        Unusable::NotYetValid { not_before } => Failure::new(Code::CertificateNotYetValid).with("notBefore", day(*not_before)),
        Unusable::EncryptionOnly => Failure::new(Code::CertificateEncryptionOnly),
        Unusable::KeyUsage { needed } => Failure::new(Code::CertificateKeyUsage).with("usage", needed),
        Unusable::Key(error) => Failure::new(Code::KeyUnsupported).with("algorithm", error),
        other => Failure::new(Code::CertificateKeyUsage).with("usage", other),
    }
}

/// `2026-11-21` in UTC, by the browser's own calendar.
fn day(unix: i64) -> String {
    // A certificate's time lies within the years 0 to 9999, far below 2^53 milliseconds.
    #[allow(clippy::cast_precision_loss)]
    let date = js_sys::Date::new(&JsValue::from_f64(unix as f64 * 1000.0));
    format!("{:04}-{:02}-{:02}", date.get_utc_full_year(), date.get_utc_month() + 1, date.get_utc_date())
}
