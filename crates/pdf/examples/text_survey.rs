//! Compares the text of every PDF of a folder with what `pdftotext -bbox` (poppler) says: one row each, then totals.
//!
//! `cargo run --release -p sealbridge-pdf --example text_survey -- DIR [SECONDS] [-v]`. Of every word of poppler's, the survey looks whether
//! `find_text` finds it (`found`) and whether a hit's box ends within 2 units of poppler's left and right and stands at the same
//! height (`placed`); of the characters, how many both have (`same`). Each file has its own thread and a time limit. A panic or
//! a hang is a row, and makes the exit code 1. With `-v` the words that are not placed are printed.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use sealbridge_pdf::text::{Glyph, find_in, page_text};
use sealbridge_pdf::{Document, Object, OpenOptions, Page, PdfError, Rectangle};
use unicode_normalization::UnicodeNormalization as _;

/// How far a hit may be from poppler's box, in units.
const NEAR: f64 = 2.0;

#[derive(Default, Clone)]
struct Count {
    pages: usize,
    agreeing: usize,
    words: usize,
    found: usize,
    placed: usize,
    characters: usize,
    same: usize,
}

impl Count {
    fn add(&mut self, other: &Count) {
        self.pages += other.pages;
        self.agreeing += other.agreeing;
        self.words += other.words;
        self.found += other.found;
        self.placed += other.placed;
        self.characters += other.characters;
        self.same += other.same;
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let share = |part: usize, whole: usize| if whole == 0 { 100.0 } else { 100.0 * part as f64 / whole as f64 };
        write!(
            f,
            "{}/{} pages\t{} words\tfound {:.1} %\tplaced {:.1} %\tsame {:.1} %",
            self.agreeing,
            self.pages,
            self.words,
            share(self.found, self.words),
            share(self.placed, self.words),
            share(self.same, self.characters)
        )
    }
}

/// A row: pages with usual fonts, pages with Type 3 fonts, words to print.
type Row = Result<(Count, Count, Vec<String>), String>;

fn main() -> std::process::ExitCode {
    let (flags, arguments): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|argument| argument == "-v");
    let mut arguments = arguments.into_iter();
    let Some(folder) = arguments.next() else {
        eprintln!("usage: text_survey DIR [SECONDS] [-v]");
        return std::process::ExitCode::from(2);
    };
    let limit = Duration::from_secs(arguments.next().and_then(|seconds| seconds.parse().ok()).unwrap_or(60));
    let mut files: Vec<PathBuf> = match std::fs::read_dir(&folder) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.extension().is_some_and(|ext| ext == "pdf")).collect(),
        Err(error) => {
            eprintln!("{folder}: {error}");
            return std::process::ExitCode::from(2);
        }
    };
    files.sort();
    let (mut usual, mut type3, mut refused, mut bad) = (Count::default(), Count::default(), 0, 0);
    for path in &files {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let started = Instant::now();
        let row = limited(path.clone(), limit);
        let took = started.elapsed().as_millis();
        match row {
            Ok((plain, odd, words)) => {
                let mut both = plain.clone();
                both.add(&odd);
                println!("{name}\t{both}\t{took} ms");
                if !flags.is_empty() {
                    words.iter().for_each(|word| println!("    {word}"));
                }
                usual.add(&plain);
                type3.add(&odd);
            }
            Err(why) => {
                if why == "HANG" || why == "PANIC" {
                    bad += 1;
                } else {
                    refused += 1;
                }
                println!("{name}\t{why}\t{took} ms");
            }
        }
    }
    println!("pages without Type 3 fonts: {usual}");
    println!("pages with Type 3 fonts: {type3}");
    println!("{} files, {refused} refused by one side, {bad} panics or hangs", files.len());
    if bad > 0 { std::process::ExitCode::FAILURE } else { std::process::ExitCode::SUCCESS }
}

/// Reads in a thread of its own. A hanging one is left behind; the process ends soon.
fn limited(path: PathBuf, limit: Duration) -> Row {
    let (answer, wait) = mpsc::channel();
    let worker = std::thread::spawn(move || {
        let _ = answer.send(row(&path));
    });
    match wait.recv_timeout(limit) {
        Ok(row) => row,
        Err(mpsc::RecvTimeoutError::Timeout) => Err("HANG".to_owned()),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            let _ = worker.join();
            Err("PANIC".to_owned())
        }
    }
}

fn row(path: &Path) -> Row {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let document = Document::open(bytes.as_slice(), OpenOptions::default()).map_err(|error| format!("refused: {error}"))?;
    let count = document.page_count().map_err(|error| format!("refused: {error}"))?;
    // Ours first, in any case: what poppler refuses must not stop us from reading it.
    let ours: Vec<Result<(Page, Vec<Glyph>), PdfError>> = (0..count.min(100)).map(|index| Ok((document.page(index)?, page_text(&document, index)?))).collect();
    let theirs = poppler(path).ok_or("refused by pdftotext")?;
    let (mut usual, mut type3, mut missing) = (Count::default(), Count::default(), Vec::new());
    for (index, (page, words)) in ours.into_iter().zip(&theirs).enumerate() {
        let (page, glyphs) = match page {
            Ok(page) => page,
            Err(error) => {
                missing.push(format!("page {}: {error}", index + 1));
                usual.pages += 1;
                usual.words += words.len();
                continue;
            }
        };
        let into = if has_type3(&document, &page) { &mut type3 } else { &mut usual };
        into.add(&compare(&page, &glyphs, words, &mut missing));
    }
    Ok((usual, type3, missing))
}

