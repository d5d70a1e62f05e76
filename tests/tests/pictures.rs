//! What was shown is what was stamped: every page as the stamping page drew it before the press, and as it draws the result
//! at the same scale, pixel for pixel. The handles that lie over the page do not count, they are no part of its picture.

use serde_json::Value;

use sealbridge_e2e::bidi::{DriveError, Driven, failed};
use sealbridge_e2e::browser::Tab;
use sealbridge_e2e::supplier::Supplier;
use sealbridge_e2e::world::PATIENCE;

/// The pages as they are drawn, each as its size and the SHA-256 of its pixels.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pictures(Vec<String>);

/// Draws the first `pages` pages at a scale that does not depend on the window, and takes their pictures.
pub(crate) fn before(supplier: &mut Supplier<'_>, stamping: &Tab, pages: usize) -> Driven<Pictures> {
    // 【放大】 takes the scale off the width of the window, which changes when the panel goes.
    let scale = "document.querySelector('#zoom-fit').textContent";
    let fitted = supplier.browser.evaluate(stamping, scale)?;
    supplier.browser.click(stamping, "#zoom-in")?;
    supplier.browser.wait(stamping, &format!("{scale} !== {fitted}"), PATIENCE)?;
    take(supplier, stamping, pages)
}

/// Takes the pictures of the result, and compares.
pub(crate) fn same_after(supplier: &mut Supplier<'_>, stamping: &Tab, before: &Pictures) -> Driven<()> {
    supplier.browser.wait(stamping, "document.body.dataset.drawn === 'result'", PATIENCE)?;
    let after = take(supplier, stamping, before.0.len())?;
    let different: Vec<usize> = before.0.iter().zip(&after.0).enumerate().filter(|(_, (one, other))| one != other).map(|(page, _)| page + 1).collect();
    if different.is_empty() { Ok(()) } else { failed(format!("pages {different:?} are drawn differently once they are stamped: {before:?} {after:?}")) }
}

fn take(supplier: &mut Supplier<'_>, stamping: &Tab, pages: usize) -> Driven<Pictures> {
    let mut pictures = Vec::new();
    for page in 1..=pages {
        supplier.browser.fill(stamping, "#page", &page.to_string())?;
        let turned = format!("/(^|[^0-9]){page}([^0-9]|$)/.test(document.querySelector('#sheet').getAttribute('aria-label'))");
        supplier.browser.wait(stamping, &turned, PATIENCE)?;
        let seen = supplier.browser.evaluate(
            stamping,
            "(async () => { const c = document.querySelector('#canvas'), pixels = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; \
             if (pixels.every(value => value === 255)) return null; \
             const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', pixels)); \
             return `${c.width}x${c.height} ` + [...sum].map(byte => byte.toString(16).padStart(2, '0')).join(''); })()",
        )?;
        match seen {
            Value::String(picture) => pictures.push(picture),
            other => return Err(DriveError(format!("page {page} is blank: {other}"))),
        }
    }
    Ok(Pictures(pictures))
}
