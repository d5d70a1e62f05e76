//! The program `sealbridge`: looks who started it and opens the right door. A browser gets the stdio door, everybody else
//! the terminal; two hidden words start the processes that the host keeps apart from itself.

use std::ffi::OsString;
use std::process::ExitCode;

use sealbridge::callers::{self, Started};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match callers::started(&arguments) {
        Started::ByBrowser(caller) => sealbridge::stdio::run(&caller),
        Started::AsWorker { name, path, mark } => sealbridge::token::worker::run(&name, &path, mark.as_deref()),
        Started::AsWindow => sealbridge::dialog::serve_own_window(),
        Started::AtTerminal => sealbridge::cli::run(arguments),
    }
}
