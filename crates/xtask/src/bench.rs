//! `cargo xtask bench`: takes the figures that the README and the design speak of. Every figure is a ratio within one run; contenders
//! take turns, and the least of their runs counts, because a loaded machine only ever adds. It judges nothing and fails on no figure.

mod measure;
mod plot;
mod verify;

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;

use self::measure::{Figure, measured};
use crate::corpus::process;
use crate::corpus::world::World;
use crate::steps::{Failure, failed};
use crate::tree;

/// Options of `cargo xtask bench`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// `sealbridge stamp` in place and from file to file, beside `openssl dgst -sha256` of the same file and pyHanko doing the same.
    Stamp(Stamp),
    /// The verification service: logins beside a bare P-256 verification, with its database, documents, memory at a gigabyte.
    Verify(verify::Options),
}

#[derive(Debug, Args)]
struct Stamp {
    /// Sizes of the documents in MB (1,000,000 bytes).
    #[arg(long, value_name = "MB,…", value_delimiter = ',', default_values_t = [1, 10, 100, 500, 1000])]
    sizes: Vec<u64>,
    /// Runs of each contender; the least counts.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: u32,
    /// One JSON line per size and contender instead of a table.
    #[arg(long)]
    json: bool,
    /// Draw time and memory over size into this SVG file.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
}

/// `cargo xtask bench`.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    match &options.what {
        What::Stamp(options) => stamp(options),
        What::Verify(options) => verify::run(options),
    }
}

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

const LIMIT: Duration = Duration::from_secs(600);

fn stamp(options: &Stamp) -> Result<(), Failure> {
    let folder = tree::target().join("bench");
    fs::create_dir_all(&folder)?;
    let world = World::build(&folder.join("world"), 1)?;
    let contenders: Vec<Contender> = Contender::ALL.into_iter().filter(|contender| available(*contender)).collect();
    let key = folder.join("world/pyhanko");
    if contenders.iter().any(|contender| contender.is_pyhanko()) {
        make_key(&key)?;
    }
    let script = folder.join("world/pyhanko_sign.py");
    fs::write(&script, include_str!("bench/pyhanko_sign.py"))?;
    if !measure::has_time() {
        eprintln!("/usr/bin/time: not installed, CPU time and memory SKIPPED");
    }
    let mut rows = Vec::new();
    for megabytes in options.sizes.iter().copied().filter(|megabytes| (1..=8000).contains(megabytes)) {
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
        fs::write(file, plot::svg(&rows))?;
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

/// A document of this size: pages with pictures that cannot be compressed, one classic cross-reference table. Made once.
fn document(folder: &Path, megabytes: u64) -> Result<PathBuf, Failure> {
    let file = folder.join(format!("{megabytes}.pdf"));
    let wanted = megabytes.saturating_mul(1_000_000);
    if fs::metadata(&file).is_ok_and(|metadata| metadata.len() >= wanted) {
        return Ok(file);
    }
    // 800 × 400 points of three bytes: just under a megabyte each.
    const PICTURE: usize = 800 * 400 * 3;
    let pictures = wanted.div_ceil(PICTURE as u64);
    let half = file.with_extension("part");
    let mut out = Counted { file: BufWriter::new(File::create(&half)?), at: 0, objects: Vec::new() };
    out.write(b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n")?;
    out.object(b"<< /Type /Catalog /Pages 2 0 R >>")?;
    let kids: Vec<String> = (0..pictures).map(|index| format!("{} 0 R", 3 + index * 3)).collect();
    out.object(format!("<< /Type /Pages /Kids [{}] /Count {pictures} >>", kids.join(" ")).as_bytes())?;
    let mut noise = vec![0_u8; PICTURE];
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for index in 0..pictures {
        let page = 3 + index * 3;
        let resources = format!("<< /XObject << /Picture {} 0 R >> >>", page + 2);
        out.object(format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {} 0 R /Resources {resources} >>", page + 1).as_bytes())?;
        let content = "q 500 0 0 250 48 400 cm /Picture Do Q";
        out.object(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()).as_bytes())?;
        for part in noise.chunks_mut(8) {
            // Xorshift: the same document on every machine.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            part.copy_from_slice(state.to_le_bytes().get(..part.len()).unwrap_or_default());
        }
        let picture =
            format!("<< /Type /XObject /Subtype /Image /Width 800 /Height 400 /ColorSpace /DeviceRGB /BitsPerComponent 8 /Length {PICTURE} >>\nstream\n");
        out.object(&[picture.as_bytes(), &noise, b"\nendstream"].concat())?;
    }
    out.close()?;
    fs::rename(half, &file)?;
    Ok(file)
}

/// A file that knows where its objects begin.
struct Counted {
    file: BufWriter<File>,
    at: u64,
    objects: Vec<u64>,
}

impl Counted {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes)?;
        self.at = self.at.saturating_add(bytes.len() as u64);
        Ok(())
    }

    fn object(&mut self, body: &[u8]) -> Result<(), Failure> {
        self.objects.push(self.at);
        let number = self.objects.len();
        self.write(format!("{number} 0 obj\n").as_bytes())?;
        self.write(body)?;
        self.write(b"\nendobj\n")
    }

    fn close(mut self) -> Result<(), Failure> {
        let start = self.at;
        let size = self.objects.len() + 1;
        let lines: String = self.objects.iter().map(|at| format!("{at:010} 00000 n \n")).collect();
        self.write(format!("xref\n0 {size}\n0000000000 65535 f \n{lines}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n").as_bytes())?;
        self.file.flush()?;
        Ok(())
    }
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
