//! 账户: the account's data and its running sessions, which its owner can end.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::Response;
use serde::Deserialize;

use super::{Frame, render, see_other};
use crate::refusal::{Reason, Refusal};
use crate::settings::Portal;
use crate::store::sessions::Method;
use crate::store::{audit, sessions};
use crate::web::visitor::Visitor;

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    page: Frame,
    name: String,
    organisation: String,
    credit_code: String,
    sessions: Vec<Line>,
}

/// One session, as its owner sees it.
struct Line {
    agent: String,
    by_certificate: bool,
    created_at: i64,
    seen_at: i64,
    this: bool,
}

#[derive(Debug, Deserialize)]
pub(in crate::web) struct EndSessions {
    csrf: String,
}

pub(in crate::web) async fn show(State(portal): State<Portal>, visitor: Visitor) -> Result<Response, Refusal> {
    let (session, account) = visitor.supplier()?;
    let running = sessions::of_account(portal.database(), account.id, portal.now()).await?;
    let sessions = running
        .into_iter()
        .map(|one| Line {
            this: one.id == session.id,
            by_certificate: one.method == Method::Certificate,
            agent: one.agent,
            created_at: one.created_at,
            seen_at: one.seen_at,
        })
        .collect();
    Ok(render(&AccountPage {
        page: Frame::of(&portal, &visitor, "account"),
        name: account.name.clone(),
        organisation: account.organisation.clone(),
        credit_code: account.credit_code.clone(),
        sessions,
    }))
}

/// Ends every session of the account but this one.
pub(in crate::web) async fn end_sessions(
    State(portal): State<Portal>,
    visitor: Visitor,
    fields: Result<Form<EndSessions>, FormRejection>,
) -> Result<Response, Refusal> {
    let Form(fields) = fields.map_err(|_| Reason::Malformed)?;
    let (session, account) = visitor.checked_supplier(&fields.csrf)?;
    let ended = sessions::end_others(portal.database(), account.id, &session.id).await?;
    let detail = format!("ended {ended}");
    let entry = audit::Entry {
        account: Some(account.id),
        actor: &account.name,
        action: "end-sessions",
        origin: portal.settings().origin(),
        outcome: "ok",
        detail: &detail,
        ..audit::Entry::default()
    };
    audit::record(portal.database(), &entry, portal.now()).await?;
    Ok(see_other("/account"))
}
