//! Checking an export of the chain, or the proof in an evidence package, without a database. It trusts nothing in the
//! lines but the hash before the first of them, which it cannot know better.

use sealbridge_relying_party::chain::Walk;
use serde::Deserialize;

use super::{Checked, Link, Record};

/// A line of an export or a proof.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Line {
    Record(Box<Record>),
    Link(Link),
}

/// Checks an export or the proof of an evidence package, line by line, without a database. The first line must be a
/// whole record; the hash before it is taken as it stands.
///
/// # Errors
/// Text for the operator where a line cannot be read.
pub fn check_lines(lines: impl Iterator<Item = std::io::Result<String>>) -> Result<Checked, String> {
    let mut walk: Option<Walk> = None;
    let mut found = Checked { rows: 0, whole: 0, first: 0, head: String::new(), broken: None };
    for (number, line) in lines.enumerate() {
        let at = number.saturating_add(1);
        let line = line.map_err(|error| format!("line {at}: {error}"))?;
        if line.trim().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(&line).map_err(|_| format!("line {at}: neither a record nor a link"))?;
        let (sequence, done) = match (&line, &mut walk) {
            (Line::Record(record), walk) => {
                let walk = walk.get_or_insert_with(|| Walk::from(record.sequence, &record.previous_hash));
                if found.first == 0 {
                    found.first = record.sequence;
                }
                found.whole = found.whole.saturating_add(1);
                (record.sequence, record.step(walk))
            }
            (Line::Link(link), Some(walk)) => {
                let previous = walk.head().to_owned();
                (link.sequence, walk.step(link.sequence, &previous, &link.digest, &link.hash))
            }
            (Line::Link(_), None) => return Err("the first line is not a whole record".to_owned()),
        };
        if let Err(why) = done {
            found.broken = Some((sequence, why));
            break;
        }
    }
    let walk = walk.ok_or_else(|| "there is no record".to_owned())?;
    found.rows = walk.rows();
    walk.head().clone_into(&mut found.head);
    Ok(found)
}
