//! Which questions settle whether the certificates of a path were revoked: OCSP first, else the revocation list, at the addresses that the
//! certificates themselves name. Only a path that leads to an anchor is asked about, so every address is an accepted authority's own word.
//! An answer is kept only if it settles the question about its certificate; what is revoked ends the inquiry. It opens no connection: whoever
//! drives it asks [`Inquiry::question`] for the next question and tells what came of it.

use std::collections::VecDeque;
use std::sync::Arc;

use sealbridge_pki::Certificate;
use sealbridge_pki::path::VerifiedPath;
use sealbridge_pki::revocation::{self, Standing, Word};
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_seal::Evidence;

use crate::address::{Address, Service};
use crate::ask::Answer;

/// The most addresses of one kind that are asked about one certificate.
const ADDRESSES_MAX: usize = 4;

/// The answer is of somebody who may not speak for the issuer, does not speak about the time, or leaves the certificate open.
const NOT_SETTLED: &str = "its signer may not speak for the certificate's issuer, or it does not settle the question";

/// The questions about one path. What it is driven with may be judged on another thread: it borrows nothing.
#[derive(Debug)]
pub struct Inquiry {
    path: Arc<VerifiedPath>,
    known: Evidence,
    at: i64,
    now: i64,
    found: Evidence,
    /// The certificate that is asked about.
    index: usize,
    /// Addresses that are left for it; none before it was looked at.
    left: Option<VecDeque<(Service, String)>>,
    asked: Option<Address>,
    /// Why nothing has settled it yet.
    first: Option<Failure>,
    outcome: Outcome,
}

/// One question.
#[derive(Debug, Clone)]
pub struct Question {
    /// Who is asked.
    pub address: Address,
    /// About whom.
    pub certificate: Certificate,
    /// Its issuer.
    pub issuer: Certificate,
    path: Arc<VerifiedPath>,
    index: usize,
    /// Among these, too, signers are found.
    certificates: Vec<Certificate>,
}

impl Question {
    /// Whether the answer is about the certificate and truly of somebody who may speak about it, whatever the time. What is not, anybody between
    /// here and there can have written, so it is nothing to keep or to share. Verifies signatures.
    #[must_use]
    pub fn is_spoken_for(&self, answer: &Answer) -> bool {
        let word = match answer {
            Answer::Response(response) => Word::Response(response),
            Answer::List(list) => Word::Crl(list),
        };
        revocation::is_spoken_for(&self.path, self.index, word, &self.certificates)
    }
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The answers that settle something, and the path's certificates.
    pub found: Evidence,
    /// Since when a certificate of the path is revoked, in Unix seconds.
    pub revoked: Option<i64>,
    /// Why the standing of a certificate stayed open, for each that did: where it stands in the path, and the first failure.
    pub open: Vec<(usize, Failure)>,
}

impl Inquiry {
    /// About every certificate of `path` but the anchor, for the time `at`, beside what is `known` already. Times are in Unix seconds.
    #[must_use]
    pub fn new(path: &VerifiedPath, known: &Evidence, at: i64, now: i64) -> Self {
        let found = Evidence { certificates: path.certificates().to_vec(), ..Evidence::default() };
        let (path, known) = (Arc::new(path.clone()), known.clone());
        Self { path, known, at, now, found, index: 0, left: None, asked: None, first: None, outcome: Outcome::default() }
    }

    /// The next question; none where everything is settled, or nothing more can be asked.
    pub fn question(&mut self) -> Option<Question> {
        loop {
            let pair = self.path.certificates().get(self.index..self.index.checked_add(2)?)?;
            let [certificate, issuer] = pair else { return None };
            if self.outcome.revoked.is_some() {
                return None;
            }
            if self.left.is_none() {
                match self.standing(&self.found) {
                    Standing::Good { .. } => {
                        self.index += 1;
                        continue;
                    }
                    Standing::Revoked { time, .. } => {
                        self.outcome.revoked = Some(time);
                        return None;
                    }
                    Standing::Unknown => self.left = Some(addresses(certificate)),
                }
            }
            match self.left.as_mut().and_then(VecDeque::pop_front) {
                Some((service, url)) => match Address::new(service, &url) {
                    Ok(address) => {
                        self.asked = Some(address.clone());
                        return Some(Question {
                            address,
                            certificate: certificate.clone(),
                            issuer: issuer.clone(),
                            path: Arc::clone(&self.path),
                            index: self.index,
                            certificates: self.known.certificates.clone(),
                        });
                    }
                    Err(failure) => self.first = self.first.take().or(Some(failure)),
                },
                None => {
                    let silent = || {
                        let named = certificate.subject().to_string();
                        Failure::new(Code::StatusUnknown).with("certificate", named).with("detail", "it names no service")
                    };
                    self.outcome.open.push((self.index, self.first.take().unwrap_or_else(silent)));
                    self.settled();
                }
            }
        }
    }

    /// What came of the question that [`Inquiry::question`] gave last.
    pub fn tell(&mut self, answer: Result<Answer, Failure>) {
        let Some(address) = self.asked.take() else { return };
        let failure = match answer {
            Err(failure) => failure,
            Ok(answer) => {
                let mut with = self.found.clone();
                match answer {
                    Answer::Response(response) => with.responses.push(response),
                    Answer::List(list) => with.crls.push(list),
                }
                match self.standing(&with) {
                    Standing::Good { .. } => {
                        self.found = with;
                        self.settled();
                        return;
                    }
                    Standing::Revoked { time, .. } => {
                        self.found = with;
                        self.outcome.revoked = Some(time);
                        return;
                    }
                    Standing::Unknown => address.failure(Code::ServiceAnswerInvalid).with("detail", NOT_SETTLED),
                }
            }
        };
        self.first = self.first.take().or(Some(failure));
    }

    /// Whether a certificate's standing could not be settled.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.outcome.open.is_empty()
    }

    /// What came of all questions.
    #[must_use]
    pub fn finish(self) -> Outcome {
        Outcome { found: self.found, ..self.outcome }
    }

    fn settled(&mut self) {
        self.index += 1;
        self.left = None;
        self.first = None;
    }

    fn standing(&self, found: &Evidence) -> Standing {
        let judge = |evidence: &Evidence| revocation::judge_one(&self.path, self.index, evidence.material(), self.at, self.now);
        // First what was found alone: however much there is of the known, it keeps no answer from being judged.
        match judge(found) {
            Standing::Unknown if self.known != Evidence::default() => {
                let mut all = found.clone();
                all.merge(&self.known);
                judge(&all)
            }
            standing => standing,
        }
    }
}

/// Responders first: their answers are small and the newest.
fn addresses(certificate: &Certificate) -> VecDeque<(Service, String)> {
    let responders = certificate.ocsp_addresses().iter().take(ADDRESSES_MAX).map(|url| (Service::Ocsp, url.clone()));
    let lists = certificate.crl_addresses().into_iter().take(ADDRESSES_MAX).map(|url| (Service::List, url));
    responders.chain(lists).collect()
}
