//! The tests of the relying party: real keys and certificates, every refusal, and the order of the checks.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bind;
mod chain;
mod document;
mod import;
mod login;
mod renewal;
mod separation;
mod store;
mod world;
