//! Origins as a browser gives them: scheme, host and port of the page in the address bar, in ASCII.
//!
//! An origin is compared byte for byte by portals and shown to people, so there is one spelling of each and
//! everything else is refused, never repaired: no upper case, no default port, no trailing dot, no path, no
//! user name, no Unicode, no opaque `null`. `https` only; `http` on the loopback only for developers.
//! It does not resolve names and it does not know which sites are trusted.
//! Sources: HTML Standard 7.1 (origin), URL Standard 3 (hosts), RFC 6454 6.2, RFC 5890 (A-labels), RFC 5952.

use core::net::{Ipv4Addr, Ipv6Addr};
use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::failure::{Code, Failure};

/// Longest origin, in bytes.
pub const ORIGIN_MAX: usize = 255;

/// A checked origin, for example `https://bid.example.cn:8443`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(String);

/// An origin as it stands in a message: the receiver must check it before it means anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UncheckedOrigin(String);

impl Origin {
    /// Takes an origin as the browser gives it (`sender.origin`, `new URL(…).origin`).
    /// `developer` also admits `http` for `localhost`, `*.localhost`, `127.0.0.0/8` and `[::1]`.
    ///
    /// # Errors
    /// `origin-refused` for anything that is not the one spelling of an origin that may be served.
    pub fn from_browser(text: &str, developer: bool) -> Result<Self, Failure> {
        match check(text, developer) {
            Some(()) => Ok(Self(text.to_owned())),
            None => Err(Failure::new(Code::OriginRefused).with("origin", cut(text))),
        }
    }

    /// The origin, for example `https://bid.example.cn`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host, without port and with the brackets of an IPv6 address.
    #[must_use]
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        match rest.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => rest,
        }
    }

    /// Whether the host has a label in punycode: such a name looks different from what its owner meant, or
    /// looks like another name, and is worth a second glance.
    #[must_use]
    pub fn is_internationalised(&self) -> bool {
        self.host().split('.').any(|label| label.starts_with("xn--"))
    }
}

impl UncheckedOrigin {
    /// Wraps what is to be sent; the receiver checks it.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Makes it an origin; see [`Origin::from_browser`].
    ///
    /// # Errors
    /// `origin-refused`.
    pub fn check(&self, developer: bool) -> Result<Origin, Failure> {
        Origin::from_browser(&self.0, developer)
    }
}

impl From<Origin> for UncheckedOrigin {
    fn from(origin: Origin) -> Self {
        Self(origin.0)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

fn check(text: &str, developer: bool) -> Option<()> {
    if text.len() > ORIGIN_MAX {
        return None;
    }
    let (scheme, authority) = text.split_once("://")?;
    let (host, port) = split_port(authority)?;
    let loopback = check_host(host)?;
    match scheme {
        "https" if port != Some(443) => Some(()),
        "http" if developer && loopback && port != Some(80) => Some(()),
        _ => None,
    }
}

/// Host and port; a port has one to five digits, no leading zero, and is not zero.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let end = if authority.starts_with('[') { authority.find(']')?.checked_add(1)? } else { authority.find(':').unwrap_or(authority.len()) };
    let (host, rest) = authority.split_at_checked(end)?;
    if rest.is_empty() {
        return Some((host, None));
    }
    let digits = rest.strip_prefix(':')?;
    if digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((host, Some(digits.parse().ok()?)))
}

/// Whether the host is a loopback one; nothing when it is not a host in its one spelling.
fn check_host(host: &str) -> Option<bool> {
    if let Some(inner) = host.strip_prefix('[') {
        let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        return (spelled(address) == host).then(|| address.is_loopback());
    }
    if host.is_empty() || host.len() > 253 || !host.split('.').all(is_label) {
        return None;
    }
    // A host whose last label is a number is an IPv4 address to every browser (URL Standard 3.5).
    let last = host.rsplit('.').next()?;
    if last.bytes().all(|byte| byte.is_ascii_digit()) || is_hexadecimal_number(last) {
        let address: Ipv4Addr = host.parse().ok()?;
        return (address.to_string() == host).then(|| address.is_loopback());
    }
    Some(host == "localhost" || host.ends_with(".localhost"))
}

/// Letters in lower case, digits, hyphens and underscores (which browsers allow), 1 to 63 of them, no hyphen
/// at the ends. A label of the form `??--` must be punycode (RFC 5891 4.2.3.1).
fn is_label(label: &str) -> bool {
    let bytes = label.as_bytes();
    let reserved = bytes.get(2..4) == Some(b"--");
    (1..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
        && !label.starts_with('-')
        && !label.ends_with('-')
        && (!reserved || (label.starts_with("xn--") && bytes.len() > 4))
}

fn is_hexadecimal_number(label: &str) -> bool {
    label.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// IPv6 as browsers write it (URL Standard 3.5): RFC 5952 without its dotted form for mapped addresses.
fn spelled(address: Ipv6Addr) -> String {
    let pieces = address.segments();
    // The longest run of at least two zeros is compressed, the first one of equal length.
    let (mut start, mut run) = (0_usize, 0_usize);
    let mut index = 0_usize;
    while index < pieces.len() {
        let zeros = pieces.iter().skip(index).take_while(|piece| **piece == 0).count();
        if zeros > run {
            (start, run) = (index, zeros);
        }
        index = index.saturating_add(zeros.max(1));
    }
    let hexadecimal = |pieces: &mut dyn Iterator<Item = &u16>| pieces.map(|piece| format!("{piece:x}")).collect::<Vec<_>>().join(":");
    if run < 2 {
        return format!("[{}]", hexadecimal(&mut pieces.iter()));
    }
    let head = hexadecimal(&mut pieces.iter().take(start));
    let tail = hexadecimal(&mut pieces.iter().skip(start.saturating_add(run)));
    format!("[{head}::{tail}]")
}

fn cut(text: &str) -> String {
    text.chars().take(ORIGIN_MAX).collect()
}
