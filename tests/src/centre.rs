//! What the owner of a key does in the key centre, as steps in a running browser: activate, install, unlock, each with the number and the
//! access code of a business at the CA's desk. Every step waits for what a person would see and fails with what the page said instead.

use serde_json::json;

use crate::applicant::Applicant;
use crate::bidi::{Driven, failed};
use crate::browser::{Browser, Tab};
use crate::world::PATIENCE;

/// The key centre in a tab of its own.
#[derive(Debug, Clone)]
pub struct Centre {
    /// Its tab.
    pub tab: Tab,
}

impl Centre {
    /// Opens it at one of its sections: home, seals, record and so on.
    pub fn open(browser: &mut Browser, section: &str) -> Driven<Self> {
        let tab = browser.open_extension_page(&format!("centre.html#{section}"))?;
        let centre = Self { tab };
        browser.activate(&centre.tab)?;
        centre.known(browser)?;
        Ok(centre)
    }

    /// Goes to another section.
    pub fn show(&self, browser: &mut Browser, section: &str) -> Driven<()> {
        browser.activate(&self.tab)?;
        browser.evaluate(&self.tab, &format!("location.hash = {}", json!(section)))?;
        self.known(browser)
    }

    /// Presses one of a key's buttons: activate, install, unlock, change-pin. The dialog is open then.
    pub fn begin(&self, browser: &mut Browser, act: &str) -> Driven<()> {
        let button = format!(".token [data-act={act}]:not(:disabled)");
        browser.wait(&self.tab, &format!("document.querySelector({})", json!(button)), PATIENCE)?;
        browser.click(&self.tab, &button)?;
        browser.wait(&self.tab, "document.querySelector('#care[open]') && !document.querySelector('#care-start').disabled", PATIENCE).map(drop)
    }

    /// Types where the desk is and which business it is about.
    pub fn business(&self, browser: &mut Browser, desk: &str, business: &Applicant) -> Driven<()> {
        browser.wait(&self.tab, "document.querySelector('#care-code')", PATIENCE)?;
        browser.fill(&self.tab, "#care-desk", desk)?;
        browser.fill(&self.tab, "#care-number", "")?;
        browser.type_into(&self.tab, "#care-number", &business.number)?;
        browser.type_into(&self.tab, "#care-code", &business.code)
    }

    /// Presses on, and waits for the end; returns what the dialog says.
    pub fn go_on(&self, browser: &mut Browser) -> Driven<String> {
        browser.click(&self.tab, "#care-start")?;
        let seen = browser.wait(
            &self.tab,
            "(care => care.dataset.state === 'done' ? 'done: ' + document.querySelector('#care-status').textContent : care.dataset.state === 'failed' ? 'failed: ' + document.querySelector('#care-failure').innerText + document.querySelector('#care-status').textContent : '')(document.querySelector('#care'))",
            PATIENCE * 2,
        )?;
        match seen.as_str().unwrap_or_default().split_once(": ") {
            Some(("done", said)) => Ok(said.to_owned()),
            other => failed(format!("the key centre says {}", other.unwrap_or_default().1)),
        }
    }

    /// Closes the dialog.
    pub fn close(&self, browser: &mut Browser) -> Driven<()> {
        browser.click(&self.tab, "#care-close")?;
        browser.wait(&self.tab, "!document.querySelector('#care').open", PATIENCE).map(drop)
    }

    /// Waits until the page shows something of a key.
    pub fn sees(&self, browser: &mut Browser, selector: &str) -> Driven<()> {
        browser.wait(&self.tab, &format!("document.querySelector({}) !== null", json!(selector)), PATIENCE).map(drop)
    }

    fn known(&self, browser: &mut Browser) -> Driven<()> {
        browser.wait(&self.tab, "document.body.dataset.state === 'known'", PATIENCE).map(drop)
    }
}
