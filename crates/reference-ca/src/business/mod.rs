//! What the desk does for an applicant, as a state machine: businesses, states, who may do what when. Pure: no file, no
//! database, no clock; `now` is an argument, and what happened outside comes in as [`Facts`].
//!
//! The transitions are rows of [`table::ROWS`], each with the requirements that it obeys. Nothing else moves a business:
//! whoever wants a new way adds a row, and the sweep in `tests` walks all of them.

pub mod fields;
pub mod number;
pub mod table;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use self::table::{Need, ROWS, Row, To, When};

/// What an applicant may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// 新申请
    New,
    /// 增加证书
    Additional,
    /// 续期
    Renewal,
    /// 补办
    Reissue,
    /// 变更
    Change,
    /// 申请印章
    SealApply,
    /// 变更印章
    SealChange,
    /// 解锁
    Unlock,
    /// 注销
    Revoke,
}

impl Kind {
    /// All of them, in the order of the menu.
    pub const ALL: [Kind; 9] =
        [Kind::New, Kind::Additional, Kind::Renewal, Kind::Reissue, Kind::Change, Kind::SealApply, Kind::SealChange, Kind::Unlock, Kind::Revoke];

    /// The name in paths, files and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::New => "new",
            Kind::Additional => "additional",
            Kind::Renewal => "renewal",
            Kind::Reissue => "reissue",
            Kind::Change => "change",
            Kind::SealApply => "seal-apply",
            Kind::SealChange => "seal-change",
            Kind::Unlock => "unlock",
            Kind::Revoke => "revoke",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn from_name(text: &str) -> Option<Self> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// What it is called, Chinese and English.
    #[must_use]
    pub const fn words(self) -> [&'static str; 2] {
        match self {
            Kind::New => ["新申请", "New application"],
            Kind::Additional => ["增加证书", "Additional certificate"],
            Kind::Renewal => ["续期", "Renew"],
            Kind::Reissue => ["补办", "Reissue"],
            Kind::Change => ["变更", "Change"],
            Kind::SealApply => ["申请印章", "Apply for a seal"],
            Kind::SealChange => ["变更印章", "Change the seal"],
            Kind::Unlock => ["解锁", "Unlock"],
            Kind::Revoke => ["注销", "Revoke"],
        }
    }

    /// Whether it ends with a new key in the applicant's hands, and so with the activation gate.
    #[must_use]
    pub const fn activates(self) -> bool {
        matches!(self, Kind::New | Kind::Additional | Kind::Reissue | Kind::Change)
    }

    /// Whether originals on paper are looked at before anything is handed out (R40, R42, R60, R78).
    #[must_use]
    pub const fn on_paper(self) -> bool {
        matches!(self, Kind::New | Kind::Reissue | Kind::Change | Kind::Revoke)
    }

    /// Whether it is about a certificate that exists already.
    #[must_use]
    pub const fn about_a_certificate(self) -> bool {
        !matches!(self, Kind::New)
    }
}

/// Where a business stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Being filled in; nothing is locked.
    Draft,
    /// Submitted; the form is to be printed, stamped, scanned and sent in with the copies.
    Collecting,
    /// To be paid.
    Payment,
    /// The applicant says that a transfer is on its way, or the bank has not answered yet (E18).
    PaymentCheck,
    /// Waits for the first officer (初审).
    FirstReview,
    /// Waits for the second officer, where there is no paper (复核).
    SecondReview,
    /// Sent back to the applicant with a reason.
    Returned,
    /// The key is being prepared.
    Making,
    /// The originals have not arrived yet.
    AwaitingPaper,
    /// The originals are here and wait for the second officer (复审).
    PaperReview,
    /// Everything is verified: the CA gives out an activation grant.
    Activatable,
    /// The certificate is issued and on the key; the seal and the binding remain.
    Activated,
    /// A renewed certificate or a seal waits to be installed on the key.
    Installable,
    /// The code from the short message is awaited (unlock).
    AwaitingCode,
    /// Nobody did anything for too long; it can be taken up again.
    TimedOut,
    /// Finished.
    Done,
    /// The applicant took it back.
    Withdrawn,
    /// The CA closed it.
    Closed,
}

