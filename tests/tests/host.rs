//! What is wrong between browser and host: a host from yesterday, a manifest that lists somebody else, a program that is no
//! longer where the manifest says. Each gets its own name, and nobody is asked for a PIN.

use std::path::PathBuf;

use sealbridge_e2e::bidi::{DriveError, Driven, failed};
use sealbridge_e2e::browser::{Kind, profile_folder};
use sealbridge_e2e::supplier::Supplier;
use sealbridge_e2e::world::{World, built};
use serde_json::{Value, json};

use crate::stage::{self, expect, in_both_browsers};

in_both_browsers! {
    host_too_old;
    manifest_lists_another_extension;
    host_binary_is_gone;
}

const LOGIN: &str = "client.login({challenge: 'A'.repeat(43)})";

fn host_too_old(world: &World, kind: Kind) -> Driven<()> {
    let old = built("old-host")?;
    change_manifests(world, |manifest| manifest["path"] = json!(old.display().to_string()))?;
    let mut supplier = stage::supplier(world, kind)?;
    expect(&told_by_the_guide(&mut supplier)?, &"version-too-old".to_owned(), "the guide with an old host")?;
    for call in [LOGIN, "client.bind({account: 'supplier', challenge: 'A'.repeat(43)})"] {
        let seen = supplier.page_call(call)?;
        expect(&seen["code"].as_str(), &Some("version-too-old"), call)?;
        expect(&seen["facts"]["part"].as_str(), &Some("host"), "the part that is too old")?;
    }
    no_pin_was_asked(world)
}

fn manifest_lists_another_extension(world: &World, kind: Kind) -> Driven<()> {
    change_manifests(world, |manifest| {
        for (list, nobody) in [("allowed_origins", "chrome-extension://aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb/"), ("allowed_extensions", "somebody@else.example")] {
            if manifest[list].is_array() {
                manifest[list] = json!([nobody]);
            }
        }
    })?;
    let mut supplier = stage::supplier(world, kind)?;
    let wanted = match kind {
        Kind::Chromium => "host-forbidden",
        // Firefox says the same of a host that is not there and of one that lists others; `sealbridge doctor` tells them apart.
        Kind::Firefox => "host-missing",
    };
    named_and_repaired(world, &mut supplier, wanted)
}

fn host_binary_is_gone(world: &World, kind: Kind) -> Driven<()> {
    change_manifests(world, |manifest| manifest["path"] = json!(world.plan.folder.join("no-such-program").display().to_string()))?;
    let mut supplier = stage::supplier(world, kind)?;
    named_and_repaired(world, &mut supplier, "host-missing")
}

/// The guide and a login name the link that is broken; with a right manifest the same page works again.
fn named_and_repaired(world: &World, supplier: &mut Supplier<'_>, wanted: &str) -> Driven<()> {
    expect(&told_by_the_guide(supplier)?, &wanted.to_owned(), "the guide")?;
    let seen = supplier.page_call(LOGIN)?;
    expect(&seen["code"].as_str(), &Some(wanted), "a login")?;
    no_pin_was_asked(world)?;
    world.register()?;
    let seen = supplier.page_call(LOGIN)?;
    if seen["ok"]["token"].is_string() { Ok(()) } else { failed(format!("after the manifest is right again the login does not work: {seen}")) }
}

/// The code that the portal's guide shows; for those with a text of their own it is the state.
fn told_by_the_guide(supplier: &mut Supplier<'_>) -> Driven<String> {
    let state = supplier.guide()?;
    if state != "other" {
        return Ok(state);
    }
    let code = supplier.wait("document.querySelector('#sealbridge-status').dataset.code")?;
    Ok(code.as_str().unwrap_or_default().to_owned())
}

fn no_pin_was_asked(world: &World) -> Driven<()> {
    if world.pinentry_log()?.contains("GETPIN") { failed("a PIN was asked though there is no way to the host") } else { Ok(()) }
}

fn manifests(world: &World) -> [PathBuf; 2] {
    [
        profile_folder(&world.home, Kind::Chromium).join("NativeMessagingHosts/org.sealbridge.host.json"),
        world.home.join(".mozilla/native-messaging-hosts/org.sealbridge.host.json"),
    ]
}

fn change_manifests(world: &World, change: impl Fn(&mut Value)) -> Driven<()> {
    for file in manifests(world) {
        let mut manifest: Value = serde_json::from_slice(&std::fs::read(&file)?).map_err(|error| DriveError(format!("{}: {error}", file.display())))?;
        let before = manifest.clone();
        change(&mut manifest);
        if manifest == before {
            return failed(format!("{} did not change: {before}", file.display()));
        }
        std::fs::write(&file, manifest.to_string())?;
    }
    Ok(())
}
