//! `cargo xtask corpus`: stamps every PDF of a folder with the real program, the embedded token and a test seal, and asks our
//! verifier, pdfsig, pyHanko, qpdf and Poppler's renderer about each result. A file may be refused with its typed reason; a crash, a
//! hang, a success that left nothing, or a stamp that a judge refuses makes the run fail. It never changes the files it is given.

mod earlier;
mod judges;
pub(crate) mod process;
mod row;
mod seen;
pub(crate) mod world;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use self::earlier::Kept;
pub(crate) use self::judges::short;
use self::judges::{Opinion, Pair, PyHanko};
use self::row::{Fate, Row, Totals};
use self::seen::Place;
use self::world::World;
use crate::steps::{Failure, failed};
use crate::tree;

/// Options of `cargo xtask corpus`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Every file below it that ends in .pdf is stamped.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// One JSON line per file on standard output; totals go to standard error.
    #[arg(long)]
    json: bool,
    /// How many files at a time; all cores where left out.
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Seconds that stamping, and each judge, may take for one file.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    limit: u64,
    /// Passwords: lines of file name, tab, password.
    #[arg(long, value_name = "FILE")]
    passwords: Option<PathBuf>,
    /// Where stamped files, trust.pem and rows.jsonl are left; target/corpus where left out.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// `cargo xtask corpus`.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let folder = options.folder.canonicalize().map_err(|error| Failure(format!("{}: {error}", options.folder.display())))?;
    let out = options.out.clone().unwrap_or_else(|| tree::target().join("corpus"));
    fs::create_dir_all(&out)?;
    let out = out.canonicalize()?;
    let files = pdfs_below(&folder)?;
    if files.is_empty() {
        return failed(format!("there is no PDF below {}", folder.display()));
    }
    let jobs = options.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(2, Into::into)).clamp(1, files.len());
    let world = World::build(&out.join("world"), jobs)?;
    fs::copy(&world.trust, out.join("trust.pem"))?;
    let run = Run {
        passwords: options.passwords.as_deref().map(read_passwords).transpose()?.unwrap_or_default(),
        limit: Duration::from_secs(options.limit.max(1)),
        tools: Tools::look(),
        folder,
        out,
        world,
    };
    run.tools.tell();
    let next = AtomicUsize::new(0);
    let rows: Mutex<Vec<Row>> = Mutex::new(Vec::new());
    let work = |job: usize| -> Result<(), Failure> {
        let mut pyhanko = PyHanko::start(&run.out, &run.world.trust, run.limit)?;
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let row = run.file(job, file, pyhanko.as_mut())?;
            // One line at a time, whole; a broken pipe of whoever reads is the end of the run.
            let mut rows = rows.lock().map_err(|_| Failure("another job ended badly".into()))?;
            if options.json {
                println!("{}", row.json())
            } else {
                println!("{}", row.text())
            }
            rows.push(row);
        }
        Ok(())
    };
    let ended: Vec<Result<(), Failure>> = std::thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = (0..jobs).map(|job| scope.spawn(move || work(job))).collect();
        running.into_iter().map(|job| job.join().unwrap_or_else(|_| failed("a job ended badly"))).collect()
    });
    ended.into_iter().collect::<Result<Vec<()>, Failure>>()?;
    let mut rows = rows.into_inner().map_err(|_| Failure("a job ended badly".into()))?;
    rows.sort_by(|one, other| one.file.cmp(&other.file));
    fs::write(run.out.join("rows.jsonl"), rows.iter().map(|row| row.json() + "\n").collect::<String>())?;
    let totals = Totals::of(&rows);
    for line in totals.lines() {
        if options.json { eprintln!("{line}") } else { println!("{line}") }
    }
    if totals.clean() { Ok(()) } else { failed("the corpus is not clean: see the totals above") }
}

/// Which judges there are.
#[derive(Debug, Clone, Copy)]
struct Tools {
    pdfsig: bool,
    qpdf: bool,
    draw: bool,
}

impl Tools {
    fn look() -> Self {
        let has = |name| tree::on_path(&[name]).is_some();
        Self { pdfsig: has("pdfsig"), qpdf: has("qpdf"), draw: has("pdftoppm") && has("pdfinfo") }
    }

    fn tell(self) {
        for (name, there) in [("pdfsig", self.pdfsig), ("qpdf", self.qpdf), ("pdftoppm and pdfinfo", self.draw)] {
            if !there {
                eprintln!("{name}: not installed, SKIPPED");
            }
        }
    }
}

struct Run {
    folder: PathBuf,
    out: PathBuf,
    world: World,
    passwords: BTreeMap<String, String>,
    limit: Duration,
    tools: Tools,
}

