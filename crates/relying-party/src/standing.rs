//! Whether the certificates behind a statement are revoked, from the portal's list and from what their own authorities say. The authorities' word
//! is fetched by the caller, between two steps: `prove` gives a [`Signed`] statement, whose path says whom to ask, and what was learned goes
//! into `accept`. Only then nobody asks about a certificate that has signed nothing or leads nowhere.

use sealbridge_pki::Certificate;
use sealbridge_pki::path::VerifiedPath;
use sealbridge_pki::revocation::{self, Standing};
use sealbridge_protocol::fields::CertificateId;
use sealbridge_protocol::{Code, Failure};
use sealbridge_seal::Evidence;
use sealbridge_seal::verify::CertificateStatus;

use crate::policy::{Policy, StatusDemand};
use crate::proof::Proof;
use crate::refusal;

/// A statement that the holder of a certificate has signed for this portal just now, with its challenge. Whether the certificate is revoked and
/// whose account it opens is not answered yet.
#[derive(Debug)]
pub struct Signed<P> {
    pub(crate) pending: P,
    pub(crate) proof: Proof,
}

impl<P> Signed<P> {
    /// Whose statement it is.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.proof.certificate
    }

    /// The path to the portal's anchor: whose revocation there is to be asked about.
    #[must_use]
    pub fn path(&self) -> &VerifiedPath {
        &self.proof.path
    }
}

/// Nothing revoked, and nothing unknown where that is demanded.
pub(crate) fn settle(proof: &mut Proof, evidence: &Evidence, policy: &Policy, now: i64) -> Result<(), Failure> {
    let certificates = proof.path.certificates();
    // Every certificate of the path but the anchor, which the portal itself trusts or not.
    let below_anchor = certificates.len().saturating_sub(1).max(1);
    let ids = certificates.iter().take(below_anchor).map(|certificate| CertificateId::new(certificate.sha256()));
    if let Some(failure) = policy.revoked(ids, now) {
        return Err(failure);
    }
    if policy.status == StatusDemand::NotAsked && evidence.is_silent() {
        return Ok(());
    }
    let standings = revocation::judge(&proof.path, evidence.material(), now, now);
    proof.revocation = certificates.iter().zip(&standings).map(|(certificate, standing)| CertificateStatus::of(certificate, *standing)).collect();
    for standing in &standings {
        match standing {
            Standing::Revoked { time, .. } => return Err(Failure::new(Code::CertificateRevoked).with("since", refusal::moment(*time))),
            Standing::Unknown if policy.status == StatusDemand::Required => return Err(Failure::new(Code::RevocationUnknown)),
            Standing::Unknown | Standing::Good { .. } => {}
        }
    }
    Ok(())
}
