//! Kills in the middle: of the service (SIGKILL), of its database. What was acknowledged is there afterwards, the chain
//! holds, and no nonce is good twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use sealbridge_verify_service::store::{Database, audit};
use serde_json::json;

use crate::processes::{Client, Postgres, Running};
use crate::world::{SESSION, World};

/// What a login was answered with: its token, and the receipt where it was accepted.
type Heard = (String, Option<(i64, String)>);

/// Logs in again and again until told to stop, or until the service has gone.
async fn keep_logging_in(address: String, key: String, world: Arc<World>, stop: Arc<AtomicBool>, count: Arc<AtomicUsize>) -> Vec<Heard> {
    let holder = world.holder(7);
    let mut heard = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let Ok(mut client) = Client::connect(&address, &key).await else { break };
        let wanted = json!({ "kind": "login", "session": SESSION }).to_string();
        while let Ok((status, answer)) = client.call("POST", "/v1/challenges", &wanted).await {
            if status != 201 {
                tokio::time::sleep(Duration::from_millis(20)).await;
                break;
            }
            let token = holder.login(answer["challenge"]["nonce"].as_str().unwrap(), world.now());
            let sent = client.call("POST", "/v1/logins", &json!({ "session": SESSION, "token": token }).to_string()).await;
            let accepted = match sent {
                Ok((200, answer)) => {
                    count.fetch_add(1, Ordering::Relaxed);
                    Some((answer["audit"]["sequence"].as_i64().unwrap(), answer["audit"]["hash"].as_str().unwrap().to_owned()))
                }
                _ => None,
            };
            heard.push((token, accepted));
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
    }
    heard
}

/// Every receipt is in the chain, and no token that was accepted is accepted again.
async fn nothing_is_lost(database: &Database, heard: &[Heard], address: &str, key: &str) -> usize {
    assert_eq!(audit::check(database).await.unwrap().broken, None);
    let mut client = Client::connect(address, key).await.unwrap();
    let mut accepted = 0;
    for (token, receipt) in heard {
        let Some((sequence, hash)) = receipt else { continue };
        accepted += 1;
        let (record, _) = audit::one(database, "tender-portal", *sequence).await.unwrap().expect("an acknowledged record is there");
        assert_eq!((&record.hash, record.outcome.as_str()), (hash, "ok"));
        let (status, answer) = client.call("POST", "/v1/logins", &json!({ "session": SESSION, "token": token }).to_string()).await.unwrap();
        assert_eq!((status, answer["code"].as_str()), (409, Some("nonce-used")), "an accepted token is spent for good");
    }
    accepted
}

async fn run(world: World, place: &str, database_dies: Option<&Postgres>) {
    world.bind(&world.holder(7), "alpha").await.expect(201);
    let world = Arc::new(world);
    let mut all = Vec::new();
    for round in 0..3_u64 {
        let service = Running::start(place, world.folder.path());
        let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let clients: Vec<_> = (0..8)
            .map(|_| {
                let (world, stop, count) = (Arc::clone(&world), Arc::clone(&stop), Arc::clone(&count));
                tokio::spawn(keep_logging_in(service.address.clone(), world.key.clone(), world, stop, count))
            })
            .collect();
        // In the middle of many, and at another instant each time.
        while count.load(Ordering::Relaxed) < 30 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(37 * round)).await;
        let service = match database_dies {
            None => {
                drop(service); // SIGKILL
                None
            }
            Some(postgres) => {
                postgres.kill();
                tokio::time::sleep(Duration::from_millis(300)).await;
                postgres.up();
                // The same process goes on with the database that has come back.
                tokio::time::sleep(Duration::from_millis(2500)).await;
                Some(service)
            }
        };
        stop.store(true, Ordering::Relaxed);
        let mut heard = Vec::new();
        for client in clients {
            heard.extend(client.await.unwrap());
        }
        let service = service.unwrap_or_else(|| Running::start(place, world.folder.path()));
        all.extend(heard);
        let database = Database::open(place).await.unwrap();
        let accepted = nothing_is_lost(&database, &all, &service.address, &world.key).await;
        assert!(accepted > 0, "there were logins to lose");
        database.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_is_killed_on_sqlite() {
    let world = World::new().await;
    let place = world.folder.path().join("v.sqlite").to_string_lossy().into_owned();
    run(world, &place, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_is_killed_on_postgres() {
    let Some(postgres) = Postgres::start() else { return };
    let world = World::with(tempfile::tempdir().unwrap(), &postgres.url(), |settings| settings).await;
    run(world, &postgres.url(), None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_is_killed() {
    let Some(postgres) = Postgres::start() else { return };
    let world = World::with(tempfile::tempdir().unwrap(), &postgres.url(), |settings| settings).await;
    run(world, &postgres.url(), Some(&postgres)).await;
}
