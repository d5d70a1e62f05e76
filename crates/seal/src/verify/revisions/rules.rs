//! The rules for trailer, catalog, validation data, metadata and the form's dictionary. Each says what of one kind of object may
//! become different, and claims the references that it vouches for; everything that no rule names is refused.

use sealbridge_pdf::{Dictionary, Object, PdfError, Source};

use super::super::change::{Changed, Level};
use super::graph::TRAILER;
use super::ledger::{self, Found, Ledger};

/// Kinds of resources (Table 34) and what forms keep beside them.
const RESOURCES: [&str; 8] = ["ExtGState", "ColorSpace", "Pattern", "Shading", "XObject", "Font", "Properties", "Encoding"];
/// How deep validation data is nested: DSS, VRI, entry, list.
const DSS_DEPTH: usize = 5;
/// Entries of a document security store and of what it holds (ISO 32000-2, 12.8.4.3). Entries of `/VRI` are digests in hexadecimal.
const DSS_KEYS: [&str; 10] = ["Type", "VRI", "Certs", "OCSPs", "CRLs", "Cert", "OCSP", "CRL", "TU", "TS"];

/// The trailer (7.5.5).
pub(super) fn trailer<S: Source>(ledger: &mut Ledger<'_, S>) -> Result<(), PdfError> {
    let (was, is) = (ledger.then.trailer(), ledger.now.trailer());
    for key in ledger.differing(&was, &is)? {
        match key.as_str() {
            // The last two are what other programs keep beside the document; what they refer to is judged as anything else.
            "Size" | "Info" | "AdditionalStreams" | "DocChecksum" => {}
            // Another object as the catalog; what it says is compared as if it stood in the old one's place.
            "Root" if was.value("Root").as_reference().is_some() && is.value("Root").as_reference().is_some() => {
                ledger.tell(Found::new(TRAILER, Changed::Catalog, Level::Timestamp).because("Root"));
            }
            // The first half says which document it is, and encryption hangs on it.
            "ID" => {
                let first = |id: &Object| id.as_array().and_then(|halves| halves.first()).cloned().unwrap_or_default();
                let (was, is) = (first(&ledger.was(was.value("ID"))?), first(&ledger.is(is.value("ID"))?));
                if !was.is_null() && !ledger.same(&was, &is, 0)? && ledger.now.is_encrypted() {
                    ledger.tell(Found::new(TRAILER, Changed::Trailer, Level::Other).because("ID"));
                }
            }
            // What programs keep for themselves may be left out; it is never to be found with something else in it.
            key if !is.has(key) && !matches!(key, "Root" | "Encrypt") => {}
            key => ledger.tell(Found::new(TRAILER, Changed::Trailer, Level::Other).because(key)),
        }
    }
    if let Object::Reference(id) = is.value("ID") {
        ledger.claim(TRAILER, id.number);
    }
    beside(ledger, is.value("AdditionalStreams"))?;
    information(ledger, was.value("Info"), is.value("Info"))
}

/// Streams that an office program keeps beside the document and opens instead of it. A reference that leads to no stream is none of
/// them, and says nothing: some signers give the number away a second time.
fn beside<S: Source>(ledger: &mut Ledger<'_, S>, streams: &Object) -> Result<(), PdfError> {
    let mut references = Vec::new();
    super::graph::references_in(streams, &mut references);
    for number in references {
        if matches!(&*ledger.after(number)?, Object::Dictionary(_)) {
            ledger.claim(TRAILER, number);
        }
    }
    Ok(())
}

/// `/Info` (14.3.3): dates, programs, title, author. No page shows it, and it says what the metadata says, which may change as well; the
/// report names the entries.
fn information<S: Source>(ledger: &mut Ledger<'_, S>, was: &Object, is: &Object) -> Result<(), PdfError> {
    let was = ledger.was(was)?.as_dictionary().cloned().unwrap_or_default();
    let (holder, is) = ledger.follow(TRAILER, is)?;
    let is = is.as_dictionary().cloned().unwrap_or_default();
    let differing = ledger.differing(&was, &is)?;
    if differing.is_empty() {
        return Ok(());
    }
    for key in &differing {
        ledger.follow(holder, is.value(key))?;
    }
    ledger.tell(Found::new(holder, Changed::Information, Level::Timestamp).because(differing.join(" ")));
    Ok(())
}

