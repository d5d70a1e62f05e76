//! `doctor`: prints the examination of [`crate::doctor`].

use std::path::PathBuf;

use clap::Args;
use sealbridge_protocol::environment::Mark;
use sealbridge_protocol::failure::Failure;
use serde_json::json;

use super::Voice;
use crate::doctor::{self, Examined};

#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Look for the extension and the registration in this browser profile (Chromium --user-data-dir or a Firefox profile) 浏览器配置文件夹
    #[arg(long, value_name = "DIR")]
    profile: Option<PathBuf>,
    /// The home folder that Firefox is started with, where it is another 启动 Firefox 所用的主目录
    #[arg(long, value_name = "DIR", requires = "profile")]
    firefox_home: Option<PathBuf>,
    /// A short text without personal data, for the support 供客服使用的文本,不含个人信息
    #[arg(long, conflicts_with = "json")]
    text: bool,
}

impl Doctor {
    pub(super) fn run(self, voice: Voice) -> Result<u8, Failure> {
        let examined = doctor::examine(&Examined { profile: self.profile, firefox_home: self.firefox_home });
        let broken = examined.iter().any(|row| row.mark == Mark::Broken);
        if self.text {
            voice.line(doctor::support_text(&examined).trim_end());
        } else if voice.json {
            let rows: Vec<_> = examined.iter().map(|row| row.told(voice.language)).collect();
            voice.document(&json!({"ok": !broken, "rows": rows}));
        } else {
            for row in &examined {
                let told = row.told(voice.language);
                voice.line(format!(
                    "{} {}: {}{}",
                    doctor::symbol(told.mark),
                    told.title,
                    told.what,
                    told.code.map(|code| format!(" [{code}]")).unwrap_or_default()
                ));
                if !told.remedy.is_empty() {
                    voice.line(format!("    → {}", told.remedy));
                }
            }
        }
        Ok(if broken { 3 } else { 0 })
    }
}
