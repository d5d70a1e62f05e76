//! `pin change`: another PIN, asked in the window. It takes none on the command line.

use std::time::Duration;

use clap::{Args, Subcommand};
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::fields::TokenRef;
use serde_json::json;

use super::Voice;
use crate::host::Host;
use crate::key_use::Asked;
use crate::stop::Stop;
use crate::upkeep;

/// How long the person may take.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Debug, Subcommand)]
pub(super) enum Pin {
    /// Asks for the present PIN, then twice for the new one 先输入现在的密码，再输入两次新密码
    Change(Change),
}

#[derive(Debug, Args)]
pub(super) struct Change {
    /// The key's serial number, where more than one is plugged in USB Key 序列号
    #[arg(long, value_name = "SERIAL")]
    token: Option<String>,
}

impl Pin {
    pub(super) fn run(self, voice: Voice) -> Result<u8, Failure> {
        let Self::Change(change) = self;
        let host = Host::load()?;
        let stop = Stop::after(PATIENCE);
        let token = change.token(&host, &stop)?;
        let asked = Asked { language: voice.language, stop: &stop, phase: &|_| {}, pin: None };
        upkeep::change_pin(&host, &token, asked)?;
        if voice.json {
            voice.document(&json!({"ok": true, "token": token.serial}));
        } else {
            voice.line(voice.pick("密码已修改。", "The PIN was changed."));
        }
        Ok(0)
    }
}

impl Change {
    /// The token with that serial number, or the only one that is set up.
    fn token(&self, host: &Host, stop: &Stop) -> Result<TokenRef, Failure> {
        let mut found = Vec::new();
        for shelf in host.directory.shelves(stop) {
            for contents in shelf.contents? {
                let slot = contents.slot;
                if slot.flags.initialised && self.token.as_ref().is_none_or(|serial| *serial == slot.serial) {
                    found.push((
                        TokenRef { module: shelf.module.name.clone(), serial: slot.serial.clone(), slot: None },
                        format!("{} ({})", slot.label, slot.serial),
                    ));
                }
            }
        }
        if found.len() > 1 {
            let names: Vec<String> = found.into_iter().map(|(_, name)| name).collect();
            return Err(Failure::new(Code::TokenAmbiguous).with("count", names.len()).with("tokens", names.join(", ")));
        }
        found.pop().map(|(token, _)| token).ok_or_else(|| Failure::new(Code::TokenMissing))
    }
}