/// The catalog (7.7.2): version, extensions, metadata, validation data, the form. Nothing else may differ. Gives both forms and the
/// object that holds the present one.
pub(super) fn catalog<S: Source>(ledger: &mut Ledger<'_, S>) -> Result<Option<Form>, PdfError> {
    let (Ok(root), Ok(was), Ok(is)) = (ledger.now.catalog_reference(), ledger.then.catalog(), ledger.now.catalog()) else {
        ledger.tell(Found::new(TRAILER, Changed::Catalog, Level::Other));
        return Ok(None);
    };
    let root = root.number;
    ledger.shape(root);
    for key in ledger.differing(&was, &is)? {
        match key.as_str() {
            "AcroForm" | "DSS" | "Metadata" | "Extensions" => {}
            // Whether the document is tagged (14.7.1); nothing is drawn by it.
            "MarkInfo" if extensions(ledger, root, is.value("MarkInfo"), 2)? => ledger.tell(Found::new(root, Changed::Catalog, Level::Timestamp)),
            "Version" if is.value("Version").as_name().is_some() => ledger.tell(Found::new(root, Changed::Version, Level::Timestamp)),
            key => {
                let what = match key {
                    "Pages" => Changed::PageTree,
                    "OCProperties" => Changed::Layers,
                    _ => Changed::Catalog,
                };
                ledger.tell(Found::new(root, what, Level::Other).because(key));
            }
        }
    }
    if !extensions(ledger, root, is.value("Extensions"), 6)? {
        ledger.tell(Found::new(root, Changed::Version, Level::Other).because("Extensions"));
    } else if !ledger.same(was.value("Extensions"), is.value("Extensions"), 0)? {
        ledger.tell(Found::new(root, Changed::Version, Level::Timestamp));
    }
    metadata(ledger, root, is.value("Metadata"))?;
    if is.has("DSS") {
        let before = ledger.found.len();
        validation_data(ledger, root, is.value("DSS"), DSS_DEPTH)?;
        if ledger.found.len() == before && !ledger.same(was.value("DSS"), is.value("DSS"), 0)? {
            ledger.tell(Found::new(root, Changed::ValidationData, Level::Timestamp));
        }
    } else if was.has("DSS") {
        ledger.tell(Found::new(root, Changed::ValidationData, Level::Other).because("taken away"));
    }
    form(ledger, root, &was, &is).map(Some)
}

