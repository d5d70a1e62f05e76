//! `keys`: everything on all tokens in what it says, with a revision, so that asking again costs one line where nothing changed. No key is
//! used, no PIN is asked, nothing is chosen.

use sealbridge_pki::{Certificate, PublicKey};
use sealbridge_protocol::Language;
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::fields::{CertificateId, SealId, TokenRef};
use sealbridge_protocol::keys::{self, Answer, Arguments, Everything, Use};
use sealbridge_seal::ses::Seal;
use sha2::{Digest, Sha256};

use super::stamp::parsed_seal;
use super::status::{modules, state};
use crate::choice::{Purpose, usable};
use crate::config::Module;
use crate::host::Host;
use crate::stop::Stop;
use crate::token::{Contents, HeldSeal};
use crate::tries::Tries;

/// Runs the verb.
///
/// # Errors
/// `internal`, which does not happen.
pub fn run(host: &Host, arguments: &Arguments, language: Language, stop: &Stop) -> Result<Answer, Failure> {
    // Half of what a killed host has left its worker at is better not shown; where it takes too long, what there is is shown.
    let _late = host.settled(stop);
    let shelves = host.directory.shelves(stop);
    let mut tokens = Vec::new();
    for shelf in &shelves {
        for contents in shelf.contents.iter().flatten() {
            tokens.push(token(host, &shelf.module, contents, language, stop));
        }
    }
    let now = Everything { modules: modules(&shelves), tokens };
    let text = serde_json::to_vec(&now).map_err(|error| Failure::new(Code::Internal).with("detail", error))?;
    let revision: String = Sha256::digest(&text).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let known = arguments.known.as_ref() == Some(&revision);
    Ok(Answer { revision, now: if known { None } else { Some(now) } })
}

fn token(host: &Host, module: &Module, contents: &Contents, language: Language, stop: &Stop) -> keys::Token {
    let slot = &contents.slot;
    let held: Vec<(Certificate, bool)> =
        contents.certificates.iter().filter_map(|held| Some((Certificate::parse(&held.der.0).ok()?, held.has_key))).filter(|(held, _)| !held.is_ca()).collect();
    let seals = contents.seals.iter().map(|seal| told_seal(host, module, slot.slot, seal, &held, language, stop)).collect();
    let tries = host.left(&slot.serial, slot.flags, module.tries);
    keys::Token {
        token: TokenRef { module: module.name.clone(), serial: slot.serial.clone(), slot: Some(slot.slot) },
        label: slot.label.clone(),
        maker: slot.maker.clone(),
        model: slot.model.clone(),
        state: state(slot.flags),
        tries_left: match tries {
            Tries::AtMost(left) => Some(left),
            Tries::Final => Some(1),
            Tries::Locked => Some(0),
            Tries::Unknown | Tries::Low => None,
        },
        officer_locked: slot.flags.officer_locked,
        protected_path: slot.flags.protected_path,
        activating: contents.request.as_ref().filter(|_| !held.iter().any(|(_, has_key)| *has_key)).map(|_| slot.label.clone()),
        certificates: held.iter().map(|(certificate, has_key)| told_certificate(certificate, *has_key, &held)).collect(),
        seals,
    }
}

fn told_certificate(certificate: &Certificate, has_key: bool, held: &[(Certificate, bool)]) -> keys::Certificate {
    let name = |name: &sealbridge_pki::Name| name.organisation().or_else(|| name.common_name()).unwrap_or_default().to_owned();
    // What it is for does not end with its validity: that stands beside it.
    let within = certificate.not_before().max(0);
    let mut uses = Vec::new();
    if usable(certificate, Purpose::Login, within).is_ok() {
        uses.push(Use::Login);
    }
    if usable(certificate, Purpose::Stamp, within).is_ok() {
        uses.push(Use::Stamp);
    }
    if certificate.is_encryption_only() {
        uses.push(Use::Encryption);
    }
    let siblings = held.iter().filter(|(other, _)| other.spki_der() == certificate.spki_der() && other.sha256() != certificate.sha256());
    keys::Certificate {
        id: CertificateId::new(certificate.sha256()),
        serial: certificate.serial_hex().to_uppercase(),
        organisation: name(certificate.subject()),
        unit: certificate.subject().organisation_unit().map(str::to_owned),
        credit_code: certificate.credit_code(),
        issuer: name(certificate.issuer()),
        not_before: certificate.not_before(),
        not_after: certificate.not_after(),
        uses,
        has_key: has_key && !matches!(certificate.public_key(), PublicKey::Unsupported { .. }),
        test: certificate.is_test(),
        siblings: siblings.map(|(other, _)| CertificateId::new(other.sha256())).collect(),
    }
}

fn told_seal(host: &Host, module: &Module, slot: u64, held: &HeldSeal, certificates: &[(Certificate, bool)], language: Language, stop: &Stop) -> keys::Seal {
    match parsed_seal(host, &module.name, slot, held.id, stop) {
        Ok(seal) => described(&seal, held.id, certificates, language),
        Err(failure) => keys::Seal {
            id: held.id,
            name: held.label.clone(),
            kind: String::new(),
            width_micrometres: 0,
            height_micrometres: 0,
            valid_from: 0,
            valid_until: 0,
            certificates: Vec::new(),
            failure: Some(failure),
        },
    }
}

fn described(seal: &Seal, id: SealId, certificates: &[(Certificate, bool)], language: Language) -> keys::Seal {
    let (zh, en) = seal.kind().names();
    let picture = seal.picture();
    keys::Seal {
        id,
        name: seal.name().to_owned(),
        kind: String::from(if language == Language::ZhCn { zh } else { en }),
        width_micrometres: u64::from(picture.width_mm).saturating_mul(1000),
        height_micrometres: u64::from(picture.height_mm).saturating_mul(1000),
        valid_from: seal.valid_from(),
        valid_until: seal.valid_until(),
        certificates: certificates.iter().filter(|(held, _)| seal.names_certificate(held)).map(|(held, _)| CertificateId::new(held.sha256())).collect(),
        failure: None,
    }
}
