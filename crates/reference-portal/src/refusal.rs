//! A refusal: a stable code, facts, what happened and what to do, in both languages, with the HTTP status that fits.
//! What the relying party finds keeps its own code and words; this file adds the few that only a portal can meet.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use sealbridge_intake::Refused;
use sealbridge_relying_party::{Failure, Language as FailureLanguage, Party, words};
use serde::Serialize;

use crate::language::Language;

/// Why a request was not done.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// The stable code.
    pub code: String,
    party: &'static str,
    /// Named facts.
    pub facts: BTreeMap<String, String>,
    /// Seconds after which another try makes sense; told as `Retry-After` (RFC 9110 section 10.2.3).
    pub retry_after: Option<u64>,
    /// Boxed: refusals travel in every `Result`.
    words: Box<Words>,
}

#[derive(Debug, Clone)]
struct Words {
    zh: TwoSentences,
    en: TwoSentences,
}

/// What happened and what to do.
#[derive(Debug, Clone, Serialize)]
pub struct TwoSentences {
    /// What happened.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// The JSON of a refusal: the words in the visitor's language, and in both.
#[derive(Debug, Serialize)]
struct Told<'a> {
    code: &'a str,
    party: &'a str,
    facts: &'a BTreeMap<String, String>,
    what: &'a str,
    remedy: &'a str,
    words: BTreeMap<&'static str, &'a TwoSentences>,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident $wire:literal $status:ident $party:literal
        $what_zh:literal $remedy_zh:literal $what_en:literal $remedy_en:literal)*) => {
        /// The refusals that only a portal meets. `{fact}` in the sentences is filled from the facts.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Reason { $($(#[$doc])* $name),* }

        impl Reason {
            /// All of them.
            pub const ALL: &'static [Reason] = &[$(Reason::$name),*];

            /// The stable code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Reason::$name => $wire),* }
            }

            const fn row(self) -> (StatusCode, &'static str, [&'static str; 4]) {
                match self {
                    $(Reason::$name => (StatusCode::$status, $party, [$what_zh, $remedy_zh, $what_en, $remedy_en])),*
                }
            }
        }
    };
}

