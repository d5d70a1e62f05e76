//! A portal hands its user over, and the desk sends them back.

use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer as _;
use p256::pkcs8::{EncodePublicKey, LineEnding};
use sealbridge_reference_ca::authority::Authority;
use sealbridge_reference_ca::handover::{HANDOVER, Handover, assemble, to_be_signed};
use sealbridge_reference_ca::store::{Database, retention};

use crate::world::{Answer, Browser, CREDIT_CODE, Desk, ORGANISATION, between, filled};

const PORTAL: &str = "http://portal.localhost:8700";

struct Portal {
    key: SigningKey,
    count: u32,
}

impl Portal {
    fn new() -> Self {
        Portal { key: SigningKey::from_slice(&[9; 32]).unwrap(), count: 0 }
    }

    /// A desk that knows this portal.
    fn desk(&self) -> Desk {
        let mut desk = Desk::unstarted();
        let file = desk.folder.path().join("portal.pem");
        let public = p256::PublicKey::from(*self.key.verifying_key());
        std::fs::write(&file, public.to_public_key_pem(LineEnding::LF).unwrap()).unwrap();
        desk.options.extend(["--portal".to_owned(), format!("{PORTAL}={}", file.display())]);
        desk.up();
        desk
    }

    fn token(&mut self, desk: &Desk, business: &str, change: impl FnOnce(&mut Handover)) -> String {
        self.count += 1;
        let now = now();
        let mut claims = Handover {
            iss: PORTAL.into(),
            aud: desk.origin(),
            sub: "account-1".into(),
            jti: format!("jti-{}", self.count),
            iat: now,
            exp: now + 60,
            business: business.into(),
            institution: "netca".into(),
            unit_name: ORGANISATION.into(),
            credit_code: CREDIT_CODE.into(),
            serial: None,
            undecrypted: 0,
        };
        change(&mut claims);
        let input = to_be_signed(HANDOVER, &claims).unwrap();
        let signature: p256::ecdsa::Signature = self.key.sign(input.as_bytes());
        assemble(&input, &signature.to_bytes())
    }
}

fn now() -> i64 {
    i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// The portal's page posts, as browsers do it: from another site, so without our cookies.
fn arrive(desk: &Desk, token: &str) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("origin", PORTAL), ("sec-fetch-site", "cross-site")];
    desk.browser().send("POST", "/handover", &headers, format!("token={token}").as_bytes())
}

fn ticket(page: &Answer) -> String {
    between(&page.text(), "name=\"ticket\" value=\"", "\"").unwrap_or_else(|| panic!("{}", page.text()))
}

fn agree(browser: &mut Browser, ticket: &str) -> Answer {
    browser.post("/handover/begin", &[("ticket", ticket), ("agreement", "yes"), ("privacy", "yes")])
}

#[test]
fn handed_over_locked_and_sent_back_with_the_state() {
    let mut portal = Portal::new();
    let desk = portal.desk();
    let page = arrive(&desk, &portal.token(&desk, "new", |_| {})).expect(200);
    assert!(page.header("set-cookie").is_empty(), "nothing of a session is touched by another site's post");
    assert!(page.text().contains(ORGANISATION) && page.text().contains(CREDIT_CODE));
    let ticket = ticket(&page);
    let mut applicant = desk.browser();
    applicant.post("/handover/begin", &[("ticket", &ticket)]).refused(422, "fields-missing");
    let number = agree(&mut applicant, &ticket).expect(303).header("location").strip_prefix("/business/").unwrap().to_owned();
    // R13: unit and number come from the portal and stay.
    let page = applicant.get(&format!("/business/{number}")).expect(200).text();
    assert!(page.contains(ORGANISATION));
    applicant.post(&format!("/business/{number}/save"), &[("unitName", "另一家公司")]).refused(409, "fields-locked");
    applicant.submit(&number, &filled()).expect(303);
    assert_eq!(applicant.state(&number), "collecting");
    // Back, with a statement that the portal can check.
    let location = applicant.get(&format!("/business/{number}/back")).expect(303).header("location").to_owned();
    let token = location.strip_prefix(&format!("{PORTAL}/ca/returned?progress=")).unwrap();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let decode = |text: &str| <base64ct::Base64UrlUnpadded as base64ct::Encoding>::decode_vec(text).unwrap();
    let authority = Authority::open(&desk.data().join("ca"), "印桥测试CA", now()).unwrap();
    authority.issuing().public_key().verify(sealbridge_pki::Algorithm::Es256, input.as_bytes(), &decode(signature)).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&decode(input.split_once('.').unwrap().1)).unwrap();
    assert_eq!(
        [&claims["aud"], &claims["iss"], &claims["sub"], &claims["number"], &claims["business"], &claims["state"]],
        [PORTAL, &desk.origin(), "account-1", &number, "new", "collecting"]
    );
    assert!(claims["exp"].as_i64().unwrap() <= now() + 120);
    // R81, R100: from the portal again, in another browser, without number and code.
    let page = arrive(&desk, &portal.token(&desk, "progress", |_| {})).expect(200);
    let mut elsewhere = desk.browser();
    elsewhere.get(&format!("/business/{number}")).refused(404, "not-found");
    let ticket = self::ticket(&page);
    elsewhere.post("/handover/begin", &[("ticket", &ticket)]).expect(303);
    assert_eq!(elsewhere.state(&number), "collecting");
    // Another account's businesses are another's.
    let page = arrive(&desk, &portal.token(&desk, "progress", |claims| claims.sub = "account-2".into())).expect(200);
    let mut stranger = desk.browser();
    stranger.post("/handover/begin", &[("ticket", &self::ticket(&page))]).expect(303);
    stranger.get(&format!("/business/{number}")).refused(404, "not-found");
    // What did not come from a portal goes back to none.
    let own = applicant.begin("netca", "new");
    applicant.get(&format!("/business/{own}/back")).refused(404, "not-found");
}

