//! The browser's side of the examination: is the extension in the profile, and is this program registered where that browser
//! looks. Reads the browsers' own files and changes none of them.

use std::fs;
use std::path::{Path, PathBuf};

use sealbridge_protocol::environment::Link;
use sealbridge_protocol::failure::{Code, Failure};
use serde_json::Value;

use super::{Examined, Finding};
use crate::callers::{self, Family};
use crate::install::{self, Level, Place};
use crate::places;

/// Largest file of a browser that is read.
const FILE_MAX: u64 = 64 << 20;

pub(super) fn examine(examined: &Examined) -> Vec<Finding> {
    match &examined.profile {
        Some(profile) => given(profile, examined.firefox_home.as_deref()),
        None => usual(),
    }
}

/// A profile that was named.
fn given(profile: &Path, firefox_home: Option<&Path>) -> Vec<Finding> {
    let family = family(profile);
    let extension = row(profile, family, extension(profile, family));
    let mut candidates = match family {
        Family::Chromium => vec![install::chromium_profile(profile)],
        Family::Firefox => firefox_home.map(PathBuf::from).or_else(places::home).map(|home| install::firefox_home(&home)).into_iter().collect(),
    };
    let usual = install::BROWSERS.iter().filter(|browser| browser.family == family);
    // With a folder of its own (--user-data-dir) Chromium does not look at the user's usual place.
    candidates.extend(usual.filter_map(|browser| browser.place(Level::System)));
    vec![extension, registration(&candidates)]
}

/// The profiles and registrations of the browsers that this user seems to have.
fn usual() -> Vec<Finding> {
    let mut rows = Vec::new();
    let profiles = profiles();
    if profiles.is_empty() {
        rows.push(Finding::unknown(Link::Extension));
    }
    // One browser with the extension is enough.
    let looked: Vec<(PathBuf, Result<(), Failure>)> = profiles.into_iter().map(|(folder, family)| (folder.clone(), extension(&folder, family))).collect();
    match looked.iter().find(|(_, found)| found.is_ok()) {
        Some((folder, _)) => rows.push(Finding::good(Link::Extension, folder.display())),
        None => rows.extend(looked.into_iter().map(|(folder, found)| row_of(&folder, found))),
    }
    let present: Vec<_> = install::BROWSERS.iter().filter(|browser| browser.is_present()).collect();
    if present.is_empty() {
        rows.push(Finding::unknown(Link::Registration));
    }
    for browser in present {
        let candidates: Vec<Place> = [Level::User, Level::System].into_iter().filter_map(|level| browser.place(level)).collect();
        rows.push(registration(&candidates));
    }
    rows
}

/// The first place that holds a manifest decides, as in the browser.
fn registration(candidates: &[Place]) -> Finding {
    let mut first = None;
    for place in candidates {
        match install::check(place) {
            Ok(manifest) => return Finding::good(Link::Registration, format!("{}: {} → {}", place.browser, place.manifest.display(), manifest.path.display())),
            Err(failure) if failure.code == Code::ManifestMissing => first = first.or(Some((place.browser, failure))),
            Err(failure) => return Finding::broken(Link::Registration, place.browser, failure),
        }
    }
    match first {
        Some((browser, failure)) => Finding::broken(Link::Registration, browser, failure),
        None => Finding::unknown(Link::Registration),
    }
}

fn row(profile: &Path, family: Family, found: Result<(), Failure>) -> Finding {
    let name = match family {
        Family::Chromium => "Chromium",
        Family::Firefox => "Firefox",
    };
    row_of(profile, found.map_err(|failure| failure.with("browser", name)))
}

fn row_of(profile: &Path, found: Result<(), Failure>) -> Finding {
    match found {
        Ok(()) => Finding::good(Link::Extension, profile.display()),
        Err(failure) => Finding::broken(Link::Extension, profile.display(), failure),
    }
}

fn family(profile: &Path) -> Family {
    let has = |name: &str| profile.join(name).exists();
    let chromium = has("Local State") || has("Default") || has("Preferences") || has("NativeMessagingHosts");
    let firefox = has("extensions.json") || has("prefs.js") || has("times.json") || has("compatibility.ini");
    if firefox && !chromium { Family::Firefox } else { Family::Chromium }
}

/// Whether our extension is in the profile and switched on.
fn extension(profile: &Path, family: Family) -> Result<(), Failure> {
    let ids = callers::ids()?;
    let found = match family {
        Family::Chromium => ids.chromium.iter().any(|id| in_chromium(profile, id)),
        Family::Firefox => ids.firefox.iter().any(|id| in_firefox(profile, id)),
    };
    if found { Ok(()) } else { Err(Failure::new(Code::ExtensionMissing)) }
}

