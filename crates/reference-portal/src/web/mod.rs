//! The HTTP side: routes, the guards around them, and the one place where refusals become pages or JSON.
//! Every page comes with a Content-Security-Policy that allows no inline script, and every change needs a POST from
//! our own origin with the session's token.

mod api;
mod assets;
mod guard;
mod pages;
mod visitor;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};
use tower_http::services::ServeDir;

use crate::settings::Portal;

/// Largest body of a form or a call; documents have their own cap.
const BODY_MAX: usize = 64 * 1024;

/// The portal as a service.
pub fn router(portal: Portal) -> Router {
    let mut routes = Router::new()
        .route("/healthz", get(pages::health))
        .route("/", get(pages::home::show))
        .route("/login", get(pages::login::show).post(pages::login::submit))
        .route("/logout", post(pages::login::logout))
        .route("/language/{tag}", get(pages::language))
        .route("/functions", get(pages::home::functions))
        .route("/ca", get(pages::ca::show))
        .route("/ca/unbind", post(pages::ca::unbind))
        .route("/ca/handover", get(pages::desk::menu).post(pages::desk::hand_over))
        .route("/ca/returned", get(pages::desk::returned))
        .route("/tenders", get(pages::tenders::list))
        .route("/tenders/{id}", get(pages::tenders::show))
        .route("/tenders/{id}/form.pdf", get(pages::tenders::form))
        .route("/submissions", get(pages::submissions::list))
        .route("/submissions/{id}", get(pages::submissions::show))
        .route("/submissions/{id}/document", get(pages::submissions::document))
        .route("/submissions/{id}/receipt", get(pages::submissions::receipt))
        .route("/account", get(pages::account::show))
        .route("/account/sessions", post(pages::account::end_sessions))
        .route("/audit", get(pages::audit::show))
        .route("/api/challenge", post(api::challenge))
        .route("/api/bind", post(api::bind))
        .route("/api/login", post(api::login))
        .route("/api/documents", post(api::documents::receive).layer(DefaultBodyLimit::disable()))
        .route("/api/audit/check", get(api::audit_check))
        .route("/assets/{file}", get(assets::serve))
        .fallback(pages::missing)
        .layer(DefaultBodyLimit::max(BODY_MAX));
    if let Some(folder) = &portal.settings().client {
        routes = routes.nest_service("/client", ServeDir::new(folder));
    }
    routes
        .layer(middleware::from_fn_with_state(portal.clone(), guard::same_site))
        .layer(middleware::from_fn_with_state(portal.clone(), guard::official_host))
        .layer(middleware::from_fn_with_state(portal.clone(), guard::tell_refusals))
        .layer(middleware::from_fn_with_state(portal.clone(), guard::headers))
        .with_state(portal)
}
