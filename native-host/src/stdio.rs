//! The browser's door: native messaging over standard input and output.
//!
//! Requests run side by side, so that a dialog can be cancelled while it is open; one operation uses a key at a time. Answers
//! are written by one hand. Operations that use a key go through the journal. When the browser closes the port, windows
//! are closed at once and a signature that is being made gets the rest of 1.5 s, because Chromium kills the host after two.
//! Nothing but frames is ever written to the browser: standard output is taken away from everything else first.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use native_messaging::host::{NmError, decode_message_opt};
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::fields::Bytes;
use sealbridge_protocol::frame::{self, FROM_HOST_MAX, TO_HOST_MAX};
use sealbridge_protocol::hello::{self, Part};
use sealbridge_protocol::message::{Answer, Call, Event, FromHost, Phase, Request, Verb, peek_id};
use sealbridge_protocol::operation::OperationId;
use sealbridge_protocol::{
    activate, bind, cancel, change_pin, environment, export_certificate, install, keys, login, outcome, record, seal, seal_part, seal_picture, stamp, status,
    token_request, unlock, web_eid,
};
use serde_json::value::RawValue;

use crate::callers::Caller;
use crate::commands;
use crate::host::Host;
use crate::journal::{Begin, Entry, Known};
use crate::key_use::Asked;
use crate::platform;
use crate::stop::Stop;
use crate::token::directory::Watch;
use crate::upkeep::{self, Granted, Wanted};

/// How long an operation may go on after the browser has closed the port.
const LAST: Duration = Duration::from_millis(1500);
/// How often tokens are looked at once somebody has asked for the status.
const LOOK: Duration = Duration::from_secs(1);
/// Most requests at a time.
const REQUESTS_MAX: usize = 16;

/// How long a refused caller is heard out.
const HEAR_OUT: Duration = Duration::from_secs(2);

/// Serves one browser until it closes the port.
#[must_use]
pub fn run(caller: &Caller) -> ExitCode {
    platform::harden();
    let Ok((mut from_browser, to_browser)) = platform::take_stdio() else { return ExitCode::from(2) };
    let port = Port(Arc::new(Mutex::new(to_browser)));
    if let Err(failure) = caller.check() {
        port.send(&Answer::refused(None, failure).into());
        hear_out(from_browser);
        return ExitCode::from(1);
    }
    let door = Door { port, host: Host::load(), running: Arc::default(), requests: Arc::default(), watched: Arc::default() };
    let door = Arc::new(door);
    if let Ok(host) = &door.host {
        host.directory.warm();
    }
    loop {
        match decode_message_opt(&mut from_browser, TO_HOST_MAX) {
            Ok(Some(json)) => receive(&door, json.as_bytes()),
            Ok(None) | Err(NmError::Disconnected | NmError::Io(_)) => break,
            Err(NmError::IncomingTooLarge { .. }) => {
                // The rest of the stream cannot be told from frames any more.
                door.port.send(&Answer::refused(None, Failure::new(Code::RequestTooLarge).with("limit", TO_HOST_MAX)).into());
                break;
            }
            Err(_) => door.port.send(&Answer::refused(None, Failure::new(Code::RequestMalformed).with("detail", "not UTF-8")).into()),
        }
    }
    door.close();
    // Workers see the end of their pipes and finish by themselves; waiting for them could take longer than we have.
    std::process::exit(0)
}

struct Door {
    port: Port,
    host: Result<Host, Failure>,
    running: Arc<Mutex<HashMap<OperationId, Stop>>>,
    requests: Arc<AtomicUsize>,
    watched: Arc<AtomicBool>,
}

/// Reads on without listening until the browser closes the port. A browser whose first message meets a program that is gone
/// says that the program failed, and throws away why.
fn hear_out(mut from_browser: File) {
    let (gone, is_gone) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let _closed = std::io::copy(&mut from_browser, &mut std::io::sink());
        let _nobody_waits = gone.send(());
    });
    let _either = is_gone.recv_timeout(HEAR_OUT);
}

/// The one hand that writes frames.
#[derive(Clone)]
struct Port(Arc<Mutex<File>>);

impl Port {
    /// A browser that is gone takes nothing; the journal keeps the outcome.
    fn send(&self, message: &FromHost) {
        let json = message.to_json().or_else(|failure| {
            let id = match message {
                FromHost::Answer(answer) => answer.id,
                FromHost::Event(_) => None,
            };
            FromHost::from(Answer::refused(id, failure)).to_json()
        });
        if let Ok(whole) = json.and_then(|json| frame::encode(&json, FROM_HOST_MAX)) {
            let mut pipe = locked(&self.0);
            let _ = pipe.write_all(&whole).and_then(|()| pipe.flush());
        }
    }