refusals! {
    /// No signed-in session.
    NotSignedIn "not-signed-in" UNAUTHORIZED "user"
    "您还没有登录，或者登录已经超时。" "请重新登录后再操作。"
    "You are not signed in, or your session has ended." "Sign in again."

    /// The form's or call's token is not the session's.
    Csrf "csrf-refused" FORBIDDEN "user"
    "页面已经过期，为了安全没有执行操作。" "请刷新页面后重试。"
    "The page is out of date; for your safety nothing was done." "Reload the page and try again."

    /// The request comes from another site's page.
    CrossSite "cross-site-refused" FORBIDDEN "caller"
    "请求来自其他网站，已拒绝。" "请从本门户自己的页面操作。"
    "The request came from another site and was refused." "Use this portal's own pages."

    /// The name in the address bar is not the portal's.
    WrongHost "wrong-host" MISDIRECTED_REQUEST "caller"
    "访问的地址不是本门户的正式地址。" "请通过 {origin} 访问。"
    "This is not the portal's official address." "Please use {origin}."

    /// Wrong name or password.
    PasswordIncorrect "password-incorrect" UNAUTHORIZED "user"
    "账号或密码不正确，还可以尝试 {left} 次，之后需要等待。" "请核对后重新输入；已经绑定 CA 的账号也可以用【CA登录】。"
    "The account or the password is not correct; {left} more tries before you have to wait."
    "Check them and try again; a bound account can also use “CA login”."

    /// Too many attempts.
    Throttled "login-throttled" TOO_MANY_REQUESTS "user"
    "尝试次数过多，请在 {seconds} 秒后再试。" "等待期间可以使用【CA登录】；忘记密码请联系门户客服。"
    "Too many tries. Please wait {seconds} seconds." "Meanwhile you can use “CA login”; ask the portal's support if you forgot the password."

    /// Too many calls of one session or address.
    Busy "portal-busy" TOO_MANY_REQUESTS "user"
    "请求过于频繁，或系统正忙。" "请过几秒钟再试。"
    "Too many requests, or the system is busy." "Try again in a few seconds."

    /// The nonce was brought before.
    NonceUsed "nonce-used" CONFLICT "caller"
    "这次登录或绑定的随机数已经使用过，不能再次使用。" "请刷新网页后重新操作。"
    "The challenge of this login or binding was used already and can not be used again." "Reload the page and do the operation again."

    /// The nonce belongs to another session.
    NonceOtherSession "nonce-other-session" FORBIDDEN "caller"
    "这次登录或绑定不是在当前会话中开始的，已拒绝。" "请在同一个浏览器窗口中重新操作。"
    "This login or binding was not started in the present session and was refused." "Do the operation again in this browser window."

    /// The nonce was issued for the other kind of statement.
    NonceOtherKind "nonce-other-kind" CONFLICT "caller"
    "随机数是为另一种操作发出的，已拒绝。" "请刷新网页后重新操作。"
    "The challenge was issued for another operation and was refused." "Reload the page and do the operation again."

    /// The account has no binding.
    NothingBound "nothing-bound" CONFLICT "user"
    "当前账号还没有绑定 CA。" "请先在【CA管理】中【绑定】。"
    "This account has no key bound to it." "Bind one under “CA management” first."

    /// No CA's desk is configured.
    DeskMissing "desk-not-connected" CONFLICT "portal"
    "本门户还没有连接 CA 机构，不能在这里办理。" "请直接向 CA 机构办理，或联系门户客服。"
    "This portal is not connected to a CA; this can not be done here." "Go to your CA directly, or ask the portal's support."

    /// A change while files are encrypted to the certificate (R64, R93).
    UndecryptedFiles "undecrypted-files" CONFLICT "user"
    "本账号还有 {count} 份用现有证书加密的文件没有解密，变更后将无法解密，因此没有转往 CA 机构。" "请先用现有的 USB Key 解密这些文件，再办理变更。"
    "{count} files of this account are encrypted to the present certificate and not yet decrypted; after a change nobody could open them. You were not handed over."
    "Decrypt them with the present USB key first, then apply for the change."

    /// The unit's name is longer than a desk takes.
    UnitNameTooLong "unit-name-too-long" CONFLICT "portal"
    "单位名称超过 {limit} 个字，CA 机构无法接收。" "请联系门户客服核对单位名称。"
    "The unit's name has more than {limit} characters; the CA does not take it." "Ask the portal's support to look at the name."

    /// What came back is no statement of the connected CA to this portal.
    ProgressRefused "progress-refused" FORBIDDEN "caller"
    "办理结果不是所连接的 CA 机构发给本门户的，没有记录。" "请从 CA 机构的业务页面重新返回；如果仍然出现，请联系门户客服。"
    "The result is not the connected CA's statement to this portal and was not recorded."
    "Come back from the CA's own page again; if it happens again, ask the portal's support."

    /// What came back is too old.
    ProgressExpired "progress-expired" FORBIDDEN "user"
    "办理结果已经过期，没有记录。" "请在【CA管理】中点【办理进度查询】，再从 CA 机构的业务页面返回。"
    "The result has expired and was not recorded." "Use “Application progress” under “CA management” and come back from the CA's page."

    /// What came back is about another account than the one that is signed in.
    ProgressOtherAccount "progress-other-account" CONFLICT "user"
    "办理结果属于另一个账号，没有记录。" "请用办理时的账号登录后，再从 CA 机构的业务页面返回。"
    "The result belongs to another account and was not recorded." "Sign in with the account that applied, and come back from the CA's page."

    /// The request's body can not be read.
    Malformed "request-malformed" BAD_REQUEST "caller"
    "请求的格式不正确。" "请刷新网页后重试；如果仍然出现，请联系门户客服。"
    "The request is not well formed." "Reload the page and try again; if it happens again, ask the portal's support."

    /// The request's body is too large.
    BodyTooLarge "request-too-large" PAYLOAD_TOO_LARGE "caller"
    "请求太大，已拒绝。" "请刷新网页后重试。"
    "The request is too large and was refused." "Reload the page and try again."

    /// The uploaded document is over the cap.
    DocumentTooLarge "upload-too-large" PAYLOAD_TOO_LARGE "user"
    "上传的文件太大，上限为 {limit} 字节。" "请缩小文件后重新上传。"
    "The uploaded file is too large; the limit is {limit} bytes." "Make the file smaller and upload it again."

    /// The uploaded document has no bytes.
    DocumentEmpty "upload-empty" BAD_REQUEST "user"
    "上传的文件是空的。" "请重新选择文件。"
    "The uploaded file is empty." "Choose the file again."

    /// The upload stopped half way.
    UploadBroken "upload-broken" BAD_REQUEST "user"
    "文件没有完整传到。" "请检查网络后重新上传。"
    "The file did not arrive completely." "Check the network and upload it again."

    /// The sender did not keep up the pace, or took too long in all.
    // Not 408: browsers send the whole request again on that.
    UploadTooSlow "upload-too-slow" BAD_REQUEST "user"
    "文件上传太慢，已中止（每秒至少 {rate} KiB，全程不超过 {minutes} 分钟），投标没有提交。" "请换用更快的网络后重新上传。"
    "The upload was too slow and was ended (at least {rate} KiB a second, {minutes} minutes in all); the bid was not submitted."
    "Upload it again over a faster network."

    /// The account is uploading already.
    UploadRunning "upload-in-progress" CONFLICT "user"
    "该账号正在上传另一个文件，每次只能上传一个。" "请等前一个文件上传完成后再试；如果前一次上传已经中断，请半分钟后重试。"
    "This account is uploading another file; one at a time is allowed."
    "Wait until that upload has finished; if it was broken off, try again in half a minute."

    /// There is no place to keep the document.
    StorageFailed "storage-failed" INSUFFICIENT_STORAGE "portal"
    "门户暂时无法保存文件，投标没有提交。" "请稍后重新上传；如果仍然出现，请联系门户客服。"
    "The portal can not keep the file at the moment; the bid was not submitted." "Upload it again later; if it happens again, ask the portal's support."

    /// The tender is over.
    TenderClosed "tender-closed" CONFLICT "user"
    "该项目的投标已经截止。" "请选择仍在进行的项目。"
    "This tender is closed." "Choose a tender that is still open."

    /// The account has made as many bids as it may.
    SubmissionLimit "submission-limit" CONFLICT "user"
    "该项目的投标次数已达上限（{limit} 次）。" "如需更多，请联系门户客服。"
    "You have reached the limit of {limit} bids for this tender." "Ask the portal's support if you need more."

    /// No such page.
    NotFound "not-found" NOT_FOUND "user"
    "没有找到该页面或记录。" "请从首页重新进入。"
    "There is no such page or record." "Start again from the home page."

    /// Our own fault.
    Internal "internal" INTERNAL_SERVER_ERROR "portal"
    "门户内部出错，操作没有完成。" "请重试；如果仍然出现，请联系门户客服。"
    "Something went wrong inside the portal; the operation was not finished." "Try again; if it happens again, ask the portal's support."
}

