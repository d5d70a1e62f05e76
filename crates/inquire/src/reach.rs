//! To which machines a question may go. A server that asks whatever a certificate names could be made to ask the machines around it; so
//! it asks only the public network, looked at after the name's lookup and once more for every redirect, and what its operator has named.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::http::uri::Authority;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// To which machines a question may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Any, also through the proxy that the environment names: a person at a terminal asked for it.
    Any,
    /// Machines of the public network, without a proxy.
    Public {
        /// Hosts that may be anywhere, each on its one port. A redirect leads there only from one of them.
        except: Vec<Host>,
    },
}

/// A host as it stands in an address, and its port; written `HOST` or `HOST:PORT`, without a port it is 80.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    name: String,
    port: u16,
}

impl Host {
    pub(crate) fn is_of(&self, uri: &Uri) -> bool {
        uri.host().is_some_and(|host| self.name.eq_ignore_ascii_case(host)) && uri.port_u16().unwrap_or(HTTP) == self.port
    }
}

impl FromStr for Host {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("{text}: not a host such as crl.example.cn or 10.0.0.7:8080");
        let authority: Authority = text.parse().map_err(|_| refused())?;
        // A colon with no number behind it, more colons, a user's name.
        let whole = match authority.port() {
            Some(port) => format!("{}:{port}", authority.host()),
            None => authority.host().to_owned(),
        };
        if authority.host().is_empty() || whole != text {
            return Err(refused());
        }
        let port = if authority.port().is_some() { authority.port_u16().filter(|port| *port > 0).ok_or_else(refused)? } else { HTTP };
        Ok(Self { name: authority.host().to_owned(), port })
    }
}

/// The port of an address that names none.
const HTTP: u16 = 80;

/// Whether an address is of the public network (RFC 6890 and the registries of special-purpose addresses).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        // Shared by carriers (RFC 6598), protocol assignments (RFC 6890), 6to4 relays (RFC 7526), benchmarks (RFC 2544), reserved (RFC 1112).
        || a == 100 && (64..128).contains(&b)
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
        || a == 198 && (b == 18 || b == 19)
        || a >= 240;
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let last = |address: Ipv6Addr| {
        let [.., a, b, c, d] = address.octets();
        Ipv4Addr::new(a, b, c, d)
    };
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    // Addresses that carry one of the older kind lead where that leads: NAT64 (RFC 6052), 6to4 (RFC 3056).
    if (first, second) == (0x64, 0xff9b) {
        return address.segments().get(2..6) == Some(&[0, 0, 0, 0]) && is_public_v4(last(address));
    }
    if first == 0x2002 {
        let [_, _, a, b, c, d, ..] = address.octets();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    // Only 2000::/3 is given out; in it Teredo and other protocol assignments (2001::/23) and examples (2001:db8::/32, 3fff::/20) lead nowhere.
    first & 0xe000 == 0x2000 && !(first == 0x2001 && (second < 0x200 || second == 0xdb8)) && !(first == 0x3fff && second < 0x1000)
}

/// Looks names up and keeps what may be reached.
#[derive(Debug)]
pub(crate) struct Guarded {
    inner: DefaultResolver,
    except: Vec<Host>,
}

/// What the error says where nothing of a name's addresses may be reached.
pub(crate) const NOT_PUBLIC: &str = "not an address of the public network";

impl Guarded {
    pub(crate) fn new(except: Vec<Host>) -> Self {
        Self { inner: DefaultResolver::default(), except }
    }
}

impl Resolver for Guarded {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let all = self.inner.resolve(uri, config, timeout)?;
        if self.except.iter().any(|named| named.is_of(uri)) {
            return Ok(all);
        }
        let mut public = self.empty();
        for address in all.iter().filter(|address| is_public(address.ip())) {
            public.push(*address);
        }
        if public.is_empty() { Err(ureq::Error::BadUri(NOT_PUBLIC.to_owned())) } else { Ok(public) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Host, Uri, is_public};

    #[test]
    fn a_host_is_named_with_its_port() {
        for (named, address, is) in [
            ("crl.example.cn", "http://CRL.example.cn/x", true),
            ("crl.example.cn", "http://crl.example.cn:80/x", true),
            ("crl.example.cn", "http://crl.example.cn:8080/x", false),
            ("crl.example.cn:8080", "http://crl.example.cn:8080/x", true),
            ("crl.example.cn:8080", "http://crl.example.cn/x", false),
            ("crl.example.cn", "http://x.crl.example.cn/", false),
            ("[::1]:81", "http://[::1]:81/", true),
            ("[::1]", "http://[::1]:81/", false),
        ] {
            assert_eq!(named.parse::<Host>().unwrap().is_of(&address.parse::<Uri>().unwrap()), is, "{named} {address}");
        }
        for refused in ["", ":80", "a:", "a:0", "a:65536", "a:b", "a:1:2", "::1", "u@a", "http://a", "a/b", "a b"] {
            assert!(refused.parse::<Host>().is_err(), "{refused}");
        }
    }

    #[test]
    fn special_addresses_are_not_public() {
        for special in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.1.1.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "5f00::1",
        ] {
            assert!(!is_public(special.parse().unwrap()), "{special}");
        }
        for public in [
            "1.1.1.1",
            "100.63.0.1",
            "100.128.0.1",
            "114.114.114.114",
            "172.15.0.1",
            "172.32.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::1",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2400:3200::1",
            "2a00::1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }
}
