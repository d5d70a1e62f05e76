#![doc = include_str!("../README.md")]

pub mod applicant;
pub mod bidi;
pub mod browser;
pub mod desk;
pub mod disk;
pub mod display;
pub mod judges;
pub mod memory;
pub mod officer;
pub mod paper;
pub mod processes;
pub mod site;
pub mod steps;
pub mod supplier;
pub mod unpacked;
pub mod world;
