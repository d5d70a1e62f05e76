//! The structure tree of tagged documents (ISO 32000-2, 14.7): annotations that a revision adds get their structure elements, so
//! that assistive software meets them, and a tagged file stays one.
//!
//! Only what is needed to add: elements are appended behind everything else, nothing that stands there is moved or judged. A tree
//! that can not be read safely is left alone, and the caller is told.

use std::collections::HashSet;

use crate::document::Document;
use crate::error::{Result, tolerate};
use crate::object::{Dictionary, Object, Reference};
use crate::source::Source;
use crate::update::Update;

/// Nodes of the parent tree that are walked to find the largest key.
const NODES_MAX: usize = 1 << 16;
/// Largest key that is given out; ISO 19005-1, 6.1.12 bounds integers.
const KEY_MAX: i64 = i32::MAX as i64 - 1;

/// An annotation to be tagged.
#[derive(Debug, Clone)]
pub struct TaggedAnnotation<'a> {
    /// The annotation's object, set in this revision already.
    pub annotation: Reference,
    /// The page that shows it.
    pub page: Reference,
    /// The structure type: `Form` for a widget, `Annot` for others (14.8.4.7; ISO 14289-1, 7.18).
    pub role: &'a str,
    /// `/Alt`: what it is, in words.
    pub words: &'a str,
}

/// Gives each annotation a structure element that refers to it (`/OBJR`), an entry in the parent tree, `/StructParent`; and its page
/// `/Tabs /S`, unless it names another order (`in_order`: even then, as ISO 14289-1, 7.18.3 wants it). The elements become the last
/// children of the document's one top element, or of the tree's root where there are several.
///
/// False, and nothing is changed, where the document has no structure tree or one that can not be read safely.
///
/// # Errors
/// Read failures and budgets.
pub fn tag_annotations<S: Source>(update: &mut Update<'_, S>, annotations: &[TaggedAnnotation<'_>], in_order: bool) -> Result<bool> {
    let document = update.document();
    let Some(root) = document.catalog()?.value("StructTreeRoot").as_reference() else { return Ok(false) };
    let Object::Dictionary(tree) = tolerate(update.get(root), Object::Null)? else { return Ok(false) };
    let Some(largest) = largest_key(document, &tree)? else { return Ok(false) };
    let stated = tree.value("ParentTreeNextKey").as_integer().unwrap_or(0);
    let first = stated.max(largest.saturating_add(1)).max(0);
    let count = i64::try_from(annotations.len()).unwrap_or(i64::MAX);
    if first.saturating_add(count) > KEY_MAX || annotations.is_empty() {
        return Ok(false);
    }
    let Some(parent) = top(update, root, &tree)? else { return Ok(false) };
    let namespace = update.get(parent)?.as_dictionary().and_then(|parent| parent.get("NS").cloned());

    let mut elements = Vec::with_capacity(annotations.len());
    let mut numbers = Vec::with_capacity(annotations.len() * 2);
    for (annotation, key) in annotations.iter().zip(first..) {
        let kid = Dictionary::typed("OBJR").with("Pg", annotation.page).with("Obj", annotation.annotation);
        let mut element = Dictionary::typed("StructElem")
            .with("S", Object::name(annotation.role))
            .with("P", parent)
            .with("Pg", annotation.page)
            .with("Alt", Object::text(annotation.words))
            .with("K", kid);
        if let Some(namespace) = &namespace {
            element.set("NS", namespace.clone());
        }
        let element = update.add(element)?;
        elements.push(Object::Reference(element));
        numbers.extend([Object::Integer(key), Object::Reference(element)]);
        update.modify(annotation.annotation, |dictionary| dictionary.set("StructParent", Object::Integer(key)))?;
        if in_order || update.get(annotation.page)?.as_dictionary().is_some_and(|page| !page.has("Tabs")) {
            update.modify(annotation.page, |page| page.set("Tabs", Object::name("S")))?;
        }
    }
    append_kids(update, parent, elements)?;
    append_numbers(update, root, numbers, first, first.saturating_add(count).saturating_sub(1))?;
    update.modify(root, |tree| tree.set("ParentTreeNextKey", Object::Integer(first.saturating_add(count))))?;
    Ok(true)
}

