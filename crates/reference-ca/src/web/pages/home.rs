//! The way in: the institutions, what each offers, and the notice with agreements before a business begins (R20–R22).

use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;

use super::view::yuan;
use super::{Alert, Frame, render, render_with, see_other};
use crate::business::Kind;
use crate::business::fields::Values;
use crate::profile::{Channel, Payment, PinPolicy, Profile};
use crate::refusal::{Reason, Refusal};
use crate::settings::Desk;
use crate::store::applications::{self, Start};
use crate::store::throttle::{self, Attempt};
use crate::web::visitor::{Visitor, set_session};

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage<'a> {
    page: Frame,
    profiles: &'a [Profile],
    mine: Vec<Mine>,
}

/// A business of this session.
#[derive(Debug)]
struct Mine {
    number: String,
    kind: &'static str,
    state: &'static str,
    tone: &'static str,
}

#[derive(Debug)]
struct Offer {
    kind: &'static str,
    name: &'static str,
    about: &'static str,
    fee: String,
    counter: bool,
}

#[derive(Template)]
#[template(path = "institution.html")]
struct InstitutionPage<'a> {
    page: Frame,
    profile: &'a Profile,
    offers: Vec<Offer>,
    pin: &'static str,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    page: Frame,
    alert: Option<Alert>,
    profile: &'a Profile,
    kind: Kind,
    name: &'static str,
    fee: String,
    counter: bool,
    originals: u8,
    posted: bool,
    slots: Vec<(String, bool)>,
    payments: Vec<&'static str>,
    steps: Vec<&'static str>,
    arrival: Option<Arrival>,
}

/// What a portal handed over, for the notice.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) ticket: String,
    pub(super) portal: String,
    pub(super) unit: String,
    pub(super) credit_code: String,
    /// Only to see how businesses stand.
    pub(super) looks: bool,
}

#[derive(Template)]
#[template(path = "arrived.html")]
struct ArrivedPage {
    page: Frame,
    arrival: Arrival,
}

/// The page of somebody whom a portal sends to see how their businesses stand.
pub(super) fn look(visitor: &Visitor, arrival: Arrival) -> Response {
    let mut page = Frame::of(visitor, "progress");
    page.path = "/".to_owned();
    render(&ArrivedPage { page, arrival })
}

#[derive(Debug, Deserialize)]
pub(in crate::web) struct Begin {
    csrf: String,
    #[serde(default)]
    agreement: String,
    #[serde(default)]
    privacy: String,
}

pub(in crate::web) async fn show(State(desk): State<Desk>, visitor: Visitor) -> Result<Response, Refusal> {
    let page = Frame::of(&visitor, "home");
    let mut mine = Vec::new();
    if let Some(session) = visitor.session.as_ref().filter(|session| session.officer.is_none()) {
        for application in applications::of_session(desk.database(), desk.vault(), &session.id).await? {
            let (kind, state) = (application.case.kind.words(), application.case.state);
            mine.push(Mine {
                number: application.number,
                kind: page.language.say(kind[0], kind[1]),
                state: page.language.say(state.words()[0], state.words()[1]),
                tone: super::view::tone(state),
            });
        }
    }
    Ok(render(&HomePage { page, profiles: desk.profiles(), mine }))
}

pub(in crate::web) async fn institution(State(desk): State<Desk>, visitor: Visitor, Path(id): Path<String>) -> Result<Response, Refusal> {
    let profile = desk.profile(&id).ok_or(Reason::NotFound)?;
    let page = Frame::of(&visitor, "home");
    let offers = Kind::ALL
        .into_iter()
        .filter_map(|kind| profile.business(kind))
        .map(|business| {
            let (name, about) = (business.kind.words(), about(business.kind));
            Offer {
                kind: business.kind.as_str(),
                name: page.language.say(name[0], name[1]),
                about: page.language.say(about[0], about[1]),
                fee: fee(&page, profile, business.kind),
                counter: business.channel == Channel::CounterOrPost,
            }
        })
        .collect();
    let pin = match profile.pin {
        PinPolicy::AtActivation => page.language.say("密码：激活时由您自己设置", "PIN: set by you at activation"),
        PinPolicy::GivenAtIssue => page.language.say("密码：领取 USB Key 时得到", "PIN: handed over with the key"),
        PinPolicy::BankMemoOrSms => page.language.say("密码：对公账户小额转账备注或短信", "PIN: in a transfer's memo or by short message"),
    };
    Ok(render(&InstitutionPage { page, profile, offers, pin }))
}

pub(in crate::web) async fn notice(State(desk): State<Desk>, visitor: Visitor, Path((id, kind)): Path<(String, String)>) -> Result<Response, Refusal> {
    notice_page(&desk, &visitor, &id, &kind, None, None).await
}

pub(in crate::web) async fn begin(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path((id, kind_name)): Path<(String, String)>,
    fields: Result<Form<Begin>, FormRejection>,
) -> Result<Response, Refusal> {
    let Form(fields) = fields.map_err(|_| Reason::Malformed)?;
    let session = visitor.checked(&fields.csrf)?;
    let profile = desk.profile(&id).ok_or(Reason::NotFound)?;
    let kind = Kind::from_name(&kind_name).ok_or(Reason::NotFound)?;
    if let Err(reason) = online(profile, kind) {
        return notice_page(&desk, &visitor, &id, &kind_name, None, Some(reason.into())).await;
    }
    if fields.agreement != "yes" || fields.privacy != "yes" {
        return notice_page(&desk, &visitor, &id, &kind_name, None, Some(Reason::FieldsMissing.into())).await;
    }
    if let Attempt::Wait { seconds } = throttle::begin(desk.database(), &visitor.address(), throttle::ADDRESS, desk.now()).await? {
        return notice_page(&desk, &visitor, &id, &kind_name, None, Some(Refusal::from(Reason::Throttled).with("seconds", seconds))).await;
    }
    let start = Start { profile, kind, session: &session.id, values: Values::new(), handed: None };
    let begun = applications::begin(desk.database(), desk.vault(), start, desk.now()).await?;
    Ok(see_other(&format!("/business/{}", begun.number)))
}

