//! The desk as a program that listens: applicants and officers with cookies, real uploads, real certificate requests,
//! kills and restarts. The judges are the answers, the database's file and OpenSSL.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

mod calls;
mod forms;
mod handover;
mod life;
mod privacy;
mod races;
mod refusals;
mod renewal;
mod revocation;
mod seals;
mod secrets;
mod world;
