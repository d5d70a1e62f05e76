//! `environment`: the doctor's examination as data for the extension's page. No key is used and no PIN is asked.

use sealbridge_protocol::Language;
use sealbridge_protocol::environment::Answer;

use crate::doctor::{self, Examined};

/// Runs the verb.
#[must_use]
pub fn run(language: Language) -> Answer {
    let examined = doctor::examine(&Examined::default());
    Answer { text: doctor::support_text(&examined), rows: examined.iter().map(|finding| finding.told(language)).collect() }
}
