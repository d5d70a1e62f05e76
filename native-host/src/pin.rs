//! A PIN in memory: wiped when dropped, never printed, never compared, never stored.

use std::fmt;

use sealbridge_protocol::failure::{Code, Failure};
use zeroize::Zeroizing;

/// Longest PIN taken from any source, in bytes; tokens state their own, shorter limits.
pub const PIN_MAX: usize = 255;

/// A PIN, alive for one consent.
pub struct Pin(Zeroizing<String>);

impl Pin {
    /// Takes the bytes that a dialog or a pipe gave.
    ///
    /// # Errors
    /// `pin-length` when there are none or too many, `pin-characters` when they are not UTF-8 or hold controls.
    pub fn new(bytes: &[u8]) -> Result<Self, Failure> {
        if bytes.is_empty() || bytes.len() > PIN_MAX {
            return Err(Failure::new(Code::PinLength).with("minimum", 1).with("maximum", PIN_MAX));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Failure::new(Code::PinCharacters))?;
        if text.chars().any(char::is_control) {
            return Err(Failure::new(Code::PinCharacters));
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The characters, for the one call that needs them.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Length in bytes, as tokens count it (CK_TOKEN_INFO ulMinPinLen, ulMaxPinLen).
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never true: there is no empty PIN.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Pin(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_pin_is_refused_and_a_pin_is_never_printed() {
        let refused = |bytes: &[u8]| Pin::new(bytes).unwrap_err().code;
        assert_eq!(refused(b""), Code::PinLength);
        assert_eq!(refused(&[b'1'; 256]), Code::PinLength);
        assert_eq!(refused(b"12\n34"), Code::PinCharacters);
        assert_eq!(refused(&[0xff, 0xfe]), Code::PinCharacters);
        assert_eq!(format!("{:?}", Pin::new(b"Test-2468").unwrap()), "Pin(…)");
    }
}
