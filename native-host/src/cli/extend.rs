//! `extend`: raises the level of signatures that are there. It needs no key: it appends timestamps and answers about revocation, and
//! touches nothing of what was signed. What one document can not get does not touch the others; what was reached is kept.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args};
use sealbridge_pdf::OpenOptions;
use sealbridge_protocol::Language;
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::words;
use sealbridge_seal::verify::PadesLevel;
use serde_json::json;

use super::stamp::{Job, To, jobs, mended, stamp_failure};
use super::verify::certificates;
use super::{Voice, exit_code};
use crate::places;
use crate::raise::{Raised, Services, Wish, raise};
use crate::services::{Client, Reach, Status, Timestamps};
use crate::undo::Undo;

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("extend_to").required(true).args(["out", "out_dir", "in_place"]))]
#[command(group = ArgGroup::new("extend_new_file").args(["out", "out_dir"]).multiple(true))]
pub(super) struct Extend {
    /// The stamped PDFs 已盖章的文件
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write the result here 输出文件
    #[arg(long, value_name = "OUT")]
    out: Option<PathBuf>,
    /// Write the results into this folder, under their own names 输出文件夹，文件名不变
    #[arg(long, value_name = "DIR")]
    out_dir: Option<PathBuf>,
    /// Append to the documents themselves 直接追加到原文件
    #[arg(long)]
    in_place: bool,
    /// Overwrite what is there 覆盖已有文件
    #[arg(long, requires = "extend_new_file")]
    force: bool,
    /// The level: b-t a proven time, b-lt and what shows that no certificate was revoked, b-lta and a timestamp over that 级别
    #[arg(long, value_name = "b-t|b-lt|b-lta", value_parser = level)]
    level: PadesLevel,
    /// Another document timestamp, also where the level is reached: before the last authority's certificate ends 已达到级别也再加一个时间戳
    #[arg(long, requires = "timestamp")]
    renew: bool,
    /// The timestamping authority (RFC 3161), http:// 时间戳服务的网址
    #[arg(long, value_name = "URL")]
    timestamp: Option<String>,
    /// Certificates of trusted authorities, PEM; may be repeated; needed above b-t 信任的根证书
    #[arg(long, value_name = "PEM")]
    trust: Vec<PathBuf>,
    /// How many seconds a service may take for an answer 等待应答的秒数
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u16).range(1..=600))]
    patience: u16,
    /// Read the documents' password from this file descriptor 从文件描述符读取打开密码
    #[arg(long, value_name = "N")]
    password_fd: Option<i32>,
}

impl Extend {
    pub(super) fn run(self, voice: Voice) -> Result<u8, Failure> {
        let anchors = certificates(&self.trust)?;
        if anchors.is_empty() && self.level > PadesLevel::T {
            return Err(Failure::new(Code::CommandMalformed).with("detail", "--trust PEM"));
        }
        let password = self.password_fd.map(super::stamp::read_secret).transpose()?;
        let options = OpenOptions { password: password.map(|secret| secret.to_vec()), ..OpenOptions::default() };
        let timestamps = self.timestamp.as_deref().map(Timestamps::new).transpose()?;
        let client = Client::new(Duration::from_secs(self.patience.into()), Reach::Any);
        let jobs = jobs(&self.files, To { out: self.out.as_ref(), out_dir: self.out_dir.as_ref(), force: self.force })?;
        let undo = Undo::at(&places::state_folder()?);
        let mut services = Services { client: &client, timestamps: timestamps.as_ref(), status: Status::new(&client) };
        let wish = Wish { level: self.level, renew: self.renew, anchors: &anchors, options: &options };
        let mut worst = 0;
        for job in &jobs {
            let raised = one(job, wish, &mut services, &undo, voice);
            worst = worst.max(match &raised {
                Ok(raised) => raised.shortfall.as_ref().map_or(0, exit_code),
                Err(failure) => exit_code(failure),
            });
            tell(job, &raised, jobs.len(), voice);
        }
        Ok(worst)
    }
}

fn one(job: &Job, wish: Wish<'_>, services: &mut Services<'_>, undo: &Undo, voice: Voice) -> Result<Raised, Failure> {
    let mut looked = job.look(wish.options, Some(undo), false)?;
    if looked.mended {
        mended(voice, &job.input);
    }
    let raised = raise(&*looked.source, looked.original.wait()?, wish, services, &|error| stamp_failure(error, &job.input))
        .map_err(|failure| if failure.code.facts().contains(&"name") { failure.with("name", crate::file::name(&job.input)) } else { failure })?;
    // A new file is written also where there is nothing to add: whoever asked for it finds it.
    if !raised.tail.is_empty() || job.output.is_some() {
        job.write(looked, &raised.tail, undo)?;
    }
    Ok(raised)
}

/// One JSON document or a few lines for each file.
fn tell(job: &Job, raised: &Result<Raised, Failure>, total: usize, voice: Voice) {
    match raised {
        Ok(raised) if voice.json => {
            let mut told = json!({"file": job.input, "extended": job.stamped(), "from": raised.from, "level": raised.level, "appended": raised.tail.len()});
            if let (Some(failure), Some(told)) = (&raised.shortfall, told.as_object_mut()) {
                told.insert("shortfall".into(), json!({"failure": words::tell(failure, voice.language)}));
            }
            voice.document(&told);
        }
        Ok(raised) => {
            let (file, from, level) = (job.stamped().display(), raised.from.name(), raised.level.name());
            voice.line(match (raised.tail.is_empty(), voice.language) {
                (true, Language::ZhCn) => format!("无需补充：{file}（{level}）"),
                (true, Language::En) => format!("Nothing to add: {file} ({level})"),
                (false, Language::ZhCn) => format!("已补充：{file}（{from} → {level}）"),
                (false, Language::En) => format!("Extended: {file} ({from} → {level})"),
            });
            if let Some(failure) = &raised.shortfall {
                voice.failure(failure);
            }
        }
        Err(failure) if voice.json => voice.document(&json!({"file": job.input, "failure": words::tell(failure, voice.language)})),
        Err(failure) => {
            if total > 1 {
                voice.line(format!("{}{}", voice.pick("未补充：", "Not extended: "), job.input.display()));
            }
            voice.failure(failure);
        }
    }
}

fn level(text: &str) -> Result<PadesLevel, String> {
    match text {
        "b-t" => Ok(PadesLevel::T),
        "b-lt" => Ok(PadesLevel::Lt),
        "b-lta" => Ok(PadesLevel::Lta),
        _ => Err(String::from("b-t, b-lt or b-lta")),
    }
}
