//! Takes the service's figures and prints them as one JSON object: logins per second and core against a bare P-256
//! verification in the same run, logins per second with SQLite on the disk, documents per second, and the memory of the
//! program itself while it judges a document of a gigabyte. `cargo xtask bench verify` runs it.
//!
//! `measure FOLDER [PROGRAM [MEGABYTES]]`: FOLDER is on the disk to be measured, PROGRAM is `sealbridge-verify-service`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on ends here")]
#![allow(dead_code, unreachable_pub, reason = "the world of the tests has more in it than is measured")]

#[path = "../tests/all/stamp.rs"]
mod stamp;
#[path = "../tests/all/world.rs"]
mod world;

use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use sealbridge_intake::FileSource;
use sealbridge_relying_party::known::KnownPaths;
use sealbridge_relying_party::ration::Bucket;
use sealbridge_relying_party::{Account, Binding, CertificateId, Policy, login};
use sealbridge_verify_service::service::Settings;
use sealbridge_verify_service::store::challenges::Rations;
use serde_json::{Value, json};

use world::{ORIGIN, SESSION, Wish, World};

const ACCOUNTS: u8 = 40;
const LOGINS: usize = 6000;
const AT_ONCE: usize = 256;
const FREE: Bucket = Bucket { burst: 1_000_000, step_micros: 1 };

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| panic!("measure FOLDER [PROGRAM [MEGABYTES]]"));
    let program = arguments.next();
    let megabytes = arguments.next().map_or(1000, |text| text.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let world = Arc::new(runtime.block_on(async {
        let folder = tempfile::tempdir_in(&folder).unwrap();
        let place = folder.path().join("v.sqlite").to_string_lossy().into_owned();
        let change = |settings: Settings| Settings { challenges: Rations { portal: FREE, session: FREE }, documents: FREE, ..settings };
        World::with(folder, &place, change).await
    }));
    let (bare, warm, cold) = one_core(&world);
    let both = two_threads();
    let (logins, challenges) = runtime.block_on(with_database(&world));
    let documents = runtime.block_on(documents(&world));
    let memory = program.map_or(Value::Null, |program| memory(&world, &program, megabytes));
    let figures = json!({
        "bareVerificationsPerSecond": bare.round(),
        "bareVerificationsPerSecondOnTwoThreads": both.round(),
        "loginsPerSecondAndCore": warm.round(),
        "toBare": (warm / bare * 1000.0).round() / 1000.0,
        "firstLoginsPerSecondAndCore": cold.round(),
        "loginsPerSecondWithSqlite": logins.round(),
        "withSqliteToBareOnTwoThreads": (logins / both * 1000.0).round() / 1000.0,
        "challengesPerSecondWithSqlite": challenges.round(),
        "documentsPerSecond": documents.round(),
        "memory": memory,
    });
    println!("{figures}");
}

/// Rates of the three, which take turns, so that a loaded machine slows all of them; the best turn of each counts.
fn one_core(world: &World) -> (f64, f64, f64) {
    let holder = world.holder(7);
    let now = world.now();
    let policy = Policy::new(&[ORIGIN], &world.authority.root.to_pem()).unwrap();
    let remembering = Policy { known: Some(Arc::new(KnownPaths::new(100))), ..policy.clone() };
    let binding = Binding {
        account: Account::new("alpha").unwrap(),
        certificate: CertificateId::new(holder.leaf().sha256()),
        organisation: String::new(),
        credit_code: String::new(),
        serial: String::new(),
        not_after: holder.leaf().not_after(),
        bound_at: now,
        suspended_at: None,
    };
    let (challenge, _) = login::start(&policy, now, [5; 32]).unwrap();
    let token = holder.login(challenge.nonce.as_str(), now);
    let log_in = |policy: &Policy| {
        let statement = login::read(&token).unwrap();
        let (_, pending) = login::start(policy, now, [5; 32]).unwrap();
        black_box(login::finish(pending, statement, Some(&binding), policy, now).unwrap());
    };
    let key = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
    // What a login's signature is made over is as long.
    let message = token.as_bytes();
    let signature: p256::ecdsa::Signature = key.sign(message);
    let verifying = *key.verifying_key();
    let mut best = [0.0_f64; 3];
    for _ in 0..7 {
        let rates = [rate(|| verifying.verify(black_box(message), &signature).unwrap()), rate(|| log_in(&remembering)), rate(|| log_in(&policy))];
        for (best, rate) in best.iter_mut().zip(rates) {
            *best = best.max(rate);
        }
    }
    let [bare, warm, cold] = best;
    (bare, warm, cold)
}

