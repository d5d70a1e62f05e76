//! The document security store (ISO 32000-2, 12.8.4.3; ETSI EN 319 142-1, 5.4.2): certificates, revocation lists and OCSP responses that travel with
//! a document, so that its signatures can be judged when nobody answers any more. Reading believes nothing of it, and skips what can not be read;
//! writing appends one revision and leaves what is there.

use std::collections::BTreeSet;

use sealbridge_pdf::{Appended, Dictionary, Document, Object, PdfError, SignatureField, Source, Update, signatures};
use sealbridge_pki::Certificate;
use sealbridge_pki::crl::Crl;
use sealbridge_pki::ocsp::Response;
use sealbridge_pki::revocation::Material;
use sha1::{Digest as _, Sha1};

use crate::error::StampError;

/// The most entries of each kind that are read or written.
pub const ENTRIES_MAX: usize = 256;
/// The most bytes of all entries together.
pub const BYTES_MAX: usize = 64 << 20;

/// What is known for judging signatures, read or to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Certificates of any kind.
    pub certificates: Vec<Certificate>,
    /// Revocation lists.
    pub crls: Vec<Crl>,
    /// OCSP responses.
    pub responses: Vec<Response>,
}

impl Evidence {
    /// For [`sealbridge_pki::revocation::judge`].
    #[must_use]
    pub fn material(&self) -> Material<'_> {
        Material { crls: &self.crls, responses: &self.responses, certificates: &self.certificates }
    }

    /// Whether it says nothing about revocation.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.crls.is_empty() && self.responses.is_empty()
    }

    /// Adds what `other` has and this has not.
    pub fn merge(&mut self, other: &Evidence) {
        let fresh: Vec<_> = other.certificates.iter().filter(|one| !self.certificates.contains(one)).cloned().collect();
        self.certificates.extend(fresh);
        let fresh: Vec<_> = other.crls.iter().filter(|one| !self.crls.contains(one)).cloned().collect();
        self.crls.extend(fresh);
        let fresh: Vec<_> = other.responses.iter().filter(|one| !self.responses.contains(one)).cloned().collect();
        self.responses.extend(fresh);
    }
}

/// Reads a document's store; empty where there is none.
///
/// # Errors
/// [`PdfError`] for read failures and budgets only.
pub fn read_store<S: Source>(document: &Document<S>) -> Result<Evidence, PdfError> {
    let mut evidence = Evidence::default();
    let catalog = document.catalog()?;
    let Object::Dictionary(store) = document.lookup(&catalog, "DSS")? else { return Ok(evidence) };
    let mut room = BYTES_MAX;
    for bytes in streams(document, &store, "Certs", &mut room)? {
        evidence.certificates.extend(Certificate::parse(&bytes));
    }
    for bytes in streams(document, &store, "CRLs", &mut room)? {
        evidence.crls.extend(Crl::parse(&bytes));
    }
    for bytes in streams(document, &store, "OCSPs", &mut room)? {
        evidence.responses.extend(Response::parse(&bytes));
    }
    Ok(evidence)
}

/// The streams of one array of the store.
fn streams<S: Source>(document: &Document<S>, store: &Dictionary, key: &str, room: &mut usize) -> Result<Vec<Vec<u8>>, PdfError> {
    let array = document.lookup(store, key)?;
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    for element in array.as_array().unwrap_or_default() {
        if element.as_reference().is_some_and(|reference| !seen.insert(reference)) {
            continue;
        }
        if all.len() >= ENTRIES_MAX {
            return Err(PdfError::Budget { what: "security store" });
        }
        let Object::Stream(stream) = document.resolve(element)? else { continue };
        let bytes = document.stream_data(&stream)?;
        *room = room.checked_sub(bytes.len()).ok_or(PdfError::Budget { what: "security store" })?;
        all.push(bytes);
    }
    Ok(all)
}

