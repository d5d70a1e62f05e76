//! `fields`: lists a form's fields, so that they can be named to `stamp`. Changes nothing.

use std::path::PathBuf;

use clap::Args;
use sealbridge_pdf::form::{FieldKind, FieldValue, Form};
use sealbridge_pdf::{Document, OpenOptions};
use sealbridge_protocol::failure::Failure;
use sealbridge_protocol::words::plain;
use serde_json::{Value, json};

use super::Voice;
use crate::file::FileSource;

#[derive(Debug, Args)]
pub(super) struct Fields {
    /// The document 文件
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Read the document's password from this file descriptor 从文件描述符读取打开密码
    #[arg(long, value_name = "N")]
    password_fd: Option<i32>,
}

impl Fields {
    pub(super) fn run(self, voice: Voice) -> Result<u8, Failure> {
        let password = self.password_fd.map(super::stamp::read_secret).transpose()?;
        let pdf = |error| super::stamp::pdf_failure(&error, &self.file);
        let options = OpenOptions { password: password.map(|secret| secret.to_vec()), ..OpenOptions::default() };
        let document = Document::open(FileSource::open(&self.file)?, options).map_err(pdf)?;
        let form = Form::read(&document).map_err(pdf)?;
        let rows: Vec<Value> = form
            .fields
            .iter()
            .map(|field| {
                let kind = match &field.kind {
                    FieldKind::Text { .. } => "text",
                    FieldKind::CheckBox { .. } => "check-box",
                    FieldKind::Radio { .. } => "radio",
                    FieldKind::Choice { .. } => "choice",
                    FieldKind::Signature => "signature",
                    _ => "other",
                };
                let value = match &field.value {
                    FieldValue::Text(text) | FieldValue::State(text) => text.clone(),
                    FieldValue::Many(texts) => texts.join(", "),
                    FieldValue::None | FieldValue::Signature => String::new(),
                };
                let page = field.widgets.iter().find_map(|widget| widget.page).map(|page| page.saturating_add(1));
                json!({"name": field.name, "label": field.label, "kind": kind, "value": value, "page": page, "readOnly": field.read_only, "signed": field.signed})
            })
            .collect();
        if voice.json {
            voice.document(&json!({"pages": document.page_count().map_err(pdf)?, "fields": rows}));
        } else {
            for row in &rows {
                let text = |key: &str| row.get(key).and_then(Value::as_str).map(|text| plain(text, 80)).unwrap_or_default();
                let signed = if row.get("signed") == Some(&Value::Bool(true)) { voice.pick("(已签)", " (signed)") } else { "" };
                voice.line(format!("{}\t{}{signed}\t{}\t{}", text("kind"), text("name"), text("label"), text("value")));
            }
        }
        Ok(0)
    }
}
