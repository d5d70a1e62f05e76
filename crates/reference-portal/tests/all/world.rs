//! A portal on a temporary database, an authority it trusts, suppliers with keys, and visitors with cookies.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use base64ct::{Base64UrlUnpadded, Encoding};
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use sealbridge_pki::issue::{Issuer, Kind as CertificateKind, Template, ToBeSigned};
use sealbridge_pki::oid::{KP_SEAL_MAKING, ObjectIdentifier};
use sealbridge_pki::{Algorithm as Suite, Certificate, KeyUsage, Subject, key};
use sealbridge_protocol::fields::{Account, Nonce};
use sealbridge_protocol::operation::OperationId;
use sealbridge_protocol::origin::Origin;
use sealbridge_protocol::statement::{Algorithm, Claims, Kind, Unsigned};
use sealbridge_reference_portal::authorities::Asking;
use sealbridge_reference_portal::checks::Checks;
use sealbridge_reference_portal::desk::{self, Desk};
use sealbridge_reference_portal::proxies::Proxies;
use sealbridge_reference_portal::settings::{Clock, Limits, Portal, Settings};
use sealbridge_reference_portal::store::Database;
use sealbridge_reference_portal::store::accounts::{self, NewAccount, Role};
use sealbridge_reference_portal::web;
use serde_json::{Value, json};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tempfile::TempDir;
use tower::ServiceExt;

pub(crate) const ORIGIN: &str = "http://localhost:8700";
pub(crate) const DESK: &str = "http://desk.localhost:8800";
/// The file of the connected portal's key, in its folder.
pub(crate) const DESK_KEY: &str = "desk-key.pem";
pub(crate) const HOST: &str = "localhost:8700";
pub(crate) const ORGANISATION: &str = "印桥测试科技有限公司";
pub(crate) const CREDIT_CODE: &str = "91440300MA5DEMA00Y";
pub(crate) const OTHER_CREDIT_CODE: &str = "91440300MA5TEXT005";
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const DOCUMENT_MAX: u64 = 256 * 1024;
const DAY: i64 = 86_400;

/// The portal, with the accounts `alpha`, `beta` (one organisation), `gamma` (another) and the auditor `omega`.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) clock: Clock,
    pub(crate) folder: Arc<TempDir>,
    authority: Arc<Authority>,
    second: Arc<Authority>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::at(ORIGIN).await
    }

    pub(crate) async fn at(origin: &str) -> Self {
        Self::with(origin, Limits::default(), Proxies::default()).await
    }

    pub(crate) async fn with(origin: &str, limits: Limits, proxies: Proxies) -> Self {
        Self::made(origin, limits, proxies, false, Asking::default(), &[]).await
    }

    /// A portal that is connected to a desk, whose answers the authority's issuing key signs.
    pub(crate) async fn connected() -> Self {
        Self::made(ORIGIN, Limits::default(), Proxies::default(), true, Asking::default(), &[]).await
    }

    /// A portal that asks so, and trusts this root too.
    pub(crate) async fn asking(asking: Asking, root: &Certificate) -> Self {
        Self::made(ORIGIN, Limits::default(), Proxies::default(), false, asking, &[root]).await
    }

    async fn made(origin: &str, limits: Limits, proxies: Proxies, connected: bool, asking: Asking, more: &[&Certificate]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("portal.sqlite")).await.unwrap();
        let clock = Clock::default();
        for (name, organisation, credit_code, role) in [
            ("alpha", ORGANISATION, CREDIT_CODE, Role::Supplier),
            ("beta", ORGANISATION, CREDIT_CODE, Role::Supplier),
            ("gamma", "另一家测试有限公司", OTHER_CREDIT_CODE, Role::Supplier),
            ("omega", "审计单位", CREDIT_CODE, Role::Auditor),
        ] {
            let account = NewAccount { name, organisation, credit_code, role };
            accounts::add(&database, &account, PASSWORD.to_owned(), clock.now()).await.unwrap();
        }
        let documents = folder.path().join("documents");
        std::fs::create_dir(&documents).unwrap();
        let authority = Authority::new(1, clock.now());
        let second = Authority::new(5, clock.now());
        let roots: Vec<_> = [&authority.root, &second.root].into_iter().chain(more.iter().copied()).map(|root| root.to_pem().into_bytes()).collect();
        // The maker of a seal brings no chain.
        let checks = Checks::new(&[origin.to_owned()], &roots, &[authority.issuing.to_pem().into_bytes()]).unwrap();
        let desk = connected.then(|| {
            let key = desk::key(&folder.path().join(DESK_KEY)).unwrap();
            Desk::new(DESK, "netca", authority.issuing.to_pem().as_bytes(), key).unwrap()
        });
        let origins = vec![origin.to_owned()];
        let settings = Settings { origins, client: None, documents, document_max: DOCUMENT_MAX, demo_account: false, limits, proxies, desk, asking };
        let router = web::router(Portal::new(settings, database, checks, clock.clone()));
        World { router, clock, folder: Arc::new(folder), authority: Arc::new(authority), second: Arc::new(second) }
    }

    /// A key with a certificate of the portal's authority.
    pub(crate) fn key(&self, number: u8, credit_code: Option<&str>) -> Holder {
        self.authority.holder(number, credit_code, self.clock.now())
    }

    /// A key with a certificate of an authority of the same name that the portal does not know.
    pub(crate) fn foreign_key(&self, number: u8) -> Holder {
        self.foreign_authority().holder(number, Some(CREDIT_CODE), self.clock.now())
    }

    pub(crate) fn foreign_authority(&self) -> Authority {
        Authority::new(9, self.clock.now())
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Another that the portal trusts.
    pub(crate) fn second_authority(&self) -> &Authority {
        &self.second
    }

    /// Somebody with the database file in their hands.
    pub(crate) async fn intruder(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.folder.path().join("portal.sqlite"));
        SqliteConnection::connect_with(&options).await.unwrap()
    }

    pub(crate) fn visitor(&self) -> Visitor {
        Visitor { world: self.clone(), cookies: BTreeMap::new(), csrf: String::new() }
    }

    /// A visitor who has signed in with the password.
    pub(crate) async fn signed_in(&self, name: &str) -> Visitor {
        let mut visitor = self.visitor();
        let answer = visitor.sign_in(name, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        visitor.get("/").await;
        visitor
    }

    /// A visitor whose account is bound to the key.
    pub(crate) async fn bound(&self, name: &str, holder: &Holder) -> Visitor {
        let mut visitor = self.signed_in(name).await;
        let nonce = visitor.challenge("bind").await;
        let answer = visitor.call("/api/bind", json!({ "token": holder.bind(name, &nonce, self.clock.now()) })).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        visitor
    }
}

