//! A dictionary that keeps the order of its entries (7.3.7).
//!
//! Lookup is linear: dictionaries of documents are small, and the large ones are walked. Reading removes doubled keys
//! (the last one counts) before a dictionary exists, so a key is here at most once.

use std::collections::HashMap;

use super::{Name, Object};

/// Keys and values in the order of the file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dictionary {
    entries: Vec<(Name, Object)>,
}

impl Dictionary {
    /// An empty dictionary.
    pub fn new() -> Self {
        Dictionary::default()
    }

    /// A dictionary with `/Type` set.
    pub fn typed(kind: &str) -> Self {
        Dictionary::new().with("Type", Object::name(kind))
    }

    /// The value of a key; a key whose value is `null` is absent.
    pub fn get(&self, key: &str) -> Option<&Object> {
        self.entries.iter().find(|(name, _)| name.0 == key.as_bytes()).map(|(_, value)| value).filter(|value| !value.is_null())
    }

    /// The value of a key, or `null`.
    pub fn value(&self, key: &str) -> &Object {
        self.get(key).unwrap_or(&Object::Null)
    }

    /// The value of a key, to change it in place.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Object> {
        self.entries.iter_mut().find(|(name, _)| name.0 == key.as_bytes()).map(|(_, value)| value)
    }

    /// Sets a key: in its place where it exists, else at the end.
    pub fn set(&mut self, key: &str, value: impl Into<Object>) {
        let value = value.into();
        match self.get_mut(key) {
            Some(place) => *place = value,
            None => self.entries.push((Name::new(key), value)),
        }
    }

    /// [`Dictionary::set`] with a key that need not be text.
    pub(crate) fn set_name(&mut self, key: &Name, value: Object) {
        match self.entries.iter_mut().find(|(name, _)| name == key) {
            Some((_, place)) => *place = value,
            None => self.entries.push((key.clone(), value)),
        }
    }

    /// [`Dictionary::set`] for building in one expression.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Object>) -> Self {
        self.set(key, value);
        self
    }

    /// Removes a key and gives its value.
    pub fn remove(&mut self, key: &str) -> Option<Object> {
        let at = self.entries.iter().position(|(name, _)| name.0 == key.as_bytes())?;
        Some(self.entries.remove(at).1)
    }

    /// True where a key is set to something other than `null`.
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// True where `key` holds the name `name`.
    pub fn is(&self, key: &str, name: &str) -> bool {
        self.value(key).as_name() == Some(name.as_bytes())
    }

    /// Entries in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &Object)> {
        self.entries.iter().map(|(name, value)| (name, value))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&Name, &mut Object)> {
        self.entries.iter_mut().map(|(name, value)| (&*name, value))
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True without entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// From entries as read: of a doubled key the last value stays, at the place of the first. Says whether any was doubled so that readers
    /// may differ: the same value twice is one value, and whether a signature calls itself `/Sig` or `/DocTimeStamp` decides nothing.
    pub(crate) fn from_entries(entries: Vec<(Name, Object)>) -> (Self, bool) {
        let doubled = if entries.len() <= 24 {
            entries.iter().enumerate().any(|(at, (name, _))| entries.iter().take(at).any(|(earlier, _)| earlier == name))
        } else {
            let mut seen = std::collections::HashSet::with_capacity(entries.len());
            entries.iter().any(|(name, _)| !seen.insert(&name.0))
        };
        if !doubled {
            return (Dictionary { entries }, false);
        }
        let mut places: HashMap<Name, usize> = HashMap::with_capacity(entries.len());
        let mut kept: Vec<(Name, Object)> = Vec::with_capacity(entries.len());
        let mut differ = false;
        for (name, value) in entries {
            match places.get(&name).and_then(|at| kept.get_mut(*at)) {
                Some(place) => {
                    differ |= place.1 != value && !(name.as_bytes() == b"Type" && is_kind_of_signature(&place.1) && is_kind_of_signature(&value));
                    place.1 = value;
                }
                None => {
                    places.insert(name.clone(), kept.len());
                    kept.push((name, value));
                }
            }
        }
        (Dictionary { entries: kept }, differ)
    }
}

/// `/Type` of a signature dictionary (Table 255); what it is, its `/SubFilter` says.
fn is_kind_of_signature(kind: &Object) -> bool {
    matches!(kind.as_name(), Some(b"Sig" | b"DocTimeStamp"))
}

impl FromIterator<(Name, Object)> for Dictionary {
    fn from_iter<I: IntoIterator<Item = (Name, Object)>>(entries: I) -> Self {
        Dictionary::from_entries(entries.into_iter().collect()).0
    }
}
