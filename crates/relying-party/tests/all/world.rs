//! A small world: an authority, holders of every kind of certificate, a portal's policy, and attempts to get
//! past it. An attempt is valid as it stands; a test spoils one thing.

use std::sync::OnceLock;

use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Sign, RsaPrivateKey, pss::Pss};
use sealbridge_pki::crl::{Crl, Draft, Entry, Fields};
use sealbridge_pki::issue::{Issuer, Kind as CertificateKind, Template, ToBeSigned};
use sealbridge_pki::oid::ObjectIdentifier;
use sealbridge_pki::{Algorithm as Suite, KeyUsage, Subject, key};
use sealbridge_protocol::operation::OperationId;
use sealbridge_protocol::statement::{Claims, Kind, Unsigned};
use sealbridge_relying_party::{Account, Algorithm, Binding, Certificate, CertificateId, Failure, Nonce, Origin, Policy, bind, login};

pub(crate) const NOW: i64 = 1_795_000_000;
pub(crate) const DAY: i64 = 86_400;
pub(crate) const CREDIT_CODE: &str = "91440300MA5TEXT005";
pub(crate) const ORIGIN: &str = "https://bid.example.cn:8443";
pub(crate) const ACCOUNT: &str = "supplier-1";

#[derive(Clone)]
pub(crate) enum Key {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Rsa(Box<RsaPrivateKey>),
}

impl Key {
    pub(crate) fn p256(number: u8) -> Self {
        Self::P256(p256::ecdsa::SigningKey::from_slice(&[number; 32]).unwrap())
    }

    pub(crate) fn p384(number: u8) -> Self {
        Self::P384(p384::ecdsa::SigningKey::from_slice(&[number; 48]).unwrap())
    }

    /// Made anew in each run: there are no keys in the repository.
    pub(crate) fn rsa() -> Self {
        static KEY: OnceLock<RsaPrivateKey> = OnceLock::new();
        Self::Rsa(Box::new(KEY.get_or_init(|| make_rsa(2048)).clone()))
    }

    pub(crate) fn rsa_weak() -> Self {
        static KEY: OnceLock<RsaPrivateKey> = OnceLock::new();
        Self::Rsa(Box::new(KEY.get_or_init(|| make_rsa(1024)).clone()))
    }

    pub(crate) fn of(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Es256 => Self::p256(7),
            Algorithm::Es384 => Self::p384(7),
            Algorithm::Rs256 | Algorithm::Ps256 => Self::rsa(),
        }
    }

    fn spki(&self) -> Vec<u8> {
        match self {
            Self::P256(key) => key::encode_ec_spki(key.verifying_key().to_sec1_point(false).as_bytes()).unwrap(),
            Self::P384(key) => key::encode_ec_spki(key.verifying_key().to_sec1_point(false).as_bytes()).unwrap(),
            Self::Rsa(key) => key::encode_rsa_spki(&key.n().to_be_bytes_trimmed_vartime(), &key.e().to_be_bytes_trimmed_vartime()).unwrap(),
        }
    }

    /// A signature in JWS form with whatever this key can do; the algorithm chooses digest and padding.
    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        let digest = suite(algorithm).digest(message);
        match self {
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign_prehash(&digest).unwrap();
                signature.to_bytes().to_vec()
            }
            Self::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign_prehash(&digest).unwrap();
                signature.to_bytes().to_vec()
            }
            Self::Rsa(key) if algorithm == Algorithm::Ps256 => {
                let mut random = rsa::rand_core::UnwrapErr(getrandom::SysRng);
                key.sign_with_rng(&mut random, Pss::<sha2::Sha256>::new_with_salt(32), &digest).unwrap()
            }
            Self::Rsa(key) => key.sign(Pkcs1v15Sign::new::<sha2::Sha256>(), &digest).unwrap(),
        }
    }
}

fn make_rsa(bits: usize) -> RsaPrivateKey {
    RsaPrivateKey::new(&mut rsa::rand_core::UnwrapErr(getrandom::SysRng), bits).unwrap()
}

fn suite(algorithm: Algorithm) -> Suite {
    Suite::from_name(algorithm.as_str()).unwrap()
}

