//! What verifying found, as data: for programs by stable codes, for people through [`Report::text`].

use serde::{Deserialize, Serialize};

use super::change::{Allowed, Change};
use super::revocation::{CertificateStatus, PadesLevel};
use super::timestamp::TimestampReport;

/// The one word for a whole document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every signature is intact and trusted, every seal fits, and nothing but what the policy allows follows any of them.
    Valid,
    /// As `valid`, but whether the signers are to be trusted is not known or not so.
    IntactNotTrusted,
    /// Signatures are intact, but something follows or surrounds them that they do not cover.
    Changed,
    /// At least one signature is broken, or a seal does not fit its stamp.
    Invalid,
    /// There is no signature.
    NoSignature,
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// The signer is not trusted.
    Trust,
    /// The document is not the one that was signed as a whole.
    Coverage,
    /// The signature, or the seal, is not genuine.
    Broken,
}

macro_rules! problems {
    ($($(#[doc = $doc:literal])+ $name:ident $wire:literal $severity:ident $zh:literal $en:literal)*) => {
        /// A problem, by its stable name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum ProblemCode {
            $($(#[doc = $doc])+ #[serde(rename = $wire)] $name,)*
        }

        impl ProblemCode {
            /// All of them.
            pub const ALL: &'static [ProblemCode] = &[$(ProblemCode::$name),*];

            /// The stable name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(ProblemCode::$name => $wire),* }
            }

            /// How bad it is.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(ProblemCode::$name => Severity::$severity),* }
            }

            /// What it means, in Chinese and in English.
            #[must_use]
            pub fn words(self) -> (&'static str, &'static str) {
                match self { $(ProblemCode::$name => ($zh, $en)),* }
            }
        }
    };
}

problems! {
    /// `/ByteRange` is not exactly four whole numbers in order within the file.
    ByteRangeMalformed "byte-range-malformed" Broken "签名范围格式不正确" "the signed range is malformed"
    /// The range does not begin at the first byte.
    ByteRangeStart "byte-range-start" Broken "签名范围没有从文件开头开始" "the signed range does not begin at the start of the file"
    /// The hole is not exactly the `/Contents` string.
    ByteRangeGap "byte-range-gap" Broken "签名范围的空缺处不只是签名数据" "the gap in the signed range is not exactly the signature data"
    /// `/Contents` is missing, or no hexadecimal string in the file.
    ContentsMissing "contents-missing" Broken "签名数据缺失" "the signature data is missing"
    /// Something other than zeros follows the signature in `/Contents`.
    ContentsPadding "contents-padding" Broken "签名数据之后有多余内容" "something is hidden behind the signature data"
    /// The signature dictionary can be read in two ways.
    Ambiguous "signature-ambiguous" Broken "签名字典有歧义" "the signature dictionary can be read in two ways"
    /// Two signature fields claim the same signature.
    Shared "signature-shared" Broken "多个签名域共用同一个签名" "several signature fields share one signature"
    /// A kind of signature that is not judged here.
    SubFilter "signature-kind-unsupported" Broken "不支持的签名类型" "this kind of signature is not supported"
    /// The CMS can not be read.
    CmsMalformed "signature-malformed" Broken "签名数据格式不正确" "the signature data is malformed"
    /// No signed attributes.
    NoSignedAttributes "signed-attributes-missing" Broken "签名缺少签名属性" "the signature has no signed attributes"
    /// The signed bytes are not those that were signed.
    DigestMismatch "digest-mismatch" Broken "文件在签名后被修改" "the signed bytes were changed after signing"
    /// The signature does not verify with the signer's key.
    SignatureInvalid "signature-invalid" Broken "签名值验证失败" "the signature does not verify"
    /// An algorithm that is not accepted.
    Algorithm "algorithm-refused" Broken "签名算法不被接受" "the signature algorithm is not accepted"
    /// An ETSI.CAdES signature does not name its certificate.
    SigningCertificate "signing-certificate-missing" Broken "签名没有绑定签名证书" "the signature does not name its certificate"
    /// Hashing the ranges would cost many times the file.
    TooMuch "too-much-to-hash" Broken "签名过多，无法验证" "there are too many signatures to verify"
    /// Bytes follow the last signed revision.
    ChangedAfter "changed-after-signing" Coverage "最后一次签名之后文件又有改动" "the file was changed after the last signature"
    /// A line end stands behind the last signed revision.
    LineEnd "line-end-follows" Note "最后一次签名之后只有一个换行符" "nothing but a line end follows the last signature"
    /// The range ends inside a revision.
    Irregular "coverage-irregular" Coverage "签名没有覆盖完整的版本" "the signature does not cover a complete revision"
    /// The signed state can not be compared with the document as it is.
    NotCompared "revisions-not-compared" Coverage "无法与签名时的文件比对" "the document could not be compared with what was signed"
    /// Pages, content, structure or anything else that no rule explains was changed by a later revision.
    ContentChanged "content-changed-later" Coverage "签名之后文件内容或结构被改动" "content or structure was changed after the signature"
    /// An annotation was added, changed or taken away by a later revision.
    AnnotationChanged "annotation-changed-later" Coverage "签名之后批注有改动" "annotations were changed after the signature"
    /// A field was filled by a later revision that no further signature covers.
    FormFilledLater "form-filled-later" Coverage "签名之后表单被填写，且没有其他签名覆盖" "a form field was filled after the signature, and nobody signed that"
    /// A field that the signature locks was changed.
    LockedField "locked-field-changed" Coverage "签名所锁定的表单域被改动" "a field that the signature locks was changed"
    /// A certification allows no changes.
    CertificationForbids "certification-forbids-change" Coverage "认证签名不允许此改动" "the certification does not allow this change"
    /// The caller's policy allows no changes.
    ChangeNotAllowed "change-not-allowed" Coverage "签名之后有新增内容，当前策略不允许" "something was added after the signature, which the policy does not allow"
    /// What a filled field shows is not its value.
    FieldAppearance "field-appearance-differs" Coverage "表单域显示的内容与其值不一致" "what a field shows is not its value"
    /// A further signature lies over what was signed, or takes much of a page.
    SignatureCovers "signature-covers-content" Coverage "之后的签名外观遮盖了已签署的内容" "a later signature's appearance covers what was signed"
    /// A later signature covers more of the file.
    SignedAgain "signed-again" Note "之后又有其他签名" "another signature follows"
    /// The cross-reference was rebuilt: different readers may see different documents.
    Repaired "document-repaired" Coverage "文件结构损坏，经修复后才能读取" "the file is damaged and was read after repair"
    /// No anchors were given.
    NoAnchors "trust-not-checked" Trust "未提供信任的根证书，未判断签名人是否可信" "no trusted authorities were given, trust was not judged"
    /// No path to an anchor.
    Untrusted "signer-untrusted" Trust "签名证书不受信任" "the signer's certificate is not trusted"
    /// The certificate had expired when it signed.
    CertificateExpired "certificate-expired" Trust "签名时证书已过期" "the certificate had expired at signing time"
    /// The certificate was not valid yet when it signed.
    CertificateNotYetValid "certificate-not-yet-valid" Trust "签名时证书尚未生效" "the certificate was not yet valid at signing time"
    /// The certificate is not for signing documents.
    CertificateUsage "certificate-key-usage" Trust "证书用途不允许签名" "the certificate may not be used for signing"
    /// The claimed time lies in the future.
    FutureTime "signing-time-in-future" Trust "签名时间晚于当前时间" "the signing time lies in the future"
    /// `/M` and the signing-time attribute differ by more than five minutes.
    TimeMismatch "signing-time-mismatch" Trust "签名注明的两个时间不一致" "the signature states two different times"
    /// The claimed time lies outside those that the caller accepts.
    TimeOutOfWindow "signing-time-out-of-window" Trust "签名时间不在允许的时间范围内" "the signing time is outside the time that is accepted"
    /// Neither `/M` nor a signing-time attribute; the time of checking counts.
    NoTime "signing-time-missing" Note "签名没有注明时间，按当前时间判断" "the signature gives no time, the present time was used"
    /// The time is the signer's own statement.
    ClaimedTime "signing-time-claimed" Note "签名时间由签名人自行声明，没有可信时间戳证明" "the signing time is the signer's own statement, no trusted timestamp proves it"
    /// The signer states a time after the one that a timestamp proves.
    TimeAfterTimestamp "signing-time-after-timestamp" Trust "签名注明的时间晚于时间戳证明的时间" "the stated signing time is later than the time that a timestamp proves"
    /// A timestamp inside the signature is not over it, or can not be read; it proves nothing.
    TimestampInvalid "timestamp-invalid" Trust "签名中的时间戳无效" "the timestamp in the signature is not valid"
    /// A timestamp inside the signature is of nobody that is trusted for it; it proves nothing.
    TimestampUntrusted "timestamp-untrusted" Note "签名中的时间戳不受信任，未采用" "the timestamp in the signature is not trusted and was not relied on"
    /// A document timestamp can not be read.
    DocumentTimestampInvalid "document-timestamp-invalid" Broken "文档时间戳无效" "a document timestamp is not valid"
    /// A document timestamp is of nobody that is trusted for it.
    DocumentTimestampUntrusted "document-timestamp-untrusted" Trust "文档时间戳不受信任" "a document timestamp is not trusted"
    /// The time is proven only for after the certificate's end.
    TimestampTooLate "timestamp-too-late" Note "时间戳晚于证书有效期，未采用" "the timestamp was given after the certificate had ended and was not relied on"
    /// A certificate was revoked at the time that counts.
    CertificateRevoked "certificate-revoked" Trust "证书已被吊销" "a certificate was revoked"
    /// What is known about revocation does not speak about the time that counts.
    RevocationUnknown "revocation-unknown" Note "没有签名时刻的证书状态信息" "nothing is known about revocation at the time that counts"
    /// The same, and the caller demands it.
    RevocationMissing "revocation-missing" Trust "缺少要求的证书状态信息" "the information about revocation that is demanded is missing"
    /// The signature carries no seal.
    NoSeal "seal-absent" Note "此签名没有电子印章" "this signature carries no electronic seal"
    /// The seal can not be read.
    SealUnreadable "seal-unreadable" Broken "电子印章无法读取" "the electronic seal cannot be read"
    /// The seal was made for another certificate.
    SealOtherCertificate "seal-other-certificate" Broken "电子印章不属于该签名证书" "the seal belongs to another certificate"
    /// The seal had expired when it was used.
    SealExpired "seal-expired" Broken "盖章时电子印章已过期" "the seal had expired at signing time"
    /// The seal was not valid yet when it was used.
    SealNotYetValid "seal-not-yet-valid" Broken "盖章时电子印章尚未生效" "the seal was not yet valid at signing time"
    /// The seal's own signature is wrong.
    SealForged "seal-forged" Broken "电子印章的制章签名无效" "the seal maker's signature is not valid"
    /// The seal's signature uses an algorithm that is not checked here.
    SealNotChecked "seal-not-checked" Trust "电子印章的制章签名算法暂不支持，未验证" "the seal maker's signature was not checked, its algorithm is not supported"
    /// The seal was made with the signer's own certificate or key.
    SealSelfMade "seal-self-made" Broken "电子印章是签名人自己制作的" "the seal was made by the signer itself"
    /// No path from the seal maker to an anchor, or its certificate is not for making seals.
    SealMakerUntrusted "seal-maker-untrusted" Trust "制章人不受信任" "the seal maker is not trusted"
    /// What is shown is not the seal's picture.
    SealPicture "seal-picture-differs" Broken "显示的图案与电子印章不一致" "what is shown is not the seal's picture"
    /// What is shown can not be compared with the seal.
    SealPictureUnknown "seal-picture-not-compared" Broken "无法比对印章图案" "the picture shown could not be compared with the seal"
    /// The field was changed by a later revision.
    SealChanged "seal-changed-later" Broken "印章外观在签名后被更换" "the stamp's appearance was replaced after signing"
}

/// A problem of one signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Its name.
    pub code: ProblemCode,
    /// What is known about it, in English, for an expert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What a signature covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Covered {
    /// The whole file.
    WholeFile,
    /// A complete revision; later signatures follow.
    Revision,
    /// Something else.
    Irregular,
}

