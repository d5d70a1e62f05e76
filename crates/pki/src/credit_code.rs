//! The unified social credit code (统一社会信用代码, GB 32100-2015): its check character, and how it is
//! found in what CAs write, where it may be bare, prefixed, wrapped in further ASN.1 strings or in base64.
//! Nothing is taken that does not pass the check.

use crate::asn1::{Element, Reader, tag};
use crate::name;
use base64ct::{Base64, Base64Unpadded, Encoding as _};

/// The 31 characters of GB 32100-2015 table 2; I, O, S, V and Z are left out.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// How many characters a code has.
const LENGTH: usize = 18;

/// What is looked at in one value, in bytes.
const MAX_VALUE: usize = 1024;

/// Whether the text is a code: 18 characters, positions 3 to 8 digits (the registering authority's region), and the right
/// check character (GB 32100-2015 §4 and annex A). Lower-case letters are not accepted.
#[must_use]
pub fn is_valid(code: &str) -> bool {
    let bytes = code.as_bytes();
    if bytes.len() != LENGTH || !bytes.iter().skip(2).take(6).all(u8::is_ascii_digit) {
        return false;
    }
    let mut sum = 0_usize;
    // The weight of position i is 3^(i-1) mod 31.
    let mut weight = 1_usize;
    for byte in bytes.iter().take(LENGTH - 1) {
        let Some(value) = ALPHABET.iter().position(|letter| letter == byte) else { return false };
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    let check = (31 - sum % 31) % 31;
    bytes.last() == ALPHABET.get(check)
}

/// Completes 17 characters with their check character; none if they can not begin a code.
#[must_use]
pub fn complete(first_17: &str) -> Option<String> {
    ALPHABET.iter().map(|letter| format!("{first_17}{}", char::from(*letter))).find(|code| is_valid(code))
}

/// The code in an attribute's or extension's value (with its tag), or in bare text.
#[must_use]
pub fn find(value: &[u8]) -> Option<String> {
    find_at(value.get(..MAX_VALUE).unwrap_or(value), 0)
}

fn find_at(value: &[u8], depth: usize) -> Option<String> {
    if depth > 4 {
        return None;
    }
    // Wrapped: an ASN.1 string of any type, or something constructed of such.
    if let Ok(element) = Element::parse(value) {
        let inner = match element.tag() {
            tag::OCTET_STRING => find_at(element.content(), depth + 1),
            tag::BIT_STRING => element.bits().ok().and_then(|bits| find_at(bits, depth + 1)),
            constructed if constructed & 0x20 != 0 => {
                let mut found = None;
                let mut reader = Reader::new(element.content());
                while let (None, Ok(Some(child))) = (&found, reader.next()) {
                    found = find_at(child.raw(), depth + 1);
                }
                found
            }
            // A context tag over a primitive string hides which string it is.
            context if context & 0xc0 == 0x80 => find_at(element.content(), depth + 1),
            _ => name::text(&element).and_then(|text| in_text(&text)),
        };
        if inner.is_some() {
            return inner;
        }
    }
    core::str::from_utf8(value).ok().and_then(in_text)
}

/// The code in text: alone, behind a separator, behind or inside a longer run, or in base64 behind a marker.
fn in_text(text: &str) -> Option<String> {
    let capital = text.to_ascii_uppercase();
    let runs = || capital.split(|c: char| !c.is_ascii_alphanumeric()).filter(|run| run.len() >= LENGTH);
    // A run that is the code and nothing else leaves no doubt.
    if let Some(code) = runs().find(|run| is_valid(run)) {
        return Some(code.to_owned());
    }
    // Identity values of the form `10001@0006PO1<base64>`: what is behind the marker is encoded.
    if let Some((_, encoded)) = text.rsplit_once("PO1") {
        let decoded = Base64::decode_vec(encoded).or_else(|_| Base64Unpadded::decode_vec(encoded)).ok();
        if let Some(code) = decoded.and_then(|bytes| String::from_utf8(bytes).ok()).and_then(|inner| alone(&inner)) {
            return Some(code);
        }
    }
    // Prefix without a separator: the code ends the run. A window anywhere else would find codes that are none.
    runs().find_map(|run| run.get(run.len() - LENGTH..).filter(|tail| is_valid(tail)).map(str::to_owned))
}

fn alone(text: &str) -> Option<String> {
    text.to_ascii_uppercase().split(|c: char| !c.is_ascii_alphanumeric()).find(|run| is_valid(run)).map(str::to_owned)
}