/// Chromium keeps its extensions in `Preferences` or `Secure Preferences` of each profile below the folder.
fn in_chromium(folder: &Path, id: &str) -> bool {
    let mut profiles = vec![folder.to_owned(), folder.join("Default")];
    profiles.extend(
        fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("Profile "))),
    );
    profiles.iter().flat_map(|profile| ["Secure Preferences", "Preferences"].map(|file| profile.join(file))).any(|file| {
        let Some(settings) = json(&file) else { return false };
        let Some(entry) = settings.pointer(&format!("/extensions/settings/{id}")) else { return false };
        let disabled = match entry.get("disable_reasons") {
            Some(Value::Array(reasons)) => !reasons.is_empty(),
            Some(Value::Number(reasons)) => reasons.as_u64() != Some(0),
            _ => false,
        };
        let off = entry.get("state").and_then(Value::as_u64) == Some(0);
        !disabled && !off
    })
}

/// Firefox lists installed add-ons in `extensions.json`; one that was loaded for the time being shows only in the preferences,
/// where it has been given its address.
fn in_firefox(profile: &Path, id: &str) -> bool {
    if let Some(list) = json(&profile.join("extensions.json")) {
        let addons = list.get("addons").and_then(Value::as_array).cloned().unwrap_or_default();
        if let Some(addon) = addons.iter().find(|addon| addon.get("id").and_then(Value::as_str) == Some(id)) {
            return addon.get("active").and_then(Value::as_bool).unwrap_or(false);
        }
    }
    text(&profile.join("prefs.js"))
        .is_some_and(|preferences| preferences.lines().any(|line| line.contains("extensions.webextensions.uuids") && line.contains(&format!("\\\"{id}\\\""))))
}

/// The usual profile folders of the browsers that are there.
fn profiles() -> Vec<(PathBuf, Family)> {
    let Some(home) = places::home() else { return Vec::new() };
    let mut folders = Vec::new();
    let (chromium, firefox): (Vec<PathBuf>, PathBuf) = if cfg!(windows) {
        let local = places::variable("LOCALAPPDATA").unwrap_or_else(|| home.join("AppData/Local"));
        (
            ["Google/Chrome/User Data", "Microsoft/Edge/User Data", "Chromium/User Data"].map(|path| local.join(path)).to_vec(),
            home.join("AppData/Roaming/Mozilla/Firefox/Profiles"),
        )
    } else if cfg!(target_os = "macos") {
        let support = home.join("Library/Application Support");
        (["Google/Chrome", "Microsoft Edge", "Chromium"].map(|path| support.join(path)).to_vec(), support.join("Firefox/Profiles"))
    } else {
        let config = home.join(".config");
        (
            ["google-chrome", "microsoft-edge", "chromium", "BraveSoftware/Brave-Browser", "vivaldi"].map(|path| config.join(path)).to_vec(),
            home.join(".mozilla/firefox"),
        )
    };
    folders.extend(chromium.into_iter().filter(|folder| folder.is_dir()).map(|folder| (folder, Family::Chromium)));
    let inside = fs::read_dir(firefox).into_iter().flatten().flatten().map(|entry| entry.path());
    folders.extend(inside.filter(|folder| folder.join("prefs.js").is_file()).map(|folder| (folder, Family::Firefox)));
    folders
}

fn json(file: &Path) -> Option<Value> {
    serde_json::from_str(&text(file)?).ok()
}

fn text(file: &Path) -> Option<String> {
    let length = file.metadata().ok()?.len();
    (length <= FILE_MAX).then(|| fs::read_to_string(file).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_is_found_where_browsers_note_it() {
        let ids = callers::ids().unwrap();
        let (chromium, firefox) = (&ids.chromium[0], &ids.firefox[0]);
        let folder = tempfile::tempdir().unwrap();
        let profile = folder.path();
        let check = |file: &str, text: String, family: Family, there: bool| {
            let path = profile.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &text).unwrap();
            assert_eq!(extension(profile, family).is_ok(), there, "{file}: {text}");
            fs::remove_file(path).unwrap();
        };
        let settings = |inside: &str| format!(r#"{{"extensions":{{"settings":{{"{chromium}":{{{inside}}}}}}}}}"#);
        check("Default/Preferences", settings(r#""location":4"#), Family::Chromium, true);
        check("Default/Secure Preferences", settings(r#""state":1,"disable_reasons":[]"#), Family::Chromium, true);
        check("Profile 1/Preferences", settings(r#""state":1"#), Family::Chromium, true);
        check("Default/Preferences", settings(r#""state":0"#), Family::Chromium, false);
        check("Default/Preferences", settings(r#""disable_reasons":[1]"#), Family::Chromium, false);
        check("Default/Preferences", r#"{"extensions":{"settings":{"other":{}}}}"#.into(), Family::Chromium, false);
        check("Default/Preferences", "{".into(), Family::Chromium, false);
        check("extensions.json", format!(r#"{{"addons":[{{"id":"{firefox}","active":true}}]}}"#), Family::Firefox, true);
        check("extensions.json", format!(r#"{{"addons":[{{"id":"{firefox}","active":false}}]}}"#), Family::Firefox, false);
        check("extensions.json", r#"{"addons":[]}"#.into(), Family::Firefox, false);
        check("prefs.js", format!("user_pref(\"extensions.webextensions.uuids\", \"{{\\\"{firefox}\\\":\\\"6f0c2d3e\\\"}}\");\n"), Family::Firefox, true);
    }
}
