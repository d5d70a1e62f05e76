//! `sealbridge stamp` on the terminal, in place and from file to file, beside `openssl dgst -sha256` of the same file and pyHanko doing
//! the same: wall and CPU time, peak memory.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use super::Stamp;
use super::document::document;
use super::measure::{self, Figure, measured};
use super::plot::{self, Panel, Series};
use crate::corpus::process;
use crate::corpus::world::World;
use crate::steps::{Failure, failed};
use crate::tree;

/// Who does what, in the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contender {
    /// One pass of SHA-256 over the document, which nobody who signs it can do without.
    Openssl,
    OursInPlace,
    OursFile,
    PyHankoInPlace,
    PyHankoFile,
}

impl Contender {
    const ALL: [Self; 5] = [Self::Openssl, Self::OursInPlace, Self::OursFile, Self::PyHankoInPlace, Self::PyHankoFile];

    fn name(self) -> &'static str {
        match self {
            Self::Openssl => "openssl dgst -sha256",
            Self::OursInPlace => "sealbridge in place",
            Self::OursFile => "sealbridge file to file",
            Self::PyHankoInPlace => "pyHanko in place",
            Self::PyHankoFile => "pyHanko file to file",
        }
    }

    fn colour(self) -> &'static str {
        match self {
            Self::Openssl => "#888888",
            Self::OursInPlace => "#c1121f",
            Self::OursFile => "#f4845f",
            Self::PyHankoInPlace => "#1d4e89",
            Self::PyHankoFile => "#7fb2dd",
        }
    }

    fn is_pyhanko(self) -> bool {
        matches!(self, Self::PyHankoInPlace | Self::PyHankoFile)
    }
}

/// One contender at one size.
#[derive(Debug)]
struct Row {
    megabytes: u64,
    contender: Contender,
    figures: Vec<Figure>,
}

impl Row {
    fn wall(&self) -> f64 {
        self.figures.iter().map(|figure| figure.wall).fold(f64::INFINITY, f64::min)
    }

    fn cpu(&self) -> Option<f64> {
        self.figures.iter().filter_map(|figure| figure.cpu).reduce(f64::min)
    }

    fn peak_mb(&self) -> Option<f64> {
        self.figures.iter().filter_map(|figure| figure.peak_kib).max().map(|kib| kib as f64 * 1024.0 / 1e6)
    }
}

/// Sizes in MB where none are named.
const SIZES: [u64; 5] = [1, 10, 100, 500, 1000];
const LIMIT: Duration = Duration::from_secs(600);

/// `cargo xtask bench stamp` on the terminal.
pub(super) fn run(options: &Stamp) -> Result<(), Failure> {
    let folder = tree::target().join("bench");
    fs::create_dir_all(&folder)?;
    let world = World::build(&folder.join("world"), 1)?;
    let contenders: Vec<Contender> = Contender::ALL.into_iter().filter(|contender| available(*contender)).collect();
    let key = folder.join("world/pyhanko");
    if contenders.iter().any(|contender| contender.is_pyhanko()) {
        make_key(&key)?;
    }
    let script = folder.join("world/pyhanko_sign.py");
    fs::write(&script, include_str!("pyhanko_sign.py"))?;
    if !measure::has_time() {
        eprintln!("/usr/bin/time: not installed, CPU time and memory SKIPPED");
    }
    let mut rows = Vec::new();
    for megabytes in options.sizes(&SIZES) {
        let bench = Bench {
            document: document(&folder, megabytes)?,
            work: folder.join("in-place.pdf"),
            out: folder.join("out.pdf"),
            world: &world,
            script: &script,
            key: &key,
        };
        fs::copy(&bench.document, &bench.work)?;
        settle();
        let mut of_size: Vec<Row> = contenders.iter().map(|contender| Row { megabytes, contender: *contender, figures: Vec::new() }).collect();
        for _ in 0..options.runs {
            for row in &mut of_size {
                row.figures.push(bench.run(row.contender)?);
            }
        }
        tell(&of_size, options.json);
        rows.extend(of_size);
        for file in [&bench.work, &bench.out] {
            let _ = fs::remove_file(file);
        }
    }
    if let Some(file) = &options.plot {
        fs::write(file, plot::svg(&panels(&rows)))?;
    }
    Ok(())
}

fn available(contender: Contender) -> bool {
    let there = match contender {
        Contender::Openssl => tree::on_path(&["openssl"]).is_some(),
        Contender::OursInPlace | Contender::OursFile => true,
        Contender::PyHankoInPlace | Contender::PyHankoFile => {
            Command::new("python3").args(["-c", "import pyhanko.sign.signers"]).output().is_ok_and(|output| output.status.success())
        }
    };
    if !there {
        eprintln!("{}: not installed, SKIPPED", contender.name());
    }
    there
}

struct Bench<'a> {
    document: PathBuf,
    /// A copy, cut back to the document's length before each run in place.
    work: PathBuf,
    out: PathBuf,
    world: &'a World,
    script: &'a Path,
    key: &'a Path,
}