/// Whether the signer is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// A path leads to an anchor, valid at signing time.
    Trusted,
    /// None does.
    Untrusted,
    /// No anchors were given.
    NotChecked,
}

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Signer {
    /// Organisation of the subject, or its common name.
    pub organisation: Option<String>,
    /// Common name.
    pub common_name: Option<String>,
    /// Unified social credit code.
    pub credit_code: Option<String>,
    /// The issuer's name.
    pub issuer: Option<String>,
    /// Serial number, hexadecimal.
    pub serial: String,
    /// Unix seconds.
    pub not_before: i64,
    /// Unix seconds.
    pub not_after: i64,
    /// SHA-256 of the certificate, hexadecimal.
    pub sha256: String,
    /// SHA-256 of the certificates above it, nearest first, the anchor last; empty where no path was found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issuers: Vec<String>,
    /// A test certificate, by its subject.
    pub test: bool,
}

/// The seal of a signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SealReport {
    /// The seal's number.
    pub id: String,
    /// The seal's name.
    pub name: String,
    /// Code of its kind.
    pub kind: i64,
    /// SHA-256 of the seal, hexadecimal.
    pub sha256: String,
    /// Who made it.
    pub maker: Option<String>,
    /// SHA-256 of the maker's certificate, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maker_sha256: Option<String>,
    /// SHA-256 of the certificates above it, as with the signer; empty where the maker is pinned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub maker_issuers: Vec<String>,
    /// The maker's certificate leads to an anchor and is for making seals, or is pinned.
    pub maker_trusted: bool,
    /// The seal is genuine, names the signer's certificate, was valid, and is what is shown.
    pub matches: bool,
}

