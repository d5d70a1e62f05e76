//! Revocation lists as RFC 5280 §6.3.3 goes through them: by distribution point, with reasons gathered until none is left open. Partitioned,
//! indirect and delta lists included.

use super::{Court, Source, Standing};
use crate::asn1;
use crate::certificate::Certificate;
use crate::certificate::points::{self, ALL_REASONS, DistributionPoint, PointName};
use crate::crl::{Crl, Revoked};
use crate::path;

/// CRLReason certificateHold: may be lifted again, so only information of the time itself counts.
const HOLD: u8 = 6;

impl Court<'_> {
    pub(super) fn by_lists(&self, certificate: &Certificate, issuer: &Certificate, waiting: &[Certificate]) -> Standing {
        let own = whatever_the_issuer_has(certificate);
        let (mut seen, mut oldest) = (0, i64::MAX);
        for point in certificate.distribution_points().iter().chain(std::iter::once(&own)) {
            for list in self.crls.iter().filter(|list| !list.is_delta()) {
                let Some(reasons) = scope(list, point, certificate) else { continue };
                if reasons & !seen == 0 {
                    continue;
                }
                let delta = self.delta(list, certificate);
                let newest = delta.map_or(list.this_update(), Crl::this_update);
                let covers = self.covers(list.this_update(), list.next_update(), certificate)
                    || delta.is_some_and(|delta| self.covers(delta.this_update(), delta.next_update(), certificate));
                let Some(revoked) = find(list, delta, certificate) else { continue };
                let counts = revoked.filter(|revoked| revoked.time <= self.at && (covers || revoked.reason != Some(HOLD)));
                if !covers && counts.is_none() || !self.is_signed(list, delta, issuer, (point, waiting)) {
                    continue;
                }
                if let Some(revoked) = counts {
                    return Standing::Revoked { source: Source::Crl, time: revoked.time, reason: revoked.reason };
                }
                seen |= reasons;
                oldest = oldest.min(newest);
            }
        }
        if seen == ALL_REASONS { Standing::Good { source: Source::Crl, this_update: oldest } } else { Standing::Unknown }
    }

    /// Whether the list covers the certificate through one of its points, and is signed by the certificate's issuer, by the anchor, or by a signer of
    /// lists with a path to the anchor at the list's own time.
    pub(super) fn is_word_of_lists(&self, list: &Crl, certificate: &Certificate, issuer: &Certificate) -> bool {
        let own = whatever_the_issuer_has(certificate);
        let in_scope = certificate.distribution_points().iter().chain(std::iter::once(&own)).any(|point| scope(list, point, certificate).is_some());
        let trusted = |signer: &Certificate| path::check_any(signer, self.certificates, std::slice::from_ref(self.anchor), list.this_update()).is_ok();
        in_scope && self.is_signed_by_one(list, None, issuer, trusted)
    }

    /// The newest delta list that goes with a complete one (RFC 5280 §5.2.4) and speaks about the time.
    fn delta(&self, list: &Crl, certificate: &Certificate) -> Option<&Crl> {
        let number = list.number()?;
        let fits = |delta: &&Crl| {
            !delta.is_beyond_us()
                && delta.issuer().is_same(list.issuer())
                && delta.point() == list.point()
                && delta.authority_key_identifier() == list.authority_key_identifier()
                && delta.base().is_some_and(|base| !is_below(number, base))
                && delta.number().is_some_and(|newer| is_below(number, newer))
                && self.covers(delta.this_update(), delta.next_update(), certificate)
        };
        self.crls.iter().filter(fits).max_by(|a, b| a.this_update().cmp(&b.this_update()))
    }

    /// Whether the list, and the delta with the same key, are signed by the certificate's issuer or by a signer of lists under the same anchor.
    fn is_signed(&self, list: &Crl, delta: Option<&Crl>, issuer: &Certificate, (point, waiting): (&DistributionPoint, &[Certificate])) -> bool {
        self.is_signed_by_one(list, delta, issuer, |signer| self.is_trusted_signer(signer, list, point, waiting))
    }

    /// The same, where `trusted` says of signers that are neither issuer nor anchor whether they may.
    fn is_signed_by_one(&self, list: &Crl, delta: Option<&Crl>, issuer: &Certificate, trusted: impl Fn(&Certificate) -> bool) -> bool {
        let candidates = std::iter::once(issuer).chain(self.certificates).chain(std::iter::once(self.anchor));
        let mut tried: Vec<&Certificate> = Vec::new();
        for signer in candidates.filter(|signer| signer.subject().is_same(list.issuer())) {
            if tried.contains(&signer) {
                continue;
            }
            tried.push(signer);
            let signed = |list: &Crl| self.spend() && list.verify_signature(signer).is_ok();
            if !signed(list) || !delta.is_none_or(signed) {
                continue;
            }
            // The issuer and the anchor are judged with the path itself.
            if signer == issuer || signer == self.anchor || trusted(signer) {
                return true;
            }
        }
        false
    }

    fn is_trusted_signer(&self, signer: &Certificate, list: &Crl, point: &DistributionPoint, waiting: &[Certificate]) -> bool {
        let at = self.at.max(list.this_update());
        let Ok(path) = path::check_any(signer, self.certificates, std::slice::from_ref(self.anchor), at) else { return false };
        // Where an authority names a signer of lists for that signer's own certificate too, the signer's word about itself is what the authority wants.
        let own = waiting.last() == Some(signer) && point.issuers.iter().any(|named| named.is_same(signer.subject()));
        let asked = path.certificates().get(usize::from(own)..).unwrap_or_default();
        self.path(asked, waiting).iter().all(Standing::is_good)
    }
}

