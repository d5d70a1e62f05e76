//! `status` and `tokens`: what is plugged in, for people and as JSON. Uses no key.

use std::time::Duration;

use clap::Args;
use sealbridge_pki::{Certificate, usable_for_login, usable_for_stamp};
use sealbridge_protocol::Language;
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::status::{Answer, CertificateInfo, TokenInfo, TokenState};
use sealbridge_protocol::words::{self, plain};
use serde_json::{Value, json};

use super::Voice;
use crate::commands;
use crate::host::{Host, now};
use crate::stop::Stop;
use crate::time::date;
use crate::token::directory::Watch;

/// How long everything may take.
const ALLOWED: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub(super) struct Status {}

#[derive(Debug, Args)]
pub(super) struct Tokens {
    /// Go on and print a line whenever a key is plugged in or pulled out 持续显示插拔
    #[arg(long)]
    watch: bool,
    /// With --watch: stop after this many seconds 持续的秒数
    #[arg(long, value_name = "SECONDS", requires = "watch")]
    seconds: Option<u64>,
}

impl Status {
    pub(super) fn run(self, voice: Voice) -> Result<u8, Failure> {
        let host = configured()?;
        let answer = commands::status::run(&host, &Stop::after(ALLOWED));
        if voice.json {
            voice.document(&answer);
        } else {
            for module in &answer.modules {
                let state = module.failure.as_ref().map_or_else(|| voice.pick("正常", "works").to_owned(), |failure| words::what(failure, voice.language));
                voice.line(format!("{}{} ({}) · {state}", voice.pick("驱动：", "Module: "), plain(&module.name, 60), module.path));
            }
            show_tokens(&answer, voice);
        }
        verdict(&answer)
    }
}

impl Tokens {
    pub(super) fn run(self, voice: Voice) -> Result<u8, Failure> {
        let host = configured()?;
        let answer = commands::status::run(&host, &Stop::after(ALLOWED));
        show(&answer, voice);
        if !self.watch {
            return verdict(&answer);
        }
        let mut watch = Watch::default();
        let started = std::time::Instant::now();
        host.directory.changed(&mut watch);
        while self.seconds.is_none_or(|seconds| started.elapsed().as_secs() < seconds) {
            std::thread::sleep(Duration::from_millis(500));
            if host.directory.changed(&mut watch) {
                show(&commands::status::run(&host, &Stop::after(ALLOWED)), voice);
            }
        }
        Ok(0)
    }
}

fn configured() -> Result<Host, Failure> {
    let host = Host::load()?;
    if host.config.modules.is_empty() { Err(Failure::new(Code::ModuleNotConfigured)) } else { Ok(host) }
}

/// Whether there is something to work with.
fn verdict(answer: &Answer) -> Result<u8, Failure> {
    if !answer.tokens.is_empty() {
        return Ok(0);
    }
    Ok(if answer.modules.iter().any(|module| module.failure.is_some()) { 3 } else { 5 })
}

fn show(answer: &Answer, voice: Voice) {
    if voice.json {
        let tokens: Vec<Value> = answer
            .tokens
            .iter()
            .map(|token| json!({"module": token.module, "slot": token.slot, "label": token.label, "serial": token.serial, "state": token.state}))
            .collect();
        voice.document(&json!({"tokens": tokens}));
    } else {
        show_tokens(answer, voice);
    }
}

fn show_tokens(answer: &Answer, voice: Voice) {
    if answer.tokens.is_empty() {
        voice.line(words::what(&Failure::new(Code::TokenMissing), voice.language));
    }
    for token in &answer.tokens {
        voice.line(format!("{}{} ({}) · {}", voice.pick("USB Key：", "USB key: "), plain(&token.label, 40), plain(&token.serial, 40), state(token, voice)));
        let held: Vec<Certificate> = token.certificates.iter().filter_map(|info| Certificate::parse(&info.der.0).ok()).collect();
        for info in &token.certificates {
            voice.line(format!("  {}", certificate(info, &held, voice)));
        }
        for seal in &token.seals {
            voice.line(format!("  {}{} ({} B) {}", voice.pick("印章：", "Seal: "), plain(&seal.label, 60), seal.size, seal.id));
        }
    }
}

fn state(token: &TokenInfo, voice: Voice) -> &'static str {
    let zh = voice.language == Language::ZhCn;
    match token.state {
        TokenState::Ready if zh => "就绪",
        TokenState::Ready => "ready",
        TokenState::PinLow if zh => "此前输错过密码（PIN）",
        TokenState::PinLow => "a wrong PIN was entered before",
        TokenState::PinFinalTry if zh => "密码（PIN）只剩最后一次机会",
        TokenState::PinFinalTry => "one PIN try is left",
        TokenState::Locked if zh => "已锁定",
        TokenState::Locked => "locked",
        TokenState::Uninitialised if zh => "未激活",
        TokenState::Uninitialised => "not activated",
    }
}

/// A certificate in one line, among the others of its token.
fn certificate(info: &CertificateInfo, held: &[Certificate], voice: Voice) -> String {
    let Ok(certificate) = Certificate::parse(&info.der.0) else {
        return format!("{}{}", voice.pick("证书无法读取：", "Unreadable certificate: "), info.id);
    };
    let name = plain(certificate.organisation().unwrap_or("?"), 80);
    let until = date(certificate.not_after());
    if certificate.is_ca() {
        return format!("{}{name} ({until})", voice.pick("颁发者证书：", "Issuer's certificate: "));
    }
    let mut uses = Vec::new();
    if usable_for_login(&certificate, now()).is_ok() && info.has_key {
        uses.push(voice.pick("登录", "login"));
    }
    if usable_for_stamp(&certificate, now()).is_ok() && info.has_key {
        uses.push(voice.pick("盖章", "stamp"));
    }
    if certificate.is_encryption_only() {
        uses.push(voice.pick("仅加密", "encryption only"));
    }
    if uses.is_empty() {
        uses.push(voice.pick("不可用", "not usable"));
    }
    if held.iter().any(|other| certificate.is_replaced_by(other, now())) {
        uses.push(voice.pick("已续期", "renewed"));
    }
    let uses = uses.join(voice.pick("、", ", "));
    let code = certificate.credit_code().unwrap_or_default();
    format!("{}{name} {code} {}{until} [{uses}] {}", voice.pick("证书：", "Certificate: "), voice.pick("有效期至 ", "valid until "), info.id)
}
