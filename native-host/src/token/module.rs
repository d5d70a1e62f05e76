//! [`Token`] over a PKCS#11 module (PKCS#11 3.2, by `cryptoki`). Runs only inside the worker process, because a vendor's
//! module may crash, print or hang. It logs in once per order, retries nothing, and hashes the statements itself.

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsPssParams};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, CertificateType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::TokenInfo;
use cryptoki::types::AuthPin;
use sealbridge_pki::{Algorithm, DigestAlgorithm};
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::fields::{Bytes, CertificateId, SealId};
use sealbridge_protocol::seal::SEAL_MAX;
use sha2::{Digest, Sha256};

use super::{
    CERTIFICATE_MAX, CERTIFICATES_MAX, Contents, Done, Flags, HeldCertificate, HeldSeal, Install, Order, RenewPin, SEAL_APPLICATION, SEALS_MAX, SLOTS_MAX,
    SetUp, Slot, Token, WasSetUp, faults,
};

/// A loaded and started module.
#[derive(Debug)]
pub struct Module {
    pub(super) context: Pkcs11,
}

impl Module {
    /// Loads the library and calls C_Initialize.
    ///
    /// # Errors
    /// `module-failed`.
    pub fn load(name: &str, path: &str) -> Result<Self, Failure> {
        let context = Pkcs11::new(path).map_err(|error| faults::module_failure(&error, name, path))?;
        match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(Self { context }),
            Err(error) => Err(faults::module_failure(&error, name, path)),
        }
    }

    /// C_Finalize. What it says no longer matters to anybody.
    pub fn finish(self) {
        let _ = self.context.finalize();
    }

    /// Slots with a token. One broken reader must not hide the others, so it only counts when no other token that is set up is there.
    pub(super) fn tokens(&self) -> Result<Vec<(cryptoki::slot::Slot, TokenInfo)>, Failure> {
        let slots = self.context.get_slots_with_token().map_err(|error| faults::failure(&error, ""))?;
        let mut tokens = Vec::new();
        let mut first_error = None;
        for slot in slots.into_iter().take(SLOTS_MAX) {
            match self.context.get_token_info(slot) {
                Ok(info) => tokens.push((slot, info)),
                Err(Error::Pkcs11(RvError::TokenNotPresent | RvError::TokenNotRecognized, _)) => {}
                Err(error) => first_error = first_error.or(Some(faults::failure(&error, ""))),
            }
        }
        match first_error {
            Some(failure) if !tokens.iter().any(|(_, info)| info.token_initialized()) => Err(failure),
            _ => Ok(tokens),
        }
    }

    fn read_contents(&self, slot: cryptoki::slot::Slot, info: &TokenInfo) -> Result<Contents, Error> {
        let mut contents = Contents { slot: described(slot, info), certificates: Vec::new(), seals: Vec::new(), request: None };
        if !info.token_initialized() {
            return Ok(contents);
        }
        let session = self.context.open_ro_session(slot)?;
        let keys = key_ids(&session)?;
        for Found { id, label, der } in certificates(&session)? {
            let has_key = !id.is_empty() && (keys.is_empty() || keys.contains(&id));
            contents.certificates.push(HeldCertificate { label, der: Bytes(der), has_key });
        }
        for DataObject { label, value, .. } in seals(&session, SEALS_MAX)? {
            let size = u64::try_from(value.len()).unwrap_or(u64::MAX);
            contents.seals.push(HeldSeal { id: SealId::new(Sha256::digest(&value).into()), label, size });
        }
        contents.request = super::upkeep::stored_request(&session, info.label())?.map(Bytes);
        session.close()?;
        Ok(contents)
    }

    pub(super) fn find(&self, slot: u64) -> Result<(cryptoki::slot::Slot, TokenInfo), Failure> {
        let removed = || Failure::new(Code::TokenRemoved);
        let slot = cryptoki::slot::Slot::try_from(slot).map_err(|_| removed())?;
        let info = self.context.get_token_info(slot).map_err(|error| faults::failure(&error, ""))?;
        Ok((slot, info))
    }

    fn signatures(&self, slot: cryptoki::slot::Slot, info: &TokenInfo, order: &Order<'_>, progress: &mut dyn FnMut()) -> Result<Vec<Vec<u8>>, Failure> {
        let told = |error: &Error| faults::failure(error, info.label());
        let session = self.context.open_ro_session(slot).map_err(|error| told(&error))?;
        let id = certificate_key_id(&session, order.certificate).map_err(|error| told(&error))?.ok_or_else(|| Failure::new(Code::TokenRemoved))?;
        let pin = order.pin.map(|pin| AuthPin::from(pin.expose().to_owned()));
        session.login(UserType::User, pin.as_ref()).map_err(|error| told(&error))?;
        let result = sign_all(&session, &id, order, pin.as_ref(), progress).map_err(|error| match error {
            SignError::Token(error) => told(&error),
            SignError::KeyMissing => Failure::new(Code::KeyMissing),
        });
        // Logged out whatever happened; if that fails, closing the session still ends the login (PKCS#11 3.2 §5.6.7).
        let logout = session.logout();
        let closed = session.close();
        let signatures = result?;
        logout.and(closed).map_err(|error| told(&error))?;
        Ok(signatures)
    }
}

