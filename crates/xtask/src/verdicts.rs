//! `cargo xtask verdicts`: asks our verifier, pyHanko and pdfsig about every signature in the PDFs of some folders, and lists where
//! they disagree. A row per file that somebody finds a signature in. Known attacks must not be accepted, and a disagreement must have
//! its reason in the exceptions file; anything else makes the run fail. Nobody is trusted here: judged are integrity, coverage
//! and what was changed later.

mod judge;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clap::Args;

use self::judge::{Judges, Row};
use crate::build;
use crate::corpus::pdfs_below;
use crate::steps::{Failure, failed, run_loud};
use crate::tree;

/// Options of `cargo xtask verdicts`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Every file below them that ends in .pdf is judged.
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    /// One JSON line per file on standard output; totals go to standard error.
    #[arg(long)]
    json: bool,
    /// How many files at a time; all cores where left out.
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Seconds that each judge may take for one file.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    limit: u64,
    /// What our verifier lets follow a signature.
    #[arg(long, value_name = "nothing|signatures|form-filling", default_value = "signatures")]
    policy: String,
    /// Attacks and explained disagreements: lines of `attack` or `differs`, tab, end of the path, tab, reason.
    #[arg(long, value_name = "FILE")]
    exceptions: Option<PathBuf>,
}

/// What is known about foreign files.
#[derive(Debug, Default)]
struct Known {
    attacks: Vec<String>,
    differs: BTreeMap<String, String>,
}

impl Known {
    fn read(file: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(file).map_err(|error| Failure(format!("{}: {error}", file.display())))?;
        let mut known = Known::default();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let mut parts = line.splitn(3, '\t');
            match (parts.next(), parts.next(), parts.next()) {
                (Some("attack"), Some(path), Some(_)) => known.attacks.push(path.to_owned()),
                (Some("differs"), Some(path), Some(reason)) => {
                    known.differs.insert(path.to_owned(), reason.to_owned());
                }
                _ => {
                    return failed(format!("{}: not `attack` or `differs`, the end of a path, and the reason with tabs between: {line}", file.display()));
                }
            }
        }
        Ok(known)
    }

    fn is_attack(&self, file: &Path) -> bool {
        self.attacks.iter().any(|attack| ends_with(file, attack))
    }

    fn reason(&self, file: &Path) -> Option<&str> {
        self.differs.iter().find(|(end, _)| ends_with(file, end)).map(|(_, reason)| reason.as_str())
    }
}

/// The end of a path; `*` at its end stands for any rest of the name.
fn ends_with(file: &Path, end: &str) -> bool {
    let file = format!("/{}", file.to_string_lossy());
    match end.strip_suffix('*') {
        Some(begin) => file.rfind(&format!("/{begin}")).is_some_and(|at| !file.get(at + 1 + begin.len()..).unwrap_or_default().contains('/')),
        None => file.ends_with(&format!("/{end}")),
    }
}

/// `cargo xtask verdicts`.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let mut files = Vec::new();
    for folder in &options.folders {
        let folder = folder.canonicalize().map_err(|error| Failure(format!("{}: {error}", folder.display())))?;
        files.extend(pdfs_below(&folder)?);
    }
    if files.is_empty() {
        return failed("there is no PDF below these folders");
    }
    let known = Known::read(&options.exceptions.clone().unwrap_or_else(|| tree::root().join("crates/xtask/verdict-exceptions.tsv")))?;
    let mut cargo = build::cargo();
    cargo.args(["build", "--release", "--quiet", "-p", "sealbridge"]);
    run_loud(&mut cargo)?;
    let out = tree::target().join("verdicts");
    fs::create_dir_all(&out)?;
    let jobs = options.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(2, Into::into)).clamp(1, files.len());
    let (next, rows) = (AtomicUsize::new(0), Mutex::new(Vec::<Row>::new()));
    let work = || -> Result<(), Failure> {
        let mut judges = Judges::start(&out, &options.policy, Duration::from_secs(options.limit.max(1)))?;
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let Some(mut row) = judges.file(file)? else { continue };
            row.attack = known.is_attack(file);
            row.reason = known.reason(file).map(ToOwned::to_owned);
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
        let running: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        running.into_iter().map(|job| job.join().unwrap_or_else(|_| failed("a job ended badly"))).collect()
    });
    ended.into_iter().collect::<Result<Vec<()>, Failure>>()?;
    let mut rows = rows.into_inner().map_err(|_| Failure("a job ended badly".into()))?;
    rows.sort_by(|one, other| one.file.cmp(&other.file));
    fs::write(out.join("rows.jsonl"), rows.iter().map(|row| row.json() + "\n").collect::<String>())?;
    let wrong: Vec<&Row> = rows.iter().filter(|row| row.is_wrong()).collect();
    let count = |of: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| of(row)).count();
    let mut lines = vec![
        String::from("────"),
        format!("{} files, {} with a signature, {} signatures", files.len(), rows.len(), rows.iter().map(|row| row.signatures()).sum::<usize>()),
        format!("known attacks: {}, accepted {}", count(&|row| row.attack), count(&|row| row.attack && row.is_accepted())),
        format!("intact and whole for us: {} files", count(&Row::is_accepted)),
        format!(
            "differs from pyHanko: {} files, {} of them explained; pyHanko has no verdict on {}",
            count(&|row| row.differs()),
            count(&|row| row.differs() && row.reason.is_some()),
            count(&Row::is_unjudged)
        ),
    ];
    // A reason that nothing needs any more hides the next difference.
    let needless = known.differs.keys().filter(|end| {
        let mut of = rows.iter().filter(|row| ends_with(&row.file, end)).peekable();
        of.peek().is_some() && of.all(|row| !row.differs() && !row.is_alone())
    });
    lines.extend(needless.map(|end| format!("needless: differs {end}")));
    lines.extend(wrong.iter().map(|row| format!("wrong: {}", row.text())));
    for line in lines {
        if options.json { eprintln!("{line}") } else { println!("{line}") }
    }
    if wrong.is_empty() { Ok(()) } else { failed("an attack was accepted, or a difference has no reason: see the rows above") }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Known, ends_with};

    #[test]
    fn files_are_known_by_the_end_of_their_path() {
        for (end, want) in
            [("c.pdf", true), ("b/c.pdf", true), ("/b/c.pdf", false), ("bb/c.pdf", false), ("b/c*", true), ("b/*", true), ("a/*", false), ("pdf", false)]
        {
            assert_eq!(ends_with(Path::new("/a/b/c.pdf"), end), want, "{end}");
        }
    }

    #[test]
    fn the_exceptions_that_are_shipped_can_be_read() {
        let known = Known::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/verdict-exceptions.tsv"))).unwrap();
        assert!(!known.attacks.is_empty() && known.differs.values().all(|reason| reason.len() > 10));
    }
}
