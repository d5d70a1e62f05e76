//! [`Token`] in the host: starts the worker process of one module, talks to it, and kills it when it is silent for too long.
//!
//! A worker that died or was killed is started again at the next question, so one crash never spoils the next operation.
//! Only the declared variables and a short list of the system's own are passed on.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::fields::{Bytes, SealId};

use super::wire::{self, FromWorker, ToWorker, WirePin};
use super::{By, Contents, Done, Install, Order, RenewPin, SetUp, Slot, Token, WasSetUp, at_work};
use crate::config::Module;
use crate::pin::Pin;
use crate::platform;
use crate::stop::{Stop, Waited};

/// How long a worker may take to end by itself once it is no longer needed.
const PARTING: Duration = Duration::from_millis(1500);

/// Variables of the system that a module may need to find its files; nothing that changes what is loaded.
const SYSTEM_VARIABLES: &[&str] = &[
    "HOME",
    "USER",
    "LOGNAME",
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "PCSCLITE_CSOCK_NAME",
    "SystemRoot",
    "SystemDrive",
    "windir",
    "TEMP",
    "TMP",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "ProgramData",
    "ProgramFiles",
    "ComSpec",
];

/// The worker of one module, running or not.
#[derive(Debug)]
pub struct Client {
    module: Module,
    program: PathBuf,
    mark: Option<PathBuf>,
    stop: Stop,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    to_worker: Option<ChildStdin>,
    answers: Receiver<io::Result<FromWorker>>,
    /// Who was last at work with a token when it was started.
    noted: Option<String>,
}

impl Client {
    /// For a module of the configuration; `program` is this program itself, `mark` where its worker says that it is at work.
    #[must_use]
    pub fn new(module: Module, program: PathBuf, mark: Option<PathBuf>) -> Self {
        Self { module, program, mark, stop: Stop::after(Duration::from_secs(3600)), running: None }
    }

    /// The module of the configuration.
    #[must_use]
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// What the next questions belong to: they end when it ends.
    pub fn serve(&mut self, stop: &Stop) {
        self.stop = stop.clone();
    }

    /// Starts the worker and loads the module, if that has not been done.
    ///
    /// # Errors
    /// `module-missing`, `module-refused`, `module-failed`, `module-crashed`, `module-hung`.
    pub fn load(&mut self) -> Result<(), Failure> {
        match self.ask(&ToWorker::Load, self.patience(), &mut || {})? {
            FromWorker::Loaded => Ok(()),
            _ => Err(self.out_of_step()),
        }
    }

    /// The process id of the worker, for tests and logs.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.child.id())
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(self.module.patience.into())
    }

    /// Someone who types on a reader's own keys is not a module that hangs.
    fn patience_for(&self, pin: Option<&Pin>) -> Duration {
        if pin.is_some() { self.patience() } else { self.stop.remaining().max(self.patience()) }
    }

    fn ask(&mut self, question: &ToWorker, patience: Duration, progress: &mut dyn FnMut()) -> Result<FromWorker, Failure> {
        self.stop.check()?;
        if self.is_outdated() {
            self.part();
        }
        let running = match &mut self.running {
            Some(running) => running,
            None => {
                self.module.check()?;
                let running = Running::start(&self.program, &self.module, self.mark.as_deref()).map_err(|error| self.failed(&error))?;
                self.running.insert(running)
            }
        };
        let written = match &mut running.to_worker {
            Some(pipe) => wire::write(pipe, question),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        };
        if written.is_err() {
            return Err(self.crashed());
        }
        loop {
            let waited = match &self.running {
                Some(running) => self.stop.wait(&running.answers, patience),
                None => Ok(Waited::Gone),
            };
            match waited {
                Ok(Waited::Got(Ok(FromWorker::Progress))) => progress(),
                Ok(Waited::Got(Ok(FromWorker::Failed(failure)))) => {
                    if failure.code == Code::ModuleFailed {
                        self.kill();
                    }
                    return Err(failure);
                }
                Ok(Waited::Got(Ok(answer))) => return Ok(answer),
                Ok(Waited::Got(Err(_)) | Waited::Gone) => return Err(self.crashed()),
                Ok(Waited::Late) => {
                    self.kill();
                    return Err(Failure::new(Code::ModuleHung).with("module", &self.module.name));
                }
                Err(ended) => {
                    // An answer that is still to come would be taken for that of the next question.
                    self.kill();
                    return Err(ended);
                }
            }
        }
    }

    /// Whether another process was at work with a token since the worker was started: its driver may have kept what was so before.
    fn is_outdated(&self) -> bool {
        let Some((running, last)) = self.running.as_ref().zip(self.mark.as_deref().and_then(at_work::last)) else { return false };
        running.noted.as_ref() != Some(&last) && !at_work::was(&last, running.child.id())
    }

    fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }

    fn crashed(&mut self) -> Failure {
        self.kill();
        Failure::new(Code::ModuleCrashed).with("module", &self.module.name)
    }

    fn out_of_step(&mut self) -> Failure {
        self.kill();
        Failure::new(Code::Internal).with("detail", "worker out of step")
    }

    fn failed(&self, error: &io::Error) -> Failure {
        Failure::new(Code::ModuleFailed).with("module", &self.module.name).with("path", self.module.path.display()).with("detail", error)
    }

    /// Tells the worker to end and gives it a moment for that.
    fn part(&mut self) {
        let Some(running) = &mut self.running else { return };
        running.to_worker = None;
        let started = Instant::now();
        while started.elapsed() < PARTING {
            match running.child.try_wait() {
                Ok(Some(_)) | Err(_) => {
                    self.running = None;
                    return;
                }
                Ok(None) => std::thread::sleep(Duration::from_millis(2)),
            }
        }
        self.kill();
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.part();
    }
}

