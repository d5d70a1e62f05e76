//! A display of its own (Xvfb) in which a real PIN window can be typed into by xdotool. It refuses to use the person's display.

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
    /// Starts Xvfb on the first free number from 90 on; `None` where Xvfb or xdotool is not installed.
    pub fn start() -> Driven<Option<Self>> {
        if !Path::new("/usr/bin/Xvfb").exists() || !Path::new("/usr/bin/xdotool").exists() {
            return Ok(None);
        }
        let Some(number) = (90..200).find(|number| !Path::new(&format!("/tmp/.X11-unix/X{number}")).exists()) else {
            return failed("no free display number");
        };
        let name = format!(":{number}");
        let process = Command::new("Xvfb")
            .arg(&name)
            .args(["-screen", "0", "900x700x24", "-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let display = Self { process, name };
        let until = Instant::now() + Duration::from_secs(10);
        while !Path::new(&format!("/tmp/.X11-unix/X{number}")).exists() {
            if Instant::now() >= until {
                return failed("Xvfb did not start");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Some(display))
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

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
