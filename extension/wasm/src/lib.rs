#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![allow(unreachable_pub)] // wasm-bindgen exports only what is `pub`; the caller is JavaScript, which rustc cannot see

mod boundary;
mod certificates;
mod document;
mod hash;
mod keys;
mod layout;
mod page;
mod place;
mod stamping;
mod statement;
mod throw;
mod view;
mod web_eid;
