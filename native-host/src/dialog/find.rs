//! Which program shows the window: those of the configuration, else the platform's own order. It starts none of them.

use std::path::{Path, PathBuf};

use super::{Kind, Program};
use crate::config::Config;

/// The order on Linux: the desktop's own look first, the ones without description last.
#[cfg(all(unix, not(target_os = "macos")))]
const ORDER: &[&str] = &["pinentry-gnome3", "pinentry-qt", "pinentry-qt6", "pinentry-qt5", "pinentry-gtk-2", "pinentry-gtk", "zenity", "kdialog"];
#[cfg(target_os = "macos")]
const ORDER: &[&str] = &["pinentry-mac"];
#[cfg(windows)]
const ORDER: &[&str] = &[];

/// The programs in the order in which they are tried.
#[must_use]
pub fn programs(config: &Config) -> Vec<Program> {
    if !config.dialog.programs.is_empty() {
        return config.dialog.programs.iter().filter(|path| is_program(path)).map(|path| Program { kind: kind(path), path: path.clone() }).collect();
    }
    let mut folders: Vec<PathBuf> =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect()).unwrap_or_default();
    folders.extend(["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin", "/usr/local/MacGPG2/libexec/pinentry-mac.app/Contents/MacOS"].map(PathBuf::from));
    let mut found: Vec<Program> = ORDER
        .iter()
        .filter_map(|name| folders.iter().map(|folder| folder.join(name)).find(|path| is_program(path)))
        .map(|path| Program { kind: kind(&path), path })
        .collect();
    found.extend(platform_program());
    found
}

#[cfg(windows)]
fn platform_program() -> Option<Program> {
    std::env::current_exe().ok().map(|path| Program { path, kind: Kind::Own })
}

#[cfg(target_os = "macos")]
fn platform_program() -> Option<Program> {
    let path = PathBuf::from(super::macos::OSASCRIPT);
    is_program(&path).then_some(Program { path, kind: Kind::Osascript })
}

#[cfg(not(any(windows, target_os = "macos")))]
fn platform_program() -> Option<Program> {
    None
}

fn kind(path: &Path) -> Kind {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if name.contains("zenity") {
        Kind::Zenity
    } else if name.contains("kdialog") {
        Kind::Kdialog
    } else if name == "osascript" {
        Kind::Osascript
    } else {
        Kind::Pinentry
    }
}

fn is_program(path: &Path) -> bool {
    let Ok(metadata) = path.metadata() else { return false };
    #[cfg(unix)]
    let runs = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let runs = true;
    metadata.is_file() && runs
}
