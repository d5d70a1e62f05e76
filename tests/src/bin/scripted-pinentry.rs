//! Stands in for the person at the PIN window: speaks the Assuan protocol of pinentry, writes down everything that it was
//! sent, and answers from a list. It shows nothing and refuses to run without its script.
//!
//! The script is a TOML file beside the program, named as the program with `.toml` added:
//!
//! ```toml
//! log = "/absolute/log.txt"          # what was sent, percent escapes decoded; appended to
//! answers = ["123456", "cancel"]     # one for each GETPIN, the last one repeats
//! ```
//!
//! Answers: `cancel` (the person pressed Cancel), `close` (the window was killed: end of file), `hang` (no answer ever),
//! `timeout` (the window's own time ran out), `fail` (no window can be opened), `wait:MS:ANSWER` (ANSWER after MS milliseconds),
//! anything else is the PIN. A CONFIRM is agreed to and uses no answer up, unless the next answer is one of the words above.
//! Which answer is next is kept in `.state` beside the program, because each window is its own process.

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    log: PathBuf,
    answers: Vec<String>,
}

/// gpg-error numbers as pinentry-gtk-2 sends them (source 5 = pinentry, in the upper bits).
const CANCELLED: &str = "ERR 83886179 Operation cancelled <Pinentry>";
const TIMEOUT: &str = "ERR 83886142 Timeout <Pinentry>";
const NO_WINDOW: &str = "ERR 83918950 Inappropriate ioctl for device <Pinentry>";

fn main() -> io::Result<()> {
    let program = std::env::current_exe()?;
    let beside = |ending: &str| PathBuf::from(format!("{}{ending}", program.display()));
    let text = fs::read_to_string(beside(".toml"))?;
    let script: Script = toml::from_str(&text).map_err(io::Error::other)?;
    let mut log = OpenOptions::new().create(true).append(true).open(&script.log)?;
    let state = beside(".state");
    let mut out = io::stdout().lock();
    writeln!(log, "--- window")?;
    say(&mut out, "OK Pleased to meet you")?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        writeln!(log, "{}", decoded(&line))?;
        let command = line.split(' ').next().unwrap_or_default().to_uppercase();
        match command.as_str() {
            "GETPIN" => {
                let next = fs::read_to_string(&state).ok().and_then(|text| text.trim().parse::<usize>().ok()).unwrap_or(0);
                fs::write(&state, next.saturating_add(1).to_string())?;
                if !answer(&mut out, &mut log, chosen(&script, next), true)? {
                    return Ok(());
                }
            }
            "CONFIRM" | "MESSAGE" => {
                let next = fs::read_to_string(&state).ok().and_then(|text| text.trim().parse::<usize>().ok()).unwrap_or(0);
                if !answer(&mut out, &mut log, chosen(&script, next), false)? {
                    return Ok(());
                }
            }
            "BYE" => {
                say(&mut out, "OK closing connection")?;
                return Ok(());
            }
            _ => say(&mut out, "OK")?,
        }
    }
    Ok(())
}

/// The answer number `next`; the last one repeats.
fn chosen(script: &Script, next: usize) -> &str {
    script.answers.get(next).or_else(|| script.answers.last()).map_or("cancel", String::as_str)
}

/// Gives one answer; `false` ends the program.
fn answer(out: &mut impl Write, log: &mut impl Write, answer: &str, pin: bool) -> io::Result<bool> {
    let answer = match answer.strip_prefix("wait:").and_then(|rest| rest.split_once(':')) {
        Some((milliseconds, rest)) if pin => {
            std::thread::sleep(Duration::from_millis(milliseconds.parse().map_err(io::Error::other)?));
            rest
        }
        Some((_, rest)) => rest,
        None => answer,
    };
    match answer {
        "cancel" => {
            writeln!(log, "ANSWER cancel")?;
            say(out, CANCELLED)?;
        }
        "close" => {
            writeln!(log, "ANSWER close")?;
            return Ok(false);
        }
        "hang" => {
            writeln!(log, "ANSWER none")?;
            log.flush()?;
            loop {
                std::thread::sleep(Duration::from_secs(3600));
            }
        }
        "timeout" => {
            writeln!(log, "ANSWER timeout")?;
            say(out, TIMEOUT)?;
        }
        "fail" => {
            writeln!(log, "ANSWER fail")?;
            say(out, NO_WINDOW)?;
        }
        secret if pin => {
            writeln!(log, "ANSWER given")?;
            let escaped = secret.replace('%', "%25").replace('\n', "%0A").replace('\r', "%0D");
            say(out, &format!("D {escaped}"))?;
            say(out, "OK")?;
        }
        _ => {
            writeln!(log, "ANSWER confirmed")?;
            say(out, "OK")?;
        }
    }
    Ok(true)
}

fn say(out: &mut impl Write, line: &str) -> io::Result<()> {
    writeln!(out, "{line}")?;
    out.flush()
}

/// Percent escapes of Assuan undone, so that the log reads as the window would.
fn decoded(line: &str) -> String {
    let mut bytes = Vec::with_capacity(line.len());
    let mut rest = line.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escape = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, escape) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
