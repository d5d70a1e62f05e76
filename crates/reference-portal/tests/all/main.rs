//! The portal over HTTP: its real router on a real database file, visitors with cookies, and statements and documents
//! signed by keys that the tests hold.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod audit;
mod bids;
mod desk;
mod guards;
mod keys;
mod passwords;
mod program;
mod rations;
mod renewals;
mod revocation;
mod uploads;
mod world;
