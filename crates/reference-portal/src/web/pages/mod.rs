//! The pages. Each is one file with its template; what all share is [`Frame`].

pub(super) mod account;
pub(super) mod audit;
pub(super) mod ca;
pub(super) mod desk;
pub(super) mod home;
pub(super) mod login;
pub(super) mod submissions;
pub(super) mod tenders;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::visitor::Visitor;
use crate::language::{Language, Moment};
use crate::refusal::{Reason, Refusal, TwoSentences};
use crate::settings::Portal;
use crate::store::accounts::Account;
use crate::store::sessions::Session;

/// What every page shows around its content.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) language: Language,
    pub(super) path: String,
    /// Which entry of the menu is marked.
    pub(super) active: &'static str,
    pub(super) account: Option<Account>,
    /// Empty where there is no session.
    pub(super) csrf: String,
    /// Whether `/client/sealbridge.js` is there.
    pub(super) has_client: bool,
}

impl Frame {
    pub(super) fn of(portal: &Portal, visitor: &Visitor, active: &'static str) -> Self {
        Frame {
            language: visitor.language,
            path: visitor.path.clone(),
            active,
            account: visitor.session.as_ref().and_then(|session| session.account.clone()),
            csrf: visitor.session.as_ref().map(|session| session.csrf.clone()).unwrap_or_default(),
            has_client: portal.settings().client.is_some(),
        }
    }

    fn say<'a>(&self, chinese: &'a str, english: &'a str) -> &'a str {
        self.language.say(chinese, english)
    }

    fn lang(&self) -> Language {
        self.language
    }

    fn tag(&self) -> &'static str {
        self.language.tag()
    }

    fn time(&self, unix: &i64) -> String {
        Moment::from_unix(*unix).time()
    }

    fn date(&self, unix: &i64) -> String {
        Moment::from_unix(*unix).date()
    }
}

/// A refusal inside a page, with its code, so that a support desk knows what is meant.
#[derive(Debug)]
pub(super) struct Alert {
    pub(super) code: String,
    pub(super) words: TwoSentences,
}

impl Alert {
    pub(super) fn of(refusal: &Refusal, language: Language) -> Self {
        Alert { code: refusal.code.clone(), words: refusal.words(language).clone() }
    }
}

#[derive(Template)]
#[template(path = "refused.html")]
struct RefusedPage {
    page: Frame,
    alert: Alert,
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

/// The page for a refusal that no page of its own explains.
pub(super) fn refused(portal: &Portal, refusal: &Refusal, language: Language, session: Option<Session>) -> Response {
    let page = Frame {
        language,
        path: "/".to_owned(),
        active: "",
        csrf: session.as_ref().map(|session| session.csrf.clone()).unwrap_or_default(),
        account: session.and_then(|session| session.account),
        has_client: portal.settings().client.is_some(),
    };
    let mut response = render(&RefusedPage { page, alert: Alert::of(refusal, language) });
    *response.status_mut() = refusal.status;
    response
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
pub(super) async fn language(State(portal): State<Portal>, Path(tag): Path<String>, Query(Back { back }): Query<Back>) -> Response {
    let language = Language::from_tag(&tag).tag();
    let secure = if portal.settings().is_https() { "; Secure" } else { "" };
    let cookie = format!("language={language}; Path=/; Max-Age=31536000; SameSite=Lax{secure}");
    let mut response = see_other(inside(&back));
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

pub(super) fn see_other(path: &str) -> Response {
    let target = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(LOCATION, target)]).into_response()
}

/// A path inside the portal, or the home page: a link must not be able to send people elsewhere.
pub(super) fn inside(path: &str) -> &str {
    let plain = path.len() <= 500 && path.bytes().all(|byte| (0x21..0x7F).contains(&byte) && byte != b'\\') && path.starts_with('/') && !path.starts_with("//");
    if plain { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn only_paths_inside_the_portal() {
        for (path, result) in [
            ("/ca", "/ca"),
            ("/tenders/YQ-2026-0017?x=1", "/tenders/YQ-2026-0017?x=1"),
            ("", "/"),
            ("//evil.example/", "/"),
            ("/\\evil.example/", "/"),
            ("https://evil.example/", "/"),
            ("javascript:alert(1)", "/"),
            ("/a\r\nSet-Cookie: x=y", "/"),
            ("/a b", "/"),
        ] {
            assert_eq!(inside(path), result, "{path:?}");
        }
    }
}