impl State {
    /// All of them.
    pub const ALL: [State; 18] = [
        State::Draft,
        State::Collecting,
        State::Payment,
        State::PaymentCheck,
        State::FirstReview,
        State::SecondReview,
        State::Returned,
        State::Making,
        State::AwaitingPaper,
        State::PaperReview,
        State::Activatable,
        State::Activated,
        State::Installable,
        State::AwaitingCode,
        State::TimedOut,
        State::Done,
        State::Withdrawn,
        State::Closed,
    ];

    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Draft => "draft",
            State::Collecting => "collecting",
            State::Payment => "payment",
            State::PaymentCheck => "payment-check",
            State::FirstReview => "first-review",
            State::SecondReview => "second-review",
            State::Returned => "returned",
            State::Making => "making",
            State::AwaitingPaper => "awaiting-paper",
            State::PaperReview => "paper-review",
            State::Activatable => "activatable",
            State::Activated => "activated",
            State::Installable => "installable",
            State::AwaitingCode => "awaiting-code",
            State::TimedOut => "timed-out",
            State::Done => "done",
            State::Withdrawn => "withdrawn",
            State::Closed => "closed",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn from_name(text: &str) -> Option<Self> {
        State::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// What the applicant reads, Chinese and English.
    #[must_use]
    pub const fn words(self) -> [&'static str; 2] {
        match self {
            State::Draft => ["填写中", "Being filled in"],
            State::Collecting => ["待上传资料", "Waiting for your documents"],
            State::Payment => ["待支付", "To be paid"],
            State::PaymentCheck => ["支付结果待确认", "Payment being checked"],
            State::FirstReview => ["业务审核中（初审）", "Under review (first officer)"],
            State::SecondReview => ["业务审核中（复核）", "Under review (second officer)"],
            State::Returned => ["已退回，待修改", "Sent back for correction"],
            State::Making => ["制作中", "Being made"],
            State::AwaitingPaper => ["待收到纸质资料", "Waiting for the originals"],
            State::PaperReview => ["业务审核中（纸质资料复审）", "Under review (originals)"],
            State::Activatable => ["可以激活", "Ready to activate"],
            State::Activated => ["已激活", "Activated"],
            State::Installable => ["待安装", "Ready to install"],
            State::AwaitingCode => ["待输入验证码", "Waiting for the code"],
            State::TimedOut => ["已超时，可继续办理", "Timed out; can be resumed"],
            State::Done => ["已完成", "Finished"],
            State::Withdrawn => ["已撤销", "Withdrawn"],
            State::Closed => ["已关闭", "Closed"],
        }
    }

    /// Whether nothing follows.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, State::Done | State::Withdrawn | State::Closed)
    }
}

/// What somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// 提交
    Submit,
    /// 提交资料
    Send,
    /// 立即支付
    Pay,
    /// A bank transfer was made; its voucher is uploaded.
    ReportTransfer,
    /// The bank says that the money is here.
    ConfirmPayment,
    /// The bank knows of no such payment, or it came from somebody else (E23).
    RefusePayment,
    /// 初审通过
    Accept,
    /// 退回修改
    Return,
    /// The second officer agrees (复核通过).
    Confirm,
    /// The key goes on its way to the handler, or over the counter.
    Ship,
    /// The originals are here.
    ReceivePaper,
    /// 复审通过
    VerifyPaper,
    /// The originals are incomplete or faulty.
    RefusePaper,
    /// The certificate was issued against a grant.
    Activate,
    /// The applicant is finished with the key: bound, or simply done.
    Finish,
    /// 安装证书 or 安装印章
    Install,
    /// The code was right.
    EnterCode,
    /// 撤销申请
    Withdraw,
    /// Support closes it.
    Close,
    /// Time is over.
    Expire,
    /// 继续办理
    Resume,
}

