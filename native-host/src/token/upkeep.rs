//! What is done to a token itself, inside the worker process: set up for its first key, another PIN, certificate and seal written and read
//! back. Every order can be given again after any interruption: what is there already stays, and the token itself says how far it
//! came (its label is the business's number, the certificate request lies on it as a public object). A PIN is tried once. No
//! private key is ever exported, and one that could be is refused.

use cryptoki::error::Error;
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, CertificateType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::AuthPin;
use sealbridge_pki::asn1::{Element, encode_unsigned, tag};
use sealbridge_pki::key::encode_ec_spki;
use sealbridge_pki::name::Subject;
use sealbridge_pki::request::{Request, RequestInfo};
use sealbridge_pki::{Algorithm, Certificate, oid, suite};
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::fields::SealId;
use sealbridge_protocol::grant::GrantSubject;
use sha2::{Digest, Sha256};

use super::module::{DataObject, Found, Module, certificates, data_objects, flags, seals};
use super::{By, Done, Install, REQUEST_APPLICATION, REQUEST_MAX, REQUESTS_MAX, RenewPin, SEAL_APPLICATION, SEALS_MAX, SetUp, WasSetUp, faults};
use crate::pin::Pin;

impl Module {
    pub(super) fn set_up_order(&mut self, order: &SetUp<'_>, progress: &mut dyn FnMut()) -> Result<Done<WasSetUp>, Failure> {
        let (slot, info) = self.same(order.slot, order.serial)?;
        let outcome = self.set_up_now(slot, &info, order, progress);
        Ok(Done { outcome, after: None })
    }

    pub(super) fn renew_pin_order(&mut self, order: &RenewPin<'_>, progress: &mut dyn FnMut()) -> Result<Done<()>, Failure> {
        let (slot, info) = self.same(order.slot, order.serial)?;
        let outcome = self.renew_pin_now(slot, &info, order, progress);
        Ok(Done { outcome, after: self.context.get_token_info(slot).ok().map(|info| flags(&info)) })
    }

    pub(super) fn install_order(&mut self, order: &Install<'_>, progress: &mut dyn FnMut()) -> Result<Done<()>, Failure> {
        let (slot, info) = self.same(order.slot, order.serial)?;
        let outcome = self.install_now(slot, &info, order, progress);
        Ok(Done { outcome, after: self.context.get_token_info(slot).ok().map(|info| flags(&info)) })
    }

    /// The token in that slot, if it is the one that was meant.
    fn same(&self, slot: u64, serial: &str) -> Result<(Slot, TokenInfo), Failure> {
        let (slot, info) = self.find(slot)?;
        if info.serial_number() == serial { Ok((slot, info)) } else { Err(Failure::new(Code::TokenRemoved)) }
    }

    fn set_up_now(&self, mut slot: Slot, info: &TokenInfo, order: &SetUp<'_>, progress: &mut dyn FnMut()) -> Result<WasSetUp, Failure> {
        let told = |error: Error| faults::failure(&error, info.label());
        let officer = secret(order.officer);
        if !info.token_initialized() {
            let before = self.labelled(order.business)?;
            self.context.init_token(slot, &officer, order.business).map_err(|error| officer_failure(faults::failure(&error, info.label())))?;
            progress();
            // Some modules give the token another slot and serial number once it is set up; a token that was called so before is another one.
            let now = self.labelled(order.business)?;
            let found = now.iter().find(|(at, _)| *at == slot).or_else(|| now.iter().find(|one| !before.contains(one)));
            slot = found.map(|(slot, _)| *slot).ok_or_else(|| Failure::new(Code::TokenRemoved))?;
        } else if info.label() != order.business {
            return Err(Failure::new(Code::TokenInUse).with("token", info.label()));
        }
        let info = self.context.get_token_info(slot).map_err(told)?;
        let done = |request| WasSetUp { request, serial: info.serial_number().to_owned() };
        let session = self.context.open_rw_session(slot).map_err(told)?;
        if let Some(request) = stored_request(&session, order.business).map_err(told)? {
            return Ok(done(request));
        }
        if info.so_pin_locked() {
            return Err(Failure::new(Code::OfficerLocked));
        }
        session.login(UserType::So, Some(&officer)).map_err(|error| officer_failure(faults::failure(&error, info.label())))?;
        progress();
        let user = secret(order.user);
        let initialised = session.init_pin(&user);
        progress();
        session.logout().map_err(told)?;
        initialised.map_err(told)?;
        session.login(UserType::User, Some(&user)).map_err(told)?;
        progress();
        let request = request(&session, order.business, order.subject, progress);
        let logout = session.logout();
        let closed = session.close();
        let request = request?;
        logout.and(closed).map_err(told)?;
        Ok(done(request))
    }

