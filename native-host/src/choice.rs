//! Which certificate signs. Chosen by what it is for, whether its key is there and whether it is valid, never by its place on
//! a token. Of several certificates of one key, which a renewal leaves there, the newest counts. Where more than one key would do, nothing
//! is guessed: the failure lists them. It uses no key.

use sealbridge_pki::{Algorithm, Certificate, PublicKey, Unusable, usable_for_client_authentication, usable_for_login, usable_for_stamp};
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::fields::CertificateId;

use crate::config::{Module, RsaPadding};
use crate::token::Slot;
use crate::token::directory::Shelf;

/// What a certificate is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Login and binding.
    Login,
    /// A token of Web eID.
    WebEid,
    /// Stamping.
    Stamp,
}

/// A certificate with its key on a token that is plugged in.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The module.
    pub module: Module,
    /// The token.
    pub slot: Slot,
    /// The certificate.
    pub certificate: Certificate,
    /// Its issuers as found on the token, nearest first.
    pub chain: Vec<Certificate>,
    /// How its key signs.
    pub algorithm: Algorithm,
}

struct Candidate<'a> {
    module: &'a Module,
    slot: &'a Slot,
    certificate: Certificate,
    others: Vec<Certificate>,
    verdict: Result<Algorithm, Failure>,
}

/// Chooses the wanted certificate, or the newest one of the only key that can be used.
///
/// # Errors
/// `token-missing`, `token-ambiguous`, `certificate-missing`, `certificate-ambiguous`, or why the only one cannot be used.
pub fn choose(shelves: &[Shelf], wanted: Option<CertificateId>, purpose: Purpose, now: i64) -> Result<Chosen, Failure> {
    let candidates = candidates(shelves, purpose, now);
    if let Some(wanted) = wanted {
        let mut found = candidates.into_iter().filter(|candidate| candidate.certificate.sha256() == *wanted.as_bytes());
        let first = found.next().ok_or_else(|| nothing(shelves, Code::CertificateMissing))?;
        // The same certificate twice on one token is one certificate; on two tokens it is two keys.
        if let Some(second) = found.find(|other| other.slot.serial != first.slot.serial || other.module.name != first.module.name) {
            return Err(ambiguous_tokens(&[first.slot, second.slot]));
        }
        return first.take();
    }
    let (good, bad): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|candidate| candidate.verdict.is_ok());
    let good = good.into_iter().map(Candidate::take).collect::<Result<Vec<_>, _>>()?;
    let mut good = newest(good, |chosen| chosen, now);
    good.dedup_by(|a, b| a.certificate.sha256() == b.certificate.sha256() && a.slot.serial == b.slot.serial);
    if good.len() > 1 {
        let mut slots: Vec<&Slot> = good.iter().map(|chosen| &chosen.slot).collect();
        slots.dedup_by(|a, b| a.serial == b.serial && a.slot == b.slot);
        if slots.len() > 1 {
            return Err(ambiguous_tokens(&slots));
        }
        let ids: Vec<String> = good.iter().map(|chosen| chosen.certificate.id()).collect();
        return Err(Failure::new(Code::CertificateAmbiguous).with("count", ids.len()).with("certificates", ids.join(", ")));
    }
    good.pop().ok_or_else(|| why_none(shelves, bad))
}

/// Without those whose key has a newer certificate among them, on the same token: it counts instead (R58). The order stays.
pub fn newest<T>(all: Vec<T>, chosen: impl Fn(&T) -> &Chosen, now: i64) -> Vec<T> {
    let place = |one: &Chosen| (one.module.name.clone(), one.slot.slot, one.slot.serial.clone());
    let gives_way = |one: &Chosen, other: &Chosen| one.certificate.is_renewed_by(&other.certificate, now) && place(one) == place(other);
    let counts: Vec<bool> = all.iter().map(|one| !all.iter().any(|other| gives_way(chosen(one), chosen(other)))).collect();
    all.into_iter().zip(counts).filter_map(|(one, counts)| counts.then_some(one)).collect()
}

/// The issuers of `certificate` among `others`, nearest first.
#[must_use]
pub fn issuers(certificate: &Certificate, others: &[Certificate]) -> Vec<Certificate> {
    let mut chain: Vec<Certificate> = Vec::new();
    let mut last = certificate.clone();
    while chain.len() < sealbridge_protocol::statement::CHAIN_MAX.saturating_sub(1) && !last.is_self_issued() {
        let next = others
            .iter()
            .find(|other| other.is_ca() && other.subject().der() == last.issuer().der() && !chain.iter().any(|seen| seen.sha256() == other.sha256()));
        let Some(next) = next else { break };
        chain.push(next.clone());
        last = next.clone();
    }
    chain
}

