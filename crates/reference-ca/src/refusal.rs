//! A refusal of the desk: a stable code, what happened and what to do, in both languages, with the HTTP status that fits.
//! Pages show it where it belongs; calls get it as problem+json (RFC 9457). Facts in it never name a person.

use std::collections::BTreeMap;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::business::Refused;
use crate::business::table::Need;
use crate::error::DeskError;
use crate::key_signature;
use crate::language::Language;
use crate::profile::Slot;
use crate::store::applications::NotDone;
use crate::store::uploads::UploadError;
use crate::upload::Fault;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $wire:literal $status:ident
        $what_zh:literal $remedy_zh:literal $what_en:literal $remedy_en:literal)*) => {
        /// Why something was not done. `{fact}` in the sentences is filled from the facts.
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

            const fn row(self) -> (StatusCode, [&'static str; 4]) {
                match self { $(Reason::$name => (StatusCode::$status, [$what_zh, $remedy_zh, $what_en, $remedy_en])),* }
            }
        }
    };
}

reasons! {
    /// No officer's session.
    NotSignedIn "not-signed-in" UNAUTHORIZED
    "您还没有登录，或者登录已经超时。" "请重新登录后再操作。"
    "You are not signed in, or your session has ended." "Sign in again."

    /// The form's token is not the session's.
    Csrf "csrf-refused" FORBIDDEN
    "页面已经过期，为了安全没有执行操作；已经填写的内容没有丢失。" "请刷新页面后重试。"
    "The page is out of date; for your safety nothing was done. What you typed is kept." "Reload the page and try again."

    /// Another site's page asks.
    CrossSite "cross-site-refused" FORBIDDEN
    "请求来自其他网站，已拒绝。" "请从本站自己的页面操作。"
    "The request came from another site and was refused." "Use this site's own pages."

    /// Under another name.
    WrongHost "wrong-host" MISDIRECTED_REQUEST
    "访问的地址不是本站的正式地址。" "请通过 {origin} 访问。"
    "This is not the desk's official address." "Please use {origin}."

    /// Wrong name or password.
    PasswordIncorrect "password-incorrect" UNAUTHORIZED
    "账号或密码不正确，还可以尝试 {left} 次，之后账号会锁定 15 分钟。" "请核对后重新输入。"
    "The name or the password is not correct; {left} more tries before the account is locked for 15 minutes." "Check them and try again."

    /// Too many attempts.
    Throttled "throttled" TOO_MANY_REQUESTS
    "尝试次数过多，请在 {seconds} 秒后再试。" "等待期间请勿重复尝试。"
    "Too many tries. Please wait {seconds} seconds." "Do not try again before that."

    /// Number and access code do not belong together.
    AccessRefused "access-refused" FORBIDDEN
    "业务编号或查询码不正确。" "请核对编号和查询码；它们显示在业务页面上，也在申请表上。"
    "The number or the access code is not correct." "Check both; they are on the business's page and on the form."

    /// There is no such page.
    NotFound "not-found" NOT_FOUND
    "没有找到这个页面或业务。" "请从【办理进度查询】进入。"
    "There is no such page or business." "Enter by “Application progress”."

    /// The request cannot be read.
    Malformed "request-malformed" BAD_REQUEST
    "请求的格式不正确。" "请刷新页面后重试。"
    "The request is not well formed." "Reload the page and try again."

    /// More than a form or file may be.
    BodyTooLarge "request-too-large" PAYLOAD_TOO_LARGE
    "发送的内容太大，已拒绝。" "请缩小文件后重试。"
    "What was sent is too large and was refused." "Make the file smaller and try again."

    /// Our own fault.
    Internal "internal" INTERNAL_SERVER_ERROR
    "系统出错，操作没有完成；已经提交的内容没有丢失。" "请稍后重试。"
    "Something went wrong here; the operation was not done and nothing is lost." "Try again later."

    /// Not offered by this institution.
    NotOffered "not-offered" NOT_FOUND
    "这家机构不办理这项业务。" "请返回选择其他业务。"
    "This institution does not offer this business." "Go back and choose another one."

    /// At the counter or by post only (K2, K3).
    CounterOnly "counter-only" CONFLICT
    "这项业务只能到柜台或邮寄办理。" "请按本页列出的资料准备原件，邮寄或送到受理地址。"
    "This business is done at the counter or by post only." "Prepare the originals listed here and post them or bring them in."

    /// Somebody did something in between.
    Stale "changed-meanwhile" CONFLICT
    "业务状态在您操作之前已经改变，这次操作没有重复执行。" "请查看最新状态后再操作。"
    "The business changed before you acted; nothing was done twice." "Look at its present state and act again if needed."

    /// This cannot be done now.
    NotNow "not-now" CONFLICT
    "业务当前的状态不能执行这个操作。" "请查看最新状态后再操作。"
    "This cannot be done in the business's present state." "Look at its present state first."

    /// Somebody else does this.
    NotYours "not-yours" FORBIDDEN
    "这个操作不由您执行。" "请由有权限的人员办理。"
    "This is not for you to do." "Let whoever is in charge do it."

    /// A reason is needed.
    NoteMissing "note-missing" UNPROCESSABLE_ENTITY
    "请填写说明。" "退回、关闭、不合格和未到账须说明原因；寄出须填写运单号。"
    "Please say why." "Sending back, closing and refusing need a reason; shipping needs the courier's number."

    /// Files cannot be changed any more.
    Locked "locked" CONFLICT
    "审核已经开始，资料不能再修改。" "如需修改，请等待审核结果，或撤销申请后重新提交。"
    "The review has begun; documents can no longer be changed." "Wait for the result, or withdraw the application."

    /// Fields are missing or wrong.
    FieldsMissing "fields-missing" UNPROCESSABLE_ENTITY
    "表单还没有填写完整，或有填写错误。" "请按标红的提示修改后再提交。"
    "The form is not complete or has mistakes." "Correct the marked fields and submit again."

    /// Fields that are locked.
    FieldsLocked "fields-locked" CONFLICT
    "这些内容已经锁定，没有修改：{fields}。" "提交后不能修改的内容填错时，请撤销申请后重新办理，或联系客服关闭业务。"
    "These are locked and were not changed: {fields}." "If they are wrong, withdraw and apply again, or ask support to close the business."

    /// Slots without files.
    AttachmentsMissing "attachments-missing" UNPROCESSABLE_ENTITY
    "还有必传的资料没有上传。" "请上传所有标星的资料后再提交。"
    "Documents are still missing." "Upload every document with a star."

    /// The same officer.
    OtherOfficer "other-officer-needed" FORBIDDEN
    "复核不能由初审的同一个人完成。" "请由另一位审核员登录后复核。"
    "The second review cannot be done by the first officer." "Let another officer sign in and do it."

    /// The existing key has not signed.
    KeySignature "key-signature-needed" UNPROCESSABLE_ENTITY
    "这项业务须用现有的证书签名。" "请在装有印桥的浏览器中插入现有的 USB Key，点【提交】，核对后输入 Key 的密码（PIN）。"
    "This business must be signed by the existing key." "In a browser with Sealbridge plug in the key, press “Submit”, check and enter the key's PIN."

    /// No bind statement, or its signature does not hold.
    KeySignatureInvalid "key-signature-invalid" FORBIDDEN
    "签名无效，没有提交。" "请刷新页面，插入现有的 USB Key 后重新提交。"
    "The signature does not hold; nothing was submitted." "Reload the page, plug in the existing key and submit again."

    /// Signed for another site or business.
    KeySignatureElsewhere "key-signature-elsewhere" FORBIDDEN
    "这个签名不是在本网站为这项业务做的，没有提交。" "请从本业务的页面重新提交并签名。"
    "The signature was made for another site or another business; nothing was submitted." "Submit and sign again on this business's page."

    /// The challenge was used or replaced.
    KeySignatureUsed "key-signature-used" CONFLICT
    "这个签名已经使用过，或者之后又重新取过签名内容，不能再用。" "请查看业务的最新状态；仍需提交时重新签名。"
    "The signature was used before, or another one was begun since." "Look at the business's present state; if it still has to be submitted, sign again."

    /// Too late.
    KeySignatureExpired "key-signature-expired" FORBIDDEN
    "签名已经超时（须在 5 分钟内提交），或者电脑的时间不对。" "请重新提交并签名；仍然出现时请校准电脑的时间。"
    "The signature came too late (five minutes), or the computer's clock is wrong." "Submit and sign again; if it happens again, set the clock."

    /// Signed for what was typed before.
    KeySignatureValues "key-signature-other-values" CONFLICT
    "签名之后申请内容又有修改，签名已经失效。" "请核对现在的内容，重新提交并签名。"
    "The application was changed after it was signed; the signature is void." "Check what stands there now, then submit and sign again."

    /// Signed by another certificate.
    KeySignatureCertificate "key-signature-other-certificate" CONFLICT
    "签名用的证书不是申请中填写的原证书。" "请插入原证书的 USB Key 并选择它，或者更正原证书序列号。"
    "The signature was made with another certificate than the one that the application names." "Plug in and choose that one, or correct the serial number."

    /// The certificate is another unit's by its name.
    KeySignatureName "key-signature-other-name" CONFLICT
    "原证书的单位名称与申请的单位名称不一致。" "单位名称已经变更的，请先办理【变更】；填写有误的，请更正后重新提交。"
    "The certificate's unit name is not the application's." "If the unit was renamed, change the certificate first; if it is a mistake, correct it and submit again."

    /// One certificate is renewed once.
    AlreadyRenewed "already-renewed" CONFLICT
    "这张证书已经续期过，不能再续一次。" "请用续期后的新证书办理，或查看之前的续期业务。"
    "This certificate was renewed before." "Use the renewed certificate, or look at the earlier renewal."

    /// Expired or revoked.
    CertificateNotValid "certificate-not-valid" CONFLICT
    "原证书已经过期或已注销，不能在线办理。" "证书过期后请按新申请办理，或到柜台、邮寄办理续期。"
    "The certificate has expired or is revoked; this cannot be done online." "Apply anew, or renew at the counter or by post."

    /// Another handler, and not online.
    HandlerChanged "handler-changed" CONFLICT
    "经办人信息与最近一次业务不一致，这家机构不能在线解锁。" "请携带原 USB Key 和资料到柜台办理，或邮寄办理。"
    "The handler is not the one of the last business, and this institution does not unlock online then." "Go to the counter with the key and papers, or post them."

    /// Another unit has paid, or nobody is named.
    PayerDiffers "payer-differs" UNPROCESSABLE_ENTITY
    "付款单位与申请单位不一致。" "请从申请单位自己的账户转账，并完整填写付款单位名称；无法转账的单位请携带资料原件到柜台办理。"
    "The payer is not the applying unit." "Transfer from the applying unit's own account and give its full name here; a unit that cannot do so goes to the counter with the original documents."

    /// Files may be lost.
    DecryptFirst "decrypt-first" UNPROCESSABLE_ENTITY
    "请先解密所有用本证书加密的文件，并勾选确认。" "变更后，用原证书加密的文件将无法解密。"
    "Decrypt every file encrypted to this certificate first and confirm it." "After the change they cannot be opened any more."

    /// The gate.
    PaperNotVerified "paper-not-verified" CONFLICT
    "纸质资料还没有复审通过，不能激活。" "请邮寄纸质资料；复审通过后会有激活短信。"
    "The originals have not been verified; nothing can be activated." "Post the originals; a short message follows once they are verified."

    /// Two officers are needed.
    TwoOfficers "two-officers-needed" CONFLICT
    "还没有两位审核员审核通过。" "请等待复核。"
    "Two officers have not agreed yet." "Wait for the second review."

    /// An empty file (E9).
    UploadEmpty "upload-empty" UNPROCESSABLE_ENTITY
    "“{slot}”的文件是空的。" "请重新扫描后上传。"
    "The file for “{slot}” is empty." "Scan it again and upload it."

    /// Over the slot's cap.
    UploadTooLarge "upload-too-large" PAYLOAD_TOO_LARGE
    "“{slot}”的文件超过 {limit}。" "请降低扫描分辨率后重新上传。"
    "The file for “{slot}” is larger than {limit}." "Scan it at a lower resolution and upload it again."

    /// None of the kinds.
    UploadKind "upload-kind" UNPROCESSABLE_ENTITY
    "“{slot}”的文件不是 jpg、png、gif、bmp 或 pdf（按内容判断，不看文件名）。" "请另存为其中一种格式后上传。"
    "The file for “{slot}” is not a jpg, png, gif, bmp or pdf (by its content, not its name)." "Save it as one of these and upload it."

    /// Cut off.
    UploadCut "upload-cut" UNPROCESSABLE_ENTITY
    "“{slot}”的文件不完整。" "请检查文件能否打开，然后重新上传。"
    "The file for “{slot}” is not complete." "Check that it opens, then upload it again."

    /// The hand-over does not hold.
    HandoverRefused "handover-refused" FORBIDDEN
    "从采购门户转来的信息无效、已使用或已过期。" "请回到采购门户的【CA管理】，重新点击要办理的业务。"
    "What the portal handed over is not valid, was used or has expired." "Go back to “CA management” in the portal and choose the business again."

    /// Files at the portal would be lost (R93, E16).
    UndecryptedFiles "undecrypted-files" CONFLICT
    "采购门户还有 {count} 份用本证书加密、尚未解密的文件，暂不能变更。" "请先在采购门户解密这些文件，再从【CA管理】办理变更。"
    "The portal still has {count} files that are encrypted to this certificate." "Decrypt them in the portal first, then begin the change from “CA management” again."

    /// The form of another business (E10).
    FormOther "form-of-another-business" UNPROCESSABLE_ENTITY
    "“{slot}”是业务 {other} 的申请表，不是本业务的。" "请下载并打印本业务 {number} 的申请表，签名盖章后扫描上传。"
    "“{slot}” is the form of business {other}, not of this one." "Download and print the form of {number}, sign and stamp it, and scan that."

    /// An electronic seal where a physical one is asked for (R37).
    ElectronicSeal "electronic-seal" UNPROCESSABLE_ENTITY
    "“{slot}”是电子签章文件；这里须用加盖实体印章的原件的扫描件。" "请打印后手写签名、加盖实体印章，彩色扫描后上传。"
    "“{slot}” carries an electronic signature or seal; a scan of the original with the physical seal is needed." "Print it, sign it by hand, stamp it with the physical seal and scan it in colour."

    /// The form as it was downloaded.
    FormBlank "form-not-stamped" UNPROCESSABLE_ENTITY
    "“{slot}”是下载的空白申请表，没有签名和盖章。" "请打印、手写签名、加盖实体印章，彩色扫描后上传。"
    "“{slot}” is the blank form, neither signed nor stamped." "Print it, sign it by hand, stamp it with the physical seal and scan it in colour."

    /// More pixels than are looked at.
    PictureTooLarge "picture-too-large" UNPROCESSABLE_ENTITY
    "“{slot}”的图片像素太多。" "请用 300 dpi 扫描 A4 页面后重新上传。"
    "The picture for “{slot}” has too many pixels." "Scan the A4 page at 300 dpi and upload it again."

    /// Others' scans are still looked at.
    Busy "desk-busy" SERVICE_UNAVAILABLE
    "现在上传的人较多，“{slot}”没有收下；已经上传的其他文件不受影响。" "请稍后再上传一次。"
    "Many people are sending scans in just now; “{slot}” was not taken. What you sent in before is kept." "Send it in again in a moment."

    /// Nothing red and round (E11).
    SealMissing "seal-not-found" UNPROCESSABLE_ENTITY
    "“{slot}”上没有看到印章。" "请在印模采集框内加盖实体印章，彩色扫描后重新上传。"
    "No seal is to be seen on “{slot}”." "Stamp the frames with the physical seal, scan in colour and upload it again."

    /// Fewer impressions than the institution asks for.
    SealsTooFew "seal-impressions-missing" UNPROCESSABLE_ENTITY
    "“{slot}”上只看到 {found} 个印模，需要 {wanted} 个。" "请在每个采集框内各盖一次同一枚印章，间隔清楚，重新扫描上传。"
    "Only {found} of {wanted} impressions are to be seen on “{slot}”." "Stamp each frame once with the same seal, apart from each other, and scan it again."

    /// Two in one place.
    SealTwice "seal-two-in-one" UNPROCESSABLE_ENTITY
    "“{slot}”上有重叠的印章，或一个采集框内盖了两次。" "请每个采集框只盖一次，互不重叠，重新扫描上传。"
    "Two seals overlap on “{slot}”, or one frame was stamped twice." "Stamp each frame once, without overlap, and scan it again."

    /// Too pale.
    SealFaint "seal-too-faint" UNPROCESSABLE_ENTITY
    "“{slot}”上的印模太淡，或边框残缺。" "请用适中的印油重新加盖后扫描上传。"
    "The impression on “{slot}” is too faint, or its rim is incomplete." "Stamp again with medium ink and scan it."

    /// A part is missing.
    SealCut "seal-cut-off" UNPROCESSABLE_ENTITY
    "“{slot}”上的印模不完整，有一部分在画面或采集框之外。" "请完整扫描整页，印章盖在采集框正中。"
    "A part of the impression on “{slot}” lies outside the picture or its frame." "Stamp in the middle of the frame and scan the whole page."

    /// No edges.
    SealBlurred "seal-blurred" UNPROCESSABLE_ENTITY
    "“{slot}”上的印模模糊。" "请用扫描仪以 300 dpi 彩色扫描后重新上传，不要用失焦的照片。"
    "The impression on “{slot}” is blurred." "Use a scanner at 300 dpi in colour instead of an unfocused photograph."

    /// An impossible size.
    SealSize "seal-size" UNPROCESSABLE_ENTITY
    "“{slot}”上的印章直径约 {millimetres} 毫米，不是单位公章或合同专用章的规格。" "请加盖公章或合同专用章的实体印章。"
    "The seal on “{slot}” measures about {millimetres} mm, which no official or contract seal does." "Stamp it with the unit's official or contract seal."

    /// No such slot.
    SlotUnknown "slot-unknown" NOT_FOUND
    "这项业务没有这个资料位置。" "请按页面列出的名称，一份一份上传。"
    "This business has no such document." "Upload each document at its own place."

    /// Wrong or expired code.
    CodeIncorrect "code-incorrect" UNPROCESSABLE_ENTITY
    "验证码不正确或已过期。" "请核对短信，或重新【获取验证码】；错误 5 次后须重新获取。"
    "The code is wrong or has expired." "Check the message or get a new code; after five wrong ones a new code is needed."

    /// The token was not activated through this desk.
    NoUnlockSecret "no-unlock-secret" CONFLICT
    "这把 Key 不是通过本系统激活的，没有可用的解锁码。" "请联系客服：Key 需要寄回，或者办理补办。"
    "This key was not activated through this desk; there is nothing to unlock it with." "Contact the support: the key must be sent in, or be replaced."

    /// Too long after the code was entered.
    UnlockOver "unlock-over" CONFLICT
    "解锁授权已经超时（验证码通过后 30 分钟内有效）。" "请重新办理解锁。"
    "The time to unlock is over (30 minutes after the code was entered)." "Begin the unlocking again."

    /// The grant does not hold.
    GrantRefused "grant-refused" FORBIDDEN
    "激活授权无效、已使用或已过期。" "请重新开始激活；密钥不会丢失。"
    "The activation grant is not valid, was used or has expired." "Start activation again; the key is not lost."

    /// The request does not hold.
    RequestRefused "certificate-request-refused" UNPROCESSABLE_ENTITY
    "证书请求无效，或与申请的单位不一致。" "请重新开始激活；如果仍然出现，请联系客服。"
    "The certificate request does not hold or is for another subject." "Start activation again; if it happens again, ask support."

    /// Another key has been activated for it.
    AlreadyActivated "already-activated" CONFLICT
    "这项业务已经为另一个密钥签发了证书。" "一项业务只签发一个证书；请使用已经激活的 USB Key。"
    "A certificate was already issued for another key." "One business has one certificate; use the key that is activated."
}