    /// The tokens that are set up and have this label, by slot and serial number.
    fn labelled(&self, label: &str) -> Result<Vec<(Slot, String)>, Failure> {
        let tokens = self.tokens()?.into_iter().filter(|(_, info)| info.token_initialized() && info.label() == label);
        Ok(tokens.map(|(slot, info)| (slot, info.serial_number().to_owned())).collect())
    }

    fn renew_pin_now(&self, slot: Slot, info: &TokenInfo, order: &RenewPin<'_>, progress: &mut dyn FnMut()) -> Result<(), Failure> {
        let told = |error: Error| faults::failure(&error, info.label());
        let session = self.context.open_rw_session(slot).map_err(told)?;
        let new = secret(order.new);
        match &order.by {
            By::User(old) => {
                let old = secret(old);
                session.login(UserType::User, Some(&old)).map_err(told)?;
                progress();
                let changed = session.set_pin(&old, &new);
                progress();
                let logout = session.logout();
                changed.and(logout).map_err(told)?;
            }
            By::Officer(officer) => {
                if info.so_pin_locked() {
                    return Err(Failure::new(Code::OfficerLocked));
                }
                session.login(UserType::So, Some(&secret(officer))).map_err(|error| officer_failure(faults::failure(&error, info.label())))?;
                progress();
                let changed = session.init_pin(&new);
                progress();
                let logout = session.logout();
                changed.and(logout).map_err(told)?;
                // What a driver says of itself is not enough: unlocked is what the new PIN opens. Some tell the old standing until then.
                session.login(UserType::User, Some(&new)).map_err(|error| not_opened(faults::failure(&error, info.label())))?;
                session.logout().map_err(told)?;
            }
        }
        session.close().map_err(told)
    }

    fn install_now(&self, slot: Slot, info: &TokenInfo, order: &Install<'_>, progress: &mut dyn FnMut()) -> Result<(), Failure> {
        let told = |error: Error| faults::failure(&error, info.label());
        let session = self.context.open_rw_session(slot).map_err(told)?;
        let pin = order.pin.map(secret);
        session.login(UserType::User, pin.as_ref()).map_err(told)?;
        progress();
        let written = write_all(&session, info.label(), order, progress);
        let logout = session.logout();
        let closed = session.close();
        written?;
        logout.and(closed).map_err(told)
    }
}

/// The certificate request that lies on the token for this business.
pub(super) fn stored_request(session: &Session, business: &str) -> Result<Option<Vec<u8>>, Error> {
    let found = data_objects(session, REQUEST_APPLICATION, Some(business), REQUESTS_MAX, REQUEST_MAX)?;
    Ok(found.into_iter().map(|held| held.value).find(|value| Request::parse(value).is_ok()))
}

/// The key pair of this business, made where it is not there yet, and the request that it signs, left on the token.
fn request(session: &Session, business: &str, subject: &GrantSubject, progress: &mut dyn FnMut()) -> Result<Vec<u8>, Failure> {
    let told = |error: Error| faults::failure(&error, business);
    let label = Attribute::Label(business.as_bytes().to_vec());
    let find = |class| session.find_objects(&[Attribute::Class(class), label.clone()]).map(|found| found.first().copied());
    let pair = match (find(ObjectClass::PUBLIC_KEY).map_err(told)?, find(ObjectClass::PRIVATE_KEY).map_err(told)?) {
        (Some(public), Some(private)) => (public, private),
        _ => generate(session, &label).map_err(told)?,
    };
    progress();
    refuse_exportable(session, pair.1)?;
    let spki = public_key(session, pair.0)?;
    let id: Vec<u8> = Sha256::digest(&spki).iter().take(20).copied().collect();
    for half in [pair.0, pair.1] {
        session.update_attributes(half, &[Attribute::Id(id.clone())]).map_err(told)?;
        progress();
    }
    let malformed = |detail: String| Failure::new(Code::GrantMalformed).with("detail", detail);
    let info = RequestInfo::new(&converted(subject), &spki, Algorithm::Es256).map_err(|error| malformed(error.to_string()))?;
    let signature = session.sign(&Mechanism::Ecdsa, pair.1, &Algorithm::Es256.digest(info.der())).map_err(told)?;
    progress();
    let request = info.assemble(&signature).map_err(|_| Failure::new(Code::SignatureMismatch))?;
    session
        .create_object(&[
            Attribute::Class(ObjectClass::DATA),
            Attribute::Token(true),
            Attribute::Private(false),
            Attribute::Application(REQUEST_APPLICATION.as_bytes().to_vec()),
            label,
            Attribute::Value(request.clone()),
        ])
        .map_err(told)?;
    progress();
    match stored_request(session, business).map_err(told)? {
        Some(stored) if stored == request => Ok(request),
        _ => Err(Failure::new(Code::WrittenDiffers).with("what", "PKCS#10")),
    }
}

