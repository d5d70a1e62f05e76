//! `verify`: judges the signatures of PDFs by our own verifier. Changes nothing and asks no network.

use std::path::{Path, PathBuf};

use clap::Args;
use sealbridge_pdf::{Document, OpenOptions};
use sealbridge_pki::Certificate;
use sealbridge_protocol::Language;
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::words;
use sealbridge_seal::verify::Allowed;
use sealbridge_seal::{Policy, Report, Verdict, verify};
use serde_json::{Value, json};

use super::{Voice, exit_code};
use crate::file;
use crate::host::now;
use crate::time::parse_rfc3339;

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The documents 文件
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Certificates of trusted authorities, PEM; may be repeated 信任的根证书
    #[arg(long, value_name = "PEM")]
    trust: Vec<PathBuf>,
    /// Certificates of seal makers that are trusted by themselves, PEM; may be repeated 信任的制章人证书
    #[arg(long, value_name = "PEM")]
    seal_maker: Vec<PathBuf>,
    /// The time that counts as now, RFC 3339 验证时刻
    #[arg(long, value_name = "TIME", value_parser = |text: &str| parse_rfc3339(text).ok_or("2026-11-21T05:22:00Z"))]
    at: Option<i64>,
    /// What may follow a signature: nothing; further signatures with what was filled in as they were made, timestamps and
    /// validation data; or also form filling that nobody signed 签名之后允许的改动
    #[arg(long, value_name = "nothing|signatures|form-filling", default_value = "signatures", value_parser = allowed)]
    policy: Allowed,
    /// Read the document's password from this file descriptor 从文件描述符读取打开密码
    #[arg(long, value_name = "N")]
    password_fd: Option<i32>,
}

impl Verify {
    pub(super) fn run(self, voice: Voice) -> Result<u8, Failure> {
        let anchors = certificates(&self.trust)?;
        let makers: Vec<[u8; 32]> = certificates(&self.seal_maker)?.iter().map(Certificate::sha256).collect();
        let policy = Policy { anchors: &anchors, seal_makers: &makers, now: self.at.unwrap_or_else(now), allowed: self.policy, ..Policy::default() };
        let password = self.password_fd.map(super::stamp::read_secret).transpose()?;
        let mut worst = 0;
        let mut documents = Vec::new();
        for path in &self.files {
            let judged = judge(path, &policy, password.as_ref().map(|secret| secret.as_slice()), voice);
            let code = match &judged {
                Ok(report) => match report.verdict {
                    Verdict::Valid => 0,
                    Verdict::NoSignature => 2,
                    _ => 1,
                },
                Err(failure) => exit_code(failure),
            };
            worst = worst.max(code);
            if voice.json {
                documents.push(described(path, &judged, voice.language));
            } else {
                show(path, &judged, voice);
            }
        }
        if voice.json {
            voice.document(&json!({"documents": documents}));
        }
        Ok(worst)
    }
}

fn allowed(text: &str) -> Result<Allowed, String> {
    Allowed::ALL.iter().copied().find(|allowed| allowed.as_str() == text).ok_or_else(|| "nothing, signatures, form-filling".to_owned())
}

fn judge(path: &Path, policy: &Policy<'_>, password: Option<&[u8]>, voice: Voice) -> Result<Report, Failure> {
    let source = super::stamp::opened_to_read(path, voice)?;
    let pdf = |error| super::stamp::pdf_failure(&error, path);
    let options = OpenOptions { password: password.map(<[u8]>::to_vec), ..OpenOptions::default() };
    let document = Document::open(source, options).map_err(pdf)?;
    verify(&document, &Policy { password, ..policy.clone() }).map_err(pdf)
}

/// All certificates of PEM files.
///
/// # Errors
/// `read-failed`.
pub(super) fn certificates(files: &[PathBuf]) -> Result<Vec<Certificate>, Failure> {
    let mut certificates = Vec::new();
    for file in files {
        let failed = |detail: &dyn std::fmt::Display| Failure::new(Code::ReadFailed).with("name", file::name(file)).with("detail", detail);
        let text = std::fs::read_to_string(file).map_err(|error| failed(&error))?;
        certificates.extend(Certificate::parse_pem(&text).map_err(|error| failed(&error))?);
    }
    Ok(certificates)
}

fn described(path: &Path, judged: &Result<Report, Failure>, language: Language) -> Value {
    match judged {
        Ok(report) => {
            json!({"file": path, "verdict": report.verdict, "valid": report.is_valid_and_whole(), "intact": report.is_intact_and_whole(), "report": report})
        }
        Err(failure) => json!({"file": path, "valid": false, "intact": false, "failure": words::tell(failure, language)}),
    }
}

fn show(path: &Path, judged: &Result<Report, Failure>, voice: Voice) {
    let text = match judged {
        Ok(report) => report.text(match voice.language {
            Language::ZhCn => sealbridge_seal::Language::ZhCn,
            Language::En => sealbridge_seal::Language::En,
        }),
        Err(failure) => format!("{}\n{}", words::what(failure, voice.language), words::remedy(failure, voice.language)),
    };
    voice.line(format!("{}:\n{}", path.display(), text.trim_end()));
}
