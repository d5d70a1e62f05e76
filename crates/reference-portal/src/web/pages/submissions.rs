//! 我的投标: the bids, each with its verdict in words, the document as it came in, and a receipt to keep
//! (电子签名法 articles 10 and 11: the receipt says when the document entered this system).

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Request;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tower::ServiceExt;
use tower_http::services::ServeFile;

use super::{Frame, render};
use crate::judgement::Judgement;
use crate::language::Moment;
use crate::refusal::{Reason, Refusal};
use crate::settings::Portal;
use crate::store::submissions::{self, Submission};
use crate::store::tenders;
use crate::web::visitor::Visitor;

#[derive(Template)]
#[template(path = "submissions.html")]
struct SubmissionsPage {
    page: Frame,
    bids: Vec<Submission>,
}

#[derive(Template)]
#[template(path = "submission.html")]
struct SubmissionPage {
    page: Frame,
    bid: Submission,
    project: String,
    judgement: Judgement,
}

#[derive(Template)]
#[template(path = "receipt.txt")]
struct Receipt {
    bid: Submission,
    project: [String; 2],
    name: String,
    organisation: String,
    credit_code: String,
    received: String,
    origin: String,
    judgement: Judgement,
}

pub(in crate::web) async fn list(State(portal): State<Portal>, visitor: Visitor) -> Result<Response, Refusal> {
    let (_, account) = visitor.supplier()?;
    let bids = submissions::of_account(portal.database(), account.id).await?;
    Ok(render(&SubmissionsPage { page: Frame::of(&portal, &visitor, "submissions"), bids }))
}

pub(in crate::web) async fn show(State(portal): State<Portal>, visitor: Visitor, Path(id): Path<String>) -> Result<Response, Refusal> {
    let (bid, judgement) = find(&portal, &visitor, &id).await?;
    let tender = tenders::by_id(portal.database(), &bid.tender).await?.ok_or(Reason::NotFound)?;
    let project = tender.title(visitor.language).to_owned();
    Ok(render(&SubmissionPage { page: Frame::of(&portal, &visitor, "submissions"), bid, project, judgement }))
}

/// The document, byte for byte as it came in; ranges are served, so a large one can be resumed.
pub(in crate::web) async fn document(State(portal): State<Portal>, visitor: Visitor, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, Refusal> {
    let (bid, _) = find(&portal, &visitor, &id).await?;
    let path = portal.settings().documents.join(format!("{}.pdf", bid.id));
    let mut request = Request::new(Body::empty());
    *request.headers_mut() = headers;
    let Ok(response) = ServeFile::new(path).oneshot(request).await;
    let mut response = response.map(Body::new).into_response();
    if response.status() == StatusCode::NOT_FOUND {
        return Err(Reason::NotFound.into());
    }
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/pdf"));
    attach(&mut response, "bid.pdf", &bid.file_name);
    Ok(response)
}

pub(in crate::web) async fn receipt(State(portal): State<Portal>, visitor: Visitor, Path(id): Path<String>) -> Result<Response, Refusal> {
    let (bid, judgement) = find(&portal, &visitor, &id).await?;
    let (_, account) = visitor.supplier()?;
    let tender = tenders::by_id(portal.database(), &bid.tender).await?.ok_or(Reason::NotFound)?;
    let file_name = format!("投标回执-{}-{}.txt", bid.tender, bid.id);
    let receipt = Receipt {
        project: [tender.title(crate::language::Language::Chinese).to_owned(), tender.title(crate::language::Language::English).to_owned()],
        name: account.name.clone(),
        organisation: account.organisation.clone(),
        credit_code: account.credit_code.clone(),
        received: Moment::from_unix(bid.received_at).time(),
        origin: portal.settings().origin().to_owned(),
        bid,
        judgement,
    };
    let text = receipt.render().map_err(|_| Reason::Internal)?;
    let mut response = ([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response();
    attach(&mut response, "receipt.txt", &file_name);
    Ok(response)
}

async fn find(portal: &Portal, visitor: &Visitor, id: &str) -> Result<(Submission, Judgement), Refusal> {
    let (_, account) = visitor.supplier()?;
    let bid = submissions::by_id(portal.database(), account.id, id).await?.ok_or(Reason::NotFound)?;
    let judgement = serde_json::from_str(&bid.verdict).map_err(|error| {
        tracing::error!(%error, bid = bid.id, "stored verdict");
        Reason::Internal
    })?;
    Ok((bid, judgement))
}

/// RFC 6266: an ASCII name for old programs, the real one percent-encoded.
fn attach(response: &mut Response, plain: &str, name: &str) {
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
}
