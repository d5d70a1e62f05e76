//! A client of pinentry: the Assuan protocol over two pipes. Our own, because the deadline and the kill are ours, the PIN must
//! stay in memory that is wiped, and every line that is sent must be known to the tests.
//!
//! Source: "The Assuan protocol" and "Using pinentry" in GnuPG's manuals; error numbers from libgpg-error.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use sealbridge_protocol::failure::{Code, Failure};
use zeroize::Zeroizing;

use super::{Given, Kind, Program, Refusal};
use crate::consent::Prompt;
use crate::pin::{PIN_MAX, Pin};
use crate::platform;
use crate::stop::{Stop, Waited};

/// Longest line, without its end (Assuan: 1000 bytes).
const LINE_MAX: usize = 1000;
/// How long a program may take to say that it is there.
const GREETING: Duration = Duration::from_secs(10);

/// What the answer to a command was.
enum Reply {
    Ok(Option<Zeroizing<Vec<u8>>>),
    Error { number: u32, text: String },
    End,
}

type Line = Zeroizing<Vec<u8>>;

struct Window {
    child: Child,
    to_window: Option<ChildStdin>,
    lines: Receiver<Line>,
}

/// Shows all pages and takes the PIN, or only the agreement.
///
/// # Errors
/// [`Refusal`].
pub fn ask(program: &Program, prompt: &Prompt, with_pin: bool, stop: &Stop) -> Result<Given, Refusal> {
    let mut window = Window::open(program, stop)?;
    window.option("no-grab", stop)?;
    window.option("lc-ctype=C.UTF-8", stop)?;
    window.option("allow-external-password-cache=0", stop)?;
    window.command("SETTITLE", &prompt.title, stop)?;
    let seconds = stop.remaining().as_secs().max(1);
    window.command("SETTIMEOUT", &seconds.to_string(), stop)?;
    let (last, pages) = prompt.pages.split_last().ok_or_else(|| Refusal::Broken("no text".into()))?;
    for page in pages {
        window.page(page, prompt.next, prompt.cancel, stop)?;
        window.answer("CONFIRM", stop)?;
    }
    window.page(last, prompt.agree, prompt.cancel, stop)?;
    if let Some(warning) = &prompt.warning {
        window.command("SETERROR", warning, stop)?;
    }
    if with_pin {
        window.command("SETPROMPT", prompt.label, stop)?;
        let typed = window.answer("GETPIN", stop)?.unwrap_or_default();
        window.close();
        Ok(Given::Pin(Pin::new(&typed)?))
    } else {
        window.answer("CONFIRM", stop)?;
        window.close();
        Ok(Given::Agreement)
    }
}

