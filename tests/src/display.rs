//! A display of its own (Xvfb) in which a real PIN window can be typed into by xdotool, and closed as a window manager closes
//! it. It refuses to use the person's display.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::bidi::{DriveError, Driven, failed};

/// A running Xvfb; dropping it ends it.
#[derive(Debug)]
pub struct Display {
    process: Child,
    /// Such as `:77`.
    pub name: String,
}

impl Display {
    /// Starts Xvfb on a number that it finds free itself, so that two cases at once can not take the same one; `None` where
    /// Xvfb or xdotool is not installed.
    pub fn start() -> Driven<Option<Self>> {
        if !Path::new("/usr/bin/Xvfb").exists() || !Path::new("/usr/bin/xdotool").exists() {
            return Ok(None);
        }
        let mut process = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "900x700x24", "-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut number = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut number)?;
        }
        // From here on dropping it ends the process.
        let display = Self { process, name: format!(":{}", number.trim()) };
        if number.trim().parse::<u32>().is_ok() { Ok(Some(display)) } else { failed("Xvfb did not start") }
    }

    /// Waits until a window is visible.
    pub fn wait_window(&self, patience: Duration) -> Driven<()> {
        let until = Instant::now() + patience;
        loop {
            let found = self.xdotool(&["search", "--onlyvisible", "--name", "."]);
            if found.is_ok_and(|found| !found.trim().is_empty()) {
                // Toolkits map the window before its entry takes keys.
                std::thread::sleep(Duration::from_millis(800));
                return Ok(());
            }
            if Instant::now() >= until {
                return failed("no window came up");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Types `text` and then presses Return.
    pub fn type_and_return(&self, text: &str) -> Driven<()> {
        self.xdotool(&["type", "--delay", "30", text])?;
        self.xdotool(&["key", "Return"]).map(drop)
    }

    /// Presses one key, such as `Escape`.
    pub fn press(&self, key: &str) -> Driven<()> {
        self.xdotool(&["key", key]).map(drop)
    }

    /// Closes the visible window as the cross in its frame does: by asking it to go (ICCCM 4.2.8.1, `WM_DELETE_WINDOW`). No
    /// window manager runs here, and xdotool has no word for this, so the three requests are written to the display directly.
    pub fn close_window(&self) -> Driven<()> {
        let found = self.xdotool(&["search", "--onlyvisible", "--name", "."])?;
        let Some(window) = found.lines().find_map(|line| line.trim().parse::<u32>().ok()) else { return failed("no window to close") };
        let mut stream = UnixStream::connect(format!("/tmp/.X11-unix/X{}", self.name.trim_start_matches(':')))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        // Little-endian, version 11.0, no authorisation: the server trusts its own user.
        stream.write_all(&[b'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
        let mut head = [0; 8];
        stream.read_exact(&mut head)?;
        if head[0] != 1 {
            return failed("the display refuses a second client");
        }
        let mut rest = vec![0; usize::from(u16::from_le_bytes([head[6], head[7]])) * 4];
        stream.read_exact(&mut rest)?;
        let protocols = intern(&mut stream, "WM_PROTOCOLS")?;
        let delete = intern(&mut stream, "WM_DELETE_WINDOW")?;
        // SendEvent (25) to the window's own client: ClientMessage (33), format 32.
        let mut request = vec![25, 0, 11, 0];
        for word in [window, 0, u32::from_le_bytes([33, 32, 0, 0]), window, protocols, delete, 0, 0, 0, 0] {
            request.extend(word.to_le_bytes());
        }
        stream.write_all(&request)?;
        // Its answer says that the event is under way.
        intern(&mut stream, "WM_PROTOCOLS").map(drop)
    }

    /// Waits until no window is visible.
    pub fn wait_no_window(&self, patience: Duration) -> Driven<()> {
        let until = Instant::now() + patience;
        while self.xdotool(&["search", "--onlyvisible", "--name", "."]).is_ok_and(|found| !found.trim().is_empty()) {
            if Instant::now() >= until {
                return failed("the window did not close");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// A picture of the whole display, where ImageMagick is installed.
    pub fn screenshot(&self, file: &Path) -> Driven<()> {
        let status = Command::new("import").args(["-window", "root"]).arg(file).env("DISPLAY", &self.name).status()?;
        if status.success() { Ok(()) } else { failed("import could not take the picture") }
    }

    fn xdotool(&self, arguments: &[&str]) -> Driven<String> {
        let output = Command::new("xdotool")
            .args(arguments)
            .env("DISPLAY", &self.name)
            .output()
            .map_err(|error| DriveError(format!("xdotool did not start: {error}")))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            failed(format!("xdotool {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)))
        }
    }
}

/// The number of a name (InternAtom, 16).
fn intern(stream: &mut UnixStream, name: &str) -> Driven<u32> {
    let words = name.len().div_ceil(4);
    let mut request = vec![16, 0, u8::try_from(2 + words).unwrap_or(u8::MAX), 0, u8::try_from(name.len()).unwrap_or(u8::MAX), 0, 0, 0];
    request.extend(name.bytes());
    request.resize(8 + words * 4, 0);
    stream.write_all(&request)?;
    let mut answer = [0; 32];
    // 0 is an error, 1 an answer; anything else is an event that nobody asked for.
    while {
        stream.read_exact(&mut answer)?;
        answer[0] > 1
    } {}
    if answer[0] == 1 {
        Ok(u32::from_le_bytes([answer[8], answer[9], answer[10], answer[11]]))
    } else {
        failed(format!("the display does not number {name}: {answer:?}"))
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
