//! `stamp`: one PDF, from file to file or in place. Prepared by the seal room, signed through the same consent and key use as
//! at the browser's door, verified before a byte is written.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use sealbridge_pdf::form::{FieldKind, Form};
use sealbridge_pdf::{Document, OpenOptions, PdfError, Source};
use sealbridge_protocol::Language;
use sealbridge_protocol::digest::DocumentDigest;
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::fields::{CertificateId, Label, SealId};
use sealbridge_protocol::stamp::StampDocument;
use sealbridge_protocol::words::plain;
use sealbridge_seal::finish::Check;
use sealbridge_seal::{OriginalHash, Placement, PreparedStamp, StampError, StampRequest, finish_and_check, prepare, reserve_for};
use serde_json::json;
use zeroize::Zeroizing;

use super::Voice;
use crate::commands::seal::{Pair, pair};
use crate::commands::stamp::documents;
use crate::file::{self, FileSource};
use crate::host::{Host, now, random};
use crate::key_use::Asked;
use crate::pin::{PIN_MAX, Pin};
use crate::platform;
use crate::stop::Stop;
use crate::token::directory::Shelf;

/// How long the person may take.
const ALLOWED: Duration = Duration::from_secs(300);
/// Largest font that is read.
const FONT_MAX: u64 = 64 << 20;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("to").required(true).args(["out", "in_place"]))]
pub(super) struct Stamp {
    /// The PDF 要盖章的文件
    #[arg(value_name = "IN.pdf")]
    file: PathBuf,
    /// Write the stamped document here 盖章后的文件
    #[arg(long, value_name = "OUT.pdf")]
    out: Option<PathBuf>,
    /// Append to the document itself 直接追加到原文件
    #[arg(long)]
    in_place: bool,
    /// Overwrite OUT.pdf 覆盖已有文件
    #[arg(long, requires = "out")]
    force: bool,
    /// The signature field to stamp into; may be left out where there is only one 盖章的签名域
    #[arg(long, value_name = "NAME", conflicts_with_all = ["page", "at"])]
    field: Option<String>,
    /// The page to stamp on, from 1 盖章的页
    #[arg(long, value_name = "N", requires = "at", value_parser = clap::value_parser!(u32).range(1..))]
    page: Option<u32>,
    /// Lower left corner of the seal in mm, from the lower left corner of the page as it is displayed 印章左下角的位置(毫米)
    #[arg(long, value_name = "X,Y", requires = "page", value_parser = point, allow_hyphen_values = true)]
    at: Option<(f64, f64)>,
    /// Width of the seal in mm; its own size where left out 印章宽度(毫米)
    #[arg(long, value_name = "MM", requires = "page")]
    width: Option<f64>,
    /// Fill a form field; may be repeated 填写表单域
    #[arg(long = "fill", value_name = "NAME=VALUE", value_parser = pair_of)]
    fills: Vec<(String, String)>,
    /// A TrueType font for Chinese values 填写中文所用的字体文件
    #[arg(long, value_name = "TTF")]
    font: Option<PathBuf>,
    /// Why it is signed 签署原因
    #[arg(long)]
    reason: Option<String>,
    /// Read the PIN from this file descriptor instead of a window; for automation only 从文件描述符读取 PIN
    #[arg(long, value_name = "N")]
    pin_fd: Option<i32>,
    /// Read the document's password from this file descriptor 从文件描述符读取打开密码
    #[arg(long, value_name = "N")]
    password_fd: Option<i32>,
    /// The certificate, by its id from `status` 证书编号
    #[arg(long, value_name = "ID")]
    certificate: Option<CertificateId>,
    /// The seal, by its id from `status` 印章编号
    #[arg(long, value_name = "ID")]
    seal: Option<SealId>,
    /// Only the key with this label or serial number 只用此名称或序列号的 USB Key
    #[arg(long, value_name = "LABEL")]
    token: Option<String>,
}

