//! Group commit. Callers hand in pieces of work; one task runs whatever has gathered in one transaction, adds the audit
//! records of all of them to the chain, commits, and only then answers. A disk that can sync two hundred times a second
//! so carries thousands of logins.
//!
//! The transaction holds the end of the audit chain from its first statement on, so that writers, of this process and of
//! others, come one after the other: "taken once" and "next in the chain" are decided by the database's own order.
//!
//! Work may be run again in a transaction of its own, where another piece in the same transaction has failed; it must
//! therefore hold everything it needs and change nothing but the database. When a commit fails nobody knows whether it
//! took place: that is answered as an error, and the work is not run again.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sealbridge_relying_party::Failure;
use sqlx::{Any, AnyPool, Transaction};
use tokio::sync::{mpsc, oneshot};

use super::Backend;
use super::audit::{self, Entry, Place};
use super::bindings::{self, Opening};
use super::challenges::{self, Bringer, Brought};

/// So many callers' work is committed together at most.
const CALLERS_MAX: usize = 256;
/// So many may wait; after that callers are told that the service is busy.
const QUEUE: usize = 16_384;

/// A future of a piece of work.
pub(crate) type Running<'c, T> = Pin<Box<dyn Future<Output = Result<T, sqlx::Error>> + Send + 'c>>;

/// The transaction that a piece of work is part of.
#[derive(Debug)]
pub(crate) struct Batch {
    transaction: Transaction<'static, Any>,
    entries: Vec<Entry>,
}

impl Batch {
    /// For statements.
    pub(crate) fn connection(&mut self) -> &mut sqlx::AnyConnection {
        &mut self.transaction
    }

    /// Adds a record to the audit chain, together with what this work writes.
    pub(crate) fn record(&mut self, entry: Entry) {
        self.entries.push(entry);
    }
}

/// What became of a piece of work.
#[derive(Debug)]
pub(crate) struct Written<T> {
    /// What it found.
    pub(crate) value: T,
    /// Where its audit records stand, in their order.
    pub(crate) places: Vec<Place>,
}

/// Hands work to the one task that writes.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Message>,
    counts: Arc<Counts>,
}

/// For the metrics.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) commits: AtomicU64,
    pub(crate) pieces: AtomicU64,
    pub(crate) failures: AtomicU64,
}

enum Message {
    Work(Box<dyn Piece>),
    Take(Box<Take>),
    Open(Box<Open>),
    Close(oneshot::Sender<()>),
}

trait Piece: Send {
    /// Runs the work and keeps what it found.
    fn run<'c>(&'c mut self, batch: &'c mut Batch) -> Running<'c, ()>;
    /// Answers the caller.
    fn answer(self: Box<Self>, done: Result<Vec<Place>, sqlx::Error>);
    /// How many callers wait for it.
    fn callers(&self) -> usize;
    /// The work of single callers, where it is several callers'.
    fn split(self: Box<Self>) -> Vec<Box<dyn Piece>>;
}

/// Nonces that are taken together.
struct Takes {
    takes: Vec<Take>,
    found: Vec<Brought>,
}

struct Take {
    bringer: Bringer,
    caller: oneshot::Sender<Result<Brought, sqlx::Error>>,
}

impl Piece for Takes {
    fn run<'c>(&'c mut self, batch: &'c mut Batch) -> Running<'c, ()> {
        Box::pin(async move {
            let bringers: Vec<&Bringer> = self.takes.iter().map(|take| &take.bringer).collect();
            self.found = challenges::take_all(batch, &bringers).await?;
            Ok(())
        })
    }

    fn answer(self: Box<Self>, done: Result<Vec<Place>, sqlx::Error>) {
        let mut found = self.found.into_iter();
        for take in self.takes {
            let answer = match &done {
                Ok(_) => found.next().ok_or(sqlx::Error::WorkerCrashed),
                Err(error) => Err(again(error)),
            };
            // A caller who has hung up needs no answer.
            let _gone = take.caller.send(answer);
        }
    }

