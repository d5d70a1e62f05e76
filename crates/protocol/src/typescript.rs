//! The TypeScript twin of this crate, as text: messages, codes and words for the extension and the page client.
//!
//! The text is made here and nowhere else; a test compares the checked-in file with it. The shapes stand in a
//! table ([`INTERFACES`]) that another test holds against what serde really writes. It writes no files.

mod shapes;

use crate::failure::{Code, Party};
use crate::words::{self, Language};
use crate::{fields, frame, grant, hello, message, origin, record, seal, seal_part, stamp, statement};

pub use shapes::{Field, INTERFACES, Interface};

/// The command that writes the checked-in file again.
pub const REFRESH: &str = "cargo run -p sealbridge-protocol --example typescript > extension/src/protocol.ts";

/// The verbs, with the names of their two interfaces.
pub const VERBS: &[(&str, &str, &str)] = &[
    ("hello", "HelloArguments", "HelloAnswer"),
    ("status", "StatusArguments", "StatusAnswer"),
    ("bind", "BindArguments", "BindAnswer"),
    ("login", "LoginArguments", "LoginAnswer"),
    ("web-eid", "WebEidArguments", "WebEidAnswer"),
    ("stamp", "StampArguments", "StampAnswer"),
    ("seal", "SealArguments", "SealAnswer"),
    ("cancel", "CancelArguments", "CancelAnswer"),
    ("outcome", "OutcomeArguments", "OutcomeAnswer"),
    ("keys", "KeysArguments", "KeysAnswer"),
    ("seal-picture", "SealPictureArguments", "SealPictureAnswer"),
    ("export-certificate", "ExportCertificateArguments", "ExportCertificateAnswer"),
    ("change-pin", "ChangePinArguments", "ChangePinAnswer"),
    ("token-request", "TokenRequestArguments", "TokenRequestAnswer"),
    ("unlock", "UnlockArguments", "UnlockAnswer"),
    ("activate", "ActivateArguments", "ActivateAnswer"),
    ("seal-part", "SealPartArguments", "SealPartAnswer"),
    ("install", "InstallArguments", "InstallAnswer"),
    ("record", "RecordArguments", "RecordAnswer"),
    ("environment", "EnvironmentArguments", "EnvironmentAnswer"),
];

/// The verbs that only the extension's own pages may ask for, as a test holds against the verbs themselves.
pub const OWN_VERBS: &[&str] =
    &["keys", "seal-picture", "export-certificate", "change-pin", "token-request", "unlock", "activate", "seal-part", "install", "record", "environment"];

/// The whole module.
#[must_use]
pub fn module() -> String {
    let mut text = String::new();
    text.push_str("// Messages, codes and words of Sealbridge. Generated from crates/protocol; do not edit.\n// ");
    text.push_str(REFRESH);
    text.push_str("\n\n");
    constants(&mut text);
    unions(&mut text);
    for interface in INTERFACES {
        interface.write(&mut text);
    }
    verbs(&mut text);
    text.push_str(ENVELOPES);
    all_words(&mut text);
    text.push_str(&tell());
    text
}

fn constants(text: &mut String) {
    let constants = [
        ("PROTOCOL", hello::PROTOCOL.to_string(), "The version of these messages."),
        ("TO_HOST_MAX", frame::TO_HOST_MAX.to_string(), "Most bytes of a message to the host."),
        ("FROM_HOST_MAX", frame::FROM_HOST_MAX.to_string(), "Most bytes of a message from the host."),
        ("DEADLINE_MAX_MS", message::DEADLINE_MAX_MS.to_string(), "Longest deadline."),
        ("DOCUMENTS_MAX", stamp::DOCUMENTS_MAX.to_string(), "Most documents in one consent."),
        ("SEAL_MAX", seal::SEAL_MAX.to_string(), "Most bytes of a seal."),
        ("ORIGIN_MAX", origin::ORIGIN_MAX.to_string(), "Longest origin."),
        ("STATEMENT_MAX", statement::STATEMENT_MAX.to_string(), "Longest login or bind statement."),
        ("SEAL_PART_MAX", seal_part::PART_MAX.to_string(), "Most bytes of one part of a seal on its way to the host."),
        ("GRANT_MAX", grant::GRANT_MAX.to_string(), "Longest grant of a desk."),
        ("RECORD_PAGE_MAX", record::PAGE_MAX.to_string(), "Most entries of one page of the record."),
        ("NONCE_MIN", fields::NONCE_CHARACTERS.start().to_string(), "Shortest nonce, in characters."),
        ("NONCE_MAX", fields::NONCE_CHARACTERS.end().to_string(), "Longest nonce, in characters."),
    ];
    for (name, value, meaning) in constants {
        text.push_str(&format!("/** {meaning} */\nexport const {name} = {value};\n"));
    }
    text.push('\n');
}

fn unions(text: &mut String) {
    let languages = Language::ALL.map(Language::as_str);
    union(text, "Language", "A language that people are addressed in.", &languages);
    union(text, "Party", "Who can do something about a failure.", &PARTIES.map(party));
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    union(text, "Code", "Every way in which a request can fail.", &codes);
    for (name, meaning, members) in shapes::UNIONS {
        union(text, name, meaning, members);
    }
}

fn union(text: &mut String, name: &str, meaning: &str, members: &[&str]) {
    text.push_str(&format!("/** {meaning} */\nexport type {name} ="));
    for member in members {
        text.push_str(&format!("\n  | {}", quoted(member)));
    }
    text.push_str(";\n\n");
}

