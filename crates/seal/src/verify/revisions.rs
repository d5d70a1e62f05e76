//! What was changed after each signature: the document as it was signed beside the document as it is, object by object.
//!
//! Every object that can be reached and is not what it was must be explained by a rule; what none explains is refused. Nothing
//! is guessed: a state that cannot be opened without repair, or a later revision that does not build on the signed one, is
//! refused as such. No rule looks at who signed; whether a further signer is trusted is that signature's own matter.

mod appearance;
mod fields;
mod graph;
mod ledger;
mod pages;
mod rules;

use std::collections::BTreeSet;

use sealbridge_pdf::form::Form;
use sealbridge_pdf::text::TextReader;
use sealbridge_pdf::{Document, Object, OpenOptions, PdfError, Prefix, Reference, Revision, SignatureField, Source};

use self::graph::Graph;
use self::ledger::{Found, Ledger};
use super::Policy;
use super::change::{Allowed, Change, Changed, Level};
use super::integrity::{self, explained, problem};
use super::report::{Covered, Problem, ProblemCode, SignatureReport};

/// Most changes that are listed for one signature; those that are refused come first.
const CHANGES_MAX: usize = 200;

/// Longest line end.
const LINE_END: usize = 2;

/// A signature that covers more than another.
struct Further<'a> {
    name: &'a str,
    end: u64,
    intact: bool,
    is_seal: bool,
}

/// Judges what follows each signature that does not cover the whole file, and writes it into its report.
pub(super) fn judge<S: Source>(
    document: &Document<S>,
    form: Option<&Form>,
    signatures: &[SignatureField],
    reports: &mut [SignatureReport],
    policy: &Policy<'_>,
) -> Result<(), PdfError> {
    let length = document.source().len();
    let revisions = document.revisions()?;
    let end_of = |name: &str| signatures.iter().find(|signature| signature.name == name).and_then(|signature| integrity::reach(signature, length));
    for report in reports.iter_mut() {
        let number = match end_of(&report.field) {
            Some(end) if report.covered == Covered::Revision => revisions.iter().position(|revision| (revision.marker_end..=revision.end).contains(&end)),
            _ if report.covered == Covered::WholeFile => revisions.len().checked_sub(1),
            _ => None,
        };
        report.revision = number.map(|index| index.saturating_add(1));
    }
    let further: Vec<(String, u64, bool, bool)> = signatures
        .iter()
        .filter_map(|signature| {
            let end = integrity::reach(signature, length)?;
            let report = reports.iter().find(|report| report.field == signature.name);
            let is_seal = report.and_then(|report| report.seal.as_ref()).is_some_and(|seal| seal.matches);
            Some((signature.name.clone(), end, report.is_some_and(|report| report.intact), is_seal))
        })
        .collect();
    let mut further: Vec<Further<'_>> =
        further.iter().map(|(name, end, intact, is_seal)| Further { name, end: *end, intact: *intact, is_seal: *is_seal }).collect();
    further.sort_by_key(|further| further.end);
    let compared = |report: &SignatureReport| report.covered == Covered::Revision;
    let Some(oldest) = reports.iter().filter(|report| compared(report)).map(|report| report.covered_bytes).min() else { return Ok(()) };
    // Objects are found by the cross-reference; a rebuilt one says nothing about revisions, and the report says it is rebuilt.
    let graph = if document.repaired() { Err("the file was repaired".to_owned()) } else { tolerated(graph::walk(document, oldest, graph::OBJECTS_MAX))? };
    // The oldest first: what a page shows is read once, as it was signed first.
    let mut in_order: Vec<&mut SignatureReport> = reports.iter_mut().filter(|report| compared(report)).collect();
    in_order.sort_by_key(|report| report.covered_bytes);
    let mut shown = Texts::new();
    for report in in_order {
        let Some(own) = signatures.iter().find(|signature| signature.name == report.field) else { continue };
        let end = report.covered_bytes;
        report.problems.extend(behind(document, &revisions, end)?);
        if let Some(later) = further.iter().find(|further| further.end > end) {
            report.problems.push(explained(ProblemCode::SignedAgain, later.name));
        }
        let found = match &graph {
            Ok(graph) if !document.repaired() => {
                tolerated(compare(document, form, signatures, own, end, graph, &further, &mut shown, policy))?.map(|compared| compared.found)
            }
            Ok(_) => Err("the file was repaired".to_owned()),
            Err(reason) => Err(reason.clone()),
        };
        match found {
            Ok(found) => settle(document, &revisions, found, report, (end, fields::certification(own)), &further, policy)?,
            Err(reason) => report.problems.push(explained(ProblemCode::NotCompared, reason)),
        }
        report.problems.sort_by_key(|problem| std::cmp::Reverse(problem.code.severity()));
    }
    Ok(())
}

