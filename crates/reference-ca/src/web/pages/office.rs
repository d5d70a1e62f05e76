//! The officers' side around the review: sign-in with lockout, the queue, the spool, the sessions.

use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::{Alert, Frame, inside, render, render_with, see_other};
use crate::business::State as Stand;
use crate::calendar::Moment;
use crate::error::DeskError;
use crate::refusal::{Reason, Refusal};
use crate::settings::Desk;
use crate::store::throttle::{self, Attempt};
use crate::store::{applications, messages, officers, sessions};
use crate::web::visitor::{Visitor, set_session};

/// The officers of a demonstration, whose passwords are public: four eyes need two.
pub const DEMO: [(&str, &str); 2] = [("shouli", "officer-one-demo"), ("fuhe", "officer-two-demo")];

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    page: Frame,
    alert: Option<Alert>,
    next: String,
    name: String,
    demo: Vec<(&'static str, &'static str)>,
}

/// A line of the queue.
#[derive(Debug)]
struct Waiting {
    number: String,
    institution: String,
    kind: &'static str,
    unit: String,
    since: String,
    /// The signed-in officer reviewed it first, and cannot be the second.
    mine: bool,
}

/// A part of the queue.
#[derive(Debug)]
struct Pile {
    id: &'static str,
    title: &'static str,
    waiting: Vec<Waiting>,
}

#[derive(Template)]
#[template(path = "queue.html")]
struct QueuePage {
    page: Frame,
    piles: Vec<Pile>,
    total: usize,
}

/// A message in the spool.
#[derive(Debug)]
struct Spooled {
    time: String,
    channel: &'static str,
    number: String,
    to: String,
    text: String,
    carried: bool,
}

#[derive(Template)]
#[template(path = "spool.html")]
struct SpoolPage {
    page: Frame,
    messages: Vec<Spooled>,
}

#[derive(Template)]
#[template(path = "sessions.html")]
struct SessionsPage {
    page: Frame,
    sessions: Vec<(String, String, String, bool)>,
}

#[derive(Debug, Deserialize)]
pub(in crate::web) struct Next {
    #[serde(default)]
    next: String,
}

