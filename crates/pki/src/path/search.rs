//! Finding candidate paths by names: depth first, best matching key identifiers first, within a budget. It judges nothing; a name that
//! matches only after folding case and spaces still makes a candidate, as CAs re-encode names when they renew.

use super::{MAX_CANDIDATES, MAX_INTERMEDIATES};
use crate::certificate::Certificate;

/// How many issuers are looked at altogether.
const MAX_STEPS: usize = 512;

/// Paths from the leaf to an anchor, leaf first.
pub(super) fn candidates(leaf: &Certificate, intermediates: &[Certificate], anchors: &[Certificate]) -> Vec<Vec<Certificate>> {
    let mut search = Search { intermediates, anchors, found: Vec::new(), steps: 0 };
    search.extend(&mut vec![leaf.clone()]);
    search.found
}

struct Search<'a> {
    intermediates: &'a [Certificate],
    anchors: &'a [Certificate],
    found: Vec<Vec<Certificate>>,
    steps: usize,
}

impl Search<'_> {
    /// The depth is bounded by [`MAX_INTERMEDIATES`].
    fn extend(&mut self, path: &mut Vec<Certificate>) {
        let Some(last) = path.last().cloned() else { return };
        for anchor in issuers(&last, self.anchors) {
            if self.found.len() >= MAX_CANDIDATES {
                return;
            }
            let mut complete = path.clone();
            complete.push(anchor.clone());
            self.found.push(complete);
        }
        // The leaf is in the path as well.
        if path.len() > MAX_INTERMEDIATES {
            return;
        }
        for issuer in issuers(&last, self.intermediates) {
            self.steps += 1;
            if self.steps > MAX_STEPS || self.found.len() >= MAX_CANDIDATES {
                return;
            }
            // The same name with the same key again would only go in circles.
            let again = path.iter().any(|earlier| earlier.spki_der() == issuer.spki_der() && earlier.subject().der() == issuer.subject().der());
            if again || self.anchors.contains(issuer) {
                continue;
            }
            path.push(issuer.clone());
            self.extend(path);
            path.pop();
        }
    }
}

fn issuers<'a>(of: &Certificate, among: &'a [Certificate]) -> Vec<&'a Certificate> {
    let mut all: Vec<&Certificate> = among.iter().filter(|issuer| of.issuer().is_same(issuer.subject())).collect();
    // False sorts first: a key identifier that contradicts is only a hint, so it comes last instead of being left out.
    all.sort_by_key(|issuer| match (of.authority_key_identifier(), issuer.subject_key_identifier()) {
        (Some(wanted), Some(has)) => wanted != has,
        _ => false,
    });
    all
}
