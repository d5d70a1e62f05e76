//! Who started this program. Browsers name the calling extension on the command line; it is checked again here against the
//! compiled-in list, because a manifest is only a file.
//!
//! Chromium: `sealbridge chrome-extension://ID/ [--parent-window=…]`. Firefox: `sealbridge /path/of/manifest.json ADDON-ID`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use sealbridge_protocol::failure::{Code, Failure};
use serde::Deserialize;

/// The name under which browsers know this program.
pub const HOST_NAME: &str = "org.sealbridge.host";

/// The extensions that may call, as built: one file for the extension's build and this program.
const IDS: &str = include_str!("../../extension/ids.json");

/// How this program was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// By a browser.
    ByBrowser(Caller),
    /// By the host itself, for one PKCS#11 module.
    AsWorker {
        /// The module's name.
        name: String,
        /// The module's path.
        path: String,
        /// Where it says that it is at work.
        mark: Option<PathBuf>,
    },
    /// By the host itself, to show the system's own window.
    AsWindow,
    /// By a person.
    AtTerminal,
}

/// What a browser says of the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The family of browsers, which decides which list counts.
    pub family: Family,
    /// The extension's id as the browser gives it.
    pub extension: String,
}

/// Browsers that speak native messaging alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Chromium, Chrome, Edge and the others made of it.
    Chromium,
    /// Firefox and the others made of it.
    Firefox,
}

/// The extensions that may call.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ids {
    /// Ids in Chromium's alphabet a–p.
    pub chromium: Vec<String>,
    /// Firefox's add-on ids.
    pub firefox: Vec<String>,
}

/// Looks at the arguments, the program's own name left out.
#[must_use]
pub fn started(arguments: &[OsString]) -> Started {
    let text = |index: usize| arguments.get(index).and_then(|argument| argument.to_str());
    match (text(0), text(1), text(2)) {
        (Some("token-worker"), Some(name), Some(path)) => {
            Started::AsWorker { name: name.to_owned(), path: path.to_owned(), mark: arguments.get(3).map(PathBuf::from) }
        }
        (Some("pin-window"), None, None) => Started::AsWindow,
        (Some(origin), _, _) if origin.contains("-extension://") => {
            let extension = origin.strip_prefix("chrome-extension://").and_then(|rest| rest.strip_suffix('/')).unwrap_or(origin);
            Started::ByBrowser(Caller { family: Family::Chromium, extension: extension.to_owned() })
        }
        (Some(manifest), Some(extension), None) if Path::new(manifest).is_absolute() && manifest.ends_with(".json") => {
            Started::ByBrowser(Caller { family: Family::Firefox, extension: extension.to_owned() })
        }
        _ => Started::AtTerminal,
    }
}

/// The compiled-in list.
///
/// # Errors
/// `internal`, which a test excludes.
pub fn ids() -> Result<Ids, Failure> {
    serde_json::from_str(IDS).map_err(|error| Failure::new(Code::Internal).with("detail", error))
}

impl Caller {
    /// Whether this extension may call.
    ///
    /// # Errors
    /// `caller-refused`.
    pub fn check(&self) -> Result<(), Failure> {
        let ids = ids()?;
        let list = match self.family {
            Family::Chromium => ids.chromium,
            Family::Firefox => ids.firefox,
        };
        if list.contains(&self.extension) { Ok(()) } else { Err(Failure::new(Code::CallerRefused).with("caller", &self.extension)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(arguments: &[&str]) -> Started {
        started(&arguments.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn only_our_extensions_may_call() {
        let ids = ids().unwrap();
        let chromium = &ids.chromium[0];
        assert_eq!(chromium.len(), 32);
        assert!(chromium.bytes().all(|byte| matches!(byte, b'a'..=b'p')));
        let check = |arguments: &[&str], allowed: bool| {
            let Started::ByBrowser(caller) = look(arguments) else { panic!("{arguments:?}") };
            assert_eq!(caller.check().is_ok(), allowed, "{arguments:?}");
        };
        check(&[&format!("chrome-extension://{chromium}/")], true);
        check(&[&format!("chrome-extension://{chromium}/"), "--parent-window=7"], true);
        check(&[&format!("chrome-extension://{chromium}")], false);
        check(&[&format!("chrome-extension://{chromium}/x")], false);
        check(&["chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/"], false);
        check(&["moz-extension://6f0c2d3e/"], false);
        check(&["/home/a/.mozilla/native-messaging-hosts/org.sealbridge.host.json", &ids.firefox[0]], true);
        check(&["/home/a/.mozilla/native-messaging-hosts/org.sealbridge.host.json", "other@example.org"], false);
        check(&["/home/a/.mozilla/native-messaging-hosts/org.sealbridge.host.json", chromium], false);
    }

    #[test]
    fn people_get_the_terminal() {
        assert_eq!(look(&[]), Started::AtTerminal);
        assert_eq!(look(&["status", "--json"]), Started::AtTerminal);
        assert_eq!(look(&["verify", "a.json"]), Started::AtTerminal);
        assert_eq!(look(&["token-worker", "A", "/lib/a.so"]), Started::AsWorker { name: "A".into(), path: "/lib/a.so".into(), mark: None });
    }
}
