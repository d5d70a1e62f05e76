//! Certificate revocation lists (RFC 5280 §5), complete, delta, indirect and partitioned. The list is kept as it stands and searched in place, so that a
//! million entries cost no more than their bytes. What a list means for a certificate at a time is judged in [`crate::revocation`].

mod issue;

pub use issue::{Draft, Entry, Fields};

use crate::asn1::{self, Asn1Error, Element, Reader, tag};
use crate::certificate::Certificate;
use crate::certificate::points::{self, PointName, Reasons};
use crate::cms;
use crate::key::KeyError;
use crate::name::Name;
use crate::oid;
use crate::suite;
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use thiserror::Error;

/// The largest list that is read, in bytes.
pub const MAX_SIZE: usize = 32 * 1024 * 1024;
/// The most entries of one list.
pub const MAX_ENTRIES: usize = 1_000_000;

/// CRLReason removeFromCRL: in a delta list, the entry is no more.
const REMOVE_FROM_CRL: u8 = 8;

/// Why bytes are not a list that can be read, or whose signature does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CrlError {
    #[error("the revocation list is larger than 32 MiB or has more than a million entries")]
    TooLarge,
    #[error("the revocation list is malformed: {0}")]
    Malformed(Asn1Error),
    #[error("the signature of the revocation list is not accepted: {0}")]
    Key(KeyError),
    #[error("the key of the revocation list's signer may not sign such lists")]
    Signer,
    #[error("a value of the revocation list can not be encoded")]
    Encoding,
}

impl From<Asn1Error> for CrlError {
    fn from(error: Asn1Error) -> Self {
        Self::Malformed(error)
    }
}

/// A list. Cloning is cheap; two are equal if their bytes are.
#[derive(Debug, Clone)]
pub struct Crl(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    der: Vec<u8>,
    tbs: Range<usize>,
    /// Content of revokedCertificates.
    entries: Range<usize>,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
    issuer: Name,
    this_update: i64,
    next_update: Option<i64>,
    number: Option<Vec<u8>>,
    /// BaseCRLNumber of a delta list.
    base: Option<Vec<u8>>,
    authority_key_identifier: Option<Vec<u8>>,
    point: Option<IssuingPoint>,
    /// It has a critical extension that is not understood.
    beyond_us: bool,
    /// SHA-256 of the SubjectPublicKeyInfo under which the signature was found to hold: a list that is kept is hashed once.
    signed_by: OnceLock<[u8; 32]>,
}

/// IssuingDistributionPoint (RFC 5280 §5.2.5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct IssuingPoint {
    pub(crate) name: PointName,
    pub(crate) only_users: bool,
    pub(crate) only_authorities: bool,
    pub(crate) only_attributes: bool,
    pub(crate) reasons: Option<Reasons>,
    pub(crate) indirect: bool,
}

/// What a list says of a certificate that is on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoked {
    /// Unix seconds: the date of revocation, or the earlier date since when the key is thought to be in others' hands (invalidityDate).
    pub time: i64,
    /// CRLReason, if told.
    pub reason: Option<u8>,
}

impl Revoked {
    pub(crate) fn is_removal(&self) -> bool {
        self.reason == Some(REMOVE_FROM_CRL)
    }
}

impl PartialEq for Crl {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.der == other.0.der
    }
}

impl Eq for Crl {}

impl Crl {
    /// Reads a list in DER that fills `der`. Every entry is looked at once.
    ///
    /// # Errors
    /// [`CrlError`].
    pub fn parse(der: &[u8]) -> Result<Self, CrlError> {
        if der.len() > MAX_SIZE {
            return Err(CrlError::TooLarge);
        }
        let mut outer = Element::parse(der)?.expect(tag::SEQUENCE)?.reader()?;
        let tbs = outer.expect(tag::SEQUENCE)?;
        let algorithm = outer.expect(tag::SEQUENCE)?;
        let signature = outer.expect(tag::BIT_STRING)?.bits()?.to_vec();
        outer.finish()?;
        let mut fields = tbs.reader()?;
        fields.optional(tag::INTEGER)?;
        // RFC 5280 §5.1.1.2: the algorithm inside what is signed is the one outside.
        if fields.expect(tag::SEQUENCE)?.raw() != algorithm.raw() {
            return Err(Asn1Error::Value.into());
        }
        let issuer = Name::parse(fields.expect(tag::SEQUENCE)?.raw())?;
        let this_update = asn1::time(&fields.element()?)?;
        let next_update = match fields.peek() {
            Some(tag::UTC_TIME | tag::GENERALIZED_TIME) => Some(asn1::time(&fields.element()?)?),
            _ => None,
        };
        let entries = fields.optional(tag::SEQUENCE)?;
        let mut inner = Inner {
            der: der.to_vec(),
            tbs: range_in(der, tbs.raw()),
            entries: entries.map(|entries| range_in(der, entries.content())).unwrap_or_default(),
            algorithm: algorithm.raw().to_vec(),
            signature,
            issuer,
            this_update,
            next_update,
            number: None,
            base: None,
            authority_key_identifier: None,
            point: None,
            beyond_us: false,
            signed_by: OnceLock::new(),
        };
        if let Some(extensions) = fields.optional(tag::CONTEXT_0)? {
            inner.read_extensions(&extensions)?;
        }
        fields.finish()?;
        let crl = Self(Arc::new(inner));
        let mut count = 0;
        crl.walk(&mut |_| {
            count += 1;
            if count > MAX_ENTRIES { Err(CrlError::TooLarge) } else { Ok(true) }
        })?;
        Ok(crl)
    }

