//! 首页 and 所有功能.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::{Frame, render};
use crate::businesses::{Entry, MENU};
use crate::refusal::Refusal;
use crate::settings::Portal;
use crate::store::bindings::{self, Binding};
use crate::store::submissions::{self, Submission};
use crate::store::tenders;
use crate::web::visitor::Visitor;

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    page: Frame,
    organisation: String,
    credit_code: String,
    binding: Option<Binding>,
    open_tenders: usize,
    bids: usize,
    last: Option<Submission>,
}

#[derive(Template)]
#[template(path = "functions.html")]
struct FunctionsPage {
    page: Frame,
    bound: bool,
    /// Whether a CA's desk is there to go to.
    connected: bool,
    menu: [Entry; 8],
}

pub(in crate::web) async fn show(State(portal): State<Portal>, visitor: Visitor) -> Result<Response, Refusal> {
    let (_, account) = visitor.supplier()?;
    let bids = submissions::of_account(portal.database(), account.id).await?;
    let open_tenders = tenders::all(portal.database()).await?.iter().filter(|tender| tender.is_open(portal.now())).count();
    Ok(render(&HomePage {
        page: Frame::of(&portal, &visitor, "home"),
        organisation: account.organisation.clone(),
        credit_code: account.credit_code.clone(),
        binding: bindings::of_account(portal.database(), account.id).await?,
        open_tenders,
        bids: bids.len(),
        last: bids.into_iter().next(),
    }))
}

pub(in crate::web) async fn functions(State(portal): State<Portal>, visitor: Visitor) -> Result<Response, Refusal> {
    let (_, account) = visitor.supplier()?;
    let bound = bindings::of_account(portal.database(), account.id).await?.is_some();
    Ok(render(&FunctionsPage { page: Frame::of(&portal, &visitor, "functions"), bound, connected: portal.settings().desk.is_some(), menu: MENU }))
}
