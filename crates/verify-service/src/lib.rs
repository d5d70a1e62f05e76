#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod authorities;
pub mod evidence;
pub mod metrics;
pub mod portal;
pub mod problem;
pub mod service;
pub mod store;
pub mod web;