/// A refusal with its facts.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    facts: BTreeMap<&'static str, [String; 2]>,
}

impl Refusal {
    /// Adds a fact, the same in both languages.
    #[must_use]
    pub fn with(self, key: &'static str, value: impl ToString) -> Self {
        let value = value.to_string();
        self.with_words(key, [value.clone(), value])
    }

    /// Adds a fact in Chinese and English.
    #[must_use]
    pub fn with_words(mut self, key: &'static str, words: [String; 2]) -> Self {
        self.facts.insert(key, words);
        self
    }

    /// A fault of a file in a slot.
    #[must_use]
    pub fn of_upload(fault: Fault, slot: &Slot) -> Self {
        let reason = match fault {
            Fault::Empty => Reason::UploadEmpty,
            Fault::TooLarge => Reason::UploadTooLarge,
            Fault::Kind => Reason::UploadKind,
            Fault::Cut => Reason::UploadCut,
        };
        let limit = if slot.max_bytes.is_multiple_of(1024 * 1024) && slot.max_bytes > 1024 * 1024 {
            format!("{} MB", slot.max_bytes / 1024 / 1024)
        } else {
            format!("{} KB", slot.max_bytes / 1024)
        };
        Refusal::from(reason).with_words("slot", slot.name.clone()).with("limit", limit)
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.reason.row().0
    }

