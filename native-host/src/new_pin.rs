//! The windows in which a PIN is chosen or a token is agreed to: what will happen and the rule for PINs are told before anything is
//! typed, the new PIN is asked twice, and what does not meet the rule is asked for again with the reason. It tries nothing on
//! a token and keeps nothing.

use sealbridge_protocol::Language;
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::message::Phase;
use sealbridge_protocol::words;
use sealbridge_protocol::words::plain;

use crate::consent::Prompt;
use crate::dialog::{self, Given};
use crate::host::Host;
use crate::key_use::Asked;
use crate::pin::Pin;
use crate::token::Slot;

/// How often a PIN that does not meet the rule is asked for again.
const TIMES: u32 = 5;
/// Shortest PIN.
pub const CHARACTERS_MIN: usize = 8;

/// Whether a PIN meets the rule: at least [`CHARACTERS_MIN`] characters, among them an upper and a lower case letter, a digit and a
/// special character.
#[must_use]
pub fn meets_rule(pin: &Pin) -> bool {
    let text = pin.expose();
    let has = |kind: fn(char) -> bool| text.chars().any(kind);
    text.chars().count() >= CHARACTERS_MIN
        && has(|character| character.is_ascii_uppercase())
        && has(|character| character.is_ascii_lowercase())
        && has(|character| character.is_ascii_digit())
        && has(|character| !character.is_alphanumeric() && !character.is_whitespace())
}

/// Shows the text and takes a PIN that is set already.
///
/// # Errors
/// `cancelled`, `timed-out`, `dialog-…`, `pin-length`, `pin-characters`.
pub fn ask_present(host: &Host, title: &str, lines: &[String], warning: Option<String>, asked: Asked<'_>) -> Result<Pin, Failure> {
    let zh = asked.language == Language::ZhCn;
    window(host, title, lines, warning, if zh { "密码（PIN）：" } else { "PIN:" }, asked)
}

/// Shows the text with the rule and takes a new PIN, twice.
///
/// # Errors
/// As [`ask_present`], and `pin-weak`, `pin-same`, `pin-mismatch` where that is what the last of several windows ended with.
pub fn ask_new(host: &Host, title: &str, lines: &[String], old: Option<&Pin>, slot: &Slot, asked: Asked<'_>) -> Result<Pin, Failure> {
    let zh = asked.language == Language::ZhCn;
    let mut lines = lines.to_vec();
    lines.push(String::from(if zh {
        "新密码（PIN）：至少 8 位，包含大写字母、小写字母、数字和特殊字符，不能与原密码相同。"
    } else {
        "The new PIN: at least 8 characters, with upper and lower case letters, digits and special characters, and not the old one."
    }));
    let again = [String::from(if zh { "请再输入一次新密码（PIN）。" } else { "Type the new PIN once more." })];
    let mut reason: Option<Failure> = None;
    for _ in 0..TIMES {
        let warning = reason.as_ref().map(|failure| words::what(failure, asked.language));
        let pin = window(host, title, &lines, warning, if zh { "新密码：" } else { "New PIN:" }, asked)?;
        let too_long = slot.pin_max > 0 && pin.len() > slot.pin_max;
        if !meets_rule(&pin) || pin.len() < slot.pin_min {
            reason = Some(Failure::new(Code::PinWeak));
            continue;
        }
        if too_long {
            reason = Some(Failure::new(Code::PinLength).with("minimum", slot.pin_min.max(CHARACTERS_MIN)).with("maximum", slot.pin_max));
            continue;
        }
        if old.is_some_and(|old| old.expose() == pin.expose()) {
            reason = Some(Failure::new(Code::PinSame));
            continue;
        }
        let repeated = window(host, title, &again, None, if zh { "新密码：" } else { "New PIN:" }, asked)?;
        if repeated.expose() == pin.expose() {
            return Ok(pin);
        }
        reason = Some(Failure::new(Code::PinMismatch));
    }
    Err(reason.unwrap_or_else(|| Failure::new(Code::Cancelled)))
}

/// A line that names a token.
#[must_use]
pub fn token_line(slot: &Slot, language: Language) -> String {
    let colon = if language == Language::ZhCn { "：" } else { ": " };
    let label = if slot.label.is_empty() { &slot.model } else { &slot.label };
    format!("USB Key{colon}{} ({})", plain(label, 32), plain(&slot.serial, 32))
}

fn window(host: &Host, title: &str, lines: &[String], warning: Option<String>, label: &'static str, asked: Asked<'_>) -> Result<Pin, Failure> {
    let zh = asked.language == Language::ZhCn;
    let prompt = Prompt {
        title: title.to_owned(),
        pages: vec![lines.join("\n")],
        warning,
        label,
        agree: if zh { "确定" } else { "OK" },
        next: if zh { "下一页" } else { "Next" },
        cancel: if zh { "取消" } else { "Cancel" },
    };
    (asked.phase)(Phase::Pin);
    match dialog::ask(&host.programs, &prompt, true, asked.stop)? {
        Given::Pin(pin) => Ok(pin),
        Given::Agreement => Err(Failure::new(Code::Internal).with("detail", "a window without its PIN")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_for_pins() {
        let check = |text: &str, meets: bool| assert_eq!(meets_rule(&Pin::new(text.as_bytes()).unwrap()), meets, "{text}");
        check("Abcdef1!", true);
        check("密Ab1!密码密", true);
        check("Abcde1!", false);
        check("abcdef1!", false);
        check("ABCDEF1!", false);
        check("Abcdefg!", false);
        check("Abcdefg1", false);
        check("Abcdef1 ", false);
        check("12345678", false);
    }
}