impl Act {
    /// The name in paths and in the history.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Act::Submit => "submit",
            Act::Send => "send",
            Act::Pay => "pay",
            Act::ReportTransfer => "report-transfer",
            Act::ConfirmPayment => "confirm-payment",
            Act::RefusePayment => "refuse-payment",
            Act::Accept => "accept",
            Act::Return => "return",
            Act::Confirm => "confirm",
            Act::Ship => "ship",
            Act::ReceivePaper => "receive-paper",
            Act::VerifyPaper => "verify-paper",
            Act::RefusePaper => "refuse-paper",
            Act::Activate => "activate",
            Act::Finish => "finish",
            Act::Install => "install",
            Act::EnterCode => "enter-code",
            Act::Withdraw => "withdraw",
            Act::Close => "close",
            Act::Expire => "expire",
            Act::Resume => "resume",
        }
    }

    /// The act of this name.
    #[must_use]
    pub fn from_name(text: &str) -> Option<Self> {
        ROWS.iter().map(|row| row.act).find(|act| act.as_str() == text)
    }

    /// What the history shows, Chinese and English.
    #[must_use]
    pub const fn words(self) -> [&'static str; 2] {
        match self {
            Act::Submit => ["提交申请", "Submitted"],
            Act::Send => ["提交资料", "Documents sent in"],
            Act::Pay => ["支付成功", "Paid"],
            Act::ReportTransfer => ["已提交转账凭证", "Transfer voucher sent in"],
            Act::ConfirmPayment => ["到账确认", "Payment confirmed"],
            Act::RefusePayment => ["未到账", "Payment not found"],
            Act::Accept => ["初审通过", "First review passed"],
            Act::Return => ["退回修改", "Sent back"],
            Act::Confirm => ["复核通过", "Second review passed"],
            Act::Ship => ["已寄出USB Key", "Key sent out"],
            Act::ReceivePaper => ["收到纸质资料", "Originals received"],
            Act::VerifyPaper => ["复审通过", "Originals verified"],
            Act::RefusePaper => ["纸质资料不合格", "Originals refused"],
            Act::Activate => ["激活证书", "Certificate activated"],
            Act::Finish => ["办理完成", "Finished"],
            Act::Install => ["安装完成", "Installed"],
            Act::EnterCode => ["验证码正确", "Code accepted"],
            Act::Withdraw => ["撤销申请", "Withdrawn"],
            Act::Close => ["关闭业务", "Closed"],
            Act::Expire => ["超时", "Timed out"],
            Act::Resume => ["继续办理", "Resumed"],
        }
    }
}

/// Who does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The applicant, in whose session the business was opened.
    Applicant,
    /// An officer, by number.
    Officer(i64),
    /// The desk itself: payment providers, the clock.
    Desk,
}

/// What is known about a business besides its state. The desk fills in what lies outside (attachments, signatures,
/// the register); the state machine writes officers, payment and paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Facts {
    /// All mandatory fields are filled in and well formed.
    pub fields_complete: bool,
    /// Every mandatory slot holds a file.
    pub attachments_complete: bool,
    /// The profile asks a fee for this business.
    pub has_fee: bool,
    /// The existing key signed this application.
    pub key_signed: bool,
    /// The certificate that it is about has not expired and is not revoked.
    pub certificate_valid: bool,
    /// The handler is the one of the last business.
    pub handler_same: bool,
    /// The profile lets another handler unlock online.
    pub handler_change_online: bool,
    /// The applicant confirmed that files encrypted to the old certificate have been decrypted.
    pub decrypted_first: bool,
    /// The fee is here.
    pub paid: bool,
    /// Who reviewed first.
    pub first_officer: Option<i64>,
    /// Who reviewed second.
    pub second_officer: Option<i64>,
    /// The originals arrived.
    pub paper_received: bool,
    /// The second officer found the originals in order: the activation gate (R86).
    pub paper_verified: bool,
}

/// A business at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Case {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// Where it stood when time ran out.
    pub before: Option<State>,
    /// Since when, Unix seconds.
    pub since: i64,
    /// What is known.
    pub facts: Facts,
}

/// What has to happen beside the change of state, in the same transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// A message to the handler.
    Notify,
    /// The invoice is ordered.
    Invoice,
    /// What was paid, if anything was, goes back.
    Refund,
    /// The courier is ordered.
    Courier,
    /// A code goes to the handler's phone.
    Code,
    /// The certificate is revoked.
    Revoke,
    /// A new seal is queued, because a seal names its certificate (R92).
    Seal,
}

/// A change of state that is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The business afterwards.
    pub after: Case,
    /// What has to happen with it.
    pub effects: &'static [Effect],
}

/// Why an act is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nobody can do this here.
    #[error("{act:?} is not possible in {state:?}")]
    State {
        /// The state.
        state: State,
        /// The act.
        act: Act,
    },
    /// Somebody else does this.
    #[error("this is not for whoever asks")]
    Role,
    /// Something is missing first.
    #[error("{0:?}")]
    Need(Need),
}

