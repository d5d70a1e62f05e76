//! `activate`: the first half of an activation, up to the certificate request: 已激活不可退回 is asked, the token set up with the grant's
//! secret, the user's PIN chosen, the key pair made on the token, the request signed there. What is done already is not done
//! again: asked after any interruption, it gives the same request. The second half is [`crate::install`].

use serde::{Deserialize, Serialize};

use crate::fields::{Bytes, TokenRef};
use crate::grant::GrantText;
use crate::message::{Asker, Call, Verb};

/// Which token, with which grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Arguments {
    /// The token.
    pub token: TokenRef,
    /// The desk's answer to the host's last `token-request` for this token: it names the business and the subject.
    pub grant: GrantText,
}

/// The certificate request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Answer {
    /// PKCS#10 in DER, signed by the new key.
    pub request: Bytes,
    /// The token; a module may give it another serial number when it is set up.
    pub token: TokenRef,
}

impl Verb for Arguments {
    const NAME: &'static str = "activate";
    const ASKER: Asker = Asker::OwnPage;
    type Answer = Answer;

    fn into_call(self) -> Call {
        Call::Activate(self)
    }
}
