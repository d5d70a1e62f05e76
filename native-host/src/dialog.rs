//! The window for consent and PIN: which program shows it, and one way to talk to all of them.
//!
//! The host keeps its own deadline and kills the window: a window that was closed in an unusual way may never answer.
//! End of file, an error about cancelling, or the deadline mean that the person did not agree. A program that cannot open
//! a window at all is passed over for the next one. Nothing is shown here that [`crate::consent`] did not compose.

pub mod assuan;
pub mod find;
#[cfg(target_os = "macos")]
pub mod macos;
pub mod plain;
#[cfg(windows)]
pub mod windows;

use std::path::PathBuf;

use sealbridge_protocol::failure::{Code, Failure};

use crate::consent::Prompt;
use crate::pin::Pin;
use crate::stop::Stop;

/// A program that can show the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// How it is talked to.
    pub kind: Kind,
}

/// How a program is talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The Assuan protocol of GnuPG's pinentry.
    Pinentry,
    /// GNOME's zenity.
    Zenity,
    /// KDE's kdialog.
    Kdialog,
    /// This program itself, which shows the Windows credential window and speaks Assuan.
    Own,
    /// AppleScript on macOS.
    Osascript,
}

/// What a person gave.
#[derive(Debug)]
pub enum Given {
    /// The PIN.
    Pin(Pin),
    /// Agreement; the PIN is entered on the token.
    Agreement,
}

/// Why a window gave nothing.
#[derive(Debug)]
pub enum Refusal {
    /// The person did not agree, in time or at all; or what was typed cannot be a PIN.
    Ended(Failure),
    /// The program could not show a window.
    Broken(String),
}

/// Shows the consent and takes the PIN, or only the agreement.
///
/// # Errors
/// `cancelled`, `timed-out`, `dialog-missing`, `dialog-failed`, `pin-length`, `pin-characters`.
pub fn ask(programs: &[Program], prompt: &Prompt, with_pin: bool, stop: &Stop) -> Result<Given, Failure> {
    let mut broken = Failure::new(Code::DialogMissing);
    for program in programs {
        stop.check()?;
        let asked = match program.kind {
            Kind::Pinentry | Kind::Own => assuan::ask(program, prompt, with_pin, stop),
            Kind::Zenity | Kind::Kdialog | Kind::Osascript => plain::ask(program, prompt, with_pin, stop),
        };
        match asked {
            Ok(given) => return Ok(given),
            Err(Refusal::Ended(failure)) => return Err(failure),
            Err(Refusal::Broken(detail)) => broken = Failure::new(Code::DialogFailed).with("program", program.path.display()).with("detail", detail),
        }
    }
    Err(broken)
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Ended(failure)
    }
}

/// This program as the window itself (`sealbridge pin-window`), where the platform's window is a function and no program.
#[must_use]
pub fn serve_own_window() -> std::process::ExitCode {
    #[cfg(windows)]
    let served = windows::serve();
    #[cfg(not(windows))]
    let served = Err(std::io::Error::from(std::io::ErrorKind::Unsupported));
    served.map_or(std::process::ExitCode::from(2), |()| std::process::ExitCode::SUCCESS)
}
