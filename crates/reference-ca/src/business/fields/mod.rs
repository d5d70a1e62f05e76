//! The fields of an application: which business asks for which, what a value must look like, and until when it can be
//! changed. A field that is locked stays locked on every way into the desk (R13, R24, R27, R84, K10).

mod list;

use std::collections::BTreeMap;

use sealbridge_pki::credit_code;

pub use self::list::ALL;
use super::{Kind, State};

/// Until when a field can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Comes from the portal and is never changed here; typed by the applicant only where no portal sent it (R13).
    Prefilled,
    /// Until 【提交】 (R27).
    UntilSubmit,
    /// Until a payment begins (R24, R39).
    UntilPayment,
    /// Until the review begins, and again when the business was sent back.
    UntilReview,
}

/// What a value must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One line, so many characters at most.
    Line(usize),
    /// One of these values; each with its words, Chinese and English.
    Choice(&'static [(&'static str, [&'static str; 2])]),
    /// One of the profile's terms, in months.
    Term,
    /// `yes` or nothing.
    Tick,
    /// A unified social credit code (GB 32100), or the licence number of a law firm.
    CreditCode,
    /// A mobile number of mainland China.
    Mobile,
    /// A resident identity number (GB 11643) where that is the kind of document, else 5 to 30 letters and digits.
    IdNumber,
    /// A certificate's serial number, hexadecimal.
    Serial,
}

/// A field.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name in forms and in the database.
    pub key: &'static str,
    /// What it is called, Chinese and English.
    pub words: [&'static str; 2],
    /// The block of the form that it stands in.
    pub block: Block,
    /// Until when it can be changed.
    pub class: Class,
    /// What a value must look like.
    pub shape: Shape,
    /// Businesses that ask for it.
    pub kinds: &'static [Kind],
    /// Whether it must be filled in.
    pub mandatory: bool,
    /// A sentence below it, Chinese and English; empty for none.
    pub hint: [&'static str; 2],
}

/// The blocks of the form, in their order (R23).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// 单位信息
    Unit,
    /// 业务信息
    Business,
    /// 经办人信息
    Handler,
    /// 印章信息
    Seal,
    /// 收件与发票
    Delivery,
}

impl Block {
    /// In the order of the form.
    pub const ALL: [Block; 5] = [Block::Unit, Block::Business, Block::Handler, Block::Seal, Block::Delivery];

    /// Its heading, Chinese and English.
    #[must_use]
    pub const fn words(self) -> [&'static str; 2] {
        match self {
            Block::Unit => ["单位信息", "Unit"],
            Block::Business => ["业务信息", "Business"],
            Block::Handler => ["经办人信息", "Handler"],
            Block::Seal => ["印章信息", "Seal"],
            Block::Delivery => ["邮寄与发票", "Delivery and invoice"],
        }
    }
}

/// The values of an application, by field.
pub type Values = BTreeMap<String, String>;

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Mandatory and empty.
    Missing,
    /// Too long, or with characters that do not belong there.
    Form,
    /// Well formed, but its check character is wrong.
    Check,
    /// No such choice.
    Choice,
}

/// Whether a field can be changed in this state; `prefilled` says that the portal sent it. What a key signed stays as it is until the business
/// is sent back, and is signed again then.
#[must_use]
pub fn is_editable(kind: Kind, class: Class, state: State, prefilled: bool) -> bool {
    if kind.signed_by_key() && !matches!(state, State::Draft | State::Returned) {
        return false;
    }
    match class {
        Class::Prefilled => state == State::Draft && !prefilled,
        Class::UntilSubmit => state == State::Draft,
        Class::UntilPayment => matches!(state, State::Draft | State::Collecting),
        Class::UntilReview => matches!(state, State::Draft | State::Collecting | State::Payment | State::Returned),
    }
}

/// The fields that a business asks for.
pub fn of(kind: Kind) -> impl Iterator<Item = &'static Field> {
    ALL.iter().filter(move |field| field.kinds.contains(&kind))
}

/// Checks every field of a business; `terms` are the profile's.
#[must_use]
pub fn faults(kind: Kind, values: &Values, terms: &[u16]) -> Vec<(&'static Field, Fault)> {
    of(kind).filter_map(|field| fault(field, values, terms).map(|fault| (field, fault))).collect()
}

