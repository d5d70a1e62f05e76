//! Documents: stamped ones are accepted, changed ones are not, large ones do not grow the service, slow ones are ended.

use std::process::Command;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use sealbridge_intake::Limits;
use sealbridge_verify_service::service::Settings;
use sealbridge_verify_service::store::audit;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::processes::{Client, Running};
use crate::stamp::{blank, stamped};
use crate::world::{Answer, CREDIT_CODE, ORGANISATION, OTHER_CREDIT_CODE, World};

async fn judge(world: &World, query: &str, body: Vec<u8>) -> Answer {
    let request = Request::post(format!("/v1/documents{query}")).header("authorization", format!("Bearer {}", world.key));
    world.send(request.header("content-length", body.len()).body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn verdicts_and_their_evidence() {
    let world = World::new().await;
    let holder = world.holder(7);
    let pdf = stamped(&world, &holder);
    let good = judge(&world, &format!("?signer={CREDIT_CODE}&seal=required&name=bid.pdf"), pdf.clone()).await.expect(200);
    assert_eq!(good["accepted"], true, "{good}");
    assert!(good["text"]["zh-CN"].as_str().unwrap().contains(ORGANISATION) && good["text"]["en"].is_string());
    assert_eq!(good["size"], pdf.len());

    let other = judge(&world, &format!("?signer={OTHER_CREDIT_CODE}"), pdf.clone()).await.expect(200);
    assert_eq!((&other["accepted"], &other["verdict"]["failure"]["code"]), (&json!(false), &json!("signer-mismatch")));
    let late = judge(&world, &format!("?signedNotBefore={}", world.now() + 60), pdf.clone()).await.expect(200);
    assert_eq!(late["verdict"]["failure"]["facts"]["reason"], "signing-time");
    let mut longer = pdf.clone();
    longer.extend_from_slice(b"% one more line\n");
    let changed = judge(&world, "", longer).await.expect(200);
    assert_eq!((&changed["accepted"], &changed["verdict"]["failure"]["code"]), (&json!(false), &json!("document-not-valid")));
    let unsigned = judge(&world, "?name=plain.pdf", blank()).await.expect(200);
    assert_eq!(unsigned["verdict"]["failure"]["code"], "no-signature");
    let nonsense = judge(&world, "", b"hello".to_vec()).await.expect(200);
    assert_eq!(nonsense["verdict"]["failure"]["code"], "not-pdf");

    // The package with the document: foreign programs find everything in it good.
    let package = judge(&world, "?package=true", pdf.clone()).await;
    assert_eq!(package.headers["content-type"], "application/zip");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("e.zip"), &package.body).unwrap();
    let script = "import zipfile\nz=zipfile.ZipFile('e.zip')\nassert z.testzip() is None\nz.extractall('.')\nprint(' '.join(sorted(z.namelist())))";
    let output = Command::new("python3").args(["-c", script]).current_dir(folder.path()).output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        "README.txt audit.jsonl certificates.pem document.pdf material.json record.json revocation.json signature-1.p7s verdict.en.txt verdict.json verdict.zh-CN.txt"
    );
    assert_eq!(std::fs::read(folder.path().join("document.pdf")).unwrap(), pdf, "the document byte for byte");
    let printed = Command::new("openssl")
        .args(["pkcs7", "-inform", "DER", "-in", "signature-1.p7s", "-print_certs", "-noout"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(printed.status.success());
    assert!(std::fs::read_to_string(folder.path().join("certificates.pem")).unwrap().contains(holder.leaf().to_pem().trim()));
    // The small package of an earlier verdict has no document in it.
    let small = world.get(&format!("/v1/evidence/{}", good["audit"]["sequence"])).await;
    let text = String::from_utf8_lossy(&small.body).into_owned();
    assert!(text.contains("signature-1.p7s") && !text.contains("%PDF-1.7"));
    // A verdict's record is kept for five years after the signer's certificate.
    let (record, _) = audit::one(&world.database, "tender-portal", good["audit"]["sequence"].as_i64().unwrap()).await.unwrap().unwrap();
    assert_eq!(record.keep_until, holder.leaf().not_after() + audit::KEPT_SECONDS);
    // Nothing is left behind.
    let left: Vec<_> =
        std::fs::read_dir(world.folder.path()).unwrap().flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "part")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn large_broken_and_slow_uploads() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("v.sqlite").to_string_lossy().into_owned();
    let change = |settings: Settings| Settings {
        document_max: 64 * 1024,
        uploads: Limits {
            places: 1,
            wait: Duration::from_millis(200),
            longest: Duration::from_secs(5),
            window: Duration::from_millis(500),
            window_bytes: 4096,
        },
        ..settings
    };
    let world = World::with(folder, &place, change).await;
    judge(&world, "", vec![0; 64 * 1024 + 1]).await.refused(413, "upload-too-large");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let router = world.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let begin =
        |length: usize| format!("POST /v1/documents HTTP/1.1\r\nHost: s\r\nAuthorization: Bearer {}\r\nContent-Length: {length}\r\n\r\n%PDF", world.key);

    // A sender that stops sending is told so, and gives its place back.
    let mut slow = Client::connect(&address, &world.key).await.unwrap();
    slow.raw().write_all(begin(1000).as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut second = Client::connect(&address, &world.key).await.unwrap();
    let (status, answer) = second.call("POST", "/v1/documents", "%PDF").await.unwrap();
    assert_eq!((status, answer["code"].as_str()), (503, Some("portal-busy")));
    let (status, answer) = slow.answer().await.unwrap();
    assert_eq!((status, answer["code"].as_str()), (400, Some("upload-too-slow")));
    // A sender that vanishes leaves nothing, and the next one is served.
    let mut gone = Client::connect(&address, &world.key).await.unwrap();
    gone.raw().write_all(begin(1000).as_bytes()).await.unwrap();
    drop(gone);
    tokio::time::sleep(Duration::from_millis(700)).await;
    let mut third = Client::connect(&address, &world.key).await.unwrap();
    let (status, answer) = third.call("POST", "/v1/documents", "%PDF").await.unwrap();
    assert_eq!((status, &answer["accepted"]), (200, &Value::Bool(false)));
    // What was refused is in the audit log too.
    let export = String::from_utf8(world.get("/v1/audit").await.body).unwrap();
    for outcome in ["upload-too-large", "upload-too-slow"] {
        assert!(export.contains(outcome), "{outcome}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_megabytes_do_not_grow_the_service() {
    let world = World::new().await;
    let holder = world.holder(7);
    let place = world.folder.path().join("v.sqlite").to_string_lossy().into_owned();
    let service = Running::start(&place, world.folder.path());
    let mut client = Client::connect(&service.address, &world.key).await.unwrap();
    let pdf = stamped(&world, &holder);
    let send = async |client: &mut Client, filler: usize| {
        let head = format!("POST /v1/documents HTTP/1.1\r\nHost: s\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n", world.key, pdf.len() + filler);
        client.raw().write_all(head.as_bytes()).await.unwrap();
        client.raw().write_all(&pdf).await.unwrap();
        let piece = vec![b' '; 1 << 20];
        for _ in 0..filler >> 20 {
            client.raw().write_all(&piece).await.unwrap();
        }
        client.answer().await.unwrap()
    };
    let (status, answer) = send(&mut client, 0).await;
    assert_eq!((status, &answer["accepted"]), (200, &Value::Bool(true)));
    let before = service.peak_kib();
    let (status, answer) = send(&mut client, 200 << 20).await;
    assert_eq!((status, &answer["accepted"]), (200, &Value::Bool(false)), "blanks behind the last revision are no part of it");
    let grown = service.peak_kib().saturating_sub(before);
    assert!(grown < 48 * 1024, "{grown} KiB for 200 MiB");
}
