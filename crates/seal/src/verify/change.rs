//! What later revisions changed, as data: which object, on which page, in which revision, how far the change goes, and whether
//! the policy takes it.

use serde::{Deserialize, Serialize};

use super::sentences::Language;

/// What may follow a signature. Certifications and locks (DocMDP, FieldMDP, `/Lock`) narrow it, nothing widens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Allowed {
    /// Nothing at all.
    Nothing,
    /// Validation data, timestamps and further signatures; fields may be filled only in a revision that a further intact signature
    /// covers, and count as that signer's.
    #[default]
    Signatures,
    /// The same, and fields may be filled without a signature over them.
    FormFilling,
}

impl Allowed {
    /// All of them, the strictest first.
    pub const ALL: &'static [Allowed] = &[Allowed::Nothing, Allowed::Signatures, Allowed::FormFilling];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Allowed::Nothing => "nothing",
            Allowed::Signatures => "signatures",
            Allowed::FormFilling => "form-filling",
        }
    }

    /// What it takes, for people.
    #[must_use]
    pub fn words(self, language: Language) -> &'static str {
        let (zh, en) = match self {
            Allowed::Nothing => ("签名后不允许任何改动", "nothing may follow a signature"),
            Allowed::Signatures => ("签名后只允许其他签名、时间戳和验证数据", "only further signatures, timestamps and validation data may follow a signature"),
            Allowed::FormFilling => ("签名后允许其他签名和填写表单", "further signatures and form filling may follow a signature"),
        };
        language.pick(zh, en)
    }
}

/// How far a change goes; each level is worse than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Validation data, document timestamps, the document's information, and lists that only name what was added.
    Timestamp,
    /// A further signature with its field and appearance.
    Signature,
    /// A field was filled.
    FormFilling,
    /// A comment or another annotation.
    Annotation,
    /// Anything else.
    Other,
}

impl Level {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Timestamp => "timestamp",
            Level::Signature => "signature",
            Level::FormFilling => "form-filling",
            Level::Annotation => "annotation",
            Level::Other => "other",
        }
    }
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident $wire:literal $zh:literal $en:literal)*) => {
        /// What was changed, by its stable name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Changed {
            $($(#[doc = $doc])+ #[serde(rename = $wire)] $name,)*
        }

        impl Changed {
            /// All of them.
            pub const ALL: &'static [Changed] = &[$(Changed::$name),*];

            /// The stable name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Changed::$name => $wire),* }
            }

            /// For people, in Chinese and in English.
            #[must_use]
            pub fn words(self) -> (&'static str, &'static str) {
                match self { $(Changed::$name => ($zh, $en)),* }
            }
        }
    };
}

kinds! {
    /// The document security store and what it holds.
    ValidationData "validation-data" "长期验证数据" "validation data"
    /// `/Info` and the metadata stream.
    Information "document-information" "文档属性" "document information"
    /// `/Version`, `/Extensions`.
    Version "version" "版本声明" "version statement"
    /// The form's dictionary or its list of fields.
    FormList "form-list" "表单目录" "the form's list"
    /// A page's list of annotations.
    PageList "page-annotations" "页面批注列表" "the page's list of annotations"
    /// A document timestamp.
    DocumentTimestamp "document-timestamp" "文档时间戳" "document timestamp"
    /// A new signature field, signed.
    SignatureAdded "signature-added" "新增签名" "signature added"
    /// A new signature field, not signed yet, that shows nothing.
    EmptyFieldAdded "signature-field-added" "新增空白签名域" "empty signature field added"
    /// A field that was there was signed.
    FieldSigned "field-signed" "签署已有签名域" "existing field signed"
    /// The value or appearance of a field.
    FieldFilled "field-filled" "填写表单域" "field filled"
    /// A form field was added, taken away or made into another.
    Field "field" "表单域" "form field"
    /// A field that was signed, or its appearance.
    SignedField "signed-field" "已签署的签名域" "signed field"
    /// An annotation was added.
    AnnotationAdded "annotation-added" "新增批注" "annotation added"
    /// An annotation was changed or taken away.
    Annotation "annotation" "批注" "annotation"
    /// A page's dictionary.
    Page "page" "页面" "page"
    /// A page was added, taken away or moved.
    PageTree "page-tree" "页面顺序或页数" "order or number of pages"
    /// A stream that draws: a page's content or a form.
    Content "content" "页面内容" "content"
    /// A font.
    Font "font" "字体" "font"
    /// A picture.
    Picture "picture" "图片" "picture"
    /// Layers.
    Layers "layers" "图层" "layers"
    /// The document's catalog, apart from what has a name of its own.
    Catalog "catalog" "文档目录" "document catalog"
    /// The root, the encryption or another entry of the trailer.
    Trailer "trailer" "文件尾" "file trailer"
    /// The later revision does not build on the signed one, or hides objects from some readers.
    Structure "structure" "文件结构" "file structure"
    /// Any other object.
    Object "object" "其他对象" "another object"
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Number of the object; 0 for the trailer.
    pub object: u32,
    /// The revision that made it, from 1; 0 where that can not be told.
    pub revision: usize,
    /// The page it is on, from 1, where it is on one.
    pub page: Option<usize>,
    /// The field it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What was changed.
    pub what: Changed,
    /// How far it goes.
    pub level: Level,
    /// The policy takes it, and no certification or lock forbids it.
    pub accepted: bool,
    /// The first intact signature that covers it, by the name of its field; nobody signed it where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// What is known about it, in English, for an expert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Change {
    /// The change as one line.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let (zh, en) = self.what.words();
        let mut parts = vec![match language {
            Language::ZhCn => format!("版本 {}", self.revision),
            Language::En => format!("revision {}", self.revision),
        }];
        parts.extend(self.page.map(|page| match language {
            Language::ZhCn => format!("第 {page} 页"),
            Language::En => format!("page {page}"),
        }));
        let mut what = language.pick(zh, en).to_owned();
        if let Some(field) = &self.field {
            what = format!("{what} {field}");
        }
        parts.push(what);
        parts.push(match (language, self.object) {
            (Language::ZhCn, number) => format!("对象 {number}"),
            (Language::En, number) => format!("object {number}"),
        });
        parts.extend(self.detail.clone().filter(|_| !self.accepted));
        parts.join(language.pick("，", ", "))
    }
}
