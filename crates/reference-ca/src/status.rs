//! What the test CA says about its certificates after issuing them: which are revoked, as lists and OCSP responses, and when something existed, as
//! timestamps. Pure of the network: bytes in, bytes out; the addresses are in `services`.

use std::fs;
use std::path::PathBuf;

use sealbridge_pki::crl::{self, Entry};
use sealbridge_pki::ocsp::{self, Answer, Status};
use sealbridge_pki::oid::ObjectIdentifier;
use sealbridge_pki::tsp::{self, TspError, TstInfo};
use sealbridge_pki::{Algorithm, Certificate};
use serde::{Deserialize, Serialize};

use crate::authority::{Authority, Holder, write};
use crate::error::DeskError;

/// How long a list or response counts, in seconds.
const FRESH: i64 = 86_400;
/// The policy under which timestamps are given; in the arc of the CA's own purposes.
const TIMESTAMP_POLICY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113556.1.8000.2554.24350.41055.13601.18231.44385.16442152.2074095.1");

/// A certificate that was revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Revocation {
    /// Serial number, in hex.
    pub serial: String,
    /// Unix seconds.
    pub time: i64,
    /// CRLReason (RFC 5280, 5.3.1).
    pub reason: u8,
}

/// Which of the CA's two authorities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The root, about the issuing CA.
    Root,
    /// The issuing CA, about everybody else.
    Issuing,
}

impl Authority {
    /// Revokes a certificate that the CA issued; `serial` in hex, `reason` as CRLReason has it. A second time changes nothing.
    ///
    /// # Errors
    /// [`DeskError::Refused`] for a certificate that it did not issue.
    pub fn revoke(&self, serial: &str, reason: u8, now: i64) -> Result<(), DeskError> {
        let serial = serial.to_ascii_lowercase();
        if !self.certificates()?.iter().any(|certificate| certificate.serial_hex() == serial) {
            return Err(DeskError::Refused(format!("no certificate with the serial number {serial} was issued here")));
        }
        if reason > 10 || matches!(reason, 7 | 8) {
            return Err(DeskError::Refused(format!("{reason} is no reason for revoking (RFC 5280, 5.3.1)")));
        }
        // Two revocations at once must both be kept.
        let lock = self.folder.join("revoked.lock");
        let lock = fs::File::create(&lock).and_then(|file| file.lock().map(|()| file)).map_err(DeskError::file(&lock))?;
        let mut all = self.revoked()?;
        if all.iter().any(|revocation| revocation.serial == serial) {
            return Ok(());
        }
        all.push(Revocation { serial, time: now, reason });
        let text = serde_json::to_vec_pretty(&all).map_err(|error| DeskError::Refused(error.to_string()))?;
        write(&self.revoked_file(), &text)?;
        drop(lock);
        Ok(())
    }

    /// What was revoked so far.
    ///
    /// # Errors
    /// [`DeskError`] where the record can not be read.
    pub fn revoked(&self) -> Result<Vec<Revocation>, DeskError> {
        let file = self.revoked_file();
        if !file.exists() {
            return Ok(Vec::new());
        }
        let bytes = fs::read(&file).map_err(DeskError::file(&file))?;
        serde_json::from_slice(&bytes).map_err(|error| DeskError::Content { path: file, what: error.to_string() })
    }

    /// The revocation list of one authority, fresh, in DER.
    ///
    /// # Errors
    /// [`DeskError`] where records can not be read or a time not be encoded.
    pub fn list(&self, level: Level, now: i64) -> Result<Vec<u8>, DeskError> {
        let authority = self.at(level);
        let mut entries = Vec::new();
        let revoked = self.revoked()?;
        for certificate in self.certificates()?.iter().filter(|certificate| certificate.issuer().der() == authority.certificate.subject().der()) {
            let found = revoked.iter().find(|revocation| revocation.serial == certificate.serial_hex());
            entries.extend(found.map(|found| Entry { serial: certificate.serial_bytes().to_vec(), time: found.time, reason: Some(found.reason) }));
        }
        // Ever-growing numbers without a counter to keep: the time.
        let number = u64::try_from(now).unwrap_or(0);
        let fields = crl::Fields { issuer: &authority.certificate, number, this_update: now, next_update: now.saturating_add(FRESH), entries: &entries };
        let draft = crl::Draft::new(&fields, Algorithm::Es256)?;
        Ok(draft.assemble(&authority.sign(draft.to_be_signed()))?)
    }