    /// The bytes it was read from.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    #[must_use]
    pub fn issuer(&self) -> &Name {
        &self.0.issuer
    }

    /// Unix seconds.
    #[must_use]
    pub fn this_update(&self) -> i64 {
        self.0.this_update
    }

    /// Unix seconds.
    #[must_use]
    pub fn next_update(&self) -> Option<i64> {
        self.0.next_update
    }

    /// CRLNumber: content octets, big-endian.
    #[must_use]
    pub fn number(&self) -> Option<&[u8]> {
        self.0.number.as_deref()
    }

    /// Whether it only says what changed since another list.
    #[must_use]
    pub fn is_delta(&self) -> bool {
        self.0.base.is_some()
    }

    pub(crate) fn base(&self) -> Option<&[u8]> {
        self.0.base.as_deref()
    }

    pub(crate) fn point(&self) -> Option<&IssuingPoint> {
        self.0.point.as_ref()
    }

    pub(crate) fn authority_key_identifier(&self) -> Option<&[u8]> {
        self.0.authority_key_identifier.as_deref()
    }

    /// A critical extension of list or entries is not understood; RFC 5280 §5.2: such a list may not be used.
    pub(crate) fn is_beyond_us(&self) -> bool {
        self.0.beyond_us
    }

    /// Whether `signer`'s key signed it, and may sign such lists as far as its key usage says (RFC 5280 §6.3.3 f).
    ///
    /// # Errors
    /// [`CrlError::Key`], [`CrlError::Signer`].
    pub fn verify_signature(&self, signer: &Certificate) -> Result<(), CrlError> {
        if signer.key_usage().is_present() && !signer.key_usage().crl_sign() {
            return Err(CrlError::Signer);
        }
        let key = suite::sha256(signer.spki_der());
        if self.0.signed_by.get() == Some(&key) {
            return Ok(());
        }
        let scheme = cms::encoded_signature_scheme(&self.0.algorithm).map_err(CrlError::Key)?;
        let tbs = self.0.der.get(self.0.tbs.clone()).unwrap_or_default();
        signer.public_key().verify_x509(scheme, tbs, &self.0.signature).map_err(CrlError::Key)?;
        // Of several keys the first is remembered; for the others it is verified again.
        let _first = self.0.signed_by.set(key);
        Ok(())
    }

    /// What it says of the certificate with this serial number (content octets) and issuer; nothing if it is not on it. The last entry counts.
    ///
    /// # Errors
    /// [`CrlError::Malformed`] for entries that can not be read; [`Crl::parse`] has seen them all.
    pub fn find(&self, serial: &[u8], issuer: &Name) -> Result<Option<Revoked>, CrlError> {
        let mut found = None;
        // RFC 5280 §5.3.3: the issuer of an entry is that of the entry before it, at first the list's own.
        let mut of = self.0.issuer.is_same(issuer);
        self.walk(&mut |entry: EntryRead<'_>| {
            if let Some(issuers) = &entry.issuer {
                of = issuers.iter().any(|name| name.is_same(issuer));
            }
            if of && entry.serial == serial {
                found = Some(Revoked { time: entry.time, reason: entry.reason });
            }
            Ok(true)
        })?;
        Ok(found)
    }

    /// How many certificates are on it.
    #[must_use]
    pub fn len(&self) -> usize {
        let mut count = 0_usize;
        let _ = self.walk(&mut |_| {
            count = count.saturating_add(1);
            Ok(true)
        });
        count
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.entries.is_empty()
    }

    /// Visits the entries until `visit` says false.
    fn walk(&self, visit: &mut dyn FnMut(EntryRead<'_>) -> Result<bool, CrlError>) -> Result<(), CrlError> {
        let mut entries = Reader::new(self.0.der.get(self.0.entries.clone()).unwrap_or_default());
        while let Some(entry) = entries.next()? {
            if !visit(EntryRead::read(&entry)?)? {
                break;
            }
        }
        Ok(())
    }
}

struct EntryRead<'a> {
    serial: &'a [u8],
    time: i64,
    reason: Option<u8>,
    issuer: Option<Vec<Name>>,
}

