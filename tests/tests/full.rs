//! No room for the file: at the terminal, into a new file and in place, and in the portal's folder of bids. Everybody is
//! told so, nothing half written stays, the original is as it was, and with room again the same step works.

use std::path::Path;
use std::process::Stdio;

use sealbridge_e2e::bidi::{DriveError, Driven, failed};
use sealbridge_e2e::browser::Kind;
use sealbridge_e2e::disk::SmallDisk;
use sealbridge_e2e::supplier::Supplier;
use sealbridge_e2e::world::{World, built};
use serde_json::Value;

use crate::stage::{self, expect, in_both_browsers};

in_both_browsers! {
    portal_without_room_for_the_bid;
}

/// No browser takes part; a browser's name only says where the world's host is registered first.
#[test]
fn stamping_at_the_terminal_on_a_full_disk() {
    stage::play("stamping_at_the_terminal_on_a_full_disk", Kind::Chromium, |_| (), |world, _| terminal(world));
}

fn terminal(world: &World) -> Driven<()> {
    let folder = world.plan.folder.join("small");
    let Some(disk) = SmallDisk::mount(&folder, 4096)? else { return Ok(()) };
    let form = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/reference-portal/assets/bid-form.pdf");
    let original = std::fs::read(form)?;
    std::fs::write(disk.file("bid.pdf"), &original)?;
    let (bid, out) = (folder.join("bid.pdf").display().to_string(), folder.join("out.pdf").display().to_string());
    // No room at all, and room for a part of what is appended.
    for spare in [0, 4] {
        disk.fill_but(spare)?;
        for to in [&["--out", out.as_str()][..], &["--in-place"]] {
            let what = format!("{to:?} with {spare} KiB left");
            let (status, told) = stamp(world, &disk, &bid, to)?;
            expect(&told["failure"]["code"].as_str(), &Some("disk-full"), &what)?;
            if status == 0 || told["failure"]["what"].as_str().is_none_or(str::is_empty) {
                return failed(format!("{what}: status {status}: {told}"));
            }
            expect(&disk.names()?, &vec!["bid.pdf".to_owned()], &what)?;
            if std::fs::read(disk.file("bid.pdf"))? != original {
                return failed(format!("{what}: the original was changed"));
            }
        }
        disk.empty()?;
    }
    for to in [&["--out", out.as_str()][..], &["--in-place"]] {
        let (status, told) = stamp(world, &disk, &bid, to)?;
        expect(&status, &0, &format!("{to:?} with room again: {told}"))?;
    }
    for name in ["bid.pdf", "out.pdf"] {
        let stamped = world.plan.folder.join(name);
        std::fs::copy(disk.file(name), &stamped)?;
        crate::story::judged(world, &stamped)?;
    }
    Ok(())
}

/// The host's answer at the terminal: its status and its JSON.
fn stamp(world: &World, disk: &SmallDisk, file: &str, to: &[&str]) -> Driven<(i32, Value)> {
    let mut command = disk.inside(&built("sealbridge")?);
    command.args(["--json", "stamp", file, "--field", "公章"]).args(to);
    command.env("HOME", &world.home).env_remove("XDG_CONFIG_HOME").env_remove("XDG_STATE_HOME").stdin(Stdio::null());
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = serde_json::from_str(&said)
        .map_err(|error| DriveError(format!("the terminal says no JSON: {error}: {said} {}", String::from_utf8_lossy(&output.stderr))))?;
    Ok((output.status.code().unwrap_or(-1), told))
}

fn portal_without_room_for_the_bid(world: &World, kind: Kind) -> Driven<()> {
    let folder = world.plan.folder.join("bids");
    let Some(disk) = SmallDisk::mount(&folder, 4096)? else { return Ok(()) };
    let portal = world.with_portal(disk.inside(&built("reference-portal")?), &["--documents", &folder.display().to_string()])?;
    let mut supplier = stage::supplier(&portal, kind)?;
    supplier.sign_in()?;
    supplier.bind()?;
    supplier.open_tender()?;
    let stamping = supplier.fill_and_stamp("12.50")?;
    supplier.wait_prepared(&stamping)?;
    disk.fill_but(4)?;
    supplier.press_stamp(&stamping)?;
    supplier.return_to_portal(&stamping)?;
    expect(&supplier.refusal("#bid-status")?, &"storage-failed".to_owned(), "a bid for which the portal has no room")?;
    expect(&disk.names()?, &Vec::new(), "what the refused bid left")?;
    // The stamped document is the person's own and is handed in as it is. First with room for all but its last bytes, so that
    // nothing fails before the last write; then with room.
    let stamped = world.plan.folder.join("stamped.pdf");
    supplier.save_stamped(&stamped)?;
    let pages = std::fs::metadata(&stamped)?.len().div_ceil(4096);
    disk.fill_but((pages - 1) * 4)?;
    hand_in(&mut supplier, &stamped)?;
    expect(&supplier.refusal("#bid-status")?, &"storage-failed".to_owned(), "a bid whose last bytes have no room")?;
    expect(&disk.names()?, &Vec::new(), "what it left")?;
    disk.empty()?;
    hand_in(&mut supplier, &stamped)?;
    let verdict = supplier.verdict()?;
    if !verdict.accepted {
        return failed(format!("{verdict:?}"));
    }
    let kept = disk.names()?;
    match kept.as_slice() {
        [name] if std::fs::read(disk.file(name))? == std::fs::read(&stamped)? => Ok(()),
        _ => failed(format!("the portal keeps {kept:?}")),
    }
}

fn hand_in(supplier: &mut Supplier<'_>, file: &Path) -> Driven<()> {
    supplier.open_tender()?;
    let tab = supplier.tab.clone();
    supplier.browser.choose_files(&tab, "#own-file", &[file])?;
    supplier.wait("!document.querySelector('#upload-own').disabled")?;
    supplier.browser.click(&tab, "#upload-own")
}
