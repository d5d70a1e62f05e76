//! Stamping in a browser: from the moment a document reaches the stamping page until the stamped one is there, beside one bare hash of
//! the same file by the same module in the same extension; and the memory of the extension's process.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;

use serde_json::{Value, json};

use super::Stamp;
use super::document::document;
use super::driven::{self, Line};
use super::figures::{Moments, between, click, cold, least, rounded, window};
use super::plot::{self, Panel, Series};
use crate::browser::Browser;
use crate::steps::Failure;
use crate::tree;

/// Sizes in MB where none are named.
const SIZES: [u64; 4] = [1, 256, 500, 1000];
/// The size that the memory of larger ones is compared with, MB.
const MEMORY_BASE: u64 = 256;

/// `cargo xtask bench stamp --browser`.
pub(super) fn run(browser: Browser, options: &Stamp) -> Result<(), Failure> {
    driven::ready(browser, options.no_build)?;
    let folder = tree::target().join("bench");
    fs::create_dir_all(&folder)?;
    let mut arguments: Vec<OsString> = vec!["--runs".into(), options.runs.to_string().into()];
    let mut sizes = Vec::new();
    for megabytes in options.sizes(&SIZES) {
        let file = document(&folder, megabytes)?;
        sizes.push(Size { megabytes, bytes: fs::metadata(&file)?.len(), ..Size::default() });
        arguments.push(file.into());
    }
    driven::measure(browser, "stamp", &arguments, &mut |line| {
        eprintln!("{}", told(&line));
        take(&mut sizes, line);
    })?;
    for row in figures(&sizes) {
        if options.json { println!("{}", row.json(browser)) } else { print!("{}", row.table()) }
    }
    if let Some(file) = &options.plot {
        fs::write(file, plot::svg(&panels(&figures(&sizes))))?;
    }
    Ok(())
}

/// Everything that was measured with one document.
#[derive(Debug, Default)]
struct Size {
    megabytes: u64,
    bytes: u64,
    hashes: Vec<f64>,
    stamps: Vec<Moments>,
    peak: Option<u64>,
    wasm: Option<u64>,
}

fn take(sizes: &mut [Size], line: Line) {
    let mut of = |bytes: u64, put: &mut dyn FnMut(&mut Size)| sizes.iter_mut().filter(|size| size.bytes == bytes).for_each(put);
    match line {
        Line::Memory { bytes, peak_bytes, wasm_bytes } => of(bytes, &mut |size| (size.peak, size.wasm) = (peak_bytes, Some(wasm_bytes))),
        Line::Hash { bytes, ms } => of(bytes, &mut |size| size.hashes.push(ms)),
        Line::Stamp { bytes, moments } => of(bytes, &mut |size| size.stamps.push(moments.clone())),
        Line::Login { .. } => {}
    }
}

/// How far it has come, for whoever watches.
fn told(line: &Line) -> String {
    match line {
        Line::Memory { bytes, .. } => format!("  {} MB watched", bytes / 1_000_000),
        Line::Hash { bytes, ms } => format!("  {} MB hashed in {ms:.0} ms", bytes / 1_000_000),
        Line::Stamp { bytes, moments } => format!("  {} MB stamped in {:.0} ms", bytes / 1_000_000, cold(moments).unwrap_or(f64::NAN)),
        Line::Login { start, .. } => format!("  {start}"),
    }
}

/// The figures of one size. Times in milliseconds, memory in MB.
#[derive(Debug, PartialEq)]
struct Row {
    megabytes: u64,
    runs: usize,
    hash: Option<f64>,
    cold: Option<f64>,
    click: Option<f64>,
    /// What of the click passed while the PIN window was up.
    window: Option<f64>,
    /// From the portal page's call to the document's arrival: a tab opens. No part of the above.
    arrival: Option<f64>,
    peak: Option<f64>,
    wasm: Option<f64>,
    /// The moments of the stamp that counts.
    moments: Moments,
    /// The click, by the one with the smallest document.
    click_to_smallest: Option<f64>,
    /// The peak, by the one with 256 MB.
    peak_to_base: Option<f64>,
}

