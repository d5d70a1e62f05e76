//! The applicant's page of one business, whatever state it is in: the form, the documents, the payment, the progress. What
//! is typed is saved while it is typed; a reload, a timeout or a restart of the desk loses nothing (R81).

use std::collections::BTreeMap;

use askama::Template;
use axum::Form;
use axum::Json;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::view::{self, BlockView, EntryView, ImpressionView, SlotView, Step};
use super::{Alert, Frame, render, render_with, see_other};
use crate::business::fields::{self, Values};
use crate::business::{Act, Actor, Kind, State as Stand};
use crate::form;
use crate::language::Language;
use crate::profile::{Payment, Profile};
use crate::refusal::{Reason, Refusal};
use crate::settings::Desk;
use crate::store::applications::{self, Application, Doing, NotDone, outstanding, perform, resend_code, try_code};
use crate::store::key_signatures::{Signed, perform_signed};
use crate::store::throttle::{self, Attempt};
use crate::store::{certificates, handovers, history, impressions, uploads};
use crate::web::visitor::Visitor;

#[derive(Template)]
#[template(path = "business.html")]
struct BusinessPage<'a> {
    page: Frame,
    alert: Option<Alert>,
    number: String,
    code: String,
    revision: i64,
    kind: &'static str,
    state_name: &'static str,
    state: &'static str,
    tone: &'static str,
    steps: Vec<Step>,
    blocks: Vec<BlockView>,
    slots: Vec<SlotView>,
    impressions: Vec<ImpressionView>,
    /// The slot that they were read out of.
    shows: &'a str,
    missing: usize,
    fee: String,
    payments: Vec<(&'static str, &'static str)>,
    /// Whether one of them is a transfer.
    transfer: bool,
    history: Vec<EntryView>,
    note: String,
    deadline: Option<i64>,
    can_withdraw: bool,
    profile: &'a Profile,
    originals: u8,
    certificate: Option<(String, i64)>,
    has_seal: bool,
    /// Whether the existing key signs what is submitted.
    signs: bool,
    /// The portal that it came from.
    portal: Option<String>,
}

#[derive(Template)]
#[template(path = "form.html")]
struct FormPage<'a> {
    page: Frame,
    profile: &'a Profile,
    kind: &'static str,
    number: String,
    date: i64,
    blocks: Vec<BlockView>,
    impressions: Vec<u8>,
    /// Side of the code in modules, and its dark squares as a path.
    code: (usize, String),
    with_seal: bool,
}

type Typed = BTreeMap<String, String>;

pub(in crate::web) async fn show(State(desk): State<Desk>, visitor: Visitor, Path(number): Path<String>) -> Result<Response, Refusal> {
    page(&desk, &visitor, &number, None, false).await
}

/// Saves what was typed. The page's script asks for JSON; without a script the button leads back to the page.
pub(in crate::web) async fn save(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(number): Path<String>,
    headers: HeaderMap,
    typed: Result<Form<Typed>, FormRejection>,
) -> Result<Response, Refusal> {
    let Form(typed) = typed.map_err(|_| Reason::Malformed)?;
    visitor.checked(typed.get("csrf").map_or("", String::as_str))?;
    let application = visitor.business(&desk, &number).await?;
    let saved = keep(&desk, &application, &typed).await?;
    if headers.get(ACCEPT).is_some_and(|accept| accept.as_bytes() == b"application/json") {
        return Ok(Json(json!({ "saved": saved.is_none() })).into_response());
    }
    match saved {
        Some(refusal) => page(&desk, &visitor, &number, Some(refusal), false).await,
        None => Ok(see_other(&format!("/business/{number}"))),
    }
}