    fn callers(&self) -> usize {
        self.takes.len()
    }

    fn split(self: Box<Self>) -> Vec<Box<dyn Piece>> {
        let single = |take| -> Box<dyn Piece> { Box::new(Takes { takes: vec![take], found: Vec::new() }) };
        self.takes.into_iter().map(single).collect()
    }
}

/// What became of a login, and where its record stands.
type Opened = (Result<(), Failure>, Option<Place>);

/// Logins that are recorded together.
struct Opens {
    opens: Vec<Open>,
    found: Vec<Result<(), Failure>>,
}

struct Open {
    opening: Opening,
    caller: oneshot::Sender<Result<Opened, sqlx::Error>>,
}

impl Piece for Opens {
    fn run<'c>(&'c mut self, batch: &'c mut Batch) -> Running<'c, ()> {
        Box::pin(async move {
            let openings: Vec<&Opening> = self.opens.iter().map(|open| &open.opening).collect();
            self.found = bindings::open_all(batch, &openings).await?;
            Ok(())
        })
    }

    fn answer(self: Box<Self>, done: Result<Vec<Place>, sqlx::Error>) {
        let mut found = self.found.into_iter();
        let mut done = done.map(Vec::into_iter);
        for open in self.opens {
            let answer = match &mut done {
                // Each has one record.
                Ok(places) => found.next().ok_or(sqlx::Error::WorkerCrashed).map(|found| (found, places.next())),
                Err(error) => Err(again(error)),
            };
            // A caller who has hung up needs no answer.
            let _gone = open.caller.send(answer);
        }
    }

    fn callers(&self) -> usize {
        self.opens.len()
    }

    fn split(self: Box<Self>) -> Vec<Box<dyn Piece>> {
        let single = |open| -> Box<dyn Piece> { Box::new(Opens { opens: vec![open], found: Vec::new() }) };
        self.opens.into_iter().map(single).collect()
    }
}

struct Job<F, T> {
    work: F,
    found: Option<T>,
    caller: oneshot::Sender<Result<Written<T>, sqlx::Error>>,
}

impl<F, T> Piece for Job<F, T>
where
    F: for<'c> Fn(&'c mut Batch) -> Running<'c, T> + Send + Sync,
    F: 'static,
    T: Send + 'static,
{
    fn run<'c>(&'c mut self, batch: &'c mut Batch) -> Running<'c, ()> {
        Box::pin(async move {
            self.found = Some((self.work)(batch).await?);
            Ok(())
        })
    }

    fn answer(self: Box<Self>, done: Result<Vec<Place>, sqlx::Error>) {
        let Self { found, caller, .. } = *self;
        let answer = done.and_then(|places| Ok(Written { value: found.ok_or(sqlx::Error::WorkerCrashed)?, places }));
        // A caller who has hung up needs no answer.
        let _gone = caller.send(answer);
    }

    fn callers(&self) -> usize {
        1
    }

    fn split(self: Box<Self>) -> Vec<Box<dyn Piece>> {
        vec![self]
    }
}

impl Writer {
    /// Starts the task. `pool` is its own.
    pub(crate) fn start(pool: AnyPool, backend: Backend) -> Self {
        let (queue, messages) = mpsc::channel(QUEUE);
        let counts = Arc::new(Counts::default());
        tokio::spawn(run(pool, backend, messages, Arc::clone(&counts)));
        Writer { queue, counts }
    }

