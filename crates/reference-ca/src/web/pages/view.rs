//! What templates show of a business: steps, fields, slots, history, in one language.

use super::Frame;
use crate::business::fields::{self, Block, Fault, Field, Shape, Values};
use crate::business::{Act, Kind, State};
use crate::calendar::Moment;
use crate::profile::Profile;
use crate::scan::{Basis, SizeFrom};
use crate::store::applications::Application;
use crate::store::history::Entry;
use crate::store::impressions::Known;
use crate::store::uploads::Upload;
use crate::upload::Content;

/// A step of the business, for the line above the page.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) label: &'static str,
    /// `done`, `now` or `todo`.
    pub(super) state: &'static str,
}

/// A field of the form.
#[derive(Debug)]
pub(super) struct FieldView {
    pub(super) key: &'static str,
    pub(super) label: &'static str,
    pub(super) hint: &'static str,
    pub(super) value: String,
    /// The value for reading: choices by their words.
    pub(super) said: String,
    /// `line`, `choice`, `tick`.
    pub(super) shape: &'static str,
    pub(super) choices: Vec<(String, String)>,
    pub(super) mandatory: bool,
    pub(super) locked: bool,
    pub(super) longest: usize,
    pub(super) error: &'static str,
}

/// A block of fields.
#[derive(Debug)]
pub(super) struct BlockView {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) fields: Vec<FieldView>,
}

/// An upload slot.
#[derive(Debug)]
pub(super) struct SlotView {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) hint: String,
    pub(super) must: bool,
    pub(super) limit: String,
    pub(super) file: Option<FileView>,
}

/// A file in a slot.
#[derive(Debug)]
pub(super) struct FileView {
    pub(super) id: i64,
    pub(super) kind: String,
    pub(super) size: String,
    pub(super) time: String,
    pub(super) picture: bool,
    /// Whether a machine read this business's number on it.
    pub(super) form: Option<bool>,
}

/// A line of the history.
#[derive(Debug)]
pub(super) struct EntryView {
    pub(super) time: String,
    pub(super) act: &'static str,
    pub(super) by: String,
    pub(super) note: String,
}

/// Colours of a state: `ok`, `warn`, `bad` or nothing.
pub(super) fn tone(state: State) -> &'static str {
    match state {
        State::Done | State::Activated | State::Activatable | State::Installable => "ok",
        State::Draft | State::Collecting | State::Payment | State::Returned | State::AwaitingCode | State::TimedOut => "warn",
        State::Withdrawn | State::Closed => "bad",
        _ => "",
    }
}

pub(super) fn steps(page: &Frame, application: &Application, profile: &Profile) -> Vec<Step> {
    let kind = application.case.kind;
    let has_fee = application.fee_fen > 0 || profile.fee_fen(kind, &application.values) > 0;
    let has_slots = profile.business(kind).is_some_and(|business| !business.slots.is_empty()) && !(kind == Kind::Unlock && application.case.facts.handler_same);
    let mut all: Vec<([&str; 2], &[State])> = vec![(["填写信息", "Form"], &[State::Draft])];
    if has_slots {
        all.push((["上传资料", "Documents"], &[State::Collecting, State::Returned]));
    }
    if has_fee {
        all.push((["支付", "Payment"], &[State::Payment, State::PaymentCheck]));
    }
    if kind != Kind::Renewal && (kind != Kind::Unlock || has_slots) {
        all.push((["审核", "Review"], &[State::FirstReview, State::SecondReview]));
    }
    match kind {
        Kind::New | Kind::Reissue => all.extend([
            (["制作与寄送", "Key made and sent"], &[State::Making][..]),
            (["纸质资料复审", "Originals"], &[State::AwaitingPaper, State::PaperReview][..]),
        ]),
        Kind::Change => all.extend([
            (["纸质资料复审", "Originals"], &[State::AwaitingPaper, State::PaperReview][..]),
            (["制作与寄送", "Key made and sent"], &[State::Making][..]),
        ]),
        Kind::Additional => all.push((["制作与寄送", "Key made and sent"], &[State::Making])),
        Kind::Revoke => all.push((["纸质资料复审", "Originals"], &[State::AwaitingPaper, State::PaperReview])),
        Kind::Unlock => all.push((["验证码", "Code"], &[State::AwaitingCode])),
        Kind::Renewal | Kind::SealApply | Kind::SealChange => all.push((["安装", "Install"], &[State::Installable])),
    }
    if kind.activates() {
        all.push((["激活", "Activate"], &[State::Activatable, State::Activated]));
    }
    all.push((["完成", "Finished"], &[State::Done]));
    let state = application.case.before.unwrap_or(application.case.state);
    let paid = application.case.facts.paid;
    let now = all.iter().position(|(_, states)| states.contains(&state));
    all.iter()
        .enumerate()
        .map(|(index, ([chinese, english], states))| Step {
            label: page.language.say(chinese, english),
            state: match now {
                Some(now) if index < now || state == State::Done => "done",
                Some(now) if index == now => "now",
                // Sent back after the payment: paid is paid.
                _ if paid && states.contains(&State::Payment) => "done",
                _ => "todo",
            },
        })
        .collect()
}

