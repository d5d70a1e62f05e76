//! Whether the certificates of a path were revoked, as their authorities say it: OCSP first, else the revocation list, at the addresses
//! that the certificates themselves name. Only paths that lead to an anchor are asked about. An answer is kept only if it settles the
//! question about its certificate; what is revoked ends the search.

use std::collections::HashMap;

use sealbridge_pki::Certificate;
use sealbridge_pki::crl::{self, Crl};
use sealbridge_pki::ocsp::{self, CertId, IdentifierHash, OcspError, Request, Response};
use sealbridge_pki::path::VerifiedPath;
use sealbridge_pki::revocation::{self, Standing};
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_seal::Evidence;

use super::address::{Address, Service};
use super::client::Client;
use crate::host::random;

/// The most addresses of one kind that are asked about one certificate.
const ADDRESSES_MAX: usize = 4;
/// The most different addresses that are remembered in one run.
const REMEMBERED_MAX: usize = 4096;

/// Asks about certificates, each question once in a run.
#[derive(Debug)]
pub struct Status<'a> {
    client: &'a Client,
    lists: HashMap<String, Result<Crl, Failure>>,
    responses: HashMap<(String, String), Result<Response, Failure>>,
    /// Responders that could not be reached.
    down: HashMap<String, Failure>,
}

impl<'a> Status<'a> {
    /// With nothing asked yet.
    #[must_use]
    pub fn new(client: &'a Client) -> Self {
        Self { client, lists: HashMap::new(), responses: HashMap::new(), down: HashMap::new() }
    }

    /// What shows that no certificate of `path` but the anchor had been revoked at the path's time, beside what is `known`; with the path's certificates.
    ///
    /// # Errors
    /// `certificate-revoked`, `certificate-status-unknown`, `service-…`.
    pub fn of(&mut self, path: &VerifiedPath, known: &Evidence, now: i64) -> Result<Evidence, Failure> {
        let mut found = Evidence { certificates: path.certificates().to_vec(), ..Evidence::default() };
        for (index, pair) in path.certificates().windows(2).enumerate() {
            let [certificate, issuer] = pair else { continue };
            let standing = |found: &Evidence| {
                let mut all = known.clone();
                all.merge(found);
                revocation::judge(path, all.material(), path.at(), now).get(index).copied().unwrap_or(Standing::Unknown)
            };
            match standing(&found) {
                Standing::Good { .. } => continue,
                Standing::Revoked { time, .. } => return Err(revoked(time)),
                Standing::Unknown => {}
            }
            self.settle(certificate, issuer, &mut found, &standing)?;
        }
        Ok(found)
    }

    /// Asks one service after the other until one answer settles it; else the first failure is told.
    fn settle(
        &mut self,
        certificate: &Certificate,
        issuer: &Certificate,
        found: &mut Evidence,
        standing: &dyn Fn(&Evidence) -> Standing,
    ) -> Result<(), Failure> {
        let responders = certificate.ocsp_addresses().iter().take(ADDRESSES_MAX).map(|url| (Service::Ocsp, url.clone()));
        let lists = certificate.crl_addresses().into_iter().take(ADDRESSES_MAX).map(|url| (Service::List, url));
        let mut first = None;
        for (service, url) in responders.chain(lists) {
            let mut with = found.clone();
            let asked = Address::new(service, &url).and_then(|address| {
                match service {
                    Service::Ocsp => with.responses.push(self.response(&address, certificate, issuer)?),
                    _ => with.crls.push(self.list(&address)?),
                }
                match standing(&with) {
                    Standing::Good { .. } => Ok(()),
                    Standing::Revoked { time, .. } => Err(revoked(time)),
                    Standing::Unknown => Err(address.failure(Code::ServiceAnswerInvalid).with("detail", NOT_SETTLED)),
                }
            });
            match asked {
                Ok(()) => {
                    *found = with;
                    return Ok(());
                }
                Err(failure) if failure.code == Code::CertificateRevoked => return Err(failure),
                Err(failure) => first = first.or(Some(failure)),
            }
        }
        let named = certificate.subject().to_string();
        Err(first.unwrap_or_else(|| Failure::new(Code::StatusUnknown).with("certificate", named).with("detail", "it names no service")))
    }

    fn response(&mut self, address: &Address, certificate: &Certificate, issuer: &Certificate) -> Result<Response, Failure> {
        let key = (address.url.clone(), certificate.id());
        if let Some(answer) = self.responses.get(&key) {
            return answer.clone();
        }
        if let Some(failure) = self.down.get(&address.url) {
            return Err(failure.clone());
        }
        let answer = self.ask(address, certificate, issuer);
        if let Err(failure) = &answer
            && matches!(failure.code, Code::ServiceUnreachable | Code::ServiceTimedOut)
        {
            self.down.insert(address.url.clone(), failure.clone());
        }
        if self.responses.len() < REMEMBERED_MAX {
            self.responses.insert(key, answer.clone());
        }
        answer
    }

    fn ask(&self, address: &Address, certificate: &Certificate, issuer: &Certificate) -> Result<Response, Failure> {
        let invalid = |error: OcspError| match error {
            OcspError::Unsuccessful(_) => address.failure(Code::ServiceRefused).with("detail", error),
            error => address.failure(Code::ServiceAnswerInvalid).with("detail", error),
        };
        // SHA-1 only names the issuer here, and is what every responder understands.
        let id = CertId::new(certificate, issuer, IdentifierHash::Sha1).map_err(invalid)?;
        let nonce = ocsp::nonce(&random::<32>()?);
        let request = Request { certificates: vec![id], nonce: Some(nonce.clone()) };
        let answer = self.client.post(address, "application/ocsp-request", &request.to_der(), ocsp::MAX_RESPONSE)?;
        let answer = Response::parse(&answer).map_err(invalid)?;
        // Answers that are made in advance have none (RFC 9654, 3); another one's is none of ours.
        if answer.nonce().is_some_and(|theirs| theirs != nonce) {
            return Err(invalid(OcspError::Nonce));
        }
        if !answer.singles().iter().any(|single| single.id.names(certificate, issuer)) {
            return Err(invalid(OcspError::OtherCertificate));
        }
        Ok(answer)
    }

    fn list(&mut self, address: &Address) -> Result<Crl, Failure> {
        if let Some(answer) = self.lists.get(&address.url) {
            return answer.clone();
        }
        let answer = self.client.get(address, crl::MAX_SIZE);
        let answer = answer.and_then(|answer| Crl::parse(&answer).map_err(|error| address.failure(Code::ServiceAnswerInvalid).with("detail", error)));
        if self.lists.len() < REMEMBERED_MAX {
            self.lists.insert(address.url.clone(), answer.clone());
        }
        answer
    }
}

/// The answer is of somebody who may not speak for the issuer, does not speak about the time, or leaves the certificate open.
const NOT_SETTLED: &str = "its signer may not speak for the certificate's issuer, or it does not settle the question";

fn revoked(since: i64) -> Failure {
    Failure::new(Code::CertificateRevoked).with("since", crate::time::rfc3339(since))
}