impl Token for Client {
    fn slots(&mut self) -> Result<Vec<Slot>, Failure> {
        match self.ask(&ToWorker::Slots, self.patience(), &mut || {})? {
            FromWorker::Slots(slots) => Ok(slots),
            _ => Err(self.out_of_step()),
        }
    }

    fn contents(&mut self) -> Result<Vec<Contents>, Failure> {
        match self.ask(&ToWorker::Contents, self.patience(), &mut || {})? {
            FromWorker::Contents(contents) => Ok(contents),
            _ => Err(self.out_of_step()),
        }
    }

    fn seal(&mut self, slot: u64, id: SealId) -> Result<Vec<u8>, Failure> {
        match self.ask(&ToWorker::Seal { slot, id }, self.patience(), &mut || {})? {
            FromWorker::Seal(seal) => Ok(seal.0),
            _ => Err(self.out_of_step()),
        }
    }

    fn sign(&mut self, order: &Order<'_>, progress: &mut dyn FnMut()) -> Result<Done<Vec<Vec<u8>>>, Failure> {
        let question = ToWorker::Sign {
            slot: order.slot,
            serial: order.serial.to_owned(),
            certificate: order.certificate,
            algorithm: order.algorithm.name().to_owned(),
            digest: order.digest.size(),
            pin: order.pin.map(wired),
            statements: order.statements.iter().cloned().map(Bytes).collect(),
        };
        match self.ask(&question, self.patience_for(order.pin), progress)? {
            FromWorker::Signed { signatures, failure, after } => {
                let outcome = match failure {
                    Some(failure) => Err(failure),
                    None if signatures.len() == order.statements.len() => Ok(signatures.into_iter().map(|signature| signature.0).collect()),
                    None => return Err(self.out_of_step()),
                };
                Ok(Done { outcome, after })
            }
            _ => Err(self.out_of_step()),
        }
    }

    fn set_up(&mut self, order: &SetUp<'_>, progress: &mut dyn FnMut()) -> Result<Done<WasSetUp>, Failure> {
        let question = ToWorker::SetUp {
            slot: order.slot,
            serial: order.serial.to_owned(),
            business: order.business.to_owned(),
            officer: wired(order.officer),
            user: wired(order.user),
            subject: order.subject.clone(),
        };
        let (set_up, Done { outcome, after }) = self.order(&question, self.patience(), progress)?;
        match (outcome, set_up) {
            (Err(failure), _) => Ok(Done { outcome: Err(failure), after }),
            (Ok(()), Some(was)) => Ok(Done { outcome: Ok(was), after }),
            (Ok(()), None) => Err(self.out_of_step()),
        }
    }

    fn renew_pin(&mut self, order: &RenewPin<'_>, progress: &mut dyn FnMut()) -> Result<Done<()>, Failure> {
        let (officer, old) = match &order.by {
            By::User(old) => (false, old),
            By::Officer(old) => (true, old),
        };
        let question = ToWorker::RenewPin { slot: order.slot, serial: order.serial.to_owned(), officer, old: wired(old), new: wired(order.new) };
        self.order(&question, self.patience(), progress).map(|(_, done)| done)
    }

    fn install(&mut self, order: &Install<'_>, progress: &mut dyn FnMut()) -> Result<Done<()>, Failure> {
        let question = ToWorker::Install {
            slot: order.slot,
            serial: order.serial.to_owned(),
            pin: order.pin.map(wired),
            certificate: order.certificate.map(|certificate| Bytes(certificate.to_vec())),
            chain: order.chain.iter().cloned().map(Bytes).collect(),
            seal: order.seal.map(|(name, seal)| (name.to_owned(), Bytes(seal.to_vec()))),
            replaced: order.replaced.to_vec(),
        };
        self.order(&question, self.patience_for(order.pin), progress).map(|(_, done)| done)
    }
}

impl Client {
    /// An order whose end is [`FromWorker::Done`].
    fn order(&mut self, question: &ToWorker, patience: Duration, progress: &mut dyn FnMut()) -> Result<(Option<WasSetUp>, Done<()>), Failure> {
        match self.ask(question, patience, progress)? {
            FromWorker::Done { set_up, failure, after } => Ok((set_up, Done { outcome: failure.map_or(Ok(()), Err), after })),
            _ => Err(self.out_of_step()),
        }
    }
}

fn wired(pin: &Pin) -> WirePin {
    WirePin(pin.expose().to_owned())
}

impl Running {
    fn start(program: &Path, module: &Module, mark: Option<&Path>) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.arg("token-worker").arg(&module.name).arg(&module.path).args(mark);
        command.env_clear();
        command.envs(SYSTEM_VARIABLES.iter().filter_map(|name| std::env::var_os(name).map(|value| (*name, value))));
        command.envs(&module.environment);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // What a module prints may hold anything, a PIN too, and a browser keeps what its hosts print: only a person's terminal gets it.
        command.stderr(if io::stderr().is_terminal() { Stdio::inherit() } else { Stdio::null() });
        platform::detach(&mut command);
        let noted = mark.and_then(at_work::last);
        let mut child = command.spawn()?;
        let (to_worker, from_worker) = (child.stdin.take(), child.stdout.take());
        let (sender, answers) = mpsc::channel();
        if let Some(mut from_worker) = from_worker {
            std::thread::spawn(move || {
                loop {
                    let answer = match wire::read(&mut from_worker) {
                        Ok(Some(answer)) => Ok(answer),
                        Ok(None) => break,
                        Err(error) => Err(error),
                    };
                    let broken = answer.is_err();
                    if sender.send(answer).is_err() || broken {
                        break;
                    }
                }
            });
        }
        Ok(Self { child, to_worker, answers, noted })
    }
}
