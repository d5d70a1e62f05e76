//! `environment`: the doctor's examination as data for the extension's page. No key is used and no PIN is asked.

use sealbridge_protocol::Language;
use sealbridge_protocol::environment::{Answer, Link, Mark, Row};

use crate::doctor::{self, Examined};

/// Runs the verb.
#[must_use]
pub fn run(language: Language) -> Answer {
    let examined = doctor::examine(&Examined::default());
    let text = doctor::support_text(&examined);
    let rows = examined
        .iter()
        .map(|row| {
            let told = row.told(language);
            Row {
                link: link(row.link),
                mark: mark(row.mark),
                title: told.title.to_owned(),
                subject: told.subject,
                code: told.code,
                what: told.what,
                remedy: if row.mark == doctor::Mark::Good { String::new() } else { told.remedy },
            }
        })
        .collect();
    Answer { rows, text }
}

const fn link(link: doctor::Link) -> Link {
    match link {
        doctor::Link::Configuration => Link::Configuration,
        doctor::Link::Extension => Link::Extension,
        doctor::Link::Registration => Link::Registration,
        doctor::Link::Module => Link::Module,
        doctor::Link::Token => Link::Token,
        doctor::Link::Certificate => Link::Certificate,
        doctor::Link::Seal => Link::Seal,
        doctor::Link::Dialog => Link::Dialog,
        doctor::Link::Document => Link::Document,
        doctor::Link::Clock => Link::Clock,
        doctor::Link::Record => Link::Record,
    }
}

const fn mark(mark: doctor::Mark) -> Mark {
    match mark {
        doctor::Mark::Good => Mark::Good,
        doctor::Mark::Warning => Mark::Warning,
        doctor::Mark::Broken => Mark::Broken,
        doctor::Mark::Unknown => Mark::Unknown,
    }
}
