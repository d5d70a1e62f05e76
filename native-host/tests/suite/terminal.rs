//! The terminal's door: the cases in `tests/cmd/*.toml`, and stamping with a real token, judged by our verifier.
//!
//! A case names its arguments, its exit code, and texts that must or must not stand in what is printed.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::support::{Kinds, PIN, World, authority, form_pdf, seal_maker, small_pdf};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    arguments: Vec<String>,
    exit: i32,
    /// Files to be written first, by name: `small.pdf` is a PDF of one page, `form.pdf` one with a form, anything else the text itself.
    #[serde(default)]
    files: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    stdout: Vec<String>,
    #[serde(default)]
    stderr: Vec<String>,
    #[serde(default)]
    absent: Vec<String>,
    /// The whole configuration, instead of none.
    config: Option<String>,
}

#[test]
fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let text = fs::read_to_string(entry.path()).unwrap();
        let case: Case = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", entry.path().display()));
        let name = entry.file_name();
        let Some(world) = World::new(Kinds::Softhsm) else { return };
        fs::remove_file(world.config_file()).unwrap();
        if let Some(config) = &case.config {
            fs::write(world.config_file(), config).unwrap();
        }
        for (file, text) in &case.files {
            let bytes = match text.as_str() {
                "small.pdf" => small_pdf(),
                "form.pdf" => form_pdf(&["公章", "法人章"]),
                _ => text.clone().into_bytes(),
            };
            fs::write(world.folder.path().join(file), bytes).unwrap();
        }
        let arguments: Vec<&str> = case.arguments.iter().map(String::as_str).collect();
        let output = world.run(&arguments);
        let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(case.exit), "{name:?}: {stdout}{stderr}");
        for wanted in &case.stdout {
            assert!(stdout.contains(wanted), "{name:?}: {wanted} is not in {stdout}");
        }
        for wanted in &case.stderr {
            assert!(stderr.contains(wanted), "{name:?}: {wanted} is not in {stderr}");
        }
        for unwanted in &case.absent {
            assert!(!stdout.contains(unwanted) && !stderr.contains(unwanted), "{name:?}: {unwanted}");
        }
        count += 1;
    }
    assert!(count >= 12, "{count} cases");
}

#[test]
fn a_pdf_is_stamped_and_verifies() {
    for kind in [Kinds::Softhsm, Kinds::Soft] {
        let Some(world) = World::ready(kind) else { continue };
        let path = |name: &str| world.folder.path().join(name);
        fs::write(path("in.pdf"), small_pdf()).unwrap();
        fs::write(path("trust.pem"), authority().to_pem()).unwrap();
        let stamp = |more: &[&str]| world.run(&[&["stamp", "in.pdf", "--page", "1", "--at", "100,50"], more].concat());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();

        let output = stamp(&["--out", "out.pdf"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let stamped = fs::read(path("out.pdf")).unwrap();
        assert!(stamped.starts_with(&small_pdf()), "the original is a prefix");
        let shown = world.shown();
        for part in ["Operation: stamp 1 document(s)", "in.pdf (1 pages; page 1) code ", "command line"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        let output = world.run(&["verify", "out.pdf", "--trust", "trust.pem"]);
        assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
        // The seal's maker is trusted by what its certificate is for, or by a pin.
        fs::write(path("maker.pem"), seal_maker().to_pem()).unwrap();
        let maker_trusted = |more: &[&str]| {
            let output = world.run(&[&["verify", "out.pdf", "--json"], more].concat());
            let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            told["documents"][0]["report"]["signatures"][0]["seal"]["makerTrusted"].as_bool().unwrap()
        };
        assert!(maker_trusted(&["--trust", "trust.pem"]) && maker_trusted(&["--seal-maker", "maker.pem"]));
        assert!(!maker_trusted(&[]) && !maker_trusted(&["--seal-maker", "trust.pem"]));
        // Without anchors nothing is called valid.
        assert_eq!(world.run(&["verify", "out.pdf"]).status.code(), Some(1));
        assert_eq!(world.run(&["verify", "in.pdf"]).status.code(), Some(2));
        let mut changed = stamped.clone();
        changed[60] ^= 1;
        fs::write(path("changed.pdf"), changed).unwrap();
        assert_ne!(world.run(&["verify", "changed.pdf", "--trust", "trust.pem"]).status.code(), Some(0));
        let mut longer = stamped.clone();
        longer.extend(b"\n% more\n");
        fs::write(path("longer.pdf"), longer).unwrap();
        assert_eq!(world.run(&["verify", "longer.pdf", "--trust", "trust.pem"]).status.code(), Some(1));

        // Nothing is overwritten unasked; a second stamp in place keeps the first one valid.
        assert_eq!(stamp(&["--out", "out.pdf"]).status.code(), Some(1));
        assert_eq!(fs::read(path("out.pdf")).unwrap(), stamped);
        let again = world.run(&["stamp", "out.pdf", "--page", "1", "--at", "20,200", "--in-place"]);
        assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
        assert!(fs::read(path("out.pdf")).unwrap().starts_with(&stamped));
        assert_eq!(world.run(&["verify", "out.pdf", "--trust", "trust.pem"]).status.code(), Some(0));

        // The PIN by file descriptor, wrong PINs, cancelling, a place outside of the page.
        let by_fd = world.run_with(&["stamp", "in.pdf", "--page", "1", "--at", "100,50", "--out", "fd.pdf", "--pin-fd", "0", "--json"], &format!("{PIN}\n"));
        assert_eq!(by_fd.status.code(), Some(0), "{}", text(&by_fd.stdout));
        let wrong = world.run_with(&["stamp", "in.pdf", "--page", "1", "--at", "100,50", "--out", "wrong.pdf", "--pin-fd", "0"], "Wrong-0000\n");
        assert_eq!(wrong.status.code(), Some(5), "{}", text(&wrong.stderr));
        world.answers(&["cancel"]);
        assert_eq!(stamp(&["--out", "cancelled.pdf"]).status.code(), Some(4));
        world.answers(&[PIN]);
        let outside = world.run(&["stamp", "in.pdf", "--page", "1", "--at", "500,50", "--out", "outside.pdf"]);
        assert_eq!(outside.status.code(), Some(1));
        assert!(text(&outside.stderr).contains("placement-outside"));
        for absent in ["wrong.pdf", "cancelled.pdf", "outside.pdf"] {
            assert!(!path(absent).exists(), "{absent}");
        }
    }
}

#[test]
fn status_and_tokens_show_what_is_there() {
    let Some(world) = World::ready(Kinds::Softhsm) else { return };
    let (exit, document) = world.json(&["status"]);
    assert_eq!(exit, 0);
    let token = document["tokens"].as_array().unwrap().iter().find(|token| token["label"] == "Sealbridge test").unwrap();
    assert_eq!(token["state"], "ready");
    assert_eq!(token["seals"].as_array().unwrap().len(), 1);
    let text = String::from_utf8(world.run(&["status", "--lang", "zh-CN"]).stdout).unwrap();
    assert!(text.contains("[登录、盖章]") && text.contains("印章：公章"), "{text}");
    assert!(text.contains("颁发者证书：测试 CA"), "{text}");
    let text = String::from_utf8(world.run(&["tokens", "--watch", "--seconds", "1"]).stdout).unwrap();
    assert!(text.contains("Sealbridge test"), "{text}");
}
