//! Whether the certificates of a path were revoked, as their authorities say it. Which questions settle that is for the inquiry; here they are
//! asked one after the other, each once in a run.

use std::collections::HashMap;

use sealbridge_inquire::{Answer, Client, Inquiry, Question, Service};
use sealbridge_pki::path::VerifiedPath;
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_seal::Evidence;

use crate::host::random;

/// The most different questions that are remembered in one run.
const REMEMBERED_MAX: usize = 4096;

/// Asks about certificates, each question once in a run.
#[derive(Debug)]
pub struct Status<'a> {
    client: &'a Client,
    /// By address, and for a responder by certificate.
    answers: HashMap<(String, String), Result<Answer, Failure>>,
    /// Responders that could not be reached.
    down: HashMap<String, Failure>,
}

impl<'a> Status<'a> {
    /// With nothing asked yet.
    #[must_use]
    pub fn new(client: &'a Client) -> Self {
        Self { client, answers: HashMap::new(), down: HashMap::new() }
    }

    /// What shows that no certificate of `path` but the anchor had been revoked at the path's time, beside what is `known`; with the path's certificates.
    ///
    /// # Errors
    /// `certificate-revoked`, `certificate-status-unknown`, `service-…`.
    pub fn of(&mut self, path: &VerifiedPath, known: &Evidence, now: i64) -> Result<Evidence, Failure> {
        let mut inquiry = Inquiry::new(path, known, path.at(), now);
        while let Some(question) = inquiry.question() {
            // What stays open for one certificate is the answer; the others need not be asked about.
            if inquiry.is_open() {
                break;
            }
            inquiry.tell(self.answer(&question));
        }
        let outcome = inquiry.finish();
        if let Some(since) = outcome.revoked {
            return Err(Failure::new(Code::CertificateRevoked).with("since", crate::time::rfc3339(since)));
        }
        match outcome.open.into_iter().next() {
            Some((_, failure)) => Err(failure),
            None => Ok(outcome.found),
        }
    }

    fn answer(&mut self, question: &Question) -> Result<Answer, Failure> {
        let url = question.address.to_string();
        let about = if question.address.service() == Service::Ocsp { question.certificate.id() } else { String::new() };
        let key = (url.clone(), about);
        if let Some(answer) = self.answers.get(&key) {
            return answer.clone();
        }
        if let Some(failure) = self.down.get(&url) {
            return Err(failure.clone());
        }
        let answer = self.ask(question);
        if let Err(failure) = &answer
            && matches!(failure.code, Code::ServiceUnreachable | Code::ServiceTimedOut)
        {
            self.down.insert(url, failure.clone());
        }
        if self.answers.len() < REMEMBERED_MAX {
            self.answers.insert(key, answer.clone());
        }
        answer
    }

    fn ask(&self, question: &Question) -> Result<Answer, Failure> {
        match question.address.service() {
            Service::Ocsp => {
                let random = random::<32>()?;
                sealbridge_inquire::response(self.client, &question.address, &question.certificate, &question.issuer, &random).map(Answer::Response)
            }
            _ => sealbridge_inquire::list(self.client, &question.address, sealbridge_inquire::crl::MAX_SIZE).map(Answer::List),
        }
    }
}