/// Whether this certificate can be used, and if not, why.
///
/// # Errors
/// `certificate-expired`, `certificate-not-yet-valid`, `certificate-encryption-only`, `certificate-key-usage`, `key-unsupported`.
pub fn usable(certificate: &Certificate, purpose: Purpose, now: i64) -> Result<(), Failure> {
    let verdict = match purpose {
        Purpose::Login => usable_for_login(certificate, now),
        Purpose::WebEid => usable_for_client_authentication(certificate, now),
        Purpose::Stamp => usable_for_stamp(certificate, now),
    };
    verdict.map_err(|reason| match reason {
        Unusable::Expired { not_after } => Failure::new(Code::CertificateExpired).with("notAfter", crate::time::date(not_after)),
        Unusable::NotYetValid { not_before } => Failure::new(Code::CertificateNotYetValid).with("notBefore", crate::time::date(not_before)),
        Unusable::EncryptionOnly => Failure::new(Code::CertificateEncryptionOnly),
        Unusable::KeyUsage { needed } => Failure::new(Code::CertificateKeyUsage).with("usage", needed),
        Unusable::Key(_) => Failure::new(Code::KeyUnsupported).with("algorithm", certificate.public_key().name()),
        _ => Failure::new(Code::CertificateKeyUsage),
    })
}

/// How the key of this certificate signs.
///
/// # Errors
/// `key-unsupported`.
pub fn algorithm(certificate: &Certificate, rsa: RsaPadding) -> Result<Algorithm, Failure> {
    match (Algorithm::from_public_key(certificate.public_key()), certificate.public_key()) {
        (Some(Algorithm::Rs256), PublicKey::Rsa(_)) if rsa == RsaPadding::Pss => Ok(Algorithm::Ps256),
        (Some(algorithm), _) => Ok(algorithm),
        (None, key) => Err(Failure::new(Code::KeyUnsupported).with("algorithm", key.name())),
    }
}

impl Candidate<'_> {
    fn take(self) -> Result<Chosen, Failure> {
        let algorithm = self.verdict?;
        let chain = issuers(&self.certificate, &self.others);
        Ok(Chosen { module: self.module.clone(), slot: self.slot.clone(), certificate: self.certificate, chain, algorithm })
    }
}

/// Every end-entity certificate on every token, with the verdict on it. Unreadable ones are left out; the status shows them.
fn candidates(shelves: &[Shelf], purpose: Purpose, now: i64) -> Vec<Candidate<'_>> {
    let mut candidates = Vec::new();
    for shelf in shelves {
        for contents in shelf.contents.iter().flatten() {
            let parsed: Vec<(Certificate, bool)> =
                contents.certificates.iter().filter_map(|held| Some((Certificate::parse(&held.der.0).ok()?, held.has_key))).collect();
            let all: Vec<Certificate> = parsed.iter().map(|(certificate, _)| certificate.clone()).collect();
            for (certificate, has_key) in parsed {
                if certificate.is_ca() {
                    continue;
                }
                let verdict = usable(&certificate, purpose, now)
                    .and_then(|()| if has_key { Ok(()) } else { Err(Failure::new(Code::KeyMissing)) })
                    .and_then(|()| algorithm(&certificate, shelf.module.rsa));
                candidates.push(Candidate { module: &shelf.module, slot: &contents.slot, certificate, others: all.clone(), verdict });
            }
        }
    }
    candidates
}

/// The best reason why nothing can be used: what would have to change for the likeliest certificate.
fn why_none(shelves: &[Shelf], bad: Vec<Candidate<'_>>) -> Failure {
    // Encryption certificates stand beside signing certificates on most tokens, so they are the last to be blamed.
    let rank = |failure: &Failure| match failure.code {
        Code::CertificateExpired => 0,
        Code::CertificateNotYetValid => 1,
        Code::KeyMissing => 2,
        Code::CertificateKeyUsage => 3,
        Code::KeyUnsupported => 4,
        _ => 5,
    };
    bad.into_iter().filter_map(|candidate| candidate.verdict.err()).min_by_key(rank).unwrap_or_else(|| nothing(shelves, Code::CertificateMissing))
}

/// There is nothing to choose from: no module, no token, a token that was never set up, or a module that failed.
fn nothing(shelves: &[Shelf], otherwise: Code) -> Failure {
    if shelves.is_empty() {
        return Failure::new(Code::ModuleNotConfigured);
    }
    let slots: Vec<&Slot> = shelves.iter().flat_map(|shelf| shelf.contents.iter().flatten()).map(|contents| &contents.slot).collect();
    if let Some(slot) = slots.iter().find(|slot| slot.flags.initialised) {
        if slot.flags.locked && slots.len() == 1 {
            return Failure::new(Code::PinLocked);
        }
        return Failure::new(otherwise);
    }
    if let Some(failure) = shelves.iter().find_map(|shelf| shelf.contents.as_ref().err()) {
        return failure.clone();
    }
    match slots.first() {
        Some(slot) => Failure::new(Code::TokenUninitialised).with("token", &slot.label),
        None => Failure::new(Code::TokenMissing),
    }
}

fn ambiguous_tokens(slots: &[&Slot]) -> Failure {
    let names: Vec<String> = slots.iter().map(|slot| format!("{} ({})", slot.label, slot.serial)).collect();
    Failure::new(Code::TokenAmbiguous).with("count", slots.len()).with("tokens", names.join(", "))
}
