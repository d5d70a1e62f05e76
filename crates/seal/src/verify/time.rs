//! When a signature says it was made, and whether that can be so.
//!
//! Nobody but the signer vouches for the time: timestamps are not judged here. What can be judged is whether the signer's two
//! statements agree, and whether the time lies between those that the caller knows.

use super::Policy;
use super::integrity::{explained, problem};
use super::report::{Problem, ProblemCode};

/// How far a stated time may lie ahead of `now`, in seconds: clocks differ.
const AHEAD: i64 = 600;
/// How far the two statements of one signature may differ, in seconds: a person may hesitate at the PIN between them.
const APART: i64 = 300;
/// How far local times may be from UTC, in seconds.
const ZONES: i64 = 14 * 3_600;

/// The stated time that counts, in Unix seconds: `/M`, else the signing-time attribute. `modified` is the text of `/M`.
pub(super) fn judge(modified: Option<&str>, attribute: Option<i64>, policy: &Policy<'_>, problems: &mut Vec<Problem>) -> Option<i64> {
    let stated = modified.and_then(|text| Some((crate::time::parse_pdf(text)?, names_zone(text))));
    let mut stated_time = stated.map(|(time, _)| time).or(attribute);
    if let (Some((time, zone)), Some(attribute)) = (stated, attribute) {
        // A PDF date without a zone is somebody's local time (ISO 32000-2, 7.9.4); the attribute then says which.
        let apart = if zone { APART } else { APART + ZONES };
        if time.abs_diff(attribute) > apart.unsigned_abs() {
            let both = format!("{} in the document, {} in the signature", crate::time::moment(time), crate::time::moment(attribute));
            problems.push(explained(ProblemCode::TimeMismatch, both));
        } else if !zone {
            stated_time = Some(attribute);
        }
    }
    let Some(time) = stated_time else {
        problems.push(problem(ProblemCode::NoTime));
        return None;
    };
    problems.push(problem(ProblemCode::ClaimedTime));
    if time > policy.now.saturating_add(AHEAD) {
        problems.push(explained(ProblemCode::FutureTime, crate::time::moment(time)));
    }
    let early = policy.signed_not_before.filter(|earliest| time < *earliest);
    let late = policy.signed_not_after.filter(|latest| time > *latest);
    if let Some(bound) = early.or(late) {
        let detail = format!("{} is {} {}", crate::time::moment(time), if early.is_some() { "before" } else { "after" }, crate::time::moment(bound));
        problems.push(explained(ProblemCode::TimeOutOfWindow, detail));
    }
    Some(time)
}

/// Whether a PDF date says which zone its time is of.
fn names_zone(text: &str) -> bool {
    text.strip_prefix("D:").unwrap_or(text).contains(['Z', '+', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_240_403; // 2026-11-21 05:53:23 UTC

    #[test]
    fn stated_times() {
        let window = Policy { now: NOW, signed_not_before: Some(NOW - 3_600), signed_not_after: Some(NOW + 60), ..Policy::default() };
        let open = Policy { now: NOW, ..Policy::default() };
        let years_ago = NOW - 3 * 365 * 86_400;
        for (modified, attribute, policy, time, codes) in [
            (Some("D:20261121055323Z"), None, &open, Some(NOW), &[ProblemCode::ClaimedTime][..]),
            (Some("D:20261121055323Z"), Some(NOW + 300), &open, Some(NOW), &[ProblemCode::ClaimedTime]),
            (Some("D:20261121055323Z"), Some(NOW + 301), &open, Some(NOW), &[ProblemCode::TimeMismatch, ProblemCode::ClaimedTime]),
            (Some("D:20261121055323Z"), Some(NOW - 301), &open, Some(NOW), &[ProblemCode::TimeMismatch, ProblemCode::ClaimedTime]),
            (Some("D:20261121055323Z"), Some(i64::MIN), &open, Some(NOW), &[ProblemCode::TimeMismatch, ProblemCode::ClaimedTime]),
            // Local time in Shenzhen, once with its zone and once without.
            (Some("D:20261121135323+08'00'"), Some(NOW), &open, Some(NOW), &[ProblemCode::ClaimedTime]),
            (Some("D:20261121135323"), Some(NOW), &open, Some(NOW), &[ProblemCode::ClaimedTime]),
            (Some("D:20261119135323"), Some(NOW), &open, Some(NOW - 40 * 3_600), &[ProblemCode::TimeMismatch, ProblemCode::ClaimedTime]),
            (Some("yesterday"), Some(NOW), &open, Some(NOW), &[ProblemCode::ClaimedTime]),
            (None, None, &window, None, &[ProblemCode::NoTime]),
            (Some("D:20261121060323Z"), None, &open, Some(NOW + 600), &[ProblemCode::ClaimedTime]),
            (None, Some(NOW + 601), &open, Some(NOW + 601), &[ProblemCode::ClaimedTime, ProblemCode::FutureTime]),
            (None, Some(NOW - 3_600), &window, Some(NOW - 3_600), &[ProblemCode::ClaimedTime]),
            (None, Some(NOW + 60), &window, Some(NOW + 60), &[ProblemCode::ClaimedTime]),
            (None, Some(NOW - 3_601), &window, Some(NOW - 3_601), &[ProblemCode::ClaimedTime, ProblemCode::TimeOutOfWindow]),
            (None, Some(NOW + 61), &window, Some(NOW + 61), &[ProblemCode::ClaimedTime, ProblemCode::TimeOutOfWindow]),
            (None, Some(years_ago), &window, Some(years_ago), &[ProblemCode::ClaimedTime, ProblemCode::TimeOutOfWindow]),
        ] {
            let mut problems = Vec::new();
            assert_eq!(judge(modified, attribute, policy, &mut problems), time, "{modified:?} {attribute:?}");
            let found: Vec<_> = problems.iter().map(|problem| problem.code).collect();
            assert_eq!(found, codes, "{modified:?} {attribute:?}");
        }
    }
}