/// Bare verifications on two threads at once: what two processors of this machine are worth, which for the two halves of one core is far
/// less than twice one.
fn two_threads() -> f64 {
    let turn = || {
        let threads = [7, 8].map(|number| {
            std::thread::spawn(move || {
                let key = p256::ecdsa::SigningKey::from_slice(&[number; 32]).unwrap();
                let message = [number; 700];
                let signature: p256::ecdsa::Signature = key.sign(&message);
                let verifying = *key.verifying_key();
                rate(|| verifying.verify(black_box(&message), &signature).unwrap())
            })
        });
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    };
    (0..3).map(|_| turn()).fold(0.0, f64::max)
}

fn rate(mut once: impl FnMut()) -> f64 {
    let started = Instant::now();
    let mut count = 0_u32;
    while started.elapsed() < Duration::from_millis(300) {
        for _ in 0..20 {
            once();
        }
        count += 20;
    }
    f64::from(count) / started.elapsed().as_secs_f64()
}

/// Logins and challenges per second through the whole service, its database on the disk.
async fn with_database(world: &Arc<World>) -> (f64, f64) {
    let holders: Vec<_> = (1..=ACCOUNTS).map(|number| world.authority.holder(&Wish::of(number), world.now())).collect();
    for (number, holder) in holders.iter().enumerate() {
        world.bind(holder, &format!("account-{number}")).await.expect(201);
    }
    let started = Instant::now();
    let wanted = json!({ "kind": "login", "session": SESSION }).to_string();
    let answers = all(world, "/v1/challenges", (0..LOGINS).map(|_| wanted.clone()).collect(), 201).await;
    let challenges = per_second(LOGINS, started);
    let tokens = answers
        .iter()
        .enumerate()
        .map(|(number, answer)| {
            let token = holders[number % holders.len()].login(answer["challenge"]["nonce"].as_str().unwrap(), world.now());
            json!({ "session": SESSION, "token": token }).to_string()
        })
        .collect();
    let started = Instant::now();
    all(world, "/v1/logins", tokens, 200).await;
    (per_second(LOGINS, started), challenges)
}

/// Calls with a few hundred at once; every one has to be answered with `status`.
async fn all(world: &Arc<World>, path: &'static str, bodies: Vec<String>, status: u16) -> Vec<Value> {
    let share = bodies.len().div_ceil(AT_ONCE);
    let mut tasks = Vec::new();
    for part in bodies.chunks(share) {
        let (world, part) = (Arc::clone(world), part.to_vec());
        tasks.push(tokio::spawn(async move {
            let mut answers = Vec::new();
            for body in part {
                let request = Request::post(path).header("authorization", format!("Bearer {}", world.key)).body(Body::from(body)).unwrap();
                answers.push(world.send(request).await.expect(status));
            }
            answers
        }));
    }
    let mut answers = Vec::new();
    for task in tasks {
        answers.extend(task.await.unwrap());
    }
    answers
}

