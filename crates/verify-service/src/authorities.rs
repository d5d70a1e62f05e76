//! What the authorities say about the certificates of a path: asked at the addresses that the certificates name (`sealbridge-inquire`), once for
//! any number of requests at the same time, and kept, here and in the database, until the answer is news no longer or the operator's time is over.
//!
//! Every question has a time limit and so have all questions of one request together; answers have a largest size, and places are counted for all
//! authorities and for each, so that one that is silent keeps nobody from the others. Silence is remembered for a moment. An answer
//! that is still news by its own word is taken again when its authority can not be reached. What is not the authority's word is not an answer: it is
//! neither shared nor kept, and displaces nothing. It decides nothing: that is the relying party's.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding};
use sealbridge_inquire::{Address, Answer, Client, Inquiry, Question, Reach, Response, Service as Kind, crl};
use sealbridge_relying_party::{Accepted, CertificateStatus, Code, Evidence, Failure, StatusDemand, StatusWord, VerifiedPath};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::timeout_at;

use crate::service::{Clock, random};
use crate::store::answers::{self, Kept};
use crate::store::{Database, sha256_hex};

pub use sealbridge_inquire::Host;

/// So many questions are open at once.
const PLACES: usize = 32;
/// Of these, to one address.
const PLACES_OF_ONE: usize = 8;
/// So many addresses are told apart for that; more than that share.
const ADDRESSES_MAX: usize = 1024;
/// So many questions one request may set off.
const QUESTIONS_MAX: usize = 32;
/// So many bytes of answers are held in memory.
const MEMORY_MAX: usize = 64 << 20;
/// Of an answer that is about another certificate, or whose signer may not speak about this one.
const NOT_ITS_WORD: &str = "it is not the word of anybody who may speak about the certificate";
/// An answer of at most so many bytes stands in the evidence; of a larger one its digest.
const WHOLE_MAX: usize = 16 * 1024;

/// What the operator chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// For one question.
    pub patience: Duration,
    /// For all questions of one request.
    pub patience_for_all: Duration,
    /// So many seconds an answer is taken without asking again, if it is news that long; 0: everybody asks anew.
    pub keep_seconds: i64,
    /// So many seconds nobody asks again after a failure.
    pub keep_failure_seconds: i64,
    /// Largest revocation list, in bytes.
    pub list_max: usize,
    /// So many bytes of answers are left in the database by a sweep.
    pub kept_max: i64,
    /// Hosts that may be on a private network or on this machine, each on its one port.
    pub private_hosts: Vec<Host>,
}

impl Default for Asking {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(5),
            patience_for_all: Duration::from_secs(10),
            keep_seconds: 600,
            keep_failure_seconds: 30,
            list_max: 16 << 20,
            kept_max: 256 << 20,
            private_hosts: Vec::new(),
        }
    }
}

/// Counts for the metrics.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Questions that went out.
    pub(crate) asked: AtomicU64,
    /// Questions that were answered from what was kept.
    pub(crate) kept: AtomicU64,
    /// Kept answers that were taken because their authority could not be reached.
    pub(crate) kept_in_need: AtomicU64,
    /// Questions that failed.
    pub(crate) failed: AtomicU64,
}

/// Asks, and remembers.
#[derive(Debug, Clone)]
pub(crate) struct Authorities {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    asking: Asking,
    client: Arc<Client>,
    database: Database,
    clock: Clock,
    places: Semaphore,
    memory: Mutex<Memory>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Memory {
    answers: HashMap<String, Told>,
    bytes: usize,
    /// One of those who ask the same goes first.
    flights: HashMap<String, Arc<tokio::sync::Mutex<()>>>,
    addresses: HashMap<String, Arc<Semaphore>>,
    /// Addresses where nobody was at home.
    down: HashMap<String, (i64, Failure)>,
}

/// An answer and how it came.
#[derive(Debug, Clone)]
struct Told {
    answer: Answer,
    fetched_at: i64,
    ask_again_at: i64,
    /// When the question began that it answers.
    began: Instant,
    /// It was taken because its authority could not be reached.
    in_need: bool,
}

/// What was learned for one request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Learned {
    /// For the relying party.
    pub(crate) evidence: Evidence,
    used: Vec<(Address, Told)>,
    open: Vec<Failure>,
}

