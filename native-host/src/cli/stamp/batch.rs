//! A batch: one consent and one PIN for up to fifty documents, each document for itself before and after that.
//!
//! While the token answers, the first documents are read and hashed; while signed ones are written, the next ones are. A
//! failure is told with its document and stops nothing but that document; only the person's no, and what the key says, end
//! the batch. Everything that is written is whole.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sealbridge_pdf::OpenOptions;
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::stamp::{DOCUMENTS_MAX, StampDocument};

use super::arguments::Stamp;
use super::one::{Clock, Job, Looked, Ready};
use super::words::Teller;
use super::{Pins, listen, outputs, read_secret};
use crate::cli::Voice;
use crate::commands::seal::{Pair, pair};
use crate::commands::stamp::documents;
use crate::fonts;
use crate::host::Host;
use crate::key_use::Asked;
use crate::services::{Client, Reach, Timestamps};
use crate::stop::Stop;
use crate::token::directory::Shelf;
use crate::undo::Undo;

/// How long the person may take for one consent.
const ALLOWED: Duration = Duration::from_secs(300);
/// How many documents are read or written at the same time.
const HANDS: usize = 2;

/// What all documents of a batch share.
struct Batch<'a> {
    stamp: &'a Stamp,
    voice: Voice,
    teller: &'a Teller,
    host: &'a Host,
    undo: Option<Undo>,
    options: OpenOptions,
    clock: Option<Clock>,
    stop: Stop,
}

/// A document with its signature, before both are put together.
struct Signed<'a> {
    job: &'a Job,
    ready: Ready,
    cms: Vec<u8>,
}

/// Stamps everything on the command line; the highest exit code of all documents.
///
/// # Errors
/// What concerns all of them: the command line, the configuration, the key.
pub(super) fn run(stamp: &Stamp, voice: Voice) -> Result<u8, Failure> {
    let mut pins = Pins::new(stamp.pin_fd)?;
    let password = stamp.password_fd.map(read_secret).transpose()?;
    let to = outputs::To { out: stamp.out.as_ref(), out_dir: stamp.out_dir.as_ref(), force: stamp.force };
    let clock = stamp.timestamp.as_deref().map(Timestamps::new).transpose()?;
    let clock = clock.map(|timestamps| Clock { client: Client::new(Duration::from_secs(stamp.patience.into()), Reach::Any), timestamps });
    let jobs = outputs::jobs(&stamp.files, to)?;
    let host = Host::load()?;
    let teller = Teller::new(voice, jobs.len());
    let batch = Batch {
        stamp,
        voice,
        teller: &teller,
        undo: host.state.as_ref().ok().map(|state| Undo::at(state)),
        host: &host,
        options: OpenOptions { password: password.map(|secret| secret.to_vec()), ..OpenOptions::default() },
        clock,
        stop: Stop::after(ALLOWED),
    };
    listen(&batch.stop);
    let jobs = batch.left(jobs);
    let groups: Vec<&[Job]> = jobs.chunks(DOCUMENTS_MAX).collect();
    let Some(first) = groups.first() else { return Ok(teller.exit()) };
    let (looked, pair) = std::thread::scope(|scope| {
        let looking = scope.spawn(|| batch.look(first, jobs.len() == 1));
        let pair = batch.choose();
        (looking.join(), pair)
    });
    let mut looked = looked.map_err(|_| internal("reading"))?;
    if looked.is_empty() && groups.len() == 1 {
        return Ok(teller.exit());
    }
    let pair = pair?;
    let font = batch.font()?;
    for (number, next) in (1_usize..).zip(groups.iter().skip(1).map(Some).chain([None])) {
        let signed = batch.sign(looked, &pair, font.as_deref(), &mut pins, (number, groups.len()));
        let signed = match signed {
            Ok(signed) => signed,
            Err(failure) => {
                // What was not asked for any more is told too: no document is passed over in silence.
                groups.iter().skip(number).flat_map(|group| group.iter()).for_each(|job| teller.failed(job, &failure));
                return Ok(teller.exit());
            }
        };
        looked = std::thread::scope(|scope| {
            let looking = next.map(|next| scope.spawn(|| batch.look(next, false)));
            batch.write(signed, &pair);
            looking.map_or(Ok(Vec::new()), std::thread::ScopedJoinHandle::join)
        })
        .map_err(|_| internal("reading"))?;
    }
    Ok(teller.exit())
}