impl Token for Module {
    fn slots(&mut self) -> Result<Vec<Slot>, Failure> {
        Ok(self.tokens()?.iter().map(|(slot, info)| described(*slot, info)).collect())
    }

    fn contents(&mut self) -> Result<Vec<Contents>, Failure> {
        let mut all = Vec::new();
        let mut first_error = None;
        for (slot, info) in self.tokens()? {
            match self.read_contents(slot, &info) {
                Ok(contents) => all.push(contents),
                Err(error) => first_error = first_error.or(Some(faults::failure(&error, info.label()))),
            }
        }
        match first_error {
            Some(failure) if !all.iter().any(|contents| contents.slot.flags.initialised) => Err(failure),
            _ => Ok(all),
        }
    }

    fn seal(&mut self, slot: u64, id: SealId) -> Result<Vec<u8>, Failure> {
        let (slot, info) = self.find(slot)?;
        let told = |error: Error| faults::failure(&error, info.label());
        let session = self.context.open_ro_session(slot).map_err(told)?;
        let found = seals(&session, SEALS_MAX).map_err(told)?.into_iter().map(|held| held.value).find(|value| SealId::new(Sha256::digest(value).into()) == id);
        session.close().map_err(told)?;
        found.ok_or_else(|| Failure::new(Code::SealMissing))
    }

    fn sign(&mut self, order: &Order<'_>, progress: &mut dyn FnMut()) -> Result<Done<Vec<Vec<u8>>>, Failure> {
        let (slot, info) = match self.find(order.slot) {
            Ok(found) => found,
            Err(failure) => return Ok(Done { outcome: Err(failure), after: None }),
        };
        if info.serial_number() != order.serial {
            return Ok(Done { outcome: Err(Failure::new(Code::TokenRemoved)), after: None });
        }
        if info.user_pin_locked() {
            return Ok(Done { outcome: Err(Failure::new(Code::PinLocked)), after: Some(flags(&info)) });
        }
        let outcome = self.signatures(slot, &info, order, progress);
        let after = self.context.get_token_info(slot).ok().map(|info| flags(&info));
        Ok(Done { outcome, after })
    }

    fn set_up(&mut self, order: &SetUp<'_>, progress: &mut dyn FnMut()) -> Result<Done<WasSetUp>, Failure> {
        self.set_up_order(order, progress)
    }

    fn renew_pin(&mut self, order: &RenewPin<'_>, progress: &mut dyn FnMut()) -> Result<Done<()>, Failure> {
        self.renew_pin_order(order, progress)
    }

    fn install(&mut self, order: &Install<'_>, progress: &mut dyn FnMut()) -> Result<Done<()>, Failure> {
        self.install_order(order, progress)
    }
}

enum SignError {
    Token(Error),
    KeyMissing,
}

impl From<Error> for SignError {
    fn from(error: Error) -> Self {
        Self::Token(error)
    }
}