fn compare(page: &Page, glyphs: &[Glyph], words: &[Word], missing: &mut Vec<String>) -> Count {
    let mut count = Count { pages: 1, words: words.len(), ..Count::default() };
    for word in words {
        let hits = find_in(glyphs, page.index, &word.text, 10_000).unwrap_or_default();
        let boxes: Vec<Rectangle> = hits.iter().map(|hit| displayed(page, &hit.rect)).collect();
        count.found += usize::from(!hits.is_empty());
        let placed = boxes.iter().any(|rect| near(rect, &word.rect));
        count.placed += usize::from(placed);
        if !placed && missing.len() < 60 {
            let shown = |rect: &Rectangle| format!("{:.1} {:.1} {:.1} {:.1}", rect.left, rect.bottom, rect.right, rect.top);
            missing.push(format!("page {}: {:?} at {}, ours {:?}", page.index + 1, word.text, shown(&word.rect), boxes.first().map(shown)));
        }
    }
    let (ours, theirs) = (characters(glyphs.iter().map(|glyph| glyph.text.as_str())), characters(words.iter().map(|word| word.text.as_str())));
    count.characters = ours.values().sum::<usize>().max(theirs.values().sum());
    count.same = ours.iter().map(|(character, times)| theirs.get(character).copied().unwrap_or(0).min(*times)).sum();
    count.agreeing = usize::from(count.placed * 100 >= count.words * 95);
    count
}

fn near(ours: &Rectangle, theirs: &Rectangle) -> bool {
    let level = |rect: &Rectangle| (rect.bottom + rect.top) / 2.0;
    let middle = |rect: &Rectangle| (rect.left + rect.right) / 2.0;
    let across = (ours.left - theirs.left).abs() <= NEAR
        && (ours.right - theirs.right).abs() <= NEAR
        && (level(ours) - level(theirs)).abs() <= NEAR.max(theirs.height() * 0.25);
    let along = (ours.bottom - theirs.bottom).abs() <= NEAR
        && (ours.top - theirs.top).abs() <= NEAR
        && (middle(ours) - middle(theirs)).abs() <= NEAR.max(theirs.width() * 0.25);
    across || along
}

fn characters<'t>(texts: impl Iterator<Item = &'t str>) -> HashMap<char, usize> {
    let mut counts = HashMap::new();
    for character in texts.flat_map(|text| text.nfkc()).filter(|character| !character.is_whitespace()) {
        *counts.entry(character).or_insert(0) += 1;
    }
    counts
}

/// A box in user space as poppler gives it: from the upper left corner of the crop box as it is displayed.
fn displayed(page: &Page, rect: &Rectangle) -> Rectangle {
    let crop = page.crop_box;
    match page.rotate {
        90 => Rectangle::new(rect.bottom - crop.bottom, rect.left - crop.left, rect.top - crop.bottom, rect.right - crop.left),
        180 => Rectangle::new(crop.right - rect.right, rect.bottom - crop.bottom, crop.right - rect.left, rect.top - crop.bottom),
        270 => Rectangle::new(crop.top - rect.top, crop.right - rect.right, crop.top - rect.bottom, crop.right - rect.left),
        _ => Rectangle::new(rect.left - crop.left, crop.top - rect.top, rect.right - crop.left, crop.top - rect.bottom),
    }
}

fn has_type3(document: &Document<&[u8]>, page: &Page) -> bool {
    let Ok(Object::Dictionary(fonts)) = document.lookup(&page.resources, "Font") else { return false };
    fonts.iter().any(|(_, font)| document.resolve(font).is_ok_and(|font| font.as_dictionary().is_some_and(|font| font.is("Subtype", "Type3"))))
}

struct Word {
    text: String,
    rect: Rectangle,
}

/// Words of each page; `None` where poppler fails or takes longer than half a minute.
fn poppler(path: &Path) -> Option<Vec<Vec<Word>>> {
    let mut child = Command::new("pdftotext")
        .args(["-bbox", "-cropbox", "-q", "-l", "100"])
        .arg(path)
        .arg("-")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut pipe = child.stdout.take()?;
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    });
    let started = Instant::now();
    while child.try_wait().ok()?.is_none() {
        if started.elapsed() > Duration::from_secs(30) {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let text = String::from_utf8_lossy(&reader.join().ok()?).into_owned();
    let mut pages: Vec<Vec<Word>> = Vec::new();
    for line in text.lines().map(str::trim_start) {
        if line.starts_with("<page ") {
            pages.push(Vec::new());
        } else if line.starts_with("<word ")
            && let Some(page) = pages.last_mut()
        {
            page.extend(word(line));
        }
    }
    (!pages.is_empty()).then_some(pages)
}

fn word(line: &str) -> Option<Word> {
    let attribute = |name: &str| -> Option<f64> {
        let at = line.find(name)? + name.len();
        line.get(at..)?.split('"').nth(1)?.parse().ok()
    };
    let rect = Rectangle::new(attribute("xMin")?, attribute("yMin")?, attribute("xMax")?, attribute("yMax")?);
    let text = line.get(line.find('>')? + 1..)?.strip_suffix("</word>")?;
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&");
    (!text.trim().is_empty()).then_some(Word { text, rect })
}