/// An act of the applicant; what was typed on the same page is saved first.
pub(in crate::web) async fn act(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path((number, act)): Path<(String, String)>,
    typed: Result<Form<Typed>, FormRejection>,
) -> Result<Response, Refusal> {
    let Form(typed) = typed.map_err(|_| Reason::Malformed)?;
    visitor.checked(typed.get("csrf").map_or("", String::as_str))?;
    let application = visitor.business(&desk, &number).await?;
    let act = Act::from_name(&act).ok_or(Reason::NotFound)?;
    // These come with a payment, a code or a certificate, by their own ways.
    if matches!(act, Act::EnterCode | Act::Activate | Act::ReportTransfer | Act::Install) {
        return Err(Reason::NotNow.into());
    }
    if matches!(act, Act::Submit | Act::Send) {
        if let Some(refusal) = keep(&desk, &application, &typed).await? {
            return page(&desk, &visitor, &number, Some(refusal), false).await;
        }
        // R26: what was filled in is looked over before it is locked.
        if act == Act::Submit && typed.get("checked").is_none_or(|checked| checked != "yes") {
            return page(&desk, &visitor, &number, Some(Reason::FieldsMissing.into()), true).await;
        }
    }
    let doing = Doing { id: application.id, act, actor: Actor::Applicant, seen: Some(seen(&typed)?), note: "", now: desk.now() };
    // R12, R58: with the statement that the existing key signed, where the page has one.
    let token = typed.get("keySignature").map(String::as_str).filter(|token| !token.is_empty());
    let signed = token.filter(|_| application.case.kind.signed_by_key() && matches!(act, Act::Submit | Act::Send));
    finish(&desk, &visitor, &application, &doing, signed, act == Act::Submit).await
}

/// 立即支付: an online payment is the provider's word, a transfer the applicant's.
pub(in crate::web) async fn pay(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(number): Path<String>,
    typed: Result<Form<Typed>, FormRejection>,
) -> Result<Response, Refusal> {
    let Form(typed) = typed.map_err(|_| Reason::Malformed)?;
    visitor.checked(typed.get("csrf").map_or("", String::as_str))?;
    let application = visitor.business(&desk, &number).await?;
    let profile = desk.profile(&application.profile).ok_or(Reason::Internal)?;
    let wanted = typed.get("method").map_or("", String::as_str);
    let method = profile.payments(application.case.kind).iter().copied().find(|method| method.as_str() == wanted).ok_or(Reason::Malformed)?;
    let (act, actor) = match method {
        Payment::Transfer => (Act::ReportTransfer, Actor::Applicant),
        Payment::Unionpay | Payment::Alipay | Payment::Wechat => (Act::Pay, Actor::Desk),
    };
    let mut note = method.words()[0].to_owned();
    if method == Payment::Transfer {
        // R43: the applying unit itself pays; whoever cannot goes to the counter.
        let payer = typed.get("payer").map_or("", |payer| payer.trim());
        if !fields::same_unit(payer, application.values.get("unitName").map_or("", String::as_str)) {
            return page(&desk, &visitor, &number, Some(Reason::PayerDiffers.into()), false).await;
        }
        note = format!("{note}，付款单位：{payer}");
    }
    let doing = Doing { id: application.id, act, actor, seen: Some(seen(&typed)?), note: &note, now: desk.now() };
    finish(&desk, &visitor, &application, &doing, None, false).await
}

/// 获取验证码, and the code itself.
pub(in crate::web) async fn code(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(number): Path<String>,
    typed: Result<Form<Typed>, FormRejection>,
) -> Result<Response, Refusal> {
    let Form(typed) = typed.map_err(|_| Reason::Malformed)?;
    visitor.checked(typed.get("csrf").map_or("", String::as_str))?;
    let application = visitor.business(&desk, &number).await?;
    let profile = desk.profile(&application.profile).ok_or(Reason::Internal)?;
    let Some(code) = typed.get("code").filter(|code| !code.trim().is_empty()) else {
        // A phone must not be flooded.
        if let Attempt::Wait { seconds } = throttle::begin(desk.database(), &format!("code:{number}"), throttle::BUSINESS, desk.now()).await? {
            return page(&desk, &visitor, &number, Some(Refusal::from(Reason::Throttled).with("seconds", seconds)), false).await;
        }
        resend_code(desk.database(), desk.vault(), profile, application.id, desk.now()).await?;
        return Ok(see_other(&format!("/business/{number}")));
    };
    if application.case.state != Stand::AwaitingCode {
        return page(&desk, &visitor, &number, Some(Reason::NotNow.into()), false).await;
    }
    if !try_code(desk.database(), application.id, code, desk.now()).await? {
        return page(&desk, &visitor, &number, Some(Reason::CodeIncorrect.into()), false).await;
    }
    let doing = Doing { id: application.id, act: Act::EnterCode, actor: Actor::Applicant, seen: None, note: "", now: desk.now() };
    finish(&desk, &visitor, &application, &doing, None, false).await
}

