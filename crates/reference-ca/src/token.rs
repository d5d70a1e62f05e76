//! The token side of the desk over PKCS#11: initialise, generate a key pair that never leaves the token, sign the certificate
//! request with it, write the certificate, its chain and the seal. It never exports a private key and never guesses a PIN.
//!
//! Conventions that the native host relies on: `CKA_ID` of key pair and certificate is the first 20 bytes of SHA-256 over the
//! SubjectPublicKeyInfo; a seal is a public CKO_DATA object with application [`SEAL_APPLICATION`].

use std::path::Path;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, CertificateType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use sealbridge_pki::asn1::{Element, encode, encode_all, encode_unsigned, tag};
use sealbridge_pki::key::{encode_ec_spki, encode_rsa_spki};
use sealbridge_pki::oid::{self, ObjectIdentifier};
use sealbridge_pki::{Algorithm, Certificate, suite};

use crate::error::DeskError;

/// CKA_APPLICATION of the data object that holds a seal.
pub const SEAL_APPLICATION: &str = "Sealbridge seal";

/// A loaded PKCS#11 module. One process loads a module once.
#[derive(Debug)]
pub struct Module(Pkcs11);

/// A token with the user logged in; logged out when dropped.
#[derive(Debug)]
pub struct Token {
    session: Session,
}

/// A key pair on the token.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// SubjectPublicKeyInfo in DER, as in the certificate.
    pub spki: Vec<u8>,
    /// CKA_ID of both halves.
    pub id: Vec<u8>,
    algorithm: Algorithm,
    private: ObjectHandle,
}

impl Module {
    /// Loads the module at `path` and initialises it. Environment variables that it reads must be set before.
    pub fn load(path: &Path) -> Result<Self, DeskError> {
        let module = Pkcs11::new(path).map_err(DeskError::token("loading the module"))?;
        module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).map_err(DeskError::token("initialising the module"))?;
        Ok(Self(module))
    }

    /// Opens the token named `label`; where none is so named, initialises the first blank one (label, SO PIN, user PIN).
    pub fn open_or_initialise(&self, label: &str, so_pin: &str, pin: &str) -> Result<Token, DeskError> {
        if label.is_empty() || label.len() > 32 {
            return Err(DeskError::TokenState(format!("a token label has 1 to 32 bytes; “{label}” has {}", label.len())));
        }
        match self.find(label)? {
            Some(_) => self.open(label, pin),
            None => {
                self.initialise(label, so_pin, pin)?;
                self.open(label, pin)
            }
        }
    }

    /// Opens the token named `label` and logs the user in.
    pub fn open(&self, label: &str, pin: &str) -> Result<Token, DeskError> {
        let slot = self.find(label)?.ok_or_else(|| DeskError::TokenState(format!("no token is labelled “{label}”")))?;
        let session = self.0.open_rw_session(slot).map_err(DeskError::token("opening a session"))?;
        session.login(UserType::User, Some(&secret(pin))).map_err(DeskError::token("logging in with the user PIN"))?;
        Ok(Token { session })
    }

    fn find(&self, label: &str) -> Result<Option<Slot>, DeskError> {
        for slot in self.0.get_slots_with_token().map_err(DeskError::token("listing slots"))? {
            let token = self.0.get_token_info(slot).map_err(DeskError::token("reading a token's state"))?;
            if token.token_initialized() && token.label() == label {
                return Ok(Some(slot));
            }
        }
        Ok(None)
    }

    fn initialise(&self, label: &str, so_pin: &str, pin: &str) -> Result<(), DeskError> {
        let slots = self.0.get_slots_with_token().map_err(DeskError::token("listing slots"))?;
        let mut blank = None;
        for slot in slots {
            let token = self.0.get_token_info(slot).map_err(DeskError::token("reading a token's state"))?;
            if !token.token_initialized() {
                blank = Some(slot);
                break;
            }
        }
        let slot = blank.ok_or_else(|| DeskError::TokenState(format!("no token is labelled “{label}” and none is blank; nothing was overwritten")))?;
        self.0.init_token(slot, &secret(so_pin), label).map_err(DeskError::token("initialising the token"))?;
        // SoftHSM gives the token another slot number once it is initialised.
        let slot = self.find(label)?.unwrap_or(slot);
        let session = self.0.open_rw_session(slot).map_err(DeskError::token("opening a session"))?;
        session.login(UserType::So, Some(&secret(so_pin))).map_err(DeskError::token("logging in with the SO PIN"))?;
        session.init_pin(&secret(pin)).map_err(DeskError::token("setting the user PIN"))?;
        session.logout().map_err(DeskError::token("logging the security officer out"))
    }
}

