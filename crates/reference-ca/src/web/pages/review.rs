//! One business on an officer's desk: what was typed beside what was sent in, and the acts that are possible now. The
//! four-eyes rule is the state machine's; the page only says beforehand what it will say.

use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;

use super::view::{self, BlockView, EntryView, ImpressionView, SlotView};
use super::{Alert, Frame, render_with, see_other};
use crate::business::{Act, Actor, State as Stand};
use crate::profile::Profile;
use crate::refusal::{Reason, Refusal};
use crate::settings::Desk;
use crate::store::applications::{self, Doing, NotDone, needs_note, perform};
use crate::store::{history, impressions, uploads};
use crate::web::visitor::Visitor;

/// A button.
#[derive(Debug)]
struct Choice {
    act: &'static str,
    label: &'static str,
    /// `primary`, `bad` or nothing.
    tone: &'static str,
    /// What the note is, where one is needed.
    note: &'static str,
}

#[derive(Template)]
#[template(path = "review.html")]
struct ReviewPage<'a> {
    page: Frame,
    alert: Option<Alert>,
    number: String,
    revision: i64,
    kind: &'static str,
    state: &'static str,
    tone: &'static str,
    profile: &'a Profile,
    fee: String,
    paid: bool,
    blocks: Vec<BlockView>,
    slots: Vec<SlotView>,
    choices: Vec<Choice>,
    impressions: Vec<ImpressionView>,
    can_pick: bool,
    /// There is a scan that no machine could read impressions out of.
    unread: bool,
    history: Vec<EntryView>,
    same_officer: bool,
    paper_received: bool,
    originals: u8,
}

#[derive(Debug, Deserialize)]
pub(in crate::web) struct Fields {
    csrf: String,
    revision: i64,
    #[serde(default)]
    note: String,
}

pub(in crate::web) async fn show(State(desk): State<Desk>, visitor: Visitor, Path(number): Path<String>) -> Result<Response, Refusal> {
    page(&desk, &visitor, &number, None).await
}

pub(in crate::web) async fn act(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path((number, act)): Path<(String, String)>,
    fields: Result<Form<Fields>, FormRejection>,
) -> Result<Response, Refusal> {
    visitor.officer()?;
    let Form(fields) = fields.map_err(|_| Reason::Malformed)?;
    let (_, officer) = visitor.checked_officer(&fields.csrf)?;
    let act = Act::from_name(&act).ok_or(Reason::NotFound)?;
    let application = applications::by_number(desk.database(), desk.vault(), &number).await?.ok_or(Reason::NotFound)?;
    let profile = desk.profile(&application.profile).ok_or(Reason::Internal)?;
    let note: String = fields.note.chars().filter(|character| !character.is_control()).take(400).collect();
    let doing = Doing { id: application.id, act, actor: Actor::Officer(officer.id), seen: Some(fields.revision), note: note.trim(), now: desk.now() };
    match perform(desk.database(), desk.vault(), profile, &doing).await {
        Ok(_) => Ok(see_other(&format!("/office/business/{number}"))),
        Err(error @ (NotDone::Database(_) | NotDone::Desk(_))) => Err(error.into()),
        Err(error) => page(&desk, &visitor, &number, Some(error.into())).await,
    }
}

pub(super) async fn page(desk: &Desk, visitor: &Visitor, number: &str, refusal: Option<Refusal>) -> Result<Response, Refusal> {
    let (_, officer) = visitor.officer()?;
    let application = applications::by_number(desk.database(), desk.vault(), number).await?.ok_or(Reason::NotFound)?;
    let profile = desk.profile(&application.profile).ok_or(Reason::Internal)?;
    let mut page = Frame::of(visitor, "queue");
    page.path = format!("/office/business/{number}");
    let files = uploads::of(desk.database(), application.id).await?;
    let entries = history::of(desk.database(), desk.vault(), application.id).await?;
    let (state, kind) = (application.case.state, application.case.kind);
    let possible = application.case.possible(Actor::Officer(officer.id), desk.now());
    let found = impressions::of(desk.database(), application.id).await?;
    let choices = possible.iter().copied().filter(|act| *act != Act::Pick).map(|act| choice(&page, act)).collect();
    let status = refusal.as_ref().map(Refusal::status);
    let template = ReviewPage {
        alert: refusal.map(|refusal| Alert::of(&refusal, visitor.language)),
        number: application.number.clone(),
        revision: application.revision,
        kind: page.language.say(kind.words()[0], kind.words()[1]),
        state: page.language.say(state.words()[0], state.words()[1]),
        tone: view::tone(state),
        profile,
        fee: view::yuan(application.fee_fen),
        paid: application.case.facts.paid,
        blocks: view::blocks(&page, &application, profile, &[]),
        slots: view::slots(&page, &application, profile, &files),
        choices,
        can_pick: found.len() > 1 && possible.contains(&Act::Pick),
        unread: found.is_empty() && profile.impressions_slot(kind, &application.values).is_some_and(|slot| files.iter().any(|file| file.slot == slot.id)),
        impressions: view::impressions(&page, &found),
        history: view::history(&page, &entries, true),
        same_officer: matches!(state, Stand::SecondReview | Stand::PaperReview) && application.case.facts.first_officer == Some(officer.id),
        paper_received: application.case.facts.paper_received,
        originals: profile.business(kind).map_or(0, |business| business.originals),
        page,
    };
    Ok(render_with(status, &template))
}

fn choice(page: &Frame, act: Act) -> Choice {
    let [chinese, english] = match act {
        Act::Ship => ["运单号（柜台领取请填“柜台”）", "Courier's number, or “counter”"],
        Act::RefusePayment => ["原因（例如付款单位不一致）", "Reason, such as another payer"],
        Act::ConfirmPayment => ["付款单位（可不填）", "Payer (optional)"],
        act if needs_note(act) => ["原因（申请人会看到）", "Reason (the applicant reads it)"],
        _ => ["", ""],
    };
    Choice {
        act: act.as_str(),
        label: view::button(page, act),
        tone: match act {
            Act::Accept | Act::Confirm | Act::VerifyPaper | Act::Ship | Act::ConfirmPayment => "primary",
            Act::Close | Act::RefusePaper | Act::RefusePayment => "bad",
            _ => "",
        },
        note: page.language.say(chinese, english),
    }
}
