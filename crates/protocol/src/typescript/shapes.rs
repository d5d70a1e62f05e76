//! The table of shapes: every object that crosses a boundary, field by field, as TypeScript names it.
//!
//! A test builds each of these objects in Rust and compares names, order and kinds, so the table cannot drift.

/// An object on the wire.
#[derive(Debug, Clone, Copy)]
pub struct Interface {
    /// Its name in TypeScript.
    pub name: &'static str,
    /// What it is.
    pub meaning: &'static str,
    /// Its fields, in the order in which they are written.
    pub fields: &'static [Field],
}

/// A field of an object.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its type in TypeScript.
    pub kind: &'static str,
    /// Whether it may be left out.
    pub optional: bool,
    /// What it is, where the name alone does not say.
    pub meaning: &'static str,
}

impl Interface {
    pub(super) fn write(&self, text: &mut String) {
        text.push_str(&format!("/** {} */\nexport interface {} {{\n", self.meaning, self.name));
        for field in self.fields {
            if !field.meaning.is_empty() {
                text.push_str(&format!("  /** {} */\n", field.meaning));
            }
            let mark = if field.optional { "?" } else { "" };
            let name = if field.name.contains('-') { format!("\"{}\"", field.name) } else { field.name.to_owned() };
            text.push_str(&format!("  {name}{mark}: {};\n", field.kind));
        }
        text.push_str("}\n\n");
    }
}

const fn must(name: &'static str, kind: &'static str, meaning: &'static str) -> Field {
    Field { name, kind, optional: false, meaning }
}

const fn may(name: &'static str, kind: &'static str, meaning: &'static str) -> Field {
    Field { name, kind, optional: true, meaning }
}

const fn interface(name: &'static str, meaning: &'static str, fields: &'static [Field]) -> Interface {
    Interface { name, meaning, fields }
}

/// Closed sets of words.
pub(super) const UNIONS: &[(&str, &str, &[&str])] = &[
    ("TokenState", "What the token says of its PIN.", &["ready", "pin-low", "pin-final-try", "locked", "uninitialised"]),
    ("Phase", "What an operation is doing.", &["consent", "pin", "signing"]),
    ("OutcomeState", "Where an operation stands.", &["unknown", "running", "done", "failed"]),
];

