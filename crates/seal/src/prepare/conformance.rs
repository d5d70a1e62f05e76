//! What a file claims to be (PDF/A, PDF/UA, tagged) and how the stamp keeps the claim true: no soft mask where none may be, colours
//! that need no output intent, embedded fonts, annotations in the structure tree.
//!
//! Where that is not possible the stamp is made all the same and says what it did not keep: a claim is the file's, the
//! stamp is what was asked for.

use sealbridge_pdf::structure::{TaggedAnnotation, tag_annotations};
use sealbridge_pdf::{Claims, Dictionary, Object, Source, Update};
use serde::{Deserialize, Serialize};

/// Longest string of PDF/A-1 (ISO 19005-1, 6.1.12) and of parts 2 and 3 (ISO 19005-2, 6.1.13), in bytes.
const STRING_MAX: [usize; 2] = [65_535, 32_767];
/// The primaries of sRGB as CalRGB takes them (ISO 32000-2, 8.6.5.3), with its white point.
const PRIMARIES: [f64; 9] = [0.4124, 0.2126, 0.0193, 0.3576, 0.7152, 0.1192, 0.1805, 0.0722, 0.9505];
const WHITE: [f64; 3] = [0.9505, 1.0, 1.089];

/// A rule of a claimed standard that a stamp does not keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NotKept {
    /// A text is in a font that is not embedded, since no font was given.
    FontNotEmbedded,
    /// What the stamp adds to the pages is not in the structure tree: others have signed the tree, or it is damaged.
    NotInStructure,
    /// The room for the signature is longer than the standard lets a string be.
    SignatureTooLong,
    /// The file is encrypted, which PDF/A does not allow.
    Encrypted,
}

impl NotKept {
    /// What it means, in Chinese and in English.
    #[must_use]
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            NotKept::FontNotEmbedded => ("填写的文字所用字体未嵌入", "a text is in a font that is not embedded"),
            NotKept::NotInStructure => ("印章未加入文档结构树", "the stamp is not in the structure tree"),
            NotKept::SignatureTooLong => ("签名数据超过该标准允许的长度", "the signature is longer than the standard allows"),
            NotKept::Encrypted => ("文件已加密", "the file is encrypted"),
        }
    }
}

/// What the stamp heeds for the sake of the file's claims.
#[derive(Debug)]
pub(super) struct Care {
    claims: Claims,
    /// Others have signed: their verifiers allow no change of the structure tree.
    signed_before: bool,
    not_kept: Vec<NotKept>,
}

impl Care {
    pub(super) fn new(claims: Claims, encrypted: bool, signed_before: bool, contents_reserve: usize) -> Self {
        let longest = match claims.pdfa_part {
            Some(1) => STRING_MAX[0],
            Some(2 | 3) => STRING_MAX[1],
            _ => usize::MAX,
        };
        let mut care = Care { claims, signed_before, not_kept: Vec::new() };
        care.lose(contents_reserve > longest, NotKept::SignatureTooLong);
        care.lose(encrypted && claims.pdfa_part.is_some(), NotKept::Encrypted);
        care
    }

    fn lose(&mut self, lost: bool, rule: NotKept) {
        if lost && !self.not_kept.contains(&rule) {
            self.not_kept.push(rule);
        }
    }

    /// The picture has a stencil mask and no soft mask: part 1 knows no transparency (ISO 19005-1, 6.4), later parts want a blending
    /// space on the page where the document has no output intent (ISO 19005-2, 6.2.10).
    pub(super) fn stencil(&self) -> bool {
        self.claims.pdfa_part.is_some_and(|part| part == 1 || self.claims.output_components.is_none())
    }

    /// Every text is in an embedded font (ISO 19005-1, 6.3.4; ISO 14289-1, 7.21.4).
    pub(super) fn embed(&self) -> bool {
        self.claims.pdfa_part.is_some() || self.claims.pdfua_part.is_some()
    }

    /// The font descriptor lists the glyphs of the subset (ISO 19005-1, 6.3.5); later parts only bear it.
    pub(super) fn list_glyphs(&self) -> bool {
        self.claims.pdfa_part == Some(1)
    }

    /// Adds default colour spaces where the output intent does not say what device colours are (ISO 19005-1, 6.2.3; ISO 32000-2,
    /// 8.6.5.6): the operators and the picture stay as they are.
    pub(super) fn colours(&self, resources: &mut Dictionary) {
        if let Some(spaces) = self.colour_spaces() {
            resources.set("ColorSpace", spaces);
        }
    }

    /// The default colour spaces, where they are needed.
    pub(super) fn colour_spaces(&self) -> Option<Dictionary> {
        if self.claims.pdfa_part.is_none() || self.claims.output_components == Some(3) {
            return None;
        }
        let white = || Dictionary::new().with("WhitePoint", Object::numbers(&WHITE));
        let rgb = white().with("Gamma", Object::numbers(&[2.2; 3])).with("Matrix", Object::numbers(&PRIMARIES));
        let gray = white().with("Gamma", Object::number(2.2));
        let space = |name: &str, parameters: Dictionary| Object::Array(vec![Object::name(name), parameters.into()]);
        Some(Dictionary::new().with("DefaultRGB", space("CalRGB", rgb)).with("DefaultGray", space("CalGray", gray)))
    }

    /// The structure type for an annotation that is no widget: PDF 1.4, and so PDF/A-1, has no `Annot`.
    pub(super) fn annotation_role(&self) -> &'static str {
        if self.claims.pdfa_part == Some(1) { "Figure" } else { "Annot" }
    }

    /// A text went into a font that is not embedded.
    pub(super) fn latin_used(&mut self) {
        self.lose(self.embed(), NotKept::FontNotEmbedded);
    }

    /// Puts what the stamp added into the structure tree of a tagged document.
    pub(super) fn tag<S: Source>(&mut self, update: &mut Update<'_, S>, added: &[TaggedAnnotation<'_>]) -> sealbridge_pdf::Result<()> {
        if !(self.claims.tagged || self.claims.pdfua_part.is_some()) || added.is_empty() {
            return Ok(());
        }
        let tagged = !self.signed_before && tag_annotations(update, added, self.claims.pdfua_part.is_some())?;
        self.lose(!tagged, NotKept::NotInStructure);
        Ok(())
    }

    /// For the summary.
    pub(super) fn outcome(self) -> (Vec<String>, Vec<NotKept>) {
        (self.claims.names(), self.not_kept)
    }
}