impl Refusal {
    /// Adds a fact and fills its place in the sentences.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl ToString) -> Self {
        let value = value.to_string();
        let place = format!("{{{key}}}");
        let Words { zh, en } = self.words.as_mut();
        for sentence in [&mut zh.what, &mut zh.remedy, &mut en.what, &mut en.remedy] {
            *sentence = sentence.replace(&place, &value);
        }
        self.facts.insert(key.to_owned(), value);
        self
    }

    /// Says when another try makes sense.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// With another status than the reason's own.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The words in one language.
    #[must_use]
    pub fn words(&self, language: Language) -> &TwoSentences {
        match language {
            Language::Chinese => &self.words.zh,
            Language::English => &self.words.en,
        }
    }

    /// The JSON that calls answer with.
    #[must_use]
    pub fn json(&self, language: Language) -> String {
        let words = self.words(language);
        let told = Told {
            code: &self.code,
            party: self.party,
            facts: &self.facts,
            what: &words.what,
            remedy: &words.remedy,
            words: [("zh-CN", &self.words.zh), ("en", &self.words.en)].into_iter().collect(),
        };
        serde_json::to_string(&told).unwrap_or_else(|_| format!(r#"{{"code":"{}"}}"#, Reason::Internal.code()))
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        let (status, party, [what_zh, remedy_zh, what_en, remedy_en]) = reason.row();
        Refusal {
            status,
            code: reason.code().to_owned(),
            party,
            facts: BTreeMap::new(),
            retry_after: None,
            words: Box::new(Words {
                zh: TwoSentences { what: what_zh.to_owned(), remedy: remedy_zh.to_owned() },
                en: TwoSentences { what: what_en.to_owned(), remedy: remedy_en.to_owned() },
            }),
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let sentences = |language| TwoSentences { what: words::what(&failure, language), remedy: words::remedy(&failure, language) };
        Refusal {
            // The request was understood and refused for what it says.
            status: StatusCode::UNPROCESSABLE_ENTITY,
            code: failure.code.as_str().to_owned(),
            party: match failure.code.party() {
                Party::Caller => "caller",
                Party::Environment => "environment",
                Party::User => "user",
                Party::Token => "token",
                Party::Document => "document",
                Party::Portal => "portal",
                Party::Sealbridge => "sealbridge",
            },
            facts: failure.facts.clone(),
            retry_after: None,
            words: Box::new(Words { zh: sentences(FailureLanguage::ZhCn), en: sentences(FailureLanguage::En) }),
        }
    }
}

/// What became of an upload.
impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Running { seconds } => Refusal::from(Reason::UploadRunning).retry_after(seconds),
            Refused::Busy { seconds } => Refusal::from(Reason::Busy).retry_after(seconds),
            Refused::TooSlow { rate, minutes } => Refusal::from(Reason::UploadTooSlow).with("rate", rate).with("minutes", minutes),
            Refused::TooLarge { limit } => Refusal::from(Reason::DocumentTooLarge).with("limit", limit),
            Refused::Empty => Reason::DocumentEmpty.into(),
            Refused::Broken => Reason::UploadBroken.into(),
            Refused::Storage(error) => {
                tracing::error!(%error, "document");
                Reason::StorageFailed.into()
            }
            other => {
                tracing::error!(error = %other, "upload");
                Reason::Internal.into()
            }
        }
    }
}

