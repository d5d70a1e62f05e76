//! The tests of `sealbridge-pki`, one room per area. Data that nobody here wrote is looked for at `../shared/corpus` from the
//! repository's root; where it is absent, a line says which test was skipped.

// A test that can not go on has failed (clippy.toml exempts the test functions only, not their helpers); tables of cases have long types.
#![allow(clippy::unwrap_used, clippy::panic, clippy::type_complexity)]

mod authority;
mod certificates;
mod cms;
mod corpus;
mod evidence;
mod exceptions;
mod openssl;
mod panics;
mod paths;
mod requests;
mod wycheproof;