/// The name of a signature in the store's `/VRI`: upper-case SHA-1 of what `/Contents` stands for (ISO 32000-2, Table 262). Only a name.
#[must_use]
pub fn vri_key(contents: &[u8]) -> String {
    Sha1::digest(contents).iter().map(|byte| format!("{byte:02X}")).collect()
}

/// The revision that adds `evidence` to the document's store, each signature's `/VRI` naming it; what the store has already is kept. `random` is for the file's `/ID`.
///
/// # Errors
/// [`StampError::Pdf`]; [`PdfError::Budget`] for more than can be read again.
pub fn append_store<S: Source>(document: &Document<S>, evidence: &Evidence, random: [u8; 16]) -> Result<Appended, StampError> {
    let there = read_store(document)?;
    let mut all = there.clone();
    all.merge(evidence);
    let size = all.certificates.iter().map(|one| one.der().len()).sum::<usize>()
        + all.crls.iter().map(|one| one.der().len()).sum::<usize>()
        + all.responses.iter().map(|one| one.der().len()).sum::<usize>();
    if [all.certificates.len(), all.crls.len(), all.responses.len()].into_iter().any(|count| count > ENTRIES_MAX) || size > BYTES_MAX {
        return Err(PdfError::Budget { what: "security store" }.into());
    }
    let mut update = Update::begin(document)?;
    let root = document.catalog_reference()?;
    let catalog = document.catalog()?;
    let held = catalog.get("DSS").cloned().unwrap_or(Object::Null);
    let mut store = update.resolve(&held)?.as_dictionary().cloned().unwrap_or_else(|| Dictionary::typed("DSS"));

    let mut add = |key: &str, fresh: Vec<&[u8]>| -> Result<Vec<Object>, StampError> {
        let mut references = Vec::new();
        for der in fresh {
            references.push(Object::Reference(update.add_stream(Dictionary::new(), der.to_vec(), true)?));
        }
        if !references.is_empty() {
            let mut array = document.lookup(&store, key)?.as_array().map(<[Object]>::to_vec).unwrap_or_default();
            array.extend(references.iter().cloned());
            store.set(key, Object::Array(array));
        }
        Ok(references)
    };
    let certificates = add("Certs", evidence.certificates.iter().filter(|one| !there.certificates.contains(one)).map(Certificate::der).collect())?;
    let crls = add("CRLs", evidence.crls.iter().filter(|one| !there.crls.contains(one)).map(Crl::der).collect())?;
    let responses = add("OCSPs", evidence.responses.iter().filter(|one| !there.responses.contains(one)).map(Response::der).collect())?;

    let mut vri = document.lookup(&store, "VRI")?.as_dictionary().cloned().unwrap_or_default();
    for field in signatures(document)? {
        describe(document, &mut vri, &field, [("Cert", &certificates), ("CRL", &crls), ("OCSP", &responses)])?;
    }
    if !vri.is_empty() {
        store.set("VRI", vri);
    }
    match held {
        Object::Reference(reference) => update.put(reference, store),
        _ => {
            let reference = update.add(store)?;
            update.modify(root, |catalog| catalog.set("DSS", reference))?;
        }
    }
    Ok(update.finish(random)?)
}

/// Adds references to one signature's entry.
fn describe<S: Source>(document: &Document<S>, vri: &mut Dictionary, field: &SignatureField, added: [(&str, &Vec<Object>); 3]) -> Result<(), StampError> {
    let key = vri_key(&field.contents_bytes);
    let mut entry = document.lookup(vri, &key)?.as_dictionary().cloned().unwrap_or_default();
    for (kind, references) in added {
        if references.is_empty() {
            continue;
        }
        let mut array = document.lookup(&entry, kind)?.as_array().map(<[Object]>::to_vec).unwrap_or_default();
        array.extend(references.iter().cloned());
        entry.set(kind, Object::Array(array));
    }
    if !entry.is_empty() {
        vri.set(&key, entry);
    }
    Ok(())
}
