#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod checks;
pub mod demo;
pub mod judgement;
pub mod language;
pub mod proxies;
pub mod refusal;
pub mod settings;
pub mod store;
pub mod web;