    /// Runs the work and waits for the commit.
    ///
    /// # Errors
    /// The database's; `PoolTimedOut` where too much waits already.
    pub(crate) async fn write<F, T>(&self, work: F) -> Result<Written<T>, sqlx::Error>
    where
        F: for<'c> Fn(&'c mut Batch) -> Running<'c, T> + Send + Sync + 'static,
        T: Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        self.queue.try_send(Message::Work(Box::new(Job { work, found: None, caller }))).map_err(|_| sqlx::Error::PoolTimedOut)?;
        answer.await.map_err(|_| sqlx::Error::WorkerCrashed)?
    }

    /// Takes a nonce, together with whatever other nonces wait to be taken, and waits for the commit.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub(crate) async fn take(&self, bringer: Bringer) -> Result<Brought, sqlx::Error> {
        let (caller, answer) = oneshot::channel();
        self.queue.try_send(Message::Take(Box::new(Take { bringer, caller }))).map_err(|_| sqlx::Error::PoolTimedOut)?;
        answer.await.map_err(|_| sqlx::Error::WorkerCrashed)?
    }

    /// Records a login if its binding still stands, together with whatever other logins wait to be recorded, and waits for the commit.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub(crate) async fn open(&self, opening: Opening) -> Result<Opened, sqlx::Error> {
        let (caller, answer) = oneshot::channel();
        self.queue.try_send(Message::Open(Box::new(Open { opening, caller }))).map_err(|_| sqlx::Error::PoolTimedOut)?;
        answer.await.map_err(|_| sqlx::Error::WorkerCrashed)?
    }

    /// Adds one record to the chain.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn record(&self, entry: Entry) -> Result<Place, sqlx::Error> {
        let written = self
            .write(move |batch| {
                batch.record(entry.clone());
                Box::pin(async { Ok(()) })
            })
            .await?;
        written.places.into_iter().next().ok_or(sqlx::Error::WorkerCrashed)
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Finishes what waits and stops.
    pub(crate) async fn close(&self) {
        let (sender, closed) = oneshot::channel();
        if self.queue.send(Message::Close(sender)).await.is_ok() {
            let _closed = closed.await;
        }
    }
}

async fn run(pool: AnyPool, backend: Backend, mut messages: mpsc::Receiver<Message>, counts: Arc<Counts>) {
    let mut gathered = Vec::with_capacity(CALLERS_MAX);
    while messages.recv_many(&mut gathered, CALLERS_MAX).await > 0 {
        let (mut pieces, mut takes, mut opens): (Vec<Box<dyn Piece>>, Vec<Take>, Vec<Open>) = Default::default();
        let mut closing = None;
        for message in gathered.drain(..) {
            match message {
                Message::Work(piece) => pieces.push(piece),
                Message::Take(take) => takes.push(*take),
                Message::Open(open) => opens.push(*open),
                Message::Close(sender) => closing = Some(sender),
            }
        }
        if !opens.is_empty() {
            // Last, so that a loss that is reported in the same commit counts.
            pieces.push(Box::new(Opens { opens, found: Vec::new() }));
        }
        if !takes.is_empty() {
            // First, so that a nonce never waits for the work beside it.
            pieces.insert(0, Box::new(Takes { takes, found: Vec::new() }));
        }
        counts.pieces.fetch_add(u64::try_from(callers(&pieces)).unwrap_or(0), Ordering::Relaxed);
        commit_all(&pool, backend, pieces, &counts).await;
        if let Some(sender) = closing {
            pool.close().await;
            let _gone = sender.send(());
            return;
        }
    }
    pool.close().await;
}

fn callers(pieces: &[Box<dyn Piece>]) -> usize {
    pieces.iter().map(|piece| piece.callers()).sum()
}

