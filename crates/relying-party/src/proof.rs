//! The common part of checking a login and a bind, in the one order: size, form and kind (when it is read),
//! nonce, audience, time, algorithm, signature, chain and validity and key usage; then [`crate::standing`] asks about revocation.
//!
//! What comes out is a certificate whose holder signed this statement for this portal just now. Whose account
//! that is, is the next question and not answered here.

use sealbridge_pki::path::{self, Use, VerifiedPath};
use sealbridge_pki::{Algorithm as Suite, Certificate, is_only_for};
use sealbridge_protocol::fields::{CertificateId, Nonce};
use sealbridge_protocol::statement::{self, Algorithm, Claims, Kind, Parsed};
use sealbridge_protocol::{Code, Failure};
use sealbridge_seal::verify::CertificateStatus;

use crate::policy::Policy;
use crate::refusal;

/// A statement that was read and not verified.
#[derive(Debug, Clone)]
pub(crate) struct Unverified {
    token: String,
    parsed: Parsed,
    leaf: Certificate,
    intermediates: Vec<Certificate>,
}

/// A certificate whose holder signed a statement.
#[derive(Debug, Clone)]
pub(crate) struct Proof {
    pub(crate) token: String,
    pub(crate) certificate: Certificate,
    pub(crate) issuers: Vec<Certificate>,
    pub(crate) claims: Claims,
    pub(crate) at: i64,
    pub(crate) path: VerifiedPath,
    /// What the authorities say about the path, leaf first; nothing where nobody was asked.
    pub(crate) revocation: Vec<CertificateStatus>,
}

impl Unverified {
    /// Size, form, kind.
    pub(crate) fn read(token: &str, kind: Kind) -> Result<Self, Failure> {
        let parsed = statement::parse(token).map_err(|failure| match failure.code {
            Code::TokenType => failure.with("expected", kind.as_str()),
            _ => failure,
        })?;
        if parsed.kind != kind {
            return Err(Failure::new(Code::TokenType).with("expected", kind.as_str()));
        }
        let certificate = |der: &Vec<u8>| Certificate::parse(der).map_err(|error| Failure::new(Code::TokenMalformed).with("detail", format!("x5c: {error}")));
        let mut certificates = parsed.unverified_chain.iter();
        let leaf = certificate(certificates.next().ok_or(Code::TokenMalformed)?)?;
        let intermediates = certificates.map(certificate).collect::<Result<_, _>>()?;
        if parsed.leaf_sha256 != leaf.sha256() {
            return Err(Failure::new(Code::TokenMalformed).with("detail", "x5t#S256"));
        }
        Ok(Self { token: token.to_owned(), parsed, leaf, intermediates })
    }

    pub(crate) fn nonce(&self) -> &Nonce {
        &self.parsed.claims.nonce
    }

    pub(crate) fn leaf(&self) -> &Certificate {
        &self.leaf
    }

    pub(crate) fn certificate_id(&self) -> CertificateId {
        CertificateId::new(self.leaf.sha256())
    }
}

/// The rest of the order, but revocation. `issued_at` and `expires_at` are the challenge's.
pub(crate) fn prove(unverified: Unverified, nonce: &Nonce, issued_at: i64, expires_at: i64, policy: &Policy, now: i64) -> Result<Proof, Failure> {
    let Unverified { token, parsed, leaf, intermediates } = unverified;
    let claims = parsed.claims;

    if claims.nonce != *nonce {
        return Err(Failure::new(Code::NonceUnknown));
    }
    // A stored record cannot give a challenge a longer life than the policy does.
    let expires_at = expires_at.min(issued_at.saturating_add(policy.challenge_seconds()));
    if now > expires_at {
        return Err(Failure::new(Code::NonceExpired).with("seconds", policy.challenge_seconds()));
    }
    if !policy.origins.contains(&claims.aud) {
        return Err(Failure::new(Code::AudienceMismatch).with("audience", &claims.aud));
    }
    let skew = policy.clock_skew_seconds();
    if claims.exp() < now.saturating_sub(skew) {
        return Err(Failure::new(Code::StatementExpired).with("expired", refusal::moment(claims.exp())));
    }
    if claims.iat > now.saturating_add(skew) {
        return Err(Failure::new(Code::StatementNotYetValid).with("issued", refusal::moment(claims.iat)));
    }
    if !policy.algorithms.contains(&parsed.algorithm) {
        return Err(Failure::new(Code::AlgorithmRefused).with("algorithm", parsed.algorithm.as_str()));
    }
    leaf.public_key().verify(suite(parsed.algorithm), parsed.signing_input.as_bytes(), &parsed.signature).map_err(|error| refusal::key(&error))?;

    if is_only_for(&leaf, &policy.seal_maker_purposes) {
        return Err(Failure::new(Code::CertificateKeyUsage));
    }
    let mut material = intermediates;
    material.extend(policy.intermediates.iter().cloned());
    let verified = match &policy.known {
        Some(known) => known.check(&leaf, &material, &policy.anchors, now),
        None => path::check(&leaf, &material, &policy.anchors, now, Use::Login),
    };
    let verified = verified.map_err(|error| refusal::path(&error, &leaf))?;
    let issuers = verified.certificates().iter().skip(1).cloned().collect();
    Ok(Proof { token, issuers, certificate: leaf, claims, at: now, path: verified, revocation: Vec::new() })
}

/// The same algorithm, as the certificate room names it.
fn suite(algorithm: Algorithm) -> Suite {
    match algorithm {
        Algorithm::Es256 => Suite::Es256,
        Algorithm::Es384 => Suite::Es384,
        Algorithm::Rs256 => Suite::Rs256,
        Algorithm::Ps256 => Suite::Ps256,
    }
}