impl Bench<'_> {
    fn run(&self, contender: Contender) -> Result<Figure, Failure> {
        let length = fs::metadata(&self.document)?.len();
        OpenOptions::new().write(true).open(&self.work)?.set_len(length)?;
        if self.out.exists() {
            fs::remove_file(&self.out)?;
        }
        settle();
        let mut input = Vec::new();
        let (command, result) = match contender {
            Contender::Openssl => {
                let mut command = Command::new("openssl");
                command.args(["dgst", "-sha256"]).arg(&self.document);
                (command, None)
            }
            Contender::OursInPlace | Contender::OursFile => {
                input = self.world.input();
                let mut command = self.world.stamp(0, None);
                command.args(["--page", "1", "--at", "20,20"]);
                if contender == Contender::OursInPlace {
                    command.arg("--in-place").arg(&self.work);
                    (command, Some(&self.work))
                } else {
                    command.arg("--out").arg(&self.out).arg(&self.document);
                    (command, Some(&self.out))
                }
            }
            Contender::PyHankoInPlace | Contender::PyHankoFile => {
                let mut command = Command::new("python3");
                command.arg(self.script).arg(self.key);
                if contender == Contender::PyHankoInPlace {
                    command.arg(&self.work);
                    (command, Some(&self.work))
                } else {
                    command.arg(&self.document).arg(&self.out);
                    (command, Some(&self.out))
                }
            }
        };
        let (ran, figure) = measured(&command, &input, LIMIT)?;
        if !ran.success() {
            return failed(format!("{} did not succeed: {}", contender.name(), ran.said()));
        }
        if let Some(result) = result
            && fs::metadata(result)?.len() <= length
        {
            return failed(format!("{} left nothing", contender.name()));
        }
        Ok(figure)
    }
}

/// What earlier writing left for the disk is not part of the next figure.
fn settle() {
    let _ = Command::new("sync").status();
}

/// A P-256 key and a self-signed test certificate for pyHanko: both sides sign with ECDSA over SHA-256.
fn make_key(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder)?;
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650", "-subj", "/CN=Test key of a benchmark"]);
    command.args(["-addext", "keyUsage=digitalSignature,nonRepudiation"]);
    let ran = process::run(command.arg("-keyout").arg(folder.join("key.pem")).arg("-out").arg(folder.join("certificate.pem")), b"", LIMIT)?;
    if ran.success() { Ok(()) } else { failed(format!("openssl made no key: {}", ran.said())) }
}

/// One size's lines.
fn tell(rows: &[Row], as_json: bool) {
    let least = |contender| rows.iter().find(|row| row.contender == contender).map(Row::wall);
    let openssl = least(Contender::Openssl);
    let rounded = |value: f64| (value * 1000.0).round() / 1000.0;
    for row in rows {
        let rival = match row.contender {
            Contender::OursInPlace => least(Contender::PyHankoInPlace),
            Contender::OursFile => least(Contender::PyHankoFile),
            _ => None,
        };
        let to_openssl = openssl.map(|openssl| row.wall() / openssl);
        let to_rival = rival.map(|rival| row.wall() / rival);
        if as_json {
            let line = json!({
                "megabytes": row.megabytes,
                "what": row.contender.name(),
                "runs": row.figures.len(),
                "wallSeconds": rounded(row.wall()),
                "cpuSeconds": row.cpu().map(rounded),
                "peakMegabytes": row.peak_mb().map(rounded),
                "toOpenssl": to_openssl.map(rounded),
                "toPyHanko": to_rival.map(rounded),
            });
            println!("{line}");
        } else {
            let figure = |value: Option<f64>, unit: &str| value.map_or_else(|| String::from("-"), |value| format!("{value:.2}{unit}"));
            println!(
                "{:>5} MB  {:<24} {:>8} s wall {:>10} CPU {:>10} peak  {:>7} openssl {:>7} pyHanko",
                row.megabytes,
                row.contender.name(),
                format!("{:.3}", row.wall()),
                figure(row.cpu(), " s"),
                figure(row.peak_mb(), " MB"),
                figure(to_openssl, " ×"),
                figure(to_rival, " ×"),
            );
        }
    }
}

/// Time and memory over size.
fn panels(rows: &[Row]) -> [Panel; 2] {
    let series = |value: fn(&Row) -> Option<f64>| {
        let of = |contender: Contender| Series {
            name: contender.name(),
            colour: contender.colour(),
            points: rows.iter().filter(|row| row.contender == contender).filter_map(|row| Some((row.megabytes as f64, value(row)?))).collect(),
        };
        Contender::ALL.map(of).into()
    };
    [
        Panel { title: "盖章用时 Time to stamp", unit: "s", series: series(|row| Some(row.wall())) },
        Panel { title: "内存峰值 Peak memory", unit: "MB", series: series(Row::peak_mb) },
    ]
}
