//! One document of a batch, step by step: looked at (opened and hashed), prepared (places found, tail made), finished (signature
//! put in, checked, written). Each step can fail by itself and leaves nothing behind.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sealbridge_pdf::{Document, OpenOptions, PdfError, Source};
use sealbridge_pki::tsp::Imprint;
use sealbridge_pki::{DigestAlgorithm, cms};
use sealbridge_protocol::Language;
use sealbridge_protocol::digest::DocumentDigest;
use sealbridge_protocol::failure::{Code, Failure};
use sealbridge_protocol::fields::Label;
use sealbridge_protocol::stamp::StampDocument;
use sealbridge_protocol::words::plain;
use sealbridge_seal::finish::Check;
use sealbridge_seal::verify::PadesLevel;
use sealbridge_seal::{OriginalHash, PreparedStamp, StampError, StampRequest, Summary, TOKEN_ROOM, finish_and_check, prepare, reserve_for};

use super::arguments::Stamp;
use super::beside::Beside;
use super::wish::{Size, wish};
use crate::cli::Voice;
use crate::commands::seal::Pair;
use crate::file::{self, FileSource, Output};
use crate::host::{now, random};
use crate::services::{Client, Timestamps};
use crate::undo::{Mended, Undo};

/// A document and where its stamped version goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Job {
    pub(in crate::cli) input: PathBuf,
    /// Nothing: in place.
    pub(in crate::cli) output: Option<PathBuf>,
    /// Whether an existing output is replaced.
    pub(in crate::cli) replace: bool,
}

/// A document that was opened and is hashed.
#[derive(Debug)]
pub(in crate::cli) struct Looked {
    pub(in crate::cli) source: Arc<FileSource>,
    pub(in crate::cli) original: Beside<OriginalHash>,
    /// The new file, begun already.
    ahead: Option<Beside<Output>>,
    /// A half tail of an interrupted append was cut off.
    pub(in crate::cli) mended: bool,
}

/// A document that waits for its signature.
#[derive(Debug)]
pub(super) struct Ready {
    looked: Looked,
    prepared: PreparedStamp,
    /// As the consent lists it.
    pub(super) listed: StampDocument,
}

/// What became of a document.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) place: Summary,
    pub(super) appended: usize,
    pub(super) level: PadesLevel,
    /// Why there is no timestamp although one was asked for.
    pub(super) untimed: Option<Failure>,
}

/// Who proves the time of stamps.
#[derive(Debug)]
pub(super) struct Clock {
    pub(super) client: Client,
    pub(super) timestamps: Timestamps,
}

impl Job {
    /// What the person is told that was stamped.
    pub(in crate::cli) fn stamped(&self) -> &Path {
        self.output.as_deref().unwrap_or(&self.input)
    }

    /// Opens and hashes the document. With `alone` that goes on beside what follows, and so does the copying for the new file;
    /// of many documents, each hand has one.
    ///
    /// # Errors
    /// What opening and reading say; `output-exists`.
    pub(in crate::cli) fn look(&self, options: &OpenOptions, undo: Option<&Undo>, alone: bool) -> Result<Looked, Failure> {
        if let Some(output) = &self.output
            && !self.replace
            && output.symlink_metadata().is_ok()
        {
            return Err(Failure::new(Code::OutputExists).with("name", file::name(output)));
        }
        let (source, mended) = opened(&self.input, undo, self.output.is_none())?;
        let source = Arc::new(source);
        // What is no PDF is told before a gigabyte of it is read.
        Document::open(&source, options.clone()).and_then(|document| document.page_count()).map_err(|error| pdf_failure(&error, &self.input))?;
        let hash = {
            let (source, input) = (Arc::clone(&source), self.input.clone());
            move || OriginalHash::of(&source).map_err(|error| Failure::new(Code::ReadFailed).with("name", file::name(&input)).with("detail", error))
        };
        if !alone {
            return Ok(Looked { source, original: Beside::Done(hash()?), ahead: None, mended });
        }
        let ahead = self.output.clone().map(|output| {
            let (source, input, replace) = (Arc::clone(&source), self.input.clone(), self.replace);
            Beside::begin(move || {
                let output = Output::begin(&source, &input, &output, replace)?;
                output.settle();
                Ok(output)
            })
        });
        Ok(Looked { source, original: Beside::begin(hash), ahead, mended })
    }

