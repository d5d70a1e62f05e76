//! Two at once, and one who clicks twice.

use std::thread;

use base64ct::{Base64, Encoding};
use serde_json::json;

use crate::world::{Browser, Desk, Key, between, through_review};

#[test]
fn a_double_click_does_it_once() {
    let desk = Desk::start();
    let mut applicant = desk.browser();
    let number = applicant.apply();
    let mut one = desk.officer(0);
    let revision = between(&one.get(&format!("/office/business/{number}")).text(), "name=\"revision\" value=\"", "\"").unwrap();
    let fields = [("revision", revision.as_str())];
    let path = format!("/office/business/{number}/act/accept");
    one.post(&path, &fields).expect(303);
    one.post(&path, &fields).refused(409, "changed-meanwhile");
    let page = one.get(&format!("/office/business/{number}")).text();
    assert_eq!(page.matches("<b>初审通过</b>").count(), 1);
}

#[test]
fn of_many_who_decide_at_once_one_does() {
    let desk = Desk::start();
    let mut applicant = desk.browser();
    for _ in 0..3 {
        let number = applicant.apply();
        let officers = [desk.officer(0), desk.officer(1)];
        let revision = between(&officers[0].clone().get(&format!("/office/business/{number}")).text(), "name=\"revision\" value=\"", "\"").unwrap();
        let threads: Vec<_> = (0..8)
            .map(|index| {
                let (mut browser, number, revision): (Browser, _, _) = (officers[index % 2].clone(), number.clone(), revision.clone());
                let act = if index < 4 { "accept" } else { "return" };
                thread::spawn(move || browser.post(&format!("/office/business/{number}/act/{act}"), &[("revision", &revision), ("note", "原因")]).status)
            })
            .collect();
        let statuses: Vec<u16> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 303 | 409)), "{statuses:?}");
    }
}

#[test]
fn one_grant_makes_one_certificate_however_often_it_is_brought() {
    let desk = Desk::start();
    let mut applicant = desk.browser();
    let number = applicant.apply();
    through_review(&desk, &number);
    let facts = applicant.get(&format!("/api/business/{number}")).expect(200).json();
    let request = Base64::encode_string(&Key::new(9).request(&facts));
    let grant = applicant.call(&format!("/api/business/{number}/grant"), &json!({ "request": request })).expect(200).json();
    let body = json!({ "request": request, "grant": grant["grant"] });
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (mut browser, path, body) = (applicant.clone(), format!("/api/business/{number}/activate"), body.clone());
            thread::spawn(move || browser.call(&path, &body).expect(200).json()["certificate"].as_str().unwrap().to_owned())
        })
        .collect();
    let mut certificates: Vec<String> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    certificates.sort();
    certificates.dedup();
    assert_eq!(certificates.len(), 1);
}

#[test]
fn numbers_are_unique_when_many_begin_at_once() {
    let desk = Desk::start();
    let threads: Vec<_> = (0..6)
        .map(|_| {
            let mut browser = desk.browser();
            thread::spawn(move || (0..4).map(|_| browser.begin("netca", "new")).collect::<Vec<_>>())
        })
        .collect();
    let mut numbers: Vec<String> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 24);
}
