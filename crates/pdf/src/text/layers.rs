//! Which optional content a viewer shows at first (ISO 32000-2, 8.11): the document's default configuration.
//!
//! Visibility expressions (`/VE`) and usage (print, export) are not read; groups without an answer are shown.

use std::collections::HashSet;

use super::tally::Tally;
use crate::error::Result;
use crate::object::{Object, Reference};
use crate::source::Source;

/// The groups that are off.
#[derive(Debug, Default)]
pub(super) struct Layers {
    off: HashSet<Reference>,
}

impl Layers {
    pub(super) fn read<S: Source>(tally: &Tally<'_, S>) -> Result<Self> {
        let mut layers = Layers::default();
        let catalog = tally.document.catalog()?;
        let properties = tally.seek(&catalog, "OCProperties")?;
        let Some(properties) = properties.as_dictionary() else { return Ok(layers) };
        let default = tally.seek(properties, "D")?;
        let Some(default) = default.as_dictionary() else { return Ok(layers) };
        let list = |dictionary, key| -> Result<Vec<Reference>> {
            let groups = tally.seek(dictionary, key)?;
            Ok(groups.as_array().unwrap_or_default().iter().filter_map(Object::as_reference).collect())
        };
        if default.is("BaseState", "OFF") {
            layers.off.extend(list(properties, "OCGs")?);
        }
        layers.off.extend(list(default, "OFF")?);
        for group in list(default, "ON")? {
            layers.off.remove(&group);
        }
        Ok(layers)
    }

    /// True where a group, or a membership dictionary by its policy, is off.
    pub(super) fn hides<S: Source>(&self, tally: &Tally<'_, S>, group: &Object) -> Result<bool> {
        if self.off.is_empty() || group.is_null() {
            return Ok(false);
        }
        if group.as_reference().is_some_and(|reference| self.off.contains(&reference)) {
            return Ok(true);
        }
        let membership = tally.look(group)?;
        let Some(membership) = membership.as_dictionary().filter(|membership| membership.is("Type", "OCMD")) else { return Ok(false) };
        let groups = membership.value("OCGs");
        let held = tally.look(groups)?;
        let members = held.as_array().unwrap_or(std::slice::from_ref(groups));
        tally.walk(members.len())?;
        let mut on = members.iter().filter_map(Object::as_reference).map(|member| !self.off.contains(&member)).peekable();
        if on.peek().is_none() {
            return Ok(false);
        }
        Ok(match membership.value("P").as_name().unwrap_or(b"AnyOn") {
            b"AllOn" => !on.all(|on| on),
            b"AnyOff" => on.all(|on| on),
            b"AllOff" => on.any(|on| on),
            _ => !on.any(|on| on),
        })
    }
}
