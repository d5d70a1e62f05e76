//! `record`: shows, searches, exports and checks the record of what was signed. It changes nothing in it.

use std::path::PathBuf;

use clap::Args;
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::record::{Arguments, PAGE_MAX};
use serde_json::json;

use super::Voice;
use crate::history::{Checked, History, check_file};
use crate::{places, time};

#[derive(Debug, Args)]
pub(super) struct Record {
    /// Only entries in which this text stands 只显示含有这段文字的记录
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// How many of the newest entries, 1 to 100 显示最近多少条
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=i64::from(PAGE_MAX)))]
    last: u32,
    /// Copy the whole record to a new file 导出全部记录
    #[arg(long, value_name = "FILE", conflicts_with_all = ["search", "check"])]
    export: Option<PathBuf>,
    /// Whether nothing was changed, removed or put in; of an exported file where one is named 检查记录是否被改动
    #[arg(long, value_name = "FILE", num_args = 0..=1, conflicts_with = "search")]
    check: Option<Option<PathBuf>>,
}

impl Record {
    pub(super) fn run(self, voice: Voice) -> Result<u8, Failure> {
        let history = History::at(&places::state_folder()?);
        if let Some(file) = &self.export {
            return told(voice, history.export(file)?, voice.pick("已导出记录条数", "Entries exported"));
        }
        if let Some(file) = &self.check {
            let checked = file.as_ref().map_or_else(|| history.check(), |file| check_file(file))?;
            return told(voice, checked, voice.pick("记录完整，条数", "The record is whole; entries"));
        }
        let page = history.page(&Arguments { search: self.search, before: None, limit: self.last })?;
        if voice.json {
            voice.document(&page);
        } else {
            for entry in &page.entries {
                let subjects: Vec<&str> = entry.subjects.iter().map(|subject| subject.name.as_str()).collect();
                let outcome = entry.failure.map_or("✓", |failure| failure.as_str());
                let origin = entry.origin.as_deref().unwrap_or(voice.pick("本机命令行", "command line"));
                voice.line(format!("{} {} {} {origin} {} {outcome}", entry.number, time::rfc3339(entry.at), entry.verb, subjects.join(", ")));
            }
        }
        match page.broken_at {
            None => Ok(0),
            Some(entry) => Err(Failure::new(Code::RecordBroken).with("entry", entry)),
        }
    }
}

/// How many entries there are, where the chain holds; what was exported lies there all the same where it does not.
fn told(voice: Voice, checked: Checked, done: &str) -> Result<u8, Failure> {
    if let Some(entry) = checked.broken_at {
        return Err(Failure::new(Code::RecordBroken).with("entry", entry));
    }
    if voice.json {
        voice.document(&json!({"ok": true, "entries": checked.total}));
    } else {
        voice.line(format!("{done}: {}", checked.total));
    }
    Ok(0)
}
