#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod asn1;
pub mod certificate;
pub mod cms;
pub mod credit_code;
pub mod crl;
pub mod issue;
pub mod key;
pub mod name;
pub mod ocsp;
pub mod oid;
pub mod path;
pub mod request;
pub mod revocation;
pub mod sealed_box;
pub mod suite;
pub mod term;
pub mod tsp;
pub mod usable;

pub use certificate::{Certificate, CertificateError, KeyUsage};
pub use key::{KeyError, PublicKey};
pub use name::{Attribute, Name, Subject};
pub use suite::{Algorithm, DigestAlgorithm, SignatureScheme};
pub use term::Term;
pub use usable::{
    Unusable, is_only_for, usable_as_known_seal_maker, usable_as_seal_maker, usable_for_client_authentication, usable_for_login, usable_for_stamp,
    usable_for_timestamp,
};
