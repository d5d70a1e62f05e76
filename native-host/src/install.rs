//! Registering this program with browsers, and taking that back: one manifest per browser in the folder (or behind the
//! registry key) where that browser looks for it. It installs nothing else and asks for no rights: what may not be written is said.
//!
//! Sources: "Native messaging" of Chrome and of MDN ("Native manifests"). Browsers made of Chromium look in their own folders
//! on Linux and macOS; on Windows several of them read Chrome's key.

mod browsers;
#[cfg_attr(windows, path = "install/registry.rs")]
#[cfg_attr(not(windows), path = "install/no_registry.rs")]
mod registry;

use std::fs;
use std::path::{Path, PathBuf};

use sealbridge_protocol::failure::{Code, Failure};
use serde::{Deserialize, Serialize};

use crate::callers::{self, Family, HOST_NAME};
pub use browsers::{BROWSERS, Browser};

/// For whom the registration counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// This user.
    User,
    /// Everybody on this computer; needs the administrator's rights.
    System,
}

/// One place where a browser looks for the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The browser's name.
    pub browser: &'static str,
    /// The family, which decides what the manifest says.
    #[serde(skip)]
    pub family: Family,
    /// The manifest.
    pub manifest: PathBuf,
    /// The registry key that points to it, on Windows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// For whom.
    pub level: Level,
}

/// What a manifest says; of the browsers' two spellings, each has one list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The name under which extensions ask for the program.
    pub name: String,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// The program.
    pub path: PathBuf,
    /// Always `stdio`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Chromium's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_origins: Option<Vec<String>>,
    /// Firefox's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_extensions: Option<Vec<String>>,
}

/// The places of all browsers at one level. Browsers that are not there are left out unless they are named.
#[must_use]
pub fn places(level: Level, named: &[String]) -> Vec<Place> {
    BROWSERS
        .iter()
        .filter(|browser| if named.is_empty() { browser.is_present() } else { named.iter().any(|name| name == browser.name) })
        .filter_map(|browser| browser.place(level))
        .collect()
}

/// The place inside a Chromium profile folder (`--user-data-dir`).
#[must_use]
pub fn chromium_profile(folder: &Path) -> Place {
    let manifest = folder.join("NativeMessagingHosts").join(format!("{HOST_NAME}.json"));
    Place { browser: "chromium", family: Family::Chromium, manifest, key: None, level: Level::User }
}

/// The place inside a home folder that Firefox is started with.
#[must_use]
pub fn firefox_home(home: &Path) -> Place {
    let folder = if cfg!(target_os = "macos") { "Library/Application Support/Mozilla/NativeMessagingHosts" } else { ".mozilla/native-messaging-hosts" };
    Place { browser: "firefox", family: Family::Firefox, manifest: home.join(folder).join(format!("{HOST_NAME}.json")), key: None, level: Level::User }
}

/// The manifest for a family of browsers.
///
/// # Errors
/// `internal`.
pub fn manifest(family: Family, program: &Path) -> Result<Manifest, Failure> {
    let ids = callers::ids()?;
    let (allowed_origins, allowed_extensions) = match family {
        Family::Chromium => (Some(ids.chromium.iter().map(|id| format!("chrome-extension://{id}/")).collect()), None),
        Family::Firefox => (None, Some(ids.firefox)),
    };
    Ok(Manifest {
        name: HOST_NAME.to_owned(),
        description: "Sealbridge 印桥".to_owned(),
        path: program.to_owned(),
        kind: "stdio".to_owned(),
        allowed_origins,
        allowed_extensions,
    })
}

/// Registers the program at one place.
///
/// # Errors
/// `install-failed`.
pub fn add(place: &Place, program: &Path) -> Result<(), Failure> {
    let failed = |detail: &dyn std::fmt::Display| Failure::new(Code::InstallFailed).with("path", place.manifest.display()).with("detail", detail);
    let manifest = manifest(place.family, program)?;
    let folder = place.manifest.parent().ok_or_else(|| failed(&"no folder"))?;
    fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(|error| failed(&error))?;
    serde_json::to_writer_pretty(&mut temporary, &manifest).map_err(|error| failed(&error))?;
    #[cfg(unix)]
    temporary.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644)).map_err(|error| failed(&error))?;
    temporary.persist(&place.manifest).map_err(|error| failed(&error))?;
    if let Some(key) = &place.key {
        registry::set(place.level, key, &place.manifest).map_err(|error| failed(&error))?;
    }
    Ok(())
}