    /// What happened and what to do.
    #[must_use]
    pub fn words(&self, language: Language) -> (String, String) {
        let (_, [what_zh, remedy_zh, what_en, remedy_en]) = self.reason.row();
        (self.fill(language.say(what_zh, what_en), language), self.fill(language.say(remedy_zh, remedy_en), language))
    }

    /// As problem+json, with the words in both languages.
    #[must_use]
    pub fn problem(&self, language: Language) -> Response {
        let (title, detail) = self.words(language);
        let said = |language| {
            let (what, remedy) = self.words(language);
            json!({ "what": what, "remedy": remedy })
        };
        let body = json!({
            "type": "about:blank", "title": title, "detail": detail, "status": self.status().as_u16(), "code": self.reason.code(),
            "words": { "zh-CN": said(Language::Chinese), "en": said(Language::English) },
        });
        (self.status(), [(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))], body.to_string()).into_response()
    }

    fn fill(&self, sentence: &str, language: Language) -> String {
        self.facts
            .iter()
            .fold(sentence.to_owned(), |sentence, (key, [chinese, english])| sentence.replace(&format!("{{{key}}}"), language.say(chinese, english)))
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Refusal { reason, facts: BTreeMap::new() }
    }
}

impl From<Need> for Reason {
    fn from(need: Need) -> Self {
        match need {
            Need::Fields => Reason::FieldsMissing,
            Need::Attachments => Reason::AttachmentsMissing,
            Need::OtherOfficer => Reason::OtherOfficer,
            Need::KeySignature => Reason::KeySignature,
            Need::ValidCertificate => Reason::CertificateNotValid,
            Need::HandlerOnline => Reason::HandlerChanged,
            Need::Decrypted => Reason::DecryptFirst,
            Need::PaperVerified => Reason::PaperNotVerified,
            Need::TwoOfficers => Reason::TwoOfficers,
        }
    }
}