/// What stands behind the last revision, where a signature ends at `end`. One line end is what editors and mail leave behind; anything
/// else is refused.
fn behind<S: Source>(document: &Document<S>, revisions: &[Revision], end: u64) -> Result<Option<Problem>, PdfError> {
    let length = document.source().len();
    let last = revisions.last().map_or(end, |last| last.end.max(end));
    let from = if revisions.last().is_some_and(|last| last.marker_end <= end) { end } else { last };
    let mut bytes = vec![0; usize::try_from(length.saturating_sub(last)).unwrap_or(LINE_END).min(LINE_END)];
    document.source().read_at(last, &mut bytes)?;
    if length.saturating_sub(last) <= LINE_END as u64 && bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
        return Ok((from < length).then(|| explained(ProblemCode::LineEnd, format!("{} bytes", length - from))));
    }
    Ok(Some(explained(ProblemCode::ChangedAfter, format!("{} bytes follow the last revision", length - last))))
}

/// Everything but a failure to read is an answer: it could not be compared, and why.
fn tolerated<T>(result: Result<T, PdfError>) -> Result<Result<T, String>, PdfError> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(PdfError::Read(failed)) => Err(PdfError::Read(failed)),
        Err(error) => Ok(Err(error.to_string())),
    }
}

/// What pages showed, by their index.
type Texts = std::collections::BTreeMap<usize, Vec<sealbridge_pdf::text::Glyph>>;

/// The outcome of one comparison.
struct Compared {
    found: Vec<Found>,
    /// What was found hangs on who refers to what was written anew.
    leans: bool,
}

/// Most objects that are walked through before a tail of our own is handed out.
const TAIL_WALK_MAX: usize = 50_000;

/// The first earlier signature that a tail of our own behind the first `end` bytes would take something from, and what: the rules that
/// later readers will go by. `own` is the field that the tail signs.
///
/// Only what the tail writes and replaces is looked at. Where something that was there is replaced whose place elsewhere matters, the
/// document is walked through as far as that is quickly done; beyond that nothing is said.
pub(crate) fn broken_by_tail<S: Source>(
    document: &Document<S>,
    own: &str,
    end: u64,
    is_seal: bool,
    policy: &Policy<'_>,
) -> Result<Option<(String, ProblemCode)>, PdfError> {
    let length = document.source().len();
    let signatures = sealbridge_pdf::signatures(document)?;
    let earlier: Vec<&SignatureField> = signatures
        .iter()
        .filter(|signature| !super::timestamp::is_timestamp(signature) && integrity::reach(signature, length).is_some_and(|reach| reach <= end))
        .collect();
    if earlier.is_empty() || document.repaired() {
        return Ok(None);
    }
    let form = Form::read(document)?;
    let further = [Further { name: own, end: length, intact: true, is_seal }];
    let mut graph = graph::tail(document, end)?;
    let mut walked = false;
    let mut shown = Texts::new();
    for signature in earlier {
        // What could not be compared before can not be compared now, and loses nothing.
        let Ok(mut compared) = tolerated(compare(document, Some(&form), &signatures, signature, end, &graph, &further, &mut shown, policy))? else { continue };
        if compared.leans && !walked {
            walked = true;
            let Ok(whole) = tolerated(graph::walk(document, end, TAIL_WALK_MAX))? else { return Ok(None) };
            graph = whole;
            let again = tolerated(compare(document, Some(&form), &signatures, signature, end, &graph, &further, &mut shown, policy))?;
            let Ok(again) = again else { continue };
            compared = again;
        }
        let refused = compared.found.iter().find_map(|found| refusal(found, true, fields::certification(signature), Allowed::Signatures));
        if let Some(code) = refused {
            return Ok(Some((signature.name.clone(), code)));
        }
    }
    Ok(None)
}