/// The largest key of the parent tree, −1 where there is none; `None` where the tree is damaged, or larger than anybody needs.
fn largest_key<S: Source>(document: &Document<S>, tree: &Dictionary) -> Result<Option<i64>> {
    let mut largest = -1;
    let mut open = vec![tree.value("ParentTree").clone()];
    let mut seen = HashSet::new();
    if open.iter().all(Object::is_null) {
        return Ok(Some(largest));
    }
    let mut visited = 0_usize;
    while let Some(node) = open.pop() {
        visited = visited.saturating_add(1);
        if visited > NODES_MAX || node.as_reference().is_some_and(|reference| !seen.insert(reference)) {
            return Ok(None);
        }
        let Object::Dictionary(node) = tolerate(document.resolve(&node), Object::Null)? else { return Ok(None) };
        let pairs = document.seek(&node, "Nums")?;
        let pairs = pairs.as_array().unwrap_or_default();
        if pairs.len() % 2 == 1 {
            return Ok(None);
        }
        for key in pairs.iter().step_by(2) {
            let Some(key) = tolerate(document.resolve(key), Object::Null)?.as_integer() else { return Ok(None) };
            largest = largest.max(key);
        }
        open.extend(document.seek(&node, "Kids")?.as_array().unwrap_or_default().iter().cloned());
    }
    Ok(Some(largest))
}

/// Where new elements go: the one top element of the tree, else the root. `None` where the top can not be read.
fn top<S: Source>(update: &Update<'_, S>, root: Reference, tree: &Dictionary) -> Result<Option<Reference>> {
    let only = match tree.value("K") {
        Object::Reference(reference) => match tolerate(update.get(*reference), Object::Null)? {
            Object::Array(kids) => <[Object; 1]>::try_from(kids).ok().map(|[kid]| kid),
            Object::Dictionary(_) => Some(Object::Reference(*reference)),
            _ => return Ok(None),
        },
        Object::Array(kids) => <[Object; 1]>::try_from(kids.clone()).ok().map(|[kid]| kid),
        _ => None,
    };
    let Some(only) = only else { return Ok(Some(root)) };
    // A direct element is no object that could be named as a parent.
    let Object::Reference(only) = only else { return Ok(Some(root)) };
    let element = tolerate(update.get(only), Object::Null)?;
    Ok(element.as_dictionary().filter(|element| element.has("S")).map(|_| only))
}

/// Appends to `/K`, whatever it is: absent, one kid, a direct or an indirect array.
fn append_kids<S: Source>(update: &mut Update<'_, S>, parent: Reference, new: Vec<Object>) -> Result<()> {
    let current = update.get(parent)?;
    let place = current.as_dictionary().map(|parent| parent.value("K").clone()).unwrap_or_default();
    if let Object::Reference(reference) = place
        && let Object::Array(mut kids) = tolerate(update.get(reference), Object::Null)?
    {
        kids.extend(new);
        update.put(reference, kids);
        return Ok(());
    }
    let mut kids = match place {
        Object::Array(kids) => kids,
        Object::Null => Vec::new(),
        one => vec![one],
    };
    kids.extend(new);
    update.modify(parent, |parent| parent.set("K", Object::Array(kids)))
}

/// Appends entries with the largest keys to the parent tree (7.9.7): a further leaf where the root has kids, else the root's own list.
fn append_numbers<S: Source>(update: &mut Update<'_, S>, root: Reference, numbers: Vec<Object>, first: i64, last: i64) -> Result<()> {
    let current = update.get(root)?;
    let place = current.as_dictionary().map(|tree| tree.value("ParentTree").clone()).unwrap_or_default();
    let mut node = match update.resolve(&place)? {
        Object::Dictionary(node) => node,
        _ => Dictionary::new(),
    };
    let kids = update.resolve(node.value("Kids"))?;
    if let Object::Array(mut kids) = kids {
        let limits = Object::Array(vec![Object::Integer(first), Object::Integer(last)]);
        let leaf = update.add(Dictionary::new().with("Limits", limits).with("Nums", Object::Array(numbers)))?;
        kids.push(Object::Reference(leaf));
        node.set("Kids", Object::Array(kids));
    } else {
        let mut listed = update.resolve(node.value("Nums"))?.as_array().map(<[Object]>::to_vec).unwrap_or_default();
        listed.extend(numbers);
        node.set("Nums", Object::Array(listed));
    }
    match place {
        Object::Reference(reference) => {
            update.put(reference, node);
            Ok(())
        }
        _ => update.modify(root, |tree| tree.set("ParentTree", node)),
    }
}
