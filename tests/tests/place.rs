//! The seal is where it was put: the stamped page is drawn by a foreign program, and the red on it is compared with the
//! place where the stamping page showed the seal, on a signature field and after a drag.

use std::path::Path;

use sealbridge_e2e::bidi::{Driven, failed};
use sealbridge_e2e::browser::{Kind, Tab};
use sealbridge_e2e::supplier::Supplier;
use sealbridge_e2e::world::World;

use crate::stage::{self, in_both_browsers};

in_both_browsers! {
    seal_is_on_the_signature_field;
    seal_is_where_it_was_dropped;
}

fn seal_is_on_the_signature_field(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::bound(world, kind)?;
    supplier.open_tender()?;
    let stamping = supplier.fill_and_stamp("1.00")?;
    supplier.wait_prepared(&stamping)?;
    stamped_where_shown(world, &mut supplier, &stamping)
}

fn seal_is_where_it_was_dropped(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::bound(world, kind)?;
    supplier.open_tender()?;
    let stamping = supplier.fill_and_stamp("1.00")?;
    let before = supplier.wait_prepared(&stamping)?;
    supplier.browser.drag(&stamping, "#seal", -170, -140)?;
    // The revision is made anew, and with it the code.
    supplier.browser.wait(&stamping, &format!("document.querySelector('#code').textContent !== '{before}'"), sealbridge_e2e::world::PATIENCE)?;
    supplier.wait_prepared(&stamping)?;
    stamped_where_shown(world, &mut supplier, &stamping)
}

fn stamped_where_shown(world: &World, supplier: &mut Supplier<'_>, stamping: &Tab) -> Driven<()> {
    // Centre and width of the seal as parts of the page's width and height.
    let shown = supplier.browser.evaluate(
        stamping,
        "(() => { const seal = document.querySelector('#seal').getBoundingClientRect(), sheet = document.querySelector('#canvas').getBoundingClientRect(); return [(seal.x + seal.width / 2 - sheet.x) / sheet.width, (seal.y + seal.height / 2 - sheet.y) / sheet.height, seal.width / sheet.width]; })()",
    )?;
    supplier.press_stamp(stamping)?;
    supplier.return_to_portal(stamping)?;
    supplier.verdict()?;
    let stamped = world.plan.folder.join("stamped.pdf");
    supplier.save_stamped(&stamped)?;
    let Some(red) = Red::on_first_page(&stamped)? else {
        eprintln!("skipped: pdftoppm is not installed");
        return Ok(());
    };
    let wanted: Vec<f64> = shown.as_array().into_iter().flatten().filter_map(serde_json::Value::as_f64).collect();
    let seen = [red.centre.0, red.centre.1, red.width];
    // One hundredth of the page's width is about two millimetres.
    let near = wanted.len() == 3 && wanted.iter().zip(seen).all(|(wanted, seen)| (wanted - seen).abs() < 0.01);
    if near && red.count > 400 { Ok(()) } else { failed(format!("shown at {wanted:?}, drawn at {seen:?} with {} red pixels", red.count)) }
}

/// The clearly red pixels of a page, in parts of its width and height.
struct Red {
    count: usize,
    centre: (f64, f64),
    width: f64,
}

impl Red {
    /// As pdftoppm draws the first page; `None` where it is not installed.
    fn on_first_page(file: &Path) -> Driven<Option<Self>> {
        let output = match std::process::Command::new("pdftoppm").args(["-r", "50", "-f", "1", "-l", "1"]).arg(file).output() {
            Ok(output) => output,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // PPM: "P6", width and height, the largest value, then RGB bytes.
        let mut lines = output.stdout.splitn(4, |byte| *byte == b'\n');
        let (_, size) = (lines.next(), lines.next().map(String::from_utf8_lossy).unwrap_or_default().into_owned());
        let pixels = lines.nth(1).unwrap_or_default();
        let Some((width, height)) = size.split_once(' ').and_then(|(width, height)| Some((width.parse::<usize>().ok()?, height.parse::<usize>().ok()?))) else {
            return failed(format!("pdftoppm drew no page: {}", String::from_utf8_lossy(&output.stderr)));
        };
        let red: Vec<(usize, usize)> = pixels
            .as_chunks::<3>()
            .0
            .iter()
            .enumerate()
            .filter(|(_, [r, g, b])| *r > 150 && *g < 120 && *b < 120)
            .map(|(at, _)| (at % width, at / width))
            .collect();
        let span = |values: Vec<usize>, whole: usize| {
            let (low, high) = (values.iter().min().copied().unwrap_or(0), values.iter().max().copied().unwrap_or(0));
            #[expect(clippy::cast_precision_loss, reason = "a page has some hundred pixels")]
            ((low + high + 1) as f64 / 2.0 / whole as f64, (high + 1 - low) as f64 / whole as f64)
        };
        let (x, wide) = span(red.iter().map(|(x, _)| *x).collect(), width);
        let (y, _) = span(red.iter().map(|(_, y)| *y).collect(), height);
        Ok(Some(Self { count: red.len(), centre: (x, y), width: wide }))
    }
}