/// The point that RFC 5280 assumes where a certificate's own leave something open.
fn whatever_the_issuer_has(certificate: &Certificate) -> DistributionPoint {
    DistributionPoint { name: PointName::Full(vec![asn1::encode(0xa4, certificate.issuer().der())]), ..DistributionPoint::default() }
}

/// What list and delta say together; none where the list can not be read, nothing where the certificate is not on it.
fn find(list: &Crl, delta: Option<&Crl>, certificate: &Certificate) -> Option<Option<Revoked>> {
    let look = |list: &Crl| list.find(certificate.serial_bytes(), certificate.issuer()).ok();
    let changed = match delta {
        Some(delta) => look(delta)?,
        None => None,
    };
    match changed {
        Some(change) if change.is_removal() => Some(None),
        Some(change) => Some(Some(change)),
        None => look(list),
    }
}

/// The reasons for which the list covers the certificate through this point (§6.3.3 b, d); none where it does not.
fn scope(list: &Crl, point: &DistributionPoint, certificate: &Certificate) -> Option<points::Reasons> {
    if list.is_beyond_us() {
        return None;
    }
    let issuing = list.point();
    let right_issuer = if point.issuers.is_empty() {
        list.issuer().is_same(certificate.issuer())
    } else {
        issuing.is_some_and(|issuing| issuing.indirect) && point.issuers.iter().any(|issuer| issuer.is_same(list.issuer()))
    };
    if !right_issuer {
        return None;
    }
    let Some(issuing) = issuing else { return Some(point.reasons.unwrap_or(ALL_REASONS)) };
    let published = issuing.name.in_full(list.issuer());
    if !published.is_empty() {
        let wanted = match &point.name {
            PointName::Absent => point.issuers.iter().map(|issuer| asn1::encode(0xa4, issuer.der())).collect(),
            name => name.in_full(point.issuers.first().unwrap_or(certificate.issuer())),
        };
        if !published.iter().any(|one| wanted.iter().any(|other| points::same_general_name(one, other))) {
            return None;
        }
    }
    let authority = certificate.is_ca();
    if issuing.only_attributes || issuing.only_users && authority || issuing.only_authorities && !authority {
        return None;
    }
    Some(point.reasons.unwrap_or(ALL_REASONS) & issuing.reasons.unwrap_or(ALL_REASONS))
}

/// Big-endian numbers of any length.
fn is_below(left: &[u8], right: &[u8]) -> bool {
    let trim = |number: &[u8]| number.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<_>>();
    let (left, right) = (trim(left), trim(right));
    (left.len(), left) < (right.len(), right)
}
