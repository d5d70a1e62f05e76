//! Uploads over real sockets: slow senders, senders that stop, two at once, more than there are places; and that the
//! others get through meanwhile.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sealbridge_intake::Limits as UploadLimits;
use sealbridge_reference_portal::proxies::Proxies;
use sealbridge_reference_portal::settings::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::world::{HOST, ORIGIN, Visitor, World};

const PATH: &str = "/api/documents?tender=YQ-2026-0017&name=a.pdf";
/// Nobody's document: it is judged and refused as no PDF, and being judged is what these tests look for.
const TEXT: &[u8] = b"this is no PDF, and it came in good time";

/// One place, and a pace that a test can fall behind in a second.
fn strict() -> UploadLimits {
    UploadLimits { places: 1, wait: Duration::from_secs(20), longest: Duration::from_secs(60), window: Duration::from_secs(1), window_bytes: 16 * 1024 }
}

/// The portal on a port.
async fn served(uploads: UploadLimits) -> (World, SocketAddr) {
    let world = World::with(ORIGIN, Limits { uploads, ..Limits::default() }, Proxies::default()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = world.router.clone().into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    (world, address)
}

/// A sender who has announced a document and sent nothing of it yet.
struct Sender(TcpStream);

impl Sender {
    async fn announce(address: SocketAddr, visitor: &Visitor, length: usize) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let cookie = &visitor.cookies["session"];
        let head =
            format!("POST {PATH} HTTP/1.1\r\nHost: {HOST}\r\nCookie: session={cookie}\r\nX-CSRF-Token: {}\r\nContent-Length: {length}\r\n\r\n", visitor.csrf);
        stream.write_all(head.as_bytes()).await.unwrap();
        Sender(stream)
    }

    /// Announces and sends; the refusal may come before the last byte.
    async fn all(address: SocketAddr, visitor: &Visitor, document: &[u8]) -> String {
        let mut sender = Self::announce(address, visitor, document.len()).await;
        sender.0.write_all(document).await.unwrap();
        sender.answer().await
    }

    /// Sends one byte every so often until the portal answers or hangs up.
    async fn trickle(&mut self, pause: Duration) -> String {
        loop {
            tokio::select! {
                answer = self.answer() => return answer,
                () = tokio::time::sleep(pause) => {}
            }
            // After the answer nobody needs the byte.
            let _ignored = self.0.write_all(b"x").await;
        }
    }

    /// Head and body of the answer.
    async fn answer(&mut self) -> String {
        let mut heard = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let text = String::from_utf8_lossy(&heard).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.to_ascii_lowercase().split("content-length: ").nth(1).and_then(|rest| rest.lines().next().map(str::to_owned)).unwrap();
                if body.len() >= length.trim().parse::<usize>().unwrap() {
                    return text;
                }
            }
            let read = self.0.read(&mut piece).await.unwrap_or_else(|error| panic!("{error} after {text}"));
            assert!(read > 0, "the portal hung up after {text:?}");
            heard.extend_from_slice(&piece[..read]);
        }
    }
}

#[track_caller]
fn told(answer: &str, status: &str, code: &str) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    let body: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(body["code"], code);
    for language in ["zh-CN", "en"] {
        for part in ["what", "remedy"] {
            let words = body["words"][language][part].as_str().unwrap();
            assert!(!words.is_empty() && !words.contains(['{', '}']), "{words}");
        }
    }
}

fn files(world: &World) -> usize {
    std::fs::read_dir(world.folder.path().join("documents")).unwrap().count()
}