impl From<key_signature::Fault> for Reason {
    fn from(fault: key_signature::Fault) -> Self {
        use key_signature::Fault;
        match fault {
            Fault::Invalid => Reason::KeySignatureInvalid,
            Fault::Elsewhere => Reason::KeySignatureElsewhere,
            Fault::Used => Reason::KeySignatureUsed,
            Fault::Expired => Reason::KeySignatureExpired,
            Fault::Values => Reason::KeySignatureValues,
            Fault::Certificate => Reason::KeySignatureCertificate,
            Fault::Name => Reason::KeySignatureName,
            Fault::Ended => Reason::CertificateNotValid,
        }
    }
}

impl From<NotDone> for Refusal {
    fn from(error: NotDone) -> Self {
        match error {
            NotDone::Gone => Reason::NotFound.into(),
            NotDone::Stale => Reason::Stale.into(),
            NotDone::Locked => Reason::Locked.into(),
            NotDone::Note => Reason::NoteMissing.into(),
            NotDone::Ticket => Reason::HandoverRefused.into(),
            NotDone::Refused(Refused::State { .. }) => Reason::NotNow.into(),
            NotDone::Refused(Refused::Role) => Reason::NotYours.into(),
            NotDone::Refused(Refused::Need(need)) => Reason::from(need).into(),
            NotDone::KeySignature(fault) => Reason::from(fault).into(),
            NotDone::Renewed => Reason::AlreadyRenewed.into(),
            NotDone::Desk(error) => error.into(),
            NotDone::Database(error) => error.into(),
        }
    }
}

