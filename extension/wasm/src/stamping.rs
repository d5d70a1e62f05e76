//! One document that is looked at, stamped and verified in the stamping page's worker.
//!
//! Nothing is handed out that our own verifier has not accepted; the original's bytes are only read.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding};
use sealbridge_pdf::form::Form;
use sealbridge_pdf::{Document, OpenOptions, signatures};
use sealbridge_pki::Certificate;
use sealbridge_protocol::digest::{DocumentDigest, digest_code, list_input};
use sealbridge_protocol::fields::Label;
use sealbridge_protocol::{Code, Failure, Language};
use sealbridge_seal::placement::displayed_size_mm;
use sealbridge_seal::verify::{Report, Section, Verdict};
use sealbridge_seal::{Check, OriginalHash, Policy, PreparedStamp, Seal, StampRequest, finish_and_check, prepare, reserve_for, verify};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use web_sys::Blob;

use crate::document::BlobSource;
use crate::hash::OriginalDigest;
use crate::layout::{Layout, Refused};
use crate::place::{self, Place};
use crate::throw::{Thrown, pdf_failure, stamp_failure, thrown, to_js};
use crate::view::{self, DocumentView, seconds};

/// Room in the signature for certificates that the host adds and we have not seen.
const MARGIN: usize = 4 * 1024;

/// A document with what has been put beside it so far: the seal, the hash, a prepared revision.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Stamping {
    name: String,
    source: Arc<BlobSource>,
    document: Document<Arc<BlobSource>>,
    options: OpenOptions,
    hash: Option<OriginalHash>,
    font: Option<Vec<u8>>,
    seal: Option<SealInUse>,
    prepared: Option<PreparedStamp>,
}

#[derive(Debug)]
struct SealInUse {
    seal: Seal,
    signer: Certificate,
    reserve: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    placements: Vec<Place>,
    fields: BTreeMap<String, String>,
    time: f64,
    language: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SealView<'a> {
    name: &'a str,
    width_mm: u32,
    height_mm: u32,
    kind: &'a str,
    #[serde(serialize_with = "view::bytes")]
    picture: &'a [u8],
    organisation: String,
    credit_code: Option<String>,
    certificate: String,
    serial: String,
    not_after: i64,
    valid_until: i64,
    test: bool,
}

impl<'a> SealView<'a> {
    fn of(seal: &'a Seal, signer: &Certificate) -> Self {
        let picture = seal.picture();
        Self {
            name: seal.name(),
            width_mm: picture.width_mm,
            height_mm: picture.height_mm,
            kind: &picture.kind,
            picture: &picture.data,
            organisation: signer.organisation().unwrap_or_default().to_owned(),
            credit_code: signer.credit_code(),
            certificate: signer.id(),
            serial: signer.serial_hex(),
            not_after: signer.not_after(),
            valid_until: seal.valid_until(),
            test: signer.is_test(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PreparedView<'a> {
    #[serde(serialize_with = "view::bytes")]
    tail: &'a [u8],
    #[serde(flatten)]
    digest: Option<DigestView>,
    place: String,
    page: usize,
    pages: usize,
    size: u64,
    filled: &'a [String],
    /// The standards that the file claims to meet, as people name them.
    claims: &'a [String],
    /// What of them the stamp can not keep, in the wish's language.
    not_kept: Vec<&'static str>,
}

/// What is signed, and its short code.
#[derive(Serialize)]
struct DigestView {
    digest: String,
    code: String,
}

impl From<[u8; 32]> for DigestView {
    fn from(digest: [u8; 32]) -> Self {
        Self { digest: Base64UrlUnpadded::encode_string(&digest), code: digest_code(&digest) }
    }
}

#[derive(Serialize)]
struct FinishedView<'a> {
    #[serde(serialize_with = "view::bytes")]
    tail: &'a [u8],
    report: ReportView<'a>,
}

/// The verifier's report with its words, so that nobody else has to make them.
#[derive(Serialize)]
struct ReportView<'a> {
    #[serde(flatten)]
    report: &'a Report,
    words: Words,
}

#[derive(Serialize)]
struct Words {
    #[serde(rename = "zh-CN")]
    zh_cn: String,
    en: String,
}

impl<'a> From<&'a Report> for ReportView<'a> {
    fn from(report: &'a Report) -> Self {
        let text = |language| report.text(language);
        Self { report, words: Words { zh_cn: text(sealbridge_seal::Language::ZhCn), en: text(sealbridge_seal::Language::En) } }
    }
}

/// The report in parts, as the key centre draws it, and as text.
#[derive(Serialize)]
struct ClerkView {
    verdict: Verdict,
    sentence: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    remark: Option<&'static str>,
    sections: Vec<Section>,
    text: String,
}

