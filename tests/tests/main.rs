//! End to end, in real browsers: each case runs in Chromium and in Firefox. They need what `cargo xtask build` makes;
//! `cargo xtask test` builds it and sets `SEALBRIDGE_E2E=1`, without which the cases say that they are skipped.

mod batch;
mod centre;
mod courier;
mod full;
mod gesture;
mod host;
mod hostile;
mod large;
mod managed;
mod marks;
mod netca;
mod origins;
mod pictures;
mod pin;
mod place;
mod portal;
mod pulled;
mod readme;
mod stage;
mod story;
mod token;
mod web_eid;
mod worker;