/// What became different since the first `end` bytes were signed.
#[allow(clippy::too_many_arguments)] // one caller; a struct for it would only repeat these names
fn compare<S: Source>(
    now: &Document<S>,
    form: Option<&Form>,
    signatures: &[SignatureField],
    own: &SignatureField,
    end: u64,
    graph: &Graph,
    further: &[Further<'_>],
    texts: &mut Texts,
    policy: &Policy<'_>,
) -> Result<Compared, PdfError> {
    let options = OpenOptions { password: policy.password.map(<[u8]>::to_vec), ..OpenOptions::default() };
    let then = Document::open(Prefix::new(now.source(), end), options)?;
    if then.repaired() {
        return Err(PdfError::Missing { what: "a cross-reference in the signed revision" });
    }
    let (sections, later) = (then.sections(), now.sections());
    if !later.ends_with(&sections) {
        let found = vec![Found::new(0, Changed::Structure, Level::Other).because("the later revision does not build on the signed one")];
        return Ok(Compared { found, leans: false });
    }
    let mut ledger = Ledger::open(&then, now, graph)?;
    for number in now.ambiguous_after(end)? {
        ledger.tell(Found::new(number, Changed::Structure, Level::Other).because("different readers find different objects"));
    }
    for number in ledger.replaced_packs(end)? {
        ledger.tell(Found::new(number, Changed::Structure, Level::Other).because("an object stream was written anew"));
    }
    rules::trailer(&mut ledger)?;
    let Some(form_list) = rules::catalog(&mut ledger)? else { return Ok(Compared { found: ledger.found, leans: false }) };
    let was = Form::read(&then)?;
    let none = Form::default();
    let is = form.unwrap_or(&none);
    let learnt = fields::fields(&mut ledger, &form_list, (&was.fields, &is.fields), signatures, own, end)?;
    pages::pages(&mut ledger, &learnt.widgets)?;
    let leans = ledger.leans_on_references();
    let mut found = unexplained(&mut ledger)?;

    let mut reader = TextReader::new(now);
    for shown in &learnt.filled {
        let Some(field) = is.fields.iter().find(|field| field.name == shown.field) else { continue };
        if let Some(reason) = appearance::disagrees(now, field, shown, &mut reader)? {
            let told = Found::new(shown.widget.number, Changed::FieldFilled, Level::FormFilling).on(shown.page).of(&shown.field);
            found.push(told.because(reason).refused(ProblemCode::FieldAppearance));
        }
    }
    for shown in &learnt.signed {
        let is_seal = further.iter().any(|further| further.name == shown.field && further.is_seal);
        if let Some(over) = appearance::covers(now, &then, (&was.fields, texts), shown, is_seal)? {
            let told = Found::new(shown.widget.number, Changed::SignatureAdded, Level::Signature).on(shown.page).of(&shown.field).because(over.what);
            // Signers who approve put their marks where they like; what was certified stays readable.
            found.push(if over.large || own.doc_mdp.is_some() { told.refused(ProblemCode::SignatureCovers) } else { told });
        }
    }
    if now.repaired() || then.repaired() {
        return Err(PdfError::Missing { what: "an object where the cross-reference says" });
    }
    Ok(Compared { found, leans })
}

/// The findings of the rules, and the objects that no rule explains.
fn unexplained<S: Source>(ledger: &mut Ledger<'_, S>) -> Result<Vec<Found>, PdfError> {
    let told: BTreeSet<u32> = ledger.found.iter().filter(|found| found.level >= Level::Annotation).map(|found| found.object).collect();
    let mut found = std::mem::take(&mut ledger.found);
    for number in ledger.unexplained().into_iter().filter(|number| !told.contains(number)) {
        let (was, is) = (ledger.before(number)?, ledger.after(number)?);
        let (what, level) = name(if was.is_null() { &is } else { &was });
        let how = match (was.is_null(), is.is_null()) {
            (true, _) => "something earlier refers to it, and it was not there",
            (_, true) => "it was taken away",
            _ => "it was changed",
        };
        let page = ledger.now.page_index(Reference::new(number, 0))?.or(page_of(ledger, number)?);
        found.push(Found::new(number, what, level).on(page).because(how));
    }
    Ok(found)
}

/// The page that refers to an object, looking up a few levels.
fn page_of<S: Source>(ledger: &Ledger<'_, S>, number: u32) -> Result<Option<usize>, PdfError> {
    let mut level = vec![number];
    for _ in 0..4 {
        let above: BTreeSet<u32> = level.iter().flat_map(|number| ledger.referrers(*number)).take(64).collect();
        for number in &above {
            if let Some(page) = ledger.now.page_index(Reference::new(*number, 0))? {
                return Ok(Some(page));
            }
        }
        level = above.into_iter().collect();
    }
    Ok(None)
}

/// What an object is, by what it says of itself.
fn name(object: &Object) -> (Changed, Level) {
    let other = |what| (what, Level::Other);
    let Some(dictionary) = object.as_dictionary() else { return other(Changed::Object) };
    let kind = |key: &str| dictionary.value(key).as_name().unwrap_or_default();
    match (kind("Type"), kind("Subtype")) {
        (b"Page", _) => other(Changed::Page),
        (b"Pages", _) => other(Changed::PageTree),
        (b"Catalog", _) => other(Changed::Catalog),
        (b"OCG" | b"OCMD", _) => other(Changed::Layers),
        (b"Font" | b"FontDescriptor", _) => other(Changed::Font),
        (_, b"Image") => other(Changed::Picture),
        (_, b"Form") => other(Changed::Content),
        (_, b"Widget") => other(Changed::Field),
        (b"Annot", _) => (Changed::Annotation, Level::Annotation),
        (_, subtype) if !subtype.is_empty() && dictionary.has("Rect") => (Changed::Annotation, Level::Annotation),
        _ if dictionary.has("FT") || dictionary.has("T") && dictionary.has("Kids") => other(Changed::Field),
        _ if matches!(object, Object::Stream(_)) => other(Changed::Content),
        _ => other(Changed::Object),
    }
}

/// Asks the policy about each finding and writes changes and problems into the report.
fn settle<S: Source>(
    document: &Document<S>,
    revisions: &[Revision],
    found: Vec<Found>,
    report: &mut SignatureReport,
    (end, certification): (u64, Option<u8>),
    further: &[Further<'_>],
    policy: &Policy<'_>,
) -> Result<(), PdfError> {
    let mut changes: Vec<(Change, Option<ProblemCode>)> = Vec::new();
    for found in found {
        let at = if found.object == graph::TRAILER { document.sections().first().map(|section| section.offset) } else { document.listed_at(found.object)? };
        let revision = at.and_then(|at| revisions.iter().position(|revision| revision.end > at)).map_or(0, |index| index.saturating_add(1));
        let signed_by =
            at.and_then(|at| further.iter().find(|further| further.intact && further.end > end && further.end > at)).map(|further| further.name.to_owned());
        let refusal = refusal(&found, signed_by.is_some(), certification, policy.allowed);
        changes.push((
            Change {
                object: found.object,
                revision,
                page: found.page,
                field: found.field,
                what: found.what,
                level: found.level,
                accepted: refusal.is_none(),
                signed_by,
                detail: found.detail.filter(|detail| !detail.is_empty()),
            },
            refusal,
        ));
    }
    changes.sort_by(|(one, _), (other, _)| {
        (one.accepted, std::cmp::Reverse(one.level), one.revision, one.object).cmp(&(
            other.accepted,
            std::cmp::Reverse(other.level),
            other.revision,
            other.object,
        ))
    });
    changes.dedup();
    let codes: BTreeSet<ProblemCode> = changes.iter().filter_map(|(_, refusal)| *refusal).collect();
    for code in codes {
        let of: Vec<&Change> = changes.iter().filter(|(_, refusal)| *refusal == Some(code)).map(|(change, _)| change).collect();
        let listed: Vec<String> = of.iter().take(3).map(|change| change.text(super::Language::En)).collect();
        let more = if of.len() > 3 { format!("; {} in all", of.len()) } else { String::new() };
        report.problems.push(Problem { detail: Some(listed.join("; ") + &more), ..problem(code) });
    }
    report.changes = changes.into_iter().map(|(change, _)| change).take(CHANGES_MAX).collect();
    Ok(())
}

/// Why a change is refused, if it is.
fn refusal(found: &Found, is_signed: bool, certification: Option<u8>, allowed: Allowed) -> Option<ProblemCode> {
    if found.refused.is_some() {
        return found.refused;
    }
    match found.level {
        Level::Other => return Some(ProblemCode::ContentChanged),
        Level::Annotation => return Some(ProblemCode::AnnotationChanged),
        _ => {}
    }
    // ISO 32000-2, 12.8.2.2: validation data and document timestamps are no changes even where nothing may be changed.
    if certification == Some(1) && found.level > Level::Timestamp {
        return Some(ProblemCode::CertificationForbids);
    }
    match (allowed, found.level) {
        (Allowed::Nothing, _) => Some(ProblemCode::ChangeNotAllowed),
        (Allowed::Signatures, Level::FormFilling) if !is_signed => Some(ProblemCode::FormFilledLater),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_meets_each_policy() {
        use Allowed::{FormFilling, Nothing, Signatures};
        use ProblemCode::{AnnotationChanged, CertificationForbids, ChangeNotAllowed, ContentChanged, FormFilledLater, LockedField};
        for (level, signed, certification, allowed, want) in [
            (Level::Timestamp, false, None, Nothing, Some(ChangeNotAllowed)),
            (Level::Timestamp, false, Some(1), Signatures, None),
            (Level::Signature, true, None, Nothing, Some(ChangeNotAllowed)),
            (Level::Signature, true, Some(1), FormFilling, Some(CertificationForbids)),
            (Level::Signature, true, Some(2), Signatures, None),
            (Level::FormFilling, false, None, Signatures, Some(FormFilledLater)),
            (Level::FormFilling, true, None, Signatures, None),
            (Level::FormFilling, false, Some(2), FormFilling, None),
            (Level::FormFilling, false, Some(1), FormFilling, Some(CertificationForbids)),
            (Level::FormFilling, true, None, Nothing, Some(ChangeNotAllowed)),
            (Level::Annotation, true, Some(3), FormFilling, Some(AnnotationChanged)),
            (Level::Other, true, None, FormFilling, Some(ContentChanged)),
        ] {
            let found = Found::new(1, Changed::Object, level);
            assert_eq!(refusal(&found, signed, certification, allowed), want, "{level:?} {signed} {certification:?} {allowed:?}");
            let locked = found.refused(LockedField);
            assert_eq!(refusal(&locked, signed, certification, allowed), Some(LockedField));
        }
    }
}
