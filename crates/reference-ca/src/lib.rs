#![doc = include_str!("../README.md")]

pub mod authority;
pub mod business;
pub mod calendar;
pub mod desk;
pub mod error;
pub mod form;
pub mod grant;
pub mod handover;
pub mod issue;
pub mod key_signature;
pub mod language;
pub mod picture;
pub mod profile;
pub mod refusal;
pub mod scan;
pub mod serve;
pub mod services;
pub mod settings;
pub mod status;
pub mod store;
pub mod token;
pub mod upload;
pub mod vault;
pub mod web;

pub use sealbridge_pki::Algorithm;
