//! Who is asking: the cookies, the session behind them, the language, the network address. A request without a session
//! is a visitor too; [`Visitor::supplier`] is what asks for more.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::{COOKIE, SET_COOKIE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;

use crate::language::Language;
use crate::refusal::{Reason, Refusal};
use crate::settings::{Portal, random};
use crate::store::accounts::Account;
use crate::store::sessions::{self, Opened, Session};

/// The request's cookies, by name.
#[derive(Debug, Default)]
pub(super) struct Cookies(Vec<(String, String)>);

impl Cookies {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut found = Vec::new();
        for header in headers.get_all(COOKIE).iter().take(4) {
            for pair in header.to_str().unwrap_or_default().split(';').take(50) {
                if let Some((name, value)) = pair.trim().split_once('=') {
                    found.push((name.to_owned(), value.to_owned()));
                }
            }
        }
        Cookies(found)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The language that the visitor chose.
pub(super) fn language_of(cookies: &Cookies) -> Language {
    Language::from_tag(cookies.get("language").unwrap_or_default())
}

/// The session cookie's name. The `__Host-` prefix makes the browser insist on `Secure`, `Path=/` and no `Domain`.
pub(super) fn session_cookie(portal: &Portal) -> &'static str {
    if portal.settings().is_https() { "__Host-session" } else { "session" }
}

/// The running session that the cookies name.
pub(super) async fn session_of(portal: &Portal, cookies: &Cookies) -> Result<Option<Session>, sqlx::Error> {
    match cookies.get(session_cookie(portal)) {
        Some(token) => sessions::find(portal.database(), token, portal.now()).await,
        None => Ok(None),
    }
}

/// Puts the session's token into a cookie; an empty token takes it away.
pub(super) fn set_session(portal: &Portal, response: &mut Response, token: &str) {
    let name = session_cookie(portal);
    let secure = if portal.settings().is_https() { "; Secure" } else { "" };
    let life = if token.is_empty() { "; Max-Age=0" } else { "" };
    let text = format!("{name}={token}; Path=/; HttpOnly; SameSite=Strict{secure}{life}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}

/// Whom a throttle counts.
#[derive(Debug)]
pub(super) enum Counted {
    /// A signed-in session.
    Session(String),
    /// A network address.
    Address(String),
}

/// Whoever asks.
#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) session: Option<Session>,
    pub(super) language: Language,
    pub(super) path: String,
    address: Option<IpAddr>,
    agent: String,
}

impl Visitor {
    /// The signed-in session and its account.
    pub(super) fn supplier(&self) -> Result<(&Session, &Account), Refusal> {
        let session = self.session.as_ref();
        session.and_then(|session| Some((session, session.account.as_ref()?))).ok_or_else(|| Reason::NotSignedIn.into())
    }

    /// The session, signed in or not, if `token` is its own.
    pub(super) fn checked(&self, token: &str) -> Result<&Session, Refusal> {
        let session = self.session.as_ref().ok_or(Reason::Csrf)?;
        if same(session.csrf.as_bytes(), token.as_bytes()) { Ok(session) } else { Err(Reason::Csrf.into()) }
    }

    /// The signed-in session and its account, if `token` is the session's own.
    pub(super) fn checked_supplier(&self, token: &str) -> Result<(&Session, &Account), Refusal> {
        let found = self.supplier()?;
        self.checked(token)?;
        Ok(found)
    }

    /// A session for a visitor who has none: sign-in needs one to hang the token and the challenge on.
    pub(super) async fn open(&self, portal: &Portal) -> Result<Opened, Refusal> {
        Ok(sessions::open_anonymous(portal.database(), &self.agent, random()?, portal.now()).await?)
    }

    /// Whom a throttle counts: the session of a visitor who has signed in, so that the people of one office do not stand
    /// in each other's way; the address of everybody else, because a new session costs nothing.
    pub(super) fn counted_as(&self) -> Counted {
        match self.supplier() {
            Ok((session, _)) => Counted::Session(session.id.clone()),
            Err(_) => Counted::Address(self.address()),
        }
    }

    /// For the throttle; requests without an address (tests, sockets) share one.
    pub(super) fn address(&self) -> String {
        match self.address {
            None => "none".to_owned(),
            Some(IpAddr::V4(address)) => address.to_string(),
            // One customer has a whole /64.
            Some(IpAddr::V6(address)) => address.segments().iter().take(4).map(|part| format!("{part:x}:")).collect::<String>(),
        }
    }
}

impl FromRequestParts<Portal> for Visitor {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, portal: &Portal) -> Result<Self, Refusal> {
        let cookies = Cookies::of(&parts.headers);
        let session = session_of(portal, &cookies).await?;
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let agent = parts.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        Ok(Visitor {
            session,
            language: language_of(&cookies),
            path: parts.uri.path().to_owned(),
            address: peer.map(|peer| portal.settings().proxies.client(peer, &parts.headers)),
            agent: agent.unwrap_or_default().to_owned(),
        })
    }
}

/// Compares without telling by the time where the first difference is.
fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0_u8, |seen, (a, b)| seen | (a ^ b)) == 0
}
