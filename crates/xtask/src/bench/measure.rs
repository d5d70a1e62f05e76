//! What one run of a program cost: wall time by our own clock, CPU time and peak memory as the system accounts them for the program
//! and the children it waited for (GNU time, which asks wait4). Where GNU time is absent those two are not known.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::corpus::process::{self, Ran};
use crate::steps::Failure;

const TIME: &str = "/usr/bin/time";
const MARK: &str = "sealbridge-bench-cost";

/// What one run cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figure {
    /// Seconds.
    pub(super) wall: f64,
    /// Seconds of user and system time.
    pub(super) cpu: Option<f64>,
    /// Largest resident set of the program or one of its children, KiB.
    pub(super) peak_kib: Option<u64>,
}

/// Whether CPU time and memory can be told.
pub(super) fn has_time() -> bool {
    Path::new(TIME).exists()
}

/// Runs `command` and tells its cost.
pub(super) fn measured(command: &Command, input: &[u8], limit: Duration) -> Result<(Ran, Figure), Failure> {
    let mut timed = if has_time() {
        let mut timed = Command::new(TIME);
        timed.args(["-f", &format!("{MARK} %U %S %M")]).arg(command.get_program());
        timed
    } else {
        Command::new(command.get_program())
    };
    timed.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => timed.env(name, value),
            None => timed.env_remove(name),
        };
    }
    let started = Instant::now();
    let ran = process::run(&mut timed, input, limit)?;
    let wall = started.elapsed().as_secs_f64();
    let (cpu, peak_kib) = read_cost(&String::from_utf8_lossy(&ran.err)).unzip();
    Ok((ran, Figure { wall, cpu, peak_kib }))
}

fn read_cost(said: &str) -> Option<(f64, u64)> {
    let mut words = said.lines().rev().find_map(|line| line.strip_prefix(MARK))?.split_whitespace();
    let user: f64 = words.next()?.parse().ok()?;
    let system: f64 = words.next()?.parse().ok()?;
    Some((user + system, words.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::read_cost;

    #[test]
    fn the_cost_is_the_last_marked_line() {
        let (cpu, peak) = read_cost("a warning\nsealbridge-bench-cost 0.25 0.50 30720\n").unwrap();
        assert!((cpu - 0.75).abs() < 1e-9);
        assert_eq!(peak, 30720);
        assert!(read_cost("nothing").is_none());
    }
}
