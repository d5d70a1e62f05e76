//! Revocation as certificates' authorities tell it, over real connections: the test CA's services behind a door that counts, stays silent, hangs
//! and answers too much.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use sealbridge_inquire::{Address, Client, Reach, Service as Kind, list, response};
use sealbridge_pki::name::Subject;
use sealbridge_pki::request::RequestInfo;
use sealbridge_pki::{Algorithm, KeyUsage, key};
use sealbridge_reference_ca::authority::{Authority, Grant};
use sealbridge_reference_ca::services::{Addresses, router};
use sealbridge_relying_party::StatusDemand;
use sealbridge_seal::{Document, Evidence, OpenOptions, append_store};
use sealbridge_verify_service::authorities::Asking;
use sealbridge_verify_service::service::{Service, Settings};
use sealbridge_verify_service::store::Database;
use sealbridge_verify_service::web;
use serde_json::{Value, json};

use crate::stamp::stamped;
use crate::world::{Answer, CREDIT_CODE, Holder, ORGANISATION, SESSION, World, add_portal_with};

/// How the services behave.
const WELL: u8 = 0;
const NO_OCSP: u8 = 1;
const BROKEN: u8 = 2;
const SILENT: u8 = 3;
const HUGE: u8 = 4;
const ELSEWHERE: u8 = 5;
const SLOWLY: u8 = 6;
/// Somebody on the way changes what comes back.
const FORGED: u8 = 7;
/// Nobody answers until the mood changes.
const HELD: u8 = 8;

#[derive(Debug)]
struct Door {
    mood: AtomicU8,
    asked: AtomicUsize,
    /// A place of the machine's own network that the operator has not excepted, and who came there.
    elsewhere: SocketAddr,
    came: Arc<AtomicUsize>,
}