impl Token {
    /// Generates a key pair on the token: private, sensitive, not extractable, for signatures only.
    pub fn generate(&self, algorithm: Algorithm, label: &str) -> Result<KeyPair, DeskError> {
        let mut public = vec![Attribute::Token(true), Attribute::Private(false), Attribute::Verify(true), label_of(label)];
        let private = [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
            label_of(label),
        ];
        let mechanism = match curve(algorithm)? {
            Some(curve) => {
                public.push(Attribute::EcParams(suite::encode_oid(&curve)));
                Mechanism::EccKeyPairGen
            }
            None => {
                public.push(Attribute::ModulusBits(2048.into()));
                public.push(Attribute::PublicExponent(vec![1, 0, 1]));
                Mechanism::RsaPkcsKeyPairGen
            }
        };
        let (public, private) = self.session.generate_key_pair(&mechanism, &public, &private).map_err(DeskError::token("generating the key pair"))?;
        self.refuse_exportable(private)?;
        let spki = self.public_key(public, algorithm)?;
        let id = key_id(&spki);
        for half in [public, private] {
            self.session.update_attributes(half, &[Attribute::Id(id.clone())]).map_err(DeskError::token("naming the key pair"))?;
        }
        Ok(KeyPair { spki, id, algorithm, private })
    }

    /// Signs `message` (hashed here, as the algorithm says) with the key. The signature has the JWS form: r‖s, or RSA octets.
    pub fn sign(&self, key: &KeyPair, message: &[u8]) -> Result<Vec<u8>, DeskError> {
        let digest = key.algorithm.digest(message);
        let (mechanism, input) = if key.algorithm.is_ecdsa() {
            (Mechanism::Ecdsa, digest)
        } else {
            // DigestInfo (RFC 8017 9.2), which must have the NULL that other uses of the identifier leave out.
            let identifier = encode_all(tag::SEQUENCE, &[&suite::encode_oid(&key.algorithm.digest_algorithm().oid()), &encode(tag::NULL, &[])]);
            let info = encode_all(tag::SEQUENCE, &[&identifier, &encode(tag::OCTET_STRING, &digest)]);
            (Mechanism::RsaPkcs, info)
        };
        self.session.sign(&mechanism, key.private, &input).map_err(DeskError::token("signing the certificate request"))
    }

    /// Writes a certificate beside its key (`id` is the key's) or, with an empty `id`, as an issuer's.
    pub fn write_certificate(&self, certificate: &Certificate, id: &[u8], label: &str) -> Result<(), DeskError> {
        if self.holds(certificate)? {
            return Ok(());
        }
        self.create(
            "writing a certificate",
            &[
                Attribute::Class(ObjectClass::CERTIFICATE),
                Attribute::CertificateType(CertificateType::X_509),
                Attribute::Token(true),
                Attribute::Private(false),
                Attribute::Subject(certificate.subject().der().to_vec()),
                Attribute::Issuer(certificate.issuer().der().to_vec()),
                Attribute::SerialNumber(encode_unsigned(certificate.serial_bytes())),
                Attribute::Id(id.to_vec()),
                label_of(label),
                Attribute::Value(certificate.der().to_vec()),
            ],
        )
    }

    /// Whether this very certificate is on the token.
    pub fn holds(&self, certificate: &Certificate) -> Result<bool, DeskError> {
        let same = [Attribute::Class(ObjectClass::CERTIFICATE), Attribute::Value(certificate.der().to_vec())];
        let found = self.session.find_objects(&same).map_err(DeskError::token("looking for a certificate"))?;
        Ok(!found.is_empty())
    }