/// Takes over what may be changed in this state. What is locked keeps its value and is named in the answer, if it differs.
#[must_use]
pub fn merge(kind: Kind, state: State, prefilled: bool, values: &mut Values, typed: &Values) -> Vec<&'static Field> {
    let mut locked = Vec::new();
    for field in of(kind) {
        let Some(new) = typed.get(field.key) else { continue };
        let new = clean(new);
        if values.get(field.key).map_or("", String::as_str) == new {
            continue;
        }
        if is_editable(kind, field.class, state, prefilled) {
            values.insert(field.key.to_owned(), new);
        } else {
            locked.push(field);
        }
    }
    locked
}

/// Whether a payer's name is the unit's (R43). Banks write brackets and letters in half and full width as they please; nothing else may differ.
#[must_use]
pub fn same_unit(payer: &str, unit: &str) -> bool {
    let plain = |name: &str| -> String {
        name.chars()
            .filter(|character| !character.is_whitespace())
            .map(|character| match u32::from(character) {
                full @ 0xff01..=0xff5e => char::from_u32(full - 0xfee0).unwrap_or(character),
                _ => character,
            })
            .collect()
    };
    !unit.is_empty() && plain(payer) == plain(unit)
}

/// Whether two applications name the same handler (R16, R69).
#[must_use]
pub fn same_handler(left: &Values, right: &Values) -> bool {
    ["handlerName", "handlerIdKind", "handlerIdNumber", "handlerMobile"].iter().all(|key| left.get(*key).is_some() && left.get(*key) == right.get(*key))
}

fn fault(field: &Field, values: &Values, terms: &[u16]) -> Option<Fault> {
    let value = values.get(field.key).map_or("", String::as_str);
    let seal_wanted = values.get("sealService").is_some_and(|value| value == "yes") || !of_kind_has_tick(field);
    let mandatory = field.mandatory && (field.block != Block::Seal || seal_wanted);
    if value.is_empty() {
        return mandatory.then_some(Fault::Missing);
    }
    let fine = match field.shape {
        Shape::Line(longest) => value.chars().count() <= longest && !value.chars().any(char::is_control),
        Shape::Choice(choices) => return (!choices.iter().any(|(known, _)| *known == value)).then_some(Fault::Choice),
        Shape::Term => return (!value.parse::<u16>().is_ok_and(|months| terms.contains(&months))).then_some(Fault::Choice),
        Shape::Tick => value == "yes",
        Shape::Mobile => {
            value.len() == 11
                && value.starts_with('1')
                && value.bytes().all(|byte| byte.is_ascii_digit())
                && value.as_bytes().get(1).is_some_and(|second| *second >= b'3')
        }
        Shape::Serial => (2..=40).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_hexdigit()),
        Shape::CreditCode => {
            let well_formed = value.len() == 18 && value.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
            return if !well_formed { Some(Fault::Form) } else { (!credit_code::is_valid(value)).then_some(Fault::Check) };
        }
        Shape::IdNumber => {
            if values.get("handlerIdKind").is_some_and(|kind| kind == "resident") {
                return match resident_number(value) {
                    None => Some(Fault::Form),
                    Some(right) => (!right).then_some(Fault::Check),
                };
            }
            (5..=30).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
        }
    };
    (!fine).then_some(Fault::Form)
}

/// The fields of the seal are optional only where the seal service can be left out.
fn of_kind_has_tick(field: &Field) -> bool {
    field.kinds.contains(&Kind::New)
}

/// GB 11643-1999: seventeen digits and a check character (ISO 7064 MOD 11-2); `None` where it is not even that.
fn resident_number(text: &str) -> Option<bool> {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
    let characters: Vec<char> = text.chars().collect();
    let [digits @ .., check] = characters.as_slice() else { return None };
    if digits.len() != 17 || !(check.is_ascii_digit() || *check == 'X') {
        return None;
    }
    let mut sum = 0_u32;
    for (digit, weight) in digits.iter().zip(WEIGHTS) {
        sum = sum.saturating_add(digit.to_digit(10)?.saturating_mul(weight));
    }
    Some(usize::try_from(sum % 11).ok().and_then(|index| CHECKS.get(index)) == Some(check))
}

