//! What later revisions show: a filled field shows its value, and a further signature does not lie over what was signed before.
//!
//! Letters over letters, and a line drawn somewhere, are not called covering; an area that is filled or a picture is. A seal may
//! stand over text, as seals do, because what it shows is known.

use std::collections::btree_map::Entry;

use sealbridge_pdf::form::{Field, FieldKind, FieldValue};
use sealbridge_pdf::text::{Glyph, TextReader};
use sealbridge_pdf::{Document, Object, PdfError, Rectangle, Source};

use super::fields::{self, Shown};

/// The share of a page that a further signature may take, as one part of so many.
const PAGE_SHARE: f64 = 4.0;
/// Most appearances that are looked at.
const LOOKED_AT_MAX: usize = 4096;

/// Why a filled field does not show its value, if it does not.
pub(super) fn disagrees<S: Source>(now: &Document<S>, field: &Field, shown: &Shown, reader: &mut TextReader<'_, S>) -> Result<Option<String>, PdfError> {
    if matches!(shown.kind, FieldKind::CheckBox { .. } | FieldKind::Radio { .. }) {
        return state(now, field, shown);
    }
    let Some(texts) = fields::shown_texts(field) else { return Ok(None) };
    let Some(page) = shown.page else { return Ok(None) };
    let glyphs = reader.appearance(shown.widget, page)?;
    let empty = texts.iter().all(|text| text.trim().is_empty());
    let Some(glyphs) = glyphs else { return Ok((!empty).then(|| "it has no appearance".to_owned())) };
    if glyphs.iter().any(|glyph| glyph.text.is_empty() || glyph.text.contains('\u{fffd}')) {
        return Ok(Some("its appearance cannot be read".to_owned()));
    }
    let shown: String = folded(&glyphs.iter().filter(|glyph| glyph.drawn).map(|glyph| glyph.text.as_str()).collect::<String>());
    if texts.iter().any(|text| folded(text) == shown || numbers_agree(text, &shown)) {
        return Ok(None);
    }
    let short = |text: &str| text.chars().take(40).collect::<String>();
    Ok(Some(format!("it shows {:?}, its value is {:?}", short(&shown), short(texts.first().map_or("", String::as_str)))))
}

/// A box shows the state that is its value, or is off.
fn state<S: Source>(now: &Document<S>, field: &Field, shown: &Shown) -> Result<Option<String>, PdfError> {
    let widget = now.get(shown.widget)?;
    let state = now.resolve(widget.as_dictionary().map_or(&Object::Null, |widget| widget.value("AS")))?;
    let state = state.as_name().map_or_else(|| "Off".to_owned(), |name| String::from_utf8_lossy(name).into_owned());
    let value = match &field.value {
        FieldValue::State(value) => value.as_str(),
        _ => "Off",
    };
    let other_widget = state == "Off" && field.widgets.len() > 1;
    Ok((state != value && !other_widget).then(|| format!("it shows {state}, its value is {value}")))
}

/// Without white space and without the differences of width that a font may bring.
fn folded(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_whitespace() && !character.is_control() && !matches!(character, '\u{200b}' | '\u{feff}' | '\u{ad}'))
        .map(|character| match u32::from(character) {
            wide @ 0xff01..=0xff5e => char::from_u32(wide - 0xfee0).unwrap_or(character),
            _ => character,
        })
        .collect()
}

/// A number may be shown with separators, a currency and more or fewer decimals.
fn numbers_agree(value: &str, shown: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let Ok(number) = value.trim().parse::<f64>() else { return false };
    if !number.is_finite() || shown.chars().any(char::is_alphabetic) {
        return false;
    }
    // A mark that stands twice parts thousands; one that stands once may part decimals.
    let mark = shown.rfind(['.', ',']).filter(|at| shown.get(*at..=*at).is_some_and(|mark| shown.matches(mark).count() == 1));
    let behind = mark.map_or(0, |at| shown.get(at..).unwrap_or_default().chars().filter(char::is_ascii_digit).count());
    let agrees = |decimals: usize| digits(&format!("{number:.decimals$}")) == digits(shown);
    (agrees(0) || (1..=4).contains(&behind) && agrees(behind)) && shown.contains(['-', '(']) == (number < 0.0)
}

/// What a further signature lies over.
pub(super) struct Over {
    pub(super) what: String,
    /// So much of a page that it is no signature's place.
    pub(super) large: bool,
}

/// What a further signature covers, if it covers anything that was there. `then` is the document as it was signed.
pub(super) fn covers<S: Source, P: Source>(
    now: &Document<S>,
    then: &Document<P>,
    (then_fields, texts): (&[Field], &mut super::Texts),
    shown: &Shown,
    is_seal: bool,
) -> Result<Option<Over>, PdfError> {
    let (Some(page), Some(rect)) = (shown.page, shown.rect) else { return Ok(None) };
    if !shown.added || !TextReader::new(now).painted(shown.widget)?.areas {
        return Ok(None);
    }
    let sheet = then.page(page)?.crop_box;
    let Some(visible) = rect.intersection(&sheet) else { return Ok(None) };
    if visible.width() * visible.height() * PAGE_SHARE > sheet.width() * sheet.height() {
        let share = 100.0 * visible.width() * visible.height() / (sheet.width() * sheet.height());
        return Ok(Some(Over { large: true, what: format!("it takes {share:.0} % of page {}", page + 1) }));
    }
    if is_seal {
        return Ok(None);
    }
    let glyphs = match texts.entry(page) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(place) => place.insert(TextReader::new(then).glyphs(page)?),
    };
    let covered: String = glyphs.iter().filter(|glyph| glyph.drawn && is_inside(&visible, glyph)).map(|glyph| glyph.text.as_str()).take(40).collect();
    if !covered.trim().is_empty() {
        return Ok(Some(Over { large: false, what: format!("it lies over the text {covered:?}") }));
    }
    let widgets = then_fields.iter().flat_map(|field| field.widgets.iter().map(move |widget| (field, widget)));
    let inside = |other: &Rectangle| within(&visible, (other.left + other.right) / 2.0, (other.bottom + other.top) / 2.0);
    let field = widgets.take(LOOKED_AT_MAX).find(|(_, widget)| widget.page == Some(page) && widget.rect.is_some_and(|rect| rect.has_area() && inside(&rect)));
    Ok(field.map(|(field, _)| Over { large: false, what: format!("it lies over the field {:?}", field.name) }))
}

fn is_inside(rect: &Rectangle, glyph: &Glyph) -> bool {
    let box_ = &glyph.rect;
    within(rect, (box_.left + box_.right) / 2.0, (box_.bottom + box_.top) / 2.0)
}

fn within(rect: &Rectangle, x: f64, y: f64) -> bool {
    x > rect.left && x < rect.right && y > rect.bottom && y < rect.top
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_be_written_out() {
        for (value, shown, want) in [
            ("1234.5", "1,234.50", true),
            ("1234.5", "€1.234,50", true),
            ("1234", "1,234.00", true),
            ("-5", "(5.00)", true),
            ("-5", "5.00", false),
            ("1234", "12340", false),
            ("1234", "1,234,000", false),
            ("100", "900", false),
            ("abc", "abd", false),
            ("1", "1 million", false),
        ] {
            assert_eq!(numbers_agree(value, shown), want, "{value} {shown}");
        }
    }
}
