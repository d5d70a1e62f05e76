//! Platforms without a registry: manifests lie where browsers look, and nothing points to them.

use std::io;
use std::path::{Path, PathBuf};

use super::Level;

pub(super) fn set(_level: Level, _key: &str, _manifest: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn delete(_level: Level, _key: &str) -> io::Result<bool> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn get(_level: Level, _key: &str) -> Option<PathBuf> {
    None
}
