//! What RFC 5280 §4 demands of those who issue and §6 does not look at: names that constraints are about must be names, and extensions must stand
//! where they mean something. Only what makes a path less sure, or no certificate of this field breaks, is asked here; and only of a path: a
//! certificate that stands beside it may be as it is.

use super::Certificate;
use crate::asn1::{Asn1Error, Element, tag};

/// The most names of one certificate that are looked at.
const NAMES_MAX: usize = 1024;
/// GeneralName dNSName.
const DNS_NAME: u8 = 0x82;

/// What a certificate has in its extensions that this file judges.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Profile {
    /// dNSName entries of the subject's alternative names, and whether the extension is critical.
    names: Option<(Vec<Vec<u8>>, bool)>,
    /// dNSName entries of the excluded subtrees; present where the extension is.
    constraints: Option<Vec<Vec<u8>>>,
    broken: Option<&'static str>,
}

impl Profile {
    /// The certificate breaks this rule.
    pub(super) fn is_broken(&mut self, rule: &'static str) {
        self.broken.get_or_insert(rule);
    }

    /// Subject alternative names (§4.2.1.6): at least one.
    pub(super) fn read_names(&mut self, value: &[u8], critical: bool) {
        match names(value) {
            Ok(names) => self.names = Some((names, critical)),
            Err(_) => self.is_broken("alternative names that can not be read (RFC 5280, 4.2.1.6)"),
        }
    }

    /// Name constraints (§4.2.1.10); `certval` judges them, but what wildcards would reach.
    pub(super) fn read_constraints(&mut self, value: &[u8]) {
        match excluded(value) {
            Ok(excluded) => self.constraints = Some(excluded),
            Err(_) => self.is_broken("name constraints without a subtree (RFC 5280, 4.2.1.10)"),
        }
    }
}

/// The dNSName entries of GeneralNames.
fn names(value: &[u8]) -> Result<Vec<Vec<u8>>, Asn1Error> {
    let (mut names, mut count) = (Vec::new(), 0_usize);
    let mut reader = Element::parse(value)?.expect(tag::SEQUENCE)?.reader()?;
    while let Some(name) = reader.next()? {
        count += 1;
        // The choices of GeneralName are context tags 0 to 8.
        if count > NAMES_MAX || name.tag() & 0xc0 != 0x80 || name.tag() & 0x1f > 8 {
            return Err(Asn1Error::Value);
        }
        if name.tag() == DNS_NAME {
            names.push(name.content().to_vec());
        }
    }
    if count == 0 { Err(Asn1Error::Value) } else { Ok(names) }
}

/// The dNSName entries of excluded subtrees.
fn excluded(value: &[u8]) -> Result<Vec<Vec<u8>>, Asn1Error> {
    let mut fields = Element::parse(value)?.expect(tag::SEQUENCE)?.reader()?;
    let (mut excluded, mut subtrees) = (Vec::new(), 0_usize);
    for choice in [tag::CONTEXT_0, tag::CONTEXT_1] {
        let Some(trees) = fields.optional(choice)? else { continue };
        let mut trees = trees.reader()?;
        while let Some(tree) = trees.next()? {
            subtrees += 1;
            if subtrees > NAMES_MAX {
                return Err(Asn1Error::Value);
            }
            let base = tree.expect(tag::SEQUENCE)?.reader()?.element()?;
            if choice == tag::CONTEXT_1 && base.tag() == DNS_NAME {
                excluded.push(base.content().to_ascii_lowercase());
            }
        }
    }
    if subtrees == 0 { Err(Asn1Error::Value) } else { Ok(excluded) }
}

/// What of the profile a path breaks, leaf first and anchor last.
pub(crate) fn broken(path: &[Certificate]) -> Option<&'static str> {
    for (index, certificate) in path.iter().enumerate() {
        let profile = certificate.profile();
        if index > 0 && certificate.subject().attributes().is_empty() {
            return Some("an authority has no name (RFC 5280, 4.1.2.6)");
        }
        if profile.constraints.is_some() && !certificate.is_ca() {
            return Some("name constraints of a certificate that issues nothing (RFC 5280, 4.2.1.10)");
        }
        if profile.broken.is_some() {
            return profile.broken;
        }
        let Some((names, critical)) = &profile.names else { continue };
        if certificate.subject().attributes().is_empty() && !critical {
            return Some("the only name of a subject stands in an extension that is not critical (RFC 5280, 4.2.1.6)");
        }
        if !names.iter().all(|name| is_dns_name(name)) {
            return Some("a domain name that is none (RFC 5280, 4.2.1.6)");
        }
        let excluded = path.get(index.saturating_add(1)..).unwrap_or_default().iter().filter_map(|above| above.profile().constraints.as_ref()).flatten();
        for excluded in excluded {
            // `*.a` stands for names that `b.a` forbids.
            let reached = |name: &Vec<u8>| {
                let name = name.to_ascii_lowercase();
                name.strip_prefix(b"*").is_some_and(|base| excluded.ends_with(base))
            };
            if names.iter().any(reached) {
                return Some("a wildcard stands for names that an authority may not give (RFC 5280, 4.2.1.10)");
            }
        }
    }
    None
}

/// The preferred name syntax (RFC 1034 §3.5, RFC 1123 §2.1), with one whole label that may be a wildcard (RFC 9525 §6.3) and two labels behind it.
fn is_dns_name(name: &[u8]) -> bool {
    let (name, labels_min) = name.strip_prefix(b"*.").map_or((name, 1), |rest| (rest, 2));
    let labels: Vec<&[u8]> = name.split(|byte| *byte == b'.').collect();
    let is_label = |label: &&[u8]| {
        (1..=63).contains(&label.len())
            && label.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
            && label.first() != Some(&b'-')
            && label.last() != Some(&b'-')
    };
    // The last label of an address in digits would be a number; no domain's is.
    let is_number = labels.last().is_some_and(|last| last.iter().all(u8::is_ascii_digit));
    name.len() <= 253 && labels.len() >= labels_min && labels.iter().all(is_label) && !is_number
}

#[cfg(test)]
mod tests {
    use super::is_dns_name;

    #[test]
    fn domain_names() {
        for good in ["example.com", "localhost", "a-b.example", "1.example.com", "*.example.com", "xn--628h.example.com", "EXAMPLE.com"] {
            assert!(is_dns_name(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            ".",
            ".example.com",
            "example.com.",
            "a..b",
            "a_b.com",
            "127.0.0.1",
            "*",
            "*.com",
            "ba*.example.com",
            "a.*.example.com",
            "*.*.com",
            "-a.com",
            "😜.com",
        ] {
            assert!(!is_dns_name(bad.as_bytes()), "{bad}");
        }
    }
}