#[wasm_bindgen]
impl Stamping {
    /// Opens a PDF; reads its end and little more.
    ///
    /// # Errors
    /// `not-pdf`, `pdf-truncated`, `pdf-damaged`, `pdf-password-needed`, `pdf-password-wrong`, `pdf-unsupported`, `pdf-over-budget`, `read-failed`.
    #[wasm_bindgen(constructor)]
    pub fn new(blob: Blob, name: String, password: Option<String>) -> Result<Stamping, Thrown> {
        let failed = |error| thrown(&pdf_failure(error, &name));
        let source = Arc::new(BlobSource::new(blob).map_err(|error| failed(error.into()))?);
        let options = OpenOptions { password: password.map(String::into_bytes), ..OpenOptions::default() };
        let document = Document::open(source.clone(), options.clone()).map_err(failed)?;
        Ok(Stamping { name, source, document, options, hash: None, font: None, seal: None, prepared: None })
    }

    /// What is in it: pages, fields, signatures.
    ///
    /// # Errors
    /// As opening.
    pub fn describe(&self) -> Result<JsValue, Thrown> {
        let read = || {
            let form = Form::read(&self.document)?;
            Ok(DocumentView {
                size: sealbridge_pdf::Source::len(&self.source),
                page_count: self.document.page_count()?,
                fields: view::fields(&form),
                signatures: signatures(&self.document)?.into_iter().map(|signature| signature.name).collect(),
                encrypted: self.document.is_encrypted(),
                repaired: self.document.repaired(),
                has_xfa: form.has_xfa,
            })
        };
        to_js(&read().map_err(|error| self.pdf(error))?)
    }

    /// Width and height in millimetres of a page (from 0) as it is displayed.
    ///
    /// # Errors
    /// As opening; `page-missing`.
    #[wasm_bindgen(js_name = pageSize)]
    pub fn page_size(&self, index: usize) -> Result<Vec<f64>, Thrown> {
        let page = self.document.page(index).map_err(|error| self.pdf(error))?;
        let (width, height) = displayed_size_mm(&page);
        Ok(vec![width, height])
    }

    /// Takes the hash of the original that was made beside it.
    #[wasm_bindgen(js_name = useHash)]
    pub fn use_hash(&mut self, digest: OriginalDigest) {
        self.hash = Some(digest.hash);
    }

    /// Whether these values hold characters that need the bundled font.
    #[wasm_bindgen(js_name = needsFont)]
    pub fn needs_font(&self, values: Vec<String>) -> bool {
        self.font.is_none() && values.iter().any(|value| !value.is_ascii())
    }

    /// Takes the font for values that are not plain Latin.
    #[wasm_bindgen(js_name = useFont)]
    pub fn use_font(&mut self, font: Vec<u8>) {
        self.font = Some(font);
    }

    /// Takes the seal and the certificate as the host gave them.
    ///
    /// # Errors
    /// `seal-invalid`, `certificate-unreadable`.
    #[wasm_bindgen(js_name = useSeal)]
    pub fn use_seal(&mut self, seal: &[u8], certificate: &[u8], chain: Vec<js_sys::Uint8Array>) -> Result<JsValue, Thrown> {
        let seal = Seal::parse(seal).map_err(|error| self.stamp(&error.into()))?;
        let read = |der: &[u8]| Certificate::parse(der).map_err(|error| thrown(&Failure::new(Code::CertificateUnreadable).with("detail", error)));
        let signer = read(certificate)?;
        let mut certificates = vec![signer.clone()];
        for issuer in &chain {
            certificates.push(read(&issuer.to_vec())?);
        }
        let reserve = reserve_for(&certificates).saturating_add(MARGIN);
        let in_use = self.seal.insert(SealInUse { seal, signer, reserve });
        to_js(&SealView::of(&in_use.seal, &in_use.signer))
    }

    /// What a page may ask for, as places for people to see: pages counted, keywords found, seams cut.
    ///
    /// # Errors
    /// `pages-malformed`, `keyword-missing`, `page-missing`; `request-malformed` before the seal is there, and as reading.
    pub fn places(&self, wishes: JsValue) -> Result<JsValue, Thrown> {
        let missing = |detail: &str| thrown(&Failure::new(Code::RequestMalformed).with("detail", detail));
        let wishes: Vec<Place> = serde_wasm_bindgen::from_value(wishes).map_err(|error| missing(&error.to_string()))?;
        place::check(&wishes).map_err(|failure| thrown(&failure))?;
        let in_use = self.seal.as_ref().ok_or_else(|| missing("no seal"))?;
        let layout = Layout { document: &self.document, seal: &in_use.seal };
        to_js(&layout.spots(&wishes).map_err(|refused| self.refused(refused))?)
    }

