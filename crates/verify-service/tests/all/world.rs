//! A service on a temporary database, an authority that its portal trusts, suppliers with keys, and a portal that calls.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use sealbridge_pki::issue::{Issuer, Kind as CertificateKind, Template, ToBeSigned};
use sealbridge_pki::oid::{KP_SEAL_MAKING, ObjectIdentifier};
use sealbridge_pki::{Algorithm as Suite, Certificate, KeyUsage, Subject, key};
use sealbridge_protocol::fields::{Account, Nonce};
use sealbridge_protocol::operation::OperationId;
use sealbridge_protocol::origin::Origin;
use sealbridge_protocol::statement::{Algorithm, Claims, Kind, Unsigned};
use sealbridge_relying_party::StatusDemand;
use sealbridge_verify_service::portal::new_key;
use sealbridge_verify_service::service::{Clock, Service, Settings};
use sealbridge_verify_service::store::{Database, portals};
use sealbridge_verify_service::web;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

pub(crate) const ORIGIN: &str = "https://bid.example.cn";
pub(crate) const ORGANISATION: &str = "印桥测试科技有限公司";
pub(crate) const CREDIT_CODE: &str = "91440300MA5DEMA00Y";
pub(crate) const OTHER_CREDIT_CODE: &str = "91440300MA5TEXT005";
pub(crate) const SESSION: &str = "session-of-one-browser";
pub(crate) const DAY: i64 = 86_400;

pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) clock: Clock,
    pub(crate) database: Database,
    pub(crate) folder: Arc<TempDir>,
    pub(crate) key: String,
    pub(crate) authority: Authority,
    /// When this world began: certificates are the same bytes whenever they are asked for.
    pub(crate) born: i64,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{} is not JSON: {}", self.status, String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or("none").to_owned()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.code().as_str()), (status, code), "{}", String::from_utf8_lossy(&self.body));
        let body = self.json();
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(body["status"], status);
        for language in ["zh-CN", "en"] {
            let words = &body["words"][language];
            assert!(!words["what"].as_str().unwrap().is_empty() && !words["remedy"].as_str().unwrap().is_empty(), "{body}");
        }
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("v.sqlite").to_string_lossy().into_owned();
        Self::with(folder, &place, |settings| settings).await
    }

    pub(crate) async fn with(folder: TempDir, place: &str, change: impl FnOnce(Settings) -> Settings) -> Self {
        let database = Database::open(place).await.unwrap();
        let clock = Clock::default();
        let authority = Authority::new(1, clock.now());
        let key = add_portal(&database, "tender-portal", &authority, 1).await;
        let settings = change(Settings::new(folder.path().to_owned()));
        let router = web::router(Service::new(settings, database.clone(), clock.clone()));
        let born = clock.now();
        World { router, clock, database, folder: Arc::new(folder), key, authority, born }
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now()
    }

    pub(crate) fn holder(&self, number: u8) -> Holder {
        self.authority.holder(&Wish::of(number), self.born)
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Answer { status: parts.status, headers: parts.headers, body: to_bytes(body, 64 << 20).await.unwrap().to_vec() }
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        self.send(Request::builder().method(method).uri(path).header("authorization", format!("Bearer {}", self.key)).body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &Value::Null).await
    }

    /// A fresh challenge's nonce.
    pub(crate) async fn nonce(&self, wanted: Value) -> String {
        let answer = self.call("POST", "/v1/challenges", &wanted).await.expect(201);
        answer["challenge"]["nonce"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn login(&self, holder: &Holder) -> Answer {
        let nonce = self.nonce(json!({ "kind": "login", "session": SESSION })).await;
        self.call("POST", "/v1/logins", &json!({ "session": SESSION, "token": holder.login(&nonce, self.now()) })).await
    }

    pub(crate) async fn bind(&self, holder: &Holder, account: &str) -> Answer {
        let nonce = self.nonce(json!({ "kind": "bind", "session": SESSION, "account": account, "creditCode": CREDIT_CODE })).await;
        self.call("POST", "/v1/bindings", &json!({ "session": SESSION, "token": holder.bind(account, &nonce, self.now()) })).await
    }
}

/// Makes a portal with a key.
pub(crate) async fn add_portal(database: &Database, id: &str, authority: &Authority, random: u8) -> String {
    add_portal_with(database, id, (&authority.root.to_pem(), &authority.issuing.to_pem()), random, StatusDemand::default()).await
}

/// Makes a portal with a key, that trusts these roots and knows these issuers.
pub(crate) async fn add_portal_with(database: &Database, id: &str, (trust, intermediates): (&str, &str), random: u8, status: StatusDemand) -> String {
    let settings = portals::Settings {
        origins: vec![ORIGIN.to_owned()],
        trust: trust.to_owned(),
        // The maker of a seal brings no chain.
        intermediates: intermediates.to_owned(),
        seal_makers: String::new(),
        revocation: None,
        status,
    };
    portals::put(database, id, &serde_json::to_string(&settings).unwrap(), 1).await.unwrap();
    let key = new_key(&[random; 32]);
    assert!(portals::add_key(database, &format!("key-of-{id}"), id, &key, "test", 1).await.unwrap());
    key
}

/// A root and an issuing authority.
pub(crate) struct Authority {
    pub(crate) root: Certificate,
    pub(crate) issuing: Certificate,
    issuing_key: p256::ecdsa::SigningKey,
}

/// What a holder's certificate is to be; the rest is usual.
pub(crate) struct Wish<'a> {
    pub(crate) number: u8,
    pub(crate) serial: u8,
    pub(crate) credit_code: Option<&'a str>,
    pub(crate) purposes: &'a [ObjectIdentifier],
    pub(crate) days: i64,
}

