//! What supplier staff do, as steps in a running browser: sign in, bind, log in with the key, fill and stamp, read the
//! verdict. Every step waits for what a person would see and fails with what the page said instead.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::bidi::{DriveError, Driven, failed};
use crate::browser::{Browser, Tab};
use crate::world::{ACCOUNT, PATIENCE, World};

/// A supplier in front of a browser, on the portal.
#[derive(Debug)]
pub struct Supplier<'w> {
    /// The world around.
    pub world: &'w World,
    /// The browser.
    pub browser: Browser,
    /// The tab that shows the portal.
    pub tab: Tab,
}

impl<'w> Supplier<'w> {
    /// Opens the portal's sign-in page and waits until the extension has answered there.
    pub fn arrive(world: &'w World, mut browser: Browser) -> Driven<Self> {
        let tab = browser.open(&format!("{}/login", world.portal_url))?;
        let mut supplier = Self { world, browser, tab };
        supplier.wait("document.querySelector('#sealbridge-status')?.dataset.state ?? ''")?;
        Ok(supplier)
    }

    /// What the portal's guide says of extension, host and token: `ready`, `host-missing` and so on.
    pub fn guide(&mut self) -> Driven<String> {
        let seen =
            self.browser.wait(&self.tab, "(s => s && s !== 'checking' ? s : '')(document.querySelector('#sealbridge-status')?.dataset.state)", PATIENCE)?;
        Ok(seen.as_str().unwrap_or_default().to_owned())
    }

    /// Signs in with account and password.
    pub fn sign_in(&mut self) -> Driven<()> {
        self.sign_in_as(ACCOUNT.0, ACCOUNT.1)
    }

    /// Signs in as some account.
    pub fn sign_in_as(&mut self, name: &str, password: &str) -> Driven<()> {
        self.go("/login")?;
        self.browser.fill(&self.tab, "#name", name)?;
        self.browser.fill(&self.tab, "#password", password)?;
        self.browser.click(&self.tab, "#password-submit")?;
        self.wait("location.pathname !== '/login' && document.readyState === 'complete'").map(drop)
    }

    /// 【CA管理】→【绑定】; returns the fingerprint that the portal shows afterwards.
    pub fn bind(&mut self) -> Driven<String> {
        self.go("/ca")?;
        self.expect_ready()?;
        self.browser.click(&self.tab, "#bind")?;
        self.settle("#bind-status", "document.querySelector('#binding')?.dataset.bound === 'yes'")?;
        self.bound()
    }

    /// The fingerprint of the certificate that the portal names as bound, in 【CA管理】.
    pub fn bound(&mut self) -> Driven<String> {
        let tab = self.tab.clone();
        self.browser.activate(&tab)?;
        self.go("/ca")?;
        let seen = self.wait("document.readyState === 'complete' && document.querySelector('#bound-certificate')?.textContent.trim()")?;
        Ok(seen.as_str().unwrap_or_default().to_owned())
    }

    /// Presses 【绑定】 and returns the code of the refusal that the page shows.
    pub fn bind_refused(&mut self) -> Driven<String> {
        self.go("/ca")?;
        // The page moves while the guide makes up its mind; a click must not land beside the button.
        self.guide()?;
        self.browser.click(&self.tab, "#bind")?;
        self.refusal("#bind-status")
    }

    /// Signs out.
    pub fn sign_out(&mut self) -> Driven<()> {
        self.browser.click(&self.tab, "#logout")?;
        self.wait("location.pathname === '/login' && document.readyState === 'complete'").map(drop)
    }

    /// 【CA登录】.
    pub fn log_in(&mut self) -> Driven<()> {
        self.go("/login")?;
        self.expect_ready()?;
        self.browser.click(&self.tab, "#ca-login")?;
        self.settle("#ca-login-status", "location.pathname !== '/login' && document.readyState === 'complete'")
    }

