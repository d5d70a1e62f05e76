//! Where `stamp` puts seals, dates and values, and how it refuses: every option of the command line with a real token, the
//! results judged by our verifier.

use std::fs::{self, File};

use serde_json::Value;

use crate::support::{Kinds, World, authority, form_pdf, small_pdf};

/// A world with the files that the cases name.
fn world() -> Option<World> {
    let world = World::ready(Kinds::Softhsm)?;
    fs::write(world.path("form.pdf"), form_pdf(&["公章"])).unwrap();
    fs::write(world.path("two.pdf"), form_pdf(&["公章", "法人章"])).unwrap();
    fs::write(world.path("small.pdf"), small_pdf()).unwrap();
    fs::write(world.path("trust.pem"), authority().to_pem()).unwrap();
    Some(world)
}

/// Page and kind of everything that a stamp shows.
fn shown(document: &Value) -> Vec<(u64, String)> {
    let places = document["place"]["places"].as_array().unwrap();
    places.iter().map(|place| (place["page"].as_u64().unwrap(), place["kind"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn every_way_to_name_a_place_stamps_there_and_verifies() {
    let Some(world) = world() else { return };
    let check = |arguments: &[&str], wanted: &[(u64, &str)]| {
        let _ = fs::remove_file(world.path("out.pdf"));
        let (exit, documents, stderr) = world.lines(&[&["stamp"], arguments, &["--out", "out.pdf"]].concat(), "");
        assert_eq!(exit, 0, "{arguments:?} {documents:?} {stderr}");
        let wanted: Vec<(u64, String)> = wanted.iter().map(|(page, kind)| (*page, (*kind).to_owned())).collect();
        assert_eq!(shown(&documents[0]), wanted, "{arguments:?}");
        let judged = world.run(&["verify", "out.pdf", "--trust", "trust.pem"]);
        assert_eq!(judged.status.code(), Some(0), "{arguments:?} {}", String::from_utf8_lossy(&judged.stdout));
        documents[0].clone()
    };
    assert_eq!(check(&["form.pdf"], &[(1, "seal")])["place"]["field"], "公章");
    assert_eq!(check(&["two.pdf", "--field", "法人章"], &[(1, "seal")])["place"]["field"], "法人章");
    assert_eq!(check(&["form.pdf", "--page", "2", "--at", "20,30", "--width", "20"], &[(2, "seal")])["place"]["widthMm"], 20.0);
    check(&["form.pdf", "--pages", "1,last", "--at", "20,30"], &[(1, "seal"), (3, "seal")]);
    check(&["form.pdf", "--page", "1", "--at", "20,30", "--also", "2@50,60", "--also", "odd@100,60"], &[(1, "seal"), (2, "seal"), (1, "seal"), (3, "seal")]);
    check(&["form.pdf", "--seam", "--width", "40"], &[(1, "seam"), (2, "seam"), (3, "seam")]);
    check(
        &["form.pdf", "--field", "公章", "--seam", "--seam-pages", "2-3", "--seam-side", "left", "--seam-at", "0.8"],
        &[(1, "seal"), (2, "seam"), (3, "seam")],
    );
    check(&["form.pdf", "--page", "2", "--at", "20,30", "--seam", "--seam-odd", "--seam-group", "2"], &[(2, "seal"), (1, "seam"), (3, "seam")]);
    // A date needs a Chinese font, which not every computer has.
    if sealbridge::fonts::of_system().is_ok() {
        check(&["form.pdf", "--date"], &[(1, "seal"), (1, "date")]);
        check(&["form.pdf", "--page", "1", "--at", "20,2", "--date"], &[(1, "seal"), (1, "date")]);
        check(&["form.pdf", "--seam", "--date", "3@20,30"], &[(1, "seam"), (2, "seam"), (3, "seam"), (3, "date")]);
        let filled = check(&["form.pdf", "--fill", "投标人=测试公司"], &[(1, "seal")]);
        assert_eq!(filled["place"]["filled"][0], "投标人");
    } else {
        let (exit, documents, _) = world.lines(&["stamp", "form.pdf", "--date", "--out", "out2.pdf"], "");
        assert_eq!((exit, &documents[0]["failure"]["code"]), (3, &Value::from("font-missing")));
    }
}

#[test]
fn a_keyword_is_stamped_where_find_finds_it() {
    let Some(world) = world() else { return };
    let (exit, found) = world.json(&["find", "form.pdf", "Seal here"]);
    assert_eq!(exit, 0, "{found}");
    let hits = found["hits"].as_array().unwrap();
    assert_eq!(hits.iter().map(|hit| (hit["nth"].as_u64().unwrap(), hit["page"].as_u64().unwrap())).collect::<Vec<_>>(), [(1, 2), (2, 3), (3, 3)]);
    // 100 points from the left, the baseline at 600 points.
    assert!((hits[0]["x"].as_f64().unwrap() - 35.28).abs() < 1.0 && (hits[0]["y"].as_f64().unwrap() - 211.7).abs() < 2.0, "{found}");
    let (exit, found) = world.json(&["find", "form.pdf", "Seal here", "--pages", "3"]);
    assert_eq!((exit, found["hits"].as_array().unwrap().len()), (0, 2));
    let check = |arguments: &[&str], pages: &[u64]| {
        let (exit, documents, stderr) = world.lines(&[&["stamp", "form.pdf", "--keyword", "Seal here", "--out", "out.pdf", "--force"], arguments].concat(), "");
        assert_eq!(exit, 0, "{arguments:?} {documents:?} {stderr}");
        assert_eq!(shown(&documents[0]).iter().map(|(page, _)| *page).collect::<Vec<_>>(), pages, "{arguments:?}");
        assert_eq!(world.run(&["verify", "out.pdf", "--trust", "trust.pem"]).status.code(), Some(0));
    };
    check(&[], &[2]);
    check(&["--nth", "2", "--offset", "10,-5"], &[3]);
    check(&["--nth", "last"], &[3]);
    check(&["--nth", "all"], &[2, 3, 3]);
    check(&["--nth", "all", "--pages", "3"], &[3, 3]);
}

#[test]
fn what_cannot_be_done_is_refused_with_its_code_and_nothing_is_written() {
    let Some(world) = world() else { return };
    assert_eq!(world.run(&["stamp", "small.pdf", "--page", "1", "--at", "20,30", "--out", "signed.pdf"]).status.code(), Some(0));
    fs::write(world.path("text"), "no font").unwrap();
    let check = |arguments: &[&str], exit: i32, code: &str, fact: &str| {
        let (found, documents, stderr) = world.lines(&[&["stamp"], arguments, &["--out", "refused.pdf"]].concat(), "");
        let failure = &documents.last().unwrap_or_else(|| panic!("{arguments:?} {stderr}"))["failure"];
        assert_eq!((found, failure["code"].as_str().unwrap()), (exit, code), "{arguments:?} {failure}");
        assert!(failure.to_string().contains(fact), "{arguments:?} {failure}");
        assert!(!world.path("refused.pdf").exists());
    };
    check(&["small.pdf"], 1, "placement-needed", "small.pdf");
    check(&["two.pdf"], 1, "placement-needed", "公章, 法人章");
    check(&["two.pdf", "--field", "别的章"], 1, "field-missing", "别的章");
    check(&["small.pdf", "--page", "2", "--at", "1,1"], 1, "page-missing", "2");
    check(&["small.pdf", "--pages", "3-2", "--at", "1,1"], 1, "pages-malformed", "3-2");
    check(&["small.pdf", "--page", "1", "--at", "1,1", "--also", "9@1,1"], 1, "pages-malformed", "9");
    check(&["form.pdf", "--keyword", "nowhere to be found"], 1, "keyword-missing", "nowhere");
    check(&["small.pdf", "--seam"], 1, "pages-malformed", "");
    check(&["form.pdf", "--seam", "--date"], 2, "command-malformed", "--date PAGE@X,Y");
    check(&["form.pdf", "small.pdf"], 2, "command-malformed", "--out-dir");
    check(&["form.pdf", "--font", "text"], 2, "read-failed", "text");
    check(&["form.pdf", "--fill", "nothing=1"], 1, "field-missing", "nothing");
    check(&["signed.pdf", "--page", "1", "--at", "100,30", "--also", "1@100,100"], 1, "marks-on-signed", "");
    check(&["signed.pdf", "--seam"], 1, "marks-on-signed", "");
    check(&["absent.pdf", "--page", "1", "--at", "1,1"], 2, "read-failed", "absent.pdf");

    let locked = File::open(world.path("small.pdf")).unwrap();
    locked.lock().unwrap();
    check(&["small.pdf", "--page", "1", "--at", "1,1"], 1, "file-in-use", "small.pdf");
    let (exit, documents, _) = world.lines(&["stamp", "small.pdf", "--in-place", "--page", "1", "--at", "1,1"], "");
    assert_eq!((exit, &documents[0]["failure"]["code"]), (1, &Value::from("file-in-use")));
    drop(locked);
    let (exit, failure) = world.json(&["find", "form.pdf", "nowhere"]);
    assert_eq!((exit, &failure["failure"]["code"]), (1, &Value::from("keyword-missing")));
}

#[test]
fn key_seal_reason_and_password_are_taken_as_named() {
    let Some(world) = world() else { return };
    let (_, status) = world.json(&["status"]);
    let token = status["tokens"].as_array().unwrap().iter().find(|token| token["label"] == "Sealbridge test").unwrap();
    let seal = token["seals"][0]["id"].as_str().unwrap();
    let certificate = token["certificates"].as_array().unwrap().iter().find(|certificate| certificate["hasKey"] == true).unwrap()["id"].as_str().unwrap();
    let named = ["--token", "Sealbridge test", "--seal", seal, "--certificate", certificate, "--reason", "投标"];
    let (exit, documents, stderr) = world.lines(&[&["stamp", "form.pdf", "--out", "out.pdf"], &named[..]].concat(), "");
    assert_eq!(exit, 0, "{documents:?} {stderr}");
    assert_eq!((documents[0]["seal"].as_str().unwrap(), documents[0]["certificate"].as_str().unwrap()), (seal, certificate));
    let (_, judged) = world.json(&["verify", "out.pdf", "--trust", "trust.pem"]);
    assert_eq!(judged["documents"][0]["report"]["signatures"][0]["reason"], "投标");
    let other = seal.chars().rev().collect::<String>();
    for (option, value, code) in [("--token", "another", "token-missing"), ("--seal", other.as_str(), "seal-missing")] {
        let (exit, documents, _) = world.lines(&["stamp", "form.pdf", "--out", "no.pdf", option, value], "");
        assert_eq!((exit, documents[0]["failure"]["code"].as_str().unwrap()), (5, code), "{option}");
    }
    // qpdf encrypts; where it is not installed there is no encrypted document to try.
    let encrypted = std::process::Command::new("qpdf")
        .args(["--encrypt", "open", "owner", "256", "--", "form.pdf", "locked.pdf"])
        .current_dir(world.folder.path())
        .output();
    if encrypted.is_ok_and(|output| output.status.success()) {
        let stamp = |more: &[&str], input: &str| world.lines(&[&["stamp", "locked.pdf", "--out", "unlocked.pdf"], more].concat(), input);
        assert_eq!(stamp(&[], "").1[0]["failure"]["code"], "pdf-password-needed");
        assert_eq!(stamp(&["--password-fd", "0"], "wrong\n").1[0]["failure"]["code"], "pdf-password-wrong");
        let (exit, documents, stderr) = stamp(&["--password-fd", "0"], "open\n");
        assert_eq!(exit, 0, "{documents:?} {stderr}");
        let judged = world.run_with(&["verify", "unlocked.pdf", "--trust", "trust.pem", "--password-fd", "0"], "open\n");
        assert_eq!(judged.status.code(), Some(0), "{}", String::from_utf8_lossy(&judged.stdout));
        assert_eq!(world.run_with(&["fields", "locked.pdf", "--password-fd", "0"], "open\n").status.code(), Some(0));
        assert_eq!(world.run_with(&["find", "locked.pdf", "Seal", "--password-fd", "0"], "open\n").status.code(), Some(0));
    }
}
