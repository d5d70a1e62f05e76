//! How each browser is started: its program, its options, an isolated profile. Nothing of the person's own environment that names a
//! folder is passed on.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;

use super::{Browser, Kind, Launch, text};
use crate::bidi::{Bidi, DriveError, Driven};

impl Browser {
    pub(super) fn chromium(launch: &Launch, profile: &Path) -> Driven<Self> {
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

    pub(super) fn firefox(launch: &Launch, profile: &Path) -> Driven<Self> {
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
