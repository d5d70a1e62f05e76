//! `seal`: a seal and the certificate that it goes with, for the stamping page. No key is used and no PIN is asked.

use sealbridge_pki::Certificate;
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::fields::{Bytes, CertificateId, SealId};
use sealbridge_protocol::seal::{Answer, Arguments, SEAL_MAX};
use sealbridge_seal::ses::Seal;

use super::stamp::{fits, parsed_seal};
use crate::choice::{Chosen, Purpose, choose, newest, usable};
use crate::host::{Host, now};
use crate::stop::Stop;
use crate::token::Contents;
use crate::token::directory::Shelf;

/// A seal with the certificate that it goes with.
#[derive(Debug)]
pub struct Pair {
    /// The seal.
    pub seal: Seal,
    /// The certificate and where its key is.
    pub chosen: Chosen,
}

/// Runs the verb.
///
/// # Errors
/// `seal-…`, `certificate-…`, `token-…`, `module-…`.
pub fn run(host: &Host, arguments: &Arguments, stop: &Stop) -> Result<Answer, Failure> {
    let shelves = host.directory.shelves(stop);
    let pair = pair(host, &shelves, arguments.seal, arguments.certificate, stop)?;
    let der = pair.seal.der();
    if der.len() > SEAL_MAX {
        return Err(Failure::new(Code::SealTooLarge).with("size", der.len()).with("limit", SEAL_MAX));
    }
    let label = label(&shelves, &pair.chosen.certificate);
    Ok(Answer {
        seal: Bytes(der.to_vec()),
        id: SealId::new(pair.seal.sha256()),
        certificate: super::status::certificate_info(pair.chosen.certificate.der(), &label, true, &pair.chosen.chain),
    })
}

/// Finds the seal and the certificate: those that were asked for, or the only ones that fit together. Of several certificates of one key,
/// the newest that a seal names counts: until the seal of a renewed certificate is installed, the older pair is the one that works.
///
/// # Errors
/// As [`run`].
pub fn pair(host: &Host, shelves: &[Shelf], seal: Option<SealId>, certificate: Option<CertificateId>, stop: &Stop) -> Result<Pair, Failure> {
    let now = now();
    let mut first_failure = None;
    let mut pairs: Vec<Pair> = Vec::new();
    for shelf in shelves {
        for contents in shelf.contents.iter().flatten() {
            for held in contents.seals.iter().filter(|held| seal.is_none_or(|wanted| wanted == held.id)) {
                let found = parsed_seal(host, &shelf.module.name, contents.slot.slot, held.id, stop).and_then(|seal| {
                    let chosen = signer(shelves, shelf, contents, &seal, certificate, now)?;
                    fits(&seal, &chosen.certificate, now)?;
                    Ok(Pair { seal, chosen })
                });
                match found {
                    Ok(pair) if pairs.iter().any(|other| other.seal.sha256() == pair.seal.sha256()) => {}
                    Ok(pair) => pairs.push(pair),
                    Err(failure) => first_failure = first_failure.or(Some(failure)),
                }
            }
        }
    }
    let mut pairs = newest(pairs, |pair| &pair.chosen, now);
    let count = pairs.len();
    match (pairs.pop(), first_failure) {
        (Some(_), _) if count > 1 => Err(Failure::new(Code::SealAmbiguous).with("count", count)),
        (Some(pair), _) => Ok(pair),
        (None, Some(failure)) => Err(failure),
        // No seal: say first what is wrong with the token or certificate, if anything is.
        (None, None) => match choose(shelves, certificate, Purpose::Stamp, now) {
            Err(failure) if !matches!(failure.code, Code::CertificateAmbiguous | Code::TokenAmbiguous) => Err(failure),
            _ => Err(Failure::new(Code::SealMissing)),
        },
    }
}

/// The certificate for a seal: the wanted one, else the one on the same token that the seal names, the newest of its key.
fn signer(shelves: &[Shelf], shelf: &Shelf, contents: &Contents, seal: &Seal, wanted: Option<CertificateId>, now: i64) -> Result<Chosen, Failure> {
    if wanted.is_some() {
        return choose(shelves, wanted, Purpose::Stamp, now);
    }
    let mut only = contents.clone();
    only.certificates.retain(|held| Certificate::parse(&held.der.0).is_ok_and(|certificate| certificate.is_ca() || seal.names_certificate(&certificate)));
    if holders(&only).next().is_none() {
        return Err(Failure::new(Code::SealOtherCertificate));
    }
    choose(&[Shelf { module: shelf.module.clone(), contents: Ok(vec![only.clone()]) }], None, Purpose::Stamp, now).map_err(|failure| {
        // The seal's certificate is over and the one that renewed it would do: what is missing is the seal for that one.
        let renewed = failure.code == Code::CertificateExpired && holders(&only).any(|old| holders(contents).any(|new| renews(&old, &new, now)));
        if renewed { Failure::new(Code::SealOtherCertificate) } else { failure }
    })
}

fn holders(contents: &Contents) -> impl Iterator<Item = Certificate> {
    contents.certificates.iter().filter_map(|held| Certificate::parse(&held.der.0).ok()).filter(|certificate| !certificate.is_ca())
}

fn renews(old: &Certificate, new: &Certificate, now: i64) -> bool {
    old.is_renewed_by(new, now) && usable(new, Purpose::Stamp, now).is_ok()
}

fn label(shelves: &[Shelf], certificate: &Certificate) -> String {
    shelves
        .iter()
        .flat_map(|shelf| shelf.contents.iter().flatten())
        .flat_map(|contents| &contents.certificates)
        .find(|held| held.der.0 == certificate.der())
        .map(|held| held.label.clone())
        .unwrap_or_default()
}
