//! What this computer believes of a CA's desk: grants signed by an authority that the configuration names, for a request that this
//! process made, once. The one-time keys that secrets are encrypted to live in this process alone and are never written down; a
//! process that was restarted asks for a new grant.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64ct::{Base64UrlUnpadded, Encoding};
use sealbridge_pki::{Algorithm, Certificate, sealed_box};
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::fields::{BusinessNumber, CertificateId};
use sealbridge_protocol::grant::{
    self, ActivationClaims, EcPoint, GrantClaims, GrantSubject, LIFE_SECONDS, Purpose, RenewalClaims, SecretClaims, TokenRequest,
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::config::Config;
use crate::host::{now, random};
use crate::pin::Pin;

/// Most requests that wait for their grants.
const WAITING_MAX: usize = 16;

/// Requests whose grants have not come yet, by their nonces.
#[derive(Debug, Default)]
pub struct Requests(Mutex<HashMap<String, Waiting>>);

struct Waiting {
    /// Later requests have higher ones; their times may be equal.
    number: u64,
    request: TokenRequest,
    secret: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Waiting").field("request", &self.request).finish_non_exhaustive()
    }
}

/// What a grant with a secret gave.
#[derive(Debug)]
pub struct Granted {
    /// The business's number.
    pub business: BusinessNumber,
    /// The token's security officer secret.
    pub officer: Pin,
    /// The certificate of the token to be unlocked.
    pub certificate: Option<CertificateId>,
    /// The subject of the certificate request.
    pub subject: Option<GrantSubject>,
}

impl Requests {
    /// Makes a request with a key of its own. It takes the place of an earlier one for the same token and purpose: what the desk says to
    /// that one is of no use any more.
    ///
    /// # Errors
    /// `authority-missing` where no authority is configured, `internal`.
    pub fn begin(
        &self,
        config: &Config,
        purpose: Purpose,
        business: BusinessNumber,
        serial: &str,
        certificate: Option<CertificateId>,
    ) -> Result<String, Failure> {
        config.authority_certificates()?;
        let secret = Zeroizing::new(random::<32>()?);
        let internal = |_| Failure::new(Code::Internal).with("detail", "one-time key");
        let (x, y) = sealed_box::public(&secret).map_err(internal)?;
        let request = TokenRequest::new(purpose, business, serial, certificate, &random::<16>()?, now(), EcPoint::new(&x, &y));
        let text = request.to_text()?;
        let mut waiting = self.waiting();
        let outlived = now().saturating_sub(LIFE_SECONDS);
        waiting.retain(|_, one| one.request.iat > outlived && (one.request.serial.as_str(), one.request.purpose) != (serial, purpose));
        while waiting.len() >= WAITING_MAX {
            // Nobody is turned down for what others began and left.
            let oldest = waiting.iter().min_by_key(|(_, one)| one.number).map(|(nonce, _)| nonce.clone());
            let Some(oldest) = oldest else { break };
            waiting.remove(&oldest);
        }
        let number = waiting.values().map(|one| one.number).max().map_or(0, |last| last.saturating_add(1));
        waiting.insert(request.nonce.clone(), Waiting { number, request, secret });
        Ok(text)
    }

    /// Opens a grant for a request of this process and this token. It counts once.
    ///
    /// # Errors
    /// `grant-…`, `authority-missing`.
    pub fn open(&self, config: &Config, purpose: Purpose, text: &str, serial: &str) -> Result<Granted, Failure> {
        let claims: SecretClaims = verified(config, text)?.0;
        if claims.kind() != grant::secret_type(purpose) {
            return Err(mismatch("typ"));
        }
        if claims.serial != serial {
            return Err(mismatch("token"));
        }
        let mut waiting = self.waiting();
        let Some(one) = waiting.get(&claims.nonce) else { return Err(Failure::new(Code::GrantUsed)) };
        let asked = &one.request;
        if asked.purpose != purpose || asked.business != claims.sub || asked.serial != claims.serial || asked.certificate != claims.certificate {
            return Err(mismatch("request"));
        }
        let sealed = grant::read_sealed(&claims.enc)?;
        let closed = |_| mismatch("enc");
        let plain = sealed_box::open(&one.secret, &sealed.epk.coordinates()?, &sealed.iv, sealed.header.as_bytes(), &sealed.sealed);
        let plain = Zeroizing::new(plain.map_err(closed)?);
        let officer = Pin::new(&plain)?;
        waiting.remove(&claims.nonce);
        Ok(Granted { business: claims.sub, officer, certificate: claims.certificate, subject: claims.subject })
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<String, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks an activation grant for this certificate request; gives the business's number and the authority that signed it.
///
/// # Errors
/// `grant-…`, `authority-missing`.
pub fn activation(config: &Config, text: &str, request: &[u8]) -> Result<(ActivationClaims, Certificate), Failure> {
    let (claims, authority) = verified::<ActivationClaims>(config, text)?;
    if claims.request == digest(request) { Ok((claims, authority)) } else { Err(mismatch("request")) }
}

/// Checks a renewal grant for this certificate (DER); gives what it says and the authority that signed it.
///
/// # Errors
/// `grant-…`, `authority-missing`.
pub fn renewal(config: &Config, text: &str, certificate: &[u8]) -> Result<(RenewalClaims, Certificate), Failure> {
    let (claims, authority) = verified::<RenewalClaims>(config, text)?;
    if claims.new == digest(certificate) { Ok((claims, authority)) } else { Err(mismatch("certificate")) }
}

/// SHA-256 as grants name it.
fn digest(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(&Sha256::digest(bytes))
}

/// The claims of a grant that one of the configured authorities signed.
fn verified<C: GrantClaims>(config: &Config, text: &str) -> Result<(C, Certificate), Failure> {
    let authorities = config.authority_certificates()?;
    let unverified = grant::read::<C>(text, now())?;
    let authority = authorities
        .into_iter()
        .find(|authority| authority.sha256() == unverified.issuing_sha256)
        .ok_or_else(|| Failure::new(Code::GrantUntrusted).with("detail", "x5t#S256"))?;
    authority
        .public_key()
        .verify(Algorithm::Es256, unverified.signing_input.as_bytes(), &unverified.signature)
        .map_err(|_| Failure::new(Code::GrantUntrusted).with("detail", "signature"))?;
    Ok((unverified.claims, authority))
}

fn mismatch(what: &str) -> Failure {
    Failure::new(Code::GrantMismatch).with("what", what)
}