    /// Makes the revision that would be signed: values filled in, seal in place, the signature still missing. Its digest is told
    /// with it where the original is hashed already, else by [`Self::digest`].
    ///
    /// # Errors
    /// The codes of placing, filling and of what the document forbids; `request-malformed` before the seal is there.
    pub fn prepare(&mut self, wish: JsValue) -> Result<JsValue, Thrown> {
        self.prepared = None;
        let missing = |detail: &str| thrown(&Failure::new(Code::RequestMalformed).with("detail", detail));
        let wish: Wish = serde_wasm_bindgen::from_value(wish).map_err(|error| missing(&error.to_string()))?;
        let in_use = self.seal.as_ref().ok_or_else(|| missing("no seal"))?;
        place::check(&wish.placements).map_err(|failure| thrown(&failure))?;
        let layout = Layout { document: &self.document, seal: &in_use.seal };
        let (placement, marks) = layout.request(wish.placements).map_err(|refused| self.refused(refused))?;
        let request = StampRequest {
            placement,
            marks,
            field_values: wish.fields.into_iter().collect(),
            seal: &in_use.seal,
            signer: &in_use.signer,
            signing_time: seconds(wish.time),
            name: in_use.signer.organisation(),
            reason: None,
            location: None,
            font: self.font.as_deref(),
            random: random()?,
            contents_reserve: in_use.reserve,
        };
        let prepared = prepare(&self.document, &request).map_err(|error| self.stamp(&error))?;
        let digest = self.hash.as_ref().map(|hash| prepared.digest(hash)).transpose().map_err(|error| self.stamp(&error))?;
        let summary = prepared.summary();
        let language = Language::from_tag(&wish.language);
        let place = match language {
            Language::ZhCn => &summary.place_zh,
            Language::En => &summary.place_en,
        };
        let in_language = |(zh, en): (&'static str, &'static str)| match language {
            Language::ZhCn => zh,
            Language::En => en,
        };
        // A field's label may hold what a consent window must not show; then the page alone is named.
        let place = Label::new(place.clone()).map_or_else(|_| format!("{}", summary.page), |label| label.as_str().to_owned());
        let view = to_js(&PreparedView {
            tail: prepared.tail(),
            digest: digest.map(DigestView::from),
            place,
            page: summary.page,
            pages: self.document.page_count().map_err(|error| self.pdf(error))?,
            size: prepared.original_len(),
            filled: &summary.filled,
            claims: &summary.claims,
            not_kept: summary.not_kept.iter().map(|rule| in_language(rule.words())).collect(),
        })?;
        self.prepared = Some(prepared);
        Ok(view)
    }

    /// What is signed with the prepared revision, once the original is hashed.
    ///
    /// # Errors
    /// `document-changed`; `request-malformed` where nothing is prepared or the original is not hashed yet.
    pub fn digest(&self) -> Result<JsValue, Thrown> {
        let missing = |detail: &str| thrown(&Failure::new(Code::RequestMalformed).with("detail", detail));
        let prepared = self.prepared.as_ref().ok_or_else(|| missing("nothing is prepared"))?;
        let hash = self.hash.as_ref().ok_or_else(|| missing("the original is not hashed yet"))?;
        let digest = prepared.digest(hash).map_err(|error| self.stamp(&error))?;
        to_js(&DigestView::from(digest))
    }

    /// Puts the host's signature into the prepared revision and verifies original and revision as one document. The
    /// prepared revision is used up.
    ///
    /// # Errors
    /// `result-invalid`, `document-changed`, `read-failed`; `request-malformed` where nothing is prepared.
    pub fn finish(&mut self, cms: &[u8], now: f64) -> Result<JsValue, Thrown> {
        let prepared = self.prepared.take().ok_or_else(|| thrown(&Failure::new(Code::RequestMalformed).with("detail", "nothing is prepared")))?;
        self.finished(prepared, cms, now)
    }

    /// The prepared revision as bytes, for [`Self::finish_kept`]: the document need not stay open until its signature is there.
    ///
    /// # Errors
    /// `request-malformed` where nothing is prepared.
    pub fn keep(&self) -> Result<Vec<u8>, Thrown> {
        let prepared = self.prepared.as_ref().ok_or_else(|| thrown(&Failure::new(Code::RequestMalformed).with("detail", "nothing is prepared")))?;
        serde_json::to_vec(prepared).map_err(|error| thrown(&Failure::new(Code::Internal).with("detail", error)))
    }

