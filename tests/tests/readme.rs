//! The example for portal developers in the repository's README, taken from there and run as it stands: a page of somebody
//! else's portal, a click, a PIN, and a token for that portal at its server.

use base64ct::{Base64UrlUnpadded, Encoding};
use sealbridge_e2e::bidi::{DriveError, Driven, failed};
use sealbridge_e2e::browser::Kind;
use sealbridge_e2e::judges::{self, Opinion};
use sealbridge_e2e::site::Site;
use sealbridge_e2e::world::{PATIENCE, World};
use serde_json::{Value, json};

use crate::stage::{expect, in_both_browsers};

in_both_browsers! {
    example_in_the_readme_runs;
}

const README: &str = include_str!("../../README.md");
const CHALLENGE: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";

fn example_in_the_readme_runs(world: &World, kind: Kind) -> Driven<()> {
    let Some((page, _)) = README.split_once("```html\n").and_then(|(_, rest)| rest.split_once("\n```")) else {
        return failed("the README has no html block");
    };
    let challenge = json!({"challenge": CHALLENGE}).to_string();
    let site = Site::open_with_answers(&[("/", page)], &[("/api/challenge", &challenge), ("/api/login", "{}")])?;
    let origin = format!("http://localhost:{}", site.port);
    let mut browser = world.browser(kind, true)?;
    let tab = browser.open(&format!("{origin}/"))?;
    browser.wait(&tab, "typeof document.querySelector('#login')?.onclick === 'function'", PATIENCE)?;

    // A visitor who closes the PIN window is told so by the example's own words, and nothing is posted.
    world.answer(&["cancel".into(), world.plan.pin.clone()])?;
    browser.evaluate(&tab, "(() => { window.alert = said => { window.__said = said; }; })()")?;
    browser.click(&tab, "#login")?;
    let said = browser.wait(&tab, "window.__said", PATIENCE)?;
    let lines: Vec<&str> = said.as_str().unwrap_or_default().lines().filter(|line| !line.is_empty() && *line != "undefined").collect();
    if lines.len() != 2 || !lines.iter().any(|line| line.contains("取消")) {
        return failed(format!("after a cancelled PIN window the example says {said}"));
    }
    if !world.pinentry_log()?.contains("ANSWER cancel") {
        return failed(format!("no PIN window was cancelled, and still the example says {said}"));
    }
    expect(&site.posted("/api/login"), &Vec::new(), "what was posted after a cancelled login")?;

    browser.evaluate(&tab, "(() => { window.__before = true; })()")?;
    browser.click(&tab, "#login")?;
    // The example goes to the portal's front page, here itself, after its server has answered.
    browser.wait(&tab, "window.__before === undefined && location.pathname === '/'", PATIENCE)?;
    expect(&site.posted("/api/challenge").len(), &2, "challenges asked for")?;
    let posted = site.posted("/api/login");
    let [body] = posted.as_slice() else { return failed(format!("{} tokens were posted", posted.len())) };
    let body: Value = serde_json::from_str(body).map_err(|error| DriveError(format!("the example posts no JSON: {error}: {body}")))?;
    let token = body["token"].as_str().unwrap_or_default();
    let parts: Vec<&str> = token.split('.').collect();
    let [_, claims, _] = parts.as_slice() else { return failed(format!("no three-part token: {body}")) };
    let claims = Base64UrlUnpadded::decode_vec(claims).map_err(|error| DriveError(format!("the claims are no base64url: {error}")))?;
    let claims: Value = serde_json::from_slice(&claims).map_err(|error| DriveError(format!("the claims are no JSON: {error}")))?;
    expect(&claims["aud"].as_str(), &Some(origin.as_str()), "whom the token is for")?;
    expect(&claims["nonce"].as_str(), &Some(CHALLENGE), "which challenge was signed")?;
    match judges::jose(token)? {
        Opinion::Accepts => Ok(()),
        Opinion::Absent => {
            eprintln!("skipped: python3 with jwcrypto is not installed");
            Ok(())
        }
        Opinion::Refuses(said) => failed(format!("the JOSE library refuses: {said}")),
    }
}