impl Case {
    /// A new business.
    #[must_use]
    pub fn open(kind: Kind, facts: Facts, now: i64) -> Self {
        Case { kind, state: State::Draft, before: None, since: now, facts }
    }

    /// What `act` of `actor` leads to.
    ///
    /// # Errors
    /// [`Refused`]: the state, the role, or what is missing.
    pub fn apply(&self, act: Act, actor: Actor, now: i64) -> Result<Step, Refused> {
        let rows = || ROWS.iter().filter(|row| row.act == act && row.from.contains(&self.state) && row.kinds.contains(&self.kind));
        if rows().next().is_none() {
            return Err(Refused::State { state: self.state, act });
        }
        if !rows().any(|row| row.by.fits(actor)) {
            return Err(Refused::Role);
        }
        let row = rows().find(|row| row.when.holds(self, now)).ok_or(Refused::State { state: self.state, act })?;
        if let Some(need) = row.needs.iter().find(|need| !need.is_met(self, actor)) {
            return Err(Refused::Need(*need));
        }
        Ok(Step { after: self.after(row, actor, now), effects: row.effects })
    }

    /// What `actor` can do here; what is missing for it does not count.
    #[must_use]
    pub fn possible(&self, actor: Actor, now: i64) -> Vec<Act> {
        let mut acts: Vec<Act> = ROWS
            .iter()
            .filter(|row| row.kinds.contains(&self.kind) && row.from.contains(&self.state) && row.by.fits(actor) && row.when.holds(self, now))
            .map(|row| row.act)
            .collect();
        acts.dedup();
        acts
    }

    /// When time runs out, Unix seconds; `None` where it does not.
    #[must_use]
    pub fn deadline(&self) -> Option<i64> {
        table::limit(self.state).map(|seconds| self.since.saturating_add(seconds))
    }

    fn after(&self, row: &Row, actor: Actor, now: i64) -> Case {
        let mut after = *self;
        after.since = now;
        after.before = None;
        let officer = match actor {
            Actor::Officer(number) => Some(number),
            Actor::Applicant | Actor::Desk => None,
        };
        match row.act {
            Act::Pay | Act::ConfirmPayment => after.facts.paid = true,
            Act::Accept => after.facts.first_officer = officer,
            // What was approved before does not cover what is sent in anew.
            Act::Send => (after.facts.first_officer, after.facts.second_officer) = (None, None),
            Act::Confirm => after.facts.second_officer = officer,
            Act::ReceivePaper => after.facts.paper_received = true,
            Act::VerifyPaper => (after.facts.second_officer, after.facts.paper_verified) = (officer, true),
            Act::RefusePaper => after.facts.paper_received = false,
            _ => {}
        }
        after.state = match row.to {
            To::State(state) => state,
            To::Same => self.state,
            To::Before => self.before.unwrap_or(State::Draft),
        };
        if row.act == Act::Expire && after.state == State::TimedOut {
            after.before = Some(self.state);
        }
        after
    }
}

impl When {
    fn holds(self, case: &Case, now: i64) -> bool {
        let facts = &case.facts;
        match self {
            When::Always => true,
            When::FeeDue => facts.has_fee && !facts.paid,
            When::NothingDue => !facts.has_fee || facts.paid,
            When::PaperHere => facts.paper_received,
            When::PaperNotHere => !facts.paper_received,
            When::HandlerSame => facts.handler_same,
            When::HandlerOther => !facts.handler_same,
            When::TimeOver => case.deadline().is_some_and(|deadline| now >= deadline),
        }
    }
}

impl Need {
    fn is_met(self, case: &Case, actor: Actor) -> bool {
        let facts = &case.facts;
        match self {
            Need::Fields => facts.fields_complete,
            Need::Attachments => facts.attachments_complete,
            Need::OtherOfficer => matches!(actor, Actor::Officer(officer) if facts.first_officer.is_some_and(|first| first != officer)),
            Need::KeySignature => facts.key_signed,
            Need::ValidCertificate => facts.certificate_valid,
            Need::HandlerOnline => facts.handler_change_online,
            Need::Decrypted => facts.decrypted_first,
            Need::PaperVerified => facts.paper_verified && facts.second_officer.is_some() && facts.first_officer != facts.second_officer,
            Need::TwoOfficers => facts.first_officer.is_some() && facts.second_officer.is_some() && facts.first_officer != facts.second_officer,
        }
    }
}