struct Office {
    folder: tempfile::TempDir,
    base: String,
    door: Arc<Door>,
    holder: Holder,
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

async fn pass(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    door.asked.fetch_add(1, Ordering::SeqCst);
    let ocsp = request.uri().path().starts_with("/ocsp");
    // Taken whole, whatever the answer: what lies unread when a server closes takes an answer on its way with it.
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let request = Request::from_parts(parts, axum::body::Body::from(body));
    match door.mood.load(Ordering::SeqCst) {
        NO_OCSP if ocsp => StatusCode::NOT_FOUND.into_response(),
        BROKEN => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        SILENT => std::future::pending().await,
        HUGE => vec![0x30_u8; 3 << 20].into_response(),
        ELSEWHERE => (StatusCode::FOUND, [("location", format!("http://{}/latest/", door.elsewhere))]).into_response(),
        FORGED => {
            let (parts, body) = next.run(request).await.into_parts();
            let mut bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap().to_vec();
            // The last byte of a signature, the answer's own or that of its signer's certificate.
            if let Some(last) = bytes.last_mut() {
                *last ^= 1;
            }
            Response::from_parts(parts, axum::body::Body::from(bytes))
        }
        HELD => {
            while door.mood.load(Ordering::SeqCst) == HELD {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            next.run(request).await
        }
        SLOWLY => {
            tokio::time::sleep(Duration::from_millis(200)).await;
            next.run(request).await
        }
        _ => next.run(request).await,
    }
}

impl Office {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let trap = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let (elsewhere, came) = (trap.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&came);
        tokio::spawn(async move {
            while trap.accept().await.is_ok() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        let door = Arc::new(Door { mood: AtomicU8::new(WELL), asked: AtomicUsize::new(0), elsewhere, came });
        let authority = Authority::open_with(folder.path(), "印桥测试CA", now(), Some(Addresses::new(&base).unwrap())).unwrap();
        let holder = issue(&authority, 7);
        let served = router(authority).layer(middleware::from_fn_with_state(Arc::clone(&door), pass));
        tokio::spawn(async move { axum::serve(listener, served).await });
        Self { folder, base, door, holder }
    }

    fn authority(&self) -> Authority {
        Authority::open_with(self.folder.path(), "印桥测试CA", now(), Some(Addresses::new(&self.base).unwrap())).unwrap()
    }

    fn mood(&self, mood: u8) {
        self.door.mood.store(mood, Ordering::SeqCst);
    }

    /// How often the services were asked since the last time.
    fn asked(&self) -> usize {
        self.door.asked.swap(0, Ordering::SeqCst)
    }

    fn revoke(&self, holder: &Holder) {
        self.authority().revoke(&holder.leaf().serial_hex(), 1, now() - 2).unwrap();
    }

    /// A service whose portal trusts this CA, where the holder is bound already.
    async fn world(&self, demand: StatusDemand, asking: impl FnOnce(Asking) -> Asking) -> World {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("v.sqlite").to_string_lossy().into_owned();
        self.world_at(folder, &place, demand, asking).await
    }

    async fn world_at(&self, folder: tempfile::TempDir, place: &str, demand: StatusDemand, change: impl FnOnce(Asking) -> Asking) -> World {
        let asking = change(self.asking());
        let world = World::with(folder, place, |settings| Settings { asking, ..settings }).await;
        let authority = self.authority();
        // The seals are made by a maker of the world's own authority.
        let trust = [authority.root().to_pem(), world.authority.root.to_pem()].concat();
        let intermediates = [authority.issuing().to_pem(), world.authority.issuing.to_pem()].concat();
        let key = add_portal_with(&world.database, "asking-portal", (&trust, &intermediates), 3, demand).await;
        let world = World { key, ..world };
        self.mood(WELL);
        let bound = world.bind(&self.holder, "supplier-1").await;
        assert!(matches!(bound.status.as_u16(), 201 | 422), "{}", bound.json());
        world
    }

    fn asking(&self) -> Asking {
        Asking {
            patience: Duration::from_millis(1500),
            patience_for_all: Duration::from_secs(4),
            list_max: 1 << 20,
            private_hosts: vec![self.base.trim_start_matches("http://").parse().unwrap()],
            ..Asking::default()
        }
    }

    /// Waits until somebody asks.
    async fn is_asked(&self) {
        while self.asked() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn issue(authority: &Authority, number: u8) -> Holder {
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
    let grant = Grant { key_usage: KeyUsage::SIGNING, not_before: now() - 60, not_after: now() + 86_400 };
    let certificate = authority.issue(&request, &subject, grant).unwrap();
    Holder { key, chain: vec![certificate, authority.issuing().clone()] }
}

fn standings(answer: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    answer["revocation"]["certificates"].as_array().unwrap().iter().map(|one| (text(&one["status"]), text(&one["source"]))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn good_then_revoked() {
    let office = Office::open().await;
    let kept = office.world(StatusDemand::Required, |asking| asking).await;
    let anew = office.world(StatusDemand::Required, |asking| Asking { keep_seconds: 0, ..asking }).await;
    office.asked();
    let good = kept.login(&office.holder).await.expect(200);
    let expected = |pairs: &[(&str, &str)]| pairs.iter().map(|(status, source)| ((*status).to_owned(), (*source).to_owned())).collect::<Vec<_>>();
    // The issuing authority's own certificate names a list, the holder's a responder too.
    assert_eq!(standings(&good), expected(&[("good", "ocsp"), ("good", "crl")]), "{good}");
    let answers = good["revocation"]["answers"].as_array().unwrap();
    assert_eq!(answers.len(), 2, "{good}");
    assert!(answers.iter().all(|answer| answer["address"].as_str().unwrap().starts_with(&office.base) && answer["authorityUnreachable"] == false));
    assert!((0..60).contains(&good["revocation"]["certificates"][0]["ageSeconds"].as_i64().unwrap()), "{good}");
    assert_eq!(office.asked(), 0, "what the binding has learned is kept");
    // Its evidence has the answers themselves, and OpenSSL reads them.
    let sequence = good["audit"]["sequence"].as_i64().unwrap();
    let package = kept.get(&format!("/v1/evidence/{sequence}")).await.body;
    std::fs::write(office.folder.path().join("e.zip"), package).unwrap();
    let script = "import zipfile,json,base64\nr=json.loads(zipfile.ZipFile('e.zip').read('revocation.json'))\n\
                  for a in r['authorities']['answers']: open(a['service']+'.der','wb').write(base64.b64decode(a['der']))";
    assert!(std::process::Command::new("python3").args(["-c", script]).current_dir(office.folder.path()).status().unwrap().success());
    for arguments in [&["ocsp", "-respin", "OCSP.der", "-text", "-noverify"][..], &["crl", "-inform", "DER", "-in", "CRL.der", "-noout", "-text"][..]] {
        let output = std::process::Command::new("openssl").args(arguments).current_dir(office.folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    office.revoke(&office.holder);
    // Who asks anew each time knows at once; who keeps answers, when their time is over.
    anew.login(&office.holder).await.refused(422, "certificate-revoked");
    kept.login(&office.holder).await.expect(200);
    kept.clock.advance(601);
    kept.login(&office.holder).await.refused(422, "certificate-revoked");
    // By the list alone, and for a binding, too.
    office.mood(NO_OCSP);
    kept.clock.advance(601);
    let nonce = kept.nonce(json!({ "kind": "bind", "session": SESSION, "account": "supplier-1", "creditCode": CREDIT_CODE })).await;
    let token = office.holder.bind("supplier-1", &nonce, kept.now());
    kept.call("POST", "/v1/bindings", &json!({ "session": SESSION, "token": token })).await.refused(422, "certificate-revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn outages_count_as_the_portal_says() {
    let office = Office::open().await;
    for (mood, reason, at_most) in [
        (BROKEN, "service-unreachable", 3.0),
        (SILENT, "service-timed-out", 5.0),
        (HUGE, "service-answer-too-large", 3.0),
        (FORGED, "service-answer-invalid", 3.0),
        // Sent to another place of the machine's own network, nobody goes there.
        (ELSEWHERE, "service-unreachable", 3.0),
    ] {
        for demand in [StatusDemand::Required, StatusDemand::WhenAvailable, StatusDemand::NotAsked] {
            let world = office.world(demand, |asking| Asking { keep_seconds: 0, ..asking }).await;
            // Nothing is known of it yet.
            let fresh = issue(&office.authority(), 8);
            office.mood(mood);
            office.asked();
            let started = Instant::now();
            let answer = world.bind(&fresh, "supplier-2").await;
            assert!(started.elapsed().as_secs_f64() < at_most + 2.0, "{mood} {demand:?} {:?}", started.elapsed());
            match demand {
                StatusDemand::Required => {
                    let told = answer.json()["facts"]["reason"].as_str().unwrap_or_default().to_owned();
                    assert!(told.contains(reason), "{mood}: {}", answer.json());
                    answer.refused(422, "revocation-unknown");
                }
                StatusDemand::WhenAvailable => {
                    let body = answer.expect(201);
                    assert_eq!(body["revocation"]["certificates"][0]["status"], "unknown", "{body}");
                    assert!(body["revocation"]["failures"].to_string().contains(reason), "{body}");
                    assert!(office.asked() > 0);
                }
                StatusDemand::NotAsked => {
                    answer.expect(201);
                    assert_eq!(office.asked(), 0);
                }
            }
        }
    }
    assert_eq!(office.door.came.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_news_bridges_an_outage_and_a_restart() {
    let office = Office::open().await;
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("v.sqlite").to_string_lossy().into_owned();
    let world = office.world_at(folder, &place, StatusDemand::Required, |asking| asking).await;
    office.mood(BROKEN);
    world.clock.advance(700);
    let body = world.login(&office.holder).await.expect(200);
    assert!(body["revocation"]["answers"].as_array().unwrap().iter().all(|answer| answer["authorityUnreachable"] == true), "{body}");
    let asked = office.asked();
    assert!(asked > 0);
    world.login(&office.holder).await.expect(200);
    assert_eq!(office.asked(), 0, "silence is remembered for a moment");
    let metrics = world.send(axum::http::Request::get("/metrics").body(axum::body::Body::empty()).unwrap()).await;
    let text = String::from_utf8(metrics.body).unwrap();
    for name in ["questions", "failures", "kept", "kept_in_need"] {
        let line = text.lines().find(|line| line.starts_with(&format!("sealbridge_authority_{name}_total "))).unwrap();
        assert_ne!(line.rsplit(' ').next(), Some("0"), "{line}");
    }
    // Another instance on the same database asks nobody either.
    let database = Database::open(&place).await.unwrap();
    let settings = Settings { asking: office.asking(), ..Settings::new(world.folder.path().to_owned()) };
    let again = World { router: web::router(Service::new(settings, database.clone(), world.clock.clone())), database, ..world };
    office.mood(SILENT);
    again.login(&office.holder).await.expect(200);
    assert_eq!(office.asked(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forger_displaces_no_answer() {
    let office = Office::open().await;
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("v.sqlite").to_string_lossy().into_owned();
    let world = office.world_at(folder, &place, StatusDemand::Required, |asking| asking).await;
    let unreachable = |body: &Value| {
        let answers = body["revocation"]["answers"].as_array().unwrap().clone();
        assert_eq!(answers.len(), 2, "{body}");
        answers.iter().map(|answer| answer["authorityUnreachable"].as_bool().unwrap()).collect::<Vec<_>>()
    };
    office.mood(FORGED);
    world.clock.advance(601);
    assert_eq!(unreachable(&world.login(&office.holder).await.expect(200)), [true, true]);
    assert_eq!(office.asked(), 4, "binding and login each asked for both");
    // Nor does it hide from the next who ask, here and elsewhere, what the authority says.
    office.mood(WELL);
    office.revoke(&office.holder);
    world.clock.advance(31);
    world.login(&office.holder).await.refused(422, "certificate-revoked");
    office.mood(FORGED);
    world.clock.advance(601);
    let database = Database::open(&place).await.unwrap();
    let settings = Settings { asking: office.asking(), ..Settings::new(world.folder.path().to_owned()) };
    let again = World { router: web::router(Service::new(settings, database.clone(), world.clock.clone())), database, ..world };
    office.asked();
    again.login(&office.holder).await.refused(422, "certificate-revoked");
    assert!(office.asked() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loss_counts_that_is_reported_while_authorities_are_asked() {
    let office = Office::open().await;
    let slow = |asking| Asking { keep_seconds: 0, patience: Duration::from_secs(20), patience_for_all: Duration::from_secs(25), ..asking };
    let world = Arc::new(office.world(StatusDemand::WhenAvailable, slow).await);
    // A new key for the same account is presented, then the old key signs for it.
    let successor = issue(&office.authority(), 8);
    let nonce = world.nonce(json!({ "kind": "renew", "session": SESSION, "account": "supplier-1" })).await;
    let token = successor.bind("supplier-1", &nonce, world.now());
    let answer = world.call("POST", "/v1/renewals", &json!({ "session": SESSION, "token": token })).await.expect(202);
    let nonce = answer["challenge"]["nonce"].as_str().unwrap();
    let confirmation = json!({ "session": SESSION, "token": office.holder.bind("supplier-1", nonce, world.now()) });
    let nonce = world.nonce(json!({ "kind": "login", "session": SESSION })).await;
    let login = json!({ "session": SESSION, "token": office.holder.login(&nonce, world.now()) });

    office.mood(HELD);
    office.asked();
    let send = |path: &'static str, body: Value| {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.call("POST", path, &body).await })
    };
    let sent = [send("/v1/renewals/confirm", confirmation), send("/v1/logins", login)];
    office.is_asked().await;
    // Both have read the binding by now or find the loss anyway.
    tokio::time::sleep(Duration::from_millis(300)).await;
    world.call("POST", "/v1/bindings/supplier-1/loss", &Value::Null).await.expect(200);
    office.mood(WELL);
    for sent in sent {
        sent.await.unwrap().refused(403, "binding-suspended");
    }
    let records = sealbridge_verify_service::store::audit::rows(&world.database, 1).await.unwrap();
    let told: Vec<_> = records.iter().map(|(record, _)| (record.action.as_str(), record.outcome.as_str())).collect();
    for action in ["renew-confirm", "login"] {
        assert!(told.contains(&(action, "binding-suspended")) && !told.contains(&(action, "ok")), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_ask_once() {
    let office = Office::open().await;
    let world = Arc::new(office.world(StatusDemand::Required, |asking| Asking { patience_for_all: Duration::from_secs(60), ..asking }).await);
    // What was kept is over: all of them find nothing.
    world.clock.advance(601);
    let mut nonces = Vec::new();
    for number in 0..200 {
        let session = format!("session-number-{number:04}");
        let answer = world.call("POST", "/v1/challenges", &json!({ "kind": "login", "session": session })).await.expect(201);
        nonces.push((session, answer["challenge"]["nonce"].as_str().unwrap().to_owned()));
    }
    office.mood(SLOWLY);
    office.asked();
    let tasks: Vec<_> = nonces
        .into_iter()
        .map(|(session, nonce)| {
            let (world, token) = (Arc::clone(&world), office.holder.login(&nonce, world.now()));
            tokio::spawn(async move { world.call("POST", "/v1/logins", &json!({ "session": session, "token": token })).await })
        })
        .collect();
    for task in tasks {
        let answer: Answer = task.await.unwrap();
        answer.expect(200);
    }
    assert_eq!(office.asked(), 2, "one responder and one list");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_public_addresses_unless_named() {
    let office = Office::open().await;
    let world = office.world(StatusDemand::Required, |asking| Asking { private_hosts: Vec::new(), ..asking }).await;
    assert_eq!(office.asked(), 0);
    let answer = world.bind(&office.holder, "supplier-1").await;
    assert!(answer.json()["facts"]["reason"].as_str().unwrap().contains("service-address-refused"), "{}", answer.json());
    answer.refused(422, "revocation-unknown");
    assert_eq!(office.asked(), 0, "nothing on this machine was asked");
}

async fn judge(world: &World, pdf: &[u8]) -> Value {
    let request = axum::http::Request::post("/v1/documents").header("authorization", format!("Bearer {}", world.key));
    world.send(request.body(axum::body::Body::from(pdf.to_vec())).unwrap()).await.expect(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_too() {
    let office = Office::open().await;
    let world = office.world(StatusDemand::Required, |asking| Asking { keep_seconds: 0, ..asking }).await;
    let pdf = stamped(&world, &office.holder);
    let good = judge(&world, &pdf).await;
    assert_eq!(standings(&good).iter().map(|(status, _)| status.as_str()).collect::<Vec<_>>(), ["good", "good"], "{good}");
    // Of another signer nothing is known, and nobody answers.
    let other = stamped(&world, &issue(&office.authority(), 9));
    office.mood(BROKEN);
    let unknown = judge(&world, &other).await;
    assert_eq!((&unknown["accepted"], &unknown["verdict"]["failure"]["code"]), (&json!(false), &json!("revocation-unknown")), "{unknown}");
    assert!(unknown["verdict"]["failure"]["facts"]["reason"].as_str().unwrap().contains("service-unreachable"), "{unknown}");
    assert_eq!(judge(&world, &pdf).await["accepted"], true, "what is still news is used");
    office.mood(WELL);
    office.revoke(&office.holder);
    // The moment in which nobody asks again.
    world.clock.advance(31);
    let revoked = judge(&world, &pdf).await;
    assert_eq!((&revoked["accepted"], &revoked["verdict"]["failure"]["code"]), (&json!(false), &json!("certificate-revoked")), "{revoked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_brings_its_answers_asks_nobody() {
    let office = Office::open().await;
    let world = office.world(StatusDemand::Required, |asking| Asking { keep_seconds: 0, ..asking }).await;
    // Of this signer the service knows nothing.
    let holder = issue(&office.authority(), 10);
    let pdf = stamped(&world, &holder);
    let (issuing, root) = (office.authority().issuing().clone(), office.authority().root().clone());
    let (leaf, issuer) = (holder.leaf().clone(), issuing.clone());
    let store = tokio::task::spawn_blocking(move || {
        let client = Client::new(Duration::from_secs(20), Reach::Any);
        let [ocsp, lists] = [(Kind::Ocsp, leaf.ocsp_addresses()[0].clone()), (Kind::List, issuer.crl_addresses()[0].clone())];
        let response = response(&client, &Address::new(ocsp.0, &ocsp.1).unwrap(), &leaf, &issuer, &[7; 32]).unwrap();
        let list = list(&client, &Address::new(lists.0, &lists.1).unwrap(), 1 << 20).unwrap();
        Evidence { certificates: vec![issuer, root], crls: vec![list], responses: vec![response] }
    })
    .await
    .unwrap();
    let appended = append_store(&Document::open(&pdf, OpenOptions::default()).unwrap(), &store, [5; 16]).unwrap();
    let brought = [pdf.as_slice(), &appended.tail].concat();
    office.asked();
    let judged = judge(&world, &brought).await;
    assert_eq!((&judged["accepted"], office.asked()), (&json!(true), 0), "{judged}");
    assert_eq!(standings(&judged), [("good".to_owned(), "ocsp".to_owned()), ("good".to_owned(), "crl".to_owned())], "{judged}");
    // What it brings is news no longer, and its signing time is only the signer's word: it is asked about now.
    world.clock.advance(40 * 86_400);
    office.mood(BROKEN);
    let judged = judge(&world, &brought).await;
    assert_eq!((&judged["accepted"], office.asked() > 0), (&json!(false), true), "{judged}");
}