impl Run {
    /// Stamps one file and asks everybody.
    fn file(&self, job: usize, file: &Path, mut pyhanko: Option<&mut PyHanko>) -> Result<Row, Failure> {
        let name = file.strip_prefix(&self.folder).unwrap_or(file).to_path_buf();
        let password = self.passwords.get(&*file.file_name().unwrap_or_default().to_string_lossy()).map(String::as_str);
        let password_file = self.out.join("world").join(format!("password-{job}"));
        if let Some(password) = password {
            fs::write(&password_file, format!("{password}\n"))?;
        }
        let stamped = self.out.join("stamped").join(&name);
        if let Some(parent) = stamped.parent() {
            fs::create_dir_all(parent)?;
        }
        let pair = Pair { original: file, stamped: &stamped, password, password_file: password.map(|_| password_file.as_path()), limit: self.limit };
        let mut row = Row::new(name);
        let place = if self.tools.draw { seen::place(file, password, self.limit) } else { None };
        let Some(place) = self.stamp(job, &pair, place, &mut row)? else { return Ok(row) };
        row.check_prefix(file, &stamped)?;
        row.ours = Some(judges::ours(&self.world, job, &pair)?);
        row.pdfsig = Some(if self.tools.pdfsig { judges::pdfsig(&pair)? } else { Opinion::Skipped });
        row.pyhanko = Some(match pyhanko.as_deref_mut() {
            Some(worker) => worker.judge(&pair)?,
            None => Opinion::Skipped,
        });
        row.qpdf = if self.tools.qpdf { judges::qpdf(&pair)?.map_or("cannot-read", |new| row.qpdf_says(new)) } else { "SKIPPED" };
        row.seen = if self.tools.draw { seen::look(file, &stamped, place, password, self.limit).as_str() } else { "SKIPPED" };
        if earlier::has_signatures(file)? {
            row.earlier.push(("ours", earlier::ours(&self.world, job, &pair)?));
            row.earlier.push(("pdfsig", if self.tools.pdfsig { earlier::pdfsig(&pair)? } else { Kept::Skipped }));
            row.earlier.push(("pyhanko", pyhanko.map_or(Ok(Kept::Skipped), |worker| earlier::pyhanko(worker, &pair))?));
        }
        row.settle();
        Ok(row)
    }

    /// Stamps at `place`, or at smaller and smaller places where it is not known; notes how it ended. Returns the place where it was stamped.
    fn stamp(&self, job: usize, pair: &Pair<'_>, place: Option<Place>, row: &mut Row) -> Result<Option<Place>, Failure> {
        let blind = Place::blind();
        for place in place.into_iter().chain(blind) {
            if pair.stamped.exists() {
                fs::remove_file(pair.stamped)?;
            }
            let mut command = self.world.stamp(job, pair.password_file);
            command.args(["--page", "1", "--at", &place.corner(), "--width", &format!("{:.4}", place.width), "--out"]);
            let ran = process::run(command.arg(pair.stamped).arg(pair.original), &self.world.input(), self.limit)?;
            row.ms = ran.ms;
            let said: Value = serde_json::from_slice(&ran.out).unwrap_or_default();
            let failure = &said["failure"];
            row.code = failure["code"].as_str().map(ToOwned::to_owned);
            row.words =
                short(&failure["what"].as_str().map_or_else(|| String::from_utf8_lossy(&ran.err).into_owned(), |what| format!("{what} {}", failure["facts"])));
            row.fate = match (ran.status, row.code.as_deref()) {
                (None, _) => Fate::TimedOut,
                (Some(status), _) if status.success() => Fate::Stamped,
                (Some(status), _) if status.code().is_none() => Fate::Crashed,
                // Codes that say nothing about the document: a fault of ours or of this computer.
                (Some(_), None | Some("internal")) => Fate::Crashed,
                (Some(status), _) if matches!(status.code(), Some(3 | 5)) => Fate::Crashed,
                _ => Fate::Refused,
            };
            if row.code.as_deref() == Some("placement-outside") {
                continue;
            }
            return Ok((row.fate == Fate::Stamped).then_some(place));
        }
        Ok(None)
    }
}

/// Files that end in .pdf, in any case of letters, sorted.
pub(crate) fn pdfs_below(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| Failure(format!("{}: {error}", folder.display())))? {
            let entry = entry?;
            let path = entry.path();
            // Symbolic links are followed to files only: links to folders can make circles.
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("pdf")) && path.is_file() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn read_passwords(file: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let text = fs::read_to_string(file).map_err(|error| Failure(format!("{}: {error}", file.display())))?;
    Ok(text.lines().filter_map(|line| line.split_once('\t')).map(|(name, password)| (name.to_owned(), password.to_owned())).collect())
}
