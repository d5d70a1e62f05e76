//! `stamp`: signs prepared documents, listed one by one in a single consent.
//!
//! This is no "sign this hash": the host builds the CMS signed attributes itself, around each document's
//! digest, and shows name, pages, place and digest code before it signs. The documents stay in the browser.

use serde::{Deserialize, Serialize};

use crate::digest::DocumentDigest;
use crate::failure::{Code, Failure};
use crate::fields::{Bytes, CertificateId, Label, SealId};
use crate::message::{Call, Verb};
use crate::origin::UncheckedOrigin;

/// Most documents in one consent: a list that a person can still read.
pub const DOCUMENTS_MAX: usize = 50;

/// What is asked of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Arguments {
    /// The portal, as the browser names it; set by the extension, never by the page.
    pub origin: UncheckedOrigin,
    /// The certificate to sign with.
    pub certificate: CertificateId,
    /// The seal that was placed.
    pub seal: SealId,
    /// The documents, at least one.
    pub documents: Vec<StampDocument>,
}

/// One document of the list, as the consent window shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct StampDocument {
    /// The file's name.
    pub name: Label,
    /// The original's length in bytes.
    pub size: u64,
    /// How many pages it has.
    pub pages: u32,
    /// SHA-256 of the bytes that the signature will cover (ByteRange, ISO 32000-2 12.8.1).
    pub digest: DocumentDigest,
    /// Where the seal stands, for people: `第 1 页，公章处`.
    pub place: Label,
}

/// The signatures, in the order of the documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Answer {
    /// One CMS SignedData (RFC 5652) in DER for each document.
    pub signatures: Vec<Bytes>,
}

impl Verb for Arguments {
    const NAME: &'static str = "stamp";
    type Answer = Answer;

    fn check(&self) -> Result<(), Failure> {
        let malformed = |detail| Err(Failure::new(Code::RequestMalformed).with("detail", detail));
        if self.documents.len() > DOCUMENTS_MAX {
            return Err(Failure::new(Code::TooManyDocuments).with("count", self.documents.len()).with("limit", DOCUMENTS_MAX));
        }
        if self.documents.is_empty() {
            return malformed("no documents");
        }
        for document in &self.documents {
            if document.pages == 0 || document.size == 0 {
                return malformed("empty document");
            }
        }
        Ok(())
    }

    fn into_call(self) -> Call {
        Call::Stamp(self)
    }
}
