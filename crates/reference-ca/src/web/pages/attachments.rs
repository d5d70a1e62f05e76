//! Documents that are sent in, one for each slot, and their showing again: to the session that opened the business, and to
//! officers. A file that somebody sent in is served so that it can do nothing: no script, no frame but ours, no guessing
//! of its kind.

use axum::Json;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, Path, State};
use axum::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_FRAME_OPTIONS};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::see_other;
use crate::refusal::{Reason, Refusal};
use crate::settings::Desk;
use crate::store::applications::{self, File, takes_files};
use crate::store::uploads::{self, Upload};
use crate::upload;
use crate::web::visitor::Visitor;

/// Takes one file for one slot (multipart: `csrf`, then `file`).
pub(in crate::web) async fn upload(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path((number, slot)): Path<(String, String)>,
    headers: HeaderMap,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, Refusal> {
    let application = visitor.business(&desk, &number).await?;
    let profile = desk.profile(&application.profile).ok_or(Reason::Internal)?;
    let slots = profile.slots_of(application.case.kind, &application.values);
    let (slot, _) = slots.into_iter().find(|(known, _)| known.id == slot).ok_or(Reason::SlotUnknown)?;
    if !takes_files(application.case.state) {
        return Err(Reason::Locked.into());
    }
    let mut form = form.map_err(|_| Reason::Malformed)?;
    let mut checked = false;
    while let Some(field) = form.next_field().await.map_err(|_| Refusal::from(Reason::Malformed))? {
        match field.name() {
            Some("csrf") => {
                let token = field.text().await.map_err(|_| Refusal::from(Reason::Malformed))?;
                visitor.checked(&token)?;
                checked = true;
            }
            Some("file") if checked => {
                let bytes = field.bytes().await.map_err(|error| match error.status() {
                    status if status == axum::http::StatusCode::PAYLOAD_TOO_LARGE => Refusal::of_upload(upload::Fault::TooLarge, slot),
                    _ => Refusal::from(Reason::Malformed),
                })?;
                let content = upload::look(&bytes, slot.max_bytes).map_err(|fault| Refusal::of_upload(fault, slot))?;
                let looked = super::seals::look(&desk, &application, profile, slot, content, bytes.clone()).await?;
                let (folder, vault, body) = (desk.uploads().to_owned(), desk.vault().clone(), bytes.clone());
                let file = tokio::task::spawn_blocking(move || uploads::write(&folder, &vault, &body)).await.map_err(|_| Reason::Internal)??;
                let kept = File { slot: &slot.id, content, bytes: &bytes, name: &file, form: looked.form, impressions: looked.impressions.as_deref() };
                match applications::attach(desk.database(), desk.vault(), application.id, &kept, desk.now()).await {
                    Ok(old) => {
                        if let Some(old) = old {
                            uploads::remove(desk.uploads(), &old);
                        }
                    }
                    Err(error) => {
                        uploads::remove(desk.uploads(), &file);
                        return Err(error.into());
                    }
                }
                if headers.get(ACCEPT).is_some_and(|accept| accept.as_bytes() == b"application/json") {
                    return Ok(Json(json!({ "slot": slot.id, "kind": content.media_type(), "size": bytes.len() })).into_response());
                }
                return Ok(see_other(&format!("/business/{number}#slot-{}", slot.id)));
            }
            _ => return Err(Reason::Malformed.into()),
        }
    }
    Err(Reason::Malformed.into())
}

/// A file of a business that was opened in this session.
pub(in crate::web) async fn own(State(desk): State<Desk>, visitor: Visitor, Path((number, id)): Path<(String, i64)>) -> Result<Response, Refusal> {
    let application = visitor.business(&desk, &number).await?;
    let upload = uploads::by_id(desk.database(), id).await?.filter(|upload| upload.application == application.id).ok_or(Reason::NotFound)?;
    serve(&desk, upload).await
}

/// Any file, for officers.
pub(in crate::web) async fn office(State(desk): State<Desk>, visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Refusal> {
    visitor.officer()?;
    let upload = uploads::by_id(desk.database(), id).await?.ok_or(Reason::NotFound)?;
    serve(&desk, upload).await
}

async fn serve(desk: &Desk, upload: Upload) -> Result<Response, Refusal> {
    let (folder, vault) = (desk.uploads().to_owned(), desk.vault().clone());
    let media_type = upload.media_type.clone();
    let bytes = tokio::task::spawn_blocking(move || uploads::bytes(&folder, &vault, &upload)).await.map_err(|_| Reason::Internal)??;
    let kind = HeaderValue::from_str(&media_type).map_err(|_| Reason::Internal)?;
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_DISPOSITION, HeaderValue::from_static("inline")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'")),
        (X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN")),
    ];
    Ok((headers, bytes).into_response())
}
