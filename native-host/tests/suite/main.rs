//! The host against real PKCS#11 modules and through both of its doors. Tests that need the soft token, the fault-injecting
//! module or SoftHSM say so and stand aside where those are not built or installed.

#![allow(clippy::unwrap_used, clippy::panic)] // clippy.toml exempts test functions, not their helpers

mod batch;
mod cancelling;
mod choosing;
mod dialogs;
mod doctor;
mod door;
mod faults;
mod levels;
mod locking;
mod office;
mod places;
mod support;
mod terminal;
mod tokens;
mod upkeep;
mod web_eid;
