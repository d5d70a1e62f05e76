//! One question over HTTP, one answer. It keeps nothing: no cookies, no connections. A `POST` follows no redirect, a `GET`
//! a few, and only to `http://` and to where the first question might have gone: from the public network only within it.

use std::time::Duration;

use sealbridge_protocol::failure::{Code, Failure};
use ureq::http::Response;
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body, Error};

use crate::address::Address;
use crate::reach::{Guarded, Host, NOT_PUBLIC, Reach};

/// How often a `GET` is sent elsewhere.
const REDIRECTS_MAX: u32 = 3;

/// Asks services.
#[derive(Debug)]
pub struct Client {
    /// For addresses of all but the excepted hosts; its redirects do not lead to these either.
    agent: Agent,
    /// For addresses of excepted hosts.
    inside: Agent,
    except: Vec<Host>,
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
        match reach {
            Reach::Any => {
                let agent = Agent::new_with_config(config.build());
                Self { inside: agent.clone(), agent, except: Vec::new(), patience }
            }
            Reach::Public { except } => {
                // Through a proxy it would be the proxy's address that is looked at.
                let config = config.proxy(None).build();
                let guarded = |except| Agent::with_parts(config.clone(), DefaultConnector::new(), Guarded::new(except));
                Self { agent: guarded(Vec::new()), inside: guarded(except.clone()), except, patience }
            }
        }
    }

    /// Sends `question` of the media type `kind`; the answer has at most `limit` bytes.
    ///
    /// # Errors
    /// `service-…`.
    pub fn post(&self, address: &Address, kind: &str, question: &[u8], limit: usize) -> Result<Vec<u8>, Failure> {
        let request = self.agent(address).post(&address.url).config().max_redirects(0).max_redirects_will_error(false).build();
        self.read(address, request.header("Content-Type", kind).send(question), limit)
    }

    /// Fetches what has at most `limit` bytes.
    ///
    /// # Errors
    /// `service-…`.
    pub fn get(&self, address: &Address, limit: usize) -> Result<Vec<u8>, Failure> {
        self.read(address, self.agent(address).get(&address.url).call(), limit)
    }

    fn agent(&self, address: &Address) -> &Agent {
        let named = address.url.parse().is_ok_and(|uri| self.except.iter().any(|named| named.is_of(&uri)));
        if named { &self.inside } else { &self.agent }
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

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::{Client, Duration, Error, NOT_PUBLIC, Reach};
    use crate::address::{Address, Service};

    #[test]
    fn who_begins_outside_is_not_sent_inside() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let inside = listener.local_addr().unwrap().to_string();
        let client = Client::new(Duration::from_millis(300), Reach::Public { except: vec![inside.parse().unwrap()] });
        let of = |url: &str| client.agent(&Address::new(Service::List, url).unwrap()).clone();
        let url = format!("http://{inside}/x");
        // Redirects are followed by the agent that asked the first address.
        for outside in ["http://crl.example.cn/x", "http://127.0.0.1/x"] {
            let told = of(outside).get(&url).call();
            assert!(matches!(&told, Err(Error::BadUri(detail)) if detail == NOT_PUBLIC), "{outside} {told:?}");
        }
        let told = of(&url).get(&url).call();
        assert!(matches!(told, Err(Error::Timeout(_))), "{told:?}");
    }
}