fn sign_all(session: &Session, id: &[u8], order: &Order<'_>, pin: Option<&AuthPin>, progress: &mut dyn FnMut()) -> Result<Vec<Vec<u8>>, SignError> {
    let keys = session.find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Id(id.to_vec())])?;
    let key = *keys.first().ok_or(SignError::KeyMissing)?;
    let always = session
        .get_attributes(key, &[AttributeType::AlwaysAuthenticate])
        .is_ok_and(|attributes| attributes.iter().any(|attribute| matches!(attribute, Attribute::AlwaysAuthenticate(true))));
    let mut signatures = Vec::with_capacity(order.statements.len());
    for statement in order.statements {
        let signature = if always {
            sign_with_context_login(session, key, order.algorithm, order.digest, statement, pin)?
        } else {
            let (mechanism, input) = prepared(order.algorithm, order.digest, statement);
            session.sign(&mechanism, key, &input)?
        };
        signatures.push(signature);
        progress();
    }
    Ok(signatures)
}

/// CKM_ECDSA and CKM_RSA_PKCS exist on every token; combined mechanisms do not. So the statement is hashed here.
fn prepared(algorithm: Algorithm, digest: DigestAlgorithm, statement: &[u8]) -> (Mechanism<'static>, Vec<u8>) {
    match algorithm {
        Algorithm::Es256 | Algorithm::Es384 => (Mechanism::Ecdsa, digest.digest(statement)),
        Algorithm::Rs256 => {
            let mut info = SHA256_DIGEST_INFO.to_vec();
            info.extend_from_slice(&algorithm.digest(statement));
            (Mechanism::RsaPkcs, info)
        }
        Algorithm::Ps256 => (Mechanism::RsaPkcsPss(pss()), algorithm.digest(statement)),
    }
}

/// A key with CKA_ALWAYS_AUTHENTICATE wants the PIN again between C_SignInit and the data (PKCS#11 3.2 §5.6.5). That takes a
/// mechanism that hashes; it is the same PIN that was right a moment ago, under the same consent.
fn sign_with_context_login(
    session: &Session,
    key: ObjectHandle,
    algorithm: Algorithm,
    digest: DigestAlgorithm,
    statement: &[u8],
    pin: Option<&AuthPin>,
) -> Result<Vec<u8>, Error> {
    let mechanism = match algorithm {
        Algorithm::Es256 | Algorithm::Es384 => match digest {
            DigestAlgorithm::Sha256 => Mechanism::EcdsaSha256,
            DigestAlgorithm::Sha384 => Mechanism::EcdsaSha384,
            DigestAlgorithm::Sha512 => Mechanism::EcdsaSha512,
        },
        Algorithm::Rs256 => Mechanism::Sha256RsaPkcs,
        Algorithm::Ps256 => Mechanism::Sha256RsaPkcsPss(pss()),
    };
    session.sign_init(&mechanism, key)?;
    session.login(UserType::ContextSpecific, pin)?;
    session.sign_update(statement)?;
    session.sign_final()
}

fn pss() -> PkcsPssParams {
    PkcsPssParams { hash_alg: MechanismType::SHA256, mgf: PkcsMgfType::MGF1_SHA256, s_len: 32.into() }
}

fn described(slot: cryptoki::slot::Slot, info: &TokenInfo) -> Slot {
    Slot {
        slot: slot.id(),
        label: info.label().to_owned(),
        serial: info.serial_number().to_owned(),
        maker: info.manufacturer_id().to_owned(),
        model: info.model().to_owned(),
        flags: flags(info),
        pin_min: info.min_pin_length(),
        pin_max: info.max_pin_length(),
    }
}

pub(super) fn flags(info: &TokenInfo) -> Flags {
    Flags {
        initialised: info.token_initialized(),
        pin_set: info.user_pin_initialized(),
        count_low: info.user_pin_count_low(),
        final_try: info.user_pin_final_try(),
        locked: info.user_pin_locked(),
        protected_path: info.protected_authentication_path(),
        // SoftHSM raises the flag on blank tokens too, where it means nothing.
        officer_locked: info.token_initialized() && info.so_pin_locked(),
    }
}

