//! A new file that appears under its name only when it is complete and synced.
//!
//! On Linux it has no name at all until then, so that a process that is killed leaves nothing behind; elsewhere, and on file
//! systems that cannot do that, it has a temporary name beside the output. An existing file is never replaced unasked.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sealbridge_protocol::failure::{Code, Failure};

use super::{FileSource, name, read_exact_at, read_failed, write_failed};
use crate::record::sync_folder;

/// Bytes copied at a time where the system does not copy by itself.
const SLICE: usize = 64 << 10;

/// A new file that begins with the original's bytes and waits for the tail.
#[derive(Debug)]
pub struct Output {
    temporary: Temporary,
    folder: PathBuf,
    path: PathBuf,
    replace: bool,
    needed: u64,
}

#[derive(Debug)]
enum Temporary {
    /// Without a name (`O_TMPFILE`).
    #[cfg(target_os = "linux")]
    Nameless(File),
    Named(tempfile::NamedTempFile),
}

impl Output {
    /// Begins a new file and copies the original into it. Dropped, it leaves nothing behind.
    ///
    /// # Errors
    /// `output-exists` unless `replace`, `disk-full`, `write-failed`, `read-failed`, `document-changed`.
    pub fn begin(source: &FileSource, original: &Path, path: &Path, replace: bool) -> Result<Self, Failure> {
        if !replace && path.symlink_metadata().is_ok() {
            return Err(exists(path));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
        let failed = |error: io::Error| write_failed(path, source.length, &error);
        let temporary = Temporary::new(&folder).map_err(failed)?;
        let file = temporary.file();
        copy(source, file, original, path)?;
        source.check_unchanged(original)?;
        #[cfg(unix)]
        if let Ok(metadata) = source.file.metadata() {
            // Temporary files are private; the result is as readable as the original was.
            let _ = file.set_permissions(metadata.permissions());
        }
        Ok(Self { temporary, folder, path: path.to_owned(), replace, needed: source.length })
    }

    /// Brings what was copied to the disk already, while something else goes on. What fails here fails again in [`Output::finish`].
    pub fn settle(&self) {
        let _ = self.temporary.file().sync_data();
    }

    /// Appends the tail, syncs the file and gives it its name.
    ///
    /// # Errors
    /// `output-exists` unless `replace`, `disk-full`, `write-failed`; there is no new file then.
    pub fn finish(self, tail: &[u8]) -> Result<(), Failure> {
        let needed = self.needed.saturating_add(u64::try_from(tail.len()).unwrap_or(u64::MAX));
        let failed = |error: io::Error| write_failed(&self.path, needed, &error);
        let mut file = self.temporary.file();
        io::Seek::seek(&mut file, io::SeekFrom::End(0)).map_err(failed)?;
        file.write_all(tail).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        match self.temporary.give_name(&self.folder, &self.path, self.replace) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(exists(&self.path)),
            other => other.map_err(failed)?,
        }
        sync_folder(&self.folder).map_err(failed)
    }
}

/// Writes original and tail as a new file.
///
/// # Errors
/// As [`Output::begin`] and [`Output::finish`].
pub fn write_new(source: &FileSource, original: &Path, tail: &[u8], output: &Path, replace: bool) -> Result<(), Failure> {
    Output::begin(source, original, output, replace)?.finish(tail)
}

impl Temporary {
    fn new(folder: &Path) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        if let Some(file) = nameless(folder) {
            return Ok(Self::Nameless(file));
        }
        tempfile::Builder::new().prefix(".sealbridge-").tempfile_in(folder).map(Self::Named)
    }

    fn file(&self) -> &File {
        match self {
            #[cfg(target_os = "linux")]
            Self::Nameless(file) => file,
            Self::Named(file) => file.as_file(),
        }
    }

    fn give_name(self, folder: &Path, path: &Path, replace: bool) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Nameless(file) if replace => {
                // A link never replaces a file, a rename does: so a name beside it first.
                let beside = tempfile::Builder::new().prefix(".sealbridge-").make_in(folder, |beside| link(&file, beside))?;
                beside.into_temp_path().persist(path).map_err(|error| error.error)
            }
            #[cfg(target_os = "linux")]
            Self::Nameless(file) => link(&file, path),
            Self::Named(file) => {
                let _ = folder;
                let named = if replace { file.persist(path) } else { file.persist_noclobber(path) };
                named.map(drop).map_err(|error| error.error)
            }
        }
    }
}

/// A file without a name, where the file system has such and `/proc` is there to give it one later.
#[cfg(target_os = "linux")]
fn nameless(folder: &Path) -> Option<File> {
    use rustix::fs::{Mode, OFlags, open};
    let file = File::from(open(folder, OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR).ok()?);
    own_link(&file).symlink_metadata().is_ok().then_some(file)
}

#[cfg(target_os = "linux")]
fn own_link(file: &File) -> PathBuf {
    use std::os::fd::AsRawFd;
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

#[cfg(target_os = "linux")]
fn link(file: &File, path: &Path) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD, linkat};
    Ok(linkat(CWD, own_link(file), CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

/// Copies the whole original: by sharing its blocks where the file system can do that, inside the system where that can be
/// done, else slice by slice.
fn copy(source: &FileSource, to: &File, original: &Path, output: &Path) -> Result<(), Failure> {
    let failed = |error: io::Error| write_failed(output, source.length, &error);
    let mut done = copy_inside(source, to).map_err(failed)?;
    if done > source.length {
        return Err(Failure::new(Code::DocumentChanged).with("name", name(original)));
    }
    let mut slice = vec![0; SLICE.min(usize::try_from(source.length.saturating_sub(done)).unwrap_or(SLICE))];
    let mut writer = to;
    io::Seek::seek(&mut writer, io::SeekFrom::Start(done)).map_err(failed)?;
    while done < source.length {
        let wanted = usize::try_from(source.length.saturating_sub(done)).unwrap_or(SLICE).min(SLICE);
        let Some(part) = slice.get_mut(..wanted) else { break };
        read_exact_at(&source.file, done, part).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Failure::new(Code::DocumentChanged).with("name", name(original)),
            _ => read_failed(original, error),
        })?;
        writer.write_all(part).map_err(failed)?;
        done = done.saturating_add(u64::try_from(wanted).unwrap_or(0));
    }
    Ok(())
}

/// As much as the system copies by itself (`FICLONE`, `copy_file_range`), from the beginning; the rest is for the caller.
#[cfg(target_os = "linux")]
fn copy_inside(source: &FileSource, to: &File) -> io::Result<u64> {
    if rustix::fs::ioctl_ficlone(to, &source.file).is_ok() {
        return Ok(to.metadata()?.len());
    }
    let (mut from, mut at) = (0_u64, 0_u64);
    while from < source.length {
        let wanted = usize::try_from(source.length.saturating_sub(from)).unwrap_or(usize::MAX).min(1 << 30);
        match rustix::fs::copy_file_range(&source.file, Some(&mut from), to, Some(&mut at), wanted) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if matches!(error, rustix::io::Errno::NOSPC | rustix::io::Errno::DQUOT | rustix::io::Errno::FBIG) => return Err(error.into()),
            // Across file systems, on old kernels, on special file systems: the caller copies.
            Err(_) => break,
        }
    }
    Ok(at)
}

#[cfg(not(target_os = "linux"))]
fn copy_inside(_: &FileSource, _: &File) -> io::Result<u64> {
    Ok(0)
}

fn exists(path: &Path) -> Failure {
    Failure::new(Code::OutputExists).with("name", name(path))
}
