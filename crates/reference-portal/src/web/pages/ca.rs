//! CA管理: the state of the binding, 【绑定】 and 【解绑】, the businesses at the CA's desk and how they stand. Unbinding asks for the password again and ends the account's
//! other sessions, because one of them may have been opened with the key.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::Response;
use serde::Deserialize;

use super::{Alert, Frame, render, see_other};
use crate::businesses::{self, Entry, MENU};
use crate::refusal::{Reason, Refusal};
use crate::settings::Portal;
use crate::store::bindings::{self, Binding};
use crate::store::desk::{self, Told};
use crate::store::throttle::{self, Attempt};
use crate::store::{accounts, audit, sessions};
use crate::web::visitor::Visitor;

#[derive(Template)]
#[template(path = "ca.html")]
struct CaPage {
    page: Frame,
    name: String,
    organisation: String,
    credit_code: String,
    binding: Option<Binding>,
    days_left: i64,
    alert: Option<Alert>,
    /// The origin of the CA's desk.
    desk: Option<String>,
    menu: [Entry; 8],
    undecrypted: u32,
    progress: Vec<Told>,
}

impl CaPage {
    fn business(&self, name: &str) -> String {
        self.page.language.pick(&businesses::business(name)).to_owned()
    }

    fn state(&self, name: &str) -> String {
        self.page.language.pick(&businesses::state(name)).to_owned()
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::web) struct Unbind {
    csrf: String,
    password: String,
}

pub(in crate::web) async fn show(State(portal): State<Portal>, visitor: Visitor) -> Result<Response, Refusal> {
    page(&portal, &visitor, None).await
}

pub(in crate::web) async fn unbind(State(portal): State<Portal>, visitor: Visitor, fields: Result<Form<Unbind>, FormRejection>) -> Result<Response, Refusal> {
    let Form(fields) = fields.map_err(|_| Reason::Malformed)?;
    let (session, account) = visitor.checked_supplier(&fields.csrf)?;
    let now = portal.now();
    let subject = format!("account:{}", account.name);
    let left = match throttle::begin(portal.database(), &subject, throttle::ACCOUNT, now).await? {
        Attempt::Allowed { left } => left,
        Attempt::Wait { seconds } => {
            return refused(&portal, &visitor, &Refusal::from(Reason::Throttled).with("seconds", seconds)).await;
        }
    };
    let permit = portal.passwords().acquire().await.map_err(|_| Reason::Internal)?;
    let checked =
        if fields.password.chars().count() > 256 { None } else { accounts::check_password(portal.database(), &account.name, fields.password).await? };
    drop(permit);
    let origin = portal.settings().origin();
    let entry = audit::Entry { account: Some(account.id), actor: &account.name, action: "unbind", origin, ..audit::Entry::default() };
    if checked.is_none() {
        let outcome = Reason::PasswordIncorrect.code();
        audit::record(portal.database(), &audit::Entry { outcome, ..entry }, now).await?;
        return refused(&portal, &visitor, &Refusal::from(Reason::PasswordIncorrect).with("left", left)).await;
    }
    throttle::clear(portal.database(), &subject).await?;
    let bound = bindings::of_account(portal.database(), account.id).await?;
    let detail = bound.map(|bound| bound.detail()).unwrap_or_default();
    let mut transaction = portal.database().begin().await?;
    let removed = bindings::remove(&mut transaction, account.id).await?;
    let outcome = if removed { "ok" } else { Reason::NothingBound.code() };
    audit::append(&mut transaction, &audit::Entry { outcome, detail: &detail, ..entry }, now).await?;
    transaction.commit().await?;
    if !removed {
        return refused(&portal, &visitor, &Reason::NothingBound.into()).await;
    }
    sessions::end_others(portal.database(), account.id, &session.id).await?;
    Ok(see_other("/ca"))
}

async fn refused(portal: &Portal, visitor: &Visitor, refusal: &Refusal) -> Result<Response, Refusal> {
    let mut response = page(portal, visitor, Some(Alert::of(refusal, visitor.language))).await?;
    *response.status_mut() = refusal.status;
    Ok(response)
}

async fn page(portal: &Portal, visitor: &Visitor, alert: Option<Alert>) -> Result<Response, Refusal> {
    let (_, account) = visitor.supplier()?;
    let binding = bindings::of_account(portal.database(), account.id).await?;
    let days_left = binding.as_ref().map_or(0, |bound| bound.not_after.saturating_sub(portal.now()).div_euclid(86_400));
    let mut page = Frame::of(portal, visitor, "functions");
    page.path = "/ca".to_owned();
    Ok(render(&CaPage {
        page,
        name: account.name.clone(),
        organisation: account.organisation.clone(),
        credit_code: account.credit_code.clone(),
        binding,
        days_left,
        alert,
        desk: portal.settings().desk.as_ref().map(|desk| desk.origin().to_owned()),
        menu: MENU,
        undecrypted: desk::undecrypted(portal.database(), account.id).await?,
        progress: desk::of_account(portal.database(), account.id).await?,
    }))
}
