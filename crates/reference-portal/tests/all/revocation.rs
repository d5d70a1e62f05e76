//! Revocation as the certificates' authorities tell it, over real connections: the test CA's services behind a door that counts and can be
//! closed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use sealbridge_pki::name::Subject;
use sealbridge_pki::request::RequestInfo;
use sealbridge_pki::{Algorithm, KeyUsage, key};
use sealbridge_reference_ca::authority::{Authority, Grant};
use sealbridge_reference_ca::services::{Addresses, router};
use sealbridge_reference_portal::authorities::Asking;
use sealbridge_relying_party::StatusDemand;
use serde_json::json;
use tempfile::TempDir;

use crate::bids::{UPLOAD, blank, reason, stamp};
use crate::world::{Answer, CREDIT_CODE, Holder, ORGANISATION, World};

const DAY: i64 = 86_400;

#[derive(Debug, Default)]
struct Door {
    /// Nobody answers: a 500 to every question.
    shut: AtomicBool,
    /// Questions wait until it is opened.
    held: AtomicBool,
    asked: AtomicUsize,
}

struct Office {
    folder: TempDir,
    base: String,
    door: Arc<Door>,
    now: i64,
}

async fn pass(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    door.asked.fetch_add(1, Ordering::SeqCst);
    while door.held.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    if door.shut.load(Ordering::SeqCst) { StatusCode::INTERNAL_SERVER_ERROR.into_response() } else { next.run(request).await }
}

impl Office {
    async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let now = sealbridge_reference_portal::settings::Clock::default().now();
        let office = Office { folder: tempfile::tempdir().unwrap(), base, door: Arc::default(), now };
        let served = router(office.authority()).layer(middleware::from_fn_with_state(Arc::clone(&office.door), pass));
        tokio::spawn(async move { axum::serve(listener, served).await });
        office
    }

    fn authority(&self) -> Authority {
        Authority::open_with(self.folder.path(), "印桥测试CA", self.now, Some(Addresses::new(&self.base).unwrap())).unwrap()
    }

    /// A key with a certificate that ends after so many days.
    fn issue(&self, number: u8, days: i64) -> Holder {
        let authority = self.authority();
        let key = SigningKey::from_slice(&[number; 32]).unwrap();
        let spki = key::encode_ec_spki(key.verifying_key().to_sec1_point(false).as_bytes()).unwrap();
        let subject = Subject {
            country: Some("CN".into()),
            organisation: Some(ORGANISATION.into()),
            common_name: Some(ORGANISATION.into()),
            credit_code: Some(CREDIT_CODE.into()),
            ..Subject::default()
        };
        let info = RequestInfo::new(&subject, &spki, Algorithm::Es256).unwrap();
        let signature: Signature = key.sign(info.der());
        let request = info.assemble(&signature.to_bytes()).unwrap();
        let grant = Grant { key_usage: KeyUsage::SIGNING, not_before: self.now - DAY, not_after: self.now + days * DAY };
        let certificate = authority.issue(&request, &subject, grant).unwrap();
        Holder { key, chain: vec![certificate, authority.issuing().clone()] }
    }

    fn revoke(&self, holder: &Holder, reason: u8) {
        self.authority().revoke(&holder.leaf().serial_hex(), reason, self.now - 2).unwrap();
    }

    /// Questions since the last time.
    fn asked(&self) -> usize {
        self.door.asked.swap(0, Ordering::SeqCst)
    }

    fn shut(&self, shut: bool) {
        self.door.shut.store(shut, Ordering::SeqCst);
    }

    /// A portal that trusts this CA too.
    async fn world(&self, demand: StatusDemand, keep_seconds: i64) -> World {
        let private_hosts = vec![self.base.trim_start_matches("http://").parse().unwrap()];
        World::asking(Asking { demand, keep_seconds, private_hosts, ..Asking::default() }, self.authority().root()).await
    }
}

