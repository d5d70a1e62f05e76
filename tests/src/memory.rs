//! How much memory the extension's own process takes while something runs: its proportional set size, looked at again and
//! again, and the highest value seen. Linux only; elsewhere there is no figure, and the caller says so. It judges nothing.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::browser::{Browser, Kind};
use crate::processes;

/// Between two looks. One look walks the process's page tables, a few milliseconds.
const PAUSE: Duration = Duration::from_millis(60);

/// Looks at the extension's process until it is told to stop.
#[derive(Debug)]
pub struct Watch {
    over: Arc<AtomicBool>,
    peak: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Starts to look; `None` where this system does not tell.
    pub fn start(browser: &Browser) -> Option<Self> {
        let (kind, root) = (browser.kind, browser.process_id());
        extension_processes(kind, root).first()?;
        let (over, peak) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (ends, highest) = (Arc::clone(&over), Arc::clone(&peak));
        let thread = std::thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                // Looked for anew each time: a browser may give the extension another process.
                let now = extension_processes(kind, root).into_iter().filter_map(proportional).sum();
                highest.fetch_max(now, Ordering::Relaxed);
                std::thread::sleep(PAUSE);
            }
        });
        Some(Self { over, peak, thread: Some(thread) })
    }

    /// Stops; the highest value seen, in bytes.
    pub fn stop(mut self) -> u64 {
        self.end();
        self.peak.load(Ordering::Relaxed)
    }

    fn end(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A look that panicked leaves the peak as it was.
            let _ = thread.join();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end();
    }
}

/// The processes below `root` in which the extension's background, pages and workers run.
fn extension_processes(kind: Kind, root: u32) -> Vec<u32> {
    let mut family = processes::family(root);
    family.retain(|process| {
        let told = |file: &str| fs::read(Path::new("/proc").join(process.to_string()).join(file)).unwrap_or_default();
        match kind {
            Kind::Chromium => String::from_utf8_lossy(&told("cmdline")).contains("--extension-process"),
            Kind::Firefox => told("comm").starts_with(b"WebExtensions"),
        }
    });
    family
}

/// Proportional set size in bytes: shared pages count by the number of processes that share them.
fn proportional(process: u32) -> Option<u64> {
    let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}
