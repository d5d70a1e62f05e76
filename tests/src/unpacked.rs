//! The unpacked extension: where the build has put it, a copy with another manifest, and a build that names no portal. It
//! changes nothing in the folder that all cases share.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::bidi::{DriveError, Driven, failed};
use crate::browser::Kind;
use crate::world::{run, target};

/// Where the extension for this browser was built.
pub fn built(kind: Kind) -> Driven<PathBuf> {
    let folder = target().join("extension").join(kind.as_str());
    if folder.join("manifest.json").exists() {
        Ok(folder)
    } else {
        failed(format!("{} is not built: run `cargo xtask build --portal 'http://localhost/*'`", folder.display()))
    }
}

/// A copy of it below `folder` with its manifest changed.
pub fn with_manifest(kind: Kind, folder: &Path, change: impl FnOnce(&mut Value)) -> Driven<PathBuf> {
    let copy = folder.join("extension");
    copy_folder(&built(kind)?, &copy)?;
    let file = copy.join("manifest.json");
    let mut manifest = serde_json::from_slice(&fs::read(&file)?).map_err(|error| DriveError(format!("{}: {error}", file.display())))?;
    change(&mut manifest);
    fs::write(file, manifest.to_string())?;
    Ok(copy)
}

/// Builds it below `folder` as people get it: no site is named in it.
pub fn without_portals(kind: Kind, folder: &Path) -> Driven<PathBuf> {
    let out = folder.join("extension");
    let mut command = Command::new("node");
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../extension")).args(["build.mjs", "--browser", kind.as_str(), "--out"]).arg(&out);
    command.arg("--wasm").arg(target().join("extension/wasm")).arg("--page-client").arg(folder.join("page-client"));
    run(command, None)?;
    Ok(out)
}

fn copy_folder(from: &Path, to: &Path) -> Driven<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)?.flatten() {
        let (source, copy) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() { copy_folder(&source, &copy)? } else { fs::copy(source, copy).map(drop)? }
    }
    Ok(())
}