/// The blocks of a business's form; `errors` are shown where somebody has tried to submit.
pub(super) fn blocks(page: &Frame, application: &Application, profile: &Profile, errors: &[(&'static Field, Fault)]) -> Vec<BlockView> {
    let kind = application.case.kind;
    Block::ALL
        .into_iter()
        .map(|block| BlockView {
            id: match block {
                Block::Unit => "unit",
                Block::Business => "business",
                Block::Handler => "handler",
                Block::Seal => "seal",
                Block::Delivery => "delivery",
            },
            title: page.language.say(block.words()[0], block.words()[1]),
            fields: fields::of(kind)
                .filter(|field| field.block == block)
                .map(|field| {
                    let fault = errors.iter().find(|(wrong, _)| wrong.key == field.key).map(|(_, fault)| *fault);
                    field_view(page, field, &application.values, application, profile, fault)
                })
                .collect(),
        })
        .filter(|block| !block.fields.is_empty())
        .collect()
}

fn field_view(page: &Frame, field: &'static Field, values: &Values, application: &Application, profile: &Profile, fault: Option<Fault>) -> FieldView {
    let language = page.language;
    let value = values.get(field.key).cloned().unwrap_or_default();
    let years = |months: u16| language.say(&format!("{} 年（{months} 个月）", months / 12), &format!("{} year(s), {months} months", months / 12)).to_owned();
    let (shape, choices, longest): (_, Vec<(String, String)>, _) = match field.shape {
        Shape::Line(longest) => ("line", Vec::new(), longest),
        Shape::Choice(choices) => {
            ("choice", choices.iter().map(|(value, [chinese, english])| ((*value).to_owned(), language.say(chinese, english).to_owned())).collect(), 0)
        }
        Shape::Term => ("choice", profile.terms.iter().map(|months| (months.to_string(), years(*months))).collect(), 0),
        Shape::Tick => ("tick", Vec::new(), 0),
        Shape::CreditCode => ("line", Vec::new(), 18),
        Shape::Mobile => ("line", Vec::new(), 11),
        Shape::IdNumber => ("line", Vec::new(), 30),
        Shape::Serial => ("line", Vec::new(), 40),
    };
    let said = match field.shape {
        Shape::Tick if value == "yes" => language.say("是", "yes").to_owned(),
        Shape::Tick => language.say("否", "no").to_owned(),
        _ => choices.iter().find(|(known, _)| *known == value).map_or_else(|| value.clone(), |(_, words)| words.clone()),
    };
    FieldView {
        key: field.key,
        label: language.say(field.words[0], field.words[1]),
        hint: language.say(field.hint[0], field.hint[1]),
        said,
        value,
        shape,
        choices,
        mandatory: field.mandatory,
        locked: !fields::is_editable(application.case.kind, field.class, application.case.state, application.prefilled),
        longest,
        error: fault.map_or("", |fault| fault_words(page, field, fault)),
    }
}

fn fault_words(page: &Frame, field: &Field, fault: Fault) -> &'static str {
    let [chinese, english] = match (fault, field.shape) {
        (Fault::Missing, _) => ["请填写这一项。", "Please fill this in."],
        (Fault::Check, Shape::Serial) => {
            ["没有这个单位的这个证书，请核对序列号和统一社会信用代码。", "This unit has no such certificate; check serial number and credit code."]
        }
        (Fault::Check, _) => ["校验位不正确，请核对。", "The check character is wrong; please check it."],
        (Fault::Choice, _) => ["请选择列表中的一项。", "Please choose one of the list."],
        (Fault::Form, Shape::Mobile) => ["请填写11位手机号码。", "Please enter a mobile number of 11 digits."],
        (Fault::Form, Shape::CreditCode) => ["请填写18位大写字母和数字。", "18 capital letters and digits."],
        (Fault::Form, _) => ["格式不正确，请核对。", "This is not well formed; please check it."],
    };
    page.language.say(chinese, english)
}

pub(super) fn slots(page: &Frame, application: &Application, profile: &Profile, uploads: &[Upload]) -> Vec<SlotView> {
    profile
        .slots_of(application.case.kind, &application.values)
        .into_iter()
        .map(|(slot, must)| SlotView {
            id: slot.id.clone(),
            name: page.text(&slot.name).to_owned(),
            hint: page.text(&slot.hint).to_owned(),
            must,
            limit: if slot.max_bytes > 1024 * 1024 { format!("{} MB", slot.max_bytes / 1024 / 1024) } else { format!("{} KB", slot.max_bytes / 1024) },
            file: uploads.iter().find(|upload| upload.slot == slot.id).map(|upload| FileView {
                id: upload.id,
                kind: upload.media_type.rsplit('/').next().unwrap_or_default().to_uppercase(),
                size: if upload.size < 1024 * 1024 {
                    format!("{} KB", (upload.size + 1023) / 1024)
                } else {
                    format!("{}.{} MB", upload.size / 1024 / 1024, upload.size * 10 / 1024 / 1024 % 10)
                },
                time: Moment::from_unix(upload.created_at).time(),
                form: upload.form,
                picture: Content::from_media_type(&upload.media_type).is_some_and(Content::is_picture),
            }),
        })
        .collect()
}

/// An impression, with its measures in words.
#[derive(Debug)]
pub(super) struct ImpressionView {
    pub(super) ordinal: i64,
    pub(super) picked: bool,
    pub(super) score: u8,
    pub(super) facts: Vec<(&'static str, String)>,
}

pub(super) fn impressions(page: &Frame, found: &[Known]) -> Vec<ImpressionView> {
    let language = page.language;
    let because = |why: &str| format!("{}{why}{}", language.say("（", " ("), language.say("）", ")"));
    let percent = |part: f32| format!("{:.0} %", part * 100.0);
    found
        .iter()
        .map(|one| {
            let measures = &one.measures;
            let from = match measures.size_from {
                SizeFrom::Frame => language.say("按采集框", "by the frame"),
                SizeFrom::Resolution => language.say("按扫描分辨率", "by the scan's resolution"),
                SizeFrom::Assumed => language.say("按常用规格，文件没有分辨率", "assumed; the file names no resolution"),
            };
            let by = match measures.basis {
                Basis::StarAndName => language.say("按五角星和文字", "by star and name"),
                Basis::Name => language.say("按文字", "by the name"),
                Basis::None => language.say("无法判断，保持原样", "cannot be told; left as scanned"),
            };
            ImpressionView {
                ordinal: one.ordinal,
                picked: one.picked,
                score: measures.score,
                facts: vec![
                    (language.say("直径", "Diameter"), format!("{:.1} mm{}", measures.diameter, because(from))),
                    (language.say("扶正", "Straightened"), format!("{:.1}°{}", -measures.turned, because(by))),
                    (language.say("边框完整", "Rim complete"), percent(measures.rim)),
                    (language.say("印油均匀", "Evenly inked"), percent(measures.even)),
                    (language.say("边缘宽度", "Edge width"), format!("{:.2} mm", measures.edge)),
                    (language.say("文字压盖", "Crossed by print"), percent(measures.crossed)),
                ],
            }
        })
        .collect()
}

/// The history; names of officers only for officers.
pub(super) fn history(page: &Frame, entries: &[Entry], for_officers: bool) -> Vec<EntryView> {
    entries
        .iter()
        .rev()
        .map(|entry| EntryView {
            time: Moment::from_unix(entry.at).time(),
            act: page.language.say(entry.act.words()[0], entry.act.words()[1]),
            by: match (&entry.officer, entry.actor.as_str()) {
                (Some(name), _) if for_officers => name.clone(),
                (_, "officer") => page.language.say("审核员", "officer").to_owned(),
                (_, "applicant") => page.language.say("申请人", "applicant").to_owned(),
                _ => page.language.say("系统", "system").to_owned(),
            },
            // The note of a pick is the impression's number alone.
            note: match entry.act {
                Act::Pick => format!("{}{}{}", page.language.say("采用第 ", "impression "), entry.note, page.language.say(" 枚印模", " was picked")),
                _ => entry.note.clone(),
            },
        })
        .collect()
}

/// What an officer's button says.
pub(super) fn button(page: &Frame, act: Act) -> &'static str {
    let [chinese, english] = match act {
        Act::Accept => ["初审通过", "Pass first review"],
        Act::Confirm => ["复核通过", "Pass second review"],
        Act::VerifyPaper => ["复审通过", "Originals are in order"],
        Act::RefusePaper => ["资料不合格", "Originals refused"],
        Act::ReceivePaper => ["登记收到纸质资料", "Originals received"],
        Act::Ship => ["登记寄出", "Key sent out"],
        Act::ConfirmPayment => ["确认到账", "Payment confirmed"],
        Act::RefusePayment => ["未到账", "Payment not found"],
        Act::Return => ["退回修改", "Send back"],
        Act::Close => ["关闭业务", "Close"],
        other => other.words(),
    };
    page.language.say(chinese, english)
}

/// An amount in yuan.
pub(super) fn yuan(fen: i64) -> String {
    format!("¥{}.{:02}", fen / 100, fen % 100)
}
