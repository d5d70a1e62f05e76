//! Portals that an administrator's policy names: in the popup they say so, the user cannot take them off, and they work as the
//! bundled ones do once the browser has the user's permission. The extension here is one that names no portal itself.

use std::path::{Path, PathBuf};

use sealbridge_e2e::bidi::{Driven, failed};
use sealbridge_e2e::browser::{Browser, Kind, Tab};
use sealbridge_e2e::site::Site;
use sealbridge_e2e::unpacked;
use sealbridge_e2e::world::{PATIENCE, World};
use serde_json::json;

use crate::stage::{expect, play};

#[test]
fn policy_in_firefox() {
    play("a policy's portals", Kind::Firefox, |_| (), |world, _| firefox(world));
}

#[test]
fn policy_in_chromium() {
    play("a policy's portals", Kind::Chromium, |_| (), |world, _| chromium(world));
}

/// What the administrators wrote; the last three are no portals and count for nothing.
const LIST: [&str; 4] = ["http://localhost/*", "https://*/*", "*://bid.example.cn/*", "http://bid.example.cn/*"];

fn firefox(world: &World) -> Driven<()> {
    let policies = world.home.join(".mozilla/managed-storage");
    std::fs::create_dir_all(&policies)?;
    let id = "sealbridge@sealbridge.org";
    let policy = json!({"name": id, "description": "portals", "type": "storage", "data": {"portals": LIST}});
    std::fs::write(policies.join(format!("{id}.json")), policy.to_string())?;
    let extension = unpacked::without_portals(Kind::Firefox, &world.plan.folder)?;
    let mut browser = world.browser_with(Kind::Firefox, true, &extension)?;

    let site = Site::open(&[("/", "<!doctype html><title>a portal</title>")])?;
    let address = format!("http://localhost:{}/", site.port);
    let tab = browser.open(&address)?;
    expect(&says(&mut browser, &tab)?, &"extension-missing".to_owned(), "before the user has given the permission")?;

    let popup = listed(&mut browser)?;
    browser.evaluate(&popup, "document.querySelector('#sites').open = true")?;
    // The profile of the tests answers the browser's own question with yes.
    browser.click(&popup, "#site-list button")?;
    browser.wait(&popup, "document.querySelectorAll('#site-list li').length === 1 && document.querySelectorAll('#site-list button').length === 0 && document.querySelector('#site-list .small').textContent === '由管理员启用'", PATIENCE)?;
    browser.wait(&popup, "browser.scripting.getRegisteredContentScripts().then(scripts => scripts.length === 1)", PATIENCE)?;
    browser.activate(&tab)?;
    browser.go(&tab, &address)?;
    expect(&says(&mut browser, &tab)?, &"eyJ".to_owned(), "a login on the policy's portal")?;

    // The user's own list can be changed, the administrator's not.
    let origin = address.trim_end_matches('/');
    browser.evaluate(&popup, &format!("(async () => {{ browser.runtime.connect({{name: 'popup'}}).postMessage({{type: 'disable', origin: {}}}); await new Promise(done => setTimeout(done, 500)); return true; }})()", json!(origin)))?;
    browser.go(&tab, &address)?;
    expect(&says(&mut browser, &tab)?, &"eyJ".to_owned(), "a login after the user wanted it off")
}

fn chromium(world: &World) -> Driven<()> {
    let Some(_policy) = Policy::install()? else { return Ok(()) };
    let extension = unpacked::without_portals(Kind::Chromium, &world.plan.folder)?;
    let mut browser = world.browser_with(Kind::Chromium, true, &extension)?;
    listed(&mut browser).map(drop)
}

/// Opens the popup and finds the administrator's one portal in it; the one button beside it gives the permission.
fn listed(browser: &mut Browser) -> Driven<Tab> {
    browser.set_extension_language("zh-CN")?;
    let popup = browser.open_extension_page("popup.html")?;
    let seen = browser.wait(
        &popup,
        "(list => list.length > 0 && list.map(item => [item.dataset.name, item.dataset.source, item.querySelector('.small').textContent, item.querySelectorAll('button').length]))([...document.querySelectorAll('#site-list li')])",
        PATIENCE,
    )?;
    expect(&seen, &json!([["http://localhost", "managed", "由管理员启用，还需要您允许一次", 1]]), "the popup's list of sites")?;
    Ok(popup)
}

/// What a login gives: the beginning of a token, or the code of a refusal.
fn says(browser: &mut Browser, tab: &Tab) -> Driven<String> {
    let said = browser.evaluate(
        tab,
        "(async () => { const client = await (await import('/client/sealbridge.js')).connect(); try { return (await client.login({challenge: 'A'.repeat(43)})).token.slice(0, 3); } catch (error) { return error.code; } })()",
    )?;
    Ok(said.as_str().unwrap_or_default().to_owned())
}

/// A policy for all of this computer's Chromium; it goes with this value.
struct Policy(PathBuf);

impl Policy {
    /// `None`, visibly, where this person may not write it or one is there.
    fn install() -> Driven<Option<Self>> {
        let folder = Path::new("/etc/chromium/policies/managed");
        let file = folder.join("sealbridge-end-to-end.json");
        if file.exists() || std::fs::create_dir_all(folder).is_err() {
            eprintln!("skipped: {} cannot be written", file.display());
            return Ok(None);
        }
        let ids: serde_json::Value = serde_json::from_str(include_str!("../../extension/ids.json")).expect("JSON of our own");
        let Some(id) = ids["chromium"][0].as_str() else { return failed("extension/ids.json names no id") };
        let policy = json!({"3rdparty": {"extensions": {id: {"portals": LIST}}}});
        if std::fs::write(&file, policy.to_string()).is_err() {
            eprintln!("skipped: {} cannot be written", file.display());
            return Ok(None);
        }
        Ok(Some(Self(file)))
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
