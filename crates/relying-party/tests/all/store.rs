//! Where challenges wait: taken once, by the session that asked, in time, and not too many.

use std::sync::atomic::{AtomicUsize, Ordering};

use sealbridge_protocol::statement::Kind;
use sealbridge_relying_party::challenge::{Challenge, MemoryStore, NonceStore};
use sealbridge_relying_party::{Algorithm, Code, Nonce, bind, login};

use crate::world::{Attempt, NOW};

fn put(store: &MemoryStore<login::Pending>, session: &str, number: u16, now: i64) -> Result<Nonce, Code> {
    let policy = policy();
    let mut random = [0; 32];
    random[..2].copy_from_slice(&number.to_be_bytes());
    let (challenge, pending) = login::start(&policy, now, random).unwrap();
    store.put(session, pending, now).map_err(|failure| failure.code)?;
    Ok(challenge.nonce)
}

fn policy() -> sealbridge_relying_party::Policy {
    use std::sync::OnceLock;
    static POLICY: OnceLock<sealbridge_relying_party::Policy> = OnceLock::new();
    POLICY.get_or_init(|| Attempt::new(Kind::Login, Algorithm::Es256).policy).clone()
}

fn take(store: &MemoryStore<login::Pending>, session: &str, nonce: &Nonce, now: i64) -> Result<(), Code> {
    store.take(session, nonce, now).map(|_| ()).map_err(|failure| failure.code)
}

#[test]
fn a_nonce_is_taken_once() {
    let store = MemoryStore::new(10);
    let nonce = put(&store, "s", 1, NOW).unwrap();
    assert_eq!(take(&store, "s", &nonce, NOW), Ok(()));
    assert_eq!(take(&store, "s", &nonce, NOW), Err(Code::NonceUnknown));
    assert!(store.is_empty());
}

#[test]
fn another_session_neither_takes_nor_spends_it() {
    let store = MemoryStore::new(10);
    let nonce = put(&store, "s", 1, NOW).unwrap();
    for session in ["", "t", "s ", "sa"] {
        assert_eq!(take(&store, session, &nonce, NOW), Err(Code::NonceUnknown));
    }
    assert_eq!(take(&store, "s", &nonce, NOW), Ok(()));
}

#[test]
fn it_expires_and_is_gone() {
    let store = MemoryStore::new(10);
    let nonce = put(&store, "s", 1, NOW).unwrap();
    assert_eq!(take(&store, "s", &nonce, NOW + 121), Err(Code::NonceExpired));
    assert_eq!(take(&store, "s", &nonce, NOW), Err(Code::NonceUnknown));
}

#[test]
fn the_store_is_bounded() {
    let store = MemoryStore::new(8);
    // A session's oldest give way to its newest.
    let mine: Vec<_> = (0..7).map(|number| put(&store, "s", number, NOW + i64::from(number)).unwrap()).collect();
    assert_eq!(store.len(), 5);
    assert_eq!(take(&store, "s", &mine[1], NOW + 7), Err(Code::NonceUnknown));
    // Others fill what is left, and then nothing is kept of anyone.
    for number in 10..13 {
        put(&store, &format!("t{number}"), number, NOW + 7).unwrap();
    }
    assert_eq!(put(&store, "u", 20, NOW + 7), Err(Code::PortalBusy));
    // What has expired makes room.
    assert!(put(&store, "u", 20, NOW + 200).is_ok());
    assert_eq!(store.len(), 1);
}

#[test]
fn of_many_takers_one_succeeds() {
    let store = MemoryStore::new(10);
    let nonce = put(&store, "s", 1, NOW).unwrap();
    let won = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..1250 {
                    if take(&store, "s", &nonce, NOW).is_ok() {
                        won.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(won.into_inner(), 1);
}

#[test]
fn a_whole_login_can_be_done_once() {
    let attempt = Attempt::new(Kind::Login, Algorithm::Es256);
    let store = MemoryStore::new(10);
    let (challenge, pending) = login::start(&attempt.policy, NOW, [5; 32]).unwrap();
    store.put("session", pending, NOW).unwrap();
    let token = Attempt { nonce: Some(challenge.nonce), ..attempt.clone() }.token();
    let log_in = || {
        let statement = login::read(&token)?;
        let pending = store.take("session", statement.nonce(), attempt.now)?;
        login::finish(pending, statement, attempt.of_certificate.as_ref(), &attempt.policy, attempt.now)
    };
    assert!(log_in().is_ok());
    assert_eq!(log_in().unwrap_err().code, Code::NonceUnknown);
}

#[test]
fn records_and_challenges_survive_a_database_and_the_wire() {
    let policy = policy();
    let (challenge, pending) = bind::start(&policy, "供应商", "91440300MA5TEXT005", NOW, [5; 32]).unwrap();
    let json = serde_json::to_string(&challenge).unwrap();
    assert_eq!(json, r#"{"nonce":"BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU","account":"供应商","expiresAt":1795000120}"#);
    assert_eq!(serde_json::from_str::<Challenge>(&json).unwrap(), challenge);
    let record = pending.into_record();
    let stored: bind::Record = serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap();
    assert_eq!(stored, record);
    assert_eq!(bind::Pending::from_record(stored).into_record(), record);
    let (challenge, pending) = login::start(&policy, NOW, [5; 32]).unwrap();
    assert!(!serde_json::to_string(&challenge).unwrap().contains("account"));
    assert_eq!(login::Pending::from_record(pending.into_record()).into_record().expires_at, NOW + 120);
}
