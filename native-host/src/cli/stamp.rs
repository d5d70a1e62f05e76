//! `stamp`: PDFs, from file to file or in place. Prepared by the seal room, signed through the same consent and key use as at
//! the browser's door, verified before a byte is written. Up to fifty documents share one consent; what goes wrong with one of
//! them does not touch the others.

mod arguments;
mod batch;
mod beside;
mod one;
mod outputs;
mod wish;
mod words;

use std::io::Read;

use sealbridge_protocol::failure::{Code, Failure};
use zeroize::Zeroizing;

pub(super) use arguments::Stamp;
pub(super) use one::{Job, opened_to_read, pdf_failure, stamp_failure};
pub(super) use outputs::{To, jobs};
pub(super) use words::mended;

use super::Voice;
use crate::pin::{PIN_MAX, Pin};
use crate::platform;
use crate::stop::Stop;

impl Stamp {
    pub(super) fn run(self, voice: Voice) -> Result<u8, Failure> {
        batch::run(&self, voice)
    }
}

/// The PINs that the caller gives on a file descriptor: one line for each consent, because a PIN is never kept beyond one.
#[derive(Debug)]
struct Pins {
    number: Option<i32>,
    next: Option<Pin>,
}

impl Pins {
    fn new(number: Option<i32>) -> Result<Self, Failure> {
        Ok(Self { number, next: number.map(|number| Pin::new(&read_secret(number)?)).transpose()? })
    }

    /// The PIN of the next consent; nothing where the window asks.
    fn take(&mut self) -> Result<Option<Pin>, Failure> {
        match (self.next.take(), self.number) {
            (None, Some(number)) => {
                let secret = read_secret(number)?;
                if secret.is_empty() {
                    return Err(Failure::new(Code::CommandMalformed).with("detail", "--pin-fd: one line for each consent"));
                }
                Pin::new(&secret).map(Some)
            }
            (pin, _) => Ok(pin),
        }
    }
}

/// A secret on a file descriptor that the caller opened: the first line, or everything up to the end.
pub(super) fn read_secret(number: i32) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed = |error: std::io::Error| Failure::new(Code::ReadFailed).with("name", format!("fd {number}")).with("detail", error);
    let mut file = platform::inherited_file(number).map_err(failed)?;
    let mut secret = Zeroizing::new(Vec::with_capacity(PIN_MAX.saturating_add(1)));
    let mut byte = Zeroizing::new([0_u8; 1]);
    while secret.len() <= PIN_MAX && file.read(&mut *byte).map_err(failed)? == 1 && byte[0] != b'\n' {
        secret.push(byte[0]);
    }
    if secret.last() == Some(&b'\r') {
        secret.pop();
    }
    Ok(secret)
}

/// Ctrl-C wishes the operation to end, so that it ends between two files; pressed again, it ends the program at once.
fn listen(stop: &Stop) {
    for signal in signal_hook::consts::TERM_SIGNALS {
        // Where this cannot be had, the system ends the program: files are whole even then, or mended by the next command.
        let _ = signal_hook::flag::register_conditional_shutdown(*signal, 130, stop.flag());
        let _ = signal_hook::flag::register(*signal, stop.flag());
    }
}
