//! Every code: unique name, four sentences, and only facts that it declares.

use std::collections::BTreeSet;

use sealbridge_protocol::words::{self, Language};
use sealbridge_protocol::{Code, Failure};

/// The names between braces of a template.
fn placeholders(template: &str) -> Vec<&str> {
    template.split('{').skip(1).map(|rest| rest.split_once('}').expect("closed brace").0).collect()
}

fn templates(code: Code) -> Vec<(Language, &'static str)> {
    Language::ALL
        .into_iter()
        .flat_map(|language| [(language, words::what_template(code, language)), (language, words::remedy_template(code, language))])
        .collect()
}

#[test]
fn wire_names_are_unique_and_kebab_case() {
    let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(names.len(), Code::ALL.len());
    for code in Code::ALL {
        let name = code.as_str();
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
        assert_eq!(name.parse::<Code>(), Ok(*code));
        assert_eq!(serde_json::to_value(code).unwrap(), name);
    }
    assert!("pin-incorrect ".parse::<Code>().is_err());
}

#[test]
fn every_code_has_four_whole_sentences() {
    for code in Code::ALL {
        for (language, template) in templates(*code) {
            let name = code.as_str();
            assert!(template.chars().count() >= 5, "{name}: {template}");
            let end = match language {
                Language::ZhCn => ["。", "！"],
                Language::En => [".", "!"],
            };
            assert!(end.iter().any(|end| template.ends_with(end)), "{name}: {template}");
            let han = template.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
            assert_eq!(han, language == Language::ZhCn, "{name}: {template}");
            assert!(language == Language::En || !template.contains([',', ';', '(', ')', '?', '!']), "{name}: half-width punctuation in {template}");
        }
        let all: BTreeSet<_> = templates(*code).into_iter().map(|(_, text)| text).collect();
        assert_eq!(all.len(), 4, "{} says the same twice", code.as_str());
    }
}

#[test]
fn templates_name_declared_facts_only_and_only_in_brackets() {
    for code in Code::ALL {
        let mut named = BTreeSet::new();
        for (_, template) in templates(*code) {
            let name = code.as_str();
            let mut outside = String::new();
            let mut rest = template;
            while let Some((before, after)) = rest.split_once('[') {
                outside.push_str(before);
                let (part, after) = after.split_once(']').expect("closed bracket");
                assert!(!part.contains('['), "{name}: brackets do not nest: {template}");
                assert!(!placeholders(part).is_empty(), "{name}: part without a fact: {template}");
                for fact in placeholders(part) {
                    assert!(code.facts().contains(&fact), "{name}: undeclared fact {fact}");
                    named.insert(fact);
                }
                rest = after;
            }
            outside.push_str(rest);
            assert!(!outside.contains(['{', '}', ']']), "{name}: fact outside of brackets: {template}");
        }
        let facts: BTreeSet<_> = code.facts().iter().copied().collect();
        assert_eq!(facts.len(), code.facts().len(), "{}: fact declared twice", code.as_str());
        for fact in facts {
            assert!(fact.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{fact}");
            assert!(!["pin", "password", "secret"].contains(&fact));
            // `operation` is for logs; ids and lists help programs, not sentences.
            let silent = ["operation", "certificates", "problem"];
            assert!(named.contains(fact) || silent.contains(&fact), "{}: {fact} is never named", code.as_str());
        }
    }
}

#[test]
fn words_fill_facts_and_leave_out_what_is_not_known() {
    let check = |failure: Failure, language, expected: &str| {
        assert_eq!(words::what(&failure, language), expected);
    };
    let wrong = Failure::new(Code::PinIncorrect);
    check(wrong.clone(), Language::ZhCn, "密码（PIN）不正确。");
    check(wrong.clone().with("triesLeft", 3), Language::ZhCn, "密码（PIN）不正确，还可以再试 3 次。");
    check(wrong.clone().with("triesLeft", ""), Language::En, "The PIN is not correct.");
    check(wrong.with("triesLeft", 1), Language::En, "The PIN is not correct; tries left: 1.");
    let error = Failure::new(Code::TokenError).with("function", "C_Sign");
    check(error.clone(), Language::En, "The USB key reported an error; the operation was not finished.");
    check(error.with("rv", "CKR_DEVICE_ERROR"), Language::ZhCn, "USB Key 报告了错误（C_Sign：CKR_DEVICE_ERROR），操作没有完成。");
    let old = Failure::new(Code::VersionTooOld).with("part", "host").with("needed", 2);
    check(old.clone(), Language::ZhCn, "印桥本机程序版本太旧，无法与其他部分配合工作。");
    assert_eq!(words::remedy(&old, Language::En), "Please update the Sealbridge program to 2 or later, then restart the browser.");
}

#[test]
fn facts_cannot_rearrange_or_hide_the_sentence() {
    let name = "a\u{202e}fdp.exe\u{200b}\n{x}[y]";
    let failure = Failure::new(Code::NotPdf).with("name", name);
    let what = words::what(&failure, Language::En);
    assert_eq!(what, "“a\u{fffd}fdp.exe\u{fffd}\u{fffd}{x}[y]”: this file is not a PDF.");
    let long = Failure::new(Code::NotPdf).with("name", "长".repeat(5000));
    assert!(words::what(&long, Language::ZhCn).chars().count() < 200);
    assert_eq!(long.fact("name").unwrap().chars().count(), Failure::FACT_CHARACTERS_MAX);
}

#[test]
fn languages_are_known_by_their_tags() {
    let check = |tag, expected| assert_eq!(Language::from_tag(tag), expected, "{tag}");
    check("zh-CN", Language::ZhCn);
    check("zh_CN.UTF-8", Language::ZhCn);
    check("zh-Hant-TW", Language::ZhCn);
    check("en", Language::En);
    check("en-GB", Language::En);
    check("EN_us", Language::En);
    check("", Language::ZhCn);
    check("C", Language::ZhCn);
}

#[test]
fn a_failure_on_the_wire() {
    let failure = Failure::new(Code::PinIncorrect).with("triesLeft", 7);
    let json = r#"{"code":"pin-incorrect","facts":{"triesLeft":"7"}}"#;
    assert_eq!(serde_json::to_string(&failure).unwrap(), json);
    assert_eq!(serde_json::from_str::<Failure>(json).unwrap(), failure);
    assert_eq!(serde_json::to_string(&Failure::new(Code::Busy)).unwrap(), r#"{"code":"busy"}"#);
    for refused in [r#"{"code":"no-such-code"}"#, r#"{"code":"busy","stack":"x"}"#, r#"{"code":"busy","facts":{"a":1}}"#, r#"{"code":"busy","code":"busy"}"#] {
        assert!(serde_json::from_str::<Failure>(refused).is_err(), "{refused}");
    }
}