/// P-256, private, sensitive, not extractable, for signatures only.
fn generate(session: &Session, label: &Attribute) -> Result<(ObjectHandle, ObjectHandle), Error> {
    let public =
        [Attribute::Token(true), Attribute::Private(false), Attribute::Verify(true), label.clone(), Attribute::EcParams(suite::encode_oid(&oid::P256))];
    let private =
        [Attribute::Token(true), Attribute::Private(true), Attribute::Sensitive(true), Attribute::Extractable(false), Attribute::Sign(true), label.clone()];
    session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private)
}

/// A module may ignore the template; a key that can leave the token is none for us.
fn refuse_exportable(session: &Session, private: ObjectHandle) -> Result<(), Failure> {
    let told = |error: Error| faults::failure(&error, "");
    match &session.get_attributes(private, &[AttributeType::Extractable, AttributeType::Sensitive]).map_err(told)?[..] {
        [Attribute::Extractable(false), Attribute::Sensitive(true)] => Ok(()),
        _ => Err(Failure::new(Code::KeyUnsupported).with("algorithm", "exportable")),
    }
}

fn public_key(session: &Session, public: ObjectHandle) -> Result<Vec<u8>, Failure> {
    let attributes = session.get_attributes(public, &[AttributeType::EcPoint]).map_err(|error| faults::failure(&error, ""))?;
    let unreadable = || Failure::new(Code::KeyUnsupported).with("algorithm", "EC");
    let [Attribute::EcPoint(point)] = &attributes[..] else { return Err(unreadable()) };
    // PKCS#11 2.40 wraps the point into an OCTET STRING; some modules do not.
    let wrapped = Element::parse(point).ok().filter(|element| element.tag() == tag::OCTET_STRING);
    encode_ec_spki(wrapped.map_or(point.as_slice(), |element| element.content())).map_err(|_| unreadable())
}

/// The certificate is written last: that it is there is how everybody knows that an activation is over. Whatever interrupts the writing
/// before, the token still shows the activation that goes on, and never a certificate whose seal nobody installs any more.
fn write_all(session: &Session, token: &str, order: &Install<'_>, progress: &mut dyn FnMut()) -> Result<(), Failure> {
    let told = |error: Error| faults::failure(&error, token);
    let mut last = None;
    if let Some(certificate) = order.certificate {
        let leaf = parsed(certificate)?;
        let id = key_id(session, &leaf).map_err(told)?;
        if session.find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Id(id.clone())]).map_err(told)?.is_empty() {
            return Err(Failure::new(Code::CertificateOtherKey));
        }
        for issuer in order.chain {
            write_certificate(session, token, &parsed(issuer)?, &[], progress)?;
        }
        last = Some((leaf, id));
    }
    if let Some((name, seal)) = order.seal {
        write_seal(session, token, name, seal, order.replaced, progress)?;
        for held in seals(session, SEALS_MAX.saturating_add(1)).map_err(told)? {
            if order.replaced.contains(&id(&held)) {
                session.destroy_object(held.handle).map_err(told)?;
                progress();
            }
        }
    }
    match last {
        Some((leaf, id)) => write_certificate(session, token, &leaf, &id, progress),
        None => Ok(()),
    }
}

/// CKA_ID of a certificate's key: what another certificate of the same key has, which need not be ours, else what activation gave it.
fn key_id(session: &Session, leaf: &Certificate) -> Result<Vec<u8>, Error> {
    let same_key = |found: &Found| !found.id.is_empty() && Certificate::parse(&found.der).is_ok_and(|held| held.spki_der() == leaf.spki_der());
    let held = certificates(session)?.into_iter().find(same_key);
    Ok(held.map_or_else(|| Sha256::digest(leaf.spki_der()).iter().take(20).copied().collect(), |held| held.id))
}