/// Takes the registration back; `false` when there was none.
///
/// # Errors
/// `install-failed`.
pub fn remove(place: &Place) -> Result<bool, Failure> {
    let failed = |error: std::io::Error| Failure::new(Code::InstallFailed).with("path", place.manifest.display()).with("detail", error);
    let mut removed = false;
    if let Some(key) = &place.key {
        removed |= registry::delete(place.level, key).map_err(failed)?;
    }
    match fs::remove_file(&place.manifest) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(removed),
        Err(error) => Err(failed(error)),
    }
}

/// Whether the manifest at this place would let our extension start a program that runs.
///
/// # Errors
/// `manifest-missing`, `manifest-mismatch`, `binary-missing`.
pub fn check(place: &Place) -> Result<Manifest, Failure> {
    let path = match &place.key {
        Some(key) => registry::get(place.level, key),
        None => Some(place.manifest.clone()),
    };
    let missing = || Failure::new(Code::ManifestMissing).with("browser", place.browser).with("path", place.manifest.display());
    let path = path.ok_or_else(missing)?;
    let mismatch = |detail: &dyn std::fmt::Display| {
        Failure::new(Code::ManifestMismatch).with("browser", place.browser).with("path", path.display()).with("detail", detail)
    };
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(missing()),
        Err(error) => return Err(mismatch(&error)),
    };
    let found: Manifest = serde_json::from_slice(&bytes).map_err(|error| mismatch(&error))?;
    if found.name != HOST_NAME || found.kind != "stdio" {
        return Err(mismatch(&"name or type"));
    }
    let wanted = manifest(place.family, &found.path)?;
    let lists = |manifest: &Manifest| match place.family {
        Family::Chromium => manifest.allowed_origins.clone().unwrap_or_default(),
        Family::Firefox => manifest.allowed_extensions.clone().unwrap_or_default(),
    };
    if let Some(absent) = lists(&wanted).into_iter().find(|id| !lists(&found).contains(id)) {
        return Err(mismatch(&format!("{absent} is not listed")));
    }
    let runs = found.path.metadata().is_ok_and(|metadata| {
        #[cfg(unix)]
        let executable = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0;
        #[cfg(not(unix))]
        let executable = true;
        metadata.is_file() && executable
    });
    if !runs || !found.path.is_absolute() {
        return Err(Failure::new(Code::BinaryMissing).with("path", found.path.display()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_registered_is_found_and_each_broken_link_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let program = std::env::current_exe().unwrap();
        for place in [chromium_profile(folder.path()), firefox_home(folder.path())] {
            assert_eq!(check(&place).unwrap_err().code, Code::ManifestMissing);
            add(&place, &program).unwrap();
            assert_eq!(check(&place).unwrap().path, program);
            let text = fs::read_to_string(&place.manifest).unwrap();
            assert_eq!(text.contains("allowed_origins"), place.family == Family::Chromium);
            assert_eq!(text.contains("allowed_extensions"), place.family == Family::Firefox);
            fs::write(&place.manifest, text.replace("chrome-extension://", "chrome-extension://a").replace("sealbridge@", "other@")).unwrap();
            assert_eq!(check(&place).unwrap_err().code, Code::ManifestMismatch);
            fs::write(&place.manifest, "{").unwrap();
            assert_eq!(check(&place).unwrap_err().code, Code::ManifestMismatch);
            add(&place, &folder.path().join("nothing")).unwrap();
            assert_eq!(check(&place).unwrap_err().code, Code::BinaryMissing);
            assert!(remove(&place).unwrap());
            assert!(!remove(&place).unwrap());
        }
    }
}
