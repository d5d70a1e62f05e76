//! 登录: account and password, or 【CA登录】. A visitor gets a session here, for the form's token and for the challenge.

use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::http::HeaderValue;
use axum::http::header::RETRY_AFTER;
use axum::response::Response;
use serde::Deserialize;

use super::{Alert, Frame, inside, render, see_other};
use crate::refusal::{Reason, Refusal};
use crate::settings::{Portal, random};
use crate::store::throttle::{self, Attempt};
use crate::store::{accounts, audit, sessions};
use crate::web::visitor::{Visitor, set_session};

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    page: Frame,
    alert: Option<Alert>,
    next: String,
    name: String,
    demo: Option<(&'static str, &'static str)>,
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
pub(in crate::web) struct Logout {
    csrf: String,
}

pub(in crate::web) async fn show(State(portal): State<Portal>, visitor: Visitor, Query(Next { next }): Query<Next>) -> Result<Response, Refusal> {
    if visitor.supplier().is_ok() {
        return Ok(see_other(inside(&next)));
    }
    page(&portal, &visitor, None, inside(&next), "").await
}

pub(in crate::web) async fn submit(State(portal): State<Portal>, visitor: Visitor, fields: Result<Form<Fields>, FormRejection>) -> Result<Response, Refusal> {
    let Form(fields) = fields.map_err(|_| Reason::Malformed)?;
    let next = inside(&fields.next);
    let session = match visitor.checked(&fields.csrf) {
        Ok(session) => session,
        // The session may simply have ended while the page stood open: show a fresh form.
        Err(refusal) => return refused(&portal, &visitor, &refusal, next, &fields.name).await,
    };
    match sign_in(&portal, &visitor, &fields).await? {
        Err(refusal) => refused(&portal, &visitor, &refusal, next, &fields.name).await,
        Ok(checked) => {
            let proof = sessions::Proof::Password(&checked);
            let mut transaction = portal.database().begin().await?;
            let opened = sessions::open_signed_in(&mut transaction, &proof, session, random()?, portal.now()).await?;
            transaction.commit().await?;
            let mut response = see_other(next);
            set_session(&portal, &mut response, &opened.token);
            Ok(response)
        }
    }
}

pub(in crate::web) async fn logout(State(portal): State<Portal>, visitor: Visitor, fields: Result<Form<Logout>, FormRejection>) -> Result<Response, Refusal> {
    let Form(fields) = fields.map_err(|_| Reason::Malformed)?;
    let session = visitor.checked(&fields.csrf)?;
    sessions::end(portal.database(), &session.id).await?;
    if let Some(account) = &session.account {
        record(&portal, Some(account.id), &account.name, "logout", "ok").await?;
    }
    let mut response = see_other("/login");
    set_session(&portal, &mut response, "");
    Ok(response)
}

/// Where a page sends a visitor who has to sign in first.
pub(in crate::web) fn send_there(path: &str) -> Response {
    match inside(path) {
        "/" => see_other("/login"),
        path => see_other(&format!("/login?next={path}")),
    }
}

/// Counts the attempt, checks the password, records the outcome.
async fn sign_in(portal: &Portal, visitor: &Visitor, fields: &Fields) -> Result<Result<accounts::PasswordChecked, Refusal>, Refusal> {
    let (name, now) = (fields.name.trim(), portal.now());
    if name.is_empty() || name.chars().count() > 64 || fields.password.chars().count() > 256 {
        return Ok(Err(Refusal::from(Reason::PasswordIncorrect).with("left", throttle::ACCOUNT.free)));
    }
    let (by_address, by_name) = (format!("address:{}", visitor.address()), format!("account:{name}"));
    let mut left = 0;
    for (subject, schedule) in [(&by_address, throttle::ADDRESS), (&by_name, throttle::ACCOUNT)] {
        match throttle::begin(portal.database(), subject, schedule, now).await? {
            // Not recorded: a guesser must not be able to fill the log.
            Attempt::Wait { seconds } => {
                let wait = u64::try_from(seconds).unwrap_or_default();
                return Ok(Err(Refusal::from(Reason::Throttled).with("seconds", seconds).retry_after(wait)));
            }
            Attempt::Allowed { left: more } => left = more,
        }
    }
    let permit = portal.passwords().acquire().await.map_err(|_| Reason::Internal)?;
    let checked = accounts::check_password(portal.database(), name, fields.password.clone()).await?;
    drop(permit);
    match checked {
        Some(checked) => {
            throttle::clear(portal.database(), &by_name).await?;
            throttle::clear(portal.database(), &by_address).await?;
            record(portal, Some(checked.account().id), &checked.account().name, "login-password", "ok").await?;
            Ok(Ok(checked))
        }
        None => {
            let known = accounts::by_name(portal.database(), name).await?.map(|account| account.id);
            record(portal, known, name, "login-password", Reason::PasswordIncorrect.code()).await?;
            Ok(Err(Refusal::from(Reason::PasswordIncorrect).with("left", left)))
        }
    }
}

async fn record(portal: &Portal, account: Option<i64>, actor: &str, action: &str, outcome: &str) -> Result<(), Refusal> {
    let origin = portal.settings().origin();
    let entry = audit::Entry { account, actor, action, origin, outcome, ..audit::Entry::default() };
    audit::record(portal.database(), &entry, portal.now()).await?;
    Ok(())
}

async fn refused(portal: &Portal, visitor: &Visitor, refusal: &Refusal, next: &str, name: &str) -> Result<Response, Refusal> {
    let alert = Alert::of(refusal, visitor.language);
    let mut response = page(portal, visitor, Some(alert), next, name).await?;
    *response.status_mut() = refusal.status;
    if let Some(seconds) = refusal.retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

async fn page(portal: &Portal, visitor: &Visitor, alert: Option<Alert>, next: &str, name: &str) -> Result<Response, Refusal> {
    let mut frame = Frame::of(portal, visitor, "login");
    let opened = if visitor.session.is_none() { Some(visitor.open(portal).await?) } else { None };
    if let Some(opened) = &opened {
        frame.csrf.clone_from(&opened.session.csrf);
    }
    frame.path = "/login".to_owned();
    let demo = portal.settings().demo_account.then_some((crate::demo::NAME, crate::demo::PASSWORD));
    let name: String = name.chars().take(64).collect();
    let mut response = render(&LoginPage { page: frame, alert, next: next.to_owned(), name, demo });
    if let Some(opened) = opened {
        set_session(portal, &mut response, &opened.token);
    }
    Ok(response)
}
