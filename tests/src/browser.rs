//! Real browsers, started in an isolated profile with the extension loaded and the native host registered:
//! Chromium through chromedriver, Firefox directly, both spoken to by [`crate::bidi`]. It refuses to touch a
//! person's own profile: everything lives under the folder it is given.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
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

    /// Clicks the middle of the first element that matches `selector`, with a real pointer event. Waits until the element
    /// has stopped moving and nothing lies over it, and presses again where the page moved under the pointer all the same.
    pub fn click(&mut self, tab: &Tab, selector: &str) -> Driven<()> {
        for _ in 0..4 {
            let (x, y) = self.still(tab, selector)?;
            self.evaluate(
                tab,
                &format!(
                    "(() => {{ const e = document.querySelector({0}); window.__pressed = 'no'; addEventListener('click', event => {{ window.__pressed = e === event.target || e.contains(event.target) ? 'yes' : 'beside'; }}, {{capture: true, once: true}}); return true; }})()",
                    json!(selector)
                ),
            )?;
            self.bidi.command(
                "input.performActions",
                json!({"context": tab.0, "actions": [{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [
                    {"type": "pointerMove", "x": x, "y": y}, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}
                ]}]}),
            )?;
            // A page that is gone, or a new one in its place, was left by the press.
            match self.evaluate(tab, "window.__pressed ?? 'left'") {
                Ok(seen) if seen == "no" || seen == "beside" => std::thread::sleep(Duration::from_millis(100)),
                _ => return Ok(()),
            }
        }
        // A disabled control swallows presses; what the case waits for next says so better than we could.
        Ok(())
    }

    /// Drags from the middle of `selector` by (`dx`, `dy`) CSS pixels with a real pointer.
    pub fn drag(&mut self, tab: &Tab, selector: &str, dx: i64, dy: i64) -> Driven<()> {
        let (x, y) = self.middle(tab, selector)?;
        self.bidi.command("input.performActions", json!({"context": tab.0, "actions": [{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [
            {"type": "pointerMove", "x": x, "y": y}, {"type": "pointerDown", "button": 0},
            {"type": "pointerMove", "x": x + dx / 2, "y": y + dy / 2, "duration": 50}, {"type": "pointerMove", "x": x + dx, "y": y + dy, "duration": 50},
            {"type": "pointerUp", "button": 0}
        ]}]})).map(drop)
    }

    /// Puts `value` into the input that matches `selector`, as typing would: with input and change events.
    pub fn fill(&mut self, tab: &Tab, selector: &str, value: &str) -> Driven<()> {
        let script = format!(
            "(() => {{ const e = document.querySelector({0}); if (!e) throw new Error('no ' + {0}); e.focus(); e.value = {1}; e.dispatchEvent(new Event('input', {{bubbles: true}})); e.dispatchEvent(new Event('change', {{bubbles: true}})); return true; }})()",
            json!(selector),
            json!(value)
        );
        self.evaluate(tab, &script).map(drop)
    }

    /// Types keys into whatever has the focus, with real key events.
    pub fn type_keys(&mut self, tab: &Tab, keys: &str) -> Driven<()> {
        let actions: Vec<Value> =
            keys.chars().flat_map(|key| [json!({"type": "keyDown", "value": key.to_string()}), json!({"type": "keyUp", "value": key.to_string()})]).collect();
        self.bidi.command("input.performActions", json!({"context": tab.0, "actions": [{"type": "key", "id": "keyboard", "actions": actions}]})).map(drop)
    }

    /// Chooses `files` in the `<input type=file>` that matches `selector`.
    pub fn choose_files(&mut self, tab: &Tab, selector: &str, files: &[&Path]) -> Driven<()> {
        let found =
            self.bidi.command("browsingContext.locateNodes", json!({"context": tab.0, "locator": {"type": "css", "value": selector}, "maxNodeCount": 1}))?;
        let node = text(&found["nodes"][0], "sharedId")?;
        let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        self.bidi.command("input.setFiles", json!({"context": tab.0, "element": {"sharedId": node}, "files": files})).map(drop)
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

    /// The connection itself, for what has no name here.
    pub fn bidi(&mut self) -> &mut Bidi {
        &mut self.bidi
    }

    /// The process id of the browser's (or its driver's) own process.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    fn middle(&mut self, tab: &Tab, selector: &str) -> Driven<(i64, i64)> {
        let script = format!(
            "(() => {{ const e = document.querySelector({0}); if (!e) throw new Error('no ' + {0}); e.scrollIntoView({{block: 'center', inline: 'center', behavior: 'instant'}}); const r = e.getBoundingClientRect(); return [Math.round(r.x + r.width / 2), Math.round(r.y + r.height / 2)]; }})()",
            json!(selector)
        );
        let point = self.evaluate(tab, &script)?;
        match (point[0].as_i64(), point[1].as_i64()) {
            (Some(x), Some(y)) => Ok((x, y)),
            _ => failed(format!("{selector} has no place on the page")),
        }
    }

    /// The middle of an element that has kept its place for a while and lies on top.
    fn still(&mut self, tab: &Tab, selector: &str) -> Driven<(i64, i64)> {
        let mut last = None;
        for _ in 0..40 {
            let now = self.middle(tab, selector)?;
            let on_top = self.evaluate(
                tab,
                &format!(
                    "(() => {{ const e = document.querySelector({0}); const top = document.elementFromPoint({1}, {2}); return document.readyState === 'complete' && !!e && !!top && (e === top || e.contains(top) || top.contains(e)); }})()",
                    json!(selector),
                    now.0,
                    now.1
                ),
            )?;
            if last == Some(now) && on_top == json!(true) {
                return Ok(now);
            }
            last = Some(now);
            std::thread::sleep(Duration::from_millis(50));
        }
        self.middle(tab, selector)
    }

    fn chromium(launch: &Launch, profile: &Path) -> Driven<Self> {
        let port = free_port()?;
        let mut command =
            Command::new(find(&["/usr/bin/chromedriver", "/usr/lib/chromium/chromedriver", "/usr/lib/chromium-browser/chromedriver"], "chromedriver")?);
        command.arg(format!("--port={port}"));
        let process = start(command, launch)?;
        let mut arguments = vec![
            format!("--user-data-dir={}", profile.display()),
            format!("--window-size={},{}", launch.size.0, launch.size.1),
            "--no-first-run".into(),
            "--disable-background-networking".into(),
            "--disable-component-update".into(),
            "--disable-sync".into(),
            "--disable-quic".into(),
            "--lang=zh-CN".into(),
            // Without this a background tab's timers and painting stop, and the portal's page lies behind the stamping page.
            "--disable-backgrounding-occluded-windows".into(),
        ];
        if launch.headless {
            arguments.extend(["--headless=new".into(), "--disable-gpu".into()]);
        }
        if is_root() {
            // Chromium refuses its sandbox to root; on a person's own account the sandbox stays.
            arguments.push("--no-sandbox".into());
        }
        if let Some(extension) = &launch.extension {
            arguments.push(format!("--load-extension={}", extension.display()));
            arguments.push("--disable-features=DisableLoadExtensionCommandLineSwitch".into());
        }
        let binary = find(&["/usr/lib/chromium/chromium", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"], "chromium")?;
        let mut browser =
            Self { kind: Kind::Chromium, bidi: Bidi::connect(&format!("ws://127.0.0.1:{port}/session"), Duration::from_secs(20))?, process, extension: None };
        browser.bidi.deadline = Duration::from_secs(60);
        browser.bidi.command(
            "session.new",
            json!({"capabilities": {"alwaysMatch": {
                "acceptInsecureCerts": true,
                "unhandledPromptBehavior": {"default": "ignore"},
                "goog:chromeOptions": {"binary": binary, "args": arguments, "excludeSwitches": ["disable-extensions", "enable-automation"]}
            }}}),
        )?;
        browser.bidi.deadline = Duration::from_secs(30);
        Ok(browser)
    }

    fn firefox(launch: &Launch, profile: &Path) -> Driven<Self> {
        let port = free_port()?;
        fs::write(profile.join("user.js"), FIREFOX_PREFERENCES)?;
        let mut command = Command::new(find(&["/usr/bin/firefox-esr", "/usr/bin/firefox"], "firefox")?);
        command.args(["--no-remote", "--remote-allow-system-access", "--profile"]).arg(profile);
        command.arg("--remote-debugging-port").arg(port.to_string());
        command.args(["--width", &launch.size.0.to_string(), "--height", &launch.size.1.to_string()]);
        if launch.headless {
            command.arg("--headless");
        }
        let process = start(command, launch)?;
        let mut browser =
            Self { kind: Kind::Firefox, bidi: Bidi::connect(&format!("ws://127.0.0.1:{port}/session"), Duration::from_secs(40))?, process, extension: None };
        browser.bidi.deadline = Duration::from_secs(60);
        browser.bidi.command(
            "session.new",
            json!({"capabilities": {"alwaysMatch": {"acceptInsecureCerts": true, "unhandledPromptBehavior": {"default": "ignore"}}}}),
        )?;
        browser.bidi.deadline = Duration::from_secs(30);
        if let Some(extension) = &launch.extension {
            let installed =
                browser.bidi.command("webExtension.install", json!({"extensionData": {"type": "path", "path": extension.display().to_string()}}))?;
            browser.extension = Some(text(&installed, "extension")?);
        }
        Ok(browser)
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

/// Chinese interface; no first-run pages, updates or background requests; the browser's question about a permission is answered yes.
const FIREFOX_PREFERENCES: &str = r#"
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.startup.page", 0);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.update.enabled", false);
user_pref("extensions.update.enabled", false);
user_pref("intl.accept_languages", "zh-CN, zh, en");
user_pref("intl.locale.requested", "zh-CN");
user_pref("extensions.webextensions.uuids", "{\"sealbridge@sealbridge.org\":\"5ea1b41d-6e00-4000-8000-000000000001\"}");
user_pref("extensions.webextOptionalPermissionPrompts", false);
user_pref("remote.active-protocols", 1);
user_pref("browser.tabs.remote.separatePrivilegedContentProcess", false);
"#;

fn start(mut command: Command, launch: &Launch) -> Driven<Child> {
    let log = fs::File::create(launch.home.join(format!("{}.log", launch.kind.as_str())))?;
    command
        .env("HOME", &launch.home)
        .env("LANG", "zh_CN.UTF-8")
        .env("LANGUAGE", "zh_CN")
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("XDG_STATE_HOME")
        .env_remove("XDG_DATA_HOME");
    command.env("XDG_RUNTIME_DIR", &launch.home).env("TMPDIR", std::env::temp_dir());
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let program = command.get_program().to_string_lossy().into_owned();
    command.spawn().map_err(|error| DriveError(format!("{program} did not start: {error}")))
}

fn find(places: &[&str], name: &str) -> Driven<String> {
    places
        .iter()
        .find(|place| Path::new(place).exists())
        .map(|place| (*place).to_owned())
        .ok_or_else(|| DriveError(format!("{name} is not installed (looked at {places:?})")))
}

fn free_port() -> Driven<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|metadata| {
        use std::os::unix::fs::MetadataExt;
        metadata.uid() == 0
    })
}

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
