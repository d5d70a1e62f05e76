//! The client examples in `clients/` against the real program: a portal's server in Python and in Node. The supplier's
//! key is this test, which signs what the example prints and hands the token back.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::processes::Running;
use crate::world::World;

async fn example(program: &str, file: &str) {
    let world = World::new().await;
    let place = world.folder.path().join("v.sqlite").to_string_lossy().into_owned();
    let service = Running::start(&place, world.folder.path());
    let holder = world.holder(7);
    let document = world.folder.path().join("plain.pdf");
    std::fs::write(&document, b"%PDF-1.7\nnot much of a document").unwrap();
    let spawned = Command::new(program)
        .arg(format!("{}/clients/{file}", env!("CARGO_MANIFEST_DIR")))
        .args([format!("http://{}", service.address), document.to_string_lossy().into_owned()])
        .env("SEALBRIDGE_KEY", &world.key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = spawned.unwrap_or_else(|error| panic!("{program}: {error}"));
    let (mut say, mut hear) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    let mut line = || {
        let mut line = String::new();
        hear.read_line(&mut line).unwrap();
        serde_json::from_str::<Value>(&line).unwrap_or_else(|_| panic!("{program} said {line:?}"))
    };
    let asked = line();
    let nonce = asked["bind"]["nonce"].as_str().unwrap();
    writeln!(say, "{}", holder.bind(asked["bind"]["account"].as_str().unwrap(), nonce, world.now())).unwrap();
    let asked = line();
    writeln!(say, "{}", holder.login(asked["login"]["nonce"].as_str().unwrap(), world.now())).unwrap();
    let opened = line();
    assert_eq!((opened["account"].as_str(), opened["certificate"]["sha256"].as_str()), (Some("supplier-1"), Some(holder.leaf().id().as_str())));
    let refused = line();
    assert_eq!((refused["code"].as_str(), refused["status"].as_u64()), (Some("nonce-used"), Some(409)), "{refused}");
    let verdict = line();
    assert_eq!(verdict["accepted"], false, "{verdict}");
    assert!(child.wait().unwrap().success());
}

#[tokio::test]
async fn python() {
    example("python3", "portal.py").await;
}

#[tokio::test]
async fn node() {
    example("node", "portal.mjs").await;
}
