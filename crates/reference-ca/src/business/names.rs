//! The names of businesses, states and acts: for the code, for the database, and for people in both languages. Nothing here
//! decides anything.

use serde::{Deserialize, Serialize};

use super::table::ROWS;

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

    /// Whether the existing key's signature stands for originals on paper (R12, R58).
    #[must_use]
    pub const fn signed_by_key(self) -> bool {
        matches!(self, Kind::Additional | Kind::Renewal)
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
    /// An officer picks the impression that becomes the seal.
    Pick,
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
            Act::Pick => "pick",
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
            Act::Pick => ["选定印模", "Impression picked"],
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
