//! Verifies files without any trusted authority, and prints one line of JSON for each: path, verdict, report. For going through folders
//! of other people's documents.
//!
//! `cargo run -p sealbridge-seal --example verify -- [--policy nothing|signatures|form-filling] FILE…`

use sealbridge_seal::verify::Allowed;
use sealbridge_seal::{Document, OpenOptions, Policy, verify};
use serde_json::json;

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut allowed = Allowed::default();
    if arguments.first().is_some_and(|first| first == "--policy") {
        let given = arguments.drain(..2.min(arguments.len())).next_back();
        allowed = Allowed::ALL.iter().copied().find(|allowed| Some(allowed.as_str()) == given.as_deref()).unwrap_or_default();
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX));
    for file in arguments {
        let judged = std::fs::read(&file).map_err(|error| error.to_string()).and_then(|bytes| {
            let document = Document::open(bytes, OpenOptions::default()).map_err(|error| error.to_string())?;
            verify(&document, &Policy { now, allowed, ..Policy::default() }).map_err(|error| error.to_string())
        });
        match judged {
            Ok(report) => println!("{}", json!({"file": file, "verdict": report.verdict, "report": report})),
            Err(error) => println!("{}", json!({"file": file, "verdict": "unreadable", "error": error})),
        }
    }
}
