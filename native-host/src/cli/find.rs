//! `find`: where a text stands in a PDF, in millimetres as `stamp --at` and `--keyword` count them. Changes nothing; pictures of
//! text are not read.

use std::path::PathBuf;

use clap::Args;
use sealbridge_pdf::text::find_text;
use sealbridge_pdf::{Document, OpenOptions};
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::words::plain;
use sealbridge_seal::parse_pages;
use sealbridge_seal::placement::as_displayed;
use serde::Serialize;
use serde_json::json;

use super::Voice;
use super::fields::Place;

/// Most places that are told.
const HITS_MAX: usize = 10_000;

#[derive(Debug, Args)]
pub(super) struct Find {
    /// The document 文件
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The text; white space does not count 要查找的文字，不计空格
    #[arg(value_name = "TEXT")]
    text: String,
    /// Only these pages: 1-3,5,last; odd; even; all 只在这些页查找
    #[arg(long, value_name = "RANGE", default_value = "all")]
    pages: String,
    /// Read the document's password from this file descriptor 从文件描述符读取打开密码
    #[arg(long, value_name = "N")]
    password_fd: Option<i32>,
}

/// One place of the text.
#[derive(Debug, Serialize)]
struct Hit {
    /// As `--nth` counts, over the pages that were looked at.
    nth: usize,
    #[serde(flatten)]
    place: Place,
    text: String,
}

impl Find {
    pub(super) fn run(self, voice: Voice) -> Result<u8, Failure> {
        let password = self.password_fd.map(super::stamp::read_secret).transpose()?;
        let pdf = |error| super::stamp::pdf_failure(&error, &self.file);
        let options = OpenOptions { password: password.map(|secret| secret.to_vec()), ..OpenOptions::default() };
        let document = Document::open(super::stamp::opened_to_read(&self.file, voice)?, options).map_err(pdf)?;
        let count = document.page_count().map_err(pdf)?;
        let pages = parse_pages(&self.pages, count).map_err(|_| Failure::new(Code::PagesMalformed).with("pages", plain(&self.pages, 60)))?;
        let mut hits: Vec<Hit> = Vec::new();
        for index in pages {
            let page = document.page(index).map_err(pdf)?;
            for found in find_text(&document, index, &self.text).map_err(pdf)? {
                let nth = hits.len().saturating_add(1);
                if nth > HITS_MAX {
                    break;
                }
                hits.push(Hit { nth, place: Place::new(index, as_displayed(&page, found.rect)), text: found.text });
            }
        }
        if hits.is_empty() {
            return Err(Failure::new(Code::KeywordMissing).with("keyword", plain(&self.text, 60)));
        }
        if voice.json {
            voice.document(&json!({"pages": count, "hits": hits}));
        } else {
            for Hit { nth, place: Place { page, x, y, width, height }, text } in &hits {
                let text = plain(text, 80);
                voice.line(match voice.language {
                    sealbridge_protocol::Language::ZhCn => format!("{nth}\t第 {page} 页 {x},{y} {width}×{height} mm\t{text}"),
                    sealbridge_protocol::Language::En => format!("{nth}\tpage {page} at {x},{y} {width}×{height} mm\t{text}"),
                });
            }
        }
        Ok(0)
    }
}
