//! Windows. Unsafe code stands here only for calls of the Win32 API that have no safe form.

use std::fs::File;
use std::io;
use std::os::windows::io::AsHandle;
use std::os::windows::process::CommandExt;
use std::process::Command;

use windows_sys::Win32::System::Console::{GetStdHandle, STD_ERROR_HANDLE, STD_OUTPUT_HANDLE, SetStdHandle};
use windows_sys::Win32::System::Threading::{CREATE_NEW_PROCESS_GROUP, CREATE_NO_WINDOW};

/// Takes standard input and output away from everything else in this process: whatever is printed later, by a library too,
/// goes to stderr and cannot break the protocol. Standard streams are binary here: std does not translate line ends.
///
/// # Errors
/// What the system says.
#[allow(unsafe_code)] // SetStdHandle has no safe form
pub fn take_stdio() -> io::Result<(File, File)> {
    let input = File::from(io::stdin().as_handle().try_clone_to_owned()?);
    let output = File::from(io::stdout().as_handle().try_clone_to_owned()?);
    // SAFETY: both calls take and give handles of this process by value; nothing is freed, the duplicates above stay valid.
    let done = unsafe { SetStdHandle(STD_OUTPUT_HANDLE, GetStdHandle(STD_ERROR_HANDLE)) };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((input, output))
}

/// Windows writes no core files by itself and has no call that would keep programs of the same user out.
pub fn harden() {}

/// A child that must outlive us to finish its work.
pub fn detach(command: &mut Command) {
    command.creation_flags(CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP);
}

/// A child that must not outlive us; its window sees the end of its input and closes.
pub fn tie(command: &mut Command) {
    command.creation_flags(CREATE_NO_WINDOW);
}

/// File descriptors are not inherited by number on Windows.
///
/// # Errors
/// Always `Unsupported`.
pub fn inherited_file(_number: i32) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}
