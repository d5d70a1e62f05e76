//! The HTTP side of the desk: routes, the guards around them, and the one place where refusals become pages or
//! problem+json. No page runs an inline script, every change needs a POST from our own origin with the session's token,
//! and no address names a person: businesses go by their number.

mod assets;
mod guard;
mod pages;
mod visitor;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};
use tower_http::services::ServeDir;

use crate::profile::MAX_UPLOAD;
use crate::services;
use crate::settings::Desk;

pub use pages::office::DEMO as DEMO_OFFICERS;

/// Largest body of a form or a call; uploads have their own cap.
const BODY_MAX: usize = 64 * 1024;
/// Largest upload with what surrounds it.
const UPLOAD_MAX: usize = MAX_UPLOAD as usize + 64 * 1024;

/// The desk as a service.
pub fn router(desk: Desk) -> Router {
    let upload = post(pages::attachments::upload).layer(DefaultBodyLimit::max(UPLOAD_MAX));
    let mut routes = Router::new()
        .route("/healthz", get(pages::health))
        .route("/", get(pages::home::show))
        .route("/language/{tag}", get(pages::language))
        .route("/ca/{profile}", get(pages::home::institution))
        .route("/ca/{profile}/{kind}", get(pages::home::notice).post(pages::home::begin))
        .route("/handover", post(pages::handover::arrive))
        .route("/handover/begin", post(pages::handover::begin))
        .route("/business/{number}/back", get(pages::handover::back))
        .route("/progress", get(pages::progress::show).post(pages::progress::open))
        .route("/business/{number}", get(pages::business::show))
        .route("/business/{number}/save", post(pages::business::save))
        .route("/business/{number}/challenge", post(pages::renewal::challenge))
        .route("/business/{number}/act/{act}", post(pages::business::act))
        .route("/business/{number}/pay", post(pages::business::pay))
        .route("/business/{number}/code", post(pages::business::code))
        .route("/business/{number}/form", get(pages::business::form))
        .route("/business/{number}/form.pdf", get(pages::business::form_pdf))
        .route("/business/{number}/upload/{slot}", upload)
        .route("/business/{number}/file/{id}", get(pages::attachments::own))
        .route("/api/business/{number}", get(pages::activation::facts))
        .route("/api/business/{number}/grant", post(pages::activation::grant))
        .route("/api/business/{number}/activate", post(pages::activation::activate))
        .route("/api/business/{number}/seal", post(pages::seals::seal))
        .route("/api/business/{number}/renewed", post(pages::renewal::renewed))
        .route("/api/business/{number}/installed", post(pages::seals::installed))
        .route("/business/{number}/impression/{ordinal}/{side}", get(pages::seals::own))
        .route("/office/business/{number}/impression/{ordinal}/{side}", get(pages::seals::office))
        .route("/office/business/{number}/pick/{ordinal}", post(pages::seals::pick))
        .route("/api/business/{number}/setup", post(pages::secrets::setup))
        .route("/api/business/{number}/unlock", post(pages::secrets::unlock))
        .route("/office", get(pages::office::queue))
        .route("/office/login", get(pages::office::login).post(pages::office::sign_in))
        .route("/office/logout", post(pages::office::sign_out))
        .route("/office/business/{number}", get(pages::review::show))
        .route("/office/business/{number}/act/{act}", post(pages::review::act))
        .route("/office/file/{id}", get(pages::attachments::office))
        .route("/office/spool", get(pages::office::spool))
        .route("/office/sessions", get(pages::office::sessions).post(pages::office::end_sessions))
        .route("/assets/{file}", get(assets::serve))
        .fallback(pages::missing)
        .layer(DefaultBodyLimit::max(BODY_MAX));
    if let Some(folder) = &desk.settings().client {
        routes = routes.nest_service("/client", ServeDir::new(folder));
    }
    routes
        .layer(middleware::from_fn_with_state(desk.clone(), guard::same_site))
        .layer(middleware::from_fn_with_state(desk.clone(), guard::tell_refusals))
        .layer(guard::from_elsewhere())
        .layer(middleware::from_fn_with_state(desk.clone(), guard::headers))
        .with_state(desk.clone())
        // Asked by programs, without cookies and from anywhere: the guards of pages are not theirs.
        .merge(services::router(Arc::clone(desk.authority())))
}
