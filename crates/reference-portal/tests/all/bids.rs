//! Bids: the blank forms, stamped and spoiled documents, sizes, receipts, and that nothing stays behind.

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use sealbridge_pki::Algorithm as Suite;
use sealbridge_pki::cms::{self, SignedAttributes};
use sealbridge_seal::ses::{self, SealInfo, SealPicture};
use sealbridge_seal::{Check, Document, OpenOptions, OriginalHash, Placement, StampRequest, finish_and_check, prepare, reserve_for};
use serde_json::Value;
use sqlx::Connection;

use crate::world::{Answer, CREDIT_CODE, DOCUMENT_MAX, Holder, OTHER_CREDIT_CODE, Visitor, World};

const TENDER: &str = "YQ-2026-0017";
pub(crate) const UPLOAD: &str = "/api/documents?tender=YQ-2026-0017&name=%E6%8A%95%E6%A0%87%E5%87%BD.pdf";

fn png() -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 8, 8);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&(0..64_u8).flat_map(|n| [200, 16, 30, n.saturating_mul(4)]).collect::<Vec<_>>()).unwrap();
    writer.finish().unwrap();
    file
}

/// Stamps the field 公章 of the form, as the supplier's side does it.
pub(crate) fn stamp(world: &World, holder: &Holder, original: &[u8]) -> Vec<u8> {
    let now = world.clock.now();
    stamp_with(&world.authority().seal_maker(77, now), now, world, holder, original)
}

/// With a seal of this maker, at a time that the signer states.
fn stamp_with(maker: &Holder, signing_time: i64, world: &World, holder: &Holder, original: &[u8]) -> Vec<u8> {
    let now = world.clock.now();
    let info = SealInfo {
        vendor: "SB".into(),
        id: "SEAL-1".into(),
        name: "印桥测试科技有限公司公章".into(),
        kind: ses::Kind::Official,
        certificates: vec![holder.leaf().der().to_vec()],
        created: now - 7_200,
        valid_from: now - 7_200,
        valid_until: now + 86_400,
        picture: SealPicture { kind: "PNG".into(), data: png(), width_mm: 40, height_mm: 40 },
    };
    let to_be_signed = info.to_be_signed().unwrap();
    let seal = ses::assemble(&to_be_signed, maker.leaf().der(), Suite::Es256, &maker.sign(&to_be_signed)).unwrap();
    let original = original.to_vec();
    let document = Document::open(&original, OpenOptions::default()).unwrap();
    let request = StampRequest {
        placement: Placement::Field("公章".into()),
        field_values: vec![("统一社会信用代码".into(), CREDIT_CODE.into()), ("声明".into(), "Yes".into())],
        marks: Vec::new(),
        seal: &seal,
        signer: holder.leaf(),
        signing_time,
        name: None,
        reason: None,
        location: None,
        font: None,
        random: [3; 16],
        contents_reserve: reserve_for(&holder.chain),
    };
    let prepared = prepare(&document, &request).unwrap();
    let digest = prepared.digest(&OriginalHash::of(&original).unwrap()).unwrap();
    let attributes = SignedAttributes::new(&digest, holder.leaf(), Suite::Es256).unwrap();
    let cms = cms::assemble(&attributes, &holder.sign(attributes.der()), &holder.chain[1..]).unwrap();
    let finished = finish_and_check(&original, prepared, &cms, &Check { now, ..Check::default() }).unwrap();
    [original, finished.tail].concat()
}

pub(crate) async fn blank(visitor: &mut Visitor, fonts: &str) -> Vec<u8> {
    let answer = visitor.get(&format!("/tenders/{TENDER}/form.pdf?fonts={fonts}")).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/pdf"));
    answer.body
}

fn files(world: &World) -> usize {
    std::fs::read_dir(world.folder.path().join("documents")).unwrap().count()
}