    /// As [`Self::finish`], with a revision that was kept. It is checked as a whole against the document that is open now, so
    /// that neither a changed document nor a changed revision gets through.
    ///
    /// # Errors
    /// As [`Self::finish`]; `request-malformed` where the bytes are no prepared revision, or the original is not hashed yet.
    #[wasm_bindgen(js_name = finishKept)]
    pub fn finish_kept(&self, kept: &[u8], cms: &[u8], now: f64) -> Result<JsValue, Thrown> {
        let malformed = |detail: &str| thrown(&Failure::new(Code::RequestMalformed).with("detail", detail));
        if self.hash.is_none() {
            return Err(malformed("the original is not hashed yet"));
        }
        let prepared = serde_json::from_slice(kept).map_err(|error| malformed(&error.to_string()))?;
        self.finished(prepared, cms, now)
    }

    fn finished(&self, prepared: PreparedStamp, cms: &[u8], now: f64) -> Result<JsValue, Thrown> {
        let check = Check { original: self.hash.as_ref(), anchors: &[], now: seconds(now), options: self.options.clone() };
        let finished = finish_and_check(&self.source, prepared, cms, &check).map_err(|error| self.stamp(&error))?;
        to_js(&FinishedView { tail: &finished.tail, report: ReportView::from(&finished.report) })
    }

    /// Verifies the document as it is. Trust is not judged: no anchors are known here.
    ///
    /// # Errors
    /// As opening.
    pub fn verify(&self, now: f64) -> Result<JsValue, Thrown> {
        let policy = Policy { now: seconds(now), original: self.hash.as_ref(), ..Policy::default() };
        let report = verify(&self.document, &policy).map_err(|error| self.pdf(error))?;
        to_js(&ReportView::from(&report))
    }

    /// Verifies the document as it is, told for a clerk in one language.
    ///
    /// # Errors
    /// As opening.
    pub fn clerk(&self, now: f64, english: bool) -> Result<JsValue, Thrown> {
        let policy = Policy { now: seconds(now), original: self.hash.as_ref(), ..Policy::default() };
        let report = verify(&self.document, &policy).map_err(|error| self.pdf(error))?;
        let language = if english { sealbridge_seal::Language::En } else { sealbridge_seal::Language::ZhCn };
        to_js(&ClerkView {
            verdict: report.verdict,
            sentence: report.verdict.sentence(language),
            remark: report.remark(language),
            sections: report.sections(language),
            text: report.text(language),
        })
    }

    fn pdf(&self, error: sealbridge_pdf::PdfError) -> Thrown {
        thrown(&pdf_failure(error, &self.name))
    }

    fn refused(&self, refused: Refused) -> Thrown {
        match refused {
            Refused::Stamp(error) => self.stamp(&error),
            Refused::Wish(failure) => thrown(&failure),
        }
    }

    fn stamp(&self, error: &sealbridge_seal::StampError) -> Thrown {
        thrown(&stamp_failure(error, &self.name))
    }
}

/// A seal that is only looked at, with the certificate that it would sign with.
///
/// # Errors
/// `seal-invalid`, `certificate-unreadable`.
#[wasm_bindgen(js_name = describeSeal)]
pub fn describe_seal(seal: &[u8], certificate: &[u8]) -> Result<JsValue, Thrown> {
    let seal = Seal::parse(seal).map_err(|error| thrown(&stamp_failure(&error.into(), "")))?;
    let signer = Certificate::parse(certificate).map_err(|error| thrown(&Failure::new(Code::CertificateUnreadable).with("detail", error)))?;
    to_js(&SealView::of(&seal, &signer))
}

/// The code over a list of documents, as the host's window shows it, from their digests in base64url.
///
/// # Errors
/// `request-malformed`.
#[wasm_bindgen(js_name = listCode)]
pub fn list_code(digests: Vec<String>) -> Result<String, Thrown> {
    let read = |text: &String| serde_json::from_value::<DocumentDigest>(serde_json::Value::String(text.clone()));
    let digests: Vec<DocumentDigest> =
        digests.iter().map(read).collect::<Result<_, _>>().map_err(|error| thrown(&Failure::new(Code::RequestMalformed).with("detail", error)))?;
    Ok(digest_code(&OriginalHash::new().with_rest(&[&list_input(&digests)])))
}

/// Bytes of the module's memory, for measurements.
#[wasm_bindgen(js_name = memoryBytes)]
pub fn memory_bytes() -> f64 {
    let memory: js_sys::WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    let buffer: js_sys::ArrayBuffer = memory.buffer().unchecked_into();
    f64::from(buffer.byte_length())
}

/// Random bytes from the browser.
fn random() -> Result<[u8; 16], Thrown> {
    let scope: web_sys::WorkerGlobalScope = js_sys::global().unchecked_into();
    let mut bytes = [0; 16];
    scope
        .crypto()
        .and_then(|crypto| crypto.get_random_values_with_u8_array(&mut bytes).map(drop))
        .map_err(|_| thrown(&Failure::new(Code::Internal).with("detail", "random")))?;
    Ok(bytes)
}
