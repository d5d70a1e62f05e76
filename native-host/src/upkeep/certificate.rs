//! Whether a certificate that comes with a grant may lie on this token: after an activation, for the request that lies there; after a
//! renewal, beside a certificate that is there already, for the same key and the same holder (R58). Nothing is written here.

use sealbridge_pki::Certificate;
use sealbridge_pki::request::Request;
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::grant;

use super::Granted;
use crate::config::Config;
use crate::grants;
use crate::token::Contents;

/// The certificate, if it is granted for this token and an authority of the configuration issued it.
///
/// # Errors
/// `grant-…`, `certificate-missing`, `certificate-other-key`, `certificate-unreadable`, `certificate-untrusted`, `authority-missing`.
pub(super) fn admitted(config: &Config, contents: &Contents, granted: Granted<'_>) -> Result<Certificate, Failure> {
    let (certificate, authority) = if grant::is_renewal(granted.grant)? { renewed(config, contents, granted)? } else { requested(config, contents, granted)? };
    let untrusted = || Failure::new(Code::CertificateUntrusted).with("issuer", authority.organisation().unwrap_or_default());
    if certificate.issuer().der() != authority.subject().der() {
        return Err(untrusted());
    }
    certificate.verify_signature(authority.public_key()).map_err(|_| untrusted())?;
    leads_up(&certificate, granted.chain)?;
    Ok(certificate)
}

/// What an activation grant admits: the certificate for the request on the token.
fn requested(config: &Config, contents: &Contents, granted: Granted<'_>) -> Result<(Certificate, Certificate), Failure> {
    let request = contents.request.as_ref().ok_or_else(|| Failure::new(Code::CertificateOtherKey))?;
    let (claims, authority) = grants::activation(config, granted.grant, &request.0)?;
    if claims.sub != contents.slot.label {
        return Err(mismatch("business"));
    }
    let certificate = parsed(granted.certificate)?;
    let asked_for = Request::parse(&request.0).map_err(|_| Failure::new(Code::CertificateOtherKey))?;
    if certificate.spki_der() != asked_for.spki_der() {
        return Err(Failure::new(Code::CertificateOtherKey));
    }
    Ok((certificate, authority))
}

/// What a renewal grant admits: one more certificate for the key of the one that it names, for the same organisation.
fn renewed(config: &Config, contents: &Contents, granted: Granted<'_>) -> Result<(Certificate, Certificate), Failure> {
    let (claims, authority) = grants::renewal(config, granted.grant, granted.certificate)?;
    let held = contents.certificates.iter().filter_map(|held| Some((Certificate::parse(&held.der.0).ok()?, held.has_key)));
    let (old, has_key) =
        held.into_iter().find(|(old, _)| old.sha256() == *claims.certificate.as_bytes()).ok_or_else(|| Failure::new(Code::CertificateMissing))?;
    if !has_key {
        return Err(Failure::new(Code::KeyMissing));
    }
    let certificate = parsed(granted.certificate)?;
    if certificate.spki_der() != old.spki_der() {
        return Err(Failure::new(Code::CertificateOtherKey));
    }
    if certificate.organisation() != old.organisation() || certificate.credit_code() != old.credit_code() {
        return Err(mismatch("organisation"));
    }
    Ok((certificate, authority))
}

/// Whether each certificate of the chain issued the one below it, the first of them this one.
fn leads_up(certificate: &Certificate, chain: &[Vec<u8>]) -> Result<(), Failure> {
    let mut below = certificate.clone();
    for der in chain {
        let issuer = parsed(der)?;
        let issued = issuer.is_ca() && issuer.subject().der() == below.issuer().der() && below.verify_signature(issuer.public_key()).is_ok();
        if !issued {
            return Err(Failure::new(Code::CertificateUntrusted).with("issuer", issuer.organisation().unwrap_or_default()));
        }
        below = issuer;
    }
    Ok(())
}

fn parsed(der: &[u8]) -> Result<Certificate, Failure> {
    Certificate::parse(der).map_err(|error| Failure::new(Code::CertificateUnreadable).with("detail", error))
}

fn mismatch(what: &str) -> Failure {
    Failure::new(Code::GrantMismatch).with("what", what)
}
