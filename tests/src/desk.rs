//! The CA's desk as a service, on a port of its own: applicants and officers come to it with their browsers. Its data and its log lie
//! below the world's folder. It can be killed without a word and started again with the same data and address.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::bidi::{DriveError, Driven, failed};
use crate::world::{built, font, target};

/// The officers of a demonstration: the first reviews, the second looks at the originals. Their passwords are public.
pub const OFFICERS: [(&str, &str); 2] = [("shouli", "officer-one-demo"), ("fuhe", "officer-two-demo")];

/// A running desk; dropping it ends it.
#[derive(Debug)]
pub struct Desk {
    folder: PathBuf,
    ca: PathBuf,
    portals: Vec<String>,
    port: u16,
    origin: String,
    child: Option<Child>,
}

impl Desk {
    /// Starts a desk with its data in `folder`, issuing from the CA in `ca`, for the portals with these origins and public keys.
    pub fn start(folder: &Path, ca: &Path, portals: &[(String, PathBuf)]) -> Driven<Self> {
        let portals = portals.iter().map(|(origin, key)| format!("{origin}={}", key.display())).collect();
        let mut desk = Self { folder: folder.to_owned(), ca: ca.to_owned(), portals, port: 0, origin: String::new(), child: None };
        desk.up()?;
        Ok(desk)
    }

    /// Where browsers reach it.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The port on this machine.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.join("desk")
    }

    /// What it has logged.
    pub fn log(&self) -> Driven<String> {
        fs::read_to_string(self.log_file()).map_err(Into::into)
    }

    /// Kills it without a word, and starts it again with the same data at the same address.
    pub fn crash_and_restart(&mut self) -> Driven<()> {
        self.crash();
        self.up()
    }

    /// Whether it runs.
    pub fn is_up(&self) -> bool {
        self.child.is_some()
    }

    /// Starts it with the data that it has, at the address that it had.
    pub fn up(&mut self) -> Driven<()> {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log_file())?;
        let mut command = Command::new(built("reference-ca")?);
        // Port 0 takes a free one; later it is the same again, and browsers keep their address.
        command.args(["desk", "--demo-officers", "--listen", &format!("127.0.0.1:{}", self.port), "--data"]).arg(self.data());
        command.arg("--ca").arg(&self.ca);
        if let Some(font) = font() {
            command.arg("--font").arg(font);
        }
        // Where an existing key signs an application, the page needs the page client.
        let client = target().join("extension/page-client");
        if client.join("sealbridge.js").is_file() {
            command.arg("--client").arg(client);
        }
        for portal in &self.portals {
            command.args(["--portal", portal]);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn()?;
        let stdout = child.stdout.take();
        self.child = Some(child);
        let Some(stdout) = stdout else { return failed("the desk has no stdout") };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let told: Value = serde_json::from_str(&line).unwrap_or_default();
        let origin = told["listening"].as_str().unwrap_or_default();
        let Some(port) = origin.rsplit(':').next().and_then(|port| port.parse().ok()) else {
            return Err(DriveError(format!("the desk did not start: {line} {}", self.log().unwrap_or_default())));
        };
        (self.port, self.origin) = (port, origin.to_owned());
        Ok(())
    }

    /// Kills it without a word.
    pub fn crash(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join("desk.log")
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.crash();
    }
}
