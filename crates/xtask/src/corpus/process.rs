//! Runs one program with a time limit and keeps a bounded part of what it prints. A program that overstays is ended together
//! with its own children. It interprets nothing.

use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

/// Most bytes that are kept of each of a program's outputs; the rest is read and dropped, so that it never blocks.
const KEPT: usize = 8 << 20;

/// How a program ended and what it printed.
#[derive(Debug)]
pub(crate) struct Ran {
    /// `None` where the limit ended it.
    pub status: Option<ExitStatus>,
    /// Standard output.
    pub out: Vec<u8>,
    /// Standard error.
    pub err: Vec<u8>,
    /// Wall time.
    pub ms: u64,
}

impl Ran {
    /// It ended by itself with exit code 0.
    pub(crate) fn success(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    /// Both outputs as text.
    pub(crate) fn said(&self) -> String {
        format!("{}{}", String::from_utf8_lossy(&self.out), String::from_utf8_lossy(&self.err))
    }
}

/// Starts `command`, gives it `input`, waits at most `limit`.
pub(crate) fn run(command: &mut Command, input: &[u8], limit: Duration) -> std::io::Result<Ran> {
    let started = Instant::now();
    command.env("LC_ALL", "C.UTF-8").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    own_group(command);
    let mut child = command.spawn()?;
    let out = child.stdout.take().map(collect);
    let err = child.stderr.take().map(collect);
    if let Some(mut stdin) = child.stdin.take() {
        // Short: it fits into the pipe. A program that does not read it is not an error.
        let _ = stdin.write_all(input);
    }
    let status = wait(&mut child, limit)?;
    let ms = crate::steps::millis(started);
    // A grandchild may still hold the pipes of a program that was ended.
    let patience = Duration::from_secs(if status.is_some() { 30 } else { 1 });
    let kept = |pipe: Option<Receiver<Vec<u8>>>| pipe.and_then(|pipe| pipe.recv_timeout(patience).ok()).unwrap_or_default();
    Ok(Ran { status, out: kept(out), err: kept(err), ms })
}

/// Waits; ends the child and its group at the limit.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    let started = Instant::now();
    let mut pause = Duration::from_micros(500);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if started.elapsed() >= limit {
            end(child);
            return Ok(None);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

/// Ends a child and what it started.
pub(crate) fn end(child: &mut Child) {
    #[cfg(unix)]
    {
        let group = format!("-{}", child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stdin(Stdio::null()).stderr(Stdio::null()).status();
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// A process group of its own, so that its children can be ended with it.
pub(crate) fn own_group(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(not(unix))]
    let _ = command;
}

fn collect(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = sync_channel(1);
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        let mut chunk = vec![0; 64 << 10];
        while let Ok(count) = pipe.read(&mut chunk) {
            if count == 0 {
                break;
            }
            let room = KEPT.saturating_sub(kept.len()).min(count);
            kept.extend_from_slice(chunk.get(..room).unwrap_or_default());
        }
        let _ = sender.send(kept);
    });
    receiver
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::run;

    #[test]
    fn input_output_and_status_are_carried() {
        let ran = run(Command::new("sh").args(["-c", "cat; echo oh >&2; exit 3"]), b"yes\n", Duration::from_secs(10)).unwrap();
        assert_eq!((ran.out.as_slice(), ran.err.as_slice(), ran.status.and_then(|status| status.code())), (&b"yes\n"[..], &b"oh\n"[..], Some(3)));
    }

    #[test]
    fn what_overstays_is_ended_with_its_children() {
        let begun = Instant::now();
        let ran = run(Command::new("sh").args(["-c", "echo begun; sleep 60 & sleep 60; echo late"]), b"", Duration::from_millis(300)).unwrap();
        assert!(ran.status.is_none() && begun.elapsed() < Duration::from_secs(20));
        assert_eq!(ran.out, b"begun\n");
    }
}
