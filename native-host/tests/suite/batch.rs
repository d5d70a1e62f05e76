//! Many documents with one consent: failures that stop nothing else, lists longer than one consent, and runs that end in the
//! middle by Ctrl-C, by SIGKILL or by a half-written file.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use sealbridge::undo::Undo;
use serde_json::Value;

use crate::support::{Kinds, PIN, World, authority, small_pdf};

const PLACE: [&str; 4] = ["--page", "1", "--at", "100,50"];

fn world(files: &[&str]) -> Option<World> {
    let world = World::ready(Kinds::Softhsm)?;
    fs::write(world.path("trust.pem"), authority().to_pem()).unwrap();
    for file in files {
        fs::write(world.path(file), small_pdf()).unwrap();
    }
    Some(world)
}

/// Exactly one signature, and a valid one.
fn valid(world: &World, file: &str) {
    let (exit, document) = world.json(&["verify", file, "--trust", "trust.pem"]);
    assert_eq!(exit, 0, "{document}");
    assert_eq!(document["documents"][0]["report"]["signatures"].as_array().unwrap().len(), 1, "{file}");
}

fn code(document: &Value) -> &str {
    document["failure"]["code"].as_str().unwrap_or("")
}

#[test]
fn one_consent_covers_all_and_a_failing_file_stops_no_other() {
    let Some(world) = world(&["a.pdf", "b.pdf"]) else { return };
    fs::write(world.path("broken.pdf"), "no PDF").unwrap();
    let all = ["stamp", "a.pdf", "broken.pdf", "b.pdf", "--out-dir", "out"];
    let (exit, documents, stderr) = world.lines(&[&all[..], &PLACE].concat(), "");
    assert_eq!(exit, 2, "{documents:?} {stderr}");
    let of = |file: &str| documents.iter().find(|document| document["file"] == file).unwrap();
    assert_eq!(code(of("broken.pdf")), "not-pdf");
    for file in ["a.pdf", "b.pdf"] {
        assert_eq!(of(file)["stamped"], format!("out/{file}"));
        valid(&world, &format!("out/{file}"));
    }
    assert_eq!(fs::read_dir(world.path("out")).unwrap().count(), 2);
    // The window and the terminal show the same list and the same code over it.
    let shown = world.shown();
    assert!(shown.contains("stamp 2 document(s)") && shown.contains("a.pdf") && shown.contains("b.pdf") && !shown.contains("broken"), "{shown}");
    assert_eq!(shown.matches("GETPIN").count(), 1);
    let list = stderr.lines().find_map(|line| line.split_once("code of the list: ")).unwrap().1;
    assert!(shown.contains(list.trim()), "{list} {shown}");
    assert!(stderr.contains("3/3") && stderr.contains("2. b.pdf (1 pages; page 1) code "), "{stderr}");

    // What is there is not overwritten unasked, two inputs never get one name, and words for people name the file.
    let again = world.run(&[&["stamp", "a.pdf", "b.pdf", "--out-dir", "out"], &PLACE[..]].concat());
    assert_eq!(again.status.code(), Some(1));
    let stderr = String::from_utf8(again.stderr).unwrap();
    assert!(stderr.contains("Not stamped: a.pdf") && stderr.contains("[output-exists]"), "{stderr}");
    fs::create_dir(world.path("other")).unwrap();
    fs::copy(world.path("a.pdf"), world.path("other/a.pdf")).unwrap();
    let (exit, documents, _) = world.lines(&[&["stamp", "a.pdf", "other/a.pdf", "--out-dir", "out", "--force"], &PLACE[..]].concat(), "");
    assert_eq!((exit, code(&documents[0])), (1, "output-exists"));
    let (exit, _, stderr) = world.lines(&[&["stamp", "a.pdf", "b.pdf", "--out-dir", "out", "--force"], &PLACE[..]].concat(), "");
    assert_eq!(exit, 0, "{stderr}");
    // In place, all of them.
    let (exit, documents, stderr) = world.lines(&[&["stamp", "a.pdf", "b.pdf", "--in-place"], &PLACE[..]].concat(), "");
    assert_eq!((exit, documents.len()), (0, 2), "{stderr}");
    valid(&world, "a.pdf");
    valid(&world, "b.pdf");
}

#[test]
fn a_person_who_says_no_is_told_of_every_document_that_was_not_stamped() {
    let Some(world) = world(&["a.pdf", "b.pdf"]) else { return };
    world.answers(&["cancel"]);
    let (exit, documents, _) = world.lines(&[&["stamp", "a.pdf", "b.pdf", "--out-dir", "out"], &PLACE[..]].concat(), "");
    assert_eq!(exit, 4);
    assert_eq!(documents.iter().map(code).collect::<Vec<_>>(), ["cancelled", "cancelled"]);
    assert_eq!(fs::read_dir(world.path("out")).unwrap().count(), 0);
}