/// What a certificate is to be; the rest is usual.
#[derive(Clone)]
pub(crate) struct Wish {
    pub(crate) kind: CertificateKind,
    pub(crate) name: &'static str,
    pub(crate) credit_code: Option<&'static str>,
    /// Where it stands in the subject.
    pub(crate) credit_code_kind: Option<ObjectIdentifier>,
    pub(crate) serial: u8,
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
    pub(crate) purposes: Vec<ObjectIdentifier>,
    pub(crate) spki: Option<Vec<u8>>,
}

impl Wish {
    pub(crate) fn holder() -> Self {
        Self {
            kind: CertificateKind::Holder { key_usage: KeyUsage::SIGNING },
            name: "深圳测试科技有限公司",
            credit_code: Some(CREDIT_CODE),
            credit_code_kind: None,
            serial: 0x11,
            not_before: NOW - DAY,
            not_after: NOW + 365 * DAY,
            purposes: Vec::new(),
            spki: None,
        }
    }

    fn authority(name: &'static str, path_length: u8) -> Self {
        let kind = CertificateKind::Authority { path_length: Some(path_length) };
        Self { kind, name, credit_code: None, ..Self::holder() }
    }

    fn issue(&self, key: &Key, issuer: Option<(&Certificate, &Key)>) -> Certificate {
        let spki = self.spki.clone().unwrap_or_else(|| key.spki());
        let subject = Subject {
            country: Some("CN".into()),
            organisation: Some(self.name.into()),
            common_name: Some(self.name.into()),
            credit_code: self.credit_code.map(Into::into),
            credit_code_kind: self.credit_code_kind,
            ..Subject::default()
        };
        let template = Template {
            kind: self.kind,
            issuer: issuer.map_or(Issuer::Own, |(certificate, _)| Issuer::Authority(certificate)),
            subject: &subject,
            spki: &spki,
            serial: &[self.serial, 2, 3, 4],
            not_before: self.not_before,
            not_after: self.not_after,
            crl_distribution_point: None,
            ocsp_responder: None,
            extended_key_usage: &self.purposes,
        };
        let signer = issuer.map_or(key, |(_, key)| key);
        // Authorities of this world sign with P-256.
        let to_be_signed = ToBeSigned::new(&template, Suite::Es256).unwrap();
        to_be_signed.assemble(&signer.sign(Algorithm::Es256, to_be_signed.der())).unwrap()
    }
}

/// A root and an issuing authority.
pub(crate) struct Authority {
    pub(crate) root: Certificate,
    pub(crate) issuing: Certificate,
    issuing_key: Key,
}

impl Authority {
    /// Authorities of different numbers have the same names and other keys.
    pub(crate) fn new(number: u8) -> Self {
        let (root_key, issuing_key) = (Key::p256(number), Key::p256(number + 100));
        let root = Wish::authority("印桥测试根", 1).issue(&root_key, None);
        let issuing = Wish::authority("印桥测试签发机构", 0).issue(&issuing_key, Some((&root, &root_key)));
        Self { root, issuing, issuing_key }
    }

    pub(crate) fn issue(&self, wish: &Wish, key: &Key) -> Certificate {
        wish.issue(key, Some((&self.issuing, &self.issuing_key)))
    }

    /// The issuing authority's list, which has these certificates, each for its reason (CRLReason).
    pub(crate) fn list(&self, revoked: &[(&Certificate, u8)]) -> Crl {
        let entry = |(certificate, reason): &(&Certificate, u8)| Entry { serial: certificate.serial_bytes().to_vec(), time: NOW - DAY, reason: Some(*reason) };
        let entries: Vec<_> = revoked.iter().map(entry).collect();
        let fields = Fields { issuer: &self.issuing, number: 1, this_update: NOW - 60, next_update: NOW + DAY, entries: &entries };
        let draft = Draft::new(&fields, Suite::Es256).unwrap();
        Crl::parse(&draft.assemble(&self.issuing_key.sign(Algorithm::Es256, draft.to_be_signed())).unwrap()).unwrap()
    }
}

pub(crate) fn origin(text: &str) -> Origin {
    Origin::from_browser(text, true).unwrap()
}

pub(crate) fn id(certificate: &Certificate) -> CertificateId {
    CertificateId::new(certificate.sha256())
}

pub(crate) fn binding(certificate: &Certificate, account: &str) -> Binding {
    Binding {
        account: Account::new(account).unwrap(),
        certificate: id(certificate),
        organisation: "深圳测试科技有限公司".to_owned(),
        credit_code: CREDIT_CODE.to_owned(),
        serial: certificate.serial_hex(),
        not_after: certificate.not_after(),
        bound_at: NOW - DAY,
        suspended_at: None,
    }
}