    /// Presses 【CA登录】 and returns the code of the refusal that the page shows.
    pub fn log_in_refused(&mut self) -> Driven<String> {
        self.go("/login")?;
        self.guide()?;
        self.browser.click(&self.tab, "#ca-login")?;
        self.refusal("#ca-login-status")
    }

    /// Opens the first tender's page.
    pub fn open_tender(&mut self) -> Driven<()> {
        self.go("/tenders")?;
        let path = self.wait("document.querySelector('a[href^=\"/tenders/\"]')?.getAttribute('href')")?;
        self.go(path.as_str().unwrap_or_default())?;
        self.expect_ready()
    }

    /// Fills the letter of bid and opens the stamping page with it.
    pub fn fill_and_stamp(&mut self, price: &str) -> Driven<Tab> {
        self.browser.fill(&self.tab, "#field-price", price)?;
        self.browser.evaluate(
            &self.tab,
            "(() => { const box = document.querySelector('#field-declaration'); if (!box.checked) box.click(); return box.checked; })()",
        )?;
        self.watch_stamped()?;
        self.browser.click(&self.tab, "#fill-and-stamp")?;
        self.stamping_page()
    }

    /// Opens the stamping page with a file of the supplier's own.
    pub fn stamp_own(&mut self, file: &Path) -> Driven<Tab> {
        self.browser.choose_files(&self.tab, "#own-file", &[file])?;
        self.wait("!document.querySelector('#stamp-own').disabled")?;
        self.watch_stamped()?;
        self.browser.click(&self.tab, "#stamp-own")?;
        self.stamping_page()
    }

    /// Waits for the stamping page that a press has opened; a refusal in the portal's page instead is an error.
    pub fn stamping_page(&mut self) -> Driven<Tab> {
        let until = std::time::Instant::now() + PATIENCE;
        loop {
            if let Ok(tab) = self.browser.wait_tab(STAMPING_PAGE, Duration::from_millis(300)) {
                return Ok(tab);
            }
            if let Some(said) = self.said("#bid-status")? {
                return failed(format!("no stamping page; the portal's page says: {said}"));
            }
            if std::time::Instant::now() > until {
                return failed("no stamping page, and the portal's page says nothing");
            }
        }
    }

    /// Waits until the stamping page has a revision ready to sign, and returns the digest code that it shows.
    pub fn wait_prepared(&mut self, stamping: &Tab) -> Driven<String> {
        self.browser.activate(stamping)?;
        let seen = self.browser.wait(
            stamping,
            "(() => { const failure = document.querySelector('#failure'); if (failure && !failure.hidden) return 'failed: ' + failure.dataset.code + ' ' + failure.innerText; const button = document.querySelector('#stamp'); return button && !button.disabled && document.body.dataset.state === 'editing' ? document.querySelector('#code').textContent : ''; })()",
            PATIENCE * 2,
        )?;
        match seen.as_str() {
            Some(code) if !code.starts_with("failed: ") => Ok(code.to_owned()),
            other => failed(format!("the stamping page says {}", other.unwrap_or("nothing"))),
        }
    }

    /// Presses 【盖章】 and waits for the stamped document.
    pub fn press_stamp(&mut self, stamping: &Tab) -> Driven<()> {
        self.browser.click(stamping, "#stamp")?;
        let seen = self.browser.wait(stamping, STAMPED_OR_FAILED, PATIENCE * 2)?;
        match seen.as_str() {
            Some("done") => Ok(()),
            other => failed(format!("the stamping page says {}", other.unwrap_or("nothing"))),
        }
    }

    /// Presses 【盖章】 and returns the code of the failure that the stamping page shows.
    pub fn press_stamp_refused(&mut self, stamping: &Tab) -> Driven<String> {
        self.browser.click(stamping, "#stamp")?;
        let seen = self.browser.wait(stamping, STAMPED_OR_FAILED, PATIENCE * 2)?;
        match seen.as_str().and_then(|said| said.strip_prefix("failed: ")) {
            Some(said) => Ok(said.split(' ').next().unwrap_or_default().to_owned()),
            None => failed("the document was stamped"),
        }
    }

