//! The account of one signature: every object that is not what it was, every reference to it, and who answers for it.
//!
//! A change is explained in one of two ways. Either its *shape* is harmless whatever refers to the object (a page whose list of
//! annotations got a signature's widget), or the object's content is its own business and *every* reference to it in the whole
//! document was claimed by a rule that knows what it is used for. A reference that no rule claimed leaves the change unexplained:
//! an object cannot be a signature's appearance here and a page's content there. That holds for what lies between as well: a list or
//! dictionary of its own that a rule passed through must not be anything else to anybody.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use sealbridge_pdf::{Dictionary, Document, Object, PdfError, Place, Prefix, Reference, Source};

use super::super::change::{Changed, Level};
use super::super::report::ProblemCode;
use super::graph::{Graph, references_in};

/// References behind references.
const HOPS: usize = 16;

/// One thing that was found, before the policy is asked.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) object: u32,
    pub(super) what: Changed,
    pub(super) level: Level,
    pub(super) page: Option<usize>,
    pub(super) field: Option<String>,
    pub(super) detail: Option<String>,
    /// Refused whatever the policy says, and why.
    pub(super) refused: Option<ProblemCode>,
}

impl Found {
    pub(super) fn new(object: u32, what: Changed, level: Level) -> Self {
        Found { object, what, level, page: None, field: None, detail: None, refused: None }
    }

    pub(super) fn on(mut self, page: Option<usize>) -> Self {
        self.page = page.map(|index| index.saturating_add(1));
        self
    }

    pub(super) fn of(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }

    pub(super) fn because(mut self, detail: impl ToString) -> Self {
        self.detail = Some(detail.to_string());
        self
    }

    pub(super) fn refused(mut self, code: ProblemCode) -> Self {
        self.refused = Some(code);
        self
    }
}

/// The document as it was signed and as it is.
pub(super) struct Ledger<'a, S: Source> {
    pub(super) then: &'a Document<Prefix<&'a S>>,
    pub(super) now: &'a Document<S>,
    graph: &'a Graph,
    /// Objects that are not what they were, and whether they were anything.
    changed: BTreeMap<u32, bool>,
    /// Changes that are explained whatever refers to the object.
    shaped: HashSet<u32>,
    claims: HashMap<(u32, u32), usize>,
    /// Objects whose references to new ones were claimed.
    walked: HashSet<u32>,
    /// Lists and dictionaries that a rule passed through on the way to what it claimed.
    through: HashSet<u32>,
    pub(super) found: Vec<Found>,
}

impl<'a, S: Source> Ledger<'a, S> {
    pub(super) fn open(then: &'a Document<Prefix<&'a S>>, now: &'a Document<S>, graph: &'a Graph) -> Result<Self, PdfError> {
        let mut ledger = Ledger {
            then,
            now,
            graph,
            changed: BTreeMap::new(),
            shaped: HashSet::new(),
            claims: HashMap::new(),
            walked: HashSet::new(),
            through: HashSet::new(),
            found: Vec::new(),
        };
        for number in graph.late.iter().copied() {
            let (was, is) = (then.place(number)?, now.place(number)?);
            if was == is {
                continue;
            }
            // What reads as unchanged to us may read otherwise to a reader that takes the first of two equal keys.
            if now.is_doubled(Reference::new(number, 0)).unwrap_or(false) {
                ledger.tell(Found::new(number, Changed::Structure, Level::Other).because("a key stands twice"));
            }
            let (was, is) = (ledger.before(number)?, ledger.after(number)?);
            if !ledger.same(&was, &is, 0)? {
                ledger.changed.insert(number, !was.is_null());
            }
        }
        Ok(ledger)
    }

    /// The object as it was; null where it cannot be read.
    pub(super) fn before(&self, number: u32) -> Result<Arc<Object>, PdfError> {
        readable(self.then.shared(Reference::new(number, 0)))
    }

    /// The object as it is.
    pub(super) fn after(&self, number: u32) -> Result<Arc<Object>, PdfError> {
        readable(self.now.shared(Reference::new(number, 0)))
    }

    /// A value as it was, references followed.
    pub(super) fn was(&self, value: &Object) -> Result<Object, PdfError> {
        readable(self.then.resolve(value).map(Arc::new)).map(|object| (*object).clone())
    }

    /// A value as it is, references followed.
    pub(super) fn is(&self, value: &Object) -> Result<Object, PdfError> {
        readable(self.now.resolve(value).map(Arc::new)).map(|object| (*object).clone())
    }

    /// A value as it is, with the object that holds it; claims the references on the way there.
    pub(super) fn follow(&mut self, holder: u32, value: &Object) -> Result<(u32, Object), PdfError> {
        let (mut holder, mut value) = (holder, value.clone());
        for _ in 0..HOPS {
            let Object::Reference(reference) = value else { return Ok((holder, value)) };
            self.pass(holder, reference.number);
            holder = reference.number;
            value = (*self.after(holder)?).clone();
        }
        Ok((holder, Object::Null))
    }

    pub(super) fn is_changed(&self, number: u32) -> bool {
        self.changed.contains_key(&number)
    }

    /// It was nothing when it was signed.
    pub(super) fn is_new(&self, number: u32) -> bool {
        self.changed.get(&number) == Some(&false)
    }

    pub(super) fn changed(&self) -> Vec<u32> {
        self.changed.keys().copied().collect()
    }

    /// Who refers to an object, whether that was claimed or not.
    pub(super) fn referrers(&self, number: u32) -> Vec<u32> {
        self.graph.referrers(number).map(|(holder, _)| holder).collect()
    }

    pub(super) fn claim(&mut self, holder: u32, number: u32) {
        *self.claims.entry((holder, number)).or_default() += 1;
    }

