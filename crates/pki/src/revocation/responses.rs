//! OCSP responses: the issuer's own word, or that of a responder to whom the issuer itself has given a certificate for it (RFC 6960 §4.2.2.2).

use super::{Court, Source, Standing};
use crate::certificate::Certificate;
use crate::ocsp::{Response, Status};
use crate::oid;

/// CRLReason certificateHold: may be lifted again, so only information of the time itself counts.
const HOLD: u8 = 6;

impl Court<'_> {
    pub(super) fn by_responses(&self, certificate: &Certificate, issuer: &Certificate, waiting: &[Certificate]) -> Standing {
        let mut best = Standing::Unknown;
        for response in self.responses {
            let speaking = response.singles().iter().filter(|single| !single.is_beyond_us && single.id.names(certificate, issuer));
            let mut authorised = None;
            for single in speaking {
                let covers = self.covers(single.this_update, single.next_update, certificate);
                let standing = match single.status {
                    Status::Revoked { time, reason } if time <= self.at && (covers || reason != Some(HOLD)) => {
                        Standing::Revoked { source: Source::Ocsp, time, reason }
                    }
                    Status::Good | Status::Revoked { .. } if covers => Standing::Good { source: Source::Ocsp, this_update: single.this_update },
                    _ => continue,
                };
                if !*authorised.get_or_insert_with(|| self.is_authorised(response, issuer, waiting)) {
                    break;
                }
                match (best, standing) {
                    (_, Standing::Revoked { .. }) => return standing,
                    (Standing::Good { this_update: old, .. }, Standing::Good { this_update: new, .. }) if old >= new => {}
                    _ => best = standing,
                }
            }
        }
        best
    }

    /// Whether the response speaks of the certificate, and its signer was given the right to by the issuer.
    pub(super) fn is_word_of_responders(&self, response: &Response, certificate: &Certificate, issuer: &Certificate) -> bool {
        response.singles().iter().any(|single| !single.is_beyond_us && single.id.names(certificate, issuer)) && self.is_signed_by(response, issuer, |_| true)
    }

    fn is_authorised(&self, response: &Response, issuer: &Certificate, waiting: &[Certificate]) -> bool {
        // Its own revocation can only be told by a list; another response would be its own word.
        self.is_signed_by(response, issuer, |responder| {
            responder.is_ocsp_no_check() || self.by_lists(responder, issuer, &[waiting, std::slice::from_ref(responder)].concat()).is_good()
        })
    }

    /// Whether the issuer signed it, or a responder of the issuer's that is `good`.
    fn is_signed_by(&self, response: &Response, issuer: &Certificate, good: impl Fn(&Certificate) -> bool) -> bool {
        if response.names_responder(issuer) && self.spend() && response.verify_signature(issuer).is_ok() {
            return true;
        }
        response.certificates().iter().chain(self.certificates).any(|responder| {
            response.names_responder(responder)
                && self.may_answer(responder, issuer, response.produced_at())
                && good(responder)
                && self.spend()
                && response.verify_signature(responder).is_ok()
        })
    }

    /// Whether the issuer lets `responder` speak for it.
    fn may_answer(&self, responder: &Certificate, issuer: &Certificate, at: i64) -> bool {
        let usage = responder.key_usage();
        responder.extended_key_usage().contains(&oid::KP_OCSP_SIGNING)
            && (!usage.is_present() || usage.digital_signature() || usage.non_repudiation())
            && responder.is_valid_at(at)
            && responder.issuer().is_same(issuer.subject())
            && self.spend()
            && responder.verify_signature(issuer.public_key()).is_ok()
    }
}
