#![doc = include_str!("../README.md")]

pub mod bidi;
pub mod browser;
pub mod disk;
pub mod display;
pub mod judges;
pub mod memory;
pub mod processes;
pub mod site;
pub mod supplier;
pub mod unpacked;
pub mod world;
