//! 投标文件: the tenders, and for each the page where the letter of bid is filled, stamped and handed in.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{Frame, render};
use crate::language::Moment;
use crate::refusal::{Reason, Refusal};
use crate::settings::Portal;
use crate::store::submissions::{self, Submission};
use crate::store::tenders::{self, Tender};
use crate::web::visitor::Visitor;

const EMBEDDED: &[u8] = include_bytes!("../../../assets/bid-form.pdf");
const UNEMBEDDED: &[u8] = include_bytes!("../../../assets/bid-form-unembedded.pdf");

#[derive(Template)]
#[template(path = "tenders.html")]
struct TendersPage {
    page: Frame,
    tenders: Vec<(Tender, bool)>,
}

#[derive(Template)]
#[template(path = "tender.html")]
struct TenderPage {
    page: Frame,
    tender: Tender,
    open: bool,
    project: String,
    organisation: String,
    credit_code: String,
    today: String,
    document_max: u64,
    mine: Vec<Submission>,
}

#[derive(Debug, Deserialize)]
pub(in crate::web) struct FormChoice {
    #[serde(default)]
    fonts: String,
}

pub(in crate::web) async fn list(State(portal): State<Portal>, visitor: Visitor) -> Result<Response, Refusal> {
    visitor.supplier()?;
    let now = portal.now();
    let tenders = tenders::all(portal.database()).await?;
    let tenders = tenders
        .into_iter()
        .map(|tender| {
            let open = tender.is_open(now);
            (tender, open)
        })
        .collect();
    Ok(render(&TendersPage { page: Frame::of(&portal, &visitor, "tenders"), tenders }))
}

pub(in crate::web) async fn show(State(portal): State<Portal>, visitor: Visitor, Path(id): Path<String>) -> Result<Response, Refusal> {
    let (_, account) = visitor.supplier()?;
    let tender = tenders::by_id(portal.database(), &id).await?.ok_or(Reason::NotFound)?;
    let mut mine = submissions::of_account(portal.database(), account.id).await?;
    mine.retain(|bid| bid.tender == tender.id);
    mine.truncate(10);
    Ok(render(&TenderPage {
        page: Frame::of(&portal, &visitor, "tenders"),
        open: tender.is_open(portal.now()),
        // The form is a Chinese document in either language of the page.
        project: tender.title(crate::language::Language::Chinese).to_owned(),
        tender,
        organisation: account.organisation.clone(),
        credit_code: account.credit_code.clone(),
        today: Moment::from_unix(portal.now()).chinese_date(),
        document_max: portal.settings().document_max,
        mine,
    }))
}

/// The blank form; `?fonts=none` gives the one that embeds no font.
pub(in crate::web) async fn form(
    State(portal): State<Portal>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(FormChoice { fonts }): Query<FormChoice>,
) -> Result<Response, Refusal> {
    visitor.supplier()?;
    tenders::by_id(portal.database(), &id).await?.ok_or(Reason::NotFound)?;
    let form = if fonts == "none" { UNEMBEDDED } else { EMBEDDED };
    let headers = [
        (CONTENT_TYPE, "application/pdf"),
        (CONTENT_DISPOSITION, "attachment; filename=\"bid-form.pdf\"; filename*=UTF-8''%E6%8A%95%E6%A0%87%E5%87%BD.pdf"),
        (CACHE_CONTROL, "private, max-age=300"),
    ];
    Ok((headers, form).into_response())
}
