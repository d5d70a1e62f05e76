//! Where a service is. Only `http://` addresses with a host and without a user's name in them are asked.

use std::fmt;

use sealbridge_protocol::failure::{Code, Failure};
use ureq::http::Uri;

/// Longest address, in characters.
const ADDRESS_MAX: usize = 2048;

/// What is asked of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Timestamps (RFC 3161).
    Timestamp,
    /// OCSP (RFC 6960).
    Ocsp,
    /// Revocation lists (RFC 5280).
    List,
}

impl Service {
    /// Its short name, the same in both languages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Timestamp => "TSA",
            Self::Ocsp => "OCSP",
            Self::List => "CRL",
        }
    }
}

/// An address that may be asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    service: Service,
    pub(crate) url: String,
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// `service-address-refused`.
    pub fn new(service: Service, url: &str) -> Result<Self, Failure> {
        let address = Self { service, url: url.to_owned() };
        let refused = |detail: &str| Err(address.failure(Code::ServiceAddressRefused).with("detail", detail));
        if url.len() > ADDRESS_MAX {
            return refused("too long");
        }
        let Ok(uri) = url.parse::<Uri>() else { return refused("no URL") };
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return refused("https"),
            _ => return refused("not http"),
        }
        match uri.authority() {
            Some(authority) if authority.as_str().contains('@') => refused("user name"),
            Some(authority) if !authority.host().is_empty() => Ok(address),
            _ => refused("no host"),
        }
    }

    /// What is asked there.
    #[must_use]
    pub fn service(&self) -> Service {
        self.service
    }

    /// A failure of this service.
    #[must_use]
    pub fn failure(&self, code: Code) -> Failure {
        Failure::new(code).with("service", self.service.name()).with("address", &self.url)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.url)
    }
}
