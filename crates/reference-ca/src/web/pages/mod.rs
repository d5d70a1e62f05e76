//! The pages. What all share is [`Frame`].

pub(super) mod activation;
pub(super) mod attachments;
pub(super) mod business;
pub(super) mod handover;
pub(super) mod home;
pub(super) mod office;
pub(super) mod progress;
pub(super) mod renewal;
pub(super) mod review;
pub(super) mod seals;
pub(super) mod secrets;
pub(super) mod view;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::visitor::Visitor;
use crate::calendar::Moment;
use crate::language::Language;
use crate::refusal::{Reason, Refusal};
use crate::settings::Desk;
use crate::store::sessions::Session;

/// What every page shows around its content.
#[derive(Debug)]
pub(super) struct Frame {
    language: Language,
    path: String,
    /// Which entry of the menu is marked.
    active: &'static str,
    /// The signed-in officer.
    officer: Option<String>,
    /// Whether this page uses the page client, and where it is; empty where the desk has none.
    client: Option<&'static str>,
    /// Empty where there is no session.
    pub(super) csrf: String,
}

impl Frame {
    pub(super) fn of(visitor: &Visitor, active: &'static str) -> Self {
        Frame::new(visitor.language, &visitor.path, active, visitor.session.as_ref())
    }

    fn new(language: Language, path: &str, active: &'static str, session: Option<&Session>) -> Self {
        Frame {
            language,
            path: path.to_owned(),
            active,
            client: None,
            officer: session.and_then(|session| session.officer.as_ref()).map(|officer| officer.name.clone()),
            csrf: session.map(|session| session.csrf.clone()).unwrap_or_default(),
        }
    }

    fn say<'a>(&self, chinese: &'a str, english: &'a str) -> &'a str {
        self.language.say(chinese, english)
    }

    /// One of a profile's pair.
    fn text<'a>(&self, pair: &'a [String; 2]) -> &'a str {
        let [chinese, english] = pair;
        self.language.say(chinese, english)
    }

    fn tag(&self) -> &'static str {
        self.language.tag()
    }

    fn date(&self, unix: &i64) -> String {
        Moment::from_unix(*unix).date()
    }
}

/// A refusal inside a page, with its code, so that a support desk knows what is meant.
#[derive(Debug)]
pub(super) struct Alert {
    code: &'static str,
    what: String,
    remedy: String,
}

impl Alert {
    pub(super) fn of(refusal: &Refusal, language: Language) -> Self {
        let (what, remedy) = refusal.words(language);
        Alert { code: refusal.reason.code(), what, remedy }
    }
}

#[derive(Template)]
#[template(path = "refused.html")]
struct RefusedPage {
    page: Frame,
    alert: Option<Alert>,
}

/// Writes a template.
pub(super) fn render(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => ([(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
        Err(error) => {
            tracing::error!(%error, "template");
            Refusal::from(Reason::Internal).into_response()
        }
    }
}

/// Writes a template with a refusal's status.
pub(super) fn render_with(status: Option<StatusCode>, template: &impl Template) -> Response {
    let mut response = render(template);
    if let Some(status) = status {
        *response.status_mut() = status;
    }
    response
}

/// The page for a refusal that no page of its own explains.
pub(super) fn refused(refusal: &Refusal, language: Language, session: Option<Session>) -> Response {
    let page = Frame::new(language, "/", "", session.as_ref());
    render_with(Some(refusal.status()), &RefusedPage { page, alert: Some(Alert::of(refusal, language)) })
}

pub(super) async fn health() -> &'static str {
    "ok\n"
}

pub(super) async fn missing() -> Refusal {
    Reason::NotFound.into()
}

#[derive(Debug, Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    back: String,
}

/// Remembers the language and goes back. It changes nothing but the words, so a link may do it.
pub(super) async fn language(State(desk): State<Desk>, Path(tag): Path<String>, Query(Back { back }): Query<Back>) -> Response {
    let language = Language::from_tag(&tag).tag();
    let secure = if desk.settings().is_https() { "; Secure" } else { "" };
    let mut response = see_other(inside(&back));
    if let Ok(cookie) = HeaderValue::from_str(&format!("language={language}; Path=/; Max-Age=31536000; SameSite=Lax{secure}")) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

pub(super) fn see_other(path: &str) -> Response {
    let target = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(LOCATION, target)]).into_response()
}

/// A path inside the desk, or the home page: a link must not be able to send people elsewhere.
pub(super) fn inside(path: &str) -> &str {
    let plain = path.len() <= 500 && path.bytes().all(|byte| (0x21..0x7F).contains(&byte) && byte != b'\\') && path.starts_with('/') && !path.starts_with("//");
    if plain { path } else { "/" }
}