impl Window {
    fn open(program: &Program, stop: &Stop) -> Result<Self, Refusal> {
        let broken = |error: std::io::Error| Refusal::Broken(error.to_string());
        let mut command = super::plain::command(program);
        if program.kind == Kind::Own {
            command.arg("pin-window");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        platform::tie(&mut command);
        let mut child = command.spawn().map_err(broken)?;
        let (to_window, from_window) = (child.stdin.take(), child.stdout.take());
        let (sender, lines) = mpsc::channel();
        if let Some(mut from_window) = from_window {
            std::thread::spawn(move || read_lines(&mut from_window, &sender));
        }
        let window = Self { child, to_window, lines };
        match window.reply(stop, GREETING)? {
            Reply::Ok(_) => Ok(window),
            Reply::Error { number, text } => Err(Refusal::Broken(format!("ERR {number} {text}"))),
            Reply::End => Err(Refusal::Broken("it ended at once".into())),
        }
    }

    /// Says something that the program may not know; it does not matter then.
    fn option(&mut self, option: &str, stop: &Stop) -> Result<(), Refusal> {
        self.send("OPTION", option)?;
        self.reply(stop, GREETING).map(drop)
    }

    fn command(&mut self, name: &str, text: &str, stop: &Stop) -> Result<(), Refusal> {
        self.send(name, text)?;
        match self.reply(stop, GREETING)? {
            // SETTIMEOUT is missing in some: our own deadline holds anyway.
            Reply::Ok(_) => Ok(()),
            Reply::Error { .. } if name == "SETTIMEOUT" => Ok(()),
            Reply::Error { number, text } => Err(Refusal::Broken(format!("{name}: ERR {number} {text}"))),
            Reply::End => Err(Refusal::Broken(format!("it ended at {name}"))),
        }
    }

    fn page(&mut self, text: &str, agree: &str, cancel: &str, stop: &Stop) -> Result<(), Refusal> {
        self.command("SETDESC", text, stop)?;
        self.command("SETOK", agree, stop)?;
        self.command("SETCANCEL", cancel, stop)
    }

    /// Opens the window and waits for the person. From here on the end of the program means that the window was closed.
    fn answer(&mut self, command: &str, stop: &Stop) -> Result<Option<Zeroizing<Vec<u8>>>, Refusal> {
        self.send(command, "")?;
        match self.reply(stop, Duration::MAX)? {
            Reply::Ok(data) => Ok(data),
            Reply::End => Err(Failure::new(Code::Cancelled).into()),
            Reply::Error { number, text } => match number & 0xffff {
                // GPG_ERR_CANCELED, GPG_ERR_NOT_CONFIRMED, GPG_ERR_FULLY_CANCELED
                99 | 114 | 198 => Err(Failure::new(Code::Cancelled).into()),
                // GPG_ERR_TIMEOUT
                62 => Err(Failure::new(Code::TimedOut).into()),
                _ => Err(Refusal::Broken(format!("ERR {number} {text}"))),
            },
        }
    }

    fn send(&mut self, name: &str, text: &str) -> Result<(), Refusal> {
        let mut line = String::from(name);
        if !text.is_empty() {
            line.push(' ');
            line.push_str(&escaped(text));
        }
        if line.len() > LINE_MAX {
            return Err(Refusal::Broken(format!("{name} is too long")));
        }
        line.push('\n');
        let written = self.to_window.as_mut().map(|pipe| pipe.write_all(line.as_bytes()).and_then(|()| pipe.flush()));
        match written {
            Some(Ok(())) => Ok(()),
            // Why it is gone shows in what it said last.
            _ => Ok(()),
        }
    }

    fn reply(&self, stop: &Stop, limit: Duration) -> Result<Reply, Refusal> {
        let mut data: Option<Zeroizing<Vec<u8>>> = None;
        loop {
            let line = match stop.wait(&self.lines, limit)? {
                Waited::Got(line) => line,
                Waited::Gone => return Ok(Reply::End),
                Waited::Late => return Err(Refusal::Broken("it does not answer".into())),
            };
            if line.as_slice() == b"OK" || line.starts_with(b"OK ") {
                return Ok(Reply::Ok(data));
            }
            if let Some(rest) = line.strip_prefix(b"ERR ") {
                let rest = String::from_utf8_lossy(rest);
                let (number, text) = rest.split_once(' ').unwrap_or((&rest, ""));
                return Ok(Reply::Error { number: number.parse().unwrap_or(0), text: text.to_owned() });
            }
            if let Some(rest) = line.strip_prefix(b"D ") {
                // Room for the longest PIN at once, so that growing leaves no copy behind.
                let data = data.get_or_insert_with(|| Zeroizing::new(Vec::with_capacity(LINE_MAX)));
                if data.len().saturating_add(rest.len()) <= LINE_MAX {
                    unescape(rest, data);
                }
            }
            // S (status), # (comment), INQUIRE (never asked by pinentry for these commands): nothing to do.
        }
    }

    fn close(mut self) {
        let _ = self.send("BYE", "");
        self.to_window = None;
    }
}

impl Drop for Window {
    /// A window is never left behind: it would ask for a PIN that nobody waits for.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Splits what the program says into lines without ever letting a copy out of wiped memory.
fn read_lines(from_window: &mut impl Read, sender: &mpsc::Sender<Line>) {
    let mut byte = Zeroizing::new([0_u8; 1]);
    let mut line = Zeroizing::new(Vec::with_capacity(LINE_MAX));
    while let Ok(1) = from_window.read(&mut *byte) {
        match byte[0] {
            b'\n' => {
                let whole = std::mem::replace(&mut line, Zeroizing::new(Vec::with_capacity(LINE_MAX)));
                if sender.send(whole).is_err() {
                    return;
                }
            }
            b'\r' => {}
            other if line.len() < LINE_MAX => line.push(other),
            _ => {}
        }
    }
}

/// Percent escapes for what would end a line (Assuan: %, CR, LF).
pub(super) fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn unescape(bytes: &[u8], into: &mut Vec<u8>) {
    unescape_text(bytes, into);
    into.truncate(PIN_MAX.saturating_add(1));
}

/// Undoes percent escapes.
pub(super) fn unescape_text(bytes: &[u8], into: &mut Vec<u8>) {
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        let escape = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, escape) {
            (b'%', Some(byte)) => {
                into.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                into.push(first);
                rest = tail;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_go_both_ways() {
        let check = |text: &str| {
            let mut back = Vec::new();
            unescape(escaped(text).as_bytes(), &mut back);
            assert_eq!(back, text.as_bytes());
            assert!(!escaped(text).contains('\n'));
        };
        check("一行\n两行\r\n100%");
        check("%0A");
        check("");
    }
}
