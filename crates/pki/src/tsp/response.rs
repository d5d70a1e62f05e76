//! TimeStampResp (RFC 3161 §2.4.2): what the authority answers. An answer is taken only if it is to the very request that was made.

use super::token::{self, VerifiedTimestamp};
use super::{MAX_RESPONSE, Request, TspError};
use crate::asn1::{Element, tag};
use crate::name;
use std::fmt;

/// PKIStatus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Granted,
    /// Granted with changes; what was changed is seen in the token.
    GrantedWithMods,
    Rejection,
    Waiting,
    RevocationWarning,
    RevocationNotification,
    Other(u64),
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Granted => "granted",
            Self::GrantedWithMods => "granted with changes",
            Self::Rejection => "rejected",
            Self::Waiting => "waiting",
            Self::RevocationWarning => "about to be revoked",
            Self::RevocationNotification => "revoked",
            Self::Other(_) => "unknown status",
        })
    }
}

/// An answer that can be read; see [`Response::accept`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub status: Status,
    /// The authority's words, one line.
    pub text: String,
    token: Option<Vec<u8>>,
}

impl Response {
    /// Reads an answer that fills `der`.
    ///
    /// # Errors
    /// [`TspError`].
    pub fn parse(der: &[u8]) -> Result<Self, TspError> {
        if der.len() > MAX_RESPONSE {
            return Err(TspError::TooLarge);
        }
        let mut fields = Element::parse(der)?.expect(tag::SEQUENCE)?.reader()?;
        let mut info = fields.expect(tag::SEQUENCE)?.reader()?;
        let number = info.expect(tag::INTEGER)?;
        let status = match number.content() {
            [0] => Status::Granted,
            [1] => Status::GrantedWithMods,
            [2] => Status::Rejection,
            [3] => Status::Waiting,
            [4] => Status::RevocationWarning,
            [5] => Status::RevocationNotification,
            other => Status::Other(other.iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))),
        };
        let mut words = Vec::new();
        if let Some(texts) = info.optional(tag::SEQUENCE)? {
            let mut texts = texts.reader()?;
            while let Some(line) = texts.next()? {
                if words.len() < 8 {
                    words.extend(name::text(&line).map(|line| line.chars().filter(|c| !c.is_control()).take(200).collect::<String>()));
                }
            }
        }
        info.optional(tag::BIT_STRING)?;
        info.finish()?;
        let token = fields.optional(tag::SEQUENCE)?.map(|token| token.raw().to_vec());
        fields.finish()?;
        Ok(Self { status, text: words.join(" "), token })
    }

    /// The token, if it was granted and is about this request: same imprint, same nonce, the policy that was asked for.
    ///
    /// # Errors
    /// [`TspError`]: refused, malformed, signed wrongly, or of another request.
    pub fn accept(&self, request: &Request) -> Result<VerifiedTimestamp, TspError> {
        if !matches!(self.status, Status::Granted | Status::GrantedWithMods) {
            return Err(TspError::Refused { status: self.status, text: self.text.clone() });
        }
        let token = self.token.as_deref().ok_or(TspError::NoToken)?;
        let timestamp = token::verify(token, &|algorithm| (algorithm == request.imprint.algorithm).then(|| request.imprint.digest.clone()))?;
        if timestamp.info.nonce != request.nonce {
            return Err(TspError::Nonce);
        }
        if request.policy.is_some_and(|policy| policy != timestamp.info.policy) {
            return Err(TspError::Policy);
        }
        Ok(timestamp)
    }
}
