//! What the CA's officers do, each with cookies of their own: sign in, review, send the key out, take in the originals and look at
//! them, read what would go out to phones. Every act is a press on the page of the business.

use serde_json::{Value, json};

use crate::applicant::{press, refuse_alert};
use crate::bidi::{DriveError, Driven, failed};
use crate::browser::{Browser, Tab};
use crate::desk::OFFICERS;

/// An officer who has signed in.
#[derive(Debug, Clone)]
pub struct Officer {
    /// Their tab.
    pub tab: Tab,
    /// Their name.
    pub name: String,
    origin: String,
}

impl Officer {
    /// Signs the first (0) or second (1) officer in, apart from everybody else.
    pub fn sign_in(browser: &mut Browser, origin: &str, index: usize) -> Driven<Self> {
        let Some((name, password)) = OFFICERS.get(index) else { return failed(format!("there is no officer {index}")) };
        let tab = browser.open_apart(&format!("{origin}/office/login"))?;
        browser.activate(&tab)?;
        browser.type_into(&tab, "#name", name)?;
        browser.type_into(&tab, "#password", password)?;
        press(browser, &tab, "#sign-in")?;
        refuse_alert(browser, &tab)?;
        Ok(Self { tab, name: (*name).to_owned(), origin: origin.to_owned() })
    }

    /// Opens a business out of the queue.
    pub fn open(&self, browser: &mut Browser, number: &str) -> Driven<()> {
        browser.activate(&self.tab)?;
        browser.go(&self.tab, &format!("{}/office", self.origin))?;
        press(browser, &self.tab, &format!("a[href='/office/business/{number}']"))
    }

    /// Does an act of the business that is open; `note` is for acts that ask for one.
    pub fn act(&self, browser: &mut Browser, act: &str, note: &str) -> Driven<()> {
        browser.activate(&self.tab)?;
        if !note.is_empty() {
            browser.type_into(&self.tab, &format!("#note-{act}"), note)?;
        }
        press(browser, &self.tab, &format!("#act-{act}"))?;
        refuse_alert(browser, &self.tab)
    }

    /// The acts that the page offers.
    pub fn offered(&self, browser: &mut Browser) -> Driven<Vec<String>> {
        let seen = browser.evaluate(&self.tab, "[...document.querySelectorAll('#acts button')].map(button => button.id.slice(4))")?;
        Ok(strings(&seen))
    }

    /// 初审通过.
    pub fn accept(&self, browser: &mut Browser, number: &str) -> Driven<()> {
        self.on(browser, number, "accept", "")
    }

    /// 退回修改, with the reason that the applicant reads.
    pub fn send_back(&self, browser: &mut Browser, number: &str, reason: &str) -> Driven<()> {
        self.on(browser, number, "return", reason)
    }

    /// 复核通过, where there is no paper.
    pub fn confirm(&self, browser: &mut Browser, number: &str) -> Driven<()> {
        self.on(browser, number, "confirm", "")
    }

    /// 已寄出USB Key, with the courier's number.
    pub fn ship(&self, browser: &mut Browser, number: &str, courier: &str) -> Driven<()> {
        self.on(browser, number, "ship", courier)
    }

    /// 收到纸质资料.
    pub fn receive_paper(&self, browser: &mut Browser, number: &str) -> Driven<()> {
        self.on(browser, number, "receive-paper", "")
    }

    /// 复审通过.
    pub fn verify_paper(&self, browser: &mut Browser, number: &str) -> Driven<()> {
        self.on(browser, number, "verify-paper", "")
    }

    /// 到账确认, after a transfer.
    pub fn confirm_payment(&self, browser: &mut Browser, number: &str) -> Driven<()> {
        self.on(browser, number, "confirm-payment", "")
    }

    /// Picks another impression for the seal.
    pub fn pick(&self, browser: &mut Browser, number: &str, ordinal: u32) -> Driven<()> {
        self.open(browser, number)?;
        press(browser, &self.tab, &format!("#pick-{ordinal}"))?;
        refuse_alert(browser, &self.tab)
    }

    /// 外发消息: what would have gone out, the newest first.
    pub fn spool(&self, browser: &mut Browser) -> Driven<Vec<String>> {
        browser.activate(&self.tab)?;
        browser.go(&self.tab, &format!("{}/office/spool", self.origin))?;
        let seen = browser.evaluate(&self.tab, "[...document.querySelectorAll('.messages li')].map(message => message.innerText)")?;
        Ok(strings(&seen))
    }

    /// The code that was sent to the handler's phone for this business.
    pub fn code_sent(&self, browser: &mut Browser, number: &str) -> Driven<String> {
        let messages = self.spool(browser)?;
        let code = messages.iter().filter(|message| message.contains(number)).find_map(|message| {
            let (_, after) = message.split_once("验证码 ")?;
            Some(after.chars().take_while(char::is_ascii_digit).collect::<String>()).filter(|code| code.len() == 6)
        });
        code.ok_or_else(|| DriveError(format!("no code was sent for {number}: {}", json!(messages))))
    }

    fn on(&self, browser: &mut Browser, number: &str, act: &str, note: &str) -> Driven<()> {
        self.open(browser, number)?;
        self.act(browser, act, note)
    }
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}