fn check(answer: &Answer, code: &str) {
    let status = if code == "none" { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    assert_eq!((answer.status, answer.code().as_str()), (status, code), "{}", answer.text());
}

/// Outcome and detail of an action's newest record.
async fn newest(world: &World, action: &str) -> (Option<i64>, String, String) {
    let row = sqlx::query_as("SELECT account, outcome, detail FROM audit WHERE action = ? ORDER BY sequence DESC LIMIT 1").bind(action);
    row.fetch_one(&mut world.intruder().await).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_revoked_certificate_is_refused_everywhere() {
    let office = Office::open().await;
    let world = office.world(StatusDemand::Required, 60).await;
    let holder = office.issue(20, 300);
    let mut alpha = world.bound("alpha", &holder).await;
    // One answer about the holder, one list about the issuing CA, and they are kept.
    assert_eq!(office.asked(), 2);
    check(&world.visitor().ca_login(&holder).await, "none");
    let form = blank(&mut alpha, "").await;
    let document = stamp(&world, &holder, &form);
    let accepted = alpha.upload(UPLOAD, document.clone()).await;
    assert_eq!(accepted.json()["accepted"], true, "{}", accepted.text());
    assert_eq!(office.asked(), 0);

    office.revoke(&holder, 1);
    check(&world.visitor().ca_login(&holder).await, "none");
    world.clock.advance(61);
    let refused = world.visitor().ca_login(&holder).await;
    check(&refused, "certificate-revoked");
    // People are told since when, in both languages, and the account's owner sees who tried.
    let told = refused.json();
    let since = told["facts"]["since"].as_str().unwrap();
    for language in ["zh-CN", "en"] {
        assert!(told["words"][language]["what"].as_str().unwrap().contains(since), "{told}");
    }
    let (account, outcome, detail) = newest(&world, "login-certificate").await;
    assert_eq!((account.is_some(), outcome.as_str()), (true, "certificate-revoked"));
    assert!(detail.contains(&holder.leaf().id()), "{detail}");

    let answer = alpha.upload(UPLOAD, document).await;
    assert_eq!(reason(&answer), "certificate-revoked");
    let said = answer.json()["verdict"]["reasons"][0]["what"][0].as_str().unwrap().to_owned();
    assert!(said.contains(since), "{said}");
    assert_eq!(newest(&world, "submit").await.1, "certificate-revoked");

    let mut beta = world.signed_in("beta").await;
    let nonce = beta.challenge("bind").await;
    check(&beta.call("/api/bind", json!({ "token": holder.bind("beta", &nonce, world.clock.now()) })).await, "certificate-revoked");
    assert_eq!(newest(&world, "bind").await.1, "certificate-revoked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_authority_that_is_not_there_counts_as_the_operator_says() {
    let office = Office::open().await;
    let holder = office.issue(20, 300);
    for (demand, code) in [(StatusDemand::Required, "revocation-unknown"), (StatusDemand::WhenAvailable, "none"), (StatusDemand::NotAsked, "none")] {
        let world = office.world(demand, 0).await;
        let mut alpha = world.bound("alpha", &holder).await;
        let form = blank(&mut alpha, "").await;
        let document = stamp(&world, &holder, &form);
        office.shut(true);
        office.asked();
        // What was good a moment ago is good while it is news.
        check(&world.visitor().ca_login(&holder).await, "none");
        world.clock.advance(2 * DAY);
        let answer = world.visitor().ca_login(&holder).await;
        check(&answer, code);
        if demand == StatusDemand::Required {
            assert!(answer.json()["facts"]["reason"].as_str().unwrap().starts_with("service-unreachable, http://127.0.0.1"), "{}", answer.text());
        }
        let asked = office.asked();
        assert_eq!(asked > 0, demand != StatusDemand::NotAsked, "{demand:?}");
        check(&world.visitor().ca_login(&holder).await, code);
        assert_eq!(office.asked(), 0, "silence is remembered");
        let mut alpha = world.signed_in("alpha").await;
        let answer = alpha.upload(UPLOAD, document).await;
        match demand {
            StatusDemand::Required => assert_eq!(reason(&answer), "revocation-unknown"),
            _ => assert_eq!(answer.json()["accepted"], true, "{}", answer.text()),
        }
        office.shut(false);
    }

    // Nobody goes where the operator has not allowed it: an address on this machine is no address of the public network.
    let world = World::asking(Asking { demand: StatusDemand::Required, ..Asking::default() }, office.authority().root()).await;
    let mut alpha = world.signed_in("alpha").await;
    let nonce = alpha.challenge("bind").await;
    let answer = alpha.call("/api/bind", json!({ "token": holder.bind("alpha", &nonce, world.clock.now()) })).await;
    check(&answer, "revocation-unknown");
    assert!(answer.json()["facts"]["reason"].as_str().unwrap().starts_with("service-address-refused"), "{}", answer.text());
    assert_eq!(office.asked(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_known_as_revoked_stays_so_while_its_authority_is_silent() {
    let office = Office::open().await;
    let world = office.world(StatusDemand::WhenAvailable, 0).await;
    let holder = office.issue(20, 300);
    world.bound("alpha", &holder).await;
    office.revoke(&holder, 1);
    check(&world.visitor().ca_login(&holder).await, "certificate-revoked");
    office.shut(true);
    check(&world.visitor().ca_login(&holder).await, "certificate-revoked");
    world.clock.advance(3600);
    check(&world.visitor().ca_login(&holder).await, "certificate-revoked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_unbound_while_the_authority_is_asked_opens_nothing() {
    let office = Office::open().await;
    let world = office.world(StatusDemand::Required, 0).await;
    let old = office.issue(20, 300);
    let mut owner = world.bound("alpha", &old).await;
    // The same key, renewed: the login would carry the binding over.
    for holder in [&old, &office.issue(20, 600)] {
        let mut visitor = world.visitor();
        visitor.get("/login").await;
        let nonce = visitor.challenge("login").await;
        let token = holder.login(&nonce, world.clock.now());
        office.asked();
        office.door.held.store(true, Ordering::SeqCst);
        let on_its_way = tokio::spawn(async move { visitor.call("/api/login", json!({ "token": token })).await });
        while office.door.asked.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let password = crate::world::PASSWORD;
        assert_eq!(owner.post("/ca/unbind", &[("password", password)]).await.status, StatusCode::SEE_OTHER);
        office.door.held.store(false, Ordering::SeqCst);
        check(&on_its_way.await.unwrap(), "not-bound");
        owner = world.bound("alpha", &old).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_renewed_certificate_after_a_loss() {
    let office = Office::open().await;
    let world = office.world(StatusDemand::Required, 0).await;
    let old = office.issue(20, 300);
    world.bound("alpha", &old).await;
    let (new, newer, newest) = (office.issue(20, 600), office.issue(20, 700), office.issue(20, 800));
    // The CA revokes both certificates of the lost key; or forgets the new one.
    office.revoke(&new, 1);
    check(&world.visitor().ca_login(&new).await, "certificate-revoked");
    check(&world.visitor().ca_login(&newer).await, "none");
    check(&world.visitor().ca_login(&old).await, "not-bound");
    office.revoke(&newer, 1);
    check(&world.visitor().ca_login(&newest).await, "not-bound");
    check(&world.visitor().ca_login(&newer).await, "certificate-revoked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_certificate_that_was_only_superseded_hands_its_binding_on() {
    let office = Office::open().await;
    let world = office.world(StatusDemand::Required, 0).await;
    let (old, new) = (office.issue(20, 300), office.issue(20, 600));
    world.bound("alpha", &old).await;
    office.revoke(&old, 4);
    check(&world.visitor().ca_login(&new).await, "none");
    check(&world.visitor().ca_login(&old).await, "certificate-revoked");
}
