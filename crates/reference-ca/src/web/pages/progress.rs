//! 办理进度查询: one number and its access code open a business in any browser, in any state (R81, R100). Nothing of it
//! stands in an address, and guessing is slowed down.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::Response;
use serde::Deserialize;

use super::{Alert, Frame, render_with, see_other};
use crate::refusal::{Reason, Refusal};
use crate::settings::Desk;
use crate::store::applications;
use crate::web::visitor::{Visitor, set_session};

#[derive(Template)]
#[template(path = "progress.html")]
struct ProgressPage {
    page: Frame,
    alert: Option<Alert>,
    number: String,
}

#[derive(Debug, Deserialize)]
pub(in crate::web) struct Fields {
    csrf: String,
    number: String,
    code: String,
}

pub(in crate::web) async fn show(State(desk): State<Desk>, visitor: Visitor) -> Result<Response, Refusal> {
    page(&desk, &visitor, "", None).await
}

pub(in crate::web) async fn open(State(desk): State<Desk>, visitor: Visitor, fields: Result<Form<Fields>, FormRejection>) -> Result<Response, Refusal> {
    let Form(fields) = fields.map_err(|_| Reason::Malformed)?;
    let Ok(session) = visitor.checked(&fields.csrf) else {
        return page(&desk, &visitor, &fields.number, Some(Reason::Csrf.into())).await;
    };
    match visitor.knows(&desk, &fields.number, &fields.code).await {
        Ok((number, id)) => {
            applications::open(desk.database(), &session.id, id).await?;
            Ok(see_other(&format!("/business/{number}")))
        }
        Err(refusal) => page(&desk, &visitor, &fields.number, Some(refusal)).await,
    }
}

async fn page(desk: &Desk, visitor: &Visitor, number: &str, refusal: Option<Refusal>) -> Result<Response, Refusal> {
    let mut page = Frame::of(visitor, "progress");
    let opened = if visitor.session.is_none() { Some(visitor.open(desk).await?) } else { None };
    if let Some(opened) = &opened {
        page.csrf.clone_from(&opened.session.csrf);
    }
    let status = refusal.as_ref().map(Refusal::status);
    let alert = refusal.map(|refusal| Alert::of(&refusal, visitor.language));
    let mut response = render_with(status, &ProgressPage { page, alert, number: number.chars().take(40).collect() });
    if let Some(opened) = opened {
        set_session(desk, &mut response, &opened.token);
    }
    Ok(response)
}