/// Whether a business of this kind begins on these pages: offered at all, and not at the counter or by post only (K2, K3).
pub(super) fn online(profile: &Profile, kind: Kind) -> Result<(), Reason> {
    match profile.business(kind).ok_or(Reason::NotOffered)?.channel {
        Channel::Online => Ok(()),
        Channel::CounterOrPost => Err(Reason::CounterOnly),
    }
}

pub(super) async fn notice_page(
    desk: &Desk,
    visitor: &Visitor,
    id: &str,
    kind: &str,
    arrival: Option<Arrival>,
    refusal: Option<Refusal>,
) -> Result<Response, Refusal> {
    let profile = desk.profile(id).ok_or(Reason::NotFound)?;
    let kind = Kind::from_name(kind).ok_or(Reason::NotFound)?;
    let business = profile.business(kind).ok_or(Reason::NotOffered)?;
    let mut page = Frame::of(visitor, "home");
    if arrival.is_some() {
        page.path = format!("/ca/{id}/{}", kind.as_str());
    }
    // A hand-over comes without cookies; a session is opened when it is agreed to, if there is none by then.
    let opened = if visitor.session.is_none() && arrival.is_none() { Some(visitor.open(desk).await?) } else { None };
    if let Some(opened) = &opened {
        page.csrf.clone_from(&opened.session.csrf);
    }
    let with_seal = Values::from([("sealService".to_owned(), "yes".to_owned())]);
    let slots = profile.slots_of(kind, &with_seal).into_iter().map(|(slot, must)| (page.text(&slot.name).to_owned(), must)).collect();
    let name = kind.words();
    let mut steps = vec![page.language.say("在线填写资料，并确认申请信息", "Fill in the form and check it")];
    if !business.slots.is_empty() {
        steps.push(page.language.say(
            "打印申请表，填写完整、签名、加盖单位实体公章，扫描后逐份上传",
            "Print the form, sign and seal it, scan every document and upload each at its place",
        ));
    }
    if fee_is_due(profile, kind) {
        steps.push(page.language.say("支付费用，填写开票信息", "Pay and fill in the invoice"));
    }
    if kind != Kind::Renewal {
        steps.push(page.language.say("等待审核（两位审核员），结果短信通知", "Wait for the review by two officers; a short message tells the result"));
    }
    if business.originals > 0 {
        steps.push(page.language.say("邮寄整套纸质资料原件，复审通过后方可继续", "Post the originals; nothing goes on before they are verified"));
    }
    if kind.activates() {
        steps.push(page.language.say(
            "收到 USB Key 和激活短信后，在钥匙中心【激活证书】，再到采购门户【绑定】",
            "With key and activation message in hand, activate in the key centre and bind in the portal",
        ));
    }
    let status = refusal.as_ref().map(Refusal::status);
    let template = NoticePage {
        alert: refusal.map(|refusal| Alert::of(&refusal, visitor.language)),
        profile,
        kind,
        name: page.language.say(name[0], name[1]),
        fee: fee(&page, profile, kind),
        counter: business.channel == Channel::CounterOrPost,
        originals: business.originals,
        posted: kind.activates(),
        slots,
        payments: profile.payments(kind).iter().copied().map(Payment::words).map(|words| page.language.say(words[0], words[1])).collect(),
        steps,
        arrival,
        page,
    };
    let mut response = render_with(status, &template);
    if let Some(opened) = opened {
        set_session(desk, &mut response, &opened.token);
    }
    Ok(response)
}

fn fee_is_due(profile: &Profile, kind: Kind) -> bool {
    profile.business(kind).is_some_and(|business| business.fee_fen_once > 0 || business.fee_fen_per_year > 0)
}

fn fee(page: &Frame, profile: &Profile, kind: Kind) -> String {
    match profile.business(kind) {
        Some(business) if business.fee_fen_per_year > 0 => format!("{} / {}", yuan(i64::from(business.fee_fen_per_year)), page.language.say("年", "year")),
        Some(business) if business.fee_fen_once > 0 => format!("{} / {}", yuan(i64::from(business.fee_fen_once)), page.language.say("次", "time")),
        _ => page.language.say("免费", "free").to_owned(),
    }
}

const fn about(kind: Kind) -> [&'static str; 2] {
    match kind {
        Kind::New => ["第一次办理：USB Key、证书和电子印章", "The first time: key, certificate and seal"],
        Kind::Additional => ["已有有效证书，再办一个；用现有证书签名，不交纸质资料", "One more beside a valid one; signed by the existing key, no paper"],
        Kind::Renewal => ["证书到期前在线续期，不交纸质资料", "Online before the certificate ends, no paper"],
        Kind::Reissue => ["USB Key 遗失或损坏", "The key is lost or damaged"],
        Kind::Change => ["单位名称或法定住所变更", "The unit's name or address has changed"],
        Kind::SealApply => ["办证书时没有申请印章", "No seal was applied for with the certificate"],
        Kind::SealChange => ["电子印章与实体印章不一致", "The electronic seal differs from the physical one"],
        Kind::Unlock => ["忘记密码，或连续输错被锁定", "The PIN is forgotten or locked"],
        Kind::Revoke => ["不再使用，或遗失后停用", "No longer used, or lost"],
    }
}