fn figures(sizes: &[Size]) -> Vec<Row> {
    let clicks = |size: &Size| least(size.stamps.iter().filter_map(click));
    let smallest = sizes.first().and_then(clicks);
    let base = sizes.iter().find(|size| size.megabytes == MEMORY_BASE).and_then(|size| size.peak);
    let mb = |bytes: u64| bytes as f64 / 1e6;
    let row = |size: &Size| {
        let cold_of = |moments: &&Moments| cold(moments).unwrap_or(f64::INFINITY);
        let best = size.stamps.iter().min_by(|one, other| cold_of(one).total_cmp(&cold_of(other)));
        Row {
            megabytes: size.megabytes,
            runs: size.stamps.len(),
            hash: least(size.hashes.iter().copied()),
            cold: best.and_then(cold),
            click: clicks(size),
            window: least(size.stamps.iter().filter_map(window)),
            arrival: least(size.stamps.iter().filter_map(|moments| between(moments, "called", "document"))),
            peak: size.peak.map(mb),
            wasm: size.wasm.map(mb),
            moments: best.cloned().unwrap_or_default(),
            click_to_smallest: clicks(size).zip(smallest).map(|(one, other)| one / other),
            peak_to_base: size.peak.zip(base).map(|(one, other)| one as f64 / other as f64),
        }
    };
    sizes.iter().map(row).collect()
}

/// What is shown of a stamp: moments after the document's arrival, and after the press. Hashing goes on beside the rest.
const AFTER_ARRIVAL: [&str; 5] = ["opened", "prepared", "drawn", "hashed", "ready"];
const AFTER_PRESS: [&str; 4] = ["pin", "signing", "signed", "stamped"];

impl Row {
    fn cold_to_hash(&self) -> Option<f64> {
        self.cold.zip(self.hash).map(|(cold, hash)| cold / hash)
    }

