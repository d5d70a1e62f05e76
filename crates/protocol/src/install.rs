//! `install`: writes a certificate, its issuers and a seal on the token, and reads them back. The second half of an activation, with
//! the CA's grant for this very request; a renewed certificate with the CA's grant for it, beside the one that it renews; a seal alone
//! that was made anew. Everything is judged by the host: that the certificate is the configured authority's and for a key on this
//! token, that the seal names a certificate there.

use serde::{Deserialize, Serialize};

use crate::failure::{Code, Failure};
use crate::fields::{Bytes, CertificateId, SealId, TokenRef};
use crate::grant::GrantText;
use crate::message::{Asker, Call, Verb};
use crate::statement::CHAIN_MAX;

/// What is to be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Arguments {
    /// The token.
    pub token: TokenRef,
    /// The activation or renewal grant; needed with a certificate and only with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantText>,
    /// The certificate in DER.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Bytes>,
    /// Its issuers in DER, nearest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<Vec<Bytes>>,
    /// The seal, which was handed over with [`crate::seal_part`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<SealId>,
}

/// What lies on the token now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Answer {
    /// The certificate that was written, or was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateId>,
    /// The seal that was written, or was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<SealId>,
}

impl Verb for Arguments {
    const NAME: &'static str = "install";
    const ASKER: Asker = Asker::OwnPage;
    type Answer = Answer;

    fn check(&self) -> Result<(), Failure> {
        let malformed = |detail: &str| Err(Failure::new(Code::RequestMalformed).with("detail", detail));
        if self.certificate.is_some() != self.grant.is_some() {
            return malformed("a certificate and its grant come together");
        }
        if self.certificate.is_none() && self.seal.is_none() {
            return malformed("nothing to install");
        }
        if self.chain.as_ref().is_some_and(|chain| chain.len() >= CHAIN_MAX) {
            return malformed("number of certificates");
        }
        Ok(())
    }

    fn into_call(self) -> Call {
        Call::Install(self)
    }
}
