//! The audit chain: what a change, a gap, a cut and a swap look like, who may delete what when, and evidence packages.

use std::io::Read;
use std::process::{Command, Stdio};

use sealbridge_relying_party::chain::Why;
use sealbridge_verify_service::store::audit::{self, KEPT_SECONDS, check_lines};
use serde_json::{Value, json};

use crate::world::{World, add_portal};

async fn lines(world: &World) -> Vec<String> {
    let answer = world.get("/v1/audit").await;
    String::from_utf8(answer.body).unwrap().lines().map(ToOwned::to_owned).collect()
}

fn checked(lines: &[String]) -> Result<audit::Checked, String> {
    check_lines(lines.iter().map(|line| Ok(line.clone())))
}

#[tokio::test]
async fn an_export_shows_every_change() {
    let world = World::new().await;
    for (number, account) in [(7, "alpha"), (8, "beta")] {
        world.bind(&world.holder(number), account).await.expect(201);
        world.login(&world.holder(number)).await.expect(200);
    }
    let other = World { key: add_portal(&world.database, "other-portal", &world.authority, 2).await, ..world };
    other.bind(&other.holder(9), "secret-account").await.expect(201);
    let world = World { key: sealbridge_verify_service::portal::new_key(&[1; 32]), ..other };
    world.login(&world.holder(7)).await.expect(200);

    let whole = lines(&world).await;
    let found = checked(&whole).unwrap();
    assert_eq!((found.broken, found.first), (None, 1));
    let head = audit::head(&world.database).await.unwrap();
    assert_eq!((found.rows, found.head), (head.sequence, head.hash));
    assert_eq!(audit::check(&world.database).await.unwrap().broken, None);
    // Another portal's records are followed and not read.
    assert!(found.whole < found.rows);
    assert!(!whole.concat().contains("secret-account"));

    for (index, line) in whole.iter().enumerate() {
        let sequence = i64::try_from(index).unwrap() + 1;
        let record: Value = serde_json::from_str(line).unwrap();
        for field in record.as_object().unwrap().keys() {
            let mut changed = record.clone();
            changed[field] = match &record[field] {
                Value::Number(number) => json!(number.as_i64().unwrap() + 1),
                Value::String(text) if text.is_empty() => json!("x"),
                // One character becomes another.
                Value::String(text) => json!(format!("{}{}", if text.starts_with('0') { '1' } else { '0' }, text.chars().skip(1).collect::<String>())),
                other => panic!("{other}"),
            };
            let mut lines = whole.clone();
            lines[index] = changed.to_string();
            // The first record's previous hash cannot be compared with anything but is in its own link.
            let broken = checked(&lines).unwrap().broken;
            assert_eq!(broken.map(|(_, why)| matches!(why, Why::Changed | Why::Gap)), Some(true), "{field} of {sequence}");
        }
        let mut lines = whole.clone();
        lines.remove(index);
        // Without the first or the last record it is a shorter chain: that shows by `first` and `head`.
        let inside = index > 0 && index + 1 < whole.len();
        if inside {
            assert!(checked(&lines).is_err() || checked(&lines).unwrap().broken.is_some(), "a gap at {sequence}");
        } else if index > 0 {
            assert_ne!(checked(&lines).unwrap().head, checked(&whole).unwrap().head);
        }
        if inside {
            let mut lines = whole.clone();
            lines.swap(index, index + 1);
            assert!(checked(&lines).unwrap().broken.is_some(), "a swap at {sequence}");
        }
    }
    for nonsense in [vec![], vec!["x".to_owned()], vec![r#"{"sequence":1,"digest":"","hash":""}"#.to_owned()]] {
        assert!(checked(&nonsense).is_err());
    }
}

#[tokio::test]
async fn the_database_refuses_to_change_or_delete_what_must_be_kept() {
    let world = World::new().await;
    world.bind(&world.holder(7), "alpha").await.expect(201);
    let place = world.folder.path().join("v.sqlite");
    let sql = |statement: &str| {
        let output = Command::new("python3")
            .args(["-c", "import sqlite3,sys\nc=sqlite3.connect(sys.argv[1])\nc.execute(sys.argv[2])\nc.commit()"])
            .arg(&place)
            .arg(statement)
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (done, said) = sql("UPDATE audit SET outcome = 'ok'");
    assert!(!done && said.contains("never changed"), "{said}");
    let (done, said) = sql("DELETE FROM audit");
    assert!(!done && said.contains("until their time is over"), "{said}");
    // Somebody who drops the triggers first is seen by the check.
    assert!(sql("DROP TRIGGER audit_no_update").0 && sql("UPDATE audit SET detail = 'other' WHERE sequence = 2").0);
    assert_eq!(audit::check(&world.database).await.unwrap().broken, Some((2, Why::Changed)));
    assert!(sql("UPDATE audit SET detail = 'key-of-tender-portal' WHERE sequence = 2").0);
    assert_eq!(audit::check(&world.database).await.unwrap().broken, None);
    assert!(sql("UPDATE audit SET material = '{}' WHERE sequence = 3").0);
    assert_eq!(audit::check(&world.database).await.unwrap().broken, Some((3, Why::Changed)));
    assert!(sql("DROP TRIGGER audit_no_delete").0 && sql("DELETE FROM audit WHERE sequence = 3").0);
    assert_eq!(audit::check(&world.database).await.unwrap().broken, Some((3, Why::Gap)), "a cut at the end");
}

#[tokio::test]
async fn records_are_kept_for_five_years_after_the_certificate() {
    let world = World::new().await;
    let holder = world.holder(7);
    let bound = world.bind(&holder, "alpha").await.expect(201);
    let sequence = bound["audit"]["sequence"].as_i64().unwrap();
    let (record, _) = audit::one(&world.database, "tender-portal", sequence).await.unwrap().unwrap();
    assert_eq!(record.keep_until, holder.leaf().not_after() + KEPT_SECONDS);
    // Any five years have at most two leap days in them.
    const { assert!(KEPT_SECONDS >= (5 * 365 + 2) * 86_400) };
    // The operator's records before it were made at second 1 of this world: their time is over, the binding's is not.
    assert_eq!(audit::prune(&world.database, world.now()).await.unwrap(), Ok(sequence - 1));
    assert_eq!(audit::prune(&world.database, world.now()).await.unwrap(), Err(record.keep_until));
    let found = audit::check(&world.database).await.unwrap();
    assert_eq!((found.broken, found.first), (None, sequence));
}

#[tokio::test]
async fn a_logins_evidence_can_be_checked_without_us() {
    let world = World::new().await;
    let holder = world.holder(7);
    world.bind(&holder, "alpha").await.expect(201);
    let login = world.login(&holder).await.expect(200);
    world.login(&holder).await.expect(200);
    let sequence = &login["audit"]["sequence"];
    let answer = world.get(&format!("/v1/evidence/{sequence}")).await;
    assert_eq!(answer.headers["content-type"], "application/zip");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("evidence.zip");
    std::fs::write(&file, &answer.body).unwrap();
    // Python's own reader takes it apart, and its own hashing compares.
    let script = "import zipfile,sys,hashlib,json\nz=zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\nz.extractall(sys.argv[2])\n\
                  r=json.loads(z.read('record.json'))\nassert hashlib.sha256(z.read('material.json')).hexdigest()==r['materialSha256']\nprint(' '.join(sorted(z.namelist())))";
    let output = Command::new("python3").args(["-c", script]).arg(&file).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).unwrap();
    assert_eq!(names.trim(), "README.txt audit.jsonl certificates.pem material.json nonce.txt record.json revocation.json statement-1.jws");
    // OpenSSL verifies the chain; the leaf is the first.
    let pem = std::fs::read_to_string(folder.path().join("certificates.pem")).unwrap();
    assert!(pem.starts_with(&holder.leaf().to_pem()));
    std::fs::write(folder.path().join("root.pem"), world.authority.root.to_pem()).unwrap();
    std::fs::write(folder.path().join("leaf.pem"), holder.leaf().to_pem()).unwrap();
    let verified = Command::new("openssl")
        .current_dir(folder.path())
        .args(["verify", "-CAfile", "root.pem", "-untrusted", "certificates.pem", "leaf.pem"])
        .output()
        .unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    // The program checks the proof without the database.
    let check = |file: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_sealbridge-verify-service"))
            .current_dir(folder.path())
            .args(["audit", "check", file])
            .stderr(Stdio::null())
            .output()
            .unwrap();
        (output.status.code(), serde_json::from_slice::<Value>(&output.stdout).unwrap_or_default())
    };
    let (code, told) = check("audit.jsonl");
    assert_eq!((code, &told["ok"], &told["whole"]), (Some(0), &json!(true), &json!(1)), "{told}");
    assert_eq!(told["head"], audit::head(&world.database).await.unwrap().hash.as_str());
    let mut proof = String::new();
    std::fs::File::open(folder.path().join("audit.jsonl")).unwrap().read_to_string(&mut proof).unwrap();
    std::fs::write(folder.path().join("forged.jsonl"), proof.replacen("alpha", "omega", 1)).unwrap();
    let (code, told) = check("forged.jsonl");
    assert_eq!((code, &told["broken"]["why"]), (Some(1), &json!("changed")));
    // Nobody gets another portal's.
    let other = World { key: add_portal(&world.database, "other-portal", &world.authority, 2).await, ..world };
    other.get(&format!("/v1/evidence/{sequence}")).await.refused(404, "not-found");
}
