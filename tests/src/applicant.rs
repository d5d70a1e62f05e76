//! What an applicant does at the CA's desk, as steps in a running browser: come there from the portal's 【CA管理】 or by themselves, type
//! the application, print, stamp and send in the papers, pay, follow the business by its number. Every step waits for what a person
//! would see and fails with what the page said instead.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::bidi::{DriveError, Driven, failed};
use crate::browser::{Browser, Tab};
use crate::paper::{Paper, Values};
use crate::supplier::Supplier;
use crate::world::{Organisation, PATIENCE};

/// An applicant in front of one business at the desk.
#[derive(Debug, Clone)]
pub struct Applicant {
    /// The tab that shows it.
    pub tab: Tab,
    /// The business's number.
    pub number: String,
    /// The code that opens it elsewhere.
    pub code: String,
    origin: String,
}

impl Applicant {
    /// 【CA管理】 → one of its entries → 【继续】 → 【同意并继续】: the portal hands over, in the supplier's own tab.
    pub fn from_portal(supplier: &mut Supplier<'_>, business: &str) -> Driven<Self> {
        let origin = supplier.world.service()?.origin().to_owned();
        Self::hand_over(supplier, business)?;
        Self::agree(&mut supplier.browser, supplier.tab.clone(), &origin)
    }

    /// The first half of [`Applicant::from_portal`]: up to the desk's notice, where nothing has begun yet.
    pub fn hand_over(supplier: &mut Supplier<'_>, business: &str) -> Driven<()> {
        let origin = supplier.world.service()?.origin().to_owned();
        let tab = supplier.tab.clone();
        supplier.browser.activate(&tab)?;
        supplier.go("/ca")?;
        // The page moves while the guide makes up its mind; an account that is bound needs none.
        supplier.wait("document.readyState === 'complete' && document.querySelector('#sealbridge-status')?.dataset.state !== 'checking'")?;
        supplier.browser.click(&tab, &format!("#desk button[name=business][value={business}]"))?;
        // Before a change, the portal asks whether everything is decrypted.
        let next = supplier.wait("document.readyState === 'complete' && (document.querySelector('#hand-over') ? 'over' : document.querySelector('#change-continue') ? 'warned' : '')")?;
        if next == "warned" {
            tick(&mut supplier.browser, &tab, "#decrypted", true)?;
            supplier.browser.click(&tab, "#change-continue")?;
            supplier.wait("document.querySelector('#hand-over') && document.readyState === 'complete'")?;
        }
        supplier.browser.click(&tab, "#hand-over")?;
        supplier.wait(&format!("location.origin === {} && document.readyState === 'complete'", json!(origin))).map(drop)
    }

    /// 业务办理 → institution → business, without a portal, in a new tab.
    pub fn at_desk(browser: &mut Browser, origin: &str, institution: &str, business: &str) -> Driven<Self> {
        let tab = browser.open(origin)?;
        press(browser, &tab, &format!("#ca-{institution}"))?;
        press(browser, &tab, &format!("#offer-{business}"))?;
        Self::agree(browser, tab, origin)
    }

    /// 办理进度查询: opens a business by number and code, in a new tab.
    pub fn come_back(browser: &mut Browser, origin: &str, number: &str, code: &str) -> Driven<Self> {
        let tab = browser.open(&format!("{origin}/progress"))?;
        browser.type_into(&tab, "#number", number)?;
        browser.type_into(&tab, "#code", code)?;
        press(browser, &tab, "#open")?;
        Self::begun(browser, tab, origin)
    }

    /// Accepts both agreements on the desk's notice and begins.
    pub fn agree(browser: &mut Browser, tab: Tab, origin: &str) -> Driven<Self> {
        tick(browser, &tab, "#agreement", true)?;
        tick(browser, &tab, "#privacy", true)?;
        press(browser, &tab, "#begin")?;
        Self::begun(browser, tab, origin)
    }

    fn begun(browser: &mut Browser, tab: Tab, origin: &str) -> Driven<Self> {
        refuse_alert(browser, &tab)?;
        let read = |browser: &mut Browser, what: &str| {
            let seen = browser.evaluate(&tab, &format!("document.querySelector('#{what}')?.textContent ?? ''"))?;
            Ok::<_, DriveError>(seen.as_str().unwrap_or_default().to_owned())
        };
        let (number, code) = (read(browser, "number")?, read(browser, "access-code")?);
        if number.is_empty() || code.is_empty() { failed("the page shows no business") } else { Ok(Self { tab, number, code, origin: origin.to_owned() }) }
    }

    /// What one types into an application: the organisation's data, the handler's, a seal, an address. Each business takes what it asks for.
    pub fn details(organisation: &Organisation) -> Vec<(&'static str, String)> {
        let name = organisation.name.as_str();
        [
            ("unitName", name),
            ("creditCode", organisation.credit_code.as_str()),
            ("unitKind", "enterprise"),
            ("province", "广东"),
            ("address", "深圳市南山区测试路1号"),
            ("unitPhone", "0755-12345678"),
            ("termMonths", "24"),
            ("handlerName", "欧阳测试"),
            ("handlerIdKind", "resident"),
            ("handlerIdNumber", "11010519491231002X"),
            ("handlerMobile", "13800138000"),
            ("sealService", "yes"),
            ("sealName", name),
            ("sealKind", "official"),
            ("postTo", "深圳市南山区收件路2号"),
            ("taxNumber", organisation.credit_code.as_str()),
            ("invoiceTitle", name),
        ]
        .map(|(key, value)| (key, value.to_owned()))
        .to_vec()
    }

