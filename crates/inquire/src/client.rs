//! One question over HTTP, one answer. It keeps nothing: no cookies, no connections. A `POST` follows no redirect, a `GET`
//! a few, and only to `http://` and to where the first question might have gone.

use std::time::Duration;

use sealbridge_protocol::failure::{Code, Failure};
use ureq::http::Response;
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body, Error};

use crate::address::Address;
use crate::reach::{Guarded, NOT_PUBLIC, Reach};

/// How often a `GET` is sent elsewhere.
const REDIRECTS_MAX: u32 = 3;

/// Asks services.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    patience: Duration,
}

impl Client {
    /// Waits for an answer, from looking up the name to the last byte, as long as `patience`, of machines within `reach`.
    #[must_use]
    pub fn new(patience: Duration, reach: Reach) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(patience))
            // A connection that the other side has closed meanwhile would look like an outage.
            .max_idle_connections(0)
            .max_redirects(REDIRECTS_MAX)
            .max_redirects_will_error(true)
            .user_agent(concat!("sealbridge/", env!("CARGO_PKG_VERSION")));
        let agent = match reach {
            Reach::Any => Agent::new_with_config(config.build()),
            // Through a proxy it would be the proxy's address that is looked at.
            Reach::Public { except } => Agent::with_parts(config.proxy(None).build(), DefaultConnector::new(), Guarded::new(except)),
        };
        Self { agent, patience }
    }

    /// Sends `question` of the media type `kind`; the answer has at most `limit` bytes.
    ///
    /// # Errors
    /// `service-…`.
    pub fn post(&self, address: &Address, kind: &str, question: &[u8], limit: usize) -> Result<Vec<u8>, Failure> {
        let request = self.agent.post(&address.url).config().max_redirects(0).max_redirects_will_error(false).build();
        self.read(address, request.header("Content-Type", kind).send(question), limit)
    }

    /// Fetches what has at most `limit` bytes.
    ///
    /// # Errors
    /// `service-…`.
    pub fn get(&self, address: &Address, limit: usize) -> Result<Vec<u8>, Failure> {
        self.read(address, self.agent.get(&address.url).call(), limit)
    }

    fn read(&self, address: &Address, answer: Result<Response<Body>, Error>, limit: usize) -> Result<Vec<u8>, Failure> {
        let mut answer = answer.map_err(|error| self.failed(address, &error, limit))?;
        let status = answer.status();
        if !status.is_success() {
            return Err(address.failure(Code::ServiceUnreachable).with("detail", format!("HTTP {}", status.as_u16())));
        }
        let limit_read = u64::try_from(limit).unwrap_or(u64::MAX);
        answer.body_mut().with_config().limit(limit_read).read_to_vec().map_err(|error| self.failed(address, &error, limit))
    }

    fn failed(&self, address: &Address, error: &Error, limit: usize) -> Failure {
        match error {
            Error::Timeout(_) => address.failure(Code::ServiceTimedOut).with("seconds", self.patience.as_secs()),
            Error::BodyExceedsLimit(_) => address.failure(Code::ServiceAnswerTooLarge).with("limit", limit),
            Error::TlsRequired => address.failure(Code::ServiceAddressRefused).with("detail", "https"),
            Error::BadUri(detail) if detail == NOT_PUBLIC => address.failure(Code::ServiceAddressRefused).with("detail", NOT_PUBLIC),
            Error::BadUri(detail) => address.failure(Code::ServiceAddressRefused).with("detail", detail),
            Error::StatusCode(status) => address.failure(Code::ServiceUnreachable).with("detail", format!("HTTP {status}")),
            error => address.failure(Code::ServiceUnreachable).with("detail", error),
        }
    }
}
