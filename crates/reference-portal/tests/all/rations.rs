//! Challenges are rationed: by session for whoever has signed in, by address for everybody else, and the address is the
//! peer's unless the peer is a proxy that the operator named.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderName, Request};
use sealbridge_reference_portal::proxies::Proxies;
use sealbridge_reference_portal::settings::Limits;
use sealbridge_relying_party::ration::Bucket;

use crate::world::{Answer, ORIGIN, Visitor, World};

const PROXY: &str = "10.0.0.7";

/// Three challenges at once, then one every ten seconds.
async fn world() -> World {
    let bucket = Bucket::every(3, 10);
    let limits = Limits { session_challenges: bucket, address_challenges: bucket, ..Limits::default() };
    let proxies = Proxies { networks: vec!["10.0.0.0/8".parse().unwrap()], header: HeaderName::from_static("x-forwarded-for") };
    World::with(ORIGIN, limits, proxies).await
}

/// Asks for a challenge from an address, with what a proxy or a liar wrote about it.
async fn ask(visitor: &mut Visitor, peer: &str, forwarded_for: Option<&str>) -> Answer {
    let mut request = Request::post("/api/challenge").header("x-csrf-token", visitor.csrf.as_str());
    if let Some(client) = forwarded_for {
        request = request.header("x-forwarded-for", client);
    }
    let peer = SocketAddr::new(peer.parse().unwrap(), 40_000);
    visitor.send(request.extension(ConnectInfo(peer)).body(Body::from(r#"{"kind":"login"}"#)).unwrap()).await
}

/// A visitor who has not signed in.
async fn stranger(world: &World) -> Visitor {
    let mut visitor = world.visitor();
    visitor.get("/login").await;
    visitor
}

#[tokio::test]
async fn a_dry_bucket_says_how_long_and_fills_again() {
    let world = world().await;
    let mut alpha = world.signed_in("alpha").await;
    for _ in 0..3 {
        assert_eq!(ask(&mut alpha, "192.0.2.1", None).await.code(), "none");
    }
    for _ in 0..20 {
        let refused = ask(&mut alpha, "192.0.2.1", None).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (429, "portal-busy"));
        let wait: i64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=10).contains(&wait), "asking again does not make it worse: {wait}");
    }
    world.clock.advance(10);
    assert_eq!(ask(&mut alpha, "192.0.2.1", None).await.code(), "none");
    assert_eq!(ask(&mut alpha, "192.0.2.1", None).await.code(), "portal-busy", "one, and not three");
}

#[tokio::test]
async fn one_office_with_many_people_is_many_visitors() {
    let world = world().await;
    let mut alpha = world.signed_in("alpha").await;
    for _ in 0..4 {
        ask(&mut alpha, "192.0.2.1", None).await;
    }
    assert_eq!(ask(&mut alpha, "192.0.2.99", None).await.code(), "portal-busy", "the session counts, wherever it is");
    let mut beta = world.signed_in("beta").await;
    assert_eq!(ask(&mut beta, "192.0.2.1", None).await.code(), "none", "a colleague at the same address");
    assert_eq!(ask(&mut stranger(&world).await, "192.0.2.1", None).await.code(), "none");
}

#[tokio::test]
async fn a_stranger_is_known_by_address_and_new_sessions_gain_nothing() {
    let world = world().await;
    for _ in 0..3 {
        assert_eq!(ask(&mut stranger(&world).await, "192.0.2.1", None).await.code(), "none");
    }
    assert_eq!(ask(&mut stranger(&world).await, "192.0.2.1", None).await.code(), "portal-busy");
    assert_eq!(ask(&mut stranger(&world).await, "192.0.2.2", None).await.code(), "none");
    // One customer has a whole /64.
    for host in 1..=3 {
        assert_eq!(ask(&mut stranger(&world).await, &format!("2001:db8::{host}"), None).await.code(), "none");
    }
    assert_eq!(ask(&mut stranger(&world).await, "2001:db8::4", None).await.code(), "portal-busy");
    assert_eq!(ask(&mut stranger(&world).await, "2001:db8:0:1::4", None).await.code(), "none");
}

#[tokio::test]
async fn a_proxys_word_counts_and_a_visitors_does_not() {
    let world = world().await;
    // Each request claims to come from somewhere else; the peer is no proxy, or the claim stands before the proxy's own word.
    for (peer, claim) in [("192.0.2.1", ""), (PROXY, ", 192.0.2.50")] {
        for n in 1..=3 {
            assert_eq!(ask(&mut stranger(&world).await, peer, Some(&format!("198.51.100.{n}{claim}"))).await.code(), "none");
        }
        assert_eq!(ask(&mut stranger(&world).await, peer, Some(&format!("198.51.100.9{claim}"))).await.code(), "portal-busy", "{peer}");
    }
    // Behind the proxy, clients are told apart.
    assert_eq!(ask(&mut stranger(&world).await, PROXY, Some("192.0.2.51")).await.code(), "none");
    assert_eq!(ask(&mut stranger(&world).await, PROXY, Some("192.0.2.50")).await.code(), "portal-busy");
}
