#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod bind;
pub mod binding;
pub mod chain;
pub mod challenge;
pub mod document;
pub mod evidence;
pub mod import;
pub mod known;
pub mod login;
pub mod policy;
pub mod ration;
pub mod renewal;
pub mod standing;
pub mod subject_id;

mod proof;
mod refusal;

pub use binding::Binding;
pub use policy::{Policy, PolicyError, Revocation, RevocationList, StatusDemand};
pub use standing::Signed;

pub use sealbridge_pki::Certificate;
pub use sealbridge_pki::oid::ObjectIdentifier;
pub use sealbridge_pki::path::VerifiedPath;
pub use sealbridge_protocol::fields::{Account, CertificateId, Nonce};
pub use sealbridge_protocol::origin::Origin;
pub use sealbridge_protocol::statement::Algorithm;
pub use sealbridge_protocol::{Code, Failure, Language, Party, words};
pub use sealbridge_seal::Evidence;
pub use sealbridge_seal::verify::{Accepted, CertificateStatus, StatusWord};
