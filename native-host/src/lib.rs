#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod callers;
pub mod choice;
pub mod cli;
pub mod commands;
pub mod config;
pub mod consent;
pub mod dialog;
pub mod doctor;
pub mod file;
pub mod fonts;
pub mod grants;
pub mod history;
pub mod host;
pub mod install;
pub mod journal;
pub mod key_use;
pub mod new_pin;
pub mod pin;
pub mod places;
pub mod platform;
pub mod raise;
mod record;
pub mod services;
pub mod stdio;
pub mod stop;
pub mod time;
pub mod token;
pub mod tries;
pub mod undo;
pub mod upkeep;