#[test]
fn used_once_for_us_now_and_nothing_encrypted_left_behind() {
    let mut portal = Portal::new();
    let desk = portal.desk();
    let good = portal.token(&desk, "new", |_| {});
    let ticket = ticket(&arrive(&desk, &good).expect(200));
    arrive(&desk, &good).refused(403, "handover-refused");
    let mut applicant = desk.browser();
    agree(&mut applicant, &ticket).expect(303);
    agree(&mut applicant, &ticket).refused(403, "handover-refused");
    agree(&mut applicant, "none").refused(403, "handover-refused");
    let other = Portal { key: SigningKey::from_slice(&[10; 32]).unwrap(), count: 90 }.token(&desk, "new", |_| {});
    for token in [
        other,
        portal.token(&desk, "new", |claims| claims.aud = "http://ca.example".into()),
        portal.token(&desk, "new", |claims| (claims.iat, claims.exp) = (now() - 100, now() - 1)),
        portal.token(&desk, "new", |claims| claims.exp = now() + 3600),
        "eyJ".into(),
    ] {
        arrive(&desk, &token).refused(403, "handover-refused");
    }
    // E16, R93: the portal knows of files; after a change nobody could open them.
    let ticket = self::ticket(&arrive(&desk, &portal.token(&desk, "change", |claims| claims.undecrypted = 3)).expect(200));
    agree(&mut applicant, &ticket).refused(409, "undecrypted-files");
    let ticket = self::ticket(&arrive(&desk, &portal.token(&desk, "change", |claims| claims.serial = Some("0abc".into()))).expect(200));
    let number = agree(&mut applicant, &ticket).expect(303).header("location").strip_prefix("/business/").unwrap().to_owned();
    assert!(applicant.get(&format!("/business/{number}")).text().contains("value=\"0abc\""), "the certificate that the portal knows is filled in");
    // What this institution does not offer is told on the notice; what nobody knows is refused.
    arrive(&desk, &portal.token(&desk, "pirate", |_| {})).refused(404, "not-found");
    arrive(&desk, &portal.token(&desk, "additional", |claims| claims.institution = "szca".into())).refused(404, "not-offered");
    // At the counter only: told, and there is nothing to agree to.
    let page = arrive(&desk, &portal.token(&desk, "change", |claims| claims.institution = "guangdong".into()));
    assert!(between(&page.text(), "name=\"ticket\" value=\"", "\"").is_none());
    page.refused(409, "counter-only");
    // Many at once with one ticket: one business begins.
    let ticket = self::ticket(&arrive(&desk, &portal.token(&desk, "new", |claims| claims.sub = "account-3".into())).expect(200));
    let threads: Vec<_> = (0..6)
        .map(|_| {
            let (mut browser, ticket) = (desk.browser(), ticket.clone());
            std::thread::spawn(move || agree(&mut browser, &ticket).status)
        })
        .collect();
    let mut statuses: Vec<u16> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 403, 403, 403, 403, 403]);
    let page = arrive(&desk, &portal.token(&desk, "progress", |claims| claims.sub = "account-3".into())).expect(200);
    let mut owner = desk.browser();
    owner.post("/handover/begin", &[("ticket", &self::ticket(&page))]).expect(303);
    assert_eq!(owner.get("/").text().matches("href=\"/business/").count(), 1);
    // Every other post from another site stays refused.
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("origin", PORTAL), ("sec-fetch-site", "cross-site")];
    desk.browser().send("POST", "/handover/begin", &headers, b"ticket=x").refused(403, "cross-site-refused");
}

#[tokio::test]
async fn what_was_handed_over_is_gone_within_hours() {
    let mut portal = Portal::new();
    let desk = portal.desk();
    arrive(&desk, &portal.token(&desk, "new", |_| {})).expect(200);
    let file = desk.data().join("desk.sqlite");
    let database = Database::open(&file).await.unwrap();
    let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    // The ticket's quarter of an hour, then the rule's time.
    for (after, left) in [(0, 1), (15 * 60 + retention::HANDOVERS - 60, 1), (15 * 60 + retention::HANDOVERS + 60, 0)] {
        retention::run(&database, &desk.data().join("uploads"), now() + after).await.unwrap();
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM handovers").fetch_one(&pool).await.unwrap();
        assert_eq!(count, left, "after {after}");
    }
    pool.close().await;
    database.close().await;
}
