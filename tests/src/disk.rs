//! A small disk of its own for a case that needs a full one: a tmpfs in a mount namespace that nobody else sees, so that
//! nothing of the machine is touched and nothing stays. It refuses to do without the namespace: where the system does not
//! permit one, there is no disk.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::bidi::{DriveError, Driven, failed};

/// A mounted disk; dropping it ends the namespace, and the disk with it.
#[derive(Debug)]
pub struct SmallDisk {
    holder: Child,
    folder: PathBuf,
}

/// The file that takes up the room.
const FILLING: &str = ".filling";

impl SmallDisk {
    /// Mounts a disk of so many KiB at `folder`; `None`, with a sentence, where that is not permitted.
    pub fn mount(folder: &Path, kib: u32) -> Driven<Option<Self>> {
        fs::create_dir_all(folder)?;
        let mut command = Command::new("unshare");
        command.arg("--mount");
        if !is_root() {
            command.arg("--map-root-user");
        }
        // `cat` keeps the namespace alive until its standard input is closed.
        command.args(["--", "sh", "-c", "mount -t tmpfs -o size=$2k,mode=777 none \"$1\" && echo mounted && exec cat", "sh"]).arg(folder).arg(kib.to_string());
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut holder = match spawned {
            Ok(holder) => holder,
            Err(error) => {
                eprintln!("skipped: unshare did not start: {error}");
                return Ok(None);
            }
        };
        let mut line = String::new();
        if let Some(stdout) = holder.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        if line.trim() == "mounted" {
            return Ok(Some(Self { holder, folder: folder.to_owned() }));
        }
        let output = holder.wait_with_output()?;
        eprintln!("skipped: no disk of its own is permitted here: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(None)
    }

    /// Starts `program` where the disk is seen at its folder.
    pub fn inside(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command.arg("--target").arg(self.holder.id().to_string()).arg("--mount");
        if !is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.arg("--").arg(program);
        command
    }

    /// A file of the disk, as this process reaches it.
    pub fn file(&self, name: &str) -> PathBuf {
        let folder = self.folder.strip_prefix("/").unwrap_or(&self.folder);
        Path::new("/proc").join(self.holder.id().to_string()).join("root").join(folder).join(name)
    }

    /// The names of the files on the disk, but for the one that takes up the room.
    pub fn names(&self) -> Driven<Vec<String>> {
        let entries = fs::read_dir(self.file(""))?.collect::<Result<Vec<_>, _>>()?;
        let mut names: Vec<String> = entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(|name| name != FILLING).collect();
        names.sort();
        Ok(names)
    }

    /// Fills the disk until so many KiB are left.
    pub fn fill_but(&self, spare_kib: u64) -> Driven<()> {
        let mut filling = OpenOptions::new().create(true).append(true).open(self.file(FILLING))?;
        let block = [b'-'; 4096];
        while let Ok(written) = filling.write(&block) {
            if written == 0 {
                break;
            }
        }
        let length = filling.metadata()?.len();
        match length.checked_sub(spare_kib * 1024) {
            Some(left) if length > 0 => filling.set_len(left).map_err(Into::into),
            _ => failed(format!("the disk took only {length} bytes")),
        }
    }

    /// Makes room again.
    pub fn empty(&self) -> Driven<()> {
        fs::remove_file(self.file(FILLING)).map_err(|error| DriveError(format!("the disk was not full: {error}")))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}
