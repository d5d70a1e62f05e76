//! Personal data: nowhere in the clear on the disk, in no log, in no address, and gone when its time is over.

use sealbridge_reference_ca::store::{Database, retention};

use crate::world::{Desk, SCAN, files};

const SECRETS: [&str; 4] = ["欧阳测试", "11010519491231002X", "13800138000", "深圳市南山区收件路2号"];

#[test]
fn nothing_personal_lies_in_the_clear() {
    let desk = Desk::start();
    let mut applicant = desk.browser();
    let number = applicant.apply();
    let mut one = desk.officer(0);
    // A note of an officer may name somebody too.
    one.decide(&number, "return", "请欧阳测试补签").expect(303);
    let page = one.get(&format!("/office/business/{number}")).expect(200);
    assert!(SECRETS.iter().all(|secret| page.text().contains(secret)), "an officer sees what was typed");
    assert_eq!(page.header("cache-control"), "no-store");
    let mut looked = 0;
    for file in files(desk.folder.path()) {
        if file.ends_with("ca") {
            continue;
        }
        let bytes = std::fs::read(&file).unwrap();
        looked += 1;
        for secret in SECRETS.iter().map(|secret| secret.as_bytes()).chain([SCAN]) {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret), "{} holds {}", file.display(), String::from_utf8_lossy(secret));
        }
    }
    assert!(looked >= 7, "database, log, key and uploads: {looked}");
    assert_eq!(std::fs::read_dir(desk.data().join("uploads")).unwrap().count(), 4);
    assert!(desk.log().contains(&number), "the log says what happened, by number");
}

#[tokio::test]
async fn the_retention_rule_takes_files_and_then_what_was_typed() {
    let desk = Desk::start();
    let mut applicant = desk.browser();
    let number = applicant.apply();
    applicant.act(&number, "withdraw", &[]).expect(303);
    let database = Database::open(&desk.data().join("desk.sqlite")).await.unwrap();
    let folder = desk.data().join("uploads");
    let now = i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let count = || std::fs::read_dir(&folder).unwrap().count();
    for (after, files, typed) in [(0, 4, true), (retention::FILES - 60, 4, true), (retention::FILES + 60, 0, true), (retention::FIELDS + 60, 0, false)] {
        retention::run(&database, &folder, now + after).await.unwrap();
        let page = applicant.get(&format!("/business/{number}")).expect(200).text();
        assert_eq!((count(), page.contains("13800138000")), (files, typed), "after {after}");
    }
    database.close().await;
}