/// An inquiry on its way: it goes from thread to thread.
struct Drive {
    inner: Arc<Inner>,
    inquiry: Inquiry,
    used: Vec<(Address, Told)>,
    arrived: Instant,
    /// So many questions it may still ask.
    left: usize,
}

impl Authorities {
    pub(crate) fn new(asking: Asking, database: Database, clock: Clock) -> Self {
        let client = Arc::new(Client::new(asking.patience, Reach::Public { except: asking.private_hosts.clone() }));
        let inner = Inner { asking, client, database, clock, places: Semaphore::new(PLACES), memory: Mutex::default(), counts: Counts::default() };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.inner.counts
    }

    /// What there is to know about one path now, within the time that one request has.
    pub(crate) async fn learn_of(&self, demand: StatusDemand, path: &VerifiedPath, now: i64) -> Learned {
        self.learn(demand, &[Accepted { path: path.clone(), at: now }], &Evidence::default(), now).await
    }

    /// What there is to know about the paths, each at its time, beside what was `brought` along, within the time that one request has. Never fails: what
    /// could not be learned stays open.
    pub(crate) async fn learn(&self, demand: StatusDemand, paths: &[Accepted], brought: &Evidence, now: i64) -> Learned {
        let mut learned = Learned::default();
        if demand == StatusDemand::NotAsked {
            return learned;
        }
        let arrived = Instant::now();
        let deadline = arrived.checked_add(self.inner.asking.patience_for_all).unwrap_or(arrived);
        let mut left = QUESTIONS_MAX;
        for Accepted { path, at } in paths {
            let mut known = learned.evidence.clone();
            known.merge(brought);
            let mut inquiry = Inquiry::new(path, &known, *at, now);
            // Where nothing is known, nothing has to be judged to find the first question.
            let mut question = if known.is_silent() { inquiry.question() } else { None };
            let mut drive = Drive { inner: Arc::clone(&self.inner), inquiry, used: Vec::new(), arrived, left };
            let mut told = None;
            while question.is_some() || told.is_some() || !known.is_silent() {
                // Signatures are verified and long lists read through: that is not for the threads that serve.
                let step = tokio::task::spawn_blocking(move || {
                    let question = drive.step(question, told);
                    (drive, question)
                });
                let Ok((back, next)) = step.await else {
                    learned.open.push(Failure::new(Code::Internal));
                    return learned;
                };
                drive = back;
                let Some(next) = next else { break };
                let answer = self.told(&next, arrived, deadline).await;
                drive.used.extend(answer.iter().map(|told| (next.address.clone(), told.clone())));
                told = Some(answer.map(|told| told.answer));
                question = None;
            }
            left = drive.left;
            learned.used.append(&mut drive.used);
            let outcome = drive.inquiry.finish();
            learned.open.extend(outcome.open.into_iter().map(|(_, failure)| failure));
            learned.evidence.merge(&outcome.found);
        }
        let taken = |answer: &Answer| match answer {
            Answer::Response(response) => learned.evidence.responses.contains(response),
            Answer::List(list) => learned.evidence.crls.contains(list),
        };
        learned.used.retain(|(_, told)| taken(&told.answer));
        learned
    }

    async fn told(&self, question: &Question, arrived: Instant, deadline: Instant) -> Result<Told, Failure> {
        let key = key(question);
        if let Some(told) = self.inner.remembered(&key, arrived) {
            self.inner.counts.kept.fetch_add(1, Ordering::Relaxed);
            return Ok(told);
        }
        // On its own: whoever hangs up takes nothing from those who wait for the same.
        let (inner, asked) = (Arc::clone(&self.inner), question.clone());
        let flight = tokio::spawn(async move { inner.fly(key, asked, arrived, deadline).await });
        match timeout_at(deadline.into(), flight).await {
            Ok(Ok(told)) => told,
            Ok(Err(_)) => Err(question.address.failure(Code::ServiceUnreachable).with("detail", "internal")),
            Err(_) => Err(self.inner.too_late(&question.address)),
        }
    }
}

