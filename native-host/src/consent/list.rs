//! A list of documents on the pages of the window: the head on every page, the tail on the last.
//!
//! Every document of a consent is shown, however many pages that takes: a list that is cut is no enumerated list. The code of
//! the whole list is on every page, so that the pages are seen to belong together.

use sealbridge_protocol::digest::{DocumentDigest, digest_code, list_input};
use sealbridge_protocol::stamp::DOCUMENTS_MAX;
use sealbridge_protocol::words::plain;
use sha2::{Digest, Sha256};

use super::{Document, PAGE_MAX, Room, escaped_length};

/// What stands around the list.
pub(super) struct Frame {
    pub(super) head: Vec<String>,
    pub(super) tail: Vec<String>,
    pub(super) zh: bool,
}

/// The code over a whole list of documents, in its order.
#[must_use]
pub fn list_code(documents: &[Document<'_>]) -> String {
    let digests: Vec<DocumentDigest> = documents.iter().map(|document| document.digest).collect();
    digest_code(&Sha256::digest(list_input(&digests)).into())
}

/// The pages of the window.
pub(super) fn pages(frame: &Frame, documents: &[Document<'_>], room: Room) -> Vec<String> {
    let zh = frame.zh;
    let mut head = frame.head.clone();
    if documents.len() > 1 {
        head.push(format!("{}{}", if zh { "清单校验码：" } else { "Code of the list: " }, list_code(documents)));
    }
    let lines: Vec<String> = documents.iter().zip(1_usize..).map(|(document, number)| line(document, number, zh, room)).collect();
    let length = |lines: &[String]| lines.iter().map(|line| escaped_length(line).saturating_add(3)).fold(0, usize::saturating_add);
    // A page takes one document at least, so there are never more pages than documents, and one for the tail.
    let (tail, numbering) = (length(&frame.tail), escaped_length(&numbering(DOCUMENTS_MAX, DOCUMENTS_MAX, zh)).saturating_add(3));
    let free = PAGE_MAX.saturating_sub(length(&head)).saturating_sub(numbering);

    // The groups of lines, each with the room it takes.
    let mut groups: Vec<(usize, Vec<String>)> = vec![(0, Vec::new())];
    for line in lines {
        let needed = length(std::slice::from_ref(&line));
        match groups.last_mut() {
            Some((used, group)) if used.saturating_add(needed) <= free || group.is_empty() => {
                *used = used.saturating_add(needed);
                group.push(line);
            }
            _ => groups.push((needed, vec![line])),
        }
    }
    if groups.last().is_some_and(|(used, _)| used.saturating_add(tail) > free) {
        groups.push((0, Vec::new()));
    }
    let count = groups.len();
    let mut pages = Vec::with_capacity(count);
    for ((_, group), number) in groups.into_iter().zip(1_usize..) {
        let mut page = head.clone();
        if count > 1 {
            page.push(self::numbering(number, count, zh));
        }
        page.extend(group);
        if number == count {
            page.extend_from_slice(&frame.tail);
        }
        pages.push(page.join("\n"));
    }
    pages
}

fn line(document: &Document<'_>, number: usize, zh: bool, room: Room) -> String {
    let (name, place) = (plain(document.name, room.document), plain(document.place, room.place));
    let (pages, code) = (document.pages, document.digest.code());
    if zh { format!("{number}. {name}（{pages} 页；{place}）校验码 {code}") } else { format!("{number}. {name} ({pages} pages; {place}) code {code}") }
}

fn numbering(number: usize, count: usize, zh: bool) -> String {
    if zh { format!("第 {number} 页，共 {count} 页") } else { format!("Page {number} of {count}") }
}