/// One line without the spaces around it; what cannot be typed into a line becomes a space.
fn clean(text: &str) -> String {
    let text: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).take(400).collect();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{ALL, Class, Fault, Kind, State, Values, faults, is_editable, merge, resident_number, same_handler};

    fn filled() -> Values {
        [
            ("unitName", "印桥测试科技有限公司"),
            ("creditCode", "91440300MA5DEMA00Y"),
            ("unitKind", "enterprise"),
            ("province", "广东"),
            ("address", "深圳市南山区测试路1号"),
            ("unitPhone", "0755-12345678"),
            ("termMonths", "12"),
            ("handlerName", "张三"),
            ("handlerIdKind", "resident"),
            ("handlerIdNumber", "11010519491231002X"),
            ("handlerMobile", "13800138000"),
            ("postTo", "深圳市南山区测试路1号"),
            ("taxNumber", "91440300MA5DEMA00Y"),
            ("invoiceTitle", "印桥测试科技有限公司"),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(faults(Kind::New, &filled(), &[12]).is_empty());
        for (key, value, expected) in [
            ("unitName", "", Fault::Missing),
            ("creditCode", "91440300MA5DEMA00X", Fault::Check),
            ("creditCode", "9144", Fault::Form),
            ("unitKind", "pirate", Fault::Choice),
            ("termMonths", "13", Fault::Choice),
            ("termMonths", "-12", Fault::Choice),
            ("handlerIdNumber", "110105194912310021", Fault::Check),
            ("handlerIdNumber", "1101051949123100", Fault::Form),
            ("handlerMobile", "12800138000", Fault::Form),
            ("handlerMobile", "1380013800x", Fault::Form),
            // The seal's own fields are asked for once the seal is.
            ("sealService", "yes", Fault::Missing),
        ] {
            let mut values = filled();
            values.insert(key.into(), value.into());
            let found = faults(Kind::New, &values, &[12]);
            let expected_key = if key == "sealService" { "sealName" } else { key };
            assert_eq!(found.first().map(|(field, fault)| (field.key, *fault)), Some((expected_key, expected)), "{key}={value}");
        }
    }

    #[test]
    fn no_field_opens_again_on_the_way() {
        // The order in which an application without corrections passes.
        let way = [
            State::Draft,
            State::Collecting,
            State::Payment,
            State::PaymentCheck,
            State::FirstReview,
            State::Making,
            State::AwaitingPaper,
            State::PaperReview,
            State::Activatable,
            State::Activated,
            State::Done,
        ];
        for kind in Kind::ALL {
            for class in [Class::Prefilled, Class::UntilSubmit, Class::UntilPayment, Class::UntilReview] {
                let open: Vec<bool> = way.iter().map(|state| is_editable(kind, class, *state, false)).collect();
                assert!(open.windows(2).all(|pair| pair[0] || !pair[1]), "{kind:?} {class:?} {open:?}");
                assert!(open[0]);
                assert_eq!(is_editable(kind, class, State::Returned, false), class == Class::UntilReview);
                // What a key signed is locked from then on.
                assert!(!kind.signed_by_key() || open.iter().filter(|open| **open).count() == 1, "{kind:?} {class:?} {open:?}");
            }
            assert!(!is_editable(kind, Class::Prefilled, State::Draft, true));
        }
    }

    #[test]
    fn locked_fields_keep_their_value_in_every_state() {
        for kind in Kind::ALL {
            for state in State::ALL {
                for prefilled in [false, true] {
                    let mut values = filled();
                    let before = values.clone();
                    let typed: Values = ALL.iter().map(|field| (field.key.to_owned(), "typed".to_owned())).collect();
                    let locked = merge(kind, state, prefilled, &mut values, &typed);
                    for field in super::of(kind) {
                        let editable = is_editable(kind, field.class, state, prefilled);
                        assert_eq!(values.get(field.key) != before.get(field.key), editable, "{} {kind:?} {state:?}", field.key);
                        assert_eq!(locked.iter().any(|locked| locked.key == field.key), !editable);
                    }
                }
            }
        }
    }

    #[test]
    fn resident_numbers() {
        // The example of GB 11643-1999, and what one wrong place makes of it.
        for (text, expected) in
            [("11010519491231002X", Some(true)), ("110105194912310021", Some(false)), ("11010519491231002x", None), ("1101051949123100", None), ("", None)]
        {
            assert_eq!(resident_number(text), expected, "{text}");
        }
    }

    #[test]
    fn handlers() {
        let one = filled();
        assert!(same_handler(&one, &one));
        for key in ["handlerName", "handlerIdNumber", "handlerMobile", "handlerIdKind"] {
            let mut other = filled();
            other.insert(key.into(), "x".into());
            assert!(!same_handler(&one, &other), "{key}");
        }
        assert!(!same_handler(&Values::new(), &Values::new()), "nobody is not somebody's handler");
    }
}