/// A certificate object.
pub(super) struct Found {
    /// CKA_ID.
    pub(super) id: Vec<u8>,
    /// CKA_LABEL.
    pub(super) label: String,
    /// CKA_VALUE.
    pub(super) der: Vec<u8>,
}

/// Every X.509 certificate of bearable size.
pub(super) fn certificates(session: &Session) -> Result<Vec<Found>, Error> {
    let template = [Attribute::Class(ObjectClass::CERTIFICATE), Attribute::CertificateType(CertificateType::X_509)];
    let mut found = Vec::new();
    for handle in session.find_objects(&template)?.into_iter().take(CERTIFICATES_MAX) {
        let mut one = Found { id: Vec::new(), label: String::new(), der: Vec::new() };
        for attribute in session.get_attributes(handle, &[AttributeType::Id, AttributeType::Label, AttributeType::Value])? {
            match attribute {
                Attribute::Id(bytes) => one.id = bytes,
                Attribute::Label(bytes) => one.label = String::from_utf8_lossy(&bytes).into_owned(),
                Attribute::Value(bytes) => one.der = bytes,
                _ => {}
            }
        }
        if !one.der.is_empty() && one.der.len() <= CERTIFICATE_MAX {
            found.push(one);
        }
    }
    Ok(found)
}

/// CKA_ID of the certificate with this hash.
fn certificate_key_id(session: &Session, wanted: CertificateId) -> Result<Option<Vec<u8>>, Error> {
    Ok(certificates(session)?.into_iter().find(|found| CertificateId::new(Sha256::digest(&found.der).into()) == wanted).map(|found| found.id))
}

/// CKA_ID of every key that can be seen without login.
fn key_ids(session: &Session) -> Result<Vec<Vec<u8>>, Error> {
    let mut ids = Vec::new();
    for class in [ObjectClass::PUBLIC_KEY, ObjectClass::PRIVATE_KEY] {
        for handle in session.find_objects(&[Attribute::Class(class)])?.into_iter().take(CERTIFICATES_MAX) {
            for attribute in session.get_attributes(handle, &[AttributeType::Id])? {
                if let Attribute::Id(id) = attribute {
                    ids.push(id);
                }
            }
        }
    }
    Ok(ids)
}

/// A data object.
pub(super) struct DataObject {
    pub(super) handle: ObjectHandle,
    /// CKA_LABEL.
    pub(super) label: String,
    /// CKA_VALUE.
    pub(super) value: Vec<u8>,
}

/// Seals of bearable size, at most so many.
pub(super) fn seals(session: &Session, count: usize) -> Result<Vec<DataObject>, Error> {
    data_objects(session, SEAL_APPLICATION, None, count, SEAL_MAX)
}

/// The data objects of one application, and with one label where one is given: the first `count` of them, without those that hold nothing
/// or more than `size` bytes.
pub(super) fn data_objects(session: &Session, application: &str, label: Option<&str>, count: usize, size: usize) -> Result<Vec<DataObject>, Error> {
    let mut template = vec![Attribute::Class(ObjectClass::DATA), Attribute::Application(application.as_bytes().to_vec())];
    template.extend(label.map(|label| Attribute::Label(label.as_bytes().to_vec())));
    let mut found = Vec::new();
    for handle in session.find_objects(&template)?.into_iter().take(count) {
        let (mut label, mut value) = (String::new(), Vec::new());
        for attribute in session.get_attributes(handle, &[AttributeType::Label, AttributeType::Value])? {
            match attribute {
                Attribute::Label(bytes) => label = String::from_utf8_lossy(&bytes).into_owned(),
                Attribute::Value(bytes) => value = bytes,
                _ => {}
            }
        }
        if !value.is_empty() && value.len() <= size {
            found.push(DataObject { handle, label, value });
        }
    }
    Ok(found)
}

/// DER of DigestInfo for SHA-256 up to the hash (RFC 8017 §9.2, note 1).
const SHA256_DIGEST_INFO: [u8; 19] = [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];