/// The cause goes to the log; the visitor is told only that it is not their fault.
impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        tracing::error!(%error, "database");
        match error {
            sqlx::Error::PoolTimedOut => Refusal::from(Reason::Busy).retry_after(5),
            // SQLITE_FULL (sqlite.org/rescode.html): the disk has no room for another row.
            sqlx::Error::Database(error) if error.code().as_deref() == Some("13") => Reason::StorageFailed.into(),
            _ => Reason::Internal.into(),
        }
    }
}

/// The middleware in [`crate::web`] writes the page or the JSON, because only it knows which was asked for.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::{Reason, Refusal};
    use crate::language::Language;

    #[test]
    fn every_reason_has_its_own_code_and_four_sentences() {
        let mut codes = std::collections::BTreeSet::new();
        for reason in Reason::ALL {
            assert!(codes.insert(reason.code()), "{} stands twice", reason.code());
            let refusal = Refusal::from(*reason);
            assert!(refusal.status.is_client_error() || refusal.status.is_server_error());
            for language in [Language::Chinese, Language::English] {
                let words = refusal.words(language);
                assert!(!words.what.is_empty() && !words.remedy.is_empty());
            }
            assert!(!refusal.words.zh.what.is_ascii() && !refusal.words.zh.remedy.is_ascii(), "{}", reason.code());
        }
    }
}