    /// Types every field that this business asks for and that is not locked; the others are left. Later values win.
    pub fn fill(&self, browser: &mut Browser, values: &Values) -> Driven<()> {
        browser.activate(&self.tab)?;
        for (index, (key, value)) in values.iter().enumerate() {
            if values.iter().skip(index + 1).any(|(later, _)| later == key) {
                continue;
            }
            let selector = format!("#f-{key}");
            let kind = browser.evaluate(
                &self.tab,
                &format!("(e => !e || e.readOnly || e.disabled ? '' : e.matches('select') ? 'choice' : e.type === 'checkbox' ? 'tick' : 'line')(document.querySelector({}))", json!(selector)),
            )?;
            match kind.as_str() {
                Some("line") => browser.type_into(&self.tab, &selector, value)?,
                Some("choice") => browser.fill(&self.tab, &selector, value)?,
                Some("tick") => tick(browser, &self.tab, &selector, value == "yes")?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Waits until the page says that what was typed is saved.
    pub fn saved(&self, browser: &mut Browser) -> Driven<()> {
        browser.wait(&self.tab, "['已自动保存', 'Saved'].includes(document.querySelector('#saved')?.textContent.trim())", PATIENCE).map(drop)
    }

    /// Waits until the page has found the key that is to sign the application.
    pub fn expect_key(&self, browser: &mut Browser) -> Driven<()> {
        let found = browser.wait(
            &self.tab,
            "(guide => guide && guide.dataset.state !== 'checking' && (guide.dataset.state === 'ready' ? 'ready' : guide.innerText))(document.querySelector('#sealbridge-status'))",
            PATIENCE,
        )?;
        match found.as_str() {
            Some("ready") => Ok(()),
            said => failed(format!("the desk's page says {}", said.unwrap_or_default())),
        }
    }

    /// 【提交】, having looked it over. Where an existing key signs, its window comes first.
    pub fn submit(&self, browser: &mut Browser) -> Driven<()> {
        tick(browser, &self.tab, "#checked", true)?;
        self.press(browser, "#submit")
    }

    /// 【立即下载申请表】: the form of this business, as a file.
    pub fn download_form(&self, browser: &mut Browser, file: &Path) -> Driven<()> {
        let seen = browser.evaluate(
            &self.tab,
            "fetch(document.querySelector('#form').href).then(answer => answer.headers.get('content-type') === 'application/pdf' ? answer.arrayBuffer() : Promise.reject(new Error('no PDF'))).then(body => { const b = new Uint8Array(body); let s = ''; for (let i = 0; i < b.length; i += 8192) s += String.fromCharCode(...b.subarray(i, i + 8192)); return btoa(s); })",
        )?;
        let bytes = <base64ct::Base64 as base64ct::Encoding>::decode_vec(seen.as_str().unwrap_or_default())
            .map_err(|error| DriveError(format!("the form is no base64: {error}")))?;
        fs::write(file, bytes).map_err(Into::into)
    }

    /// Sends a file in for one slot and waits until the page shows it.
    pub fn upload(&self, browser: &mut Browser, slot: &str, file: &Path) -> Driven<()> {
        match self.try_upload(browser, slot, file)? {
            None => Ok(()),
            Some(said) => failed(format!("{slot}: {said}")),
        }
    }

    /// The same where it may be refused; what the page says then.
    pub fn try_upload(&self, browser: &mut Browser, slot: &str, file: &Path) -> Driven<Option<String>> {
        browser.evaluate(&self.tab, "window.__before = true")?;
        browser.choose_files(&self.tab, &format!("#slot-{slot} input[type=file]"), &[file])?;
        let seen = browser.wait(
            &self.tab,
            &format!(
                "(slot => document.readyState !== 'complete' || !slot ? '' : !window.__before && slot.dataset.filled === 'yes' ? 'taken' : slot.querySelector('.outcome').dataset.state === 'failed' ? 'refused: ' + slot.querySelector('.outcome').textContent : '')(document.querySelector('#slot-{slot}'))"
            ),
            PATIENCE * 2,
        )?;
        Ok(seen.as_str().and_then(|seen| seen.strip_prefix("refused: ")).map(ToOwned::to_owned))
    }

    /// Makes and sends in everything that the page asks for: downloads the form, prints, signs, stamps, scans and copies.
    pub fn send_papers(&self, browser: &mut Browser, paper: &Paper, values: &Values, folder: &Path) -> Driven<()> {
        let form: PathBuf = folder.join(format!("{}.pdf", self.number));
        self.download_form(browser, &form)?;
        let slots =
            browser.evaluate(&self.tab, "[...document.querySelectorAll('.slot')].filter(slot => slot.querySelector('.star')).map(slot => slot.id.slice(5))")?;
        for slot in slots.as_array().into_iter().flatten().filter_map(Value::as_str) {
            let file = match slot {
                "seal-form" => paper.seal_form(browser, &form, values)?,
                slot if slot.ends_with("form") => paper.form(browser, &form, values)?,
                slot if slot.ends_with("licence") => paper.licence(browser, values)?,
                slot if slot.ends_with("id-card") => paper.identity_card(browser, values)?,
                other => return failed(format!("nobody knows what belongs into {other}")),
            };
            browser.activate(&self.tab)?;
            self.upload(browser, slot, &file)?;
        }
        Ok(())
    }

    /// 【提交资料】.
    pub fn send(&self, browser: &mut Browser) -> Driven<()> {
        self.press(browser, "#send")
    }

    /// 【立即支付】 by one of the ways that are offered; returns the amount as it is shown.
    pub fn pay(&self, browser: &mut Browser, method: &str) -> Driven<String> {
        let amount = browser.evaluate(&self.tab, "document.querySelector('#amount')?.textContent.trim() ?? ''")?;
        tick(browser, &self.tab, &format!("input[name=method][value={method}]"), true)?;
        self.press(browser, "#pay")?;
        Ok(amount.as_str().unwrap_or_default().to_owned())
    }

    /// Types the code of the short message.
    pub fn enter_code(&self, browser: &mut Browser, code: &str) -> Driven<()> {
        browser.type_into(&self.tab, "#otp", code)?;
        self.press(browser, "#enter")
    }

    /// 【已完成绑定】.
    pub fn finish(&self, browser: &mut Browser) -> Driven<()> {
        self.press(browser, "#finish")
    }

    /// 【撤销申请】.
    pub fn withdraw(&self, browser: &mut Browser) -> Driven<()> {
        browser.click(&self.tab, "details.danger summary")?;
        self.press(browser, "#withdraw")
    }

    /// Looks at the business's page again, and waits until it stands in this state.
    pub fn expect_state(&self, browser: &mut Browser, state: &str) -> Driven<()> {
        browser.go(&self.tab, &format!("{}/business/{}", self.origin, self.number))?;
        match self.state(browser)?.as_str() {
            seen if seen == state => Ok(()),
            other => failed(format!("{} stands in {other} and not in {state}", self.number)),
        }
    }

    /// How the business stands, as the page in front says it.
    pub fn state(&self, browser: &mut Browser) -> Driven<String> {
        let seen = browser.evaluate(&self.tab, "document.querySelector('#state')?.dataset.state ?? ''")?;
        Ok(seen.as_str().unwrap_or_default().to_owned())
    }

    /// The serial number that the page shows once a certificate is issued.
    pub fn serial(&self, browser: &mut Browser) -> Driven<String> {
        let seen = browser.evaluate(&self.tab, "document.querySelector('#certificate code')?.textContent ?? ''")?;
        Ok(seen.as_str().unwrap_or_default().to_owned())
    }

    /// 【返回采购门户】 and 【返回CA管理】; returns the state that the portal shows for this business.
    pub fn back_to_portal(&self, supplier: &mut Supplier<'_>) -> Driven<String> {
        self.press(&mut supplier.browser, "#back")?;
        supplier.wait("document.querySelector('#returned') && document.readyState === 'complete'")?;
        press(&mut supplier.browser, &self.tab, "#to-ca")?;
        let seen = supplier.wait(&format!("document.querySelector('#progress tr[data-number={}]')?.dataset.state", json!(self.number)))?;
        Ok(seen.as_str().unwrap_or_default().to_owned())
    }

    fn press(&self, browser: &mut Browser, selector: &str) -> Driven<()> {
        press(browser, &self.tab, selector)?;
        refuse_alert(browser, &self.tab)
    }
}

/// Presses what leads to another page, and waits for that page.
pub(crate) fn press(browser: &mut Browser, tab: &Tab, selector: &str) -> Driven<()> {
    browser.evaluate(tab, "window.__before = true")?;
    browser.click(tab, selector)?;
    browser.wait(tab, "!window.__before && document.readyState === 'complete'", PATIENCE).map(drop)
}

/// What the page refuses is an error with its words.
pub(crate) fn refuse_alert(browser: &mut Browser, tab: &Tab) -> Driven<()> {
    let said = browser.evaluate(tab, "(a => a && a.dataset.code + ' ' + a.innerText + ' ' + [...document.querySelectorAll('.field.wrong label')].map(l => l.innerText))(document.querySelector('#alert'))")?;
    said.as_str().map_or(Ok(()), |said| failed(format!("the desk says {said}")))
}

/// Sets a box or a choice as a person does, by a click where it is not so yet.
pub(crate) fn tick(browser: &mut Browser, tab: &Tab, selector: &str, wanted: bool) -> Driven<()> {
    let checked = format!("document.querySelector({}).checked", json!(selector));
    if browser.evaluate(tab, &checked)? != json!(wanted) {
        browser.click(tab, selector)?;
    }
    if browser.evaluate(tab, &checked)? == json!(wanted) { Ok(()) } else { failed(format!("{selector} does not change")) }
}
