//! `seal`: fetches a seal and the certificate it goes with, which the stamping page needs before anything is
//! placed. No key is used and no PIN is asked.

use serde::{Deserialize, Serialize};

use crate::fields::{Bytes, CertificateId, SealId};
use crate::message::{Call, Verb};
use crate::status::CertificateInfo;

/// Most bytes of a seal, so that its answer stays below the frame's cap in base64.
pub const SEAL_MAX: usize = 716_800;

/// What is asked of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Arguments {
    /// Which seal; without it exactly one must be there, those of certificates aside that have a newer one with a seal for the same key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<SealId>,
    /// Which certificate; without it the one that the seal names, the newest of its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateId>,
}

/// The seal and the certificate to stamp with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Answer {
    /// The seal's bytes (GB/T 38540), as they stand on the token.
    pub seal: Bytes,
    /// SHA-256 of `seal`.
    pub id: SealId,
    /// The certificate that will sign.
    pub certificate: CertificateInfo,
}

impl Verb for Arguments {
    const NAME: &'static str = "seal";
    type Answer = Answer;

    fn into_call(self) -> Call {
        Call::Seal(self)
    }
}
