//! Real browsers, started in an isolated profile with the extension loaded and the native host registered:
//! Chromium through chromedriver, Firefox directly, both spoken to by [`crate::bidi`]. It refuses to touch a
//! person's own profile: everything lives under the folder it is given.

mod hand;
mod start;
mod view;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::str::FromStr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bidi::{Bidi, DriveError, Driven, failed};

/// Which browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Chromium, or a Chromium kernel that chromedriver accepts.
    Chromium,
    /// Firefox ESR or newer.
    Firefox,
}

impl Kind {
    /// Both, for tests that run in each.
    pub const ALL: [Self; 2] = [Self::Chromium, Self::Firefox];

    /// The name used in options, folders and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| format!("{text}: not one of chromium, firefox"))
    }
}

/// How a browser is started.
#[derive(Debug, Clone)]
pub struct Launch {
    /// Which browser.
    pub kind: Kind,
    /// Without a window.
    pub headless: bool,
    /// The unpacked extension; `None` starts a browser without it.
    pub extension: Option<PathBuf>,
    /// An isolated HOME: the browser's profile, the host's configuration and its state live in it.
    pub home: PathBuf,
    /// Window size in CSS pixels.
    pub size: (u32, u32),
}

/// A tab of the running browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tab(pub String);

/// A running browser; dropping it ends it.
#[derive(Debug)]
pub struct Browser {
    /// Which browser this is.
    pub kind: Kind,
    bidi: Bidi,
    process: Child,
    /// The id under which the browser installed the extension.
    pub extension: Option<String>,
}

/// Where the profile of `kind` lives in an isolated home; the native host is registered for this folder.
pub fn profile_folder(home: &Path, kind: Kind) -> PathBuf {
    home.join(format!("{}-profile", kind.as_str()))
}

impl Browser {
    /// Starts the browser and loads the extension.
    pub fn launch(launch: &Launch) -> Driven<Self> {
        let profile = profile_folder(&launch.home, launch.kind);
        fs::create_dir_all(&profile)?;
        match launch.kind {
            Kind::Chromium => Self::chromium(launch, &profile),
            Kind::Firefox => Self::firefox(launch, &profile),
        }
    }

    /// Opens `url` in a new tab and waits until it has loaded.
    pub fn open(&mut self, url: &str) -> Driven<Tab> {
        let tab = self.bidi.command("browsingContext.create", json!({"type": "tab"}))?;
        let tab = Tab(text(&tab, "context")?);
        self.go(&tab, url)?;
        Ok(tab)
    }

    /// Sets the language of the extension's pages, as the person would in its popup.
    pub fn set_extension_language(&mut self, language: &str) -> Driven<()> {
        let tab = self.open_extension_page("popup.html")?;
        self.evaluate(&tab, &format!("(globalThis.browser ?? chrome).storage.local.set({{language: {}}}).then(() => true)", json!(language)))?;
        self.close_tab(&tab)
    }

    /// Opens a page of the extension in a new tab; the popup is then a page like any other.
    pub fn open_extension_page(&mut self, page: &str) -> Driven<Tab> {
        let ids: Value = serde_json::from_str(include_str!("../../extension/ids.json")).map_err(|error| DriveError(format!("extension/ids.json: {error}")))?;
        let address = match self.kind {
            Kind::Chromium => format!("chrome-extension://{}/{page}", ids["chromium"][0].as_str().unwrap_or_default()),
            Kind::Firefox => format!("moz-extension://{FIREFOX_UUID}/{page}"),
        };
        self.open(&address)
    }

    /// Sends `tab` to `url` and waits until it has loaded.
    pub fn go(&mut self, tab: &Tab, url: &str) -> Driven<()> {
        self.bidi.command("browsingContext.navigate", json!({"context": tab.0, "url": url, "wait": "complete"})).map(drop)
    }

    /// Every top-level tab with its address.
    pub fn tabs(&mut self) -> Driven<Vec<(Tab, String)>> {
        let tree = self.bidi.command("browsingContext.getTree", json!({"maxDepth": 0}))?;
        let contexts = tree["contexts"].as_array().cloned().unwrap_or_default();
        Ok(contexts
            .iter()
            .map(|context| (Tab(context["context"].as_str().unwrap_or_default().into()), context["url"].as_str().unwrap_or_default().into()))
            .collect())
    }