    fn answer<V: Verb>(&self, id: OperationId, result: Result<V::Answer, Failure>) {
        match Answer::to::<V>(id, result) {
            Ok(answer) => self.send(&answer.into()),
            Err(failure) => self.send(&Answer::refused(Some(id), failure).into()),
        }
    }
}

impl Door {
    fn host(&self) -> Result<&Host, Failure> {
        self.host.as_ref().map_err(Clone::clone)
    }

    /// Ends what is going on: windows at once, signatures in the time that is left.
    fn close(&self) {
        let started = Instant::now();
        for stop in locked(&self.running).values() {
            stop.cancel();
        }
        while started.elapsed() < LAST && self.requests.load(Ordering::SeqCst) > 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Tells the browser about tokens that come and go, once somebody has asked for them.
    fn watch(self: &Arc<Self>) {
        if self.watched.swap(true, Ordering::SeqCst) {
            return;
        }
        let door = Arc::clone(self);
        std::thread::spawn(move || {
            let mut watch = Watch::default();
            while let Ok(host) = door.host() {
                if host.directory.changed(&mut watch) {
                    door.port.send(&Event::TokensChanged.into());
                }
                std::thread::sleep(LOOK);
            }
        });
    }
}

/// One request. What needs a token runs on a thread of its own.
fn receive(door: &Arc<Door>, json: &[u8]) {
    let request = match Request::from_json(json) {
        Ok(request) => request,
        Err(failure) => return door.port.send(&Answer::refused(peek_id(json), failure).into()),
    };
    let id = request.id;
    match &request.call {
        Call::Hello(arguments) => return door.port.answer::<hello::Arguments>(id, greet(door, arguments)),
        Call::Cancel(arguments) => {
            if let Some(stop) = locked(&door.running).get(&arguments.operation) {
                stop.cancel();
            }
            return door.port.answer::<cancel::Arguments>(id, Ok(cancel::Answer {}));
        }
        Call::Outcome(arguments) => return door.port.answer::<outcome::Arguments>(id, remembered(door, arguments.operation)),
        _ => {}
    }
    let requests = Arc::clone(&door.requests);
    if requests.fetch_add(1, Ordering::SeqCst) >= REQUESTS_MAX {
        requests.fetch_sub(1, Ordering::SeqCst);
        return door.port.send(&Answer::refused(Some(id), Failure::new(Code::Busy)).into());
    }
    let stop = Stop::after(Duration::from_millis(request.deadline_ms.into()));
    let own = {
        let mut running = locked(&door.running);
        let own = !running.contains_key(&id);
        if own {
            running.insert(id, stop.clone());
        }
        own
    };
    let door = Arc::clone(door);
    std::thread::spawn(move || {
        serve(&door, &request, &stop);
        if own {
            locked(&door.running).remove(&id);
        }
        door.requests.fetch_sub(1, Ordering::SeqCst);
    });
}

fn greet(door: &Door, arguments: &hello::Arguments) -> Result<hello::Answer, Failure> {
    hello::agree(Part::Host, Part::Extension, arguments.protocol)?;
    Ok(hello::Answer {
        protocol: hello::PROTOCOL,
        host: env!("CARGO_PKG_VERSION").to_owned(),
        developer: door.host()?.config.developer,
        platform: std::env::consts::OS.to_owned(),
    })
}

fn serve(door: &Arc<Door>, request: &Request, stop: &Stop) {
    let (id, port) = (request.id, &door.port);
    let phase = |phase: Phase| port.send(&Event::Phase { id, phase }.into());
    let asked = Asked { language: request.language, stop, phase: &phase, pin: None };
    match &request.call {
        Call::Status(_) => {
            port.answer::<status::Arguments>(id, door.host().map(|host| commands::status::run(host, stop)));
            door.watch();
        }
        Call::Seal(arguments) => port.answer::<seal::Arguments>(id, door.host().and_then(|host| commands::seal::run(host, arguments, stop))),
        Call::Bind(arguments) => once::<bind::Arguments>(door, request, stop, |host| commands::bind::run(host, id, arguments, asked)),
        Call::Login(arguments) => once::<login::Arguments>(door, request, stop, |host| commands::login::run(host, id, arguments, asked)),
        Call::WebEid(arguments) => once::<web_eid::Arguments>(door, request, stop, |host| commands::web_eid::run(host, arguments, asked)),
        Call::Stamp(arguments) => once::<stamp::Arguments>(door, request, stop, |host| commands::stamp::run(host, arguments, asked)),
        Call::Hello(_) | Call::Cancel(_) | Call::Outcome(_) => {}
        Call::Keys(arguments) => {
            port.answer::<keys::Arguments>(id, door.host().and_then(|host| commands::keys::run(host, arguments, request.language, stop)));
            door.watch();
        }
        Call::SealPicture(arguments) => {
            port.answer::<seal_picture::Arguments>(id, door.host().and_then(|host| commands::seal_picture::run(host, arguments, stop)));
        }
        Call::ExportCertificate(arguments) => {
            port.answer::<export_certificate::Arguments>(id, door.host().and_then(|host| commands::export_certificate::run(host, arguments, stop)));
        }
        Call::TokenRequest(arguments) => {
            let business = arguments.business.clone();
            let made = door.host().and_then(|host| upkeep::request(host, arguments.purpose, &arguments.token, business, arguments.certificate, stop));
            port.answer::<token_request::Arguments>(id, made.map(|(request, made)| token_request::Answer { request, certificate_request: made.map(Bytes) }));
        }
        Call::SealPart(arguments) => port.answer::<seal_part::Arguments>(id, door.host().and_then(|host| commands::seal_part::run(host, arguments))),
        Call::Record(arguments) => port.answer::<record::Arguments>(id, door.host().and_then(|host| host.history()?.page(arguments))),
        Call::Environment(_) => port.answer::<environment::Arguments>(id, Ok(commands::environment::run(request.language))),
        Call::ChangePin(arguments) => once::<change_pin::Arguments>(door, request, stop, |host| {
            upkeep::change_pin(host, &arguments.token, asked).map(|state| change_pin::Answer { state })
        }),
        Call::Unlock(arguments) => once::<unlock::Arguments>(door, request, stop, |host| {
            upkeep::unlock(host, &arguments.token, arguments.grant.as_str(), asked).map(|state| unlock::Answer { state })
        }),
        Call::Activate(arguments) => once::<activate::Arguments>(door, request, stop, |host| {
            let (request, token) = upkeep::activate(host, &arguments.token, arguments.grant.as_str(), asked)?;
            Ok(activate::Answer { request: Bytes(request), token })
        }),
        Call::Install(arguments) => once::<install::Arguments>(door, request, stop, |host| {
            let seal = arguments.seal.map(|seal| commands::seal_part::whole(host, seal)).transpose()?;
            let chain: Vec<Vec<u8>> = arguments.chain.iter().flatten().map(|issuer| issuer.0.clone()).collect();
            let certificate = arguments.certificate.as_ref().zip(arguments.grant.as_ref());
            let certificate = certificate.map(|(certificate, grant)| Granted { grant: grant.as_str(), certificate: &certificate.0, chain: &chain });
            let (certificate, seal) = upkeep::install(host, &arguments.token, Wanted { certificate, seal: seal.as_deref() }, asked)?;
            if let Some(seal) = seal {
                commands::seal_part::forget(host, seal);
            }
            Ok(install::Answer { certificate, seal })
        }),
    }
}

/// Runs an operation that uses a key, or gives the outcome that it had before.
fn once<V: Verb>(door: &Door, request: &Request, stop: &Stop, work: impl FnOnce(&Host) -> Result<V::Answer, Failure>) {
    let id = request.id;
    let outcome = match begun(door, request, stop) {
        Ok(Started::Stored(outcome)) => outcome,
        Ok(Started::Fresh(entry)) => {
            let outcome = door.host().and_then(work).and_then(|answer| Answer::to::<V>(id, Ok(answer)).and_then(|answer| answer.result));
            match entry.finish(&outcome) {
                Ok(()) => outcome,
                // A signature that could not be recorded must not leave: asked again, it would be made a second time.
                Err(failure) => Err(failure),
            }
        }
        Err(failure) => Err(failure),
    };
    door.port.send(&Answer { id: Some(id), result: outcome }.into());
}

enum Started {
    Fresh(Entry),
    Stored(Result<Box<RawValue>, Failure>),
}

/// Opens the journal's entry. The same operation still running elsewhere is waited for.
fn begun(door: &Door, request: &Request, stop: &Stop) -> Result<Started, Failure> {
    let journal = door.host()?.journal()?;
    let arguments = request.call.arguments()?;
    loop {
        match journal.begin(request.id, request.call.verb(), arguments.get())? {
            Begin::Fresh(entry) => return Ok(Started::Fresh(entry)),
            Begin::Stored(outcome) => return Ok(Started::Stored(outcome)),
            Begin::Running => {
                stop.check()?;
                std::thread::sleep(Duration::from_millis(25));
            }
        }
    }
}

fn remembered(door: &Door, id: OperationId) -> Result<outcome::Answer, Failure> {
    Ok(match door.host()?.journal()?.outcome(id)? {
        Known::Unknown => outcome::Answer::open(outcome::State::Unknown),
        Known::Running => outcome::Answer::open(outcome::State::Running),
        Known::Finished(result) => outcome::Answer::finished(result),
    })
}

/// A thread that panicked while it held the lock left a whole frame or a map behind, nothing half done.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