    /// Each of these moments after `from`.
    fn after(&self, from: &str, names: &[&'static str]) -> BTreeMap<&'static str, f64> {
        names.iter().filter_map(|name| Some((*name, rounded(between(&self.moments, from, name)?)))).collect()
    }

    fn table(&self) -> String {
        let ms = |value: Option<f64>| value.map_or_else(|| String::from("-"), |value| format!("{value:.1} ms"));
        let mb = |value: Option<f64>| value.map_or_else(|| String::from("-"), |value| format!("{value:.1} MB"));
        let by = |value: Option<f64>, what: &str| value.map_or_else(String::new, |value| format!("{value:.2} × {what}"));
        let after = |from: &str, names: &[&'static str]| {
            let after = self.after(from, names);
            let shown: Vec<String> = names.iter().filter_map(|name| Some(format!("{name} {:.0}", after.get(name)?))).collect();
            shown.join(", ")
        };
        let line = |what: &str, value: String, ratio: String, more: &str| {
            format!("{:>5} MB  {what:<26} {value:>12}  {ratio:<18}  {more}", self.megabytes).trim_end().to_owned() + "\n"
        };
        [
            line("bare hash", ms(self.hash), String::new(), ""),
            line("Blob to Blob, cold", ms(self.cold), by(self.cold_to_hash(), "bare hash"), &after("document", &AFTER_ARRIVAL)),
            line("click to stamped", ms(self.click), by(self.click_to_smallest, "smallest"), &after("pressed", &AFTER_PRESS)),
            line("page's call to arrival", ms(self.arrival), String::new(), ""),
            line("extension's process, peak", mb(self.peak), by(self.peak_to_base, &format!("{MEMORY_BASE} MB")), ""),
            line("wasm memory", mb(self.wasm), String::new(), ""),
        ]
        .concat()
    }

    fn json(&self, browser: Browser) -> Value {
        let number = |value: Option<f64>| value.map(rounded);
        json!({
            "what": "stamp",
            "browser": browser.as_str(),
            "megabytes": self.megabytes,
            "runs": self.runs,
            "hashMs": number(self.hash),
            "coldMs": number(self.cold),
            "coldToHash": number(self.cold_to_hash()),
            "clickMs": number(self.click),
            "clickToSmallest": number(self.click_to_smallest),
            "windowMs": number(self.window),
            "arrivalMs": number(self.arrival),
            "peakMegabytes": number(self.peak),
            "peakTo256": number(self.peak_to_base),
            "wasmMegabytes": number(self.wasm),
            "afterArrivalMs": self.after("document", &AFTER_ARRIVAL),
            "afterPressMs": self.after("pressed", &AFTER_PRESS),
        })
    }
}

/// Time and memory over size.
fn panels(rows: &[Row]) -> [Panel; 2] {
    let series = |name, colour, value: fn(&Row) -> Option<f64>| Series {
        name,
        colour,
        points: rows.iter().filter_map(|row| Some((row.megabytes as f64, value(row)?))).collect(),
    };
    let seconds = [
        series("SHA-256, wasm", "#888888", |row| row.hash.map(|ms| ms / 1000.0)),
        series("Blob to Blob", "#c1121f", |row| row.cold.map(|ms| ms / 1000.0)),
        series("click to stamped", "#f4845f", |row| row.click.map(|ms| ms / 1000.0)),
    ];
    let memory = [series("extension's process", "#1d4e89", |row| row.peak), series("wasm memory", "#7fb2dd", |row| row.wasm)];
    [
        Panel { title: "浏览器内盖章用时 Time to stamp in the browser", unit: "s", series: seconds.into() },
        Panel { title: "内存峰值 Peak memory", unit: "MB", series: memory.into() },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(ready: f64, clicked: f64) -> Moments {
        let all = [("called", -70.0), ("document", 0.0), ("opened", 20.0), ("ready", ready), ("pressed", 5_000.0), ("stamped", 5_000.0 + clicked)];
        all.into_iter().map(|(name, at)| (name.to_owned(), at)).collect()
    }

    #[test]
    fn ratios_are_of_the_least_runs_of_one_size_or_between_two() {
        let mut sizes = [1, 256, 1000].map(|megabytes| Size { megabytes, bytes: megabytes * 1_000_000, ..Size::default() });
        let mut lines = vec![Line::Hash { bytes: 9, ms: 1.0 }];
        for (bytes, hash, ready, clicked, peak) in
            [(1_000_000, 2.0, 100.0, 40.0, 90), (256_000_000, 600.0, 700.0, 44.0, 160), (1_000_000_000, 2_000.0, 2_150.0, 50.0, 176)]
        {
            lines.push(Line::Memory { bytes, peak_bytes: Some(peak * 1_000_000), wasm_bytes: 12_000_000 });
            // Each contender has its best run at another time.
            lines.push(Line::Hash { bytes, ms: hash + 500.0 });
            lines.push(Line::Stamp { bytes, moments: stamp(ready, clicked) });
            lines.push(Line::Hash { bytes, ms: hash });
            lines.push(Line::Stamp { bytes, moments: stamp(ready + 300.0, clicked + 1.0) });
        }
        lines.into_iter().for_each(|line| take(&mut sizes, line));
        let rows = figures(&sizes);
        let large = rows.last().unwrap();
        assert_eq!((large.runs, large.cold, large.cold_to_hash(), large.click_to_smallest), (2, Some(2_200.0), Some(1.1), Some(1.25)));
        assert_eq!((large.peak_to_base, large.wasm, large.arrival), (Some(1.1), Some(12.0), Some(70.0)));
        assert_eq!(rows.first().unwrap().click_to_smallest, Some(1.0));
        let table = large.table();
        assert!(
            table.contains("1.10 × bare hash") && table.contains("1.25 × smallest") && table.contains("1.10 × 256 MB") && table.contains("opened 20"),
            "{table}"
        );
        let line = large.json(Browser::Chromium);
        assert_eq!((line["coldToHash"].as_f64(), line["afterArrivalMs"]["opened"].as_f64(), line["windowMs"].is_null()), (Some(1.1), Some(20.0), true));
    }
}