    /// Presses 【返回门户】.
    pub fn return_to_portal(&mut self, stamping: &Tab) -> Driven<()> {
        self.browser.click(stamping, "#return")?;
        // It closes itself; until it has, it could be taken for the next one.
        let until = std::time::Instant::now() + PATIENCE;
        while self.browser.tabs()?.iter().any(|(tab, _)| tab == stamping) {
            if std::time::Instant::now() > until {
                return failed("the stamping page did not close");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.browser.activate(&self.tab)
    }

    /// Waits for the portal's verdict after the stamped document has come back; returns its sentences.
    pub fn verdict(&mut self) -> Driven<Verdict> {
        self.settle("#bid-status", "!document.querySelector('#verdict').hidden && document.querySelector('#verdict').dataset.accepted")?;
        let seen = self.browser.evaluate(
            &self.tab,
            "({accepted: document.querySelector('#verdict').dataset.accepted === 'yes', summary: document.querySelector('#verdict-summary').textContent, sentences: [...document.querySelectorAll('#verdict-sentences li')].map(li => li.textContent)})",
        )?;
        Ok(Verdict {
            accepted: seen["accepted"] == json!(true),
            summary: seen["summary"].as_str().unwrap_or_default().to_owned(),
            sentences: seen["sentences"].as_array().into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect(),
        })
    }

    /// Saves the stamped document that the portal's page holds.
    pub fn save_stamped(&mut self, file: &Path) -> Driven<()> {
        // In slices: one string for a large document would not pass the driver.
        let size = self.browser.evaluate(&self.tab, "window.__stamped?.size ?? 0")?.as_u64().unwrap_or(0);
        if size == 0 {
            return failed("the portal's page holds no stamped document");
        }
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < size {
            let slice = format!(
                "(async () => {{ const b = new Uint8Array(await window.__stamped.slice({0}, {0} + 524288).arrayBuffer()); let s = ''; for (let i = 0; i < b.length; i += 8192) s += String.fromCharCode(...b.subarray(i, i + 8192)); return btoa(s); }})()",
                bytes.len()
            );
            let text = self.browser.evaluate(&self.tab, &slice)?;
            let part = <base64ct::Base64 as base64ct::Encoding>::decode_vec(text.as_str().unwrap_or_default())
                .map_err(|error| DriveError(format!("the slice is no base64: {error}")))?;
            if part.is_empty() {
                return failed("the stamped document ended early");
            }
            bytes.extend(part);
        }
        std::fs::write(file, bytes).map_err(Into::into)
    }

    /// Calls the page client as a portal's own script would: `call` is an expression over `client`. The result is
    /// `{"ok": …}` or `{"code", "facts", "words"}`.
    pub fn page_call(&mut self, call: &str) -> Driven<Value> {
        self.browser.evaluate(
            &self.tab,
            &format!(
                "(async () => {{ const client = await (await import(document.querySelector('meta[name=sealbridge-client]').content)).connect(); try {{ return {{ok: await ({call})}}; }} catch (error) {{ return {{code: error.code ?? String(error), facts: error.facts ?? null, words: error.words ?? null, zh: error.zh ?? null, en: error.en ?? null}}; }} }})()"
            ),
        )
    }

    /// Posts JSON to the portal from its own page; the answer is `{"status", "body"}`.
    pub fn post(&mut self, path: &str, body: &Value) -> Driven<Value> {
        self.browser.evaluate(
            &self.tab,
            &format!(
                "(async () => {{ const answer = await fetch({}, {{method: 'POST', headers: {{'content-type': 'application/json', 'x-csrf-token': document.querySelector('meta[name=csrf]').content}}, body: {}}}); return {{status: answer.status, body: await answer.json().catch(() => null)}}; }})()",
                json!(path),
                json!(body.to_string())
            ),
        )
    }

    /// A fresh challenge of the portal for `login` or `bind`.
    pub fn challenge(&mut self, kind: &str) -> Driven<String> {
        let answer = self.post("/api/challenge", &json!({"kind": kind}))?;
        answer["body"]["nonce"].as_str().map(ToOwned::to_owned).ok_or_else(|| DriveError(format!("the portal gave no challenge: {answer}")))
    }

    /// A login token for a fresh challenge, got through the page client.
    pub fn login_token(&mut self) -> Driven<String> {
        let nonce = self.challenge("login")?;
        let answer = self.page_call(&format!("client.login({{challenge: {}}})", json!(nonce)))?;
        answer["ok"]["token"].as_str().map(ToOwned::to_owned).ok_or_else(|| DriveError(format!("no token: {answer}")))
    }

    /// Goes to a page of the portal.
    pub fn go(&mut self, path: &str) -> Driven<()> {
        let url = format!("{}{path}", self.world.portal_url);
        self.browser.go(&self.tab, &url)
    }

    /// Waits for something in the portal's page.
    pub fn wait(&mut self, expression: &str) -> Driven<Value> {
        self.browser.wait(&self.tab, expression, PATIENCE)
    }

    /// Waits until the guide says that everything is there.
    pub fn expect_ready(&mut self) -> Driven<()> {
        match self.guide()?.as_str() {
            "ready" => Ok(()),
            other => {
                let more = self.browser.evaluate(&self.tab, "document.querySelector('#sealbridge-problem')?.textContent ?? ''")?;
                failed(format!("the portal's page says {other}: {more}"))
            }
        }
    }

    /// Waits until `done` is true; a failure shown in `region` before that is an error with its text.
    pub fn settle(&mut self, region: &str, done: &str) -> Driven<()> {
        let script = format!(
            "({done}) ? 'done' : (document.querySelector('{region}')?.dataset.state === 'failed' ? 'failed: ' + document.querySelector('{region}').innerText : '')"
        );
        let seen = self.browser.wait(&self.tab, &script, PATIENCE * 2)?;
        match seen.as_str() {
            Some("done") => Ok(()),
            other => failed(other.unwrap_or("nothing").to_owned()),
        }
    }

    /// Waits for a refusal in `region` and returns its code.
    pub fn refusal(&mut self, region: &str) -> Driven<String> {
        let seen = self.browser.wait(
            &self.tab,
            &format!("document.querySelector('{region}')?.dataset.state === 'failed' && document.querySelector('{region}').dataset.code"),
            PATIENCE * 2,
        )?;
        Ok(seen.as_str().unwrap_or_default().to_owned())
    }

    /// Remembers the Blob behind the page's download link: the portal's own policy keeps anyone from fetching a blob: address.
    fn watch_stamped(&mut self) -> Driven<()> {
        self.browser.evaluate(&self.tab, "(() => { window.__stamped = null; const make = URL.createObjectURL; URL.createObjectURL = blob => { window.__stamped = blob; return make.call(URL, blob); }; })()").map(drop)
    }

    fn said(&mut self, region: &str) -> Driven<Option<String>> {
        let seen = self.browser.evaluate(
            &self.tab,
            &format!("document.querySelector('{region}')?.dataset.state === 'failed' ? document.querySelector('{region}').innerText : null"),
        )?;
        Ok(seen.as_str().map(ToOwned::to_owned))
    }
}

/// What the portal answered to a bid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Accepted as a bid.
    pub accepted: bool,
    /// One sentence.
    pub summary: String,
    /// The checks, in words.
    pub sentences: Vec<String>,
}

const STAMPED_OR_FAILED: &str = "(() => { if (document.body.dataset.state === 'done') return 'done'; const failure = document.querySelector('#failure'); return failure && !failure.hidden && document.body.dataset.state !== 'signing' ? 'failed: ' + failure.dataset.code + ' ' + failure.innerText : ''; })()";

/// Part of the stamping page's address.
pub const STAMPING_PAGE: &str = "stamp.html";
