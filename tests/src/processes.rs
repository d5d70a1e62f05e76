//! Who runs on this machine, as Linux tells it in `/proc`: a browser's own processes, and the native hosts of one world. It ends and
//! holds nothing but those hosts.

use std::fs;
use std::process::Command;

use crate::bidi::Driven;
use crate::world::World;

/// The process `root` and all that descend from it.
pub fn family(root: u32) -> Vec<u32> {
    let mut family = vec![root];
    let parents = parents();
    // Children come after their parents in age, not in number; so again until nobody is added.
    loop {
        let more: Vec<u32> = parents.iter().filter(|(child, parent)| family.contains(parent) && !family.contains(child)).map(|(child, _)| *child).collect();
        if more.is_empty() {
            return family;
        }
        family.extend(more);
    }
}

/// Whether a process is there; one that has ended and was only not yet asked for its end is not.
pub fn alive(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name stands in parentheses and may hold anything; the state follows the last one.
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

/// Kills the native hosts of this world, with their token workers; returns how many processes there were.
pub fn kill_hosts(world: &World) -> Driven<usize> {
    signal_hosts(world, "KILL")
}

/// Holds the native hosts of this world, with their token workers, as a busy machine would: they neither answer nor end. Returns
/// how many processes there are; [`release_hosts`] lets them go on.
pub fn hold_hosts(world: &World) -> Driven<usize> {
    signal_hosts(world, "STOP")
}

/// Lets held hosts go on; returns how many processes there are.
pub fn release_hosts(world: &World) -> Driven<usize> {
    signal_hosts(world, "CONT")
}

/// They are known by their program and by the world's home in their environment.
fn signal_hosts(world: &World, signal: &str) -> Driven<usize> {
    let home = format!("HOME={}", world.home.display());
    let mut reached = 0;
    for entry in fs::read_dir("/proc")?.flatten() {
        let path = entry.path();
        let is_host = fs::read_link(path.join("exe")).is_ok_and(|exe| exe.file_name().is_some_and(|name| name == "sealbridge"));
        let ours = fs::read(path.join("environ")).is_ok_and(|environ| String::from_utf8_lossy(&environ).split('\0').any(|variable| variable == home));
        if is_host && ours {
            let _ = Command::new("kill").args(["-s", signal]).arg(entry.file_name()).status();
            reached += 1;
        }
    }
    Ok(reached)
}

/// Every process with its parent.
fn parents() -> Vec<(u32, u32)> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    processes
        .flatten()
        .filter_map(|entry| {
            let child = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name stands in parentheses and may hold anything; state and parent follow the last one.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            Some((child, parent))
        })
        .collect()
}
