//! `stamp`: signs a list of prepared documents under one consent. The CMS signed attributes around each digest are built
//! here; what is signed is never a digest from outside. The seal must name the certificate, and both must be valid.

use sealbridge_pki::{Certificate, DigestAlgorithm, cms};
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::fields::{Bytes, CertificateId, SealId};
use sealbridge_protocol::origin::Origin;
use sealbridge_protocol::stamp::{Answer, Arguments, StampDocument};
use sealbridge_seal::ses::Seal;

use crate::choice::{Chosen, Purpose, choose};
use crate::consent::{Document, Operation};
use crate::host::{Host, now};
use crate::key_use::{self, Asked, Statements};
use crate::stop::Stop;
use crate::token::Token;
use crate::token::directory::Shelf;

/// Runs the verb.
///
/// # Errors
/// `origin-refused`, `seal-…`, what [`choose`] and [`key_use::sign`] say.
pub fn run(host: &Host, arguments: &Arguments, asked: Asked<'_>) -> Result<Answer, Failure> {
    let origin = arguments.origin.check(host.config.developer)?;
    let shelves = host.directory.shelves(asked.stop);
    let chosen = choose(&shelves, Some(arguments.certificate), Purpose::Stamp, now())?;
    let seal = read_seal(host, &shelves, &chosen, arguments.seal, asked.stop)?;
    fits(&seal, &chosen.certificate, now())?;
    let signatures = documents(host, &chosen, Some(&origin), &arguments.documents, asked)?;
    Ok(Answer { signatures: signatures.into_iter().map(Bytes).collect() })
}

/// Signs a list of documents; both doors come here.
///
/// # Errors
/// What [`key_use::sign`] says.
pub fn documents(host: &Host, chosen: &Chosen, origin: Option<&Origin>, documents: &[StampDocument], asked: Asked<'_>) -> Result<Vec<Vec<u8>>, Failure> {
    let listed = documents
        .iter()
        .map(|document| Document { name: document.name.as_str(), pages: document.pages, place: document.place.as_str(), digest: document.digest })
        .collect();
    let internal = |error: cms::CmsError| Failure::new(Code::Internal).with("detail", error);
    let attributes = documents
        .iter()
        .map(|document| cms::SignedAttributes::new(&document.digest.0, &chosen.certificate, chosen.algorithm).map_err(internal))
        .collect::<Result<Vec<_>, _>>()?;
    let signatures = key_use::sign(host, chosen, Operation::Stamp { documents: listed }, origin, asked, |_| {
        let digest = attributes.first().map_or(DigestAlgorithm::Sha256, |attributes| attributes.scheme().digest_algorithm());
        Ok(Statements { digest, bytes: attributes.iter().map(|attributes| attributes.der().to_vec()).collect() })
    })?;
    attributes.iter().zip(&signatures).map(|(attributes, signature)| cms::assemble(attributes, signature, &chosen.chain).map_err(internal)).collect()
}

/// Reads a seal from the token that holds the certificate.
///
/// # Errors
/// `seal-missing`, `seal-invalid`, and what the module says.
pub fn read_seal(host: &Host, shelves: &[Shelf], chosen: &Chosen, id: SealId, stop: &Stop) -> Result<Seal, Failure> {
    let here = shelves
        .iter()
        .filter(|shelf| shelf.module.name == chosen.module.name)
        .flat_map(|shelf| shelf.contents.iter().flatten())
        .filter(|contents| contents.slot.slot == chosen.slot.slot)
        .any(|contents| contents.seals.iter().any(|held| held.id == id));
    if !here {
        return Err(Failure::new(Code::SealMissing));
    }
    parsed_seal(host, &chosen.module.name, chosen.slot.slot, id, stop)
}

/// Reads and parses one seal.
///
/// # Errors
/// `seal-missing`, `seal-invalid`, and what the module says.
pub fn parsed_seal(host: &Host, module: &str, slot: u64, id: SealId, stop: &Stop) -> Result<Seal, Failure> {
    let mut client = host.directory.client(module).ok_or_else(|| Failure::new(Code::TokenRemoved))?;
    client.serve(stop);
    let bytes = client.seal(slot, id)?;
    Seal::parse(&bytes).map_err(|error| Failure::new(Code::SealInvalid).with("detail", error))
}

/// Whether this seal may be used with this certificate now. Who made the seal is for verifiers to judge, by their own anchors.
///
/// # Errors
/// `seal-other-certificate`, `seal-expired`, `seal-not-yet-valid`.
pub fn fits(seal: &Seal, certificate: &Certificate, now: i64) -> Result<(), Failure> {
    if !seal.names_certificate(certificate) {
        return Err(Failure::new(Code::SealOtherCertificate));
    }
    if now < seal.valid_from() {
        return Err(Failure::new(Code::SealNotYetValid).with("notBefore", crate::time::date(seal.valid_from())));
    }
    if now > seal.valid_until() {
        return Err(Failure::new(Code::SealExpired).with("notAfter", crate::time::date(seal.valid_until())));
    }
    Ok(())
}

/// The protocol's id of a certificate.
#[must_use]
pub fn certificate_id(certificate: &Certificate) -> CertificateId {
    CertificateId::new(certificate.sha256())
}
