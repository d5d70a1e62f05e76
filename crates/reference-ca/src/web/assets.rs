//! The stylesheet, the script and the mark, compiled in: the desk is one file to copy.

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::refusal::{Reason, Refusal};

const FILES: [(&str, &str, &str); 3] = [
    ("desk.css", "text/css; charset=utf-8", include_str!("../../static/desk.css")),
    ("desk.js", "text/javascript; charset=utf-8", include_str!("../../static/desk.js")),
    ("seal.svg", "image/svg+xml", include_str!("../../static/seal.svg")),
];

pub(super) async fn serve(Path(file): Path<String>) -> Result<Response, Refusal> {
    let (_, kind, content) = FILES.iter().find(|(name, _, _)| *name == file).ok_or(Reason::NotFound)?;
    // Checked again each time: an old script with a new page is worse than a request.
    Ok(([(CONTENT_TYPE, *kind), (CACHE_CONTROL, "no-cache")], *content).into_response())
}