impl Drive {
    /// Tells what came of the last question, goes on with what is remembered, and gives the next question that has to be asked; none at the end.
    fn step(&mut self, mut question: Option<Question>, mut told: Option<Result<Answer, Failure>>) -> Option<Question> {
        loop {
            if let Some(told) = told.take() {
                self.inquiry.tell(told);
            }
            let next = question.take().or_else(|| self.inquiry.question())?;
            let Some(left) = self.left.checked_sub(1) else {
                told = Some(Err(Failure::new(Code::StatusUnknown).with("detail", "too many questions")));
                continue;
            };
            self.left = left;
            let Some(known) = self.inner.remembered(&key(&next), self.arrived) else { return Some(next) };
            self.inner.counts.kept.fetch_add(1, Ordering::Relaxed);
            told = Some(Ok(known.answer.clone()));
            self.used.push((next.address, known));
        }
    }
}

impl Inner {
    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is taken without asking again: what is kept long enough, or what was asked for after this request had come.
    fn remembered(&self, key: &str, arrived: Instant) -> Option<Told> {
        let now = self.clock.now();
        self.memory().answers.get(key).filter(|told| now < told.ask_again_at || told.began >= arrived).cloned()
    }

    fn is_down(&self, address: &Address) -> Option<Failure> {
        let now = self.clock.now();
        self.memory().down.get(&address.to_string()).filter(|(until, _)| now < *until).map(|(_, failure)| failure.clone())
    }

    fn too_late(&self, address: &Address) -> Failure {
        address.failure(Code::ServiceTimedOut).with("seconds", self.asking.patience_for_all.as_secs())
    }

    /// One at a time for each question, until `deadline`.
    async fn fly(self: Arc<Self>, key: String, question: Question, arrived: Instant, deadline: Instant) -> Result<Told, Failure> {
        let flight = Arc::clone(self.memory().flights.entry(key.clone()).or_default());
        let told = match timeout_at(deadline.into(), flight.lock()).await {
            Ok(_turn) => match self.remembered(&key, arrived) {
                Some(told) => {
                    self.counts.kept.fetch_add(1, Ordering::Relaxed);
                    Ok(told)
                }
                None => self.look_or_ask(&key, &question, deadline).await,
            },
            Err(_) => Err(self.too_late(&question.address)),
        };
        let mut memory = self.memory();
        // Given back under the lock of the map: of two that end together the second finds only the map's own.
        drop(flight);
        if memory.flights.get(&key).is_some_and(|flight| Arc::strong_count(flight) == 1) {
            memory.flights.remove(&key);
        }
        told
    }