/// Judged and refused: the code of the reason.
pub(crate) fn reason(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let told = answer.json();
    assert_eq!(told["accepted"], false);
    told["verdict"]["reasons"][0]["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_stamped_form_is_accepted_and_kept_as_it_came() {
    let world = World::new().await;
    let holder = world.key(20, Some(CREDIT_CODE));
    let mut alpha = world.bound("alpha", &holder).await;
    for fonts in ["", "none"] {
        let form = blank(&mut alpha, fonts).await;
        let document = stamp(&world, &holder, &form);
        let answer = alpha.upload(UPLOAD, document.clone()).await;
        let told = answer.json();
        assert_eq!((answer.status, &told["accepted"]), (StatusCode::OK, &Value::Bool(true)), "{told:#}");
        let signature = &told["verdict"]["signatures"][0];
        assert_eq!(signature["field"], "公章");
        assert_eq!(signature["creditCode"], CREDIT_CODE);
        assert_eq!(signature["checks"].as_array().unwrap().len(), 4);

        let page = told["page"].as_str().unwrap();
        let shown = alpha.get(page).await.text();
        assert!(shown.contains("data-accepted=\"yes\"") && shown.contains("投标函.pdf"), "{shown}");
        let kept = alpha.get(&format!("{page}/document")).await;
        assert_eq!(kept.body, document, "byte for byte");
        let receipt = alpha.get(told["receipt"].as_str().unwrap()).await;
        assert!(receipt.header("content-disposition").starts_with("attachment;"));
        for part in [told["sha256"].as_str().unwrap(), told["audit"]["hash"].as_str().unwrap(), CREDIT_CODE, TENDER] {
            assert!(receipt.text().contains(part), "{part} in {}", receipt.text());
        }
        // Another account does not even learn that it exists.
        let mut gamma = world.signed_in("gamma").await;
        for path in [page.to_owned(), format!("{page}/document"), format!("{page}/receipt")] {
            assert_eq!(gamma.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
    }
    assert_eq!(files(&world), 2);
    let found = alpha.get("/api/audit/check").await.json();
    assert_eq!(found["ok"], true, "{found}");
}

#[tokio::test]
async fn what_is_judged_and_not_accepted() {
    let world = World::new().await;
    let holder = world.key(20, Some(CREDIT_CODE));
    let mut alpha = world.bound("alpha", &holder).await;
    let form = blank(&mut alpha, "").await;
    let good = stamp(&world, &holder, &form);
    let middle = good.len() - 2000;
    let mut flipped = good.clone();
    flipped[middle] ^= 1;
    let mut early = good.clone();
    let letter = early.windows(11).position(|window| window == b"/Type/Annot" || window == b"/Type /Anno").unwrap();
    early[letter + 6] ^= 1;
    let stranger = stamp(&world, &world.foreign_key(21), &form);
    let other = stamp(&world, &world.key(22, Some(OTHER_CREDIT_CODE)), &form);
    let now = world.clock.now();
    // Any organisation has a certificate of the same CA, and could draw itself any seal.
    let self_made = stamp_with(&world.key(23, Some(OTHER_CREDIT_CODE)), now, &world, &holder, &form);
    let maker = world.authority().seal_maker(77, now);
    let backdated = stamp_with(&maker, now - 7_200, &world, &holder, &form);
    for (what, document, codes) in [
        ("unsigned", form.clone(), &["no-signature"][..]),
        ("text", b"hello".to_vec(), &["not-pdf"]),
        ("half", form[..form.len() / 2].to_vec(), &["pdf-truncated", "pdf-damaged", "no-signature"]),
        ("half of the stamped", good[..good.len() - 3000].to_vec(), &["pdf-truncated", "pdf-damaged", "no-signature", "document-not-valid"]),
        ("bytes after the end", [good.as_slice(), b"more"].concat(), &["document-not-valid"]),
        ("changed in the tail", flipped, &["document-not-valid", "pdf-damaged"]),
        ("changed in the form", early, &["document-not-valid", "pdf-damaged"]),
        ("unknown authority", stranger, &["certificate-untrusted"]),
        ("another organisation", other, &["signer-mismatch"]),
        ("a seal made by another supplier", self_made, &["document-not-valid"]),
        ("stamped before the tender was there", backdated, &["document-not-valid"]),
    ] {
        let answer = alpha.upload(UPLOAD, document).await;
        let code = reason(&answer);
        assert!(codes.contains(&code.as_str()), "{what}: {code}");
        let told = answer.json();
        for language in 0..2 {
            assert!(!told["verdict"]["reasons"][0]["what"][language].as_str().unwrap().is_empty());
        }
        let page = alpha.get(told["page"].as_str().unwrap()).await.text();
        assert!(page.contains("data-accepted=\"no\"") && page.contains(&code), "{what}");
        let kept = alpha.get(&format!("{}/document", told["page"].as_str().unwrap())).await;
        assert_eq!(kept.status, StatusCode::NOT_FOUND, "{what}: a refused document is not kept");
    }
    assert_eq!(files(&world), 0);
}

#[tokio::test]
async fn what_is_not_even_judged() {
    let world = World::new().await;
    let mut alpha = world.signed_in("alpha").await;
    let large = usize::try_from(DOCUMENT_MAX).unwrap() + 1;
    let closed = "/api/documents?tender=YQ-2026-0003&name=x.pdf";
    for (what, path, body, status, code) in [
        ("too large, announced", UPLOAD, Body::from(vec![0_u8; large]), StatusCode::PAYLOAD_TOO_LARGE, "upload-too-large"),
        ("too large, streamed", UPLOAD, streamed(large, None), StatusCode::PAYLOAD_TOO_LARGE, "upload-too-large"),
        ("broken off", UPLOAD, streamed(5000, Some(3)), StatusCode::BAD_REQUEST, "upload-broken"),
        ("empty", UPLOAD, Body::empty(), StatusCode::BAD_REQUEST, "upload-empty"),
        ("closed", closed, Body::from("x"), StatusCode::CONFLICT, "tender-closed"),
        ("no tender", "/api/documents?tender=x", Body::from("x"), StatusCode::NOT_FOUND, "not-found"),
        ("no query", "/api/documents", Body::from("x"), StatusCode::BAD_REQUEST, "request-malformed"),
    ] {
        let answer = alpha.upload(path, body).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{what}");
        assert_eq!(files(&world), 0, "{what}: nothing stays behind");
    }
    // The announced length is refused before a byte is read.
    let request = axum::http::Request::post(UPLOAD).header("x-csrf-token", alpha.csrf.as_str());
    let request = request.header("content-length", (DOCUMENT_MAX + 1).to_string()).body(streamed(10, Some(0))).unwrap();
    assert_eq!(alpha.send(request).await.code(), "upload-too-large");
}

#[tokio::test]
async fn a_lost_record_shows_against_the_receipts() {
    let world = World::new().await;
    let mut alpha = world.signed_in("alpha").await;
    let form = blank(&mut alpha, "").await;
    assert_eq!(reason(&alpha.upload(UPLOAD, form).await), "no-signature");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(world.folder.path().join("portal.sqlite"));
    let mut intruder = sqlx::sqlite::SqliteConnection::connect_with(&options).await.unwrap();
    for statement in ["DROP TRIGGER audit_no_delete", "DELETE FROM audit WHERE sequence = 2"] {
        sqlx::query(statement).execute(&mut intruder).await.unwrap();
    }
    let found = alpha.get("/api/audit/check").await.json();
    assert_eq!((found["ok"].clone(), found["broken"].clone()), (Value::Bool(false), Value::from(2)), "the end was cut off");
}

/// A body without an announced length, in pieces of 1,000 bytes; `fails` breaks it off before that piece.
fn streamed(length: usize, fails: Option<usize>) -> Body {
    struct Pieces {
        left: usize,
        count: usize,
        fails: Option<usize>,
    }
    impl http_body::Body for Pieces {
        type Data = Bytes;
        type Error = std::io::Error;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
            if self.fails == Some(self.count) {
                return std::task::Poll::Ready(Some(Err(std::io::Error::other("gone"))));
            }
            if self.left == 0 {
                return std::task::Poll::Ready(None);
            }
            let size = self.left.min(1000);
            self.left -= size;
            self.count += 1;
            std::task::Poll::Ready(Some(Ok(http_body::Frame::data(Bytes::from(vec![b'x'; size])))))
        }
    }
    Body::new(Pieces { left: length, count: 0, fails })
}
