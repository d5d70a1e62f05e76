//! What differs between operating systems below the level of files: the standard streams, child processes, hardening.
//! One file per platform, all with the same functions; it knows nothing of tokens or messages.

#[cfg(unix)]
#[path = "platform/unix.rs"]
mod here;
#[cfg(windows)]
#[path = "platform/windows.rs"]
mod here;

pub use here::{detach, harden, inherited_file, take_stdio, tie};