/// A root and an issuing authority.
pub(crate) struct Authority {
    pub(crate) root: Certificate,
    issuing: Certificate,
    issuing_key: p256::ecdsa::SigningKey,
}

impl Authority {
    fn new(number: u8, now: i64) -> Self {
        let (root_key, issuing_key) = (secret(number), secret(number + 100));
        let authority = |path_length| CertificateKind::Authority { path_length: Some(path_length) };
        let validity = (now - DAY, now + 365 * DAY);
        let root = issue((authority(1), &[]), "印桥测试根", None, 1, &root_key, None, validity);
        let issuing = issue((authority(0), &[]), "印桥测试签发机构", None, 2, &issuing_key, Some((&root, &root_key)), validity);
        Authority { root, issuing, issuing_key }
    }

    /// A compact JWS by the issuing key.
    pub(crate) fn jws(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
        let input = format!("{}.{}", encode(header), encode(claims));
        let signature = sign(&self.issuing_key, input.as_bytes());
        format!("{input}.{}", Base64UrlUnpadded::encode_string(&signature))
    }

    pub(crate) fn holder(&self, number: u8, credit_code: Option<&str>, now: i64) -> Holder {
        self.holder_for(&[], number, credit_code, now)
    }

    /// A key whose certificate is for making seals.
    pub(crate) fn seal_maker(&self, number: u8, now: i64) -> Holder {
        self.holder_for(&[KP_SEAL_MAKING], number, None, now)
    }

    fn holder_for(&self, purposes: &[ObjectIdentifier], number: u8, credit_code: Option<&str>, now: i64) -> Holder {
        let key = secret(number);
        let kind = CertificateKind::Holder { key_usage: KeyUsage::SIGNING };
        let issuer = Some((&self.issuing, &self.issuing_key));
        let leaf = issue((kind, purposes), ORGANISATION, credit_code, number, &key, issuer, (now - DAY, now + 100 * DAY));
        Holder { key, chain: vec![leaf, self.issuing.clone()] }
    }

