//! One token, ten thousand submissions at once: one acceptance.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sealbridge_verify_service::service::Settings;
use serde_json::{Value, json};

use crate::processes::{Client, Running};
use crate::world::{CREDIT_CODE, SESSION, World};

const SUBMISSIONS: usize = 10_000;

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_at_once_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("v.sqlite").to_string_lossy().into_owned();
    // All of them wait at once, however slow the machine is: none is to be turned away for its waiting.
    let world = World::with(folder, &place, |settings| Settings { call: Duration::from_secs(600), ..settings }).await;
    let holder = world.holder(7);
    world.bind(&holder, "alpha").await.expect(201);
    let nonce = world.nonce(json!({ "kind": "login", "session": SESSION })).await;
    let call = json!({ "session": SESSION, "token": holder.login(&nonce, world.now()) });
    let world = Arc::new(world);
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..SUBMISSIONS {
        let (world, call) = (Arc::clone(&world), call.clone());
        all.spawn(async move {
            let answer = world.call("POST", "/v1/logins", &call).await;
            (answer.status.as_u16(), answer.json()["code"].as_str().unwrap_or("ok").to_owned())
        });
    }
    let mut seen = BTreeMap::new();
    while let Some(answer) = all.join_next().await {
        *seen.entry(answer.unwrap()).or_insert(0_usize) += 1;
    }
    assert_eq!(seen, BTreeMap::from([((200, "ok".to_owned()), 1), ((409, "nonce-used".to_owned()), SUBMISSIONS - 1)]));
}

/// The same over sockets, to every address in turn, on 150 connections.
pub(crate) async fn over_sockets(addresses: &[String], key: &str, world: &World) {
    let holder = world.holder(7);
    let mut client = Client::connect(&addresses[0], key).await.unwrap();
    let challenge = async |client: &mut Client, wanted: Value| {
        let (status, answer) = client.call("POST", "/v1/challenges", &wanted.to_string()).await.unwrap();
        assert_eq!(status, 201, "{answer}");
        answer["challenge"]["nonce"].as_str().unwrap().to_owned()
    };
    // Bound at one instance, logged in at another.
    let nonce = challenge(&mut client, json!({ "kind": "bind", "session": SESSION, "account": "alpha", "creditCode": CREDIT_CODE })).await;
    let mut other = Client::connect(addresses.last().unwrap(), key).await.unwrap();
    let call = json!({ "session": SESSION, "token": holder.bind("alpha", &nonce, world.now()) }).to_string();
    assert_eq!(other.call("POST", "/v1/bindings", &call).await.unwrap().0, 201);

    let nonce = challenge(&mut client, json!({ "kind": "login", "session": SESSION })).await;
    let call = Arc::new(json!({ "session": SESSION, "token": holder.login(&nonce, world.now()) }).to_string());
    let start = Arc::new(tokio::sync::Barrier::new(150));
    let mut all = tokio::task::JoinSet::new();
    for number in 0..150 {
        let (address, key, call, start) = (addresses[number % addresses.len()].clone(), key.to_owned(), Arc::clone(&call), Arc::clone(&start));
        all.spawn(async move {
            let mut client = Client::connect(&address, &key).await.unwrap();
            start.wait().await;
            let mut codes = Vec::new();
            for _ in 0..SUBMISSIONS.div_ceil(150) {
                let (status, answer) = client.call("POST", "/v1/logins", &call).await.unwrap();
                codes.push((status, answer["code"].as_str().unwrap_or("ok").to_owned()));
            }
            codes
        });
    }
    let mut seen = BTreeMap::new();
    while let Some(codes) = all.join_next().await {
        for code in codes.unwrap() {
            *seen.entry(code).or_insert(0_usize) += 1;
        }
    }
    let total = SUBMISSIONS.div_ceil(150) * 150;
    assert_eq!(seen, BTreeMap::from([((200, "ok".to_owned()), 1), ((409, "nonce-used".to_owned()), total - 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_a_sqlite_file() {
    let world = World::new().await;
    let place = world.folder.path().join("v.sqlite").to_string_lossy().into_owned();
    let running: Vec<_> = (0..2).map(|_| Running::start(&place, world.folder.path())).collect();
    let addresses: Vec<_> = running.iter().map(|service| service.address.clone()).collect();
    over_sockets(&addresses, &world.key, &world).await;
    for service in running {
        assert!(service.stop(), "a service that is told to stop ends well");
    }
    assert_eq!(sealbridge_verify_service::store::audit::check(&world.database).await.unwrap().broken, None);
}
