//! Which signature field takes the seal, and where on which page: an unsigned one by name, or a new one on a page.

use sealbridge_pdf::form::{Field, FieldKind, Form};
use sealbridge_pdf::{Document, Page, Source};

use super::StampRequest;
use crate::error::StampError;
use crate::placement::{self, Placement, Slice, Spot};

/// Numbers tried for the name of a new field.
const NAMES_MAX: usize = 100_000;

/// Where the seal goes, found in the document.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    /// Full name of the field.
    pub(crate) name: String,
    /// The field, where it is there already.
    pub(crate) existing: Option<&'a Field>,
    /// The page.
    pub(crate) page: Page,
    /// The place on it.
    pub(crate) spot: Spot,
    /// Where the widget is the first slice of a riding seam: the other ones.
    pub(crate) slices: Vec<Slice>,
}

/// The name of the field that will be signed: the one that was asked for, which need not exist, or a free one.
pub(super) fn name(form: &Form, request: &StampRequest<'_>) -> Result<String, StampError> {
    if let Placement::Field(name) = &request.placement { Ok(name.clone()) } else { free_name(form) }
}

/// Finds the target of a request; `free`: the name of a new field.
pub(super) fn target<'a, S: Source>(document: &Document<S>, form: &'a Form, request: &StampRequest<'_>, free: String) -> Result<Target<'a>, StampError> {
    let picture = request.seal.picture();
    let (width_mm, height_mm) = (f64::from(picture.width_mm), f64::from(picture.height_mm));
    match &request.placement {
        Placement::Field(name) => {
            let field = form.field(name).ok_or_else(|| StampError::FieldMissing(name.clone()))?;
            let wrong = |reason: &str| StampError::FieldValue { field: name.clone(), reason: reason.to_owned() };
            if field.kind != FieldKind::Signature {
                return Err(wrong("it is not a signature field"));
            }
            if field.signed {
                return Err(StampError::FieldSigned(name.clone()));
            }
            if field.read_only {
                return Err(StampError::FieldReadOnly(name.clone()));
            }
            let [widget] = field.widgets.as_slice() else { return Err(wrong("it is not shown in exactly one place")) };
            let (Some(index), Some(rect)) = (widget.page, widget.rect) else { return Err(wrong("it is not shown on any page")) };
            if widget.flags & crate::fill::HIDDEN != 0 {
                return Err(wrong("it is hidden"));
            }
            let page = document.page(index)?;
            let spot = placement::in_field(&page, rect, width_mm, height_mm)?;
            Ok(Target { name: name.clone(), existing: Some(field), page, spot, slices: Vec::new() })
        }
        Placement::Page { index, x_mm, y_mm, width_mm: wanted } => {
            let pages = document.page_count()?;
            if *index >= pages {
                return Err(StampError::PageMissing { page: index.saturating_add(1), pages });
            }
            let page = document.page(*index)?;
            let spot = placement::on_page(&page, *x_mm, *y_mm, *wanted, height_mm / width_mm)?;
            Ok(Target { name: free, existing: None, page, spot, slices: Vec::new() })
        }
        Placement::Slice(seam) => {
            let mut slices = placement::slices(document, seam, height_mm / width_mm)?.into_iter();
            let first = slices.next().ok_or(StampError::Placement("a riding seam needs two pages"))?;
            let page = document.page(first.index)?;
            Ok(Target { name: free, existing: None, page, spot: first.spot, slices: slices.collect() })
        }
    }
}

/// `Sealbridge1`, `Sealbridge2` …: the first that no field has, alone or as the beginning of its name.
fn free_name(form: &Form) -> Result<String, StampError> {
    let taken: std::collections::HashSet<&str> = form.fields.iter().map(|field| field.name.split('.').next().unwrap_or_default()).collect();
    let name = (1..=NAMES_MAX).map(|number| format!("Sealbridge{number}")).find(|name| !taken.contains(name.as_str()));
    name.ok_or(StampError::Placement("there are too many signature fields"))
}