impl Stamp {
    pub(super) fn run(self, voice: Voice) -> Result<u8, Failure> {
        let pin = self.pin_fd.map(|number| read_secret(number).and_then(|secret| Pin::new(&secret))).transpose()?;
        let password = self.password_fd.map(read_secret).transpose()?;
        let source = FileSource::open(&self.file)?;
        let options = OpenOptions { password: password.map(|secret| secret.to_vec()), ..OpenOptions::default() };
        let document = Document::open(&source, options.clone()).map_err(|error| pdf_failure(&error, &self.file))?;
        let pages = document.page_count().map_err(|error| pdf_failure(&error, &self.file))?;
        let host = Host::load()?;
        let stop = Stop::after(ALLOWED);
        let told = |error: StampError| stamp_failure(&error, &self.file);
        // The file is hashed while the token answers.
        let (hashed, chosen) = std::thread::scope(|scope| {
            let hashing = scope.spawn(|| OriginalHash::of(&source));
            let chosen = self.choose(&host, &stop);
            (hashing.join(), chosen)
        });
        let Pair { seal, chosen } = chosen?;
        let original = hashed.map_err(|_| Failure::new(Code::Internal).with("detail", "hashing"))?;
        let original = original.map_err(|error| Failure::new(Code::ReadFailed).with("name", file::name(&self.file)).with("detail", error))?;
        let font = self.font.as_deref().map(read_font).transpose()?;
        let mut chain = vec![chosen.certificate.clone()];
        chain.extend(chosen.chain.iter().cloned());
        let request = StampRequest {
            placement: self.placement(&document, f64::from(seal.picture().width_mm))?,
            field_values: self.fills.clone(),
            seal: &seal,
            signer: &chosen.certificate,
            signing_time: now(),
            name: chosen.certificate.organisation(),
            reason: self.reason.as_deref(),
            location: None,
            font: font.as_deref(),
            random: random()?,
            contents_reserve: reserve_for(&chain),
        };
        let prepared = prepare(&document, &request).map_err(told)?;
        let place = prepared.summary().clone();
        let listed = self.listed(&prepared, &original, &source, pages, voice)?;
        let asked = Asked { language: voice.language, stop: &stop, phase: &|_| {}, pin: pin.as_ref() };
        let signatures = documents(&host, &chosen, None, &[listed], asked)?;
        let cms = signatures.first().ok_or_else(|| Failure::new(Code::Internal).with("detail", "no signature"))?;
        let check = Check { original: Some(&original), now: now(), options, ..Check::default() };
        let finished = finish_and_check(&source, prepared, cms, &check).map_err(told)?;
        let written = match &self.out {
            Some(out) => {
                file::write_new(&source, &self.file, &finished.tail, out, self.force)?;
                out
            }
            None => {
                file::append(&source, &self.file, &finished.tail)?;
                &self.file
            }
        };
        if voice.json {
            let certificate = chosen.certificate.id();
            voice.document(
                &json!({"stamped": written, "place": place, "certificate": certificate, "seal": SealId::new(seal.sha256()), "appended": finished.tail.len()}),
            );
        } else {
            let where_ = match voice.language {
                Language::ZhCn => &place.place_zh,
                Language::En => &place.place_en,
            };
            voice.line(format!("{}{} ({where_})", voice.pick("已盖章：", "Stamped: "), written.display()));
        }
        Ok(0)
    }

    fn choose(&self, host: &Host, stop: &Stop) -> Result<Pair, Failure> {
        let mut shelves: Vec<Shelf> = host.directory.shelves(stop);
        if let Some(wanted) = &self.token {
            for contents in shelves.iter_mut().filter_map(|shelf| shelf.contents.as_mut().ok()) {
                contents.retain(|contents| contents.slot.label == *wanted || contents.slot.serial == *wanted);
            }
        }
        pair(host, &shelves, self.seal, self.certificate, stop)
    }

