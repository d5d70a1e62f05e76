//! What the portal refuses, with tokens that a real browser and a real key made: used twice, from another session, for
//! another account, of another portal, from a certificate it must not take.

use sealbridge_e2e::bidi::{Driven, failed};
use sealbridge_e2e::browser::Kind;
use sealbridge_e2e::site::Site;
use sealbridge_e2e::world::{Plan, World, built};
use serde_json::json;

use crate::stage::{self, expect, in_both_browsers};

in_both_browsers! {
    token_is_good_once ["the portal decides, whatever the browser"];
    nonce_of_another_session_is_unknown ["the portal decides, whatever the browser"];
    login_token_does_not_bind ["the portal decides, whatever the browser"];
    token_of_another_portal_is_refused ["the portal decides, whatever the browser"];
    certificate_has_one_account ["the portal decides, whatever the browser"];
    credit_code_must_match ["the portal decides, whatever the browser"];
    unbound_certificate_does_not_log_in ["the portal decides, whatever the browser"];
    certificate_of_another_ca_is_untrusted(|plan: &mut Plan| plan.variant = "other-ca".into()) ["the portal decides, whatever the browser"];
    unsigned_form_is_no_bid ["the portal decides, whatever the browser"];
    challenge_that_was_answered_too_late ["the portal decides, whatever the browser"];
}

fn code(answer: &serde_json::Value) -> String {
    answer["body"]["code"].as_str().unwrap_or("no code").to_owned()
}

fn token_is_good_once(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::bound(world, kind)?;
    supplier.sign_out()?;
    let token = supplier.login_token()?;
    let first = supplier.post("/api/login", &json!({"token": token}))?;
    expect(&first["status"].as_u64(), &Some(200), "the first use")?;
    supplier.go("/login")?;
    let second = supplier.post("/api/login", &json!({"token": token}))?;
    expect(&code(&second), &"nonce-used".to_owned(), "the second use")
}

fn nonce_of_another_session_is_unknown(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::bound(world, kind)?;
    // The challenge belongs to the session that asked; signing out ends it.
    let token = supplier.login_token()?;
    supplier.sign_out()?;
    let answer = supplier.post("/api/login", &json!({"token": token}))?;
    expect(&code(&answer), &"nonce-unknown".to_owned(), "a token for another session's challenge")
}

fn login_token_does_not_bind(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::supplier(world, kind)?;
    supplier.sign_in()?;
    supplier.go("/ca")?;
    let nonce = supplier.challenge("bind")?;
    let answer = supplier.page_call(&format!("client.login({{challenge: {}}})", json!(nonce)))?;
    let refused = supplier.post("/api/bind", &json!({"token": answer["ok"]["token"]}))?;
    expect(&code(&refused), &"token-type".to_owned(), "a login token where a bind token belongs")
}

fn token_of_another_portal_is_refused(world: &World, kind: Kind) -> Driven<()> {
    let other = Site::open(&[("/", "<!doctype html><title>another portal</title>")])?;
    let mut supplier = stage::bound(world, kind)?;
    supplier.sign_out()?;
    // The other portal passes our challenge on to its own visitor: what it gets signed names itself, not us.
    let nonce = supplier.challenge("login")?;
    let elsewhere = supplier.browser.open(&format!("http://localhost:{}/", other.port))?;
    let answer = supplier
        .browser
        .evaluate(&elsewhere, &format!("(async () => {{ const client = await (await import('/client/sealbridge.js')).connect(); return (await client.login({{challenge: {}}})).token; }})()", json!(nonce)))?;
    supplier.browser.close_tab(&elsewhere)?;
    let tab = supplier.tab.clone();
    supplier.browser.activate(&tab)?;
    let refused = supplier.post("/api/login", &json!({"token": answer}))?;
    expect(&code(&refused), &"audience-mismatch".to_owned(), "a token for another portal")
}

fn certificate_has_one_account(world: &World, kind: Kind) -> Driven<()> {
    let organisation = world.plan.organisation.clone();
    world.add_account("supplier-2", "Portal-24680", &organisation.name, &organisation.credit_code)?;
    let mut supplier = stage::bound(world, kind)?;
    supplier.sign_out()?;
    supplier.sign_in_as("supplier-2", "Portal-24680")?;
    expect(&supplier.bind_refused()?, &"certificate-already-bound".to_owned(), "the same certificate for a second account")
}

fn credit_code_must_match(world: &World, kind: Kind) -> Driven<()> {
    world.add_account("other", "Portal-24680", "测试另一家有限公司", "91440300MA5TEXY110")?;
    let mut supplier = stage::supplier(world, kind)?;
    supplier.sign_in_as("other", "Portal-24680")?;
    expect(&supplier.bind_refused()?, &"credit-code-mismatch".to_owned(), "a certificate with another credit code")
}

fn unbound_certificate_does_not_log_in(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::supplier(world, kind)?;
    expect(&supplier.log_in_refused()?, &"not-bound".to_owned(), "a key that is bound to no account")
}

fn certificate_of_another_ca_is_untrusted(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::supplier(world, kind)?;
    supplier.sign_in()?;
    expect(&supplier.bind_refused()?, &"certificate-untrusted".to_owned(), "a certificate of another CA")
}

fn unsigned_form_is_no_bid(world: &World, kind: Kind) -> Driven<()> {
    let mut supplier = stage::bound(world, kind)?;
    let blank = crate::story::blank_form(world, &mut supplier)?;
    supplier.browser.choose_files(&supplier.tab.clone(), "#own-file", &[&blank])?;
    supplier.wait("!document.querySelector('#upload-own').disabled")?;
    supplier.browser.click(&supplier.tab.clone(), "#upload-own")?;
    let verdict = supplier.verdict()?;
    // Judged and refused for what it lacks; a failure on the way to the verdict would not do.
    expect(&verdict.accepted, &false, "an unsigned form")?;
    if verdict.sentences.iter().any(|sentence| sentence.contains("没有任何签章")) { Ok(()) } else { failed(format!("{verdict:?}")) }
}

fn challenge_that_was_answered_too_late(world: &World, kind: Kind) -> Driven<()> {
    let portal = world.with_portal(std::process::Command::new(built("reference-portal")?), &["--challenge-seconds", "5"])?;
    let late = format!("wait:7000:{}", portal.plan.pin);
    let in_time = portal.plan.pin.clone();
    let mut supplier = stage::supplier(&portal, kind)?;
    supplier.sign_in()?;
    portal.answer(std::slice::from_ref(&late))?;
    expect(&supplier.bind_refused()?, &"nonce-expired".to_owned(), "a binding that took too long")?;
    let said = supplier.browser.evaluate(&supplier.tab.clone(), "document.querySelector('#bind-status').innerText")?;
    if !said.as_str().is_some_and(|said| said.contains("5 秒")) {
        return failed(format!("the words do not name the time: {said}"));
    }
    // The PIN was right, and was given too late; the next one in time does.
    portal.answer(std::slice::from_ref(&in_time))?;
    supplier.bind()?;
    supplier.sign_out()?;
    portal.answer(&[late])?;
    expect(&supplier.log_in_refused()?, &"nonce-expired".to_owned(), "a login that took too long")?;
    portal.answer(&[in_time])?;
    supplier.log_in()
}