/// The application form, for printing (R28): it carries this business's number and no other's.
pub(in crate::web) async fn form(State(desk): State<Desk>, visitor: Visitor, Path(number): Path<String>) -> Result<Response, Refusal> {
    let application = visitor.business(&desk, &number).await?;
    if application.case.state == Stand::Draft {
        return Err(Reason::NotNow.into());
    }
    let profile = desk.profile(&application.profile).ok_or(Reason::Internal)?;
    let page = Frame::of(&visitor, "");
    let kind = application.case.kind.words();
    Ok(render(&FormPage {
        profile,
        kind: page.language.say(kind[0], kind[1]),
        number: application.number.clone(),
        date: desk.now(),
        blocks: view::blocks(&page, &application, profile, &[]),
        impressions: (1..=profile.impressions).collect(),
        code: form::code_path(&application.number).unwrap_or_default(),
        with_seal: application.values.get("sealService").is_some_and(|value| value == "yes")
            || matches!(application.case.kind, Kind::SealApply | Kind::SealChange),
        page,
    }))
}

/// The same as a PDF with fields, from the font that seals are drawn with.
pub(in crate::web) async fn form_pdf(State(desk): State<Desk>, visitor: Visitor, Path(number): Path<String>) -> Result<Response, Refusal> {
    let application = visitor.business(&desk, &number).await?;
    if application.case.state == Stand::Draft {
        return Err(Reason::NotNow.into());
    }
    let profile = desk.profile(&application.profile).ok_or(Reason::Internal)?;
    let kind = application.case.kind;
    // The form is in the language of whoever reviews it.
    let mut page = Frame::of(&visitor, "");
    page.language = Language::Chinese;
    let blocks = view::blocks(&page, &application, profile, &[]);
    let blank = form::Blank {
        institution: &profile.name[0],
        kind: kind.words()[0],
        number: &application.number,
        date: &page.date(&desk.now()),
        blocks: blocks
            .iter()
            .map(|block| {
                (block.title, block.fields.iter().map(|field| form::BlankField { key: field.key, label: field.label, value: field.said.clone() }).collect())
            })
            .collect(),
        impressions: if profile.impressions_slot(kind, &application.values).is_some() { profile.impressions } else { 0 },
        separate: profile.separate_seal_form,
    };
    // Without a font, or with a name that it cannot show, the page to print is the form.
    let drawn = desk.settings().font.as_deref().and_then(|font| match form::draw(&blank, font) {
        Ok(pdf) => Some(pdf),
        Err(error) => {
            tracing::warn!(number = application.number, %error, "no PDF");
            None
        }
    });
    let Some(pdf) = drawn else { return Ok(see_other(&format!("/business/{number}/form"))) };
    let name = HeaderValue::from_str(&format!("inline; filename=\"{number}.pdf\"")).map_err(|_| Reason::Internal)?;
    Ok(([(CONTENT_TYPE, HeaderValue::from_static("application/pdf")), (CONTENT_DISPOSITION, name)], pdf).into_response())
}

async fn finish(
    desk: &Desk,
    visitor: &Visitor,
    application: &Application,
    doing: &Doing<'_>,
    signed: Option<&str>,
    show_faults: bool,
) -> Result<Response, Refusal> {
    let profile = desk.profile(&application.profile).ok_or(Reason::Internal)?;
    let done = match signed {
        Some(token) => {
            let signed = Signed { token, origins: &desk.settings().origins };
            perform_signed(desk.database(), desk.vault(), profile, doing, signed).await
        }
        None => perform(desk.database(), desk.vault(), profile, doing).await,
    };
    match done {
        Ok(_) => Ok(see_other(&format!("/business/{}", application.number))),
        Err(error @ (NotDone::Database(_) | NotDone::Desk(_))) => Err(error.into()),
        Err(error) => page(desk, visitor, &application.number, Some(error.into()), show_faults).await,
    }
}