    /// The answer to an OCSP request, always a response: what can not be read is told so.
    ///
    /// # Errors
    /// As [`Authority::list`].
    pub fn answer(&self, request: &[u8], now: i64) -> Result<Vec<u8>, DeskError> {
        let Ok(request) = ocsp::Request::parse(request) else { return Ok(ocsp::unsuccessful(1)) };
        if request.certificates.is_empty() {
            return Ok(ocsp::unsuccessful(1));
        }
        let (certificates, revoked) = (self.certificates()?, self.revoked()?);
        let mut answers = Vec::new();
        for id in &request.certificates {
            // RFC 6960, 4.2.1: about others' certificates nothing is said at all.
            if !id.is_of(&self.issuing.certificate) {
                return Ok(ocsp::unsuccessful(6));
            }
            let issued = certificates.iter().find(|certificate| id.names(certificate, &self.issuing.certificate));
            let status = match issued.map(|certificate| revoked.iter().find(|revocation| revocation.serial == certificate.serial_hex())) {
                None => Status::Unknown,
                Some(None) => Status::Good,
                Some(Some(revocation)) => Status::Revoked { time: revocation.time, reason: Some(revocation.reason) },
            };
            answers.push(Answer { id: id.clone(), status, this_update: now, next_update: Some(now.saturating_add(FRESH)) });
        }
        let responder = &self.responder;
        let draft = ocsp::Draft::new(&answers, now, request.nonce.as_deref(), &responder.certificate, Algorithm::Es256)?;
        Ok(draft.assemble(&responder.sign(draft.to_be_signed()), std::slice::from_ref(&responder.certificate))?)
    }

    /// The answer to a timestamp request, always an answer: what can not be granted is refused with words.
    ///
    /// # Errors
    /// As [`Authority::list`].
    pub fn timestamp(&self, request: &[u8], now: i64) -> Result<Vec<u8>, DeskError> {
        let request = match tsp::Request::parse(request) {
            Ok(request) => request,
            Err(error @ (TspError::Algorithm | TspError::DigestLength)) => return Ok(tsp::rejected(&error.to_string(), 0)),
            Err(error) => return Ok(tsp::rejected(&error.to_string(), 2)),
        };
        if request.policy.is_some_and(|policy| policy != TIMESTAMP_POLICY) {
            return Ok(tsp::rejected("timestamps are given under one policy only", 15));
        }
        let mut serial = [0_u8; 16];
        getrandom::fill(&mut serial)?;
        // Positive, and never shortened: the first byte is between 64 and 127.
        serial[0] = (serial[0] & 0x3f) | 0x40;
        let info = TstInfo { policy: TIMESTAMP_POLICY, imprint: request.imprint, serial: serial.to_vec(), time: now, nonce: request.nonce };
        let draft = tsp::Draft::new(&info, &self.timestamper.certificate, Algorithm::Es256)?;
        let chain = [self.issuing.certificate.clone()];
        let token = draft.assemble(&self.timestamper.sign(draft.to_be_signed()), if request.certificates { &chain } else { &[] })?;
        Ok(tsp::granted(&token))
    }

    /// Every certificate below the root: the CA's own, and those issued.
    fn certificates(&self) -> Result<Vec<Certificate>, DeskError> {
        let mut all: Vec<Certificate> =
            [&self.issuing, &self.seal_maker, &self.timestamper, &self.responder].into_iter().map(|holder| holder.certificate.clone()).collect();
        let folder = self.issued_folder();
        if !folder.exists() {
            return Ok(all);
        }
        for entry in fs::read_dir(&folder).map_err(DeskError::file(&folder))? {
            let file = entry.map_err(DeskError::file(&folder))?.path();
            if file.extension().is_none_or(|ending| ending != "der") {
                continue;
            }
            all.push(Certificate::parse(&fs::read(&file).map_err(DeskError::file(&file))?)?);
        }
        Ok(all)
    }

    fn at(&self, level: Level) -> &Holder {
        match level {
            Level::Root => &self.root,
            Level::Issuing => &self.issuing,
        }
    }

    fn revoked_file(&self) -> PathBuf {
        self.folder.join("revoked.json")
    }

    pub(crate) fn issued_folder(&self) -> PathBuf {
        self.folder.join("issued")
    }
}
