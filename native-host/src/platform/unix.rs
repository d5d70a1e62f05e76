//! Linux and macOS. Unsafe code stands here only where a child process must be prepared between fork and exec.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Takes standard input and output away from everything else in this process: whatever is printed later, by a library too,
/// goes to stderr and cannot break the protocol.
///
/// # Errors
/// What the system says.
pub fn take_stdio() -> io::Result<(File, File)> {
    let input = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    let output = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?;
    rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    Ok((File::from(input), File::from(output)))
}

/// No core files and, on Linux, no reading of this process by others of the same user: a PIN may be in memory.
/// Not being able to is no reason to fail.
pub fn harden() {
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// A child that must outlive us to finish its work: signals to our group do not reach it.
pub fn detach(command: &mut Command) {
    command.process_group(0);
}

/// A child that must not outlive us: a window that asks for a PIN nobody waits for.
#[allow(unsafe_code)] // std offers no safe way to do something between fork and exec
pub fn tie(command: &mut Command) {
    #[cfg(target_os = "linux")]
    // SAFETY: the closure makes one prctl system call through rustix, which neither allocates nor takes locks.
    unsafe {
        command.pre_exec(|| Ok(rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?));
    }
    #[cfg(not(target_os = "linux"))]
    let _ = command;
}

/// A file descriptor that the caller of this program left open for it (`--pin-fd 3`), taken over.
///
/// # Errors
/// What the system says when it is not open.
#[allow(unsafe_code)] // a number on the command line can only become a file descriptor this way
pub fn inherited_file(number: i32) -> io::Result<File> {
    use std::os::fd::BorrowedFd;
    if number < 0 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: the descriptor is only borrowed for the one system call that duplicates it; one that is not open makes that
    // call fail with EBADF and is not used.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    let owned: OwnedFd = rustix::io::fcntl_dupfd_cloexec(borrowed, 3)?;
    Ok(File::from(owned))
}
