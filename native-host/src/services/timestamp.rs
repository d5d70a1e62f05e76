//! Timestamps of one authority (RFC 3161). A token is taken only if it is over the very imprint with the very nonce, if the authority's
//! certificate is for timestamps and nothing else, and if its clock and this computer's agree. Whether the authority is trusted is for
//! verifiers to judge, by their anchors.
//!
//! An authority that could not be reached is not asked again in the same run: a batch does not wait for the same silence fifty times.

use std::sync::Mutex;

use sealbridge_pki::tsp::{self, Imprint, Request, Response, TspError, VerifiedTimestamp};
use sealbridge_pki::usable_for_timestamp;
use sealbridge_protocol::failure::{Code, Failure};

use super::{Address, Client, Service};
use crate::host::{now, random};

/// How far the authority's clock and this computer's may be apart, in seconds. Verifiers distrust a signature whose stated time lies
/// further behind the proven one.
const CLOCKS_APART: i64 = 600;

/// A timestamping authority.
#[derive(Debug)]
pub struct Timestamps {
    address: Address,
    down: Mutex<Option<Failure>>,
}

impl Timestamps {
    /// The authority at `url`.
    ///
    /// # Errors
    /// `service-address-refused`.
    pub fn new(url: &str) -> Result<Self, Failure> {
        Ok(Self { address: Address::new(Service::Timestamp, url)?, down: Mutex::new(None) })
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// A token over `imprint`.
    ///
    /// # Errors
    /// `service-…`.
    pub fn token(&self, client: &Client, imprint: Imprint) -> Result<VerifiedTimestamp, Failure> {
        if let Some(failure) = self.down.lock().ok().and_then(|down| down.clone()) {
            return Err(failure);
        }
        let request = Request::new(imprint, &random::<16>()?);
        let answer = client.post(&self.address, "application/timestamp-query", &request.to_der(), tsp::MAX_RESPONSE);
        let answer = answer.inspect_err(|failure| {
            if let (Code::ServiceUnreachable | Code::ServiceTimedOut, Ok(mut down)) = (failure.code, self.down.lock()) {
                *down = Some(failure.clone());
            }
        })?;
        let timestamp = Response::parse(&answer).and_then(|answer| answer.accept(&request)).map_err(|error| match error {
            TspError::Refused { status, text } => self.address.failure(Code::ServiceRefused).with("detail", format!("{status}: {text}")),
            error => self.invalid(error),
        })?;
        usable_for_timestamp(&timestamp.signer, timestamp.info.time).map_err(|unusable| self.invalid(unusable))?;
        let now = now();
        if timestamp.info.time.abs_diff(now) > CLOCKS_APART.unsigned_abs() {
            let (theirs, ours) = (crate::time::rfc3339(timestamp.info.time), crate::time::rfc3339(now));
            return Err(self.invalid(format!("its clock says {theirs}, this computer's {ours}")));
        }
        Ok(timestamp)
    }

    fn invalid(&self, detail: impl ToString) -> Failure {
        self.address.failure(Code::ServiceAnswerInvalid).with("detail", detail)
    }
}