/// The cause goes to the log; whoever asks is told only that it is not their fault.
impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        tracing::error!(%error, "database");
        Reason::Internal.into()
    }
}

impl From<DeskError> for Refusal {
    fn from(error: DeskError) -> Self {
        tracing::error!(%error, "desk");
        Reason::Internal.into()
    }
}

impl From<UploadError> for Refusal {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::Desk(error) => error.into(),
            UploadError::Database(error) => error.into(),
        }
    }
}

/// The middleware in [`crate::web`] writes the body, because only it knows language and kind of answer.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Reason, Refusal};
    use crate::business::table::Need;
    use crate::language::Language;

    #[test]
    fn every_reason_has_its_words_and_its_own_code() {
        let codes: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            for language in [Language::Chinese, Language::English] {
                let (what, remedy) = Refusal::from(*reason).words(language);
                assert!(what.len() > 8 && remedy.len() > 8, "{reason:?}");
                let chinese = what.chars().any(|character| ('一'..='龥').contains(&character));
                assert_eq!(chinese, language == Language::Chinese, "{reason:?}: {what}");
            }
        }
        let needs: BTreeSet<&str> = Need::ALL.iter().map(|need| Reason::from(*need).code()).collect();
        assert_eq!(needs.len(), Need::ALL.len(), "each need has its own words");
        let (what, _) = Refusal::from(Reason::Throttled).with("seconds", 7).words(Language::English);
        assert!(what.contains("wait 7 seconds"));
    }
}