    fn placement<S: Source>(&self, document: &Document<S>, own_width: f64) -> Result<Placement, Failure> {
        if let (Some(page), Some((x_mm, y_mm))) = (self.page, self.at) {
            let index = usize::try_from(page.saturating_sub(1)).unwrap_or(usize::MAX);
            return Ok(Placement::Page { index, x_mm, y_mm, width_mm: self.width.unwrap_or(own_width) });
        }
        if let Some(field) = &self.field {
            return Ok(Placement::Field(field.clone()));
        }
        let form = Form::read(document).map_err(|error| pdf_failure(&error, &self.file))?;
        let mut free = form.fields.iter().filter(|field| matches!(field.kind, FieldKind::Signature) && !field.signed);
        match (free.next(), free.next()) {
            (Some(only), None) => Ok(Placement::Field(only.name.clone())),
            _ => Err(Failure::new(Code::RequestMalformed).with("detail", "--field NAME / --page N --at X,Y")),
        }
    }

    fn listed(&self, prepared: &PreparedStamp, original: &OriginalHash, source: &FileSource, pages: usize, voice: Voice) -> Result<StampDocument, Failure> {
        let place = match voice.language {
            Language::ZhCn => &prepared.summary().place_zh,
            Language::En => &prepared.summary().place_en,
        };
        Ok(StampDocument {
            name: Label::new(plain(&file::name(&self.file), 200))?,
            size: source.len(),
            pages: u32::try_from(pages).unwrap_or(u32::MAX),
            digest: DocumentDigest(prepared.digest(original).map_err(|error| stamp_failure(&error, &self.file))?),
            place: Label::new(plain(place, 200))?,
        })
    }
}

/// A secret on a file descriptor that the caller opened: the first line, or everything up to the end.
pub(super) fn read_secret(number: i32) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed = |error: std::io::Error| Failure::new(Code::ReadFailed).with("name", format!("fd {number}")).with("detail", error);
    let mut file = platform::inherited_file(number).map_err(failed)?;
    let mut secret = Zeroizing::new(Vec::with_capacity(PIN_MAX.saturating_add(1)));
    let mut byte = Zeroizing::new([0_u8; 1]);
    while secret.len() <= PIN_MAX && file.read(&mut *byte).map_err(failed)? == 1 && byte[0] != b'\n' {
        secret.push(byte[0]);
    }
    if secret.last() == Some(&b'\r') {
        secret.pop();
    }
    Ok(secret)
}

/// The failure for a document that cannot be read.
pub(super) fn pdf_failure(error: &PdfError, path: &Path) -> Failure {
    stamp_failure(&StampError::Pdf(error.clone()), path)
}

/// The failure for a stamp that cannot be made.
fn stamp_failure(error: &StampError, path: &Path) -> Failure {
    let code = error.code().parse().unwrap_or(Code::Internal);
    let failure = error.facts().into_iter().fold(Failure::new(code), |failure, (key, value)| failure.with(key, value));
    if code.facts().contains(&"name") { failure.with("name", file::name(path)) } else { failure }
}

fn read_font(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |detail: &dyn std::fmt::Display| Failure::new(Code::ReadFailed).with("name", file::name(path)).with("detail", detail);
    let length = path.metadata().map_err(|error| failed(&error))?.len();
    if length > FONT_MAX {
        return Err(failed(&"too large"));
    }
    std::fs::read(path).map_err(|error| failed(&error))
}

fn point(text: &str) -> Result<(f64, f64), String> {
    let parsed = text.split_once(',').and_then(|(x, y)| Some((x.trim().parse::<f64>().ok()?, y.trim().parse::<f64>().ok()?)));
    parsed.filter(|(x, y)| x.is_finite() && y.is_finite()).ok_or_else(|| String::from("X,Y in mm"))
}

fn pair_of(text: &str) -> Result<(String, String), String> {
    text.split_once('=').filter(|(name, _)| !name.is_empty()).map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or_else(|| String::from("NAME=VALUE"))
}
