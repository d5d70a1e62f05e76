//! The rule for pages: a page's list of annotations may get the widgets of further signatures, and a page nothing else.

use std::collections::BTreeSet;

use sealbridge_pdf::{Dictionary, Object, PdfError, Reference, Source};

use super::super::change::{Changed, Level};
use super::ledger::{Found, Ledger};
use super::rules;

/// Pages, and the lists of annotations that are objects of their own. `widgets`: of the signature fields that were added.
pub(super) fn pages<S: Source>(ledger: &mut Ledger<'_, S>, widgets: &BTreeSet<u32>) -> Result<(), PdfError> {
    if ledger.then.page_references()? != ledger.now.page_references()? {
        let mut root = ledger.now.catalog_reference().map_or(0, |root| root.number);
        for number in ledger.changed() {
            if ledger.before(number)?.as_dictionary().is_some_and(|node| node.is("Type", "Pages")) {
                root = number;
                break;
            }
        }
        ledger.tell(Found::new(root, Changed::PageTree, Level::Other).because("the pages are others, or in another order"));
    }
    let mut looked_at = BTreeSet::new();
    for number in ledger.changed() {
        let index = ledger.then.page_index(Reference::new(number, 0))?;
        if index.is_some() {
            looked_at.insert(number);
        } else if matches!(&*ledger.after(number)?, Object::Array(_)) {
            // Perhaps the list of a page that is itself unchanged.
            for holder in ledger.referrers(number) {
                let is_list = ledger.now.page_index(Reference::new(holder, 0))?.is_some()
                    && ledger.after(holder)?.as_dictionary().is_some_and(|page| page.value("Annots").as_reference().is_some_and(|list| list.number == number));
                if is_list {
                    looked_at.insert(holder);
                }
            }
        }
    }
    for page in looked_at {
        one(ledger, page, widgets)?;
    }
    Ok(())
}

fn one<S: Source>(ledger: &mut Ledger<'_, S>, number: u32, widgets: &BTreeSet<u32>) -> Result<(), PdfError> {
    let index = ledger.now.page_index(Reference::new(number, 0))?;
    let (before, after) = (ledger.before(number)?, ledger.after(number)?);
    let (Object::Dictionary(was), Object::Dictionary(is)) = (&*before, &*after) else { return Ok(()) };
    let beyond: Vec<String> = ledger.differing(was, is)?.into_iter().filter(|key| key != "Annots" && !is_order(key, was, is)).collect();
    if !beyond.is_empty() {
        let what = if beyond.iter().any(|key| key == "Contents") { Changed::Content } else { Changed::Page };
        ledger.shape(number); // named here, once
        ledger.tell(Found::new(number, what, Level::Other).on(index).because(beyond.join(" ")));
        return Ok(());
    }
    ledger.shape(number);
    let was_list = ledger.was(was.value("Annots"))?.as_array().map(<[Object]>::to_vec).unwrap_or_default();
    let (holder, list) = ledger.follow(number, is.value("Annots"))?;
    let list = list.as_array().map(<[Object]>::to_vec).unwrap_or_default();
    let Some(added) = added(ledger, &was_list, &list)? else {
        ledger.tell(Found::new(holder, Changed::Annotation, Level::Annotation).on(index).because("the list of annotations is another"));
        return Ok(());
    };
    if added.iter().any(|annotation| widgets.contains(annotation)) {
        ledger.tell(Found::new(holder, Changed::PageList, Level::Timestamp).on(index));
    }
    for annotation in added {
        ledger.claim(holder, annotation);
        if widgets.contains(&annotation) {
            continue;
        }
        ledger.claim_new(annotation)?;
        let kind = ledger.after(annotation)?;
        let kind =
            kind.as_dictionary().and_then(|annotation| annotation.value("Subtype").as_name()).map(String::from_utf8_lossy).unwrap_or_default().into_owned();
        let found = if kind == "Widget" {
            Found::new(annotation, Changed::Field, Level::Other)
        } else {
            Found::new(annotation, Changed::AnnotationAdded, Level::Annotation)
        };
        ledger.tell(found.on(index).because(kind));
    }
    Ok(())
}

/// What a list of annotations got; elements that stand in the list itself have to stay as they are.
fn added<S: Source>(ledger: &Ledger<'_, S>, was: &[Object], is: &[Object]) -> Result<Option<Vec<u32>>, PdfError> {
    let direct = |list: &[Object]| list.iter().filter(|element| element.as_reference().is_none()).cloned().collect::<Vec<_>>();
    if !ledger.same(&Object::Array(direct(was)), &Object::Array(direct(is)), 0)? {
        return Ok(None);
    }
    let references = |list: &[Object]| list.iter().filter(|element| element.as_reference().is_some()).cloned().collect::<Vec<_>>();
    Ok(rules::added(&references(was), &references(is)))
}

/// `/Tabs` says in which order the tabulator key goes through fields, and is written by some signers with the first field.
fn is_order(key: &str, was: &Dictionary, is: &Dictionary) -> bool {
    key == "Tabs" && !was.has("Tabs") && is.value("Tabs").as_name().is_some()
}