/// A login or a bind, from the challenge to the verdict. Valid as [`Attempt::new`] makes it.
#[derive(Clone)]
pub(crate) struct Attempt {
    pub(crate) kind: Kind,
    pub(crate) algorithm: Algorithm,
    pub(crate) signer: Key,
    pub(crate) chain: Vec<Certificate>,
    pub(crate) leaf_sha256: Option<[u8; 32]>,
    pub(crate) aud: Origin,
    /// Another nonce than the challenge's.
    pub(crate) nonce: Option<Nonce>,
    pub(crate) iat: i64,
    pub(crate) account: String,
    /// The account that the portal's session belongs to.
    pub(crate) asking: String,
    pub(crate) credit_code: String,
    pub(crate) issued_at: i64,
    pub(crate) now: i64,
    pub(crate) policy: Policy,
    pub(crate) of_account: Option<Binding>,
    pub(crate) of_certificate: Option<Binding>,
}

impl Attempt {
    pub(crate) fn new(kind: Kind, algorithm: Algorithm) -> Self {
        Self::with(kind, algorithm, &Wish::holder(), Key::of(algorithm))
    }

    pub(crate) fn with(kind: Kind, algorithm: Algorithm, wish: &Wish, signer: Key) -> Self {
        let authority = Authority::new(1);
        let leaf = authority.issue(wish, &signer);
        let policy = Policy::new(&[ORIGIN], &authority.root.to_pem()).unwrap();
        let bound = (kind == Kind::Login).then(|| binding(&leaf, ACCOUNT));
        Self {
            kind,
            algorithm,
            signer,
            chain: vec![leaf, authority.issuing],
            leaf_sha256: None,
            aud: origin(ORIGIN),
            nonce: None,
            iat: NOW + 10,
            account: ACCOUNT.to_owned(),
            asking: ACCOUNT.to_owned(),
            credit_code: CREDIT_CODE.to_owned(),
            issued_at: NOW,
            now: NOW + 20,
            policy,
            of_account: None,
            of_certificate: bound,
        }
    }

    pub(crate) fn leaf(&self) -> &Certificate {
        &self.chain[0]
    }

    /// The challenge's nonce is always made of the same bytes here.
    pub(crate) fn challenge_nonce(&self) -> Nonce {
        login::start(&self.policy, self.issued_at, [5; 32]).unwrap().0.nonce
    }

    pub(crate) fn token(&self) -> String {
        let nonce = self.nonce.clone().unwrap_or_else(|| self.challenge_nonce());
        let operation = OperationId::new([9; 16]);
        let claims = match self.kind {
            Kind::Login => Claims::login(self.aud.clone(), nonce, self.iat, operation),
            Kind::Bind => {
                let account = Account::new(self.account.as_str()).unwrap();
                Claims::bind(self.aud.clone(), nonce, self.iat, operation, account)
            }
        };
        let chain: Vec<_> = self.chain.iter().map(|certificate| certificate.der().to_vec()).collect();
        let leaf_sha256 = self.leaf_sha256.unwrap_or_else(|| self.leaf().sha256());
        let unsigned = Unsigned::new(self.kind, self.algorithm, &chain, &leaf_sha256, claims).unwrap();
        unsigned.attach(&self.signer.sign(self.algorithm, unsigned.signing_input().as_bytes()))
    }

    /// Brings a token to the portal's login.
    pub(crate) fn log_in(&self, token: &str) -> Result<login::VerifiedLogin, Failure> {
        let statement = login::read(token)?;
        let (_, pending) = login::start(&self.policy, self.issued_at, [5; 32])?;
        login::finish(pending, statement, self.of_certificate.as_ref(), &self.policy, self.now)
    }

    /// Brings a token to the portal's bind.
    pub(crate) fn bind(&self, token: &str) -> Result<bind::VerifiedBinding, Failure> {
        let statement = bind::read(token)?;
        let (_, pending) = bind::start(&self.policy, &self.asking, &self.credit_code, self.issued_at, [5; 32])?;
        let existing = bind::Existing { of_account: self.of_account.as_ref(), of_certificate: self.of_certificate.as_ref() };
        bind::finish(pending, statement, existing, &self.policy, self.now)
    }
}
