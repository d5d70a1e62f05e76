//! Steps of a story: counted, timed, one line of JSON for each on standard output, and a picture of what the browser showed at its
//! end, whatever that was.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;

use crate::bidi::{Driven, failed};
use crate::browser::{Browser, Tab};
use crate::supplier::Supplier;

/// Counts the steps, takes the time and the pictures.
#[derive(Debug)]
pub struct Steps {
    folder: PathBuf,
    number: usize,
}

impl Steps {
    /// Steps whose pictures go into `folder`.
    pub fn into(folder: PathBuf) -> Self {
        Self { folder, number: 0 }
    }

    /// A step without a picture.
    pub fn plain<T>(&mut self, name: &str, work: impl FnOnce() -> Driven<T>) -> Driven<T> {
        let started = Instant::now();
        let done = work();
        self.line(name, done.is_ok(), started, None);
        done
    }

    /// A step of the supplier's, with a picture of the portal's tab.
    pub fn shown<'w, T>(&mut self, name: &str, supplier: &mut Supplier<'w>, work: impl FnOnce(&mut Supplier<'w>) -> Driven<T>) -> Driven<T> {
        let started = Instant::now();
        let done = work(supplier);
        let picture = self.picture(name);
        let tab = supplier.tab.clone();
        let taken = supplier.browser.screenshot(&tab, &picture);
        self.line(name, done.is_ok(), started, taken.is_ok().then_some(picture));
        done
    }

    /// A step in any tab, with a picture of its whole page.
    pub fn whole<T>(&mut self, name: &str, browser: &mut Browser, tab: &Tab, work: impl FnOnce(&mut Browser) -> Driven<T>) -> Driven<T> {
        let started = Instant::now();
        let done = browser.activate(tab).and_then(|()| work(browser));
        let picture = self.picture(name);
        let taken = browser.screenshot_whole(tab, &picture);
        self.line(name, done.is_ok(), started, taken.is_ok().then_some(picture));
        done
    }

    /// A step that began at `started` and went well.
    pub fn report(&mut self, name: &str, browser: &mut Browser, tab: Option<&Tab>, started: Instant) -> Driven<()> {
        let mut picture = None;
        if let Some(tab) = tab {
            let file = self.picture(name);
            browser.screenshot(tab, &file)?;
            picture = Some(file);
        }
        self.line(name, true, started, picture);
        Ok(())
    }

    /// Fills the form or takes `file`, stamps, submits, and reads the verdict.
    pub fn stamp(&mut self, supplier: &mut Supplier<'_>, file: Option<&Path>, stamped: &Path) -> Driven<()> {
        self.shown("tender", supplier, Supplier::open_tender)?;
        let started = Instant::now();
        let stamping = match file {
            None => supplier.fill_and_stamp("1280000.00")?,
            Some(file) => supplier.stamp_own(file)?,
        };
        let code = supplier.wait_prepared(&stamping)?;
        self.report("prepare", &mut supplier.browser, Some(&stamping), started)?;
        let started = Instant::now();
        supplier.press_stamp(&stamping)?;
        self.report("stamp", &mut supplier.browser, Some(&stamping), started)?;
        let log = supplier.world.pinentry_log()?;
        if !log.contains(&code) {
            return failed(format!("the PIN window did not show the page's digest code {code}"));
        }
        let started = Instant::now();
        supplier.return_to_portal(&stamping)?;
        let verdict = supplier.verdict()?;
        let tab = supplier.tab.clone();
        self.report("submit", &mut supplier.browser, Some(&tab), started)?;
        supplier.save_stamped(stamped)?;
        let started = Instant::now();
        if !verdict.accepted {
            return failed(format!("the portal refused: {} {:?}", verdict.summary, verdict.sentences));
        }
        self.report("verdict", &mut supplier.browser, None, started)
    }

    fn picture(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{:02}-{name}.png", self.number + 1))
    }

    fn line(&mut self, name: &str, ok: bool, started: Instant, picture: Option<PathBuf>) {
        self.number += 1;
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        println!("{}", json!({"name": name, "ok": ok, "ms": ms, "screenshot": picture}));
    }
}
