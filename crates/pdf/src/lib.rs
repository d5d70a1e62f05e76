#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)] // other rooms build on every name here

pub mod budget;
pub mod conformance;
pub mod content;
mod crypt;
pub mod document;
pub mod error;
mod filter;
pub mod form;
mod lexer;
pub mod object;
pub mod page;
mod parser;
pub mod signature;
pub mod source;
pub mod structure;
pub mod text;
pub mod text_string;
pub mod update;
mod xref;

pub use budget::Budget;
pub use conformance::Claims;
pub use content::ContentBuilder;
pub use document::{Document, OpenOptions, Permissions, Place, Revision, SectionPlace, XrefKind};
pub use error::{PdfError, ReadFailed, Result};
pub use form::Form;
pub use object::{Body, Dictionary, Name, Object, PdfString, Real, Reference, Stream};
pub use page::{Page, Rectangle};
pub use parser::parse_object;
pub use signature::{Coverage, SignatureField, signatures};
pub use source::{Joined, Prefix, Source};
pub use update::{Appended, Update, fill_contents};
