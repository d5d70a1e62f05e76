//! Seals from scans: the impressions that were read out of an upload, shown before and after cleaning; an officer's pick; and the
//! seal that is made from it for a certificate that exists already, asked for by the key's side, once and the same each time (R77).

use std::sync::Arc;
use std::time::Duration;

use axum::Form;
use axum::Json;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use base64ct::{Base64, Encoding};
use sealbridge_pki::Certificate;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{renewal, review, see_other};
use crate::business::table::Need;
use crate::business::{Act, Actor, Kind, State as Stand};
use crate::error::DeskError;
use crate::form::{self, Part};
use crate::issue::{self, Source};
use crate::profile::{Profile, Slot};
use crate::refusal::{Reason, Refusal};
use crate::scan::{Fault, Impression, Look, impressions as read_impressions};
use crate::settings::Desk;
use crate::store::applications::{self, Application, Doing, NotDone};
use crate::store::certificates;
use crate::store::impressions::{self, Side};
use crate::upload::Content;
use crate::web::visitor::Visitor;

/// What a machine saw in an upload.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// Whether this business's number was read; `None` where the slot takes no form.
    pub(super) form: Option<bool>,
    /// The impressions; `None` where the slot shows none.
    pub(super) impressions: Option<Vec<Impression>>,
}

/// Looks at an upload: whose form it is, and the impressions on it. What cannot become a seal is told at once, not after days (E10, E11).
pub(super) async fn look(
    desk: &Desk,
    application: &Application,
    profile: &Profile,
    slot: &Slot,
    content: Content,
    bytes: axum::body::Bytes,
) -> Result<Looked, Refusal> {
    let shows = profile.impressions_slot(application.case.kind, &application.values).is_some_and(|shows| shows.id == slot.id);
    let wanted = form::Wanted { code: slot.form, impressions: shows };
    if slot.electronic || (content.is_picture() && !wanted.code && !wanted.impressions) {
        return Ok(Looked::default());
    }
    let (number, least) = (application.number.clone(), usize::from(profile.impressions));
    let expected = if slot.impressions && profile.separate_seal_form { Part::Seal } else { Part::Application };
    let turn = turn(desk.scans(), PATIENCE).await.map_err(|reason| Refusal::from(reason).with_words("slot", slot.name.clone()))?;
    let looked = tokio::task::spawn_blocking(move || -> Result<Looked, form::Fault> {
        // Kept by the work itself: whoever hangs up meanwhile does not let the next one in beside it.
        let _turn = turn;
        let read = form::look(&bytes, content, &number, wanted)?;
        let impressions = match read.sheet {
            Some((sheet, frames)) => {
                let look = if frames.is_empty() { Look::Anywhere { least } } else { Look::Frames { frames, least } };
                Some(read_impressions(&sheet, &look)?)
            }
            // A PDF without a picture in it is looked at by officers only.
            None => shows.then(Vec::new),
        };
        Ok(Looked { form: wanted.code.then(|| read.parts.iter().any(|part| [expected, Part::Page].contains(part))), impressions })
    });
    looked.await.map_err(|_| Reason::Internal)?.map_err(|fault| {
        let refusal = match fault {
            form::Fault::Other(other) => Refusal::from(Reason::FormOther).with("other", other).with("number", &application.number),
            form::Fault::Electronic => Reason::ElectronicSeal.into(),
            form::Fault::Blank => Reason::FormBlank.into(),
            form::Fault::Scan(fault) => of_scan(fault),
        };
        refusal.with_words("slot", slot.name.clone())
    })
}

/// How long an upload waits until it is looked at.
const PATIENCE: Duration = Duration::from_secs(60);

/// A large scan takes a quarter of a gigabyte while it is looked at, so one is looked at after the other; who waits too long is told.
async fn turn(scans: &Arc<Semaphore>, patience: Duration) -> Result<OwnedSemaphorePermit, Reason> {
    match tokio::time::timeout(patience, Arc::clone(scans).acquire_owned()).await {
        Ok(turn) => turn.map_err(|_| Reason::Internal),
        Err(_) => Err(Reason::Busy),
    }
}

fn of_scan(fault: Fault) -> Refusal {
    match fault {
        Fault::Picture => Reason::UploadCut.into(),
        Fault::TooLarge => Reason::PictureTooLarge.into(),
        Fault::NoSeal => Reason::SealMissing.into(),
        Fault::TooFew { found, wanted } => Refusal::from(Reason::SealsTooFew).with("found", found).with("wanted", wanted),
        Fault::TwoSeals => Reason::SealTwice.into(),
        Fault::Faint => Reason::SealFaint.into(),
        Fault::Cut => Reason::SealCut.into(),
        Fault::Blurred => Reason::SealBlurred.into(),
        Fault::Size(millimetres) => Refusal::from(Reason::SealSize).with("millimetres", millimetres),
    }
}

/// A picture of an impression, for the session that opened the business.
pub(in crate::web) async fn own(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path((number, ordinal, side)): Path<(String, i64, String)>,
) -> Result<Response, Refusal> {
    let application = visitor.business(&desk, &number).await?;
    serve(&desk, application.id, ordinal, &side).await
}

/// The same for officers.
pub(in crate::web) async fn office(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path((number, ordinal, side)): Path<(String, i64, String)>,
) -> Result<Response, Refusal> {
    visitor.officer()?;
    let application = applications::by_number(desk.database(), desk.vault(), &number).await?.ok_or(Reason::NotFound)?;
    serve(&desk, application.id, ordinal, &side).await
}