#[derive(Debug, Deserialize)]
pub(in crate::web) struct Fields {
    csrf: String,
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

#[derive(Debug, Deserialize)]
pub(in crate::web) struct Token {
    csrf: String,
}

/// Where a page sends an officer who has to sign in first.
pub(in crate::web) fn send_to_login(path: &str) -> Response {
    see_other(&format!("/office/login?next={}", inside(path)))
}

pub(in crate::web) async fn login(State(desk): State<Desk>, visitor: Visitor, Query(Next { next }): Query<Next>) -> Result<Response, Refusal> {
    if visitor.officer().is_ok() {
        return Ok(see_other(office(&next)));
    }
    login_page(&desk, &visitor, office(&next), "", None).await
}

pub(in crate::web) async fn sign_in(State(desk): State<Desk>, visitor: Visitor, fields: Result<Form<Fields>, FormRejection>) -> Result<Response, Refusal> {
    let Form(fields) = fields.map_err(|_| Reason::Malformed)?;
    let (next, name, now) = (office(&fields.next), fields.name.trim(), desk.now());
    let session = match visitor.checked(&fields.csrf) {
        Ok(session) => session,
        Err(refusal) => return login_page(&desk, &visitor, next, name, Some(refusal)).await,
    };
    if name.is_empty() || name.chars().count() > 64 || fields.password.chars().count() > 256 {
        let refusal = Refusal::from(Reason::PasswordIncorrect).with("left", throttle::OFFICER.free);
        return login_page(&desk, &visitor, next, name, Some(refusal)).await;
    }
    let subject = format!("officer:{name}");
    let mut left = 0;
    for (subject, schedule) in [(visitor.address(), throttle::ADDRESS), (subject.clone(), throttle::OFFICER)] {
        match throttle::begin(desk.database(), &subject, schedule, now).await? {
            Attempt::Wait { seconds } => return login_page(&desk, &visitor, next, name, Some(Refusal::from(Reason::Throttled).with("seconds", seconds))).await,
            Attempt::Allowed { left: more } => left = more,
        }
    }
    let permit = desk.passwords().acquire().await.map_err(|_| Reason::Internal)?;
    let checked = officers::check_password(desk.database(), name, fields.password.clone()).await?;
    drop(permit);
    let Some(checked) = checked else {
        return login_page(&desk, &visitor, next, name, Some(Refusal::from(Reason::PasswordIncorrect).with("left", left))).await;
    };
    throttle::clear(desk.database(), &subject).await?;
    let mut random = [0_u8; 64];
    getrandom::fill(&mut random).map_err(DeskError::from)?;
    let opened = sessions::open_officer(desk.database(), &checked, Some(session), &visitor.agent, random, now).await?;
    tracing::info!(officer = checked.officer().id, "signed in");
    let mut response = see_other(next);
    set_session(&desk, &mut response, &opened.token);
    Ok(response)
}

pub(in crate::web) async fn sign_out(State(desk): State<Desk>, visitor: Visitor, fields: Result<Form<Token>, FormRejection>) -> Result<Response, Refusal> {
    let Form(fields) = fields.map_err(|_| Reason::Malformed)?;
    let session = visitor.checked(&fields.csrf)?;
    sessions::end(desk.database(), &session.id).await?;
    let mut response = see_other("/office/login");
    set_session(&desk, &mut response, "");
    Ok(response)
}

pub(in crate::web) async fn queue(State(desk): State<Desk>, visitor: Visitor) -> Result<Response, Refusal> {
    const PILES: [(&str, [&str; 2], &[Stand]); 6] = [
        ("payment", ["待确认到账", "Payments to confirm"], &[Stand::PaymentCheck]),
        ("first", ["待初审", "First review"], &[Stand::FirstReview]),
        ("second", ["待复核、复审", "Second review"], &[Stand::SecondReview, Stand::PaperReview]),
        ("making", ["待制作寄出", "Keys to make and send"], &[Stand::Making]),
        ("paper", ["待收纸质资料", "Originals awaited"], &[Stand::AwaitingPaper]),
        (
            "applicant",
            ["待申请人办理", "Waiting for applicants"],
            &[Stand::Returned, Stand::Activatable, Stand::Installable, Stand::AwaitingCode, Stand::Activated],
        ),
    ];
    let (_, officer) = visitor.officer()?;
    let page = Frame::of(&visitor, "queue");
    let mut piles = Vec::new();
    for (id, title, states) in PILES {
        let found = applications::queue(desk.database(), desk.vault(), states).await?;
        let waiting = found
            .into_iter()
            .map(|application| Waiting {
                institution: desk.profile(&application.profile).map(|profile| page.text(&profile.name).to_owned()).unwrap_or_default(),
                kind: page.language.say(application.case.kind.words()[0], application.case.kind.words()[1]),
                unit: application.values.get("unitName").cloned().unwrap_or_default(),
                since: Moment::from_unix(application.case.since).time(),
                mine: id == "second" && application.case.facts.first_officer == Some(officer.id),
                number: application.number,
            })
            .collect();
        piles.push(Pile { id, title: page.language.say(title[0], title[1]), waiting });
    }
    let total = piles.iter().filter(|pile| pile.id != "applicant").map(|pile| pile.waiting.len()).sum();
    Ok(render(&QueuePage { page, piles, total }))
}

pub(in crate::web) async fn spool(State(desk): State<Desk>, visitor: Visitor) -> Result<Response, Refusal> {
    visitor.officer()?;
    let page = Frame::of(&visitor, "spool");
    let found = messages::newest(desk.database(), desk.vault()).await?;
    let messages = found
        .into_iter()
        .map(|message| Spooled {
            time: Moment::from_unix(message.created_at).time(),
            channel: page.language.say(message.channel.words()[0], message.channel.words()[1]),
            number: message.number,
            to: message.to,
            text: message.text,
            carried: message.receipt.is_some(),
        })
        .collect();
    Ok(render(&SpoolPage { page, messages }))
}

pub(in crate::web) async fn sessions(State(desk): State<Desk>, visitor: Visitor) -> Result<Response, Refusal> {
    let (session, officer) = visitor.officer()?;
    let running = sessions::of_officer(desk.database(), officer.id, desk.now()).await?;
    let sessions = running
        .into_iter()
        .map(|other| (Moment::from_unix(other.created_at).time(), Moment::from_unix(other.seen_at).time(), other.agent, other.id == session.id))
        .collect();
    Ok(render(&SessionsPage { page: Frame::of(&visitor, "sessions"), sessions }))
}

pub(in crate::web) async fn end_sessions(State(desk): State<Desk>, visitor: Visitor, fields: Result<Form<Token>, FormRejection>) -> Result<Response, Refusal> {
    let Form(fields) = fields.map_err(|_| Reason::Malformed)?;
    let (session, officer) = visitor.checked_officer(&fields.csrf)?;
    sessions::end_others(desk.database(), officer.id, &session.id).await?;
    Ok(see_other("/office/sessions"))
}

async fn login_page(desk: &Desk, visitor: &Visitor, next: &str, name: &str, refusal: Option<Refusal>) -> Result<Response, Refusal> {
    let mut page = Frame::of(visitor, "login");
    let opened = if visitor.session.is_none() { Some(visitor.open(desk).await?) } else { None };
    if let Some(opened) = &opened {
        page.csrf.clone_from(&opened.session.csrf);
    }
    let status = refusal.as_ref().map(Refusal::status);
    let template = LoginPage {
        page,
        alert: refusal.map(|refusal| Alert::of(&refusal, visitor.language)),
        next: next.to_owned(),
        name: name.chars().take(64).collect(),
        demo: if desk.settings().demo_officers { DEMO.to_vec() } else { Vec::new() },
    };
    let mut response = render_with(status, &template);
    if let Some(opened) = opened {
        set_session(desk, &mut response, &opened.token);
    }
    Ok(response)
}

/// A path of the officers' side.
fn office(path: &str) -> &str {
    if inside(path).starts_with("/office") { path } else { "/office" }
}
