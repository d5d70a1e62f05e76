//! Asks the authorities that certificates name whether they were revoked (`sealbridge-inquire`): in the public network only and at what the
//! operator has excepted, a few inquiries at once, each within one time limit.
//!
//! An authority's own answer is taken again for a while, and longer only where the authority cannot be reached and the answer is still news by its
//! own word; silence is remembered for a moment. Nothing else is kept. It never fails: what could not be learned stays open, and
//! what that means is the relying party's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sealbridge_inquire::{Answer, Client, Inquiry, Question, Reach, Service, list, response};
use sealbridge_relying_party::{Accepted, Code, Evidence, Failure, StatusDemand};
use tokio::sync::Semaphore;
use tokio::time::timeout_at;

use crate::settings::random;

pub use sealbridge_inquire::Host;

/// So many inquiries are open at once.
const PLACES: usize = 16;
/// So many questions one request may set off.
const QUESTIONS_MAX: usize = 24;
/// Seconds that nobody asks again where nobody has answered.
const SILENCE_SECONDS: i64 = 10;
/// Largest revocation list, in bytes.
const LIST_MAX: usize = 8 << 20;
/// So many bytes of answers, so many answers and so many silent addresses are held.
const MEMORY_MAX: usize = 32 << 20;
const ENTRIES_MAX: usize = 4096;
/// Of an answer that is about another certificate, or whose signer may not speak about this one.
const NOT_ITS_WORD: &str = "it is not the word of anybody who may speak about the certificate";

/// What the operator chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// What must be known.
    pub demand: StatusDemand,
    /// For one question.
    pub patience: Duration,
    /// For all questions of one request.
    pub patience_for_all: Duration,
    /// So many seconds an answer is taken without asking again, if it is news that long; 0: everybody asks anew.
    pub keep_seconds: i64,
    /// Hosts that may be on a private network or on this machine, each on its one port.
    pub private_hosts: Vec<Host>,
}

impl Default for Asking {
    fn default() -> Self {
        let (patience, patience_for_all) = (Duration::from_secs(5), Duration::from_secs(10));
        Asking { demand: StatusDemand::WhenAvailable, patience, patience_for_all, keep_seconds: 60, private_hosts: Vec::new() }
    }
}

/// Asks, and remembers for a while.
#[derive(Debug, Clone)]
pub struct Authorities(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    asking: Asking,
    places: Arc<Semaphore>,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    answers: HashMap<String, Kept>,
    bytes: usize,
    /// Until when an address is left alone, and why.
    silent: HashMap<String, (i64, Failure)>,
}

#[derive(Debug)]
struct Kept {
    answer: Answer,
    ask_again_at: i64,
    news_until: i64,
}

/// What was learned for one request.
#[derive(Debug, Clone, Default)]
pub struct Learned {
    /// For the relying party.
    pub evidence: Evidence,
    open: Option<Failure>,
}

impl Learned {
    /// Whether there is nothing to tell, not even a failure.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.evidence.is_silent() && self.open.is_none()
    }

    /// Says why nothing is known, where that is why something was refused.
    #[must_use]
    pub fn explain(&self, failure: Failure) -> Failure {
        match &self.open {
            Some(why) if failure.code == Code::RevocationUnknown && failure.fact("reason").is_none() => {
                let address = why.fact("address").map(|address| format!(", {address}")).unwrap_or_default();
                failure.with("reason", format!("{}{address}", why.code))
            }
            _ => failure,
        }
    }
}

impl Authorities {
    /// Asks as the operator chose.
    #[must_use]
    pub fn new(asking: Asking) -> Self {
        Authorities(Arc::new(Inner { asking, places: Arc::new(Semaphore::new(PLACES)), memory: Mutex::default() }))
    }

    /// What there is to know about the paths, each at its time, beside what was `brought` along.
    pub async fn learn(&self, paths: Vec<Accepted>, brought: Evidence, now: i64) -> Learned {
        if self.0.asking.demand == StatusDemand::NotAsked || paths.is_empty() {
            return Learned::default();
        }
        let begun = Instant::now();
        let deadline = begun.checked_add(self.0.asking.patience_for_all).unwrap_or(begun);
        let nothing = |detail| Learned { open: Some(Failure::new(Code::StatusUnknown).with("detail", detail)), ..Learned::default() };
        let Ok(Ok(place)) = timeout_at(deadline.into(), Arc::clone(&self.0.places).acquire_owned()).await else {
            return nothing("too many questions");
        };
        let inner = Arc::clone(&self.0);
        // Connections that block, signatures, long lists: none of it is for the threads that serve.
        let asked = tokio::task::spawn_blocking(move || {
            let learned = inner.learn(&paths, &brought, now, deadline);
            drop(place);
            learned
        });
        asked.await.unwrap_or_else(|_| nothing("internal"))
    }
}

