//! What the host's status means for people: whose certificates, how long they last, what is missing and why.
//!
//! Certificates are judged by what they are for and by their validity, never by their order; trust is not judged here.

use sealbridge_pki::{Certificate, usable_for_login, usable_for_stamp};
use sealbridge_protocol::status::{self, CertificateInfo, TokenInfo, TokenState};
use sealbridge_protocol::{Code, Failure};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::keys::{Expiry, days_left};
use crate::throw::{Thrown, thrown, to_js, unusable};
use crate::view::seconds;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatusView {
    tokens: Vec<TokenView>,
    missing: Vec<Failure>,
    missing_for_stamp: Vec<Failure>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenView {
    label: String,
    serial: String,
    state: TokenState,
    failure: Option<Failure>,
    certificates: Vec<CertificateView>,
    seals: Vec<SealView>,
}

#[derive(Debug, Serialize)]
struct SealView {
    id: String,
    label: String,
}

/// One certificate.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CertificateView {
    id: String,
    organisation: String,
    common_name: String,
    credit_code: Option<String>,
    issuer: String,
    serial: String,
    not_before: i64,
    not_after: i64,
    days_left: i64,
    /// None where the certificate cannot be read.
    expiry: Option<Expiry>,
    has_key: bool,
    encryption_only: bool,
    test: bool,
    /// Ids of the token's certificates of the same key that count instead of it.
    renewed_by: Vec<String>,
    /// Whether one of them does for everything that this one could be used for.
    renewed: bool,
    login: Option<Failure>,
    stamp: Option<Failure>,
}

/// What a status means.
///
/// # Errors
/// `answer-malformed`.
#[wasm_bindgen(js_name = describeStatus)]
pub fn describe_status(status: JsValue, now: f64) -> Result<JsValue, Thrown> {
    let status: status::Answer = serde_wasm_bindgen::from_value(status).map_err(|_| thrown(&Failure::new(Code::AnswerMalformed).with("detail", "status")))?;
    to_js(&describe(&status, seconds(now)))
}

fn describe(status: &status::Answer, now: i64) -> StatusView {
    let tokens: Vec<TokenView> = status.tokens.iter().map(|token| token_view(token, now)).collect();
    let mut missing = Vec::new();
    let mut missing_for_stamp = Vec::new();
    if status.tokens.is_empty() {
        let broken: Vec<Failure> = status.modules.iter().filter_map(|module| module.failure.clone()).collect();
        if status.modules.is_empty() {
            missing.push(Failure::new(Code::ModuleNotConfigured));
        } else if broken.len() == status.modules.len() {
            missing.extend(broken);
        } else {
            missing.push(Failure::new(Code::TokenMissing));
        }
    } else {
        let usable = |pick: fn(&CertificateView) -> &Option<Failure>| {
            tokens.iter().filter(|token| token.failure.is_none()).flat_map(|token| &token.certificates).any(|certificate| pick(certificate).is_none())
        };
        if !usable(|certificate| &certificate.login) {
            missing.push(reason(&tokens, |certificate| certificate.login.clone()));
        }
        if !usable(|certificate| &certificate.stamp) {
            let failure = reason(&tokens, |certificate| certificate.stamp.clone());
            if !missing.contains(&failure) {
                missing_for_stamp.push(failure);
            }
        }
        if tokens.iter().all(|token| token.seals.is_empty()) {
            missing_for_stamp.push(Failure::new(Code::SealMissing));
        }
    }
    StatusView { tokens, missing, missing_for_stamp }
}

/// The one reason that helps most: the token's own state, then what is wrong with the signing certificate, then that there is none.
fn reason(tokens: &[TokenView], pick: fn(&CertificateView) -> Option<Failure>) -> Failure {
    tokens
        .iter()
        .find_map(|token| token.failure.clone())
        .or_else(|| tokens.iter().flat_map(|token| &token.certificates).filter(|certificate| !certificate.encryption_only).find_map(pick))
        .or_else(|| tokens.iter().flat_map(|token| &token.certificates).find_map(pick))
        .unwrap_or_else(|| Failure::new(Code::CertificateMissing))
}

fn token_view(token: &TokenInfo, now: i64) -> TokenView {
    let held: Vec<Certificate> = token.certificates.iter().filter(|info| info.has_key).filter_map(|info| Certificate::parse(&info.der.0).ok()).collect();
    TokenView {
        label: token.label.clone(),
        serial: token.serial.clone(),
        state: token.state,
        failure: match token.state {
            TokenState::Locked => Some(Failure::new(Code::PinLocked)),
            TokenState::Uninitialised => Some(Failure::new(Code::TokenUninitialised).with("token", &token.label)),
            TokenState::Ready | TokenState::PinLow | TokenState::PinFinalTry => None,
        },
        certificates: token.certificates.iter().map(|info| certificate_view(info, &held, now)).collect(),
        seals: token.seals.iter().map(|seal| SealView { id: seal.id.to_string(), label: seal.label.clone() }).collect(),
    }
}

/// A certificate among those of its token whose key is there.
fn certificate_view(info: &CertificateInfo, held: &[Certificate], now: i64) -> CertificateView {
    let certificate = match Certificate::parse(&info.der.0) {
        Ok(certificate) => certificate,
        Err(error) => {
            let failure = Failure::new(Code::CertificateUnreadable).with("detail", error);
            return CertificateView {
                id: info.id.to_string(),
                organisation: info.label.clone(),
                common_name: info.label.clone(),
                credit_code: None,
                issuer: String::new(),
                serial: String::new(),
                not_before: 0,
                not_after: 0,
                days_left: 0,
                expiry: None,
                has_key: info.has_key,
                encryption_only: false,
                test: false,
                renewed_by: Vec::new(),
                renewed: false,
                login: Some(failure.clone()),
                stamp: Some(failure),
            };
        }
    };
    let key = || (!info.has_key).then(|| Failure::new(Code::KeyMissing));
    let name = |text: Option<&str>| text.unwrap_or_default().to_owned();
    CertificateView {
        id: certificate.id(),
        organisation: name(certificate.organisation()),
        common_name: name(certificate.subject().common_name()),
        credit_code: certificate.credit_code(),
        issuer: name(certificate.issuer().common_name().or_else(|| certificate.issuer().organisation())),
        serial: certificate.serial_hex(),
        not_before: certificate.not_before(),
        not_after: certificate.not_after(),
        days_left: days_left(certificate.not_after(), now),
        expiry: Some(Expiry::at(certificate.not_before(), certificate.not_after(), now)),
        has_key: info.has_key,
        encryption_only: certificate.is_encryption_only(),
        test: certificate.is_test(),
        renewed_by: held.iter().filter(|other| certificate.is_renewed_by(other, now)).map(Certificate::id).collect(),
        renewed: held.iter().any(|other| certificate.is_replaced_by(other, now)),
        login: usable_for_login(&certificate, now).err().map(|reason| unusable(&reason)).or_else(key),
        stamp: usable_for_stamp(&certificate, now).err().map(|reason| unusable(&reason)).or_else(key),
    }
}