#[test]
fn more_than_fifty_documents_are_several_consents_with_a_pin_each_and_resume_does_the_rest() {
    let names: Vec<String> = (1..=52).map(|number| format!("{number:02}.pdf")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let Some(world) = world(&names) else { return };
    let arguments = [&["stamp"], &names[..], &["--out-dir", "out", "--pin-fd", "0"], &PLACE].concat();
    let (exit, documents, stderr) = world.lines(&arguments, &format!("{PIN}\n"));
    assert_eq!(exit, 2, "{stderr}");
    assert_eq!(documents.iter().filter(|document| document["stamped"].is_string()).count(), 50);
    assert_eq!(documents.iter().filter(|document| code(document) == "command-malformed").count(), 2);
    assert!(stderr.contains("round 1 of 2") && stderr.contains("round 2 of 2"), "{stderr}");
    // One of the outputs is another document's stamp: that is no output of this input.
    fs::copy(world.path("out/01.pdf"), world.path("out/51.pdf")).unwrap();
    fs::write(world.path("51.pdf"), [small_pdf(), b"% other\n".to_vec()].concat()).unwrap();
    let (exit, documents, stderr) = world.lines(&[&arguments[..], &["--resume"]].concat(), &format!("{PIN}\n"));
    assert_eq!(exit, 1, "{stderr}");
    assert_eq!(documents.iter().filter(|document| document["skipped"] == true).count(), 50);
    assert_eq!(documents.iter().find(|document| document["file"] == "51.pdf").map(code), Some("output-exists"));
    valid(&world, "out/52.pdf");
    // Everything is done now: no key is needed for that.
    fs::remove_file(world.path("out/51.pdf")).unwrap();
    fs::copy(world.path("out/01.pdf"), world.path("out/51.pdf")).unwrap();
    fs::write(world.path("51.pdf"), small_pdf()).unwrap();
    let (exit, documents, _) = world.lines(&[&arguments[..], &["--resume"]].concat(), &format!("{PIN}\n"));
    assert_eq!((exit, documents.len()), (0, 52));
}

#[cfg(unix)]
#[test]
fn killed_in_the_middle_it_leaves_whole_files_only_and_goes_on_where_it_stopped() {
    let names: Vec<String> = (1..=12).map(|number| format!("{number:02}.pdf")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let Some(world) = world(&names) else { return };
    let arguments = [&["stamp"], &names[..], &["--out-dir", "out"], &PLACE].concat();
    let mut child = world.command(&arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    while fs::read_dir(world.path("out")).map_or(0, Iterator::count) == 0 && started.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let left: Vec<String> = fs::read_dir(world.path("out")).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert!(!left.is_empty());
    for name in left.iter().filter(|name| !name.starts_with('.')) {
        valid(&world, &format!("out/{name}"));
    }
    let (exit, documents, stderr) = world.lines(&[&arguments[..], &["--resume"]].concat(), "");
    assert_eq!((exit, documents.len()), (0, 12), "{stderr}");
    assert_eq!(documents.iter().filter(|document| document["skipped"] == true).count(), left.iter().filter(|name| !name.starts_with('.')).count());
    names.iter().for_each(|name| valid(&world, &format!("out/{name}")));
}

#[cfg(unix)]
#[test]
fn ctrl_c_closes_the_window_and_nothing_is_written() {
    let Some(world) = world(&["a.pdf", "b.pdf"]) else { return };
    world.answers(&["hang"]);
    let mut child = world.command(&[&["stamp", "a.pdf", "b.pdf", "--in-place"], &PLACE[..]].concat()).stdin(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    while !world.shown().contains("GETPIN") && started.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(4));
    assert_eq!(fs::read(world.path("a.pdf")).unwrap(), small_pdf());
}

#[test]
fn a_half_written_file_is_put_back_by_the_next_command_on_it_and_by_the_doctor() {
    let Some(world) = world(&["a.pdf", "b.pdf", "c.pdf"]) else { return };
    let state = world.home().join(".local/state/sealbridge");
    let half = |name: &str| {
        let document = world.path(name);
        let before = small_pdf();
        // As a process leaves it that is killed: the note is there, nobody holds it, half of the tail is written.
        drop(Undo::at(&state).begin(&document, before.len() as u64, b"% the whole of the tail\n").unwrap());
        fs::write(&document, [&before[..], b"% the whole"].concat()).unwrap();
    };
    half("a.pdf");
    let output = world.run(&["verify", "a.pdf"]);
    assert_eq!(output.status.code(), Some(2), "it has no signature");
    assert!(String::from_utf8_lossy(&output.stderr).contains("the file is as it was before: a.pdf"));
    assert_eq!(fs::read(world.path("a.pdf")).unwrap(), small_pdf());
    half("b.pdf");
    let output = world.run(&[&["stamp", "b.pdf", "--in-place"], &PLACE[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    valid(&world, "b.pdf");
    half("c.pdf");
    let (_, document) = world.json(&["doctor"]);
    let row = document["rows"].as_array().unwrap().iter().find(|row| row["link"] == "document").unwrap();
    assert!(row["mark"] == "warning" && row["subject"].as_str().unwrap().ends_with("c.pdf"), "{row}");
    assert_eq!(fs::read(world.path("c.pdf")).unwrap(), small_pdf());
    let (_, document) = world.json(&["doctor"]);
    assert!(document["rows"].as_array().unwrap().iter().all(|row| row["link"] != "document"));
}