/// Saves the typed fields; a refusal names what is locked.
async fn keep(desk: &Desk, application: &Application, typed: &Typed) -> Result<Option<Refusal>, Refusal> {
    let profile = desk.profile(&application.profile).ok_or(Reason::Internal)?;
    let values: Values = typed.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    let saved = applications::save(desk.database(), desk.vault(), profile, application.id, &values, desk.now()).await?;
    if saved.locked.is_empty() {
        return Ok(None);
    }
    let names =
        |index: usize| saved.locked.iter().filter_map(|field| field.words.get(index).copied()).collect::<Vec<_>>().join(if index == 0 { "、" } else { ", " });
    Ok(Some(Refusal::from(Reason::FieldsLocked).with_words("fields", [names(0), names(1)])))
}

fn seen(typed: &Typed) -> Result<i64, Refusal> {
    typed.get("revision").and_then(|revision| revision.parse().ok()).ok_or_else(|| Reason::Malformed.into())
}

async fn page(desk: &Desk, visitor: &Visitor, number: &str, refusal: Option<Refusal>, show_faults: bool) -> Result<Response, Refusal> {
    let application = visitor.business(desk, number).await?;
    let profile = desk.profile(&application.profile).ok_or(Reason::Internal)?;
    // Who is still filling in has not come to look how it stands.
    let mut page = Frame::of(visitor, if application.case.state == Stand::Draft { "home" } else { "progress" });
    page.path = format!("/business/{number}");
    // Where the existing key signs, the page talks to it as a portal's does.
    let signs = application.case.kind.signed_by_key() && matches!(application.case.state, Stand::Draft | Stand::Returned);
    if signs {
        page.client = Some(desk.settings().client.as_ref().map_or("", |_| "/client/sealbridge.js"));
    }
    let faults = if show_faults { outstanding(desk.database(), profile, &application).await? } else { Vec::new() };
    let files = uploads::of(desk.database(), application.id).await?;
    let slots = view::slots(&page, &application, profile, &files);
    let entries = history::of(desk.database(), desk.vault(), application.id).await?;
    let certificate = certificates::of_application(desk.database(), application.id).await?;
    let (case, kind, state) = (&application.case, application.case.kind, application.case.state);
    let blocks = view::blocks(&page, &application, profile, &faults);
    let status: Option<StatusCode> = refusal.as_ref().map(Refusal::status);
    let template = BusinessPage {
        alert: refusal.map(|refusal| Alert::of(&refusal, visitor.language)),
        number: application.number.clone(),
        code: applications::code_of(desk.database(), desk.vault(), &application).await?,
        revision: application.revision,
        kind: page.language.say(kind.words()[0], kind.words()[1]),
        state_name: state.as_str(),
        state: page.language.say(state.words()[0], state.words()[1]),
        tone: view::tone(state),
        steps: view::steps(&page, &application, profile),
        blocks,
        missing: slots.iter().filter(|slot| slot.must && slot.file.is_none()).count(),
        slots,
        impressions: view::impressions(&page, &impressions::of(desk.database(), application.id).await?),
        shows: profile.impressions_slot(kind, &application.values).map_or("", |slot| slot.id.as_str()),
        fee: view::yuan(application.fee_fen),
        payments: profile.payments(kind).iter().map(|method| (method.as_str(), page.language.say(method.words()[0], method.words()[1]))).collect(),
        transfer: profile.payments(kind).contains(&Payment::Transfer),
        note: entries.last().map(|entry| entry.note.clone()).unwrap_or_default(),
        history: view::history(&page, &entries, false),
        deadline: case.deadline(),
        can_withdraw: case.possible(Actor::Applicant, desk.now()).contains(&Act::Withdraw),
        profile,
        originals: profile.business(kind).map_or(0, |business| business.originals),
        signs,
        portal: handovers::origin_of(desk.database(), application.id).await?.map(|(portal, _)| portal),
        has_seal: certificate.as_ref().is_some_and(|certificate| certificate.seal.is_some()),
        certificate: certificate.map(|certificate| (certificate.serial, certificate.not_after)),
        page,
    };
    Ok(render_with(status, &template))
}
