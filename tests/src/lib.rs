#![doc = include_str!("../README.md")]

pub mod bidi;
pub mod browser;
pub mod display;
pub mod judges;
pub mod site;
pub mod supplier;
pub mod world;
