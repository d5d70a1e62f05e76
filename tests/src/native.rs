//! The native host as a browser has it: the real program, started as Chromium starts it, with frames over its standard input and output.
//! It asks what it is told to ask and judges no answer; which processes the host has started, and whether they are gone, it sees in `/proc`.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bidi::{DriveError, Driven, failed};
use crate::processes::{alive, family};
use crate::world::{World, built};

/// How long the host may be silent; longer than the patience that it has with a driver.
const PATIENCE: Duration = Duration::from_secs(40);
/// How often a file is looked for.
const GLANCE: Duration = Duration::from_millis(1);
/// Chromium kills a host so long after it has closed the port.
const CHROMIUM_WAITS: Duration = Duration::from_secs(2);

/// A running host; dropping it closes its port.
#[derive(Debug)]
pub struct NativeHost {
    child: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    next: u64,
    dies_with: Option<PathBuf>,
    left: Vec<u32>,
}

impl NativeHost {
    /// Starts the host of a world and says hello.
    pub fn start(world: &World) -> Driven<Self> {
        let ids: Value = serde_json::from_str(include_str!("../../extension/ids.json")).map_err(|error| DriveError(format!("ids.json: {error}")))?;
        let mut command = Command::new(built("sealbridge")?);
        command.arg(format!("chrome-extension://{}/", ids["chromium"][0].as_str().unwrap_or_default()));
        command.env("HOME", &world.home).env_remove("XDG_CONFIG_HOME").env_remove("XDG_STATE_HOME");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (sender, messages) = mpsc::channel();
        if let Some(output) = output {
            std::thread::spawn(move || frames(output, &sender));
        }
        let mut host = Self { child, input, messages, next: 0, dies_with: None, left: Vec::new() };
        match host.ask("hello", &json!({ "protocol": 1, "extension": "0.1.0" }))? {
            Ok(_) => Ok(host),
            Err(failure) => failed(format!("the host does not say hello: {failure}")),
        }
    }

    /// Sends a request of the extension's own pages; gives its id. A host that is gone takes nothing, which the next message tells.
    pub fn send(&mut self, verb: &str, arguments: &Value) -> String {
        self.next += 1;
        // 16 bytes in base64url: unlike those of other hosts of the same user.
        let id = format!("{:010}{:011}A", self.child.id(), self.next);
        let request = json!({ "id": id, "verb": verb, "language": "zh-CN", "deadlineMs": 60_000, "asker": "own-page", "arguments": arguments });
        let json = request.to_string();
        if let (Some(input), Ok(length)) = (&mut self.input, u32::try_from(json.len())) {
            let _ = input.write_all(&length.to_ne_bytes()).and_then(|()| input.write_all(json.as_bytes())).and_then(|()| input.flush());
        }
        id
    }

    /// The next message about this request; nothing where the host has ended. News of keys are passed over.
    pub fn next(&mut self, id: &str) -> Driven<Option<Value>> {
        let until = Instant::now() + PATIENCE;
        loop {
            if self.dies_with.as_ref().is_some_and(|file| file.exists()) {
                self.kill();
                self.dies_with = None;
            }
            let wait = if self.dies_with.is_some() { GLANCE } else { until.saturating_duration_since(Instant::now()) };
            match self.messages.recv_timeout(wait) {
                Ok(message) if message["id"] == json!(id) => return Ok(Some(message)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) if Instant::now() > until => return failed("the host says nothing any more"),
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Kills it as soon as this file is there, while a message is waited for.
    pub fn dies_with(&mut self, file: &Path) {
        self.dies_with = Some(file.to_owned());
    }

    /// Whether it has ended.
    pub fn is_gone(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks and waits for the end; the answer or the failure.
    pub fn ask(&mut self, verb: &str, arguments: &Value) -> Driven<Result<Value, Value>> {
        let id = self.send(verb, arguments);
        loop {
            let Some(message) = self.next(&id)? else { return failed(format!("the host ended at {verb}")) };
            if let Some(ok) = message.get("ok") {
                return Ok(Ok(ok.clone()));
            }
            if let Some(failure) = message.get("failure") {
                return Ok(Err(failure.clone()));
            }
        }
    }

    /// It and what it had started, by process id, as it was when it was killed or hung up on.
    pub fn left(&self) -> &[u32] {
        &self.left
    }

    /// Kills it without a word.
    pub fn kill(&mut self) {
        if !self.is_gone() {
            self.left = family(self.child.id());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Closes its port as a browser that is gone does, and kills it when Chromium would.
    pub fn hang_up(&mut self) {
        if self.input.take().is_none() || self.is_gone() {
            return;
        }
        self.left = family(self.child.id());
        let until = Instant::now() + CHROMIUM_WAITS;
        while Instant::now() < until {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(2)),
                Ok(Some(_)) | Err(_) => return,
            }
        }
        self.kill();
    }
}

impl Drop for NativeHost {
    fn drop(&mut self) {
        self.hang_up();
    }
}

/// Waits until none of these processes is left; which of them stay, where some do.
pub fn ended(processes: &[u32], patience: Duration) -> Vec<u32> {
    let until = Instant::now() + patience;
    loop {
        let left: Vec<u32> = processes.iter().copied().filter(|process| alive(*process)).collect();
        if left.is_empty() || Instant::now() > until {
            return left;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn frames(mut output: ChildStdout, sender: &mpsc::Sender<Value>) {
    let mut header = [0; 4];
    while output.read_exact(&mut header).is_ok() {
        let mut frame = vec![0; usize::try_from(u32::from_ne_bytes(header)).unwrap_or_default()];
        let Ok(message) = output.read_exact(&mut frame).map(|()| serde_json::from_slice(&frame).unwrap_or(Value::Null)) else { return };
        if sender.send(message).is_err() {
            return;
        }
    }
}