fn verbs(text: &mut String) {
    text.push_str("/** The verbs, each with what is asked and what is answered. */\nexport interface Verbs {\n");
    for (verb, arguments, answer) in VERBS {
        let name = if verb.contains('-') { quoted(verb) } else { (*verb).to_owned() };
        text.push_str(&format!("  {name}: {{ arguments: {arguments}; answer: {answer} }};\n"));
    }
    text.push_str("}\n\nexport type Verb = keyof Verbs;\n\n");
    let own: Vec<String> = OWN_VERBS.iter().map(|verb| format!("  {},\n", quoted(verb))).collect();
    text.push_str(&format!(
        "/** The verbs that only the extension's own pages may ask for: the host refuses them without `asker`. */\nexport const OWN_VERBS = [\n{}] as const satisfies readonly Verb[];\n\nexport type OwnVerb = (typeof OWN_VERBS)[number];\n\n",
        own.concat()
    ));
}

const ENVELOPES: &str = "\
/** What the extension sends to the host. */
export interface HostRequest<V extends Verb = Verb> {
  id: string;
  verb: V;
  language: Language;
  deadlineMs: number;
  /** Written by the background alone, for ports of the extension's own pages; left out otherwise. */
  asker?: \"own-page\";
  arguments: Verbs[V][\"arguments\"];
}

/** What comes from the host: an answer, a refusal, or an event. */
export type FromHost<V extends Verb = Verb> =
  | { id: string; ok: Verbs[V][\"answer\"] }
  | { id?: string; failure: Failure }
  | { id: string; event: { phase: Phase } }
  | { event: { tokens: \"changed\" } };

";

fn all_words(text: &mut String) {
    text.push_str(
        "/** The two sentences of a code as templates: `{fact}` names a fact, `[…]` is left out when its fact is not known. */\n\
         export interface Template {\n  party: Party;\n  what: Record<Language, string>;\n  remedy: Record<Language, string>;\n}\n\n\
         export const WORDS: Readonly<Record<Code, Template>> = {\n",
    );
    for code in Code::ALL {
        let pair = |template: fn(Code, Language) -> &'static str| {
            Language::ALL.map(|language| format!("{}: {}", quoted(language.as_str()), quoted(template(*code, language)))).join(", ")
        };
        text.push_str(&format!(
            "  {}: {{\n    party: {},\n    what: {{ {} }},\n    remedy: {{ {} }},\n  }},\n",
            quoted(code.as_str()),
            quoted(party(code.party())),
            pair(words::what_template),
            pair(words::remedy_template),
        ));
    }
    text.push_str("};\n\n");
}

/// The function that fills the templates; it says the same as [`crate::words::tell_page`].
fn tell() -> String {
    let names: String = words::NAMES
        .iter()
        .map(|(key, word, zh, en)| format!("  {}: {{ \"zh-CN\": {}, en: {} }},\n", quoted(&format!("{key}={word}")), quoted(zh), quoted(en)))
        .collect();
    TELL.replace("NAMES_HERE\n", &names).replace("LIMIT_HERE", &words::VALUE_CHARACTERS_MAX.to_string())
}

const TELL: &str = r#"const NAMES: Readonly<Record<string, Record<Language, string>>> = {
NAMES_HERE
};

/** Controls, direction marks, zero-width characters, line separators and tags: they could hide or rearrange text. */
const DISTURBING =
  /[\p{Cc}\u00AD\u061C\u180E\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]/gu;

function plain(text: string): string {
  const characters = Array.from(text);
  const kept = characters.slice(0, LIMIT_HERE).join("").replace(DISTURBING, "\uFFFD");
  return characters.length > LIMIT_HERE ? kept + "…" : kept;
}

function fill(template: string, facts: Readonly<Record<string, string>>, language: Language): string {
  return template.replace(/\[([^\]]*)\]/g, (_whole, part: string) => {
    let known = true;
    const text = part.replace(/\{([^}]*)\}/g, (_name, key: string) => {
      const value = Object.hasOwn(facts, key) ? facts[key] : undefined;
      if (value === undefined || value === "") {
        known = false;
        return "";
      }
      const name = `${key}=${value}`;
      return plain((Object.hasOwn(NAMES, name) ? NAMES[name]?.[language] : undefined) ?? value);
    });
    return known ? text : "";
  });
}

/** The failure with its words, in the user's language and in both. */
export function tell(failure: Failure, language: Language): PageFailure {
  const template = WORDS[failure.code];
  const facts = failure.facts ?? {};
  const sentences = (language: Language): TwoSentences => ({
    what: fill(template.what[language], facts, language),
    remedy: fill(template.remedy[language], facts, language),
  });
  return {
    code: failure.code,
    party: template.party,
    facts,
    ...sentences(language),
    words: { "zh-CN": sentences("zh-CN"), en: sentences("en") },
  };
}
"#;

const PARTIES: [Party; 7] = [Party::Caller, Party::Environment, Party::User, Party::Token, Party::Document, Party::Portal, Party::Sealbridge];

const fn party(party: Party) -> &'static str {
    match party {
        Party::Caller => "caller",
        Party::Environment => "environment",
        Party::User => "user",
        Party::Token => "token",
        Party::Document => "document",
        Party::Portal => "portal",
        Party::Sealbridge => "sealbridge",
    }
}

/// A string literal; JSON strings are TypeScript strings.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
