//! What is wrong between browser and host: a host from yesterday, a manifest that lists somebody else, or somebody else as
//! well, a program that is no longer where the manifest says. Each gets its own name, and nobody is asked for a PIN.

use std::path::{Path, PathBuf};

use sealbridge_e2e::bidi::{DriveError, Driven, failed};
use sealbridge_e2e::browser::{Browser, Kind, Launch, profile_folder};
use sealbridge_e2e::supplier::Supplier;
use sealbridge_e2e::world::{World, built, target};
use serde_json::{Value, json};

use crate::stage::{self, expect, in_both_browsers};

in_both_browsers! {
    host_too_old;
    manifest_lists_another_extension;
    host_binary_is_gone;
    extension_that_the_host_does_not_know;
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

/// The manifest lets a second extension in, by an administrator's mistake or on purpose: ours in all but its id. The browser
/// starts the host for it, and the host itself refuses.
fn extension_that_the_host_does_not_know(world: &World, kind: Kind) -> Driven<()> {
    let copy = world.plan.folder.join("copy");
    copy_folder(&target().join("extension").join(kind.as_str()), &copy)?;
    let file = copy.join("manifest.json");
    let text = std::fs::read_to_string(&file)?;
    let mut manifest: Value = serde_json::from_str(&text).map_err(|error| DriveError(format!("{}: {error}", file.display())))?;
    match kind {
        Kind::Chromium => manifest["key"] = json!(OTHER_KEY),
        Kind::Firefox => manifest["browser_specific_settings"]["gecko"]["id"] = json!(OTHER_ADDON),
    }
    std::fs::write(&file, manifest.to_string())?;
    change_manifests(world, |manifest| {
        for (list, other) in [("allowed_origins", format!("chrome-extension://{OTHER_ID}/")), ("allowed_extensions", OTHER_ADDON.to_owned())] {
            if let Some(list) = manifest.get_mut(list).and_then(Value::as_array_mut) {
                list.push(json!(other));
            }
        }
    })?;
    {
        let launch = Launch { kind, headless: true, extension: Some(copy), home: world.home.clone(), size: (1280, 900) };
        let mut supplier = Supplier::arrive(world, Browser::launch(&launch)?)?;
        expect(&told_by_the_guide(&mut supplier)?, &"caller-refused".to_owned(), "the guide, of another extension")?;
        for call in [LOGIN, "client.bind({account: 'supplier', challenge: 'A'.repeat(43)})"] {
            let seen = supplier.page_call(call)?;
            expect(&seen["code"].as_str(), &Some("caller-refused"), call)?;
        }
    }
    no_pin_was_asked(world)?;
    // Beside it the extension of the list works with the same manifest.
    std::fs::remove_dir_all(profile_folder(&world.home, kind))?;
    world.register()?;
    let mut supplier = stage::supplier(world, kind)?;
    let seen = supplier.page_call(LOGIN)?;
    if seen["ok"]["token"].is_string() { Ok(()) } else { failed(format!("the extension of the list: {seen}")) }
}

/// Any bytes serve as an unpacked extension's key; the id is the first half of their SHA-256 in the letters a to p.
const OTHER_KEY: &str = "YSBjb3B5IG9mIHRoZSBleHRlbnNpb24gdW5kZXIgYW5vdGhlciBpZA==";
const OTHER_ID: &str = "hpghdlekcpnlegbpmpekmdeanomnlead";
const OTHER_ADDON: &str = "copy@somebody.example";

fn copy_folder(from: &Path, to: &Path) -> Driven<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)?.collect::<Result<Vec<_>, _>>()? {
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
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