    /// Waits for a tab whose address contains `part`.
    pub fn wait_tab(&mut self, part: &str, patience: Duration) -> Driven<Tab> {
        let until = Instant::now() + patience;
        loop {
            let tabs = self.tabs()?;
            if let Some((tab, _)) = tabs.iter().find(|(_, url)| url.contains(part)) {
                return Ok(tab.clone());
            }
            if Instant::now() >= until {
                return failed(format!("no tab with {part}; open: {:?}", tabs.iter().map(|(_, url)| url.as_str()).collect::<Vec<_>>()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Evaluates a JavaScript expression (promises are awaited) and returns it as JSON: the expression's value must be
    /// JSON-serialisable. An exception in the page is an error here. To the page it is as if the person had just pressed something.
    pub fn evaluate(&mut self, tab: &Tab, expression: &str) -> Driven<Value> {
        self.run(tab, expression, true)
    }

    /// The same as a page's script by itself, with nobody having pressed anything.
    pub fn script(&mut self, tab: &Tab, expression: &str) -> Driven<Value> {
        self.run(tab, expression, false)
    }

    fn run(&mut self, tab: &Tab, expression: &str, pressed: bool) -> Driven<Value> {
        let wrapped = format!("(async () => JSON.stringify(await ({expression})))()");
        let answer = self
            .bidi
            .command("script.evaluate", json!({"expression": wrapped, "target": {"context": tab.0}, "awaitPromise": true, "userActivation": pressed}))?;
        if answer["type"] == "exception" {
            return failed(format!("the page threw: {} in `{expression}`", answer["exceptionDetails"]["text"].as_str().unwrap_or("?")));
        }
        match answer["result"]["value"].as_str() {
            Some(json) => serde_json::from_str(json).map_err(|error| DriveError(format!("not JSON: {error}"))),
            None => Ok(Value::Null),
        }
    }

    /// Waits until `expression` is truthy and returns its value.
    pub fn wait(&mut self, tab: &Tab, expression: &str, patience: Duration) -> Driven<Value> {
        let until = Instant::now() + patience;
        loop {
            // A page that is just being replaced throws; that is a reason to look again, not to fail.
            let seen = self.evaluate(tab, expression);
            match &seen {
                Ok(value) if truthy(value) => return seen,
                _ if Instant::now() >= until => return failed(format!("never came true in {patience:?}: {expression} (last: {seen:?})")),
                _ => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// Saves a picture of what the tab shows.
    pub fn screenshot(&mut self, tab: &Tab, file: &Path) -> Driven<()> {
        let shot = self.bidi.command("browsingContext.captureScreenshot", json!({"context": tab.0}))?;
        let bytes = base64(&text(&shot, "data")?)?;
        fs::write(file, bytes).map_err(Into::into)
    }

    /// Brings the tab to the front: background tabs do not paint.
    pub fn activate(&mut self, tab: &Tab) -> Driven<()> {
        let mut tries = 0;
        loop {
            // Firefox answers with the tab that is just closing in front of this one; asked again it has settled.
            match self.bidi.command("browsingContext.activate", json!({"context": tab.0})) {
                Err(_) if tries < 5 => tries += 1,
                done => return done.map(drop),
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Closes the tab, as a person would by its cross.
    pub fn close_tab(&mut self, tab: &Tab) -> Driven<()> {
        self.bidi.command("browsingContext.close", json!({"context": tab.0})).map(drop)
    }

    /// Stops the extension's service worker, as Chromium does by itself when nothing happens for half a minute; `tab` is any page.
    /// Firefox has an event page, which no driver can stop.
    pub fn stop_background(&mut self, tab: &Tab) -> Driven<()> {
        let session = self.bidi.command("goog:cdp.getSession", json!({"context": tab.0}))?["session"].clone();
        let mut cdp = |method: &str| self.bidi.command("goog:cdp.sendCommand", json!({"method": method, "params": {}, "session": session}));
        let targets = cdp("Target.getTargets")?;
        if !targets.to_string().contains("service_worker") {
            return failed(format!("no service worker runs: {targets}"));
        }
        cdp("ServiceWorker.enable")?;
        cdp("ServiceWorker.stopAllWorkers")?;
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let targets = cdp("Target.getTargets")?;
            let Some(infos) = targets["result"]["targetInfos"].as_array() else { return failed(format!("no list of targets: {targets}")) };
            if !infos.iter().any(|info| info["type"] == "service_worker") {
                return Ok(());
            }
            if Instant::now() > until {
                return failed(format!("the service worker did not stop: {targets}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The connection itself, for what has no name here.
    pub fn bidi(&mut self) -> &mut Bidi {
        &mut self.bidi
    }

    /// The process id of the browser's (or its driver's) own process.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // `browser.close` lets the browser end its own children; the kill is for one that does not listen any more.
        self.bidi.deadline = Duration::from_secs(3);
        let _ = self.bidi.command(if self.kind == Kind::Chromium { "session.end" } else { "browser.close" }, json!({}));
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The extension's address in Firefox is random per profile; the tests fix it.
const FIREFOX_UUID: &str = "5ea1b41d-6e00-4000-8000-000000000001";

fn text(value: &Value, key: &str) -> Driven<String> {
    value[key].as_str().map(ToOwned::to_owned).ok_or_else(|| DriveError(format!("the browser's answer has no {key}: {value}")))
}

fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(string) => !string.is_empty(),
        _ => true,
    }
}

fn base64(text: &str) -> Driven<Vec<u8>> {
    use base64ct::{Base64, Encoding};
    Base64::decode_vec(text).map_err(|error| DriveError(format!("the picture is no base64: {error}")))
}
