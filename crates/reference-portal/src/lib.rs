#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod authorities;
pub mod businesses;
pub mod checks;
pub mod demo;
pub mod desk;
pub mod handover;
pub mod judgement;
pub mod language;
pub mod proxies;
pub mod refusal;
pub mod settings;
pub mod store;
pub mod web;