impl Wish<'_> {
    pub(crate) fn of(number: u8) -> Self {
        Self { number, serial: number, credit_code: Some(CREDIT_CODE), purposes: &[], days: 365 }
    }
}

impl Authority {
    pub(crate) fn new(number: u8, now: i64) -> Self {
        let (root_key, issuing_key) = (secret(number), secret(number + 100));
        let authority = |path_length| CertificateKind::Authority { path_length: Some(path_length) };
        let validity = (now - DAY, now + 3650 * DAY);
        let root = issue((authority(1), &[]), "印桥测试根", None, 1, &root_key, None, validity);
        let issuing = issue((authority(0), &[]), "印桥测试签发机构", None, 2, &issuing_key, Some((&root, &root_key)), validity);
        Authority { root, issuing, issuing_key }
    }

    pub(crate) fn holder(&self, wish: &Wish<'_>, now: i64) -> Holder {
        let key = secret(wish.number);
        let kind = CertificateKind::Holder { key_usage: KeyUsage::SIGNING };
        let issuer = Some((&self.issuing, &self.issuing_key));
        let validity = (now - DAY, now + wish.days * DAY);
        let leaf = issue((kind, wish.purposes), ORGANISATION, wish.credit_code, wish.serial, &key, issuer, validity);
        Holder { key, chain: vec![leaf, self.issuing.clone()] }
    }

    /// A key whose certificate is for making seals.
    pub(crate) fn seal_maker(&self, number: u8, now: i64) -> Holder {
        self.holder(&Wish { credit_code: None, purposes: &[KP_SEAL_MAKING], ..Wish::of(number) }, now)
    }
}

fn secret(number: u8) -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[number; 32]).unwrap()
}

fn issue(
    (kind, extended_key_usage): (CertificateKind, &[ObjectIdentifier]),
    name: &str,
    credit_code: Option<&str>,
    serial: u8,
    key: &p256::ecdsa::SigningKey,
    issuer: Option<(&Certificate, &p256::ecdsa::SigningKey)>,
    (not_before, not_after): (i64, i64),
) -> Certificate {
    let spki = key::encode_ec_spki(key.verifying_key().to_sec1_point(false).as_bytes()).unwrap();
    let subject = Subject {
        country: Some("CN".into()),
        organisation: Some(name.into()),
        common_name: Some(name.into()),
        credit_code: credit_code.map(Into::into),
        ..Subject::default()
    };
    let template = Template {
        kind,
        issuer: issuer.map_or(Issuer::Own, |(certificate, _)| Issuer::Authority(certificate)),
        subject: &subject,
        spki: &spki,
        serial: &[serial, 2, 3, 4],
        not_before,
        not_after,
        crl_distribution_point: None,
        ocsp_responder: None,
        extended_key_usage,
    };
    let to_be_signed = ToBeSigned::new(&template, Suite::Es256).unwrap();
    let signature = sign(issuer.map_or(key, |(_, key)| key), to_be_signed.der());
    to_be_signed.assemble(&signature).unwrap()
}

fn sign(key: &p256::ecdsa::SigningKey, message: &[u8]) -> Vec<u8> {
    let signature: p256::ecdsa::Signature = key.sign_prehash(&Suite::Es256.digest(message)).unwrap();
    signature.to_bytes().to_vec()
}

/// A key and its certificate chain: the supplier's side.
#[derive(Clone)]
pub(crate) struct Holder {
    pub(crate) key: p256::ecdsa::SigningKey,
    pub(crate) chain: Vec<Certificate>,
}

impl Holder {
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        sign(&self.key, message)
    }

    pub(crate) fn leaf(&self) -> &Certificate {
        &self.chain[0]
    }

    pub(crate) fn login(&self, nonce: &str, now: i64) -> String {
        self.login_at(ORIGIN, nonce, now)
    }

    pub(crate) fn login_at(&self, origin: &str, nonce: &str, now: i64) -> String {
        self.statement(Kind::Login, Claims::login(Origin::from_browser(origin, true).unwrap(), Nonce::new(nonce).unwrap(), now, OperationId::new([9; 16])))
    }

    pub(crate) fn bind(&self, account: &str, nonce: &str, now: i64) -> String {
        let (origin, account) = (Origin::from_browser(ORIGIN, true).unwrap(), Account::new(account).unwrap());
        self.statement(Kind::Bind, Claims::bind(origin, Nonce::new(nonce).unwrap(), now, OperationId::new([9; 16]), account))
    }

    fn statement(&self, kind: Kind, claims: Claims) -> String {
        let chain: Vec<_> = self.chain.iter().map(|certificate| certificate.der().to_vec()).collect();
        let unsigned = Unsigned::new(kind, Algorithm::Es256, &chain, &self.leaf().sha256(), claims).unwrap();
        unsigned.attach(&self.sign(unsigned.signing_input().as_bytes()))
    }
}