impl Inner {
    fn learn(&self, paths: &[Accepted], brought: &Evidence, now: i64, deadline: Instant) -> Learned {
        let (mut learned, mut left) = (Learned::default(), QUESTIONS_MAX);
        for Accepted { path, at } in paths {
            let mut known = learned.evidence.clone();
            known.merge(brought);
            let mut inquiry = Inquiry::new(path, &known, *at, now);
            while let Some(question) = inquiry.question() {
                inquiry.tell(match left.checked_sub(1) {
                    Some(fewer) => {
                        left = fewer;
                        self.told(&question, now, deadline)
                    }
                    None => Err(Failure::new(Code::StatusUnknown).with("detail", "too many questions")),
                });
            }
            let outcome = inquiry.finish();
            learned.evidence.merge(&outcome.found);
            learned.open = learned.open.or_else(|| outcome.open.into_iter().next().map(|(_, why)| why));
        }
        learned
    }

    fn told(&self, question: &Question, now: i64, deadline: Instant) -> Result<Answer, Failure> {
        let (key, address) = (key(question), question.address.to_string());
        {
            let memory = self.memory();
            let kept = memory.answers.get(&key);
            if let Some(kept) = kept.filter(|kept| now < kept.ask_again_at) {
                return Ok(kept.answer.clone());
            }
            if let Some((_, failure)) = memory.silent.get(&address).filter(|(until, _)| now < *until) {
                return kept.filter(|kept| now <= kept.news_until).map(|kept| kept.answer.clone()).ok_or_else(|| failure.clone());
            }
        }
        let asked = self.ask(question, deadline);
        let mut memory = self.memory();
        match asked {
            Ok(answer) => {
                memory.keep(key, answer.clone(), now, self.asking.keep_seconds);
                Ok(answer)
            }
            Err(failure) => {
                // Where the time of the request was over, it may have been others that were slow.
                if failure.code == Code::ServiceUnreachable || failure.code == Code::ServiceTimedOut && Instant::now() < deadline {
                    if memory.silent.len() >= ENTRIES_MAX {
                        memory.silent.clear();
                    }
                    memory.silent.insert(address, (now.saturating_add(SILENCE_SECONDS), failure.clone()));
                }
                memory.answers.get(&key).filter(|kept| now <= kept.news_until).map(|kept| kept.answer.clone()).ok_or(failure)
            }
        }
    }

    /// Only the authority's own word is an answer: what is not, anybody between here and there can have written.
    fn ask(&self, question: &Question, deadline: Instant) -> Result<Answer, Failure> {
        let Question { address, certificate, issuer, .. } = question;
        let left = deadline.saturating_duration_since(Instant::now()).min(self.asking.patience);
        if left.is_zero() {
            // It was not this authority that was silent.
            return Err(Failure::new(Code::StatusUnknown).with("detail", "no time left"));
        }
        let client = Client::new(left, Reach::Public { except: self.asking.private_hosts.clone() });
        let answer = match address.service() {
            Service::Ocsp => {
                let random = random::<32>().map_err(|_| Failure::new(Code::Internal))?;
                Answer::Response(response(&client, address, certificate, issuer, &random)?)
            }
            _ => Answer::List(list(&client, address, LIST_MAX)?),
        };
        if question.is_spoken_for(&answer) { Ok(answer) } else { Err(address.failure(Code::ServiceAnswerInvalid).with("detail", NOT_ITS_WORD)) }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn keep(&mut self, key: String, answer: Answer, now: i64, seconds: i64) {
        let news_until = answer.next_update().unwrap_or(now);
        let size = |answer: &Answer| answer.der().len();
        self.bytes = self.bytes.saturating_add(size(&answer));
        let kept = Kept { answer, ask_again_at: news_until.min(now.saturating_add(seconds)), news_until };
        self.bytes = self.bytes.saturating_sub(self.answers.insert(key, kept).map_or(0, |before| size(&before.answer)));
        if self.bytes > MEMORY_MAX || self.answers.len() > ENTRIES_MAX {
            self.answers.retain(|_, kept| now < kept.ask_again_at);
            self.bytes = self.answers.values().map(|kept| size(&kept.answer)).sum();
        }
        if self.bytes > MEMORY_MAX || self.answers.len() > ENTRIES_MAX {
            self.answers.clear();
            self.bytes = 0;
        }
    }
}

/// A list answers for every certificate of its issuer.
fn key(question: &Question) -> String {
    let about = if question.address.service() == Service::Ocsp { question.certificate.id() } else { String::new() };
    format!("{} {} {} {about}", question.address.service().name(), question.address, question.issuer.id())
}