async fn commit_all(pool: &AnyPool, backend: Backend, mut pieces: Vec<Box<dyn Piece>>, counts: &Counts) {
    if pieces.is_empty() {
        return;
    }
    let alone = callers(&pieces) == 1;
    match attempt(pool, backend, &mut pieces).await {
        Ok(places) => {
            counts.commits.fetch_add(1, Ordering::Relaxed);
            for (piece, places) in pieces.into_iter().zip(places) {
                piece.answer(Ok(places));
            }
        }
        Err(Failed { error, may_have_happened: false }) if !alone && !is_lost(&error) => {
            // One caller's work has spoiled it for all: each on its own, and only the guilty one is told.
            for mut piece in pieces.into_iter().flat_map(Piece::split) {
                let done = attempt(pool, backend, std::slice::from_mut(&mut piece)).await;
                counts.commits.fetch_add(1, Ordering::Relaxed);
                match done {
                    Ok(places) => piece.answer(Ok(places.into_iter().next().unwrap_or_default())),
                    Err(failed) => {
                        counts.failures.fetch_add(1, Ordering::Relaxed);
                        tracing::error!(error = %failed.error, "write");
                        piece.answer(Err(failed.error));
                    }
                }
            }
        }
        Err(Failed { error, .. }) => {
            counts.failures.fetch_add(1, Ordering::Relaxed);
            tracing::error!(%error, "commit");
            for piece in pieces {
                piece.answer(Err(again(&error)));
            }
        }
    }
}

struct Failed {
    error: sqlx::Error,
    /// The commit was sent and its answer was not heard.
    may_have_happened: bool,
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Failed { error, may_have_happened: false }
    }
}

async fn attempt(pool: &AnyPool, backend: Backend, pieces: &mut [Box<dyn Piece>]) -> Result<Vec<Vec<Place>>, Failed> {
    let transaction = match backend {
        Backend::Sqlite => pool.begin_with("BEGIN IMMEDIATE").await?,
        Backend::Postgres => pool.begin().await?,
    };
    let mut batch = Batch { transaction, entries: Vec::new() };
    let end = audit::lock(batch.connection(), backend).await?;
    let mut counts = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let before = batch.entries.len();
        piece.run(&mut batch).await?;
        counts.push(batch.entries.len().saturating_sub(before));
    }
    let Batch { mut transaction, entries } = batch;
    let places = audit::append(&mut transaction, end, entries).await?;
    transaction.commit().await.map_err(|error| Failed { error, may_have_happened: true })?;
    let mut places = places.into_iter();
    Ok(counts.into_iter().map(|count| places.by_ref().take(count).collect()).collect())
}

/// Whether the database has gone, so that trying again at once is of no use.
fn is_lost(error: &sqlx::Error) -> bool {
    // PostgreSQL's classes 08 (connection) and 57P (operator intervention, crash of another process).
    if let sqlx::Error::Database(database) = error {
        return database.code().is_some_and(|code| code.starts_with("08") || code.starts_with("57P"));
    }
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed | sqlx::Error::Protocol(_))
}

/// The same error for another caller: errors of the database cannot be cloned.
fn again(error: &sqlx::Error) -> sqlx::Error {
    match error {
        sqlx::Error::PoolTimedOut => sqlx::Error::PoolTimedOut,
        sqlx::Error::Database(database) if database.code().as_deref() == Some("13") => {
            sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::StorageFull, database.message().to_owned()))
        }
        other => sqlx::Error::Io(std::io::Error::other(other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::store::Database;

    #[tokio::test]
    async fn what_fails_is_run_again_only_if_others_were_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("w.sqlite").to_string_lossy()).await.unwrap();
        let ran = Arc::new(AtomicUsize::new(0));
        let failing = || {
            let ran = Arc::clone(&ran);
            database.writer().write(move |batch| {
                ran.fetch_add(1, Ordering::SeqCst);
                Box::pin(async move { sqlx::query("INSERT INTO nowhere VALUES (1)").execute(batch.connection()).await.map(|_| ()) })
            })
        };
        failing().await.unwrap_err();
        assert_eq!(ran.swap(0, Ordering::SeqCst), 1);
        // Handed in before the task that writes has its turn, the two share a transaction.
        let good = database.writer().write(|batch| {
            batch.record(Entry { action: "test".to_owned(), ..Entry::default() });
            Box::pin(async { Ok(()) })
        });
        let (good, bad) = tokio::join!(good, failing());
        bad.unwrap_err();
        assert_eq!((good.unwrap().places.len(), ran.load(Ordering::SeqCst)), (1, 2));
    }
}
