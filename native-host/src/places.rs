//! Where configuration and state lie on each platform. It reads the environment and creates nothing but the state folder.

use std::fs;
use std::path::{Path, PathBuf};

use sealbridge_protocol::failure::{Code, Failure};

/// The name of the folder and, in small letters, of the program.
const FOLDER: &str = if cfg!(any(windows, target_os = "macos")) { "Sealbridge" } else { "sealbridge" };

/// The configuration files in the order in which they are looked for; the first one that exists counts.
#[must_use]
pub fn configuration_files() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if cfg!(windows) {
        folders.extend(variable("ProgramData"));
        folders.extend(variable("APPDATA"));
    } else if cfg!(target_os = "macos") {
        folders.push(PathBuf::from("/Library/Application Support"));
        folders.extend(home().map(|home| home.join("Library/Application Support")));
    } else {
        folders.push(PathBuf::from("/etc"));
        folders.extend(variable("XDG_CONFIG_HOME").or_else(|| home().map(|home| home.join(".config"))));
    }
    folders.into_iter().map(|folder| folder.join(FOLDER).join("config.toml")).collect()
}

/// The folder for the journal and the counts of wrong PINs, created with access for this user only.
///
/// # Errors
/// `journal-failed`.
pub fn state_folder() -> Result<PathBuf, Failure> {
    let base = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Application Support"))
    } else {
        variable("XDG_STATE_HOME").or_else(|| home().map(|home| home.join(".local/state")))
    };
    let Some(base) = base else {
        return Err(Failure::new(Code::JournalFailed).with("detail", "no home folder"));
    };
    let folder = base.join(FOLDER);
    private_folder(&folder).map_err(|error| Failure::new(Code::JournalFailed).with("path", folder.display()).with("detail", error))?;
    Ok(folder)
}

/// Creates a folder that only this user may enter.
///
/// # Errors
/// What the system says.
pub fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The user's home folder, as browsers understand it.
#[must_use]
pub fn home() -> Option<PathBuf> {
    variable(if cfg!(windows) { "USERPROFILE" } else { "HOME" })
}

/// A variable that holds an absolute path; anything else counts as not set (XDG Base Directory Specification).
#[must_use]
pub fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
}