/// `/Extensions` (7.12): names, numbers, and dictionaries and arrays of them, in objects of their own or not.
fn extensions<S: Source>(ledger: &mut Ledger<'_, S>, holder: u32, value: &Object, depth: usize) -> Result<bool, PdfError> {
    let Some(depth) = depth.checked_sub(1) else { return Ok(false) };
    let (holder, object) = ledger.follow(holder, value)?;
    let parts: Vec<Object> = match object {
        Object::Name(_) | Object::Integer(_) | Object::String(_) | Object::Boolean(_) | Object::Null => return Ok(true),
        Object::Array(elements) => elements,
        Object::Dictionary(entries) => entries.iter().map(|(_, value)| value.clone()).collect(),
        _ => return Ok(false),
    };
    for part in &parts {
        if !extensions(ledger, holder, part, depth)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The metadata stream (14.3.2), which no viewer shows on a page.
fn metadata<S: Source>(ledger: &mut Ledger<'_, S>, root: u32, value: &Object) -> Result<(), PdfError> {
    let Object::Reference(reference) = value else { return Ok(()) };
    let number = reference.number;
    if ledger.is_changed(number) {
        let is = ledger.after(number)?;
        let is_metadata = is.as_stream().is_some_and(|stream| stream.dictionary.is("Type", "Metadata") || stream.dictionary.is("Subtype", "XML"));
        if is_metadata {
            ledger.claim(root, number);
            ledger.claim_new(number)?;
            ledger.tell(Found::new(number, Changed::Information, Level::Timestamp));
        }
    }
    Ok(())
}

/// The document security store: dictionaries and arrays of streams, and nothing that is anything else.
fn validation_data<S: Source>(ledger: &mut Ledger<'_, S>, holder: u32, value: &Object, depth: usize) -> Result<(), PdfError> {
    let Some(depth) = depth.checked_sub(1) else { return Ok(()) };
    let (holder, object) = match value {
        Object::Reference(reference) => {
            let number = reference.number;
            let object = (*ledger.after(number)?).clone();
            if !ledger.is_changed(number) {
                ledger.pass(holder, number);
            } else {
                // Pages, fields and the like are no validation data, whoever says so.
                let kind = object.as_dictionary().map(|dictionary| dictionary.value("Type").as_name().map(<[u8]>::to_vec));
                if matches!(kind, Some(Some(kind)) if kind != b"DSS" && kind != b"VRI") {
                    return Ok(());
                }
                ledger.claim(holder, number);
                ledger.tell(Found::new(number, Changed::ValidationData, Level::Timestamp));
            }
            (number, object)
        }
        direct => (holder, direct.clone()),
    };
    match &object {
        Object::Array(elements) => elements.iter().try_for_each(|element| validation_data(ledger, holder, element, depth)),
        Object::Dictionary(entries) => {
            let is_entry = |key: &str| DSS_KEYS.contains(&key) || ((40..=128).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_hexdigit()));
            for (_, value) in entries.iter().filter(|(key, _)| is_entry(&key.to_text())) {
                validation_data(ledger, holder, value, depth)?;
            }
            Ok(())
        }
        // The stream of a certificate, a response or a list; its length may be an object of its own.
        Object::Stream(_) => ledger.claim_new(holder),
        _ => Ok(()),
    }
}

/// The form as it is: its own object or the catalog, its entries, and the fields that were added to its list.
pub(super) struct Form {
    pub(super) added: Vec<u32>,
}

/// The form's dictionary (12.7.3): new fields at the end of the list, flags, fonts for filling, and `/NeedAppearances` taken off.
fn form<S: Source>(ledger: &mut Ledger<'_, S>, root: u32, was: &Dictionary, is: &Dictionary) -> Result<Form, PdfError> {
    let before = ledger.was(was.value("AcroForm"))?.as_dictionary().cloned();
    let (holder, after) = ledger.follow(root, is.value("AcroForm"))?;
    // A stream can be a page's content as well.
    let Some(after) = ledger::plain(&after).cloned() else {
        if before.is_some() {
            ledger.tell(Found::new(root, Changed::FormList, Level::Other).because("taken away"));
        }
        return Ok(Form { added: Vec::new() });
    };
    let was_form = before.unwrap_or_default();
    if holder != root {
        ledger.shape(holder);
    }
    let differing = ledger.differing(&was_form, &after)?;
    let mut harmless = false;
    for key in &differing {
        let (was_value, is_value) = (ledger.was(was_form.value(key))?, ledger.is(after.value(key))?);
        match key.as_str() {
            "Fields" | "DR" => {}
            "SigFlags" => {
                let (was, is) = (was_value.as_integer().unwrap_or(0), is_value.as_integer().unwrap_or(0));
                if was & !is == 0 && is & !3 == was & !3 {
                    harmless = true;
                } else {
                    ledger.tell(Found::new(holder, Changed::FormList, Level::Other).because("SigFlags"));
                }
            }
            // Taking it off leaves the appearances as they were signed; setting it asks viewers to draw others.
            "NeedAppearances" if is_value.as_bool() != Some(true) => harmless = true,
            "DA" if was_value.is_null() => harmless = true,
            key => ledger.tell(Found::new(holder, Changed::FormList, Level::Other).because(key)),
        }
    }
    default_resources(ledger, holder, was_form.value("DR"), after.value("DR"))?;
    let added = field_list(ledger, holder, was_form.value("Fields"), after.value("Fields"))?;
    if harmless || !added.is_empty() {
        ledger.tell(Found::new(holder, Changed::FormList, Level::Timestamp));
    }
    Ok(Form { added })
}

/// The list of fields: what was there stays, in its order; what is new stands behind it or between.
fn field_list<S: Source>(ledger: &mut Ledger<'_, S>, form: u32, was: &Object, is: &Object) -> Result<Vec<u32>, PdfError> {
    let was = ledger.was(was)?.as_array().map(<[Object]>::to_vec).unwrap_or_default();
    let (holder, is) = ledger.follow(form, is)?;
    let is = is.as_array().map(<[Object]>::to_vec).unwrap_or_default();
    match added(&was, &is) {
        Some(added) => {
            for number in &added {
                ledger.claim(holder, *number);
            }
            Ok(added)
        }
        None => {
            ledger.tell(Found::new(holder, Changed::FormList, Level::Other).because("the list of fields is another"));
            Ok(Vec::new())
        }
    }
}

/// The references in a list that were not in it before, if all that were there still are, once and in their order.
pub(super) fn added(was: &[Object], is: &[Object]) -> Option<Vec<u32>> {
    let numbers = |list: &[Object]| -> Option<Vec<u32>> { list.iter().map(|element| element.as_reference().map(|reference| reference.number)).collect() };
    let is = numbers(is)?;
    // Direct elements were never of use in these lists.
    let was: Vec<u32> = was.iter().filter_map(Object::as_reference).map(|reference| reference.number).collect();
    let mut left = was.as_slice();
    let mut added = Vec::new();
    for number in is {
        match left.split_first() {
            Some((first, rest)) if *first == number => left = rest,
            _ if was.contains(&number) || added.contains(&number) => return None,
            _ => added.push(number),
        }
    }
    left.is_empty().then_some(added)
}

/// `/DR`: fonts and encodings for filling may be added. What was there stays the same object.
fn default_resources<S: Source>(ledger: &mut Ledger<'_, S>, holder: u32, was: &Object, is: &Object) -> Result<(), PdfError> {
    let was = ledger.was(was)?.as_dictionary().cloned().unwrap_or_default();
    let reference = is.as_reference().map(|reference| reference.number);
    let (holder, is) = ledger.follow(holder, is)?;
    let is = is.as_dictionary().cloned().unwrap_or_default();
    let differing = ledger.differing(&was, &is)?;
    let mut refused = false;
    for key in &differing {
        if !RESOURCES.contains(&key.as_str()) {
            // No kind of resource (Table 34): nothing finds it.
            if let (_, Object::Stream(_)) = ledger.follow(holder, is.value(key))?
                && let Object::Reference(stream) = is.value(key)
                && ledger.is_new(stream.number)
            {
                ledger.claim_new(stream.number)?;
            }
            continue;
        }
        let was_part = ledger.was(was.value(key))?.as_dictionary().cloned().unwrap_or_default();
        let (part_holder, part) = ledger.follow(holder, is.value(key))?;
        let part = match part.as_dictionary() {
            Some(part) if matches!(key.as_str(), "Font" | "Encoding" | "XObject") => part.clone(),
            _ => {
                refused = true;
                continue;
            }
        };
        for name in ledger.differing(&was_part, &part)? {
            match part.value(&name) {
                // No field draws a form of the default resources by itself; some signers keep their frame there.
                Object::Reference(new) if !was_part.has(&name) || key == "XObject" => {
                    ledger.claim(part_holder, new.number);
                    if ledger.is_new(new.number) {
                        ledger.claim_new(new.number)?;
                    }
                }
                _ => refused = true,
            }
        }
    }
    if refused {
        ledger.tell(Found::new(holder, Changed::FormList, Level::Other).because("DR"));
    } else if !differing.is_empty() || reference.is_some_and(|number| ledger.is_changed(number)) {
        ledger.tell(Found::new(holder, Changed::FormList, Level::Timestamp));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealbridge_pdf::Reference;

    #[test]
    fn lists_only_grow() {
        let list = |numbers: &[u32]| numbers.iter().map(|number| Object::Reference(Reference::new(*number, 0))).collect::<Vec<_>>();
        for (was, is, want) in [
            (&[1, 2][..], &[1, 2][..], Some(vec![])),
            (&[1, 2], &[1, 2, 3], Some(vec![3])),
            (&[1, 2], &[3, 1, 2], Some(vec![3])),
            (&[], &[3, 4], Some(vec![3, 4])),
            (&[1, 2], &[2, 1], None),
            (&[1, 2], &[1], None),
            (&[1, 2], &[1, 2, 2], None),
            (&[1, 2], &[1, 2, 3, 3], None),
            (&[1, 2], &[3, 2, 1], None),
        ] {
            assert_eq!(added(&list(was), &list(is)), want, "{was:?} {is:?}");
        }
        assert_eq!(added(&list(&[1]), &[list(&[1]), vec![Object::Dictionary(Dictionary::new())]].concat()), None, "a direct element");
    }
}
