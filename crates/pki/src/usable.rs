//! Whether a certificate may be used for a task at a time, as the certificate itself says. Trust in its issuer
//! is another question, answered by [`crate::path`]; certificates are chosen by what they are for, never by their order on a token.

use crate::certificate::Certificate;
use crate::key::KeyError;
use crate::oid::{self, ObjectIdentifier};
use thiserror::Error;

/// Why a certificate is not usable for a task.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unusable {
    /// `not_after` in Unix seconds.
    #[error("the certificate has expired")]
    Expired { not_after: i64 },
    /// `not_before` in Unix seconds.
    #[error("the certificate is not valid yet")]
    NotYetValid { not_before: i64 },
    #[error("the certificate is for encryption only")]
    EncryptionOnly,
    #[error("the certificate's key usage does not allow this; it lacks {needed}")]
    KeyUsage { needed: &'static str },
    /// Dotted object identifiers of what it is for.
    #[error("the certificate is for another purpose ({purposes:?})")]
    Purpose { purposes: Vec<String> },
    /// No accepted purpose is among those that the certificate states.
    #[error("the certificate does not say that it is for making seals")]
    NoSealMaker,
    /// RFC 3161 §2.3: timestamping must be stated, alone and critical.
    #[error("the certificate is not for timestamping and nothing else")]
    NoTimestamper,
    #[error("the certificate is a certification authority's")]
    Authority,
    #[error("the certificate's key can not be used: {0}")]
    Key(KeyError),
}

/// Whether the holder may make seals with it at `now` (Unix seconds): a signing key, and one of the `accepted` purposes in the extended
/// key usage. Nothing stated, or anyExtendedKeyUsage, is no such statement: every organisation's certificate would do then.
///
/// # Errors
/// [`Unusable`]: the first reason, kind of certificate before validity.
pub fn usable_as_seal_maker(certificate: &Certificate, now: i64, accepted: &[ObjectIdentifier]) -> Result<(), Unusable> {
    if !certificate.extended_key_usage().iter().any(|purpose| accepted.contains(purpose)) {
        return Err(Unusable::NoSealMaker);
    }
    usable_as_known_seal_maker(certificate, now)
}

/// The same for a certificate that the caller knows to be a seal maker's, whatever purposes it states.
///
/// # Errors
/// [`Unusable`]: the first reason, kind of certificate before validity.
pub fn usable_as_known_seal_maker(certificate: &Certificate, now: i64) -> Result<(), Unusable> {
    check_holder(certificate)?;
    check_signing(certificate)?;
    certificate.public_key().check_usable().map_err(Unusable::Key)?;
    check_time(certificate, now)
}

/// Whether the holder may give timestamps with it at `at` (Unix seconds): a signing key, and timestamping as its one purpose, marked critical (RFC 3161 §2.3).
///
/// # Errors
/// [`Unusable`]: the first reason, kind of certificate before validity.
pub fn usable_for_timestamp(certificate: &Certificate, at: i64) -> Result<(), Unusable> {
    if certificate.extended_key_usage() != [oid::KP_TIME_STAMPING] || !certificate.is_extended_key_usage_critical() {
        return Err(Unusable::NoTimestamper);
    }
    check_holder(certificate)?;
    check_signing(certificate)?;
    certificate.public_key().check_usable().map_err(Unusable::Key)?;
    check_time(certificate, at)
}

/// Whether the certificate states purposes and all of them are among these: it is then for nothing else.
#[must_use]
pub fn is_only_for(certificate: &Certificate, purposes: &[ObjectIdentifier]) -> bool {
    let stated = certificate.extended_key_usage();
    !stated.is_empty() && stated.iter().all(|purpose| purposes.contains(purpose))
}

/// Whether the holder may log in with it at `now` (Unix seconds): digitalSignature where key usage is given (RFC 5280 §4.2.1.3).
///
/// # Errors
/// [`Unusable`]: the first reason, kind of certificate before validity.
pub fn usable_for_login(certificate: &Certificate, now: i64) -> Result<(), Unusable> {
    check_kind(certificate)?;
    let usage = certificate.key_usage();
    if usage.is_present() && !usage.digital_signature() {
        return Err(Unusable::KeyUsage { needed: "digitalSignature" });
    }
    check_time(certificate, now)
}

/// Whether the holder may authenticate with it, as Web eID's validators want it: as for a login, and clientAuth among the purposes
/// where the certificate states any (RFC 5280 §4.2.1.12).
///
/// # Errors
/// [`Unusable`]: the first reason, kind of certificate before validity.
pub fn usable_for_client_authentication(certificate: &Certificate, now: i64) -> Result<(), Unusable> {
    let stated = certificate.extended_key_usage();
    if !stated.is_empty() && !stated.contains(&oid::KP_CLIENT_AUTH) {
        check_kind(certificate)?;
        return Err(Unusable::KeyUsage { needed: "clientAuth" });
    }
    usable_for_login(certificate, now)
}

/// Whether the holder may stamp with it at `now` (Unix seconds): nonRepudiation or digitalSignature where key usage is given.
///
/// # Errors
/// [`Unusable`]: the first reason, kind of certificate before validity.
pub fn usable_for_stamp(certificate: &Certificate, now: i64) -> Result<(), Unusable> {
    check_kind(certificate)?;
    check_signing(certificate)?;
    check_time(certificate, now)
}

fn check_kind(certificate: &Certificate) -> Result<(), Unusable> {
    check_holder(certificate)?;
    // CAs differ in which purposes they give to suppliers' keys; only those are refused that make a certificate a machine's or a seal maker's.
    let others = [oid::KP_SERVER_AUTH, oid::KP_CODE_SIGNING, oid::KP_TIME_STAMPING, oid::KP_OCSP_SIGNING, oid::KP_SEAL_MAKING];
    if is_only_for(certificate, &others) {
        return Err(Unusable::Purpose { purposes: certificate.extended_key_usage().iter().map(ToString::to_string).collect() });
    }
    certificate.public_key().check_usable().map_err(Unusable::Key)
}

fn check_holder(certificate: &Certificate) -> Result<(), Unusable> {
    if certificate.is_encryption_only() {
        return Err(Unusable::EncryptionOnly);
    }
    if certificate.is_ca() { Err(Unusable::Authority) } else { Ok(()) }
}

fn check_signing(certificate: &Certificate) -> Result<(), Unusable> {
    let usage = certificate.key_usage();
    if usage.is_present() && !usage.digital_signature() && !usage.non_repudiation() {
        return Err(Unusable::KeyUsage { needed: "nonRepudiation" });
    }
    Ok(())
}

fn check_time(certificate: &Certificate, now: i64) -> Result<(), Unusable> {
    if now < certificate.not_before() {
        return Err(Unusable::NotYetValid { not_before: certificate.not_before() });
    }
    if now > certificate.not_after() {
        return Err(Unusable::Expired { not_after: certificate.not_after() });
    }
    Ok(())
}
