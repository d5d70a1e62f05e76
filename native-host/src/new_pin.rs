//! The windows in which a PIN is chosen or a token is agreed to: what will happen and the rule for PINs are told before anything is
//! typed, the new PIN is asked twice, and what does not meet the rule is asked for again with the reason. It tries nothing on
//! a token and keeps nothing. Names from outside are shortened as far as a window needs.

use sealbridge_protocol::Language;
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::message::Phase;
use sealbridge_protocol::words;
use sealbridge_protocol::words::plain;

use crate::consent::{Prompt, Room, fitted, on_the_pad};
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

/// The lines of a window, with so much room for names.
pub(crate) type Lines<'a> = &'a dyn Fn(Room) -> Vec<String>;

/// Shows the text and takes the PIN that is set already; nothing where it is entered on the token or its reader.
///
/// # Errors
/// `cancelled`, `timed-out`, `dialog-…`, `pin-length`, `pin-characters`.
pub(crate) fn ask_present(host: &Host, title: &str, lines: Lines<'_>, warning: Option<String>, slot: &Slot, asked: Asked<'_>) -> Result<Option<Pin>, Failure> {
    let zh = asked.language == Language::ZhCn;
    if slot.flags.protected_path {
        let lines = |room| [lines(room), vec![on_the_pad(zh)]].concat();
        (asked.phase)(Phase::Consent);
        dialog::ask(&host.programs, &prompt(title, &lines, warning, "", zh), false, asked.stop)?;
        return Ok(None);
    }
    let pin = window(host, &prompt(title, lines, warning, if zh { "密码（PIN）：" } else { "PIN:" }, zh), asked)?;
    slot.admits(&pin)?;
    Ok(Some(pin))
}

/// Shows the text with the rule and takes a new PIN, twice.
///
/// # Errors
/// As [`ask_present`], and `pin-weak`, `pin-same`, `pin-mismatch` where that is what the last of several windows ended with.
pub(crate) fn ask_new(host: &Host, title: &str, lines: Lines<'_>, old: Option<&Pin>, slot: &Slot, asked: Asked<'_>) -> Result<Pin, Failure> {
    let zh = asked.language == Language::ZhCn;
    let label = if zh { "新密码：" } else { "New PIN:" };
    let least = least(slot);
    let with_rule = |room| {
        let rule = if zh {
            format!("新密码（PIN）：至少 {least} 位，包含大写字母、小写字母、数字和特殊字符，不能与原密码相同。")
        } else {
            format!("The new PIN: at least {least} characters, with upper and lower case letters, digits and special characters, and not the old one.")
        };
        [lines(room), vec![rule]].concat()
    };
    let again = |_: Room| vec![String::from(if zh { "请再输入一次新密码（PIN）。" } else { "Type the new PIN once more." })];
    let mut reason: Option<Failure> = None;
    for _ in 0..TIMES {
        let warning = reason.as_ref().map(|failure| words::what(failure, asked.language));
        let pin = window(host, &prompt(title, &with_rule, warning, label, zh), asked)?;
        if !meets_rule(&pin) {
            reason = Some(Failure::new(Code::PinWeak));
            continue;
        }
        if slot.admits(&pin).is_err() {
            reason = Some(slot.wrong_length(least));
            continue;
        }
        if old.is_some_and(|old| old.expose() == pin.expose()) {
            reason = Some(Failure::new(Code::PinSame));
            continue;
        }
        let repeated = window(host, &prompt(title, &again, None, label, zh), asked)?;
        if repeated.expose() == pin.expose() {
            return Ok(pin);
        }
        reason = Some(Failure::new(Code::PinMismatch));
    }
    Err(reason.unwrap_or_else(|| Failure::new(Code::Cancelled)))
}

/// How long a new PIN of this token has to be.
#[must_use]
pub(crate) fn least(slot: &Slot) -> usize {
    slot.pin_min.max(CHARACTERS_MIN)
}

/// A line that names a token.
#[must_use]
pub(crate) fn token_line(slot: &Slot, language: Language, room: Room) -> String {
    let colon = if language == Language::ZhCn { "：" } else { ": " };
    let label = if slot.label.is_empty() { &slot.model } else { &slot.label };
    format!("USB Key{colon}{} ({})", plain(label, room.token), plain(&slot.serial, room.token))
}

fn prompt(title: &str, lines: Lines<'_>, warning: Option<String>, label: &'static str, zh: bool) -> Prompt {
    fitted(|room| Prompt {
        title: title.to_owned(),
        pages: vec![lines(room).join("\n")],
        warning: warning.clone(),
        label,
        agree: if zh { "确定" } else { "OK" },
        next: if zh { "下一页" } else { "Next" },
        cancel: if zh { "取消" } else { "Cancel" },
    })
}

fn window(host: &Host, prompt: &Prompt, asked: Asked<'_>) -> Result<Pin, Failure> {
    (asked.phase)(Phase::Pin);
    match dialog::ask(&host.programs, prompt, true, asked.stop)? {
        Given::Pin(pin) => Ok(pin),
        Given::Agreement => Err(Failure::new(Code::Internal).with("detail", "a window without its PIN")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an activation shows, with the longest names that desk and token can give.
    #[test]
    fn whatever_the_names_are_the_window_fits_into_one_line_of_pinentry() {
        let long = "𠮷%".repeat(300);
        let slot = Slot {
            slot: 0,
            label: long.clone(),
            serial: long.clone(),
            maker: String::new(),
            model: String::new(),
            flags: crate::token::Flags::default(),
            pin_min: 4,
            pin_max: 8,
        };
        for language in Language::ALL {
            let note = "一经激活的 CA，无法申请退回。如不同意，请点击取消。".repeat(4);
            let lines = |room: Room| vec![plain(&long, room.organisation), plain(&long, room.organisation), token_line(&slot, language, room), note.clone()];
            let shown = prompt("title", &lines, None, "PIN:", language == Language::ZhCn);
            assert!(crate::consent::escaped_length(&shown.pages[0]) <= crate::consent::PAGE_MAX, "{}", shown.pages[0]);
            assert!(shown.pages[0].contains(&note));
        }
    }

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
