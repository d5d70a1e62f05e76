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
    ("KeyUse", "What a certificate may be used for.", &["login", "stamp", "encryption"]),
    ("GrantPurpose", "What a grant with a secret is wanted for.", &["activate", "unlock"]),
    (
        "EnvironmentLink",
        "A link of the chain that is examined.",
        &["configuration", "extension", "registration", "module", "token", "certificate", "seal", "dialog", "document", "clock", "record"],
    ),
    ("EnvironmentMark", "How a link is.", &["good", "warning", "broken", "unknown"]),
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
    interface(
        "TokenRef",
        "One token among those that are plugged in.",
        &[must("module", "string", ""), must("serial", "string", ""), may("slot", "number", "Where the serial number alone does not say which.")],
    ),
    interface("KeysArguments", "Asks for everything on all tokens.", &[may("known", "string", "The revision that the asker has already.")]),
    interface(
        "KeysAnswer",
        "All tokens, or that nothing has changed.",
        &[must("revision", "string", "Compared for equality only."), may("now", "Everything", "Left out where `known` is still right.")],
    ),
    interface("Everything", "What there is.", &[must("modules", "ModuleInfo[]", ""), must("tokens", "KeyToken[]", "")]),
    interface(
        "KeyToken",
        "A token that is plugged in.",
        &[
            must("token", "TokenRef", "How other verbs name it."),
            must("label", "string", ""),
            must("maker", "string", ""),
            must("model", "string", ""),
            must("state", "TokenState", ""),
            may("triesLeft", "number", "An upper bound, where the module's settings state a number."),
            must("officerLocked", "boolean", "Nobody can unlock it."),
            must("protectedPath", "boolean", "The PIN is entered on the token or its reader."),
            must("certificates", "KeyCertificate[]", ""),
            must("seals", "KeySeal[]", ""),
            may("activating", "string", "The number of a business whose activation was begun here and has not ended."),
        ],
    ),
    interface(
        "KeyCertificate",
        "A certificate, in what it says.",
        &[
            must("id", "string", "SHA-256 of the DER, 64 hexadecimal digits: its thumbprint."),
            must("serial", "string", "Hexadecimal."),
            must("organisation", "string", ""),
            may("unit", "string", ""),
            may("creditCode", "string", ""),
            must("issuer", "string", ""),
            must("notBefore", "number", "Unix seconds."),
            must("notAfter", "number", "Unix seconds."),
            must("uses", "KeyUse[]", ""),
            must("hasKey", "boolean", ""),
            must("test", "boolean", "Of a test authority."),
            must("siblings", "string[]", "Ids of the others on this token for the same key pair."),
        ],
    ),
    interface(
        "KeySeal",
        "A seal, in what it says.",
        &[
            must("id", "string", "SHA-256 of the seal's bytes."),
            must("name", "string", ""),
            must("kind", "string", "In the asker's language."),
            must("widthMicrometres", "number", "Thousandths of a millimetre."),
            must("heightMicrometres", "number", "Thousandths of a millimetre."),
            must("validFrom", "number", "Unix seconds."),
            must("validUntil", "number", "Unix seconds."),
            must("certificates", "string[]", "Ids of the certificates on this token that it names; empty: it needs to be made anew."),
            may("failure", "Failure", "Why it cannot be read."),
        ],
    ),
    interface("SealPictureArguments", "Fetches a seal's picture.", &[must("token", "TokenRef", ""), must("seal", "string", "A seal's id.")]),
    interface("SealPictureAnswer", "The picture.", &[must("format", "string", "Such as image/png."), must("picture", "string", "Standard base64.")]),
    interface("ExportCertificateArguments", "Fetches a certificate's bytes.", &[must("certificate", "string", "A certificate's id.")]),
    interface(
        "ExportCertificateAnswer",
        "The certificate.",
        &[must("der", "string", "Standard base64."), must("pem", "string", "With its issuers."), must("name", "string", "For the file, without ending.")],
    ),
    interface("ChangePinArguments", "Sets another PIN, asked in the host's window.", &[must("token", "TokenRef", "")]),
    interface("ChangePinAnswer", "The PIN was changed.", &[must("state", "TokenState", "")]),
    interface(
        "TokenRequestArguments",
        "Makes the request that a desk needs for a grant.",
        &[
            must("purpose", "GrantPurpose", ""),
            must("token", "TokenRef", ""),
            must("business", "string", "The business's number."),
            may("certificate", "string", "To unlock: the id of a certificate on the token."),
        ],
    ),
    interface(
        "TokenRequestAnswer",
        "The request.",
        &[
            must("request", "string", "For the desk, as it is."),
            may(
                "certificateRequest",
                "string",
                "An activation that had come so far before: PKCS#10 in DER, standard base64. Go on with it, without a setup grant.",
            ),
        ],
    ),
    interface(
        "UnlockArguments",
        "Sets a new PIN with a grant.",
        &[must("token", "TokenRef", ""), must("grant", "string", "The desk's answer to the host's last request.")],
    ),
    interface("UnlockAnswer", "The token has its new PIN.", &[must("state", "TokenState", "")]),
    interface(
        "ActivateArguments",
        "Sets a token up, up to the certificate request.",
        &[must("token", "TokenRef", ""), must("grant", "string", "The desk's answer to the host's last request.")],
    ),
    interface(
        "ActivateAnswer",
        "The certificate request.",
        &[must("request", "string", "PKCS#10 in DER, standard base64."), must("token", "TokenRef", "As it is named from now on.")],
    ),
    interface(
        "SealPartArguments",
        "Hands a seal over in parts.",
        &[
            must("seal", "string", "SHA-256 of the whole, 64 hexadecimal digits."),
            must("size", "number", "Bytes of the whole."),
            must("offset", "number", "Where this part begins."),
            must("part", "string", "Standard base64; empty to ask how much is there."),
        ],
    ),
    interface("SealPartAnswer", "How much of the seal the host has.", &[must("have", "number", "Bytes from the beginning.")]),
    interface(
        "InstallArguments",
        "Writes certificate and seal on a token.",
        &[
            must("token", "TokenRef", ""),
            may("grant", "string", "The activation or renewal grant; needed with a certificate."),
            may("certificate", "string", "DER, standard base64."),
            may("chain", "string[]", "Its issuers, nearest first; DER, standard base64."),
            may("seal", "string", "A seal that was handed over in parts."),
        ],
    ),
    interface("InstallAnswer", "What lies on the token now.", &[may("certificate", "string", "A certificate's id."), may("seal", "string", "A seal's id.")]),
    interface(
        "RecordArguments",
        "Asks for a page of the record of what was signed, newest first.",
        &[
            may("search", "string", "In whatever case."),
            may("before", "number", "Only entries with lower numbers."),
            must("limit", "number", "1 to RECORD_PAGE_MAX."),
        ],
    ),
    interface(
        "RecordAnswer",
        "A page of the record.",
        &[
            must("entries", "RecordEntry[]", "Newest first."),
            must("more", "boolean", "There are more with lower numbers."),
            must("total", "number", "Entries in the whole record."),
            may("brokenAt", "number", "The first entry that does not follow from the one before."),
        ],
    ),
    interface(
        "RecordEntry",
        "One thing that was signed, or done to a token.",
        &[
            must("number", "number", "From 1."),
            must("at", "number", "Unix seconds."),
            must("verb", "string", ""),
            may("origin", "string", ""),
            may("organisation", "string", ""),
            may("certificate", "string", ""),
            must("token", "string", "The token's serial number."),
            must("subjects", "RecordSubject[]", ""),
            may("failure", "Code", ""),
            must("line", "string", "As in the record's file; all lines, oldest first, are an export that can be checked."),
        ],
    ),
    interface("RecordSubject", "Something that an entry is about.", &[must("name", "string", ""), may("sha256", "string", "Of a document.")]),
    interface("EnvironmentArguments", "Nothing is asked.", &[]),
    interface(
        "EnvironmentAnswer",
        "The examination of this computer.",
        &[must("rows", "EnvironmentRow[]", ""), must("text", "string", "For the support, without personal data.")],
    ),
    interface(
        "EnvironmentRow",
        "One link and how it is, in the asker's language.",
        &[
            must("link", "EnvironmentLink", ""),
            must("mark", "EnvironmentMark", ""),
            must("title", "string", ""),
            must("subject", "string", ""),
            may("code", "Code", ""),
            must("what", "string", ""),
            must("remedy", "string", "Empty where there is nothing to do."),
        ],
    ),
];