    /// Finds the places and makes the tail, all but the signature.
    ///
    /// # Errors
    /// What [`wish`] and [`prepare`] say.
    pub(super) fn ready(
        &self,
        mut looked: Looked,
        stamp: &Stamp,
        Pair { seal, chosen }: &Pair,
        font: Option<&[u8]>,
        options: &OpenOptions,
        language: Language,
    ) -> Result<Ready, Failure> {
        let document = Document::open(&looked.source, options.clone()).map_err(|error| pdf_failure(&error, &self.input))?;
        let pages = document.page_count().map_err(|error| pdf_failure(&error, &self.input))?;
        let (width, height) = (f64::from(seal.picture().width_mm), f64::from(seal.picture().height_mm));
        let wish = wish(stamp, &document, &self.input, Size { width_mm: width, aspect: height / width })?;
        let mut chain = vec![chosen.certificate.clone()];
        chain.extend(chosen.chain.iter().cloned());
        let request = StampRequest {
            placement: wish.placement,
            marks: wish.marks,
            field_values: stamp.fills.clone(),
            seal,
            signer: &chosen.certificate,
            signing_time: now(),
            name: chosen.certificate.organisation(),
            reason: stamp.reason.as_deref(),
            location: None,
            font,
            random: random()?,
            contents_reserve: reserve_for(&chain).saturating_add(if stamp.timestamp.is_some() { TOKEN_ROOM } else { 0 }),
        };
        let told = |error: StampError| stamp_failure(&error, &self.input);
        let prepared = prepare(&document, &request).map_err(told)?;
        let place = match language {
            Language::ZhCn => &prepared.summary().place_zh,
            Language::En => &prepared.summary().place_en,
        };
        let original = looked.original.wait()?;
        let listed = StampDocument {
            name: Label::new(plain(&file::name(&self.input), 200))?,
            size: looked.source.len(),
            pages: u32::try_from(pages).unwrap_or(u32::MAX),
            digest: DocumentDigest(prepared.digest(original).map_err(told)?),
            place: Label::new(plain(place, 200))?,
        };
        Ok(Ready { looked, prepared, listed })
    }

    /// Puts the signature in, with a timestamp where `clock` gives one, lets our verifier judge the result, and writes it.
    ///
    /// # Errors
    /// `result-invalid` and what writing says; nothing was written then.
    pub(super) fn finish(&self, ready: Ready, cms: &[u8], clock: Option<&Clock>, options: &OpenOptions, undo: &Undo) -> Result<Done, Failure> {
        let Ready { mut looked, prepared, .. } = ready;
        let original = looked.original.wait()?.clone();
        let place = prepared.summary().clone();
        let finish = |prepared: PreparedStamp, cms: &[u8]| {
            let check = Check { original: Some(&original), now: now(), options: options.clone(), ..Check::default() };
            finish_and_check(&looked.source, prepared, cms, &check).map(|finished| finished.tail).map_err(|error| stamp_failure(&error, &self.input))
        };
        let timed = clock.map(|clock| clock.timestamped(cms).and_then(|cms| finish(prepared.clone(), &cms)));
        // The signature is made, and the person has agreed to it: without a timestamp it is kept as it is.
        let (tail, level, untimed) = match timed {
            Some(Ok(tail)) => (tail, PadesLevel::T, None),
            Some(Err(failure)) => (finish(prepared, cms)?, PadesLevel::B, Some(failure)),
            None => (finish(prepared, cms)?, PadesLevel::B, None),
        };
        self.write(looked, &tail, undo)?;
        Ok(Done { place, appended: tail.len(), level, untimed })
    }

    /// Writes the document followed by the tail where it belongs.
    ///
    /// # Errors
    /// What writing says; nothing was written then.
    pub(in crate::cli) fn write(&self, Looked { source, ahead, .. }: Looked, tail: &[u8], undo: &Undo) -> Result<(), Failure> {
        match (&self.output, ahead) {
            (Some(_), Some(begun)) => {
                let begun = begun.done()?;
                source.check_unchanged(&self.input)?;
                begun.finish(tail)
            }
            (Some(output), None) => file::write_new(&source, &self.input, tail, output, self.replace),
            (None, _) => file::append(&source, &self.input, tail, undo),
        }
    }
}

impl Clock {
    /// The signature with a timestamp over its value.
    fn timestamped(&self, cms: &[u8]) -> Result<Vec<u8>, Failure> {
        let internal = |error: cms::CmsError| Failure::new(Code::Internal).with("detail", error);
        let value = cms::signature_value(cms).map_err(internal)?;
        let timestamp = self.timestamps.token(&self.client, Imprint::of(DigestAlgorithm::Sha256, &value))?;
        cms::with_timestamp(cms, &timestamp.token).map_err(internal)
    }
}

/// Opens a document, after an interrupted append to it was taken back; tells whether that was so.
fn opened(path: &Path, undo: Option<&Undo>, to_append: bool) -> Result<(FileSource, bool), Failure> {
    let mended = undo.map_or(Ok(Mended::Nothing), |undo| undo.mend(path))?;
    let source = if to_append { FileSource::open_to_append(path) } else { FileSource::open(path) }?;
    Ok((source, mended == Mended::CutBack))
}

/// Opens a document that is only read, for the other verbs; an interrupted append is taken back first, and that is said.
///
/// # Errors
/// `read-failed`, `file-in-use`, `write-failed`.
pub(in crate::cli) fn opened_to_read(path: &Path, voice: Voice) -> Result<FileSource, Failure> {
    let undo = crate::places::state_folder().ok().map(|state| Undo::at(&state));
    let (source, cut_back) = opened(path, undo.as_ref(), false)?;
    if cut_back {
        super::words::mended(voice, path);
    }
    Ok(source)
}

/// The failure for a document that cannot be read.
pub(in crate::cli) fn pdf_failure(error: &PdfError, path: &Path) -> Failure {
    stamp_failure(&StampError::Pdf(error.clone()), path)
}

/// The failure for a stamp that cannot be made.
pub(in crate::cli) fn stamp_failure(error: &StampError, path: &Path) -> Failure {
    let code = error.code().parse().unwrap_or(Code::Internal);
    let failure = error.facts().into_iter().fold(Failure::new(code), |failure, (key, value)| failure.with(key, value));
    if code.facts().contains(&"name") { failure.with("name", file::name(path)) } else { failure }
}