/// Every object, in the order in which they are written.
pub const INTERFACES: &[Interface] = &[
    interface("Failure", "What went wrong.", &[must("code", "Code", ""), may("facts", "Record<string, string>", "camelCase names; the words use them.")]),
    interface("TwoSentences", "What happened and what to do.", &[must("what", "string", ""), must("remedy", "string", "")]),
    interface("BothLanguages", "The two sentences in both languages.", &[must("zh-CN", "TwoSentences", ""), must("en", "TwoSentences", "")]),
    interface(
        "Told",
        "A failure with its words in one language.",
        &[
            must("code", "Code", ""),
            must("party", "Party", ""),
            must("facts", "Record<string, string>", ""),
            must("what", "string", ""),
            must("remedy", "string", ""),
        ],
    ),
    interface(
        "PageFailure",
        "A failure as a page gets it.",
        &[
            must("code", "Code", ""),
            must("party", "Party", ""),
            must("facts", "Record<string, string>", ""),
            must("what", "string", "In the user's language."),
            must("remedy", "string", "In the user's language."),
            must("words", "BothLanguages", ""),
        ],
    ),
    interface("HelloArguments", "The extension's first words.", &[must("protocol", "number", ""), must("extension", "string", "The extension's version.")]),
    interface(
        "HelloAnswer",
        "The host's first words.",
        &[
            must("protocol", "number", ""),
            must("host", "string", "The host's version."),
            must("developer", "boolean", "Whether loopback http origins are served."),
            must("platform", "string", "linux, macos or windows."),
        ],
    ),
    interface("StatusArguments", "Nothing is asked.", &[]),
    interface("StatusAnswer", "Everything that the host sees now.", &[must("modules", "ModuleInfo[]", ""), must("tokens", "TokenInfo[]", "")]),
    interface(
        "ModuleInfo",
        "A token driver (PKCS#11 module).",
        &[must("name", "string", ""), must("path", "string", ""), may("failure", "Failure", "Why it cannot be used.")],
    ),
    interface(
        "TokenInfo",
        "A token that is plugged in.",
        &[
            must("module", "string", ""),
            must("slot", "number", ""),
            must("label", "string", ""),
            must("serial", "string", ""),
            must("state", "TokenState", ""),
            must("protectedPath", "boolean", "The PIN is entered on the token or its reader."),
            must("certificates", "CertificateInfo[]", ""),
            must("seals", "SealInfo[]", ""),
        ],
    ),
    interface(
        "CertificateInfo",
        "A certificate on a token.",
        &[
            must("id", "string", "SHA-256 of the DER, 64 hexadecimal digits."),
            must("der", "string", "Standard base64."),
            must("chain", "string[]", "Issuers found on the token, nearest first; standard base64."),
            must("hasKey", "boolean", ""),
            must("label", "string", ""),
        ],
    ),
    interface(
        "SealInfo",
        "A seal on a token.",
        &[must("id", "string", "SHA-256 of the seal's bytes, 64 hexadecimal digits."), must("label", "string", ""), must("size", "number", "Bytes.")],
    ),
    interface(
        "BindArguments",
        "Binds a certificate to an account.",
        &[
            must("origin", "string", "From the browser, never from the page."),
            must("nonce", "string", ""),
            must("account", "string", ""),
            may("certificate", "string", "A certificate's id."),
        ],
    ),
    interface("BindAnswer", "The signed statement.", &[must("token", "string", "A compact JWS.")]),
    interface(
        "LoginArguments",
        "Signs a portal's challenge.",
        &[must("origin", "string", "From the browser, never from the page."), must("nonce", "string", ""), may("certificate", "string", "A certificate's id.")],
    ),
    interface("LoginAnswer", "The signed statement.", &[must("token", "string", "A compact JWS.")]),
    interface(
        "WebEidArguments",
        "Signs the challenge of a page that was written for Web eID.",
        &[must("origin", "string", "From the browser, never from the page."), must("nonce", "string", ""), may("certificate", "string", "A certificate's id.")],
    ),
    interface(
        "WebEidAnswer",
        "A token of Web eID.",
        &[
            must("unverifiedCertificate", "string", "DER, standard base64."),
            must("algorithm", "string", ""),
            must("signature", "string", "In JWS form, standard base64."),
            must("format", "string", "web-eid:1.0"),
            must("appVersion", "string", "An address that names the host and its version."),
        ],
    ),
    interface(
        "StampArguments",
        "Signs prepared documents in one consent.",
        &[
            must("origin", "string", "From the browser, never from the page."),
            must("certificate", "string", "A certificate's id."),
            must("seal", "string", "A seal's id."),
            must("documents", "StampDocument[]", ""),
        ],
    ),
    interface(
        "StampDocument",
        "One document of the list that the consent window shows.",
        &[
            must("name", "string", ""),
            must("size", "number", "Bytes of the original."),
            must("pages", "number", ""),
            must("digest", "string", "SHA-256 over the ByteRange, 43 characters of base64url."),
            must("place", "string", "Where the seal stands, for people."),
        ],
    ),
    interface("StampAnswer", "The signatures, in the order of the documents.", &[must("signatures", "string[]", "CMS in DER, standard base64.")]),
    interface("SealArguments", "Fetches a seal.", &[may("seal", "string", "A seal's id."), may("certificate", "string", "A certificate's id.")]),
    interface(
        "SealAnswer",
        "The seal and the certificate to stamp with.",
        &[must("seal", "string", "Standard base64."), must("id", "string", "SHA-256 of the seal's bytes."), must("certificate", "CertificateInfo", "")],
    ),
    interface("CancelArguments", "Closes an operation's dialog.", &[must("operation", "string", "An operation's id.")]),
    interface("CancelAnswer", "Taken note of.", &[]),
    interface("OutcomeArguments", "Asks what became of an operation.", &[must("operation", "string", "An operation's id.")]),
    interface(
        "OutcomeAnswer",
        "What the journal knows.",
        &[must("state", "OutcomeState", ""), may("ok", "unknown", "The operation's answer, when it is done."), may("failure", "Failure", "Why it failed.")],
    ),
];