    /// Writes a seal, replacing one of the same name.
    pub fn write_seal(&self, seal: &[u8], name: &str) -> Result<(), DeskError> {
        let same = [Attribute::Class(ObjectClass::DATA), Attribute::Application(SEAL_APPLICATION.into()), label_of(name)];
        for old in self.session.find_objects(&same).map_err(DeskError::token("looking for seals"))? {
            self.session.destroy_object(old).map_err(DeskError::token("removing the replaced seal"))?;
        }
        self.create(
            "writing the seal",
            &[
                Attribute::Class(ObjectClass::DATA),
                Attribute::Token(true),
                Attribute::Private(false),
                Attribute::Modifiable(true),
                Attribute::Application(SEAL_APPLICATION.into()),
                label_of(name),
                Attribute::Value(seal.to_vec()),
            ],
        )?;
        // pkcs11-tool of OpenSC 0.23 and some modules shorten large objects without a word; read it back.
        let mut written = Vec::new();
        for object in self.session.find_objects(&same).map_err(DeskError::token("looking for seals"))? {
            for attribute in self.session.get_attributes(object, &[AttributeType::Value]).map_err(DeskError::token("reading the seal"))? {
                if let Attribute::Value(value) = attribute {
                    written = value;
                }
            }
        }
        if written == seal { Ok(()) } else { Err(DeskError::TokenState("the token did not keep the seal byte for byte".into())) }
    }

    /// A module may ignore the template; a key that can leave the token is none for us.
    fn refuse_exportable(&self, private: ObjectHandle) -> Result<(), DeskError> {
        let wanted = [AttributeType::Extractable, AttributeType::Sensitive];
        match &self.session.get_attributes(private, &wanted).map_err(DeskError::token("reading the private key's attributes"))?[..] {
            [Attribute::Extractable(false), Attribute::Sensitive(true)] => Ok(()),
            _ => Err(DeskError::TokenState("the token generated a private key that can be exported".into())),
        }
    }

    fn create(&self, step: &'static str, template: &[Attribute]) -> Result<(), DeskError> {
        self.session.create_object(template).map(drop).map_err(DeskError::token(step))
    }

    fn public_key(&self, key: ObjectHandle, algorithm: Algorithm) -> Result<Vec<u8>, DeskError> {
        let read = |wanted: &[AttributeType]| self.session.get_attributes(key, wanted).map_err(DeskError::token("reading the public key"));
        let wrong = || DeskError::TokenState("the token does not show the public key that it generated".into());
        if algorithm.is_ecdsa() {
            let [Attribute::EcPoint(point)] = &read(&[AttributeType::EcPoint])?[..] else { return Err(wrong()) };
            // PKCS#11 2.40 wraps the point into an OCTET STRING; some modules do not.
            let wrapped = Element::parse(point).ok().filter(|element| element.tag() == tag::OCTET_STRING);
            return Ok(encode_ec_spki(wrapped.map_or(point.as_slice(), |element| element.content()))?);
        }
        match &read(&[AttributeType::Modulus, AttributeType::PublicExponent])?[..] {
            [Attribute::Modulus(modulus), Attribute::PublicExponent(exponent)] => Ok(encode_rsa_spki(modulus, exponent)?),
            _ => Err(wrong()),
        }
    }
}

/// The curve of a new key; none for RSA.
fn curve(algorithm: Algorithm) -> Result<Option<ObjectIdentifier>, DeskError> {
    match algorithm {
        Algorithm::Es256 => Ok(Some(oid::P256)),
        Algorithm::Es384 => Ok(Some(oid::P384)),
        Algorithm::Rs256 => Ok(None),
        Algorithm::Ps256 => Err(DeskError::Refused("a key for RSA-PSS alone is not issued here; an RS256 key can sign PS256 too".into())),
    }
}

/// The first 20 bytes of SHA-256 over the SubjectPublicKeyInfo.
fn key_id(spki: &[u8]) -> Vec<u8> {
    suite::sha256(spki).iter().take(20).copied().collect()
}

fn secret(pin: &str) -> AuthPin {
    AuthPin::from(pin.to_owned())
}

fn label_of(label: &str) -> Attribute {
    Attribute::Label(label.as_bytes().to_vec())
}