    /// Claims a reference to a list or dictionary that is only a step to what it holds.
    pub(super) fn pass(&mut self, holder: u32, number: u32) {
        self.claim(holder, number);
        self.through.insert(number);
    }

    /// Claims what an object refers to as far as that is new, and what those refer to.
    pub(super) fn claim_new(&mut self, number: u32) -> Result<(), PdfError> {
        let mut open = vec![number];
        while let Some(holder) = open.pop() {
            if !self.walked.insert(holder) {
                continue;
            }
            let mut references = Vec::new();
            references_in(&*self.after(holder)?, &mut references);
            for next in references {
                if self.is_new(next) {
                    self.claim(holder, next);
                    open.push(next);
                }
            }
        }
        Ok(())
    }

    /// The change of this object is explained whatever refers to it.
    pub(super) fn shape(&mut self, number: u32) {
        self.shaped.insert(number);
    }

    pub(super) fn tell(&mut self, found: Found) {
        self.found.push(found);
    }

    /// Changed objects that nobody answers for.
    pub(super) fn unexplained(&self) -> Vec<u32> {
        self.changed.keys().filter(|number| !self.shaped.contains(number) && !self.is_claimed(**number, HOPS)).copied().collect()
    }

    /// Something that was there was written anew, and whether that is explained hangs on who refers to it.
    pub(super) fn leans_on_references(&self) -> bool {
        self.changed.iter().any(|(number, was)| *was && !self.shaped.contains(number))
    }

    /// Every reference to the object was claimed, and whatever lies on the way to it is used for nothing else.
    fn is_claimed(&self, number: u32, hops: usize) -> bool {
        let Some(hops) = hops.checked_sub(1) else { return false };
        let mut referrers = self.graph.referrers(number).peekable();
        referrers.peek().is_some()
            && referrers.all(|(holder, count)| {
                let is_step = self.through.contains(&holder) && !self.changed.contains_key(&holder) && !self.shaped.contains(&holder);
                self.claims.get(&(holder, number)).is_some_and(|claimed| *claimed >= count) && (!is_step || self.is_claimed(holder, hops))
            })
    }

    /// Keys whose values are written differently. A reference to the same object is the same, whatever became of the object.
    pub(super) fn differing(&self, was: &Dictionary, is: &Dictionary) -> Result<Vec<String>, PdfError> {
        let mut keys: Vec<String> = Vec::new();
        for (key, value) in is.iter() {
            let key = key.to_text();
            if !self.same(was.value(&key), value, 0)? {
                keys.push(key);
            }
        }
        for (key, value) in was.iter() {
            let key = key.to_text();
            if !value.is_null() && !is.has(&key) && !keys.contains(&key) {
                keys.push(key);
            }
        }
        Ok(keys)
    }

    /// Whether a value as it was and one as it is are the same. References are compared by number.
    pub(super) fn same(&self, was: &Object, is: &Object, depth: usize) -> Result<bool, PdfError> {
        if depth > 64 {
            return Ok(false);
        }
        Ok(match (was, is) {
            (Object::Reference(was), Object::Reference(is)) => was.number == is.number,
            (Object::Array(was), Object::Array(is)) => {
                if was.len() != is.len() {
                    return Ok(false);
                }
                for (was, is) in was.iter().zip(is) {
                    if !self.same(was, is, depth + 1)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Object::Dictionary(was), Object::Dictionary(is)) => self.same_entries(was, is, &[], depth)?,
            (Object::Stream(one), Object::Stream(other)) => {
                self.same_entries(&one.dictionary, &other.dictionary, &["Length"], depth)? && self.then.raw_stream(one)? == self.now.raw_stream(other)?
            }
            (Object::String(was), Object::String(is)) => was.bytes == is.bytes,
            (Object::Integer(_) | Object::Real(_), Object::Integer(_) | Object::Real(_)) => was.as_number() == is.as_number(),
            // A value that was written in place may have become an object of its own.
            (_, Object::Reference(_)) if !matches!(was, Object::Null) => {
                let is = self.is(is)?;
                !matches!(is, Object::Reference(_) | Object::Stream(_)) && self.same(was, &is, depth + 1)?
            }
            (was, is) => was == is,
        })
    }

    fn same_entries(&self, was: &Dictionary, is: &Dictionary, except: &[&str], depth: usize) -> Result<bool, PdfError> {
        let count = |dictionary: &Dictionary| dictionary.iter().filter(|(key, value)| !value.is_null() && !except.contains(&key.to_text().as_str())).count();
        if count(was) != count(is) {
            return Ok(false);
        }
        for (key, value) in is.iter() {
            let key = key.to_text();
            if !except.contains(&key.as_str()) && !self.same(was.value(&key), value, depth + 1)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Objects of the signed state that were object streams, and were written anew.
    pub(super) fn replaced_packs(&self, from: u64) -> Result<Vec<u32>, PdfError> {
        let mut replaced = Vec::new();
        for number in self.now.changed_after(from)? {
            if matches!(self.then.place(number)?, Place::File(_))
                && self.before(number)?.as_dictionary().is_some_and(|dictionary| dictionary.is("Type", "ObjStm"))
            {
                replaced.push(number);
            }
        }
        Ok(replaced)
    }
}

/// A dictionary that is no stream: what draws nothing by itself.
pub(super) fn plain(object: &Object) -> Option<&Dictionary> {
    if let Object::Dictionary(dictionary) = object { Some(dictionary) } else { None }
}

/// Damage is nothing there; any other failure stays one.
fn readable(read: Result<Arc<Object>, PdfError>) -> Result<Arc<Object>, PdfError> {
    match read {
        Err(PdfError::Damaged { .. } | PdfError::Truncated | PdfError::Missing { .. }) => Ok(Arc::new(Object::Null)),
        read => read,
    }
}