    /// The same key and subject with another certificate, which ends so many days after (or before) the holder's.
    pub(crate) fn renewed(&self, holder: &Holder, serial: u8, days: i64) -> Holder {
        let old = holder.leaf();
        let kind = CertificateKind::Holder { key_usage: KeyUsage::SIGNING };
        let (validity, issuer) = ((old.not_before(), old.not_after() + days * DAY), Some((&self.issuing, &self.issuing_key)));
        let leaf = issue((kind, &[]), ORGANISATION, old.credit_code().as_deref(), serial, &holder.key, issuer, validity);
        Holder { key: holder.key.clone(), chain: vec![leaf, self.issuing.clone()] }
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
        let claims = Claims::login(origin_of(origin), Nonce::new(nonce).unwrap(), now, OperationId::new([9; 16]));
        self.statement(Kind::Login, claims)
    }

    pub(crate) fn bind(&self, account: &str, nonce: &str, now: i64) -> String {
        let account = Account::new(account).unwrap();
        let nonce = Nonce::new(nonce).unwrap();
        let claims = Claims::bind(origin_of(ORIGIN), nonce, now, OperationId::new([9; 16]), account);
        self.statement(Kind::Bind, claims)
    }

    fn statement(&self, kind: Kind, claims: Claims) -> String {
        let chain: Vec<_> = self.chain.iter().map(|certificate| certificate.der().to_vec()).collect();
        let unsigned = Unsigned::new(kind, Algorithm::Es256, &chain, &self.leaf().sha256(), claims).unwrap();
        unsigned.attach(&self.sign(unsigned.signing_input().as_bytes()))
    }
}

fn origin_of(text: &str) -> Origin {
    Origin::from_browser(text, true).unwrap()
}

/// A browser without a screen: cookies, and the token of the page it saw last.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub(crate) world: World,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) csrf: String,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{} is not JSON: {}", self.status, self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The refusal's code, from JSON or from the page.
    pub(crate) fn code(&self) -> String {
        if let Ok(value) = serde_json::from_slice::<Value>(&self.body) {
            return value["code"].as_str().unwrap_or("none").to_owned();
        }
        let text = self.text();
        let found = text.split_once("data-code=\"").and_then(|(_, rest)| rest.split_once('"'));
        found.map_or("none".to_owned(), |(code, _)| code.to_owned())
    }
}

impl Visitor {
    pub(crate) async fn send(&mut self, mut request: Request<Body>) -> Answer {
        let headers = request.headers_mut();
        if !headers.contains_key("host") {
            headers.insert("host", HOST.parse().unwrap());
        }
        if !self.cookies.is_empty() {
            let line: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            headers.insert("cookie", line.join("; ").parse().unwrap());
        }
        let response = self.world.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let body = to_bytes(body, 16 * 1024 * 1024).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let answer = self.send(Request::get(path).body(Body::empty()).unwrap()).await;
        let text = answer.text();
        if let Some((_, rest)) = text.split_once("<meta name=\"csrf\" content=\"") {
            self.csrf = rest.split('"').next().unwrap().to_owned();
        }
        answer
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let mut pairs = vec![format!("csrf={}", encode(&self.csrf))];
        pairs.extend(fields.iter().map(|(name, value)| format!("{name}={}", encode(value))));
        let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(pairs.join("&"))).unwrap()).await
    }

    pub(crate) async fn call(&mut self, path: &str, body: Value) -> Answer {
        let request = Request::post(path).header("content-type", "application/json").header("x-csrf-token", self.csrf.as_str());
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(crate) async fn upload(&mut self, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(path).header("content-type", "application/pdf").header("x-csrf-token", self.csrf.as_str());
        self.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn sign_in(&mut self, name: &str, password: &str) -> Answer {
        self.get("/login").await;
        self.post("/login", &[("name", name), ("password", password), ("next", "/")]).await
    }

    pub(crate) async fn challenge(&mut self, kind: &str) -> String {
        let answer = self.call("/api/challenge", json!({ "kind": kind })).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.json()["nonce"].as_str().unwrap().to_owned()
    }

    /// Opens the sign-in page, then brings a login statement for a fresh challenge.
    pub(crate) async fn ca_login(&mut self, holder: &Holder) -> Answer {
        self.get("/login").await;
        let nonce = self.challenge("login").await;
        let now = self.world.clock.now();
        self.call("/api/login", json!({ "token": holder.login(&nonce, now) })).await
    }

    pub(crate) async fn is_signed_in(&mut self) -> bool {
        self.get("/").await.status == StatusCode::OK
    }
}