/// What is known about one signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignatureReport {
    /// The field's full name.
    pub field: String,
    /// The page it is shown on, from 1.
    pub page: Option<usize>,
    /// The signed bytes are unchanged, the signature verifies, and nothing about it can be read in two ways.
    pub intact: bool,
    /// What it covers.
    pub covered: Covered,
    /// The revision of the file that it covers, from 1; absent where it covers no complete one.
    #[serde(default)]
    pub revision: Option<usize>,
    /// Bytes of the file up to the end of what it covers.
    pub covered_bytes: u64,
    /// Whether the signer is trusted.
    pub trust: Trust,
    /// Who signed.
    pub signer: Option<Signer>,
    /// How it was signed.
    pub algorithm: Option<String>,
    /// `/SubFilter`.
    pub sub_filter: Option<String>,
    /// When, by the signer's own statement. Unix seconds.
    pub signing_time: Option<i64>,
    /// When it is proven to have existed, by the oldest trusted timestamp in or around it. Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven_time: Option<i64>,
    /// The timestamp inside the signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<TimestampReport>,
    /// What it brings along to be judged later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<PadesLevel>,
    /// What is known about revocation, the signer's certificate first, the anchor left out; empty where nobody knows anything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revocation: Vec<CertificateStatus>,
    /// `/Name`.
    pub name: Option<String>,
    /// `/Reason`.
    pub reason: Option<String>,
    /// `/Location`.
    pub location: Option<String>,
    /// What a certification allows later: 1 nothing, 2 forms, 3 forms and comments.
    pub doc_mdp: Option<u8>,
    /// The seal, where there is one that can be read.
    pub seal: Option<SealReport>,
    /// What later revisions changed, what is refused first; empty where it covers the whole file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Everything that was found, worst first.
    pub problems: Vec<Problem>,
}

