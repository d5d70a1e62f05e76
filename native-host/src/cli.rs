//! The terminal's door. Words for people on standard output and error, one JSON document with `--json`, and documented exit codes.
//! It adds no powers: the same commands, the same consent, the same checks as at the browser's door.

mod doctor;
mod extend;
mod fields;
mod find;
mod install;
mod pin;
mod record;
mod stamp;
mod status;
mod verify;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use sealbridge_protocol::failure::{Code, Failure, Party};
use sealbridge_protocol::{Language, words};
use serde::Serialize;
use serde_json::json;

/// What stands at the end of every help text.
const EXIT_CODES: &str = "\
Exit codes 退出码:
  0  done; valid 完成;有效
  1  refused; not valid; changed after signing 被拒绝;无效;签后有改动
  2  no signature, unreadable document, wrong usage 没有签章、文件无法读取、用法错误
  3  something on this computer is missing or broken, or a service did not answer 本机缺少组件或配置有误，或服务没有应答
     (see 请运行: sealbridge doctor); a stamp without the timestamp asked for is kept 未取得时间戳的章会保留
  4  cancelled by the person, or time ran out 已取消或超时
  5  the USB key: PIN wrong or locked, key removed, no usable certificate or seal USB Key：密码错误或锁定、被拔出、没有可用的证书或印章";

#[derive(Debug, Parser)]
#[command(name = "sealbridge", version, about = "印桥 Sealbridge: log in and stamp with your CA's USB key · 用 CA 机构的 USB Key 登录和盖章", after_help = EXIT_CODES, max_term_width = 120)]
struct Arguments {
    /// One JSON document on standard output instead of text 输出 JSON
    #[arg(long, global = true)]
    json: bool,
    /// Language of texts and windows 语言
    #[arg(long, global = true, value_parser = language, value_name = "zh-CN|en")]
    lang: Option<Language>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Modules, keys, certificates and seals 查看驱动、USB Key、证书和印章
    #[command(after_help = EXIT_CODES)]
    Status(status::Status),
    /// The keys that are plugged in; --watch follows them 查看已插入的 USB Key
    #[command(after_help = EXIT_CODES)]
    Tokens(status::Tokens),
    /// Stamp a PDF 在 PDF 上盖章
    #[command(after_help = EXIT_CODES)]
    Stamp(Box<stamp::Stamp>),
    /// Raise stamps to a higher level: timestamps and certificate status that last 为已盖的章补上时间戳和证书状态
    #[command(after_help = EXIT_CODES)]
    Extend(extend::Extend),
    /// Verify the signatures of PDFs 验证 PDF 的签章
    #[command(after_help = EXIT_CODES)]
    Verify(verify::Verify),
    /// List a PDF's form fields and signature fields 列出 PDF 的表单域
    #[command(after_help = EXIT_CODES)]
    Fields(fields::Fields),
    /// Where a text stands in a PDF, in mm 查找文字的位置
    #[command(after_help = EXIT_CODES)]
    Find(find::Find),
    /// Register with browsers 在浏览器中登记
    #[command(after_help = EXIT_CODES)]
    Install(install::Install),
    /// Take the registration back 取消登记
    #[command(after_help = EXIT_CODES)]
    Uninstall(install::Install),
    /// Change the key's PIN 修改 USB Key 的密码
    #[command(subcommand, after_help = EXIT_CODES)]
    Pin(pin::Pin),
    /// The record of what was signed on this computer 本机的签名记录
    #[command(after_help = EXIT_CODES)]
    Record(record::Record),
    /// Find the broken link 检查哪里有问题
    #[command(after_help = EXIT_CODES)]
    Doctor(doctor::Doctor),
}

/// How to speak to whoever started this.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Voice {
    /// Whether one JSON document is wanted.
    pub(crate) json: bool,
    /// The language.
    pub(crate) language: Language,
}

/// Runs one command line; `arguments` without the program's own name.
#[must_use]
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    let all = std::iter::once(OsString::from("sealbridge")).chain(arguments);
    let arguments = match Arguments::try_parse_from(all) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let voice = Voice { json: arguments.json, language: arguments.lang.unwrap_or_else(from_environment) };
    let ended = match arguments.verb {
        Verb::Status(verb) => verb.run(voice),
        Verb::Tokens(verb) => verb.run(voice),
        Verb::Stamp(verb) => verb.run(voice),
        Verb::Extend(verb) => verb.run(voice),
        Verb::Verify(verb) => verb.run(voice),
        Verb::Fields(verb) => verb.run(voice),
        Verb::Find(verb) => verb.run(voice),
        Verb::Install(verb) => verb.add(voice),
        Verb::Uninstall(verb) => verb.remove(voice),
        Verb::Pin(verb) => verb.run(voice),
        Verb::Record(verb) => verb.run(voice),
        Verb::Doctor(verb) => verb.run(voice),
    };
    ExitCode::from(ended.unwrap_or_else(|failure| {
        voice.failure(&failure);
        exit_code(&failure)
    }))
}

/// The documented exit code of a failure.
#[must_use]
pub fn exit_code(failure: &Failure) -> u8 {
    match failure.code {
        Code::Cancelled | Code::TimedOut => 4,
        Code::NoSignature
        | Code::NotPdf
        | Code::PdfTruncated
        | Code::PdfDamaged
        | Code::PdfPasswordNeeded
        | Code::PdfPasswordWrong
        | Code::PdfOverBudget
        | Code::PdfUnsupported
        | Code::ReadFailed
        | Code::CommandMalformed
        | Code::RequestMalformed => 2,
        code => match code.party() {
            Party::Environment => 3,
            Party::Token => 5,
            Party::User => 4,
            _ => 1,
        },
    }
}

impl Voice {
    /// Chinese or English.
    pub(crate) fn pick<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        match self.language {
            Language::ZhCn => zh,
            Language::En => en,
        }
    }

    /// One line for people on standard output. Whoever closed it does not want it.
    pub(crate) fn line(&self, text: impl AsRef<str>) {
        let _ = writeln!(io::stdout().lock(), "{}", text.as_ref());
    }

    /// The one JSON document.
    pub(crate) fn document<T: Serialize>(&self, value: &T) {
        if let Ok(text) = serde_json::to_string(value) {
            let _ = writeln!(io::stdout().lock(), "{text}");
        }
    }

    /// What went wrong and what to do.
    pub(crate) fn failure(&self, failure: &Failure) {
        if self.json {
            self.document(&json!({"failure": words::tell(failure, self.language)}));
        } else {
            let mut out = io::stderr().lock();
            let _ = writeln!(out, "{}\n{}\n[{}]", words::what(failure, self.language), words::remedy(failure, self.language), failure.code);
        }
    }
}

fn language(text: &str) -> Result<Language, String> {
    Language::ALL.into_iter().find(|language| language.as_str().eq_ignore_ascii_case(text)).ok_or_else(|| String::from("zh-CN or en"))
}

/// POSIX: the first of these that is set names the language; nothing or `C` says nothing about the person, and the first
/// language of the product is Chinese.
fn from_environment() -> Language {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .map_or(Language::ZhCn, |locale| Language::from_tag(&locale))
}