async fn documents(world: &Arc<World>) -> f64 {
    let pdf = stamp::stamped(world, &world.holder(7));
    let started = Instant::now();
    let mut count = 0;
    while started.elapsed() < Duration::from_secs(3) {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (world, pdf) = (Arc::clone(world), pdf.clone());
                tokio::spawn(async move {
                    let request = Request::post("/v1/documents?seal=required").header("authorization", format!("Bearer {}", world.key));
                    let answer = world.send(request.body(Body::from(pdf)).unwrap()).await.expect(200);
                    assert_eq!(answer["accepted"], true, "{answer}");
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
            count += 1;
        }
    }
    per_second(count, started)
}

fn per_second(count: usize, started: Instant) -> f64 {
    count as f64 / started.elapsed().as_secs_f64()
}

/// Peak resident memory of the program itself after a page and after a gigabyte, both stamped.
fn memory(world: &World, program: &str, megabytes: u64) -> Value {
    let folder = world.folder.path();
    let holder = world.holder(7);
    let large = folder.join("large.pdf");
    draw(&large, megabytes);
    let tail = stamp::tail(world, &holder, &FileSource::open(&large).unwrap());
    File::options().append(true).open(&large).unwrap().write_all(&tail).unwrap();
    let small = folder.join("small.pdf");
    std::fs::write(&small, stamp::stamped(world, &holder)).unwrap();

    let mut child = Command::new(program)
        .args(["serve", "--listen", "127.0.0.1:0", "--document-max-mib", "8192", "--database"])
        .arg(folder.join("v.sqlite"))
        .arg("--temporary")
        .arg(folder.join("temporary"))
        .env("RUST_LOG", "off")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let told: Value = serde_json::from_str(&line).unwrap();
    let address = told["listening"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
    let mut peaks = Vec::new();
    let mut seconds = 0.0;
    for file in [&small, &large] {
        let started = Instant::now();
        let answer = upload(&address, &world.key, file);
        assert!(answer.contains("\"accepted\":true"), "{answer}");
        seconds = started.elapsed().as_secs_f64();
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
        peaks.push(peak.map(|kib| kib / 1024));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    json!({ "documentMegabytes": megabytes, "peakMebibytesSmall": peaks.first(), "peakMebibytesLarge": peaks.get(1), "secondsLarge": (seconds * 100.0).round() / 100.0 })
}

fn upload(address: &str, key: &str, file: &Path) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut file = File::open(file).unwrap();
    let length = file.metadata().unwrap().len();
    write!(
        stream,
        "POST /v1/documents?seal=required HTTP/1.1\r\nHost: s\r\nConnection: close\r\nAuthorization: Bearer {key}\r\nContent-Length: {length}\r\n\r\n"
    )
    .unwrap();
    std::io::copy(&mut file, &mut stream).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A page whose content refers to one picture after the other that cannot be compressed.
fn draw(file: &Path, megabytes: u64) {
    let mut out = BufWriter::new(File::create(file).unwrap());
    let (mut at, mut offsets) = (0_u64, Vec::new());
    let mut write = |bytes: &[u8], at: &mut u64| {
        out.write_all(bytes).unwrap();
        *at += bytes.len() as u64;
    };
    write(b"%PDF-1.7\n", &mut at);
    let mut noise = vec![0_u8; 1_000_000];
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let fixed = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<>>>>".to_owned(),
    ];
    for object in fixed {
        offsets.push(at);
        write(format!("{} 0 obj\n{object}\nendobj\n", offsets.len()).as_bytes(), &mut at);
    }
    for _ in 0..megabytes {
        for part in noise.chunks_mut(8) {
            // Xorshift: the same document on every machine.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            part.copy_from_slice(&state.to_le_bytes()[..part.len()]);
        }
        offsets.push(at);
        write(format!("{} 0 obj\n<</Length {}>>\nstream\n", offsets.len(), noise.len()).as_bytes(), &mut at);
        write(&noise, &mut at);
        write(b"\nendstream\nendobj\n", &mut at);
    }
    let start = at;
    let size = offsets.len() + 1;
    let lines: String = offsets.iter().map(|at| format!("{at:010} 00000 n \n")).collect();
    write(format!("xref\n0 {size}\n0000000000 65535 f \n{lines}trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n").as_bytes(), &mut at);
    out.flush().unwrap();
}
