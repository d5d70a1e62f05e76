//! `fields`: lists a form's fields, so that they can be named to `stamp`: signature fields that wait for a seal first. Changes nothing.

use std::path::PathBuf;

use clap::Args;
use sealbridge_pdf::form::{Field, FieldKind, FieldValue, Form};
use sealbridge_pdf::{Document, OpenOptions, Source};
use sealbridge_protocol::failure::Failure;
use sealbridge_protocol::words::plain;
use sealbridge_seal::placement::as_displayed;
use serde::Serialize;
use serde_json::json;

use super::Voice;

#[derive(Debug, Args)]
pub(super) struct Fields {
    /// The document 文件
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Read the document's password from this file descriptor 从文件描述符读取打开密码
    #[arg(long, value_name = "N")]
    password_fd: Option<i32>,
}

/// One field, as JSON has it. Fields that say nothing are left out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    kind: &'static str,
    value: String,
    /// What can be chosen: the values that `--fill` takes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_length: Option<usize>,
    required: bool,
    read_only: bool,
    signed: bool,
    /// The first place, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<usize>,
    places: Vec<Place>,
}

/// Where a field is shown: millimetres from the lower left corner of the page as it is displayed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Place {
    pub(super) page: usize,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Place {
    /// From left, bottom, width and height; hundredths of a millimetre are as fine as anybody places a seal.
    pub(super) fn new(index: usize, numbers: [f64; 4]) -> Self {
        let [x, y, width, height] = numbers.map(|number| (number * 100.0).round() / 100.0 + 0.0);
        Self { page: index.saturating_add(1), x, y, width, height }
    }
}

impl Fields {
    pub(super) fn run(self, voice: Voice) -> Result<u8, Failure> {
        let password = self.password_fd.map(super::stamp::read_secret).transpose()?;
        let pdf = |error| super::stamp::pdf_failure(&error, &self.file);
        let options = OpenOptions { password: password.map(|secret| secret.to_vec()), ..OpenOptions::default() };
        let document = Document::open(super::stamp::opened_to_read(&self.file, voice)?, options).map_err(pdf)?;
        let form = Form::read(&document).map_err(pdf)?;
        let mut rows = form.fields.iter().map(|field| row(field, &document)).collect::<Result<Vec<_>, _>>().map_err(pdf)?;
        // A stable sort: within each kind the order of the form stays.
        rows.sort_by_key(|row| match row.kind {
            "signature" if !row.signed => 0,
            "signature" => 1,
            _ => 2,
        });
        if voice.json {
            voice.document(&json!({"pages": document.page_count().map_err(pdf)?, "fields": rows}));
        } else if rows.is_empty() {
            voice.line(voice.pick("没有表单域。", "There are no form fields."));
        } else {
            rows.iter().for_each(|row| show(row, voice));
        }
        Ok(0)
    }
}

fn row<S: Source>(field: &Field, document: &Document<S>) -> sealbridge_pdf::Result<Row> {
    let (kind, options, max_length) = match &field.kind {
        FieldKind::Text { max_len, .. } => ("text", Vec::new(), *max_len),
        FieldKind::CheckBox { on } => ("check-box", on.iter().cloned().collect(), None),
        FieldKind::Radio { states } => ("radio", states.clone(), None),
        FieldKind::Choice { options, .. } => ("choice", options.iter().map(|option| option.export.clone()).collect(), None),
        FieldKind::Signature => ("signature", Vec::new(), None),
        FieldKind::Button => ("button", Vec::new(), None),
        FieldKind::Unknown => ("other", Vec::new(), None),
    };
    let value = match &field.value {
        FieldValue::Text(text) | FieldValue::State(text) => text.clone(),
        FieldValue::Many(texts) => texts.join(", "),
        FieldValue::None | FieldValue::Signature => String::new(),
    };
    let mut places = Vec::new();
    for (index, rect) in field.widgets.iter().filter_map(|widget| Some((widget.page?, widget.rect?))) {
        places.push(Place::new(index, as_displayed(&document.page(index)?, rect)));
    }
    Ok(Row {
        name: field.name.clone(),
        label: field.label.clone(),
        kind,
        value,
        options,
        max_length,
        required: field.required,
        read_only: field.read_only,
        signed: field.signed,
        page: places.first().map(|place| place.page),
        places,
    })
}

/// One line: kind, name, where, what is special about it, label and value.
fn show(row: &Row, voice: Voice) {
    let mut notes = Vec::new();
    if row.signed {
        notes.push(voice.pick("已签", "signed").to_owned());
    } else if row.kind == "signature" {
        notes.push(voice.pick("待盖章", "waits for a seal").to_owned());
    }
    if row.required {
        notes.push(voice.pick("必填", "required").to_owned());
    }
    if row.read_only {
        notes.push(voice.pick("只读", "read-only").to_owned());
    }
    if let Some(most) = row.max_length {
        notes.push(format!("≤ {most}"));
    }
    if !row.options.is_empty() {
        notes.push(row.options.iter().take(20).map(|option| plain(option, 40)).collect::<Vec<_>>().join(" | "));
    }
    let place = row.places.first().map(|place| {
        let Place { page, x, y, width, height } = place;
        match voice.language {
            sealbridge_protocol::Language::ZhCn => format!("第 {page} 页 {x},{y} {width}×{height} mm"),
            sealbridge_protocol::Language::En => format!("page {page} at {x},{y} {width}×{height} mm"),
        }
    });
    let label = row.label.as_deref().map(|label| plain(label, 80)).unwrap_or_default();
    let line = [row.kind.to_owned(), plain(&row.name, 120), place.unwrap_or_default(), notes.join(voice.pick("，", ", ")), label, plain(&row.value, 80)];
    voice.line(line.join("\t").trim_end());
}