async fn serve(desk: &Desk, application: i64, ordinal: i64, side: &str) -> Result<Response, Refusal> {
    let (side, kind) = match side {
        "before" => (Side::Before, "image/jpeg"),
        "after" => (Side::After, "image/png"),
        _ => return Err(Reason::NotFound.into()),
    };
    let bytes = impressions::picture(desk.database(), desk.vault(), application, ordinal, side).await?.ok_or(Reason::NotFound)?;
    Ok(([(CONTENT_TYPE, HeaderValue::from_static(kind))], bytes).into_response())
}

#[derive(Debug, Deserialize)]
pub(in crate::web) struct Fields {
    csrf: String,
    revision: i64,
}

/// An officer picks the clearer one.
pub(in crate::web) async fn pick(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path((number, ordinal)): Path<(String, i64)>,
    fields: Result<Form<Fields>, FormRejection>,
) -> Result<Response, Refusal> {
    visitor.officer()?;
    let Form(fields) = fields.map_err(|_| Reason::Malformed)?;
    let (_, officer) = visitor.checked_officer(&fields.csrf)?;
    let application = applications::by_number(desk.database(), desk.vault(), &number).await?.ok_or(Reason::NotFound)?;
    let profile = desk.profile(&application.profile).ok_or(Reason::Internal)?;
    let note = ordinal.to_string();
    let doing = Doing { id: application.id, act: Act::Pick, actor: Actor::Officer(officer.id), seen: Some(fields.revision), note: &note, now: desk.now() };
    match impressions::pick(desk.database(), desk.vault(), profile, &doing, ordinal).await {
        Ok(_) => Ok(see_other(&format!("/office/business/{number}#impressions"))),
        Err(error @ (NotDone::Database(_) | NotDone::Desk(_) | NotDone::Gone)) => Err(error.into()),
        Err(error) => review::page(&desk, &visitor, &number, Some(error.into())).await,
    }
}

/// The seal that waits for its installation; made when it is first asked for.
pub(in crate::web) async fn seal(State(desk): State<Desk>, visitor: Visitor, Path(number): Path<String>, headers: HeaderMap) -> Result<Json<Value>, Refusal> {
    let application = asked(&desk, &visitor, &number, &headers).await?;
    if application.case.kind == Kind::Renewal {
        // It comes with its certificate.
        return Err(Reason::NotNow.into());
    }
    let der = match impressions::seal_of(desk.database(), application.id).await? {
        Some(der) => der,
        None => make(&desk, &application).await?,
    };
    Ok(Json(json!({ "serial": text(&application, "serial"), "name": text(&application, "sealName"), "seal": Base64::encode_string(&der) })))
}

/// The key's side has it on the key: a seal, or a renewed certificate with its seal.
pub(in crate::web) async fn installed(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(number): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let application = asked(&desk, &visitor, &number, &headers).await?;
    if application.case.kind == Kind::Renewal {
        return renewal::installed(&desk, &application).await;
    }
    if application.case.state != Stand::Done {
        let profile = desk.profile(&application.profile).ok_or(Reason::Internal)?;
        let doing = Doing { id: application.id, act: Act::Install, actor: Actor::Applicant, seen: None, note: "", now: desk.now() };
        impressions::installed(desk.database(), desk.vault(), profile, &doing).await?;
    }
    Ok(Json(json!({ "state": Stand::Done.as_str() })))
}

async fn asked(desk: &Desk, visitor: &Visitor, number: &str, headers: &HeaderMap) -> Result<Application, Refusal> {
    let application = visitor.called(desk, number, headers).await?;
    let installs = matches!(application.case.kind, Kind::SealApply | Kind::SealChange | Kind::Renewal);
    // Asked again after it was installed: an interruption may have swallowed the answer.
    if !installs || !matches!(application.case.state, Stand::Installable | Stand::Done) {
        return Err(Reason::NotNow.into());
    }
    Ok(application)
}

async fn make(desk: &Desk, application: &Application) -> Result<Vec<u8>, Refusal> {
    let now = desk.now();
    let found = certificates::find(desk.database(), text(application, "serial"), text(application, "creditCode")).await?;
    let Some(registered) = found.filter(|found| found.revoked_at.is_none() && found.not_after > now) else {
        return Err(Reason::from(Need::ValidCertificate).into());
    };
    let certificate = Certificate::parse(&registered.der).map_err(DeskError::from)?;
    let picked = impressions::picked(desk.database(), desk.vault(), application.id).await?;
    let source = match (&picked, &desk.settings().font) {
        (Some((png, millimetres)), _) => Source::Impression(png, *millimetres),
        (None, Some(font)) => Source::Font(font),
        (None, None) => return Err(Reason::Internal.into()),
    };
    let seal = issue::seal(desk.authority(), source, &application.values, &certificate, now)?;
    Ok(impressions::keep_seal(desk.database(), application.id, &registered.serial, seal.der(), now).await?)
}

fn text<'a>(application: &'a Application, key: &str) -> &'a str {
    application.values.get(key).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::sync::Semaphore;

    use super::turn;
    use crate::refusal::Reason;

    #[tokio::test]
    async fn who_waits_too_long_is_told_and_nobody_is_let_in_beside_another() {
        let scans = Arc::new(Semaphore::new(1));
        let first = turn(&scans, Duration::from_secs(60)).await.unwrap();
        assert_eq!(turn(&scans, Duration::from_millis(20)).await.unwrap_err(), Reason::Busy);
        drop(first);
        assert!(turn(&scans, Duration::from_secs(60)).await.is_ok());
    }
}
