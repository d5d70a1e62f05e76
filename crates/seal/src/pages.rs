//! Lists of pages as people write them: `1-3,5,last`, `odd`, `2-末页`.
//!
//! It is strict: what is misspelt, empty, backwards or beyond the document is refused, never guessed.

use crate::error::StampError;

/// Longest list that is read, in bytes.
const TEXT_MAX: usize = 4_096;

/// Page indices from 0, ascending, each once, of a document of `count` pages.
///
/// Parts are separated by `,` (also `，` `、`); a part is a page counted from 1, `last` (末页), a range `2-last` (also `–` `—` `～`
/// `至`), `odd` (奇数页), `even` (偶数页) or `all` (全部).
///
/// # Errors
/// [`StampError::PagesMalformed`].
pub fn parse_pages(text: &str, count: usize) -> Result<Vec<usize>, StampError> {
    let malformed = || StampError::PagesMalformed { pages: text.chars().take(60).collect() };
    if text.len() > TEXT_MAX {
        return Err(malformed());
    }
    let mut wanted = vec![false; count];
    for part in text.split([',', '，', '、']) {
        let (first, last, step) = range(part.trim(), count).ok_or_else(malformed)?;
        for slot in wanted.get_mut(first..=last).ok_or_else(malformed)?.iter_mut().step_by(step) {
            *slot = true;
        }
    }
    let pages: Vec<usize> = wanted.iter().enumerate().filter_map(|(index, wanted)| wanted.then_some(index)).collect();
    if pages.is_empty() { Err(malformed()) } else { Ok(pages) }
}

/// First and last index and the step between them.
fn range(part: &str, count: usize) -> Option<(usize, usize, usize)> {
    let end = count.checked_sub(1)?;
    match part.to_ascii_lowercase().as_str() {
        "all" | "全部" | "所有页" => return Some((0, end, 1)),
        "odd" | "奇数页" => return Some((0, end, 2)),
        // A document of one page has no even page.
        "even" | "偶数页" => return (end >= 1).then_some((1, end, 2)),
        _ => {}
    }
    let (first, last) = part.split_once(['-', '–', '—', '－', '～', '~', '至']).unwrap_or((part, part));
    let (first, last) = (page(first.trim(), end)?, page(last.trim(), end)?);
    (first <= last).then_some((first, last, 1))
}

/// The index of one page.
fn page(text: &str, end: usize) -> Option<usize> {
    match text.to_ascii_lowercase().as_str() {
        "last" | "末页" | "最后一页" => Some(end),
        // `parse` would take a sign.
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse::<usize>().ok()?.checked_sub(1).filter(|index| *index <= end),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lists_of_pages_mean_what_people_mean_or_are_refused() {
        for (text, count, want) in [
            ("1", 1, "1"),
            ("1-3,5,last", 9, "1 2 3 5 9"),
            ("1-3，5，末页", 9, "1 2 3 5 9"),
            ("1–2、4—5、7～8、 9 至 末页", 10, "1 2 4 5 7 8 9 10"),
            ("2-last", 4, "2 3 4"),
            ("LAST", 3, "3"),
            ("odd", 5, "1 3 5"),
            ("偶数页", 5, "2 4"),
            ("all", 3, "1 2 3"),
            ("全部", 1, "1"),
            ("even,1", 4, "1 2 4"),
            ("5,1-2,2,1", 5, "1 2 5"),
            ("last-last", 2, "2"),
        ] {
            let pages = parse_pages(text, count).unwrap();
            assert_eq!(pages.iter().map(|index| (index + 1).to_string()).collect::<Vec<_>>().join(" "), want, "{text}");
        }
        let long = "1,".repeat(3_000);
        for (text, count) in [
            ("", 3),
            (",", 3),
            ("1,", 3),
            ("0", 3),
            ("4", 3),
            ("3-1", 3),
            ("2-4", 3),
            ("-1", 3),
            ("1-", 3),
            ("1-2-3", 3),
            ("+1", 3),
            ("1.5", 3),
            ("１", 3),
            ("first", 3),
            ("even", 1),
            ("all", 0),
            ("99999999999999999999999", 3),
            (long.as_str(), 3),
        ] {
            let error = parse_pages(text, count).unwrap_err();
            assert_eq!(error.code(), "pages-malformed", "{text}");
            assert!(error.facts()[0].1.chars().count() <= 60);
        }
    }

    proptest! {
        #[test]
        fn whatever_the_text_pages_are_ascending_and_in_the_document(text in "[0-9oddevnallst末页全部,，、 -]{0,20}", count in 0_usize..30) {
            if let Ok(pages) = parse_pages(&text, count) {
                prop_assert!(!pages.is_empty() && pages.is_sorted_by(|one, next| one < next) && pages.iter().all(|index| *index < count));
            }
        }

        #[test]
        fn a_list_of_numbers_gives_these_pages(wanted in proptest::collection::btree_set(1_usize..500, 1..40)) {
            let text: Vec<String> = wanted.iter().rev().map(usize::to_string).collect();
            let pages = parse_pages(&text.join(","), 500).unwrap();
            prop_assert_eq!(pages, wanted.iter().map(|page| page - 1).collect::<Vec<_>>());
        }
    }
}
