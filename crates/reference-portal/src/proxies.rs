//! Where a request really comes from: the peer's address, or, where the peer is a reverse proxy that the operator named,
//! the address that this proxy has written down. What anybody else writes into the header counts for nothing, and of a
//! proxy's own line only the part counts that a trusted proxy has added.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use axum::http::{HeaderMap, HeaderName};

/// A longer chain of proxies than this is read no further.
const CHAIN_MAX: usize = 32;

/// The reverse proxies in front of the portal.
#[derive(Debug, Clone)]
pub struct Proxies {
    /// Their addresses; with none, the header is never read.
    pub networks: Vec<Network>,
    /// Where they write the client's address: `X-Forwarded-For`, `X-Real-IP`, or `Forwarded` (RFC 7239).
    pub header: HeaderName,
}

impl Default for Proxies {
    fn default() -> Self {
        Proxies { networks: Vec::new(), header: HeaderName::from_static("x-forwarded-for") }
    }
}

impl Proxies {
    /// The client's address. Every proxy adds the address that it was called from at the end, so the list is read from
    /// there, and the first address that is no trusted proxy's is the client: what stands before it, the client may have
    /// written.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let entries = headers.get_all(&self.header).iter().rev().flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        for entry in entries.take(CHAIN_MAX) {
            if !self.trusts(client) {
                break;
            }
            // A proxy that writes "unknown" leaves us with what we know of itself.
            let Some(address) = address_in(entry) else { break };
            client = address;
        }
        client
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }
}

/// A range of addresses, written `192.0.2.0/24` or `2001:db8::/32` (RFC 4632, RFC 4291 section 2.3); an address alone is
/// a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// Whether `address` lies in the range; an IPv4 address in IPv6 form (`::ffff:192.0.2.1`) is taken for IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let hidden = 32_u32.saturating_sub(self.prefix);
                own.to_bits().checked_shr(hidden) == other.to_bits().checked_shr(hidden)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let hidden = 128_u32.saturating_sub(self.prefix);
                own.to_bits().checked_shr(hidden) == other.to_bits().checked_shr(hidden)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text}: not an address range such as 192.0.2.0/24 or 2001:db8::/32");
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(longest), str::parse).map_err(|_| wrong())?;
        if prefix > longest { Err(wrong()) } else { Ok(Network { address, prefix }) }
    }
}

/// The address in one entry: alone, with a port, or as RFC 7239's `for=` with its quotes and brackets.
fn address_in(entry: &str) -> Option<IpAddr> {
    let named = entry.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value)
    });
    let text = named.unwrap_or(entry).trim().trim_matches('"');
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::{Network, Proxies};
    use axum::http::{HeaderMap, HeaderName};

    #[test]
    fn ranges() {
        for (range, address, inside) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.6", false),
            ("192.0.2.129/25", "192.0.2.200", true),
            ("192.0.2.129/25", "192.0.2.1", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db8::1", true),
            ("::1", "::1", true),
        ] {
            let network: Network = range.parse().unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), inside, "{address} in {range}");
        }
        for wrong in ["", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8", "proxy.example", "10.0.0.0/8/8"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn clients() {
        const FORWARDED_FOR: &str = "x-forwarded-for";
        for (peer, name, lines, client) in [
            // Nobody trusted, or the peer is not.
            ("203.0.113.5", FORWARDED_FOR, &["198.51.100.1"][..], "203.0.113.5"),
            // One proxy.
            ("10.0.0.1", FORWARDED_FOR, &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:10.0.0.1", FORWARDED_FOR, &["198.51.100.1"], "198.51.100.1"),
            // What the client wrote itself stands in front.
            ("10.0.0.1", FORWARDED_FOR, &["192.0.2.99, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", FORWARDED_FOR, &["192.0.2.99", "198.51.100.1"], "198.51.100.1"),
            // Two proxies.
            ("10.0.0.1", FORWARDED_FOR, &["192.0.2.99, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            // A client that claims to be a proxy is one no longer when its address is reached.
            ("10.0.0.1", FORWARDED_FOR, &["10.0.0.9, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            // Nothing to read, or nothing readable.
            ("10.0.0.1", FORWARDED_FOR, &[], "10.0.0.1"),
            ("10.0.0.1", FORWARDED_FOR, &["unknown"], "10.0.0.1"),
            ("10.0.0.1", FORWARDED_FOR, &["198.51.100.1, unknown, 10.0.0.2"], "10.0.0.2"),
            // Other spellings.
            ("10.0.0.1", "x-real-ip", &["2001:db8::7"], "2001:db8::7"),
            ("10.0.0.1", FORWARDED_FOR, &["198.51.100.1:4711"], "198.51.100.1"),
            ("10.0.0.1", FORWARDED_FOR, &["[2001:db8::7]:4711"], "2001:db8::7"),
            ("10.0.0.1", "forwarded", &["for=192.0.2.99, for=198.51.100.1;proto=https;by=10.0.0.1"], "198.51.100.1"),
            ("10.0.0.1", "forwarded", &["proto=https; For=\"[2001:db8::7]:4711\""], "2001:db8::7"),
            ("10.0.0.1", "forwarded", &["for=_hidden"], "10.0.0.1"),
        ] {
            let proxies = Proxies { networks: vec!["10.0.0.0/8".parse().unwrap()], header: HeaderName::from_static(name) };
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(HeaderName::from_static(name), line.parse().unwrap());
            }
            assert_eq!(proxies.client(peer.parse().unwrap(), &headers).to_string(), client, "{peer} {name} {lines:?}");
            let nobody = Proxies { networks: Vec::new(), ..proxies };
            let peer: std::net::IpAddr = peer.parse().unwrap();
            assert_eq!(nobody.client(peer, &headers), peer.to_canonical(), "with no proxy named the header is not read");
        }
    }
}
