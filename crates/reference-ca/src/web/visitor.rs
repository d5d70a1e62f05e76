//! Who is asking: the cookies, the session behind them, the language, the network address.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::{AUTHORIZATION, COOKIE, SET_COOKIE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;

use crate::business::number;
use crate::language::Language;
use crate::refusal::{Reason, Refusal};
use crate::settings::Desk;
use crate::store::applications::{self, Application};
use crate::store::officers::Officer;
use crate::store::sessions::{self, Opened, Session};
use crate::store::throttle::{self, Attempt};

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

/// The name differs from the portal's: both may run on one machine, and cookies do not know ports.
fn session_cookie(desk: &Desk) -> &'static str {
    if desk.settings().is_https() { "__Host-desk" } else { "desk" }
}

/// The running session that the cookies name.
pub(super) async fn session_of(desk: &Desk, cookies: &Cookies) -> Result<Option<Session>, sqlx::Error> {
    match cookies.get(session_cookie(desk)) {
        Some(token) => sessions::find(desk.database(), token, desk.now()).await,
        None => Ok(None),
    }
}

/// Puts the session's token into a cookie; an empty token takes it away.
pub(super) fn set_session(desk: &Desk, response: &mut Response, token: &str) {
    let name = session_cookie(desk);
    let secure = if desk.settings().is_https() { "; Secure" } else { "" };
    let life = if token.is_empty() { "; Max-Age=0" } else { "" };
    if let Ok(value) = HeaderValue::from_str(&format!("{name}={token}; Path=/; HttpOnly; SameSite=Strict{secure}{life}")) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}

/// Whoever asks.
#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) session: Option<Session>,
    pub(super) language: Language,
    pub(super) path: String,
    pub(super) agent: String,
    address: Option<IpAddr>,
    /// The access code of one business, for calls that come without a session.
    code: Option<String>,
}

impl Visitor {
    /// The signed-in officer.
    pub(super) fn officer(&self) -> Result<(&Session, &Officer), Refusal> {
        self.session.as_ref().and_then(|session| Some((session, session.officer.as_ref()?))).ok_or_else(|| Reason::NotSignedIn.into())
    }

    /// The signed-in officer, if `token` is the session's own.
    pub(super) fn checked_officer(&self, token: &str) -> Result<(&Session, &Officer), Refusal> {
        let found = self.officer()?;
        self.checked(token)?;
        Ok(found)
    }

    /// The session, if `token` is its own.
    pub(super) fn checked(&self, token: &str) -> Result<&Session, Refusal> {
        let session = self.session.as_ref().ok_or(Reason::Csrf)?;
        if same(session.csrf.as_bytes(), token.as_bytes()) { Ok(session) } else { Err(Reason::Csrf.into()) }
    }

    /// A business that was opened in this session.
    pub(super) async fn business(&self, desk: &Desk, number: &str) -> Result<Application, Refusal> {
        let session = self.session.as_ref().ok_or(Reason::NotFound)?;
        applications::opened(desk.database(), desk.vault(), &session.id, number).await?.ok_or_else(|| Reason::NotFound.into())
    }

    /// The business of a call that only reads: by its access code, else as in [`Self::business`].
    pub(super) async fn asked(&self, desk: &Desk, number: &str) -> Result<Application, Refusal> {
        let Some(code) = &self.code else { return self.business(desk, number).await };
        let (number, _) = self.knows(desk, number, code).await?;
        applications::by_number(desk.database(), desk.vault(), &number).await?.ok_or_else(|| Reason::NotFound.into())
    }

    /// The same for a call that changes something: by its access code, or from a script of our own page, which carries the session's
    /// own token in the header `X-CSRF-Token`. Where there is a code, cookies do not count.
    pub(super) async fn called(&self, desk: &Desk, number: &str, headers: &HeaderMap) -> Result<Application, Refusal> {
        if self.code.is_some() {
            return self.asked(desk, number).await;
        }
        self.checked(headers.get("x-csrf-token").and_then(|token| token.to_str().ok()).unwrap_or_default())?;
        self.business(desk, number).await
    }

    /// The number and the row of the business that a number and an access code belong to. Guessing is slowed down.
    pub(super) async fn knows(&self, desk: &Desk, number: &str, code: &str) -> Result<(String, i64), Refusal> {
        let number = number::parse(number).ok_or(Reason::AccessRefused)?;
        let subject = format!("business:{number}");
        for (subject, schedule) in [(self.address(), throttle::ADDRESS), (subject.clone(), throttle::BUSINESS)] {
            if let Attempt::Wait { seconds } = throttle::begin(desk.database(), &subject, schedule, desk.now()).await? {
                return Err(Refusal::from(Reason::Throttled).with("seconds", seconds));
            }
        }
        let known = if code.len() > 64 { None } else { applications::of_code(desk.database(), &number, code).await? };
        let id = known.ok_or(Reason::AccessRefused)?;
        throttle::clear(desk.database(), &subject).await?;
        Ok((number, id))
    }

    /// A session for a visitor who has none.
    pub(super) async fn open(&self, desk: &Desk) -> Result<Opened, Refusal> {
        let mut random = [0_u8; 64];
        getrandom::fill(&mut random).map_err(crate::error::DeskError::from)?;
        Ok(sessions::open(desk.database(), &self.agent, random, desk.now()).await?)
    }

    /// For the throttle; requests without an address share one.
    pub(super) fn address(&self) -> String {
        match self.address {
            None => "address:none".to_owned(),
            Some(IpAddr::V4(address)) => format!("address:{address}"),
            // One customer has a whole /64.
            Some(IpAddr::V6(address)) => format!("address:{}", address.segments().iter().take(4).map(|part| format!("{part:x}:")).collect::<String>()),
        }
    }
}

impl FromRequestParts<Desk> for Visitor {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Refusal> {
        let cookies = Cookies::of(&parts.headers);
        let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let agent = text(USER_AGENT);
        Ok(Visitor {
            session: session_of(desk, &cookies).await?,
            language: language_of(&cookies),
            path: parts.uri.path().to_owned(),
            agent: agent.unwrap_or_default().to_owned(),
            code: text(AUTHORIZATION).and_then(bearer).map(ToOwned::to_owned),
            address: parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip()),
        })
    }
}

/// What an `Authorization` header of the scheme `Bearer` carries (RFC 6750 2.1).
pub(super) fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, code) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(code.trim())
}

/// Compares without telling by the time where the first difference is.
fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0_u8, |seen, (a, b)| seen | (a ^ b)) == 0
}
