//! Doctor names each broken link.

use std::fs;

use serde_json::Value;

use crate::support::{Kinds, NONCE, Wanted, World, login};

/// The code at a link, and its mark.
fn row(document: &Value, link: &str) -> (String, Option<String>) {
    let rows = document["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["link"] == link).unwrap_or_else(|| panic!("{link}: {document}"));
    (row["mark"].as_str().unwrap().to_owned(), row["code"].as_str().map(str::to_owned))
}

fn broken(world: &World, more: &[&str], link: &str, code: &str) {
    let (exit, document) = world.json(&[&["doctor"], more].concat());
    assert_eq!(row(&document, link), ("broken".to_owned(), Some(code.to_owned())), "{document}");
    assert_eq!((exit, &document["ok"]), (3, &Value::Bool(false)));
}

#[test]
fn each_broken_link_is_named() {
    let Some(mut world) = World::ready(Kinds::Softhsm) else { return };
    let profile = world.folder.path().join("profile");
    fs::create_dir_all(profile.join("Default")).unwrap();
    let profile_text = profile.display().to_string();
    let named = ["--profile", profile_text.as_str()];

    broken(&world, &named, "extension", "extension-missing");
    let ids = sealbridge::callers::ids().unwrap();
    fs::write(profile.join("Default/Preferences"), format!(r#"{{"extensions":{{"settings":{{"{}":{{"location":4}}}}}}}}"#, ids.chromium[0])).unwrap();
    broken(&world, &named, "registration", "manifest-missing");
    assert_eq!(world.run(&["install", "--dir", &profile_text]).status.code(), Some(0));
    let (exit, document) = world.json(&[&["doctor"], &named[..]].concat());
    assert_eq!((exit, &document["ok"]), (0, &Value::Bool(true)), "{document}");

    let manifest = profile.join("NativeMessagingHosts/org.sealbridge.host.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace(&ids.chromium[0], &"a".repeat(32))).unwrap();
    broken(&world, &named, "registration", "manifest-mismatch");
    fs::write(&manifest, text.replace(crate::support::PROGRAM, "/nowhere/sealbridge")).unwrap();
    broken(&world, &named, "registration", "binary-missing");
    fs::write(&manifest, text).unwrap();

    let config = fs::read_to_string(world.config_file()).unwrap();
    fs::write(world.config_file(), config.replace("libsofthsm2.so", "libnothing.so")).unwrap();
    broken(&world, &named, "module", "module-missing");
    let text = world.folder.path().join("text.so");
    fs::write(&text, "no library").unwrap();
    fs::write(world.config_file(), config.replace(crate::support::SOFTHSM, &text.display().to_string())).unwrap();
    broken(&world, &named, "module", "module-failed");
    fs::write(world.config_file(), config.replace("scripted-pinentry\"", "nothing\"")).unwrap();
    broken(&world, &named, "dialog", "dialog-missing");
    fs::write(world.config_file(), "nonsense = 1").unwrap();
    broken(&world, &named, "configuration", "configuration-malformed");

    fs::write(world.config_file(), &config).unwrap();
    if world.with_faults(&[("FAULT_FUNCTION", "C_GetSlotList"), ("FAULT_KIND", "crash")]).is_some() {
        broken(&world, &named, "module", "module-crashed");
    }
}

#[test]
fn tokens_without_what_is_needed_are_named() {
    let Some(mut world) = World::ready(Kinds::Softhsm) else { return };
    // CKR_TOKEN_NOT_PRESENT: the reader is there, and no key in it.
    if world.with_faults(&[("FAULT_FUNCTION", "C_GetTokenInfo"), ("FAULT_KIND", "rv:224")]).is_some() {
        broken(&world, &[], "token", "token-missing");
    }
    let Some(world) = World::new(Kinds::Softhsm) else { return };
    broken(&world, &[], "token", "token-uninitialised");
    world.token("T", &[]);
    broken(&world, &[], "certificate", "certificate-missing");
    let Some(world) = World::new(Kinds::Softhsm) else { return };
    world.token("T", &[Wanted { until: -1, from: -9, ..Wanted::good() }]);
    broken(&world, &[], "certificate", "certificate-expired");
    let Some(world) = World::new(Kinds::Softhsm) else { return };
    world.token("T", &[Wanted::good()]);
    broken(&world, &[], "seal", "seal-missing");
}

#[test]
fn a_locked_token_is_named() {
    let Some(world) = World::ready(Kinds::Soft) else { return };
    world.answers(&["Wrong-0000"]);
    let mut door = world.door();
    for _ in 0..10 {
        door.ask(login(NONCE)).unwrap_err();
    }
    broken(&world, &[], "token", "pin-locked");
}

#[test]
fn the_text_for_the_support_holds_no_personal_data() {
    let Some(world) = World::ready(Kinds::Softhsm) else { return };
    let text = String::from_utf8(world.run(&["doctor", "--text"]).stdout).unwrap();
    assert!(text.contains("✓ token"), "{text}");
    for personal in [crate::support::ORGANISATION, crate::support::CREDIT_CODE, "Sealbridge test", &world.folder.path().display().to_string()] {
        assert!(!text.contains(personal), "{text}");
    }
}
