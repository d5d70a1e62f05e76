//! Challenges: for a login, a binding, a renewal. The portal says for which of its users' sessions.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use sealbridge_relying_party::challenge::Challenge as Issued;
use sealbridge_relying_party::{Code, Failure, bind, login, renewal};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::call::{Call, Caller, session};
use crate::problem::Problem;
use crate::service::{Service, random};
use crate::store::bindings::{self, By};
use crate::store::challenges::{self, Challenge, Kind};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub(super) enum Wanted {
    Login { session: String },
    Bind { session: String, account: String, credit_code: String },
    Renew { session: String, account: String },
}

/// Issues a challenge.
pub(super) async fn issue(State(service): State<Service>, caller: Caller, Call(wanted): Call<Wanted>) -> Result<Response, Problem> {
    let now = service.now();
    let policy = &caller.0.policy;
    let (issued, session, kind, record) = match &wanted {
        Wanted::Login { session: of } => {
            let (issued, pending) = login::start(policy, now, random()?)?;
            (issued, session(of)?, Kind::Login, kept(&pending.into_record())?)
        }
        Wanted::Bind { session: of, account, credit_code } => {
            let (issued, pending) = bind::start(policy, account, credit_code, now, random()?)?;
            (issued, session(of)?, Kind::Bind, kept(&pending.into_record())?)
        }
        Wanted::Renew { session: of, account } => {
            let bound = bindings::get(service.database(), caller.id(), By::Account, account).await?.ok_or(Code::NothingBound)?;
            let (issued, pending) = renewal::start(policy, &bound.binding, now, random()?)?;
            (issued, session(of)?, Kind::RenewNew, kept(&pending.into_record())?)
        }
    };
    let challenge = Challenge {
        nonce: issued.nonce.as_str().to_owned(),
        portal: caller.id().to_owned(),
        session: session.to_owned(),
        kind,
        record,
        expires_at: issued.expires_at,
    };
    if let Some(seconds) = challenges::issue(service.database(), challenge, service.settings().challenges, now).await? {
        let failure = Failure::new(Code::RateLimited).with("seconds", seconds);
        return Err(Problem::from(failure).retry_after(u64::try_from(seconds).unwrap_or(1)));
    }
    Ok(caller.answer(StatusCode::CREATED, &json!({ "challenge": told(&issued)?, "seconds": issued.expires_at.saturating_sub(now) })))
}

/// A record as it is stored.
pub(super) fn kept(record: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(record).map_err(|_| Failure::new(Code::Internal).with("detail", "record"))
}

/// A challenge as the page gets it.
pub(super) fn told(challenge: &Issued) -> Result<serde_json::Value, Failure> {
    serde_json::to_value(challenge).map_err(|_| Failure::new(Code::Internal).with("detail", "challenge"))
}

/// A record as it was stored.
pub(super) fn read<T: serde::de::DeserializeOwned>(record: &str) -> Result<T, Failure> {
    serde_json::from_str(record).map_err(|_| Failure::new(Code::Internal).with("detail", "record"))
}
