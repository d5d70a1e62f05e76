//! The service from outside: over its router, and as real processes over sockets, on SQLite and on a real PostgreSQL.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

mod audit;
mod calls;
mod clients;
mod documents;
mod kills;
mod life;
mod postgres;
mod processes;
mod races;
mod revocation;
mod stamp;
mod world;
