//! The tests of the protocol, one module for each area, with the shared vectors of `tests/vectors`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod failures;
mod frames;
mod messages;
mod origins;
mod schema;
mod statements;
mod typescript;
mod web_eid;

/// A file of the repository.
fn repository_file(path: &str) -> String {
    let path = format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The rows of a table of vectors, split at tabs, without comments.
fn vectors(name: &str) -> Vec<Vec<String>> {
    repository_file(&format!("tests/vectors/{name}"))
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split('\t').map(str::to_owned).collect())
        .collect()
}