impl<'a> EntryRead<'a> {
    fn read(element: &Element<'a>) -> Result<Self, CrlError> {
        let mut fields = element.expect(tag::SEQUENCE)?.reader()?;
        let serial = fields.expect(tag::INTEGER)?.content();
        let mut entry = Self { serial, time: asn1::time(&fields.element()?)?, reason: None, issuer: None };
        if let Some(extensions) = fields.optional(tag::SEQUENCE)? {
            let mut reader = extensions.reader()?;
            while let Some(extension) = reader.next()? {
                let (kind, critical, value) = split(&extension)?;
                match kind {
                    oid::CRL_REASON => match Element::parse(value)?.expect(0x0a)?.content() {
                        [reason] => entry.reason = Some(*reason),
                        _ => return Err(Asn1Error::Value.into()),
                    },
                    // The key may have been in others' hands before the authority heard of it.
                    oid::INVALIDITY_DATE => entry.time = entry.time.min(asn1::time(&Element::parse(value)?)?),
                    oid::CERTIFICATE_ISSUER => {
                        entry.issuer = Some(points::read_directory_names(&mut Element::parse(value)?.expect(tag::SEQUENCE)?.reader()?)?);
                    }
                    // RFC 5280 §5.3: a list with an unknown critical entry extension must not be used.
                    _ if critical => return Err(Asn1Error::Value.into()),
                    _ => {}
                }
            }
        }
        fields.finish()?;
        Ok(entry)
    }
}

impl Inner {
    fn read_extensions(&mut self, explicit: &Element<'_>) -> Result<(), CrlError> {
        let mut reader = Element::parse(explicit.content())?.expect(tag::SEQUENCE)?.reader()?;
        let mut seen = Vec::new();
        while let Some(extension) = reader.next()? {
            let (kind, critical, value) = split(&extension)?;
            if seen.len() > 32 || seen.contains(&kind) {
                return Err(Asn1Error::Value.into());
            }
            seen.push(kind);
            match kind {
                // RFC 5280 §5.2.3: never critical.
                oid::CRL_NUMBER if !critical => self.number = Some(number(value)?),
                oid::DELTA_CRL_INDICATOR => self.base = Some(number(value)?),
                oid::AUTHORITY_KEY_IDENTIFIER => {
                    let mut fields = Element::parse(value)?.expect(tag::SEQUENCE)?.reader()?;
                    self.authority_key_identifier = fields.optional(tag::CONTEXT_0_PRIMITIVE)?.map(|identifier| identifier.content().to_vec());
                }
                oid::ISSUING_DISTRIBUTION_POINT => self.point = Some(IssuingPoint::read(value)?),
                _ => self.beyond_us |= critical,
            }
        }
        Ok(())
    }
}

impl IssuingPoint {
    fn read(value: &[u8]) -> Result<Self, CrlError> {
        let mut fields = Element::parse(value)?.expect(tag::SEQUENCE)?.reader()?;
        let mut point = Self::default();
        if let Some(name) = fields.optional(tag::CONTEXT_0)? {
            point.name = PointName::read(&name)?;
        }
        let mut flag = |tag: u8| -> Result<bool, Asn1Error> { Ok(fields.optional(tag)?.is_some_and(|flag| flag.content() != [0])) };
        point.only_users = flag(0x81)?;
        point.only_authorities = flag(0x82)?;
        if let Some(reasons) = fields.optional(0x83)? {
            point.reasons = Some(points::read_reasons(reasons.content())?);
        }
        let mut flag = |tag: u8| -> Result<bool, Asn1Error> { Ok(fields.optional(tag)?.is_some_and(|flag| flag.content() != [0])) };
        point.indirect = flag(0x84)?;
        point.only_attributes = flag(0x85)?;
        fields.finish()?;
        Ok(point)
    }
}

/// Kind, criticality and value of an Extension.
fn split<'a>(extension: &Element<'a>) -> Result<(oid::ObjectIdentifier, bool, &'a [u8]), Asn1Error> {
    let mut fields = extension.expect(tag::SEQUENCE)?.reader()?;
    let kind = suite::decode_oid(&fields.element()?)?;
    let critical = fields.optional(tag::BOOLEAN)?.is_some_and(|critical| critical.content() != [0]);
    let value = fields.expect(tag::OCTET_STRING)?.content();
    fields.finish()?;
    Ok((kind, critical, value))
}

/// Content octets of a non-negative INTEGER of at most 20 octets (RFC 5280 §5.2.3).
fn number(value: &[u8]) -> Result<Vec<u8>, Asn1Error> {
    let content = Element::parse(value)?.expect(tag::INTEGER)?.content();
    match content {
        [first, ..] if *first < 0x80 && content.len() <= 21 => Ok(content.to_vec()),
        _ => Err(Asn1Error::Value),
    }
}

/// Where `part`, a slice of `whole`, lies in it.
fn range_in(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    start..start.saturating_add(part.len())
}