    async fn look_or_ask(&self, key: &str, question: &Question, deadline: Instant) -> Result<Told, Failure> {
        let now = self.clock.now();
        let kept = answers::get(&self.database, key).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "kept answers");
            None
        });
        let old = kept.as_ref().and_then(|kept| read(question.address.service(), kept));
        if let Some(kept) = &kept
            && now < kept.ask_again_at
        {
            if kept.failure.is_empty() || now <= kept.valid_until {
                if let Some(told) = old {
                    let counts = if kept.failure.is_empty() { &self.counts.kept } else { &self.counts.kept_in_need };
                    counts.fetch_add(1, Ordering::Relaxed);
                    self.remember(key, &told);
                    return Ok(told);
                }
            } else if let Ok(failure) = serde_json::from_str::<Failure>(&kept.failure) {
                return Err(failure);
            }
        }
        let of_one = self.places_of(&question.address);
        // Neither is ever closed.
        let places = timeout_at(deadline.into(), async { (of_one.acquire().await, self.places.acquire().await) }).await;
        let Ok(_places) = places else {
            // It was not the authority that was silent.
            return Err(self.too_late(&question.address));
        };
        let began = Instant::now();
        let asked = self.ask(question).await;
        let now = self.clock.now();
        let (told, row) = match asked {
            Ok(answer) => {
                let valid_until = answer.next_update().unwrap_or(now);
                let ask_again_at = valid_until.min(now.saturating_add(self.asking.keep_seconds));
                let told = Told { answer, fetched_at: now, ask_again_at, began, in_need: false };
                let body = told.answer.der().to_vec();
                (Ok(told), Kept { body, fetched_at: now, ask_again_at, valid_until, failure: String::new() })
            }
            Err(failure) => {
                self.counts.failed.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(code = failure.code.as_str(), address = %question.address, "an authority was asked in vain");
                let ask_again_at = now.saturating_add(self.asking.keep_failure_seconds);
                let kept = kept.filter(|kept| now <= kept.valid_until && !kept.body.is_empty()).unwrap_or_default();
                let row = Kept { ask_again_at, failure: serde_json::to_string(&failure).unwrap_or_default(), ..kept };
                let in_need = old.filter(|_| now <= row.valid_until).map(|told| Told { ask_again_at, began, in_need: true, ..told });
                if in_need.is_some() {
                    self.counts.kept_in_need.fetch_add(1, Ordering::Relaxed);
                }
                (in_need.ok_or(failure), row)
            }
        };
        if let Ok(told) = &told {
            self.remember(key, told);
        }
        // The answer is good without being kept.
        if let Err(error) = answers::put(&self.database, key.to_owned(), row).await {
            tracing::warn!(%error, "keeping an answer");
        }
        told
    }

    /// Asks, with a place in hand. Only the authority's own word is an answer.
    async fn ask(&self, question: &Question) -> Result<Answer, Failure> {
        if let Some(failure) = self.is_down(&question.address) {
            return Err(failure);
        }
        self.counts.asked.fetch_add(1, Ordering::Relaxed);
        let random = random::<32>()?;
        let (client, asked, list_max) = (Arc::clone(&self.client), question.clone(), self.asking.list_max);
        let done = tokio::task::spawn_blocking(move || {
            let answer = match asked.address.service() {
                Kind::Ocsp => sealbridge_inquire::response(&client, &asked.address, &asked.certificate, &asked.issuer, &random).map(Answer::Response),
                _ => sealbridge_inquire::list(&client, &asked.address, list_max).map(Answer::List),
            }?;
            if asked.is_spoken_for(&answer) { Ok(answer) } else { Err(asked.address.failure(Code::ServiceAnswerInvalid).with("detail", NOT_ITS_WORD)) }
        });
        let done = done.await.unwrap_or_else(|_| Err(question.address.failure(Code::ServiceUnreachable).with("detail", "internal")));
        if let Err(failure) = &done
            && matches!(failure.code, Code::ServiceUnreachable | Code::ServiceTimedOut)
        {
            let until = self.clock.now().saturating_add(self.asking.keep_failure_seconds);
            let mut memory = self.memory();
            if memory.down.len() >= ADDRESSES_MAX {
                memory.down.clear();
            }
            memory.down.insert(question.address.to_string(), (until, failure.clone()));
        }
        done
    }

    fn places_of(&self, address: &Address) -> Arc<Semaphore> {
        let mut memory = self.memory();
        let mut name = address.to_string();
        if memory.addresses.len() >= ADDRESSES_MAX && !memory.addresses.contains_key(&name) {
            memory.addresses.retain(|_, places| Arc::strong_count(places) > 1);
            if memory.addresses.len() >= ADDRESSES_MAX {
                name.clear();
            }
        }
        Arc::clone(memory.addresses.entry(name).or_insert_with(|| Arc::new(Semaphore::new(PLACES_OF_ONE))))
    }

    fn remember(&self, key: &str, told: &Told) {
        let now = self.clock.now();
        let mut memory = self.memory();
        let size = told.answer.der().len();
        if memory.bytes.saturating_add(size) > MEMORY_MAX {
            memory.answers.retain(|_, told| now < told.ask_again_at);
            memory.bytes = memory.answers.values().map(|told| told.answer.der().len()).sum();
            if memory.bytes.saturating_add(size) > MEMORY_MAX {
                memory.answers.clear();
                memory.bytes = 0;
            }
        }
        let before = memory.answers.insert(key.to_owned(), told.clone()).map_or(0, |before| before.answer.der().len());
        memory.bytes = memory.bytes.saturating_add(size).saturating_sub(before);
    }
}