/// Waits until an upload is under way.
async fn begun(world: &World) {
    let until = Instant::now() + Duration::from_secs(10);
    while files(world) == 0 {
        assert!(Instant::now() < until, "no upload began");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_sender_is_refused_and_the_waiting_one_gets_the_place() {
    let (world, address) = served(strict()).await;
    let (slow, quick) = (world.signed_in("alpha").await, world.signed_in("gamma").await);
    let mut holds = Sender::announce(address, &slow, 100_000).await;
    holds.0.write_all(&[b'x'; 1000]).await.unwrap();
    begun(&world).await;
    let (refused, through) = tokio::join!(holds.trickle(Duration::from_millis(100)), Sender::all(address, &quick, TEXT));
    told(&refused, "400", "upload-too-slow");
    assert!(through.starts_with("HTTP/1.1 200") && through.contains("not-pdf"), "{through}");
    assert_eq!(files(&world), 0, "the partial file is gone");
    // The refusal is on record, and the account may try again at once.
    assert!(Sender::all(address, &slow, TEXT).await.starts_with("HTTP/1.1 200"));
    let mut auditor = world.signed_in("omega").await;
    assert!(auditor.get("/audit").await.text().contains("upload-too-slow"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_and_a_fast_start_do_not_keep_a_place() {
    for first in [0, 60_000] {
        let (world, address) = served(strict()).await;
        let visitor = world.signed_in("alpha").await;
        let mut sender = Sender::announce(address, &visitor, 100_000).await;
        sender.0.write_all(&vec![b'x'; first]).await.unwrap();
        let began = Instant::now();
        let answer = sender.answer().await;
        told(&answer, "400", "upload-too-slow");
        assert!(began.elapsed() < Duration::from_secs(6), "silence after {first} bytes was borne for {:?}", began.elapsed());
        assert_eq!(files(&world), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_upload_lasts_longer_than_the_whole_time() {
    let limits = UploadLimits { longest: Duration::from_secs(2), window_bytes: 0, ..strict() };
    let (world, address) = served(limits).await;
    let visitor = world.signed_in("alpha").await;
    let mut sender = Sender::announce(address, &visitor, 100_000).await;
    let began = Instant::now();
    told(&sender.trickle(Duration::from_millis(50)).await, "400", "upload-too-slow");
    assert!(began.elapsed() >= Duration::from_secs(2), "no pace is asked for, and the time was not over: {:?}", began.elapsed());
    assert_eq!(files(&world), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_account_uploads_one_document_at_a_time() {
    let limits = UploadLimits { places: 4, window: Duration::from_secs(30), window_bytes: 0, ..strict() };
    let (world, address) = served(limits).await;
    let (alpha, same_account, other) = (world.signed_in("alpha").await, world.signed_in("alpha").await, world.signed_in("gamma").await);
    let mut first = Sender::announce(address, &alpha, TEXT.len()).await;
    begun(&world).await;
    // Also from another browser, and also while the refused one is still sending: more than any socket's buffers hold.
    for document in [TEXT.to_vec(), vec![b'x'; 24 << 20]] {
        let second = Sender::all(address, &same_account, &document).await;
        told(&second, "409", "upload-in-progress");
        assert!(second.to_ascii_lowercase().contains("\r\nretry-after: 60\r\n"), "{second}");
    }
    assert!(Sender::all(address, &other, TEXT).await.starts_with("HTTP/1.1 200"), "another account is free");
    first.0.write_all(TEXT).await.unwrap();
    assert!(first.answer().await.starts_with("HTTP/1.1 200"), "the first is not disturbed");

    // Whoever hangs up half way is done as well.
    let gone = Sender::announce(address, &alpha, 100_000).await;
    begun(&world).await;
    drop(gone);
    // It is recorded first; how soon the portal notices is the system's business.
    let until = Instant::now() + Duration::from_secs(10);
    let mut answer = Sender::all(address, &alpha, TEXT).await;
    while answer.contains("upload-in-progress") {
        assert!(Instant::now() < until, "the upload that was broken off still counts");
        tokio::time::sleep(Duration::from_millis(20)).await;
        answer = Sender::all(address, &alpha, TEXT).await;
    }
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(files(&world), 0, "what was broken off leaves nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_a_place_without_end() {
    let limits = UploadLimits { wait: Duration::from_secs(1), window: Duration::from_secs(30), window_bytes: 0, ..strict() };
    let (world, address) = served(limits).await;
    let (alpha, gamma) = (world.signed_in("alpha").await, world.signed_in("gamma").await);
    let mut holds = Sender::announce(address, &alpha, TEXT.len()).await;
    begun(&world).await;
    let waited = Sender::all(address, &gamma, TEXT).await;
    told(&waited, "429", "portal-busy");
    assert!(waited.to_ascii_lowercase().contains("\r\nretry-after: 1\r\n"), "{waited}");
    holds.0.write_all(TEXT).await.unwrap();
    assert!(holds.answer().await.starts_with("HTTP/1.1 200"));
    assert!(Sender::all(address, &gamma, TEXT).await.starts_with("HTTP/1.1 200"));
}