impl Batch<'_> {
    /// The jobs that an earlier run did not do.
    fn left(&self, jobs: Vec<Job>) -> Vec<Job> {
        if !self.stamp.resume {
            return jobs;
        }
        let done = |job: &Job| match outputs::is_done(job, &self.options) {
            Ok(done) => {
                if done {
                    self.teller.skipped(job);
                }
                done
            }
            Err(failure) => {
                self.teller.failed(job, &failure);
                true
            }
        };
        jobs.into_iter().filter(|job| !done(job)).collect()
    }

    fn choose(&self) -> Result<Pair, Failure> {
        let mut shelves: Vec<Shelf> = self.host.directory.shelves(&self.stop);
        if let Some(wanted) = &self.stamp.token {
            for contents in shelves.iter_mut().filter_map(|shelf| shelf.contents.as_mut().ok()) {
                contents.retain(|contents| contents.slot.label == *wanted || contents.slot.serial == *wanted);
            }
        }
        pair(self.host, &shelves, self.stamp.seal, self.stamp.certificate, &self.stop)
    }

    /// The font for Chinese values and the date, where one is needed.
    fn font(&self) -> Result<Option<Vec<u8>>, Failure> {
        if let Some(named) = &self.stamp.font {
            return fonts::read(named).map(Some);
        }
        let beyond = |limit: char| self.stamp.fills.iter().any(|(_, value)| value.chars().any(|character| character > limit));
        let surely = self.stamp.date.is_some() || beyond('\u{2e7f}');
        match fonts::of_system() {
            _ if !surely && !beyond('\u{ff}') => Ok(None),
            Ok(font) => Ok(Some(font)),
            Err(failure) if surely => Err(failure),
            // The seal room has its own Latin font, which may do.
            Err(_) => Ok(None),
        }
    }

    /// Opens and hashes the documents of a group; those that cannot be are told and left out.
    fn look<'a>(&self, group: &'a [Job], alone: bool) -> Vec<(&'a Job, Looked)> {
        let looked = by_hands(group.iter().collect(), |job: &Job| {
            self.stop_check()?;
            job.look(&self.options, self.undo.as_ref(), alone)
        });
        self.kept(group.iter().zip(looked), |job, looked| {
            if looked.mended {
                self.teller.mended(&job.input);
            }
        })
    }

    /// Prepares the documents of a group and has them signed under one consent.
    fn sign<'a>(
        &self,
        looked: Vec<(&'a Job, Looked)>,
        pair: &Pair,
        font: Option<&[u8]>,
        pins: &mut Pins,
        (number, count): (usize, usize),
    ) -> Result<Vec<Signed<'a>>, Failure> {
        let prepared = looked.into_iter().map(|(job, looked)| (job, job.ready(looked, self.stamp, pair, font, &self.options, self.voice.language)));
        let ready = self.kept(prepared, |_, _| {});
        if ready.is_empty() {
            return Ok(Vec::new());
        }
        self.teller.list(&ready.iter().map(|(_, ready)| &ready.listed).collect::<Vec<_>>(), number, count);
        let listed: Vec<StampDocument> = ready.iter().map(|(_, ready)| ready.listed.clone()).collect();
        let stop = self.stop.renewed(ALLOWED);
        let signed = stop.check().and_then(|()| pins.take()).and_then(|pin| {
            let asked = Asked { language: self.voice.language, stop: &stop, phase: &|_| {}, pin: pin.as_ref() };
            documents(self.host, &pair.chosen, None, &listed, asked)
        });
        match signed {
            Ok(signatures) => Ok(ready.into_iter().zip(signatures).map(|((job, ready), cms)| Signed { job, ready, cms }).collect()),
            Err(failure) => {
                ready.iter().for_each(|(job, _)| self.teller.failed(job, &failure));
                Err(failure)
            }
        }
    }

    /// Writes what was signed.
    fn write(&self, signed: Vec<Signed<'_>>, pair: &Pair) {
        by_hands(signed, |Signed { job, ready, cms }| {
            let written = self.stop_check().and_then(|()| {
                let undo = self.undo.as_ref().ok_or_else(|| internal("no state folder"))?;
                job.finish(ready, &cms, self.clock.as_ref(), &self.options, undo)
            });
            match written {
                Ok(done) => self.teller.done(job, &done, pair, self.stamp.timestamp.as_deref()),
                Err(failure) => self.teller.failed(job, &failure),
            }
        });
    }

    /// Ctrl-C ends a batch between two documents; the deadline is that of the consents only.
    fn stop_check(&self) -> Result<(), Failure> {
        if self.stop.is_cancelled() { Err(Failure::new(Code::Cancelled)) } else { Ok(()) }
    }

    /// Those that went well, after `seen`; the others are told.
    fn kept<'a, T>(&self, results: impl Iterator<Item = (&'a Job, Result<T, Failure>)>, seen: impl Fn(&Job, &T)) -> Vec<(&'a Job, T)> {
        let mut kept = Vec::new();
        for (job, result) in results {
            match result {
                Ok(thing) => {
                    seen(job, &thing);
                    kept.push((job, thing));
                }
                Err(failure) => self.teller.failed(job, &failure),
            }
        }
        kept
    }
}

/// Does the same to everything, at most [`HANDS`] at a time; the results in the order of the things.
fn by_hands<T: Send, R: Send>(things: Vec<T>, does: impl Fn(T) -> R + Sync) -> Vec<R> {
    let count = things.len();
    let things: Vec<Mutex<Option<T>>> = things.into_iter().map(|thing| Mutex::new(Some(thing))).collect();
    let results: Vec<Mutex<Option<R>>> = (0..count).map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let index = next.fetch_add(1, Ordering::Relaxed)
            && let (Some(thing), Some(result)) = (things.get(index), results.get(index))
        {
            let thing = thing.lock().ok().and_then(|mut thing| thing.take());
            if let (Some(thing), Ok(mut result)) = (thing, result.lock()) {
                *result = Some(does(thing));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..HANDS.min(count) {
            scope.spawn(work);
        }
        work();
    });
    results.into_iter().filter_map(|result| result.into_inner().ok().flatten()).collect()
}

fn internal(detail: &str) -> Failure {
    Failure::new(Code::Internal).with("detail", detail)
}