impl Learned {
    /// What was used and how old it is, for the portal. `statuses` are the relying party's.
    pub(crate) fn told(&self, demand: StatusDemand, statuses: &[CertificateStatus], now: i64) -> Value {
        let certificates: Vec<Value> = statuses
            .iter()
            .map(|status| {
                let mut value = serde_json::to_value(status).unwrap_or_default();
                if let (StatusWord::Good, Some(time), Some(fields)) = (status.status, status.time, value.as_object_mut()) {
                    fields.insert("ageSeconds".to_owned(), json!(now.saturating_sub(time).max(0)));
                }
                value
            })
            .collect();
        json!({ "demand": demand, "certificates": certificates, "answers": self.answers(false), "failures": self.failures() })
    }

    /// The same for an evidence package, with the answers themselves.
    pub(crate) fn kept(&self, demand: StatusDemand, statuses: &[CertificateStatus]) -> Value {
        json!({ "demand": demand, "certificates": statuses, "answers": self.answers(true), "failures": self.failures() })
    }

    /// Whether there is nothing to tell, not even a failure.
    pub(crate) fn is_silent(&self) -> bool {
        self.used.is_empty() && self.open.is_empty()
    }

    /// Says why nothing is known, where that is why something was refused.
    pub(crate) fn explain(&self, failure: Failure) -> Failure {
        match self.open.first() {
            Some(why) if failure.code == Code::RevocationUnknown && failure.fact("reason").is_none() => {
                let address = why.fact("address").map(|address| format!(", {address}")).unwrap_or_default();
                failure.with("reason", format!("{}{address}", why.code))
            }
            _ => failure,
        }
    }

    fn answers(&self, whole: bool) -> Vec<Value> {
        let answers = self.used.iter().map(|(address, told)| {
            let der = told.answer.der();
            let mut value = json!({
                "service": address.service().name(),
                "address": address.to_string(),
                "sha256": sha256_hex(der),
                "issuedAt": issued_at(&told.answer),
                "fetchedAt": told.fetched_at,
                "authorityUnreachable": told.in_need,
            });
            if whole
                && der.len() <= WHOLE_MAX
                && let Some(fields) = value.as_object_mut()
            {
                fields.insert("der".to_owned(), json!(Base64::encode_string(der)));
            }
            value
        });
        answers.collect()
    }

    fn failures(&self) -> Vec<Value> {
        self.open.iter().map(|failure| json!({ "code": failure.code, "facts": failure.facts })).collect()
    }
}

fn issued_at(answer: &Answer) -> i64 {
    match answer {
        Answer::Response(response) => response.produced_at(),
        Answer::List(list) => list.this_update(),
    }
}

/// The key under which a question's answer is kept: a list answers for every certificate of its issuer.
fn key(question: &Question) -> String {
    let issuer = question.issuer.id();
    let about = if question.address.service() == Kind::Ocsp { format!("{} {issuer}", question.certificate.id()) } else { issuer };
    sha256_hex(format!("{}\n{}\n{about}", question.address.service().name(), question.address).as_bytes())
}

fn read(service: Kind, kept: &Kept) -> Option<Told> {
    if kept.body.is_empty() {
        return None;
    }
    let answer = match service {
        Kind::Ocsp => Answer::Response(Response::parse(&kept.body).ok()?),
        _ => Answer::List(crl::Crl::parse(&kept.body).ok()?),
    };
    Some(Told { answer, fetched_at: kept.fetched_at, ask_again_at: kept.ask_again_at, began: long_ago(), in_need: !kept.failure.is_empty() })
}

/// A beginning that is before every request's.
fn long_ago() -> Instant {
    let now = Instant::now();
    now.checked_sub(Duration::from_secs(3600)).unwrap_or(now)
}
