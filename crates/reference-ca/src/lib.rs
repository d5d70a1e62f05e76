#![doc = include_str!("../README.md")]

pub mod authority;
pub mod desk;
pub mod error;
pub mod picture;
pub mod services;
pub mod status;
pub mod token;

pub use sealbridge_pki::Algorithm;
