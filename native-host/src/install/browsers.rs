//! Where each browser looks for manifests: one table. `~` is the user's home folder.
//!
//! The 360 and QQ browsers are made of Chromium; where their own place is not documented, Windows builds are served through
//! Chrome's registry key, which builds of Chromium read too. They have not been tried by us.

use std::path::PathBuf;

use super::{Level, Place};
use crate::callers::{Family, HOST_NAME};
use crate::places;

/// A browser and its places.
#[derive(Debug, Clone, Copy)]
pub struct Browser {
    /// The name on the command line.
    pub name: &'static str,
    /// The family.
    pub family: Family,
    linux: [&'static str; 2],
    macos: [&'static str; 2],
    windows: &'static str,
    /// The folder whose existence shows that the user has it, on Linux and macOS.
    traces: [&'static str; 2],
}

/// All browsers. An empty text means: no such place.
pub const BROWSERS: &[Browser] = &[
    chromium(
        "chromium",
        ["~/.config/chromium", "/etc/chromium/native-messaging-hosts"],
        ["Chromium", "/Library/Application Support/Chromium/NativeMessagingHosts"],
        r"Software\Chromium\NativeMessagingHosts",
    ),
    chromium(
        "chrome",
        ["~/.config/google-chrome", "/etc/opt/chrome/native-messaging-hosts"],
        ["Google/Chrome", "/Library/Google/Chrome/NativeMessagingHosts"],
        r"Software\Google\Chrome\NativeMessagingHosts",
    ),
    chromium(
        "edge",
        ["~/.config/microsoft-edge", "/etc/opt/edge/native-messaging-hosts"],
        ["Microsoft Edge", "/Library/Microsoft/Edge/NativeMessagingHosts"],
        r"Software\Microsoft\Edge\NativeMessagingHosts",
    ),
    chromium(
        "brave",
        ["~/.config/BraveSoftware/Brave-Browser", "/etc/brave/native-messaging-hosts"],
        ["BraveSoftware/Brave-Browser", ""],
        r"Software\BraveSoftware\Brave-Browser\NativeMessagingHosts",
    ),
    chromium("vivaldi", ["~/.config/vivaldi", ""], ["Vivaldi", ""], r"Software\Vivaldi\NativeMessagingHosts"),
    chromium("opera", ["~/.config/opera", ""], ["com.operasoftware.Opera", ""], r"Software\Opera Software\NativeMessagingHosts"),
    chromium("360", ["~/.config/browser360-cn", ""], ["", ""], ""),
    chromium("qq", ["~/.config/qqbrowser", ""], ["", ""], ""),
    Browser {
        name: "firefox",
        family: Family::Firefox,
        linux: ["~/.mozilla/native-messaging-hosts", "/usr/lib/mozilla/native-messaging-hosts"],
        macos: ["~/Library/Application Support/Mozilla/NativeMessagingHosts", "/Library/Application Support/Mozilla/NativeMessagingHosts"],
        windows: r"Software\Mozilla\NativeMessagingHosts",
        traces: ["~/.mozilla", "~/Library/Application Support/Firefox"],
    },
    Browser {
        name: "librewolf",
        family: Family::Firefox,
        linux: ["~/.librewolf/native-messaging-hosts", "/usr/lib/librewolf/native-messaging-hosts"],
        macos: ["~/Library/Application Support/LibreWolf/NativeMessagingHosts", ""],
        windows: r"Software\LibreWolf\NativeMessagingHosts",
        traces: ["~/.librewolf", "~/Library/Application Support/LibreWolf"],
    },
];

/// Browsers made of Chromium keep their manifests below their profile's folder.
const fn chromium(name: &'static str, linux: [&'static str; 2], macos: [&'static str; 2], windows: &'static str) -> Browser {
    Browser { name, family: Family::Chromium, linux, macos, windows, traces: [linux[0], macos[0]] }
}

impl Browser {
    /// Whether this user seems to have the browser. On Windows registering is harmless for absent ones.
    #[must_use]
    pub fn is_present(&self) -> bool {
        if cfg!(windows) {
            return !self.windows.is_empty();
        }
        self.trace().is_some_and(|folder| folder.is_dir())
    }

    /// Where it looks at this level, if anywhere.
    #[must_use]
    pub fn place(&self, level: Level) -> Option<Place> {
        let file = format!("{HOST_NAME}.json");
        if cfg!(windows) {
            let base = places::variable(match level {
                Level::User => "LOCALAPPDATA",
                Level::System => "ProgramData",
            })?;
            let manifest = base.join("Sealbridge").join(format!("{HOST_NAME}.{}.json", self.name));
            let key = (!self.windows.is_empty()).then(|| format!(r"{}\{HOST_NAME}", self.windows))?;
            return Some(Place { browser: self.name, family: self.family, manifest, key: Some(key), level });
        }
        let mac = cfg!(target_os = "macos");
        let [user, system] = if mac { self.macos } else { self.linux };
        let folder = match (level, self.family) {
            (Level::User, Family::Chromium) => self.trace()?.join("NativeMessagingHosts"),
            (Level::User, Family::Firefox) => expand(user)?,
            (Level::System, _) => expand(system)?,
        };
        Some(Place { browser: self.name, family: self.family, manifest: folder.join(file), key: None, level })
    }

    fn trace(&self) -> Option<PathBuf> {
        let [linux, mac] = self.traces;
        match (cfg!(target_os = "macos"), self.family) {
            (false, _) => expand(linux),
            (true, Family::Chromium) if !mac.is_empty() => places::home().map(|home| home.join("Library/Application Support").join(mac)),
            (true, Family::Chromium) => None,
            (true, Family::Firefox) => expand(mac),
        }
    }
}

fn expand(path: &str) -> Option<PathBuf> {
    match path.strip_prefix("~/") {
        Some(rest) => places::home().map(|home| home.join(rest)),
        None if path.is_empty() => None,
        None => Some(PathBuf::from(path)),
    }
}