impl SignatureReport {
    /// The problem is among those found.
    #[must_use]
    pub fn has(&self, code: ProblemCode) -> bool {
        self.problems.iter().any(|problem| problem.code == code)
    }

    /// The worst of what was found.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.problems.iter().map(|problem| problem.code.severity()).max().unwrap_or(Severity::Note)
    }
}

/// What verifying a document found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The one word.
    pub verdict: Verdict,
    /// Length of the file in bytes.
    pub length: u64,
    /// Bytes behind the last byte that any signature covers.
    pub uncovered_bytes: u64,
    /// The file was damaged and read after repair.
    pub repaired: bool,
    /// The file is encrypted.
    pub encrypted: bool,
    /// How many revisions the file has.
    #[serde(default)]
    pub revisions: usize,
    /// What was allowed to follow a signature.
    #[serde(default)]
    pub allowed: Allowed,
    /// The signatures in the order of the form.
    pub signatures: Vec<SignatureReport>,
    /// The document timestamps, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timestamps: Vec<TimestampReport>,
}

impl Report {
    /// `file`: length, whether it was repaired, whether it is encrypted, how many revisions it has.
    pub(super) fn new(
        (length, repaired, encrypted, revisions): (u64, bool, bool, usize),
        allowed: Allowed,
        signatures: Vec<SignatureReport>,
        timestamps: Vec<TimestampReport>,
    ) -> Self {
        let signed = signatures.iter().map(|signature| signature.covered_bytes).max().unwrap_or(0);
        let covered = timestamps.iter().map(|timestamp| timestamp.covered_bytes).chain([signed]).max().unwrap_or(0);
        // What follows the newest signature has been judged, and would be among its problems.
        let newest = signatures.iter().filter(|signature| signature.covered_bytes == signed);
        let whole = newest.into_iter().any(|signature| signature.covered != Covered::Irregular && signature.intact);
        // A document with timestamps only is not signed.
        let worst = signatures.iter().map(SignatureReport::severity).max();
        let worst = worst.map(|worst| timestamps.iter().map(TimestampReport::severity).chain([worst]).max().unwrap_or(worst));
        let verdict = match worst {
            None => Verdict::NoSignature,
            Some(Severity::Broken) => Verdict::Invalid,
            Some(Severity::Coverage) => Verdict::Changed,
            _ if repaired || !whole => Verdict::Changed,
            Some(Severity::Trust) => Verdict::IntactNotTrusted,
            Some(Severity::Note) => Verdict::Valid,
        };
        Report { verdict, length, uncovered_bytes: length.saturating_sub(covered), repaired, encrypted, revisions, allowed, signatures, timestamps }
    }

    /// The newest signature that covers a complete revision.
    #[must_use]
    pub fn newest(&self) -> Option<&SignatureReport> {
        self.signatures.iter().filter(|signature| signature.covered != Covered::Irregular).max_by_key(|signature| signature.covered_bytes)
    }

    /// Every signature is intact and trusted, every seal fits, nothing was changed afterwards beyond what the policy allows.
    #[must_use]
    pub fn is_valid_and_whole(&self) -> bool {
        self.verdict == Verdict::Valid
    }

    /// As [`Report::is_valid_and_whole`] without asking whether the signers are trusted.
    #[must_use]
    pub fn is_intact_and_whole(&self) -> bool {
        matches!(self.verdict, Verdict::Valid | Verdict::IntactNotTrusted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problem_names_are_unique_and_equal_their_wire_form() {
        let mut seen = std::collections::BTreeSet::new();
        for code in ProblemCode::ALL {
            assert!(seen.insert(code.as_str()));
            assert_eq!(serde_json::to_string(code).unwrap(), format!("\"{}\"", code.as_str()));
            let (zh, en) = code.words();
            assert!(!zh.is_ascii() && en.is_ascii());
        }
    }
}