fn write_certificate(session: &Session, token: &str, certificate: &Certificate, id: &[u8], progress: &mut dyn FnMut()) -> Result<(), Failure> {
    let told = |error: Error| faults::failure(&error, token);
    let same = [Attribute::Class(ObjectClass::CERTIFICATE), Attribute::Value(certificate.der().to_vec())];
    if session.find_objects(&same).map_err(told)?.is_empty() {
        let label = certificate.organisation().or_else(|| certificate.subject().common_name()).unwrap_or("CA");
        session
            .create_object(&[
                Attribute::Class(ObjectClass::CERTIFICATE),
                Attribute::CertificateType(CertificateType::X_509),
                Attribute::Token(true),
                Attribute::Private(false),
                Attribute::Subject(certificate.subject().der().to_vec()),
                Attribute::Issuer(certificate.issuer().der().to_vec()),
                Attribute::SerialNumber(encode_unsigned(certificate.serial_bytes())),
                Attribute::Id(id.to_vec()),
                Attribute::Label(label.as_bytes().to_vec()),
                Attribute::Value(certificate.der().to_vec()),
            ])
            .map_err(told)?;
    }
    progress();
    if session.find_objects(&same).map_err(told)?.is_empty() { Err(Failure::new(Code::WrittenDiffers).with("what", "X.509")) } else { Ok(()) }
}

/// One more seal than the token may keep can lie on it while it takes the place of another one.
fn write_seal(session: &Session, token: &str, name: &str, seal: &[u8], replaced: &[SealId], progress: &mut dyn FnMut()) -> Result<(), Failure> {
    let told = |error: Error| faults::failure(&error, token);
    let wanted = SealId::new(Sha256::digest(seal).into());
    let present = || seals(session, SEALS_MAX.saturating_add(1)).map(|found| found.iter().map(id).collect::<Vec<_>>()).map_err(told);
    let before = present()?;
    if !before.contains(&wanted) {
        // What cannot be read back would be refused as not written, and the seals beside it would no longer be seen.
        if before.iter().filter(|held| !replaced.contains(held)).count() >= SEALS_MAX {
            return Err(Failure::new(Code::TokenFull).with("token", token));
        }
        session
            .create_object(&[
                Attribute::Class(ObjectClass::DATA),
                Attribute::Token(true),
                Attribute::Private(false),
                Attribute::Modifiable(true),
                Attribute::Application(SEAL_APPLICATION.as_bytes().to_vec()),
                Attribute::Label(name.as_bytes().to_vec()),
                Attribute::Value(seal.to_vec()),
            ])
            .map_err(told)?;
    }
    progress();
    if present()?.contains(&wanted) { Ok(()) } else { Err(Failure::new(Code::WrittenDiffers).with("what", "SESeal")) }
}

fn id(seal: &DataObject) -> SealId {
    SealId::new(Sha256::digest(&seal.value).into())
}

fn parsed(der: &[u8]) -> Result<Certificate, Failure> {
    Certificate::parse(der).map_err(|error| Failure::new(Code::CertificateUnreadable).with("detail", error))
}

/// What it means that the new PIN does not log in; a token that is gone meanwhile says nothing about its PIN.
fn not_opened(failure: Failure) -> Failure {
    if failure.code == Code::TokenRemoved { failure } else { Failure::new(Code::UnlockFailed) }
}

/// What the officer's login says has other words than the user's: the person typed nothing wrong.
fn officer_failure(failure: Failure) -> Failure {
    match failure.code {
        Code::PinLocked => Failure::new(Code::OfficerLocked),
        Code::PinIncorrect | Code::PinLength | Code::PinCharacters => Failure::new(Code::UnlockFailed),
        _ => failure,
    }
}

fn converted(subject: &GrantSubject) -> Subject {
    let subject = subject.clone();
    Subject {
        country: subject.country,
        state: subject.state,
        locality: subject.locality,
        organisation: subject.organisation,
        organisation_unit: subject.organisation_unit,
        common_name: subject.common_name,
        credit_code: subject.credit_code,
        credit_code_kind: None,
    }
}

fn secret(pin: &Pin) -> AuthPin {
    AuthPin::from(pin.expose().to_owned())
}
