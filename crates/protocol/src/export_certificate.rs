//! `export-certificate`: a certificate's bytes, for a file. A certificate is public; no key is used and no PIN is asked.

use serde::{Deserialize, Serialize};

use crate::fields::{Bytes, CertificateId};
use crate::message::{Asker, Call, Verb};

/// Which certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Arguments {
    /// The certificate.
    pub certificate: CertificateId,
}

/// The certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Answer {
    /// The certificate in DER.
    pub der: Bytes,
    /// The certificate and its issuers as found on the token, as PEM.
    pub pem: String,
    /// A name for the file, without ending and without anything that a file system would mind.
    pub name: String,
}

impl Verb for Arguments {
    const NAME: &'static str = "export-certificate";
    const ASKER: Asker = Asker::OwnPage;
    type Answer = Answer;

    fn into_call(self) -> Call {
        Call::ExportCertificate(self)
    }
}
