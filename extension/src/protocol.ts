// Messages, codes and words of Sealbridge. Generated from crates/protocol; do not edit.
// cargo run -p sealbridge-protocol --example typescript > extension/src/protocol.ts

/** The version of these messages. */
export const PROTOCOL = 1;
/** Most bytes of a message to the host. */
export const TO_HOST_MAX = 65536;
/** Most bytes of a message from the host. */
export const FROM_HOST_MAX = 1048576;
/** Longest deadline. */
export const DEADLINE_MAX_MS = 600000;
/** Most documents in one consent. */
export const DOCUMENTS_MAX = 50;
/** Most bytes of a seal. */
export const SEAL_MAX = 716800;
/** Longest origin. */
export const ORIGIN_MAX = 255;
/** Longest login or bind statement. */
export const STATEMENT_MAX = 32768;
/** Most bytes of one part of a seal on its way to the host. */
export const SEAL_PART_MAX = 45000;
/** Longest grant of a desk. */
export const GRANT_MAX = 8192;
/** Most entries of one page of the record. */
export const RECORD_PAGE_MAX = 100;
/** Shortest nonce, in characters. */
export const NONCE_MIN = 22;
/** Longest nonce, in characters. */
export const NONCE_MAX = 128;

/** A language that people are addressed in. */
export type Language =
  | "zh-CN"
  | "en";

/** Who can do something about a failure. */
export type Party =
  | "caller"
  | "environment"
  | "user"
  | "token"
  | "document"
  | "portal"
  | "sealbridge";

/** Every way in which a request can fail. */
export type Code =
  | "request-malformed"
  | "request-unknown-field"
  | "request-too-large"
  | "verb-unknown"
  | "version-too-old"
  | "command-malformed"
  | "origin-refused"
  | "origin-not-enabled"
  | "frame-refused"
  | "caller-refused"
  | "busy"
  | "grant-malformed"
  | "grant-untrusted"
  | "grant-expired"
  | "grant-mismatch"
  | "grant-used"
  | "operation-mismatch"
  | "operation-unknown"
  | "nonce-malformed"
  | "web-eid-nonce-malformed"
  | "web-eid-signing-refused"
  | "page-secret-refused"
  | "page-path-refused"
  | "page-image-refused"
  | "call-unsupported"
  | "account-malformed"
  | "too-many-documents"
  | "gesture-needed"
  | "too-many-cancels"
  | "extension-missing"
  | "extension-not-enabled"
  | "extension-stopped"
  | "host-missing"
  | "host-forbidden"
  | "host-lost"
  | "host-timeout"
  | "answer-malformed"
  | "manifest-missing"
  | "manifest-mismatch"
  | "binary-missing"
  | "configuration-malformed"
  | "install-failed"
  | "dialog-missing"
  | "dialog-failed"
  | "module-not-configured"
  | "module-missing"
  | "module-failed"
  | "module-crashed"
  | "module-hung"
  | "module-refused"
  | "journal-failed"
  | "journal-full"
  | "authority-missing"
  | "record-failed"
  | "record-broken"
  | "font-missing"
  | "service-address-refused"
  | "service-unreachable"
  | "desk-unreachable"
  | "desk-refused"
  | "desk-answer-malformed"
  | "service-timed-out"
  | "service-answer-too-large"
  | "service-answer-invalid"
  | "service-refused"
  | "timestamp-untrusted"
  | "certificate-status-unknown"
  | "cancelled"
  | "timed-out"
  | "pin-weak"
  | "pin-same"
  | "pin-mismatch"
  | "token-missing"
  | "token-removed"
  | "token-ambiguous"
  | "token-uninitialised"
  | "token-busy"
  | "token-error"
  | "pin-incorrect"
  | "pin-last-try"
  | "pin-locked"
  | "pin-length"
  | "pin-characters"
  | "pin-not-set"
  | "officer-locked"
  | "pin-on-pad"
  | "unlock-failed"
  | "token-in-use"
  | "token-full"
  | "certificate-other-key"
  | "written-differs"
  | "certificate-missing"
  | "certificate-ambiguous"
  | "certificate-unreadable"
  | "certificate-expired"
  | "certificate-not-yet-valid"
  | "certificate-encryption-only"
  | "certificate-key-usage"
  | "key-missing"
  | "key-unsupported"
  | "seal-missing"
  | "seal-ambiguous"
  | "seal-invalid"
  | "seal-other-certificate"
  | "seal-expired"
  | "seal-not-yet-valid"
  | "seal-too-large"
  | "signature-mismatch"
  | "not-pdf"
  | "pdf-truncated"
  | "pdf-damaged"
  | "pdf-password-needed"
  | "pdf-password-wrong"
  | "pdf-forbids-changes"
  | "pdf-over-budget"
  | "pdf-unsupported"
  | "page-missing"
  | "field-missing"
  | "field-signed"
  | "field-value"
  | "field-read-only"
  | "placement-needed"
  | "keyword-missing"
  | "pages-malformed"
  | "marks-on-signed"
  | "placement-outside"
  | "earlier-signature-would-break"
  | "file-in-use"
  | "document-changed"
  | "result-invalid"
  | "read-failed"
  | "write-failed"
  | "disk-full"
  | "output-exists"
  | "no-signature"
  | "document-not-valid"
  | "token-too-large"
  | "token-malformed"
  | "token-type"
  | "nonce-unknown"
  | "nonce-expired"
  | "audience-mismatch"
  | "algorithm-refused"
  | "signature-invalid"
  | "certificate-untrusted"
  | "certificate-revoked"
  | "revocation-unknown"
  | "statement-expired"
  | "statement-not-yet-valid"
  | "account-mismatch"
  | "credit-code-missing"
  | "credit-code-mismatch"
  | "account-already-bound"
  | "certificate-already-bound"
  | "not-bound"
  | "signer-mismatch"
  | "upload-too-large"
  | "portal-busy"
  | "api-key-refused"
  | "rate-limited"
  | "not-found"
  | "nonce-used"
  | "nonce-other-session"
  | "nonce-other-kind"
  | "nothing-bound"
  | "binding-suspended"
  | "renewal-same-certificate"
  | "renewal-old-key-needed"
  | "retention-not-over"
  | "upload-empty"
  | "upload-broken"
  | "upload-too-slow"
  | "storage-failed"
  | "internal";

/** What the token says of its PIN. */
export type TokenState =
  | "ready"
  | "pin-low"
  | "pin-final-try"
  | "locked"
  | "uninitialised";

/** What an operation is doing. */
export type Phase =
  | "consent"
  | "pin"
  | "signing";

/** What a certificate may be used for. */
export type KeyUse =
  | "login"
  | "stamp"
  | "encryption";

/** What a grant with a secret is wanted for. */
export type GrantPurpose =
  | "activate"
  | "unlock";

/** A link of the chain that is examined. */
export type EnvironmentLink =
  | "configuration"
  | "extension"
  | "registration"
  | "module"
  | "token"
  | "certificate"
  | "seal"
  | "dialog"
  | "document"
  | "clock"
  | "record";

/** How a link is. */
export type EnvironmentMark =
  | "good"
  | "warning"
  | "broken"
  | "unknown";

/** Where an operation stands. */
export type OutcomeState =
  | "unknown"
  | "running"
  | "done"
  | "failed";

/** What went wrong. */
export interface Failure {
  code: Code;
  /** camelCase names; the words use them. */
  facts?: Record<string, string>;
}

/** What happened and what to do. */
export interface TwoSentences {
  what: string;
  remedy: string;
}

/** The two sentences in both languages. */
export interface BothLanguages {
  "zh-CN": TwoSentences;
  en: TwoSentences;
}

/** A failure with its words in one language. */
export interface Told {
  code: Code;
  party: Party;
  facts: Record<string, string>;
  what: string;
  remedy: string;
}

/** A failure as a page gets it. */
export interface PageFailure {
  code: Code;
  party: Party;
  facts: Record<string, string>;
  /** In the user's language. */
  what: string;
  /** In the user's language. */
  remedy: string;
  words: BothLanguages;
}

/** The extension's first words. */
export interface HelloArguments {
  protocol: number;
  /** The extension's version. */
  extension: string;
}

/** The host's first words. */
export interface HelloAnswer {
  protocol: number;
  /** The host's version. */
  host: string;
  /** Whether loopback http origins are served. */
  developer: boolean;
  /** linux, macos or windows. */
  platform: string;
}

/** Nothing is asked. */
export interface StatusArguments {
}

/** Everything that the host sees now. */
export interface StatusAnswer {
  modules: ModuleInfo[];
  tokens: TokenInfo[];
}

/** A token driver (PKCS#11 module). */
export interface ModuleInfo {
  name: string;
  path: string;
  /** Why it cannot be used. */
  failure?: Failure;
}

/** A token that is plugged in. */
export interface TokenInfo {
  module: string;
  slot: number;
  label: string;
  serial: string;
  state: TokenState;
  /** The PIN is entered on the token or its reader. */
  protectedPath: boolean;
  certificates: CertificateInfo[];
  seals: SealInfo[];
}

/** A certificate on a token. */
export interface CertificateInfo {
  /** SHA-256 of the DER, 64 hexadecimal digits. */
  id: string;
  /** Standard base64. */
  der: string;
  /** Issuers found on the token, nearest first; standard base64. */
  chain: string[];
  hasKey: boolean;
  label: string;
}

/** A seal on a token. */
export interface SealInfo {
  /** SHA-256 of the seal's bytes, 64 hexadecimal digits. */
  id: string;
  label: string;
  /** Bytes. */
  size: number;
}

/** Binds a certificate to an account. */
export interface BindArguments {
  /** From the browser, never from the page. */
  origin: string;
  nonce: string;
  account: string;
  /** A certificate's id. */
  certificate?: string;
}

/** The signed statement. */
export interface BindAnswer {
  /** A compact JWS. */
  token: string;
}

/** Signs a portal's challenge. */
export interface LoginArguments {
  /** From the browser, never from the page. */
  origin: string;
  nonce: string;
  /** A certificate's id. */
  certificate?: string;
}

/** The signed statement. */
export interface LoginAnswer {
  /** A compact JWS. */
  token: string;
}

/** Signs the challenge of a page that was written for Web eID. */
export interface WebEidArguments {
  /** From the browser, never from the page. */
  origin: string;
  nonce: string;
  /** A certificate's id. */
  certificate?: string;
}

/** A token of Web eID. */
export interface WebEidAnswer {
  /** DER, standard base64. */
  unverifiedCertificate: string;
  algorithm: string;
  /** In JWS form, standard base64. */
  signature: string;
  /** web-eid:1.0 */
  format: string;
  /** An address that names the host and its version. */
  appVersion: string;
}

/** Signs prepared documents in one consent. */
export interface StampArguments {
  /** From the browser, never from the page. */
  origin: string;
  /** A certificate's id. */
  certificate: string;
  /** A seal's id. */
  seal: string;
  documents: StampDocument[];
}

/** One document of the list that the consent window shows. */
export interface StampDocument {
  name: string;
  /** Bytes of the original. */
  size: number;
  pages: number;
  /** SHA-256 over the ByteRange, 43 characters of base64url. */
  digest: string;
  /** Where the seal stands, for people. */
  place: string;
}

/** The signatures, in the order of the documents. */
export interface StampAnswer {
  /** CMS in DER, standard base64. */
  signatures: string[];
}

/** Fetches a seal. */
export interface SealArguments {
  /** A seal's id. */
  seal?: string;
  /** A certificate's id. */
  certificate?: string;
}

/** The seal and the certificate to stamp with. */
export interface SealAnswer {
  /** Standard base64. */
  seal: string;
  /** SHA-256 of the seal's bytes. */
  id: string;
  certificate: CertificateInfo;
}

/** Closes an operation's dialog. */
export interface CancelArguments {
  /** An operation's id. */
  operation: string;
}

/** Taken note of. */
export interface CancelAnswer {
}

/** Asks what became of an operation. */
export interface OutcomeArguments {
  /** An operation's id. */
  operation: string;
}

/** What the journal knows. */
export interface OutcomeAnswer {
  state: OutcomeState;
  /** The operation's answer, when it is done. */
  ok?: unknown;
  /** Why it failed. */
  failure?: Failure;
}

/** One token among those that are plugged in. */
export interface TokenRef {
  module: string;
  serial: string;
  /** Where the serial number alone does not say which. */
  slot?: number;
}

/** Asks for everything on all tokens. */
export interface KeysArguments {
  /** The revision that the asker has already. */
  known?: string;
}

/** All tokens, or that nothing has changed. */
export interface KeysAnswer {
  /** Compared for equality only. */
  revision: string;
  /** Left out where `known` is still right. */
  now?: Everything;
}

/** What there is. */
export interface Everything {
  modules: ModuleInfo[];
  tokens: KeyToken[];
}

/** A token that is plugged in. */
export interface KeyToken {
  /** How other verbs name it. */
  token: TokenRef;
  label: string;
  maker: string;
  model: string;
  state: TokenState;
  /** An upper bound, where the module's settings state a number. */
  triesLeft?: number;
  /** Nobody can unlock it. */
  officerLocked: boolean;
  /** The PIN is entered on the token or its reader. */
  protectedPath: boolean;
  certificates: KeyCertificate[];
  seals: KeySeal[];
  /** The number of a business whose activation was begun here and has not ended. */
  activating?: string;
}

/** A certificate, in what it says. */
export interface KeyCertificate {
  /** SHA-256 of the DER, 64 hexadecimal digits: its thumbprint. */
  id: string;
  /** Hexadecimal. */
  serial: string;
  organisation: string;
  unit?: string;
  creditCode?: string;
  issuer: string;
  /** Unix seconds. */
  notBefore: number;
  /** Unix seconds. */
  notAfter: number;
  uses: KeyUse[];
  hasKey: boolean;
  /** Of a test authority. */
  test: boolean;
  /** Ids of the others on this token for the same key pair. */
  siblings: string[];
}

/** A seal, in what it says. */
export interface KeySeal {
  /** SHA-256 of the seal's bytes. */
  id: string;
  name: string;
  /** In the asker's language. */
  kind: string;
  /** Thousandths of a millimetre. */
  widthMicrometres: number;
  /** Thousandths of a millimetre. */
  heightMicrometres: number;
  /** Unix seconds. */
  validFrom: number;
  /** Unix seconds. */
  validUntil: number;
  /** Ids of the certificates on this token that it names; empty: it needs to be made anew. */
  certificates: string[];
  /** Why it cannot be read. */
  failure?: Failure;
}

/** Fetches a seal's picture. */
export interface SealPictureArguments {
  token: TokenRef;
  /** A seal's id. */
  seal: string;
}

/** The picture. */
export interface SealPictureAnswer {
  /** Such as image/png. */
  format: string;
  /** Standard base64. */
  picture: string;
}

/** Fetches a certificate's bytes. */
export interface ExportCertificateArguments {
  /** A certificate's id. */
  certificate: string;
}

/** The certificate. */
export interface ExportCertificateAnswer {
  /** Standard base64. */
  der: string;
  /** With its issuers. */
  pem: string;
  /** For the file, without ending. */
  name: string;
}

/** Sets another PIN, asked in the host's window. */
export interface ChangePinArguments {
  token: TokenRef;
}

/** The PIN was changed. */
export interface ChangePinAnswer {
  state: TokenState;
}

/** Makes the request that a desk needs for a grant. */
export interface TokenRequestArguments {
  purpose: GrantPurpose;
  token: TokenRef;
  /** The business's number. */
  business: string;
  /** To unlock: the id of a certificate on the token. */
  certificate?: string;
}

/** The request. */
export interface TokenRequestAnswer {
  /** For the desk, as it is. */
  request: string;
  /** An activation that had come so far before: PKCS#10 in DER, standard base64. Go on with it, without a setup grant. */
  certificateRequest?: string;
}

/** Sets a new PIN with a grant. */
export interface UnlockArguments {
  token: TokenRef;
  /** The desk's answer to the host's last request. */
  grant: string;
}

/** The token has its new PIN. */
export interface UnlockAnswer {
  state: TokenState;
}

/** Sets a token up, up to the certificate request. */
export interface ActivateArguments {
  token: TokenRef;
  /** The desk's answer to the host's last request. */
  grant: string;
}

/** The certificate request. */
export interface ActivateAnswer {
  /** PKCS#10 in DER, standard base64. */
  request: string;
  /** As it is named from now on. */
  token: TokenRef;
}

/** Hands a seal over in parts. */
export interface SealPartArguments {
  /** SHA-256 of the whole, 64 hexadecimal digits. */
  seal: string;
  /** Bytes of the whole. */
  size: number;
  /** Where this part begins. */
  offset: number;
  /** Standard base64; empty to ask how much is there. */
  part: string;
}

/** How much of the seal the host has. */
export interface SealPartAnswer {
  /** Bytes from the beginning. */
  have: number;
}

/** Writes certificate and seal on a token. */
export interface InstallArguments {
  token: TokenRef;
  /** The activation or renewal grant; needed with a certificate. */
  grant?: string;
  /** DER, standard base64. */
  certificate?: string;
  /** Its issuers, nearest first; DER, standard base64. */
  chain?: string[];
  /** A seal that was handed over in parts. */
  seal?: string;
}

/** What lies on the token now. */
export interface InstallAnswer {
  /** A certificate's id. */
  certificate?: string;
  /** A seal's id. */
  seal?: string;
}

/** Asks for a page of the record of what was signed, newest first. */
export interface RecordArguments {
  /** In whatever case. */
  search?: string;
  /** Only entries with lower numbers. */
  before?: number;
  /** 1 to RECORD_PAGE_MAX. */
  limit: number;
}

/** A page of the record. */
export interface RecordAnswer {
  /** Newest first. */
  entries: RecordEntry[];
  /** There are more with lower numbers. */
  more: boolean;
  /** Entries in the whole record. */
  total: number;
  /** The first entry that does not follow from the one before. */
  brokenAt?: number;
}

/** One thing that was signed, or done to a token. */
export interface RecordEntry {
  /** From 1. */
  number: number;
  /** Unix seconds. */
  at: number;
  verb: string;
  origin?: string;
  organisation?: string;
  certificate?: string;
  /** The token's serial number. */
  token: string;
  subjects: RecordSubject[];
  failure?: Code;
  /** As in the record's file; all lines, oldest first, are an export that can be checked. */
  line: string;
}

/** Something that an entry is about. */
export interface RecordSubject {
  name: string;
  /** Of a document. */
  sha256?: string;
}

/** Nothing is asked. */
export interface EnvironmentArguments {
}

/** The examination of this computer. */
export interface EnvironmentAnswer {
  rows: EnvironmentRow[];
  /** For the support, without personal data. */
  text: string;
}

/** One link and how it is, in the asker's language. */
export interface EnvironmentRow {
  link: EnvironmentLink;
  mark: EnvironmentMark;
  title: string;
  subject: string;
  code?: Code;
  what: string;
  /** Empty where there is nothing to do. */
  remedy: string;
}

/** The verbs, each with what is asked and what is answered. */
export interface Verbs {
  hello: { arguments: HelloArguments; answer: HelloAnswer };
  status: { arguments: StatusArguments; answer: StatusAnswer };
  bind: { arguments: BindArguments; answer: BindAnswer };
  login: { arguments: LoginArguments; answer: LoginAnswer };
  "web-eid": { arguments: WebEidArguments; answer: WebEidAnswer };
  stamp: { arguments: StampArguments; answer: StampAnswer };
  seal: { arguments: SealArguments; answer: SealAnswer };
  cancel: { arguments: CancelArguments; answer: CancelAnswer };
  outcome: { arguments: OutcomeArguments; answer: OutcomeAnswer };
  keys: { arguments: KeysArguments; answer: KeysAnswer };
  "seal-picture": { arguments: SealPictureArguments; answer: SealPictureAnswer };
  "export-certificate": { arguments: ExportCertificateArguments; answer: ExportCertificateAnswer };
  "change-pin": { arguments: ChangePinArguments; answer: ChangePinAnswer };
  "token-request": { arguments: TokenRequestArguments; answer: TokenRequestAnswer };
  unlock: { arguments: UnlockArguments; answer: UnlockAnswer };
  activate: { arguments: ActivateArguments; answer: ActivateAnswer };
  "seal-part": { arguments: SealPartArguments; answer: SealPartAnswer };
  install: { arguments: InstallArguments; answer: InstallAnswer };
  record: { arguments: RecordArguments; answer: RecordAnswer };
  environment: { arguments: EnvironmentArguments; answer: EnvironmentAnswer };
}

export type Verb = keyof Verbs;

/** The verbs that only the extension's own pages may ask for: the host refuses them without `asker`. */
export const OWN_VERBS = [
  "keys",
  "seal-picture",
  "export-certificate",
  "change-pin",
  "token-request",
  "unlock",
  "activate",
  "seal-part",
  "install",
  "record",
  "environment",
] as const satisfies readonly Verb[];

export type OwnVerb = (typeof OWN_VERBS)[number];

/** What the extension sends to the host. */
export interface HostRequest<V extends Verb = Verb> {
  id: string;
  verb: V;
  language: Language;
  deadlineMs: number;
  /** Written by the background alone, for ports of the extension's own pages; left out otherwise. */
  asker?: "own-page";
  arguments: Verbs[V]["arguments"];
}

/** What comes from the host: an answer, a refusal, or an event. */
export type FromHost<V extends Verb = Verb> =
  | { id: string; ok: Verbs[V]["answer"] }
  | { id?: string; failure: Failure }
  | { id: string; event: { phase: Phase } }
  | { event: { tokens: "changed" } };

/** The two sentences of a code as templates: `{fact}` names a fact, `[…]` is left out when its fact is not known. */
export interface Template {
  party: Party;
  what: Record<Language, string>;
  remedy: Record<Language, string>;
}

export const WORDS: Readonly<Record<Code, Template>> = {
  "request-malformed": {
    party: "caller",
    what: { "zh-CN": "网页发出的请求格式不正确[：{detail}]。", "en": "The page sent a request that is not well formed[: {detail}]." },
    remedy: { "zh-CN": "请刷新网页后重试；如果仍然出现，请把本提示告诉网站的技术人员。", "en": "Reload the page and try again; if it happens again, show this message to the site's support." },
  },
  "request-unknown-field": {
    party: "caller",
    what: { "zh-CN": "网页发出的请求含有未知的内容[“{field}”]，已拒绝。", "en": "The page's request holds an unknown field[ “{field}”] and was refused." },
    remedy: { "zh-CN": "请刷新网页后重试；如果仍然出现，请把本提示告诉网站的技术人员。", "en": "Reload the page and try again; if it happens again, show this message to the site's support." },
  },
  "request-too-large": {
    party: "caller",
    what: { "zh-CN": "请求太大，已拒绝[（上限 {limit} 字节）]。", "en": "The request is too large and was refused[ (limit {limit} bytes)]." },
    remedy: { "zh-CN": "请减少一次处理的文件数量后重试；如果仍然出现，请告诉网站的技术人员。", "en": "Try again with fewer documents at a time; if it happens again, tell the site's support." },
  },
  "verb-unknown": {
    party: "caller",
    what: { "zh-CN": "不支持网页要求的操作[“{verb}”]。", "en": "The page asked for an operation that does not exist here[: “{verb}”]." },
    remedy: { "zh-CN": "请把印桥更新到最新版本后重试；如果仍然出现，请告诉网站的技术人员。", "en": "Update Sealbridge and try again; if it happens again, tell the site's support." },
  },
  "version-too-old": {
    party: "caller",
    what: { "zh-CN": "[{part}]版本太旧[（当前 {version}）]，无法与其他部分配合工作。", "en": "[{part}: ]the version is too old[ ({version})] to work with the other parts." },
    remedy: { "zh-CN": "请更新[{part}][到 {needed} 或更高版本]，然后重新打开浏览器。", "en": "Please update[ {part}][ to {needed} or later], then restart the browser." },
  },
  "command-malformed": {
    party: "caller",
    what: { "zh-CN": "命令行的写法不正确[：{detail}]。", "en": "The command line is not usable[: {detail}]." },
    remedy: { "zh-CN": "请运行 sealbridge --help 或 sealbridge <命令> --help 查看用法，改正后重试。", "en": "See sealbridge --help or sealbridge <verb> --help, correct it and try again." },
  },
  "origin-refused": {
    party: "caller",
    what: { "zh-CN": "这个网址不能使用印桥[：{origin}]。只有以 https:// 开头的正规网址才可以。", "en": "Sealbridge cannot be used from this address[: {origin}]. Only regular https:// sites can use it." },
    remedy: { "zh-CN": "请通过网站的正式网址（https://）重新打开本页面；如果网址本来就是这样，请告诉网站的技术人员。", "en": "Open the page again through the site's official https:// address, or tell the site's support." },
  },
  "origin-not-enabled": {
    party: "caller",
    what: { "zh-CN": "您还没有允许这个网站[（{origin}）]使用印桥。", "en": "You have not allowed this site[ ({origin})] to use Sealbridge yet." },
    remedy: { "zh-CN": "如果您信任这个网站，请点击浏览器工具栏上的印桥图标，选择【在此网站启用】，然后刷新网页。", "en": "If you trust the site, click the Sealbridge icon in the browser's toolbar, choose “Enable on this site”, then reload the page." },
  },
  "frame-refused": {
    party: "caller",
    what: { "zh-CN": "请求来自网页里嵌入的框架，已拒绝。为了您的安全，只有地址栏所显示的网站可以使用印桥。", "en": "The request came from a frame inside the page and was refused. For your safety only the site in the address bar can use Sealbridge." },
    remedy: { "zh-CN": "请在单独的窗口中打开该网站后重试；网站的技术人员应当在顶层页面中调用印桥。", "en": "Open that site in its own window and try again; its developers must call Sealbridge from the top page." },
  },
  "caller-refused": {
    party: "caller",
    what: { "zh-CN": "调用本机程序的不是印桥扩展[：{caller}]，已拒绝。", "en": "The native program was called by something other than the Sealbridge extension[: {caller}] and refused." },
    remedy: { "zh-CN": "请只使用从正式渠道安装的印桥扩展；如果您没有做过任何改动，请重新安装印桥。", "en": "Use only the Sealbridge extension from its official source; if you changed nothing, install Sealbridge again." },
  },
  "busy": {
    party: "caller",
    what: { "zh-CN": "上一个操作还没有完成。", "en": "Another operation is still going on." },
    remedy: { "zh-CN": "请先完成或取消正在进行的操作（可能有一个密码窗口被其他窗口挡住了），然后重试。", "en": "Finish or cancel it first (a PIN window may be hidden behind other windows), then try again." },
  },
  "grant-malformed": {
    party: "caller",
    what: { "zh-CN": "发证机构的许可格式不正确[：{detail}]。", "en": "The authority's grant is not well formed[: {detail}]." },
    remedy: { "zh-CN": "请刷新页面后重试；如果仍然出现，请联系发证机构的客服。", "en": "Reload the page and try again; if it happens again, contact the authority's support." },
  },
  "grant-untrusted": {
    party: "caller",
    what: { "zh-CN": "这个许可不是本机所信任的发证机构签发的[：{detail}]，已拒绝。", "en": "The grant was not signed by an authority that this computer trusts[: {detail}] and was refused." },
    remedy: { "zh-CN": "请确认您在发证机构的正式网站上办理；仍有疑问请联系管理员。", "en": "Make sure that you are on the authority's official site; if in doubt ask the administrator." },
  },
  "grant-expired": {
    party: "caller",
    what: { "zh-CN": "发证机构的许可已经过期，或者电脑的时间不对。", "en": "The authority's grant has expired, or this computer's clock is wrong." },
    remedy: { "zh-CN": "请再点一次，会自动取得新的许可；如果仍然出现，请校准电脑的时间。", "en": "Repeat the step, which fetches a new grant; if it happens again, set this computer's clock." },
  },
  "grant-mismatch": {
    party: "caller",
    what: { "zh-CN": "发证机构的许可与这次操作不符[（{what}）]，已拒绝。", "en": "The authority's grant does not fit this operation[ ({what})] and was refused." },
    remedy: { "zh-CN": "请确认插入的是这次业务的 Key，然后重新开始。", "en": "Make sure that the key of this business is inserted, then start again." },
  },
  "grant-used": {
    party: "caller",
    what: { "zh-CN": "这个许可已经使用过，或者本机程序已经重新启动，不能再用。", "en": "This grant was used before, or the Sealbridge program was restarted since; it is of no use any more." },
    remedy: { "zh-CN": "请再点一次，会自动取得新的许可。", "en": "Repeat the step, which fetches a new grant." },
  },
  "operation-mismatch": {
    party: "caller",
    what: { "zh-CN": "同一个操作编号被用于不同的内容，已拒绝。", "en": "One operation id was used for two different requests; the second was refused." },
    remedy: { "zh-CN": "请刷新网页后重新开始；如果仍然出现，请告诉网站的技术人员。", "en": "Reload the page and start again; if it happens again, tell the site's support." },
  },
  "operation-unknown": {
    party: "caller",
    what: { "zh-CN": "找不到这个操作的记录。", "en": "There is no record of this operation." },
    remedy: { "zh-CN": "它可能从未开始，或者记录已经过期。请重新操作一次。", "en": "It may never have started, or its record has expired. Please do it again." },
  },
  "nonce-malformed": {
    party: "caller",
    what: { "zh-CN": "网站给出的随机数不符合要求（应为 22 到 128 个 base64url 字符）。", "en": "The site's challenge is not acceptable (it must be 22 to 128 base64url characters)." },
    remedy: { "zh-CN": "请刷新网页后重试；如果仍然出现，请告诉网站的技术人员。", "en": "Reload the page and try again; if it happens again, tell the site's support." },
  },
  "web-eid-nonce-malformed": {
    party: "caller",
    what: { "zh-CN": "网站给出的 Web eID 随机数不符合要求（应为 44 到 128 个 base64 字符）。", "en": "The site's Web eID challenge is not acceptable (it must be 44 to 128 base64 characters)." },
    remedy: { "zh-CN": "请刷新网页后重试；如果仍然出现，请告诉网站的技术人员。", "en": "Reload the page and try again; if it happens again, tell the site's support." },
  },
  "web-eid-signing-refused": {
    party: "caller",
    what: { "zh-CN": "网站用 Web eID 的方式要求签一个摘要值，已拒绝：印桥只签您看得到内容的文件。", "en": "The site asked for Web eID's signature over a hash and was refused: Sealbridge only signs documents that you can see." },
    remedy: { "zh-CN": "登录不受影响；如果要在文件上签名或盖章，请网站的技术人员改用印桥自己的接口（stamp）。", "en": "Logging in is not affected; to sign or stamp documents the site's developers must use Sealbridge's own call (stamp)." },
  },
  "page-secret-refused": {
    party: "caller",
    what: { "zh-CN": "网页交来了密码[（{field}）]，已拒绝：密码（PIN）只能在印桥自己的窗口中输入。", "en": "The page handed over a password[ ({field})] and was refused: the PIN is only ever entered in Sealbridge's own window." },
    remedy: { "zh-CN": "请不要在网页中输入 USB Key 的密码；请网站的技术人员去掉这一项。", "en": "Do not enter the key's PIN into a web page; the site's developers must leave this field out." },
  },
  "page-path-refused": {
    party: "caller",
    what: { "zh-CN": "网页指定了本机的文件路径[（{field}）]，已拒绝：网页不能读写您电脑上的文件。", "en": "The page named a path on this computer[ ({field})] and was refused: pages do not read or write your files." },
    remedy: { "zh-CN": "请网站的技术人员改为交出文件内容本身。", "en": "The site's developers must hand over the document itself." },
  },
  "page-image-refused": {
    party: "caller",
    what: { "zh-CN": "网页交来了印章图片[（{field}）]，已拒绝：印章只能来自您的 USB Key。", "en": "The page handed over a picture of a seal[ ({field})] and was refused: seals only come from your key." },
    remedy: { "zh-CN": "请网站的技术人员去掉这一项。", "en": "The site's developers must leave this field out." },
  },
  "call-unsupported": {
    party: "caller",
    what: { "zh-CN": "网页使用了旧接口的功能[“{verb}”]，印桥没有对应的功能。", "en": "The page used a function of the old interface[, “{verb}”,] that Sealbridge has nothing for." },
    remedy: { "zh-CN": "请网站的技术人员参照迁移指南修改网页。", "en": "The site's developers can find what to use instead in the migration guide." },
  },
  "account-malformed": {
    party: "caller",
    what: { "zh-CN": "网站给出的账号不符合要求（1 到 128 个字符，不能含有控制字符）。", "en": "The site's account name is not acceptable (1 to 128 characters, no control characters)." },
    remedy: { "zh-CN": "请刷新网页后重试；如果仍然出现，请告诉网站的技术人员。", "en": "Reload the page and try again; if it happens again, tell the site's support." },
  },
  "too-many-documents": {
    party: "caller",
    what: { "zh-CN": "一次要盖章的文件太多[（{count} 份）]。为了让您能逐一看清，每次的数量有上限[（{limit} 份）]。", "en": "Too many documents at once[ ({count})]; so that you can read the list, there is a limit[ of {limit}] for each time." },
    remedy: { "zh-CN": "请分几次盖章。", "en": "Please stamp them in several rounds." },
  },
  "gesture-needed": {
    party: "caller",
    what: { "zh-CN": "网页没有等您点击就要使用 USB Key，已拒绝。", "en": "The page wanted to use your USB key without a click of yours and was refused." },
    remedy: { "zh-CN": "请点击网页上的按钮（如【CA登录】）后再试；如果刚刚点击过，请再点击一次。", "en": "Click the page's button (such as “CA login”) and try again; if you have just clicked, click once more." },
  },
  "too-many-cancels": {
    party: "caller",
    what: { "zh-CN": "这个网站[（{origin}）]的请求已被连续取消多次，暂停使用印桥[，还有 {seconds} 秒]。", "en": "Requests of this site[ ({origin})] were cancelled several times in a row, so it may not use Sealbridge for a while[: {seconds} more seconds]." },
    remedy: { "zh-CN": "请稍后再试；如果是您本人要操作，可以点击浏览器工具栏上的印桥图标，选择【立即恢复】。", "en": "Try again later; if you want to go on now, click the Sealbridge icon in the browser's toolbar and choose “Resume now”." },
  },
  "extension-missing": {
    party: "environment",
    what: { "zh-CN": "这个浏览器[（{browser}）]还没有安装印桥扩展，或者扩展被停用了。", "en": "The Sealbridge extension is not installed in this browser[ ({browser})], or it is switched off." },
    remedy: { "zh-CN": "请安装或启用印桥扩展，然后刷新本页面。", "en": "Install or enable the Sealbridge extension, then reload this page." },
  },
  "extension-not-enabled": {
    party: "environment",
    what: { "zh-CN": "印桥扩展已经安装，但还没有在这个网站[（{origin}）]上启用。", "en": "The Sealbridge extension is installed but not enabled on this site[ ({origin})]." },
    remedy: { "zh-CN": "请点击浏览器工具栏上的印桥图标，选择【在此网站启用】，然后刷新本页面。", "en": "Click the Sealbridge icon in the browser's toolbar, choose “Enable on this site”, then reload this page." },
  },
  "extension-stopped": {
    party: "environment",
    what: { "zh-CN": "印桥扩展在操作过程中被浏览器停止或更新了。", "en": "The browser stopped or updated the Sealbridge extension during the operation." },
    remedy: { "zh-CN": "请刷新本页面后重试；已经完成的签名不会重复。", "en": "Reload this page and try again; a signature that was finished is not made twice." },
  },
  "host-missing": {
    party: "environment",
    what: { "zh-CN": "没有找到印桥本机程序[（{path}）]。扩展需要它才能使用 USB Key。", "en": "The Sealbridge program is not installed on this computer[ ({path})]. The extension needs it to use your USB key." },
    remedy: { "zh-CN": "请下载并安装印桥本机程序（驱动安装页面），安装后重新打开浏览器。", "en": "Download and install the Sealbridge program (see Drivers), then restart the browser." },
  },
  "host-forbidden": {
    party: "environment",
    what: { "zh-CN": "浏览器不允许这个扩展[（{extension}）]启动印桥本机程序。", "en": "The browser does not let this extension[ ({extension})] start the Sealbridge program." },
    remedy: { "zh-CN": "请运行 sealbridge doctor 查看原因，或重新安装印桥；单位统一管理的电脑请联系管理员。", "en": "Run “sealbridge doctor” to see why, or install Sealbridge again; on a managed computer ask the administrator." },
  },
  "host-lost": {
    party: "environment",
    what: { "zh-CN": "印桥本机程序在操作过程中意外结束。", "en": "The Sealbridge program ended unexpectedly during the operation." },
    remedy: { "zh-CN": "请重试。已经完成的签名会被找回，不会重复签名；如果反复出现，请运行 sealbridge doctor。", "en": "Please try again. A finished signature is recovered and never made twice; if it keeps happening, run “sealbridge doctor”." },
  },
  "host-timeout": {
    party: "environment",
    what: { "zh-CN": "印桥本机程序没有在规定时间内回答。", "en": "The Sealbridge program did not answer in time." },
    remedy: { "zh-CN": "请拔下并重新插入 USB Key 后重试；如果反复出现，请运行 sealbridge doctor。", "en": "Unplug the USB key, plug it in again and retry; if it keeps happening, run “sealbridge doctor”." },
  },
  "answer-malformed": {
    party: "environment",
    what: { "zh-CN": "印桥本机程序的回答无法识别[：{detail}]。", "en": "The Sealbridge program gave an answer that cannot be understood[: {detail}]." },
    remedy: { "zh-CN": "请把印桥扩展和本机程序都更新到最新版本。", "en": "Update both the Sealbridge extension and the Sealbridge program." },
  },
  "manifest-missing": {
    party: "environment",
    what: { "zh-CN": "印桥本机程序还没有在浏览器[ {browser} ]中登记[（缺少 {path}）]。", "en": "The Sealbridge program is not registered with the browser[ {browser}][ ({path} is missing)]." },
    remedy: { "zh-CN": "请运行 sealbridge install，然后重新打开浏览器。", "en": "Run “sealbridge install”, then restart the browser." },
  },
  "manifest-mismatch": {
    party: "environment",
    what: { "zh-CN": "浏览器[ {browser} ]中的登记与印桥不符[（{path}）][：{detail}]。", "en": "The registration with the browser[ {browser}] does not fit Sealbridge[ ({path})][: {detail}]." },
    remedy: { "zh-CN": "请运行 sealbridge install 重新登记，然后重新打开浏览器。", "en": "Run “sealbridge install” to register again, then restart the browser." },
  },
  "binary-missing": {
    party: "environment",
    what: { "zh-CN": "登记的印桥本机程序文件不存在或无法运行[：{path}]。", "en": "The registered Sealbridge program file is missing or cannot be run[: {path}]." },
    remedy: { "zh-CN": "请重新安装印桥。", "en": "Install Sealbridge again." },
  },
  "configuration-malformed": {
    party: "environment",
    what: { "zh-CN": "印桥的配置文件有误[（{path}）][：{detail}]。", "en": "The Sealbridge configuration file is wrong[ ({path})][: {detail}]." },
    remedy: { "zh-CN": "请改正配置文件，或联系安装印桥的管理员。", "en": "Correct the file, or ask the administrator who installed Sealbridge." },
  },
  "install-failed": {
    party: "environment",
    what: { "zh-CN": "登记没有成功[（{path}）][：{detail}]。", "en": "The registration did not succeed[ ({path})][: {detail}]." },
    remedy: { "zh-CN": "请检查该位置的写入权限后重试，或联系管理员。", "en": "Check that the place can be written to and try again, or ask the administrator." },
  },
  "dialog-missing": {
    party: "environment",
    what: { "zh-CN": "找不到可以输入密码（PIN）的窗口程序。", "en": "There is no program that can show the PIN window." },
    remedy: { "zh-CN": "请安装 pinentry（例如 pinentry-gnome3 或 pinentry-qt）后重试。", "en": "Install pinentry (for example pinentry-gnome3 or pinentry-qt) and try again." },
  },
  "dialog-failed": {
    party: "environment",
    what: { "zh-CN": "密码窗口无法打开[（{program}）][：{detail}]。", "en": "The PIN window could not be opened[ ({program})][: {detail}]." },
    remedy: { "zh-CN": "请确认您已登录到图形桌面后重试；如果反复出现，请运行 sealbridge doctor。", "en": "Make sure that you are logged in to a desktop and try again; if it keeps happening, run “sealbridge doctor”." },
  },
  "module-not-configured": {
    party: "environment",
    what: { "zh-CN": "还没有设置 USB Key 的驱动。", "en": "No driver for a USB key has been set up." },
    remedy: { "zh-CN": "请安装 USB Key 的驱动，并在印桥配置文件中写明驱动文件的位置；不清楚时请联系 CA 机构客服。", "en": "Install the key's driver and name its file in the Sealbridge configuration; ask the CA's support if unsure." },
  },
  "module-missing": {
    party: "environment",
    what: { "zh-CN": "找不到 USB Key 的驱动文件[“{module}”][（{path}）]。", "en": "The USB key's driver file is missing[: “{module}”][ ({path})]." },
    remedy: { "zh-CN": "请重新安装 USB Key 的驱动，然后重试。", "en": "Install the key's driver again, then retry." },
  },
  "module-failed": {
    party: "environment",
    what: { "zh-CN": "USB Key 的驱动[“{module}”]无法加载[（{path}）][：{detail}]。", "en": "The USB key's driver[ “{module}”] cannot be loaded[ ({path})][: {detail}]." },
    remedy: { "zh-CN": "请安装与本机系统相符（64 位）的最新驱动，然后重试。", "en": "Install the latest driver for this system (64 bit), then retry." },
  },
  "module-crashed": {
    party: "environment",
    what: { "zh-CN": "USB Key 的驱动[“{module}”]异常退出，操作没有完成。", "en": "The USB key's driver[ “{module}”] crashed; the operation was not finished." },
    remedy: { "zh-CN": "请拔下并重新插入 USB Key 后重试；如果反复出现，请更新驱动。", "en": "Unplug the key, plug it in again and retry; if it keeps happening, update the driver." },
  },
  "module-hung": {
    party: "environment",
    what: { "zh-CN": "USB Key 的驱动[“{module}”]没有响应，已被结束。", "en": "The USB key's driver[ “{module}”] stopped answering and was ended." },
    remedy: { "zh-CN": "请拔下并重新插入 USB Key 后重试；如果反复出现，请更新驱动。", "en": "Unplug the key, plug it in again and retry; if it keeps happening, update the driver." },
  },
  "module-refused": {
    party: "environment",
    what: { "zh-CN": "为了安全，没有加载 USB Key 的驱动[“{module}”][（{path}）][：{detail}]。", "en": "For safety the USB key's driver[ “{module}”] was not loaded[ ({path})][: {detail}]." },
    remedy: { "zh-CN": "驱动文件必须写绝对路径，并且只有管理员可以修改。请联系管理员。", "en": "A driver must be named by its absolute path and be writable by the administrator only. Ask the administrator." },
  },
  "journal-failed": {
    party: "environment",
    what: { "zh-CN": "无法保存操作记录[（{path}）][：{detail}]，因此没有签名。", "en": "The record of the operation could not be saved[ ({path})][: {detail}], so nothing was signed." },
    remedy: { "zh-CN": "请检查磁盘空间和文件夹权限后重试。", "en": "Check the disk space and the folder's permissions, then try again." },
  },
  "journal-full": {
    party: "environment",
    what: { "zh-CN": "短时间内的操作太多，本机的操作记录已满[（上限 {limit} 条）]，为避免重复签名已停止。", "en": "There were too many operations in a short time and this computer's journal is full[ (limit {limit})]; to sign nothing twice it stops here." },
    remedy: { "zh-CN": "请等十分钟后重试。", "en": "Wait ten minutes, then try again." },
  },
  "authority-missing": {
    party: "environment",
    what: { "zh-CN": "本机没有设置可信的发证机构，不能激活、解锁或安装证书。", "en": "No certification authority is set up on this computer, so keys cannot be activated, unlocked or given certificates." },
    remedy: { "zh-CN": "请联系安装印桥的管理员，在配置文件中加入发证机构的证书。", "en": "Ask the administrator who installed Sealbridge to add the authority's certificate to the configuration." },
  },
  "record-failed": {
    party: "environment",
    what: { "zh-CN": "签名记录无法写入或读取[（{path}）][：{detail}]。", "en": "The record of what was signed cannot be written or read[ ({path})][: {detail}]." },
    remedy: { "zh-CN": "请检查磁盘空间和权限后重试，或联系管理员。", "en": "Check disk space and permissions and try again, or ask the administrator." },
  },
  "record-broken": {
    party: "environment",
    what: { "zh-CN": "签名记录被改动过[：从第 {entry} 条起与前面的内容不衔接]。", "en": "The record of what was signed was changed[: from entry {entry} on it does not follow from what stands before]." },
    remedy: { "zh-CN": "请保留记录文件，不要修改，并联系管理员。", "en": "Keep the file as it is and contact the administrator." },
  },
  "font-missing": {
    party: "environment",
    what: { "zh-CN": "填写中文或日期需要一种中文字体，本机没有找到[（找过 {fonts}）]。", "en": "Chinese text or a date needs a Chinese font, and none was found on this computer[ (looked for {fonts})]." },
    remedy: { "zh-CN": "请安装一种中文字体（例如文泉驿微米黑或思源黑体），或用 --font 指定字体文件。", "en": "Install a Chinese font (WenQuanYi Micro Hei or Noto Sans CJK, for example), or name a font file with --font." },
  },
  "service-address-refused": {
    party: "environment",
    what: { "zh-CN": "[{service} ]服务的网址不能使用[：{address}][（{detail}）]。", "en": "The address of the[ {service}] service cannot be used[: {address}][ ({detail})]." },
    remedy: { "zh-CN": "时间戳和证书状态服务只支持 http:// 网址（应答本身带有签名）；请核对网址，或向 CA 机构客服索取 http:// 网址。", "en": "Services for timestamps and certificate status are asked over http:// only, because their answers are signed; check the address, or ask the CA's support for one with http://." },
  },
  "service-unreachable": {
    party: "environment",
    what: { "zh-CN": "无法连接[ {service} ]服务[：{address}][（{detail}）]。", "en": "The[ {service}] service cannot be reached[: {address}][ ({detail})]." },
    remedy: { "zh-CN": "请检查网络后重试；已盖好的章不受影响，稍后可以用 sealbridge extend 补上时间戳和证书状态。", "en": "Check the network and try again; a stamp that was made is kept, and sealbridge extend adds timestamp and certificate status later." },
  },
  "desk-unreachable": {
    party: "environment",
    what: { "zh-CN": "无法连接 CA 的办理网站[（{address}）]。", "en": "The authority's desk cannot be reached[ ({address})]." },
    remedy: { "zh-CN": "请检查网址和网络，然后点同一个按钮继续；已经办好的步骤不会重做。", "en": "Check the address and the network, then press the same button to go on; what is done is not done again." },
  },
  "desk-refused": {
    party: "environment",
    what: { "zh-CN": "CA 的办理网站没有放行[（{reason}）][：{what}]。", "en": "The authority's desk did not go on[ ({reason})][: {what}]." },
    remedy: { "zh-CN": "[{remedy}]处理好后，点同一个按钮继续。", "en": "[{remedy} ]Then press the same button to go on." },
  },
  "desk-answer-malformed": {
    party: "environment",
    what: { "zh-CN": "CA 的办理网站[（{address}）]给出的答复看不懂[（{detail}）]。", "en": "The answer of the authority's desk[ ({address})] cannot be understood[ ({detail})]." },
    remedy: { "zh-CN": "请核对网址是不是 CA 提供的办理网址；网址无误时请联系 CA 的客服。", "en": "Check that the address is the one the authority gave you; if it is, contact the authority's support." },
  },
  "service-timed-out": {
    party: "environment",
    what: { "zh-CN": "[{service} ]服务没有在[ {seconds} 秒的]时限内应答[：{address}]。", "en": "The[ {service}] service did not answer in time[ ({seconds} s)][: {address}]." },
    remedy: { "zh-CN": "请稍后重试，或用 --patience 延长等待时间；已盖好的章不受影响，稍后可以用 sealbridge extend 补上时间戳和证书状态。", "en": "Try again later, or wait longer with --patience; a stamp that was made is kept, and sealbridge extend adds timestamp and certificate status later." },
  },
  "service-answer-too-large": {
    party: "environment",
    what: { "zh-CN": "[{service} ]服务的应答太大，已拒绝[（上限 {limit} 字节）][：{address}]。", "en": "The answer of the[ {service}] service is too large and was refused[ (limit {limit} bytes)][: {address}]." },
    remedy: { "zh-CN": "请核对服务的网址；如果网址正确，请告诉 CA 机构客服。", "en": "Check the service's address; if it is right, tell the CA's support." },
  },
  "service-answer-invalid": {
    party: "environment",
    what: { "zh-CN": "[{service} ]服务的应答无效，未采用[：{address}][（{detail}）]。", "en": "The answer of the[ {service}] service is not valid and was not relied on[: {address}][ ({detail})]." },
    remedy: { "zh-CN": "请核对服务的网址；如果网址正确，请告诉 CA 机构客服。", "en": "Check the service's address; if it is right, tell the CA's support." },
  },
  "service-refused": {
    party: "environment",
    what: { "zh-CN": "[{service} ]服务拒绝了请求[：{address}][（{detail}）]。", "en": "The[ {service}] service refused the request[: {address}][ ({detail})]." },
    remedy: { "zh-CN": "请稍后重试；如果仍然被拒绝，请联系提供该服务的机构。", "en": "Try again later; if it is refused again, ask whoever runs the service." },
  },
  "timestamp-untrusted": {
    party: "environment",
    what: { "zh-CN": "时间戳机构[“{authority}”]不受信任[：{detail}]。", "en": "The timestamping authority[ “{authority}”] is not trusted[: {detail}]." },
    remedy: { "zh-CN": "请用 --trust 指定该时间戳机构的根证书，或换用受信任的时间戳服务。", "en": "Name its root certificate with --trust, or use a timestamping service that is trusted." },
  },
  "certificate-status-unknown": {
    party: "environment",
    what: { "zh-CN": "无法获得证书[“{certificate}”]是否被吊销的信息[：{detail}]。", "en": "Nothing usable can be had on whether the certificate[ “{certificate}”] was revoked[: {detail}]." },
    remedy: { "zh-CN": "请稍后重试；如果一直如此，请联系颁发该证书的 CA 机构。", "en": "Try again later; if it lasts, ask the CA that issued the certificate." },
  },
  "cancelled": {
    party: "user",
    what: { "zh-CN": "您取消了操作，没有签名。", "en": "You cancelled; nothing was signed." },
    remedy: { "zh-CN": "需要时可以重新开始。", "en": "You can start again whenever you like." },
  },
  "timed-out": {
    party: "user",
    what: { "zh-CN": "等待时间已过[（{seconds} 秒）]，操作已取消，没有签名。", "en": "The time for your answer ran out[ ({seconds} seconds)]; nothing was signed." },
    remedy: { "zh-CN": "请重新开始，并在时限内确认并输入密码（PIN）。", "en": "Start again, and confirm and enter the PIN in time." },
  },
  "pin-weak": {
    party: "user",
    what: { "zh-CN": "新密码不符合要求：至少 8 位，并且要有大写字母、小写字母、数字和特殊字符。", "en": "The new PIN does not meet the rule: at least 8 characters, with upper and lower case letters, digits and special characters." },
    remedy: { "zh-CN": "请另选一个密码；不要使用生日、电话号码或者原来的密码。", "en": "Choose another one; no birthday, no telephone number, not the PIN that you had." },
  },
  "pin-same": {
    party: "user",
    what: { "zh-CN": "新密码与原来的密码（或出厂密码）相同。", "en": "The new PIN is the one that was set before, or the key's default." },
    remedy: { "zh-CN": "请另选一个密码。", "en": "Choose another one." },
  },
  "pin-mismatch": {
    party: "user",
    what: { "zh-CN": "两次输入的新密码不一致，密码没有更改。", "en": "The new PIN was not the same both times; nothing was changed." },
    remedy: { "zh-CN": "请重新操作，两次输入相同的新密码。", "en": "Do it again and type the same new PIN twice." },
  },
  "token-missing": {
    party: "token",
    what: { "zh-CN": "没有检测到 USB Key。", "en": "No USB key was found." },
    remedy: { "zh-CN": "请插入 USB Key，等指示灯亮起后重试；如果已经插好，请换一个 USB 接口或重新安装驱动。", "en": "Plug in the USB key, wait for its light and try again; if it is plugged in, try another port or install its driver again." },
  },
  "token-removed": {
    party: "token",
    what: { "zh-CN": "USB Key 在操作过程中被拔出，操作没有完成。", "en": "The USB key was pulled out during the operation, which was not finished." },
    remedy: { "zh-CN": "请重新插入 USB Key，然后重新操作；完成之前不要拔出。", "en": "Plug it in again and repeat the operation; leave the key in until it is done." },
  },
  "token-ambiguous": {
    party: "token",
    what: { "zh-CN": "同时插入了多个 USB Key[（{count} 个）][：{tokens}]。", "en": "More than one USB key is plugged in[ ({count})][: {tokens}]." },
    remedy: { "zh-CN": "请只保留要使用的那一个，或者选择其中的证书，然后重试。", "en": "Leave only the one that you want to use, or choose its certificate, then try again." },
  },
  "token-uninitialised": {
    party: "token",
    what: { "zh-CN": "这个 USB Key[“{token}”]是空白的，还没有激活。", "en": "This USB key[ “{token}”] is blank: it has not been activated." },
    remedy: { "zh-CN": "请先点击浏览器上的印桥图标，打开【钥匙中心】，在主页点击【激活证书】，激活后再使用。", "en": "First click Sealbridge's icon in the browser, open “Key centre”, and choose “Activate certificate” there." },
  },
  "token-busy": {
    party: "token",
    what: { "zh-CN": "USB Key[“{token}”]正在被其他程序使用。", "en": "The USB key[ “{token}”] is in use by another program." },
    remedy: { "zh-CN": "请关闭其他正在使用 USB Key 的程序，然后重试。", "en": "Close other programs that use the key, then try again." },
  },
  "token-error": {
    party: "token",
    what: { "zh-CN": "USB Key 报告了错误[（{function}：{rv}）]，操作没有完成。", "en": "The USB key reported an error[ ({function}: {rv})]; the operation was not finished." },
    remedy: { "zh-CN": "请拔下并重新插入 USB Key 后重试；如果仍然出现，请把括号中的内容告诉 CA 机构客服。", "en": "Unplug the key, plug it in again and retry; if it happens again, tell the CA's support what stands in brackets." },
  },
  "pin-incorrect": {
    party: "token",
    what: { "zh-CN": "密码（PIN）不正确[，还可以再试 {triesLeft} 次]。", "en": "The PIN is not correct[; tries left: {triesLeft}]." },
    remedy: { "zh-CN": "请核对后重新输入，注意大小写。次数用完后 USB Key 会被锁定；想不起密码时请不要继续尝试，可办理【忘记密码】。", "en": "Check it and enter it again, minding upper and lower case. The key locks when no tries are left; if you do not remember the PIN, stop and apply under “Forgot PIN”." },
  },
  "pin-last-try": {
    party: "token",
    what: { "zh-CN": "只剩最后一次机会：密码（PIN）再输错一次，USB Key 就会被锁定。", "en": "One try is left: if the PIN is wrong once more, the USB key will be locked." },
    remedy: { "zh-CN": "除非您确定密码正确，否则请不要再试；可联系单位里保管密码的人，或办理【忘记密码】。", "en": "Do not try again unless you are sure of the PIN; ask the person who keeps it, or apply under “Forgot PIN”." },
  },
  "pin-locked": {
    party: "token",
    what: { "zh-CN": "USB Key 已被锁定：密码（PIN）输错的次数太多。", "en": "The USB key is locked: a wrong PIN was entered too often." },
    remedy: { "zh-CN": "证书和印章没有丢失。请到【CA管理】办理【忘记密码】（解锁）并设置新密码，解锁后即可继续使用。", "en": "The certificate and seal are not lost. Go to “CA management” and apply under “Forgot PIN” (unlock) to set a new PIN; then the key works again." },
  },
  "pin-length": {
    party: "token",
    what: { "zh-CN": "密码（PIN）的长度不对[（应为 {minimum} 到 {maximum} 位）]。", "en": "The PIN has the wrong length[ (it must be {minimum} to {maximum} characters)]." },
    remedy: { "zh-CN": "请重新输入。这次没有占用尝试次数。", "en": "Enter it again. No try was used up." },
  },
  "pin-characters": {
    party: "token",
    what: { "zh-CN": "密码（PIN）里有 USB Key 不能接受的字符。", "en": "The PIN holds characters that the USB key cannot take." },
    remedy: { "zh-CN": "请切换到英文输入法后重新输入。这次没有占用尝试次数。", "en": "Switch to an English input method and enter it again. No try was used up." },
  },
  "pin-not-set": {
    party: "token",
    what: { "zh-CN": "这个 USB Key 还没有设置密码（PIN）。", "en": "No PIN has been set on this USB key yet." },
    remedy: { "zh-CN": "请先点击浏览器上的印桥图标，打开【钥匙中心】，在主页点击【激活证书】并设置密码。", "en": "First click Sealbridge's icon in the browser, open “Key centre”, choose “Activate certificate” there and set a PIN." },
  },
  "officer-locked": {
    party: "token",
    what: { "zh-CN": "这个 USB Key 的解锁码也已经锁死，无法在线解锁。", "en": "The code that unlocks this USB key is locked too; the key cannot be unlocked online." },
    remedy: { "zh-CN": "请联系发证机构：Key 需要寄回重新初始化，或者办理补办。", "en": "Contact the authority that issued it: the key must be sent in and set up again, or be replaced." },
  },
  "pin-on-pad": {
    party: "token",
    what: { "zh-CN": "这个 USB Key[（{token}）]的密码（PIN）要在它自己的键盘或读卡器上输入，印桥不能为它设置新密码。", "en": "The PIN of this USB key[ ({token})] is typed on its own keys or its reader, where Sealbridge cannot set a new one." },
    remedy: { "zh-CN": "请用这个 Key 自带的管理程序修改密码；激活或解锁请联系发证机构的客服。", "en": "Change the PIN with the key's own program; to activate or unlock it, contact the support of the authority that issued it." },
  },
  "unlock-failed": {
    party: "token",
    what: { "zh-CN": "解锁失败：USB Key 没有接受发证机构的解锁码。", "en": "Unlocking failed: the USB key did not accept the authority's unlock code." },
    remedy: { "zh-CN": "请不要再次尝试，并联系发证机构的客服，说明业务编号。", "en": "Do not try again; contact the support of the authority and name the number of the business." },
  },
  "token-in-use": {
    party: "token",
    what: { "zh-CN": "这个 USB Key[（{token}）]已经启用，不能用于另一次激活。", "en": "This USB key[ ({token})] is in use already and cannot be activated for another business." },
    remedy: { "zh-CN": "请插入发证机构为这次业务寄来的 Key，然后重试。", "en": "Insert the key that the authority sent for this business and try again." },
  },
  "token-full": {
    party: "token",
    what: { "zh-CN": "USB Key[（{token}）]的空间不够。", "en": "There is not enough room on the USB key[ ({token})]." },
    remedy: { "zh-CN": "请联系发证机构的客服。", "en": "Contact the support of the authority that issued it." },
  },
  "certificate-other-key": {
    party: "token",
    what: { "zh-CN": "收到的证书不是为这个 USB Key 上的密钥签发的，没有安装。", "en": "The certificate is not for a key on this USB key; it was not installed." },
    remedy: { "zh-CN": "请确认插入的是办理业务时的那个 Key，然后重试。", "en": "Make sure that the key of this business is inserted, then try again." },
  },
  "written-differs": {
    party: "token",
    what: { "zh-CN": "写入 USB Key 的内容[（{what}）]读出来不一致。", "en": "What was written on the USB key[ ({what})] does not read back the same." },
    remedy: { "zh-CN": "请拔下并重新插入 Key，然后再点一次；如果仍然出现，请联系发证机构的客服。", "en": "Unplug the key, plug it in again and repeat the step; if it happens again, contact the authority's support." },
  },
  "certificate-missing": {
    party: "token",
    what: { "zh-CN": "USB Key 里没有找到可用的证书。", "en": "No usable certificate was found on the USB key." },
    remedy: { "zh-CN": "请确认插入的是 CA 机构发放的 USB Key，并已完成【安装证书】；仍然没有时请联系 CA 机构客服。", "en": "Check that it is the key the CA gave you and that “Install certificate” has been done; otherwise ask the CA's support." },
  },
  "certificate-ambiguous": {
    party: "token",
    what: { "zh-CN": "有多张证书可以使用[（{count} 张）]，需要您选择一张。", "en": "More than one certificate can be used[ ({count})]; please choose one." },
    remedy: { "zh-CN": "请在列表中选择要使用的证书；或者只插入一个 USB Key 后重试。", "en": "Choose the certificate in the list, or plug in only one USB key and try again." },
  },
  "certificate-unreadable": {
    party: "token",
    what: { "zh-CN": "证书无法读取[：{detail}]。", "en": "The certificate cannot be read[: {detail}]." },
    remedy: { "zh-CN": "请拔下并重新插入 USB Key 后重试；如果仍然出现，请联系 CA 机构客服。", "en": "Unplug the key, plug it in again and retry; if it happens again, ask the CA's support." },
  },
  "certificate-expired": {
    party: "token",
    what: { "zh-CN": "证书已经过期[（{notAfter}）]。", "en": "The certificate has expired[ ({notAfter})]." },
    remedy: { "zh-CN": "请到【CA管理】办理【续期】；如果续期入口已关闭，请办理【补办】。", "en": "Go to “CA management” and apply under “Renew”; if renewal is closed, under “Reissue”." },
  },
  "certificate-not-yet-valid": {
    party: "token",
    what: { "zh-CN": "证书还没有到生效时间[（{notBefore}）]。", "en": "The certificate is not valid yet[ (from {notBefore})]." },
    remedy: { "zh-CN": "请先检查电脑的日期和时间是否正确；如果正确，请在生效后再使用。", "en": "First check that this computer's date and time are right; if so, wait until the certificate is valid." },
  },
  "certificate-encryption-only": {
    party: "token",
    what: { "zh-CN": "这是加密证书，只能用于加密和解密，不能用于登录和盖章。", "en": "This is an encryption certificate; it cannot be used to log in or to stamp." },
    remedy: { "zh-CN": "请选择同一个 USB Key 里的签名证书。", "en": "Choose the signing certificate on the same USB key." },
  },
  "certificate-key-usage": {
    party: "token",
    what: { "zh-CN": "这张证书的用途不允许进行此操作[（缺少 {usage}）]。", "en": "This certificate may not be used for this operation[ ({usage} is missing)]." },
    remedy: { "zh-CN": "请选择另一张证书；如果没有，请联系 CA 机构客服。", "en": "Choose another certificate; if there is none, ask the CA's support." },
  },
  "key-missing": {
    party: "token",
    what: { "zh-CN": "USB Key 里有证书，但没有与它对应的私钥。", "en": "The certificate is on the USB key, but its private key is not." },
    remedy: { "zh-CN": "请选择另一张证书；如果没有，请到【CA管理】办理【补办】。", "en": "Choose another certificate; if there is none, apply under “Reissue” in “CA management”." },
  },
  "key-unsupported": {
    party: "token",
    what: { "zh-CN": "暂不支持这张证书的密钥算法[（{algorithm}）]。", "en": "The certificate's kind of key[ ({algorithm})] is not supported." },
    remedy: { "zh-CN": "请选择另一张证书，或把印桥更新到最新版本。", "en": "Choose another certificate, or update Sealbridge." },
  },
  "seal-missing": {
    party: "token",
    what: { "zh-CN": "USB Key 里没有电子印章。", "en": "There is no electronic seal on the USB key." },
    remedy: { "zh-CN": "请到【印章办理】申请印章；已经申请的，请点击【安装印章】把印章装入 USB Key。", "en": "Apply for one under “Seal service”; if you already have, choose “Install seal” to put it on the key." },
  },
  "seal-ambiguous": {
    party: "token",
    what: { "zh-CN": "有多枚印章可以使用[（{count} 枚）]，需要您选择一枚。", "en": "More than one seal can be used[ ({count})]; please choose one." },
    remedy: { "zh-CN": "请在【我的印章】中选择要使用的印章。", "en": "Choose the seal under “My seal”." },
  },
  "seal-invalid": {
    party: "token",
    what: { "zh-CN": "印章数据不正确，不能使用[：{detail}]。", "en": "The seal's data is not valid and cannot be used[: {detail}]." },
    remedy: { "zh-CN": "请重新【安装印章】；如果仍然出现，请联系印章制作单位。", "en": "Choose “Install seal” again; if it happens again, ask the maker of the seal." },
  },
  "seal-other-certificate": {
    party: "token",
    what: { "zh-CN": "这枚印章属于另一张证书（续期或补办之后需要重新安装印章）。", "en": "This seal belongs to another certificate (after renewal or reissue a seal must be installed again)." },
    remedy: { "zh-CN": "请选择与印章对应的证书；证书续期或补办后，请到【印章办理】重新【安装印章】。", "en": "Choose the certificate that belongs to the seal; after renewal or reissue use “Install seal” under “Seal service”." },
  },
  "seal-expired": {
    party: "token",
    what: { "zh-CN": "印章已经过期[（{notAfter}）]。", "en": "The seal has expired[ ({notAfter})]." },
    remedy: { "zh-CN": "请到【印章办理】办理续期或重新申请。", "en": "Renew it or apply for a new one under “Seal service”." },
  },
  "seal-not-yet-valid": {
    party: "token",
    what: { "zh-CN": "印章还没有到生效时间[（{notBefore}）]。", "en": "The seal is not valid yet[ (from {notBefore})]." },
    remedy: { "zh-CN": "请先检查电脑的日期和时间是否正确；如果正确，请在生效后再使用。", "en": "First check that this computer's date and time are right; if so, wait until the seal is valid." },
  },
  "seal-too-large": {
    party: "token",
    what: { "zh-CN": "印章数据太大[（{size} 字节，上限 {limit} 字节）]。", "en": "The seal's data is too large[ ({size} bytes; limit {limit})]." },
    remedy: { "zh-CN": "请联系印章制作单位，换成较小的印章图像。", "en": "Ask the maker of the seal for a smaller picture." },
  },
  "signature-mismatch": {
    party: "token",
    what: { "zh-CN": "USB Key 给出的签名与证书不符，已丢弃。", "en": "The signature that the USB key gave does not fit the certificate and was thrown away." },
    remedy: { "zh-CN": "请拔下并重新插入 USB Key 后重试；如果仍然出现，请停止使用并联系 CA 机构客服。", "en": "Unplug the key, plug it in again and retry; if it happens again, stop using it and ask the CA's support." },
  },
  "not-pdf": {
    party: "document",
    what: { "zh-CN": "[“{name}”：]这个文件不是 PDF。", "en": "[“{name}”: ]this file is not a PDF." },
    remedy: { "zh-CN": "请选择 PDF 文件；Word 或图片文件请先另存为 PDF。", "en": "Choose a PDF file; save a Word document or a picture as PDF first." },
  },
  "pdf-truncated": {
    party: "document",
    what: { "zh-CN": "[“{name}”：]PDF 文件不完整，可能没有下载完。", "en": "[“{name}”: ]the PDF is cut short; the download may not have finished." },
    remedy: { "zh-CN": "请重新下载或重新生成文件后再试。", "en": "Download or make the file again, then retry." },
  },
  "pdf-damaged": {
    party: "document",
    what: { "zh-CN": "[“{name}”：]PDF 文件已损坏[（位置 {at}）][：{detail}]。", "en": "[“{name}”: ]the PDF is damaged[ (at byte {at})][: {detail}]." },
    remedy: { "zh-CN": "请重新下载，或用原来的软件重新生成 PDF 后再试。", "en": "Download it again, or make the PDF again with the original program." },
  },
  "pdf-password-needed": {
    party: "document",
    what: { "zh-CN": "[“{name}”：]PDF 文件有打开密码。", "en": "[“{name}”: ]the PDF needs a password to be opened." },
    remedy: { "zh-CN": "请输入文件的打开密码（不是 USB Key 的密码）后继续。", "en": "Enter the document's own password (not the USB key's PIN) to continue." },
  },
  "pdf-password-wrong": {
    party: "document",
    what: { "zh-CN": "[“{name}”：]PDF 文件的打开密码不正确。", "en": "[“{name}”: ]the PDF's password is not correct." },
    remedy: { "zh-CN": "请核对后重新输入，或向文件的制作者询问。", "en": "Check it and enter it again, or ask whoever made the document." },
  },
  "pdf-forbids-changes": {
    party: "document",
    what: { "zh-CN": "[“{name}”：]PDF 文件的制作者不允许再修改或盖章[（{detail}）]。", "en": "[“{name}”: ]the PDF's author does not allow changes or stamps[ ({detail})]." },
    remedy: { "zh-CN": "请向文件的制作者索取允许盖章的版本。", "en": "Ask whoever made the document for one that may be stamped." },
  },
  "pdf-over-budget": {
    party: "document",
    what: { "zh-CN": "[“{name}”：]PDF 文件过于复杂，超出了安全处理的范围[（{detail}）]。", "en": "[“{name}”: ]the PDF is too complex to be handled safely[ ({detail})]." },
    remedy: { "zh-CN": "请用其他软件重新生成（例如“打印为 PDF”）后再试。", "en": "Make it again with another program (for example “print to PDF”), then retry." },
  },
  "pdf-unsupported": {
    party: "document",
    what: { "zh-CN": "[“{name}”：]PDF 文件用到了不支持的功能[（{detail}）]。", "en": "[“{name}”: ]the PDF uses a feature that is not supported[ ({detail})]." },
    remedy: { "zh-CN": "请用其他软件重新生成普通的 PDF 后再试。", "en": "Make a plain PDF of it with another program, then retry." },
  },
  "page-missing": {
    party: "document",
    what: { "zh-CN": "文件里没有要盖章的那一页[（第 {page} 页）][，文件共 {pages} 页]。", "en": "The document does not have the page to be stamped[ (page {page})][; it has {pages}]." },
    remedy: { "zh-CN": "请重新选择盖章的页。", "en": "Choose the page again." },
  },
  "field-missing": {
    party: "document",
    what: { "zh-CN": "文件里没有这个表单域[“{field}”]。", "en": "The document has no such form field[: “{field}”]." },
    remedy: { "zh-CN": "请重新选择盖章位置；如果是网站指定的位置，请告诉网站的技术人员。", "en": "Choose the place again; if the site chose it, tell the site's support." },
  },
  "field-signed": {
    party: "document",
    what: { "zh-CN": "这个位置[“{field}”]已经盖过章。", "en": "This place[ “{field}”] has been stamped already." },
    remedy: { "zh-CN": "请选择另一个盖章位置。", "en": "Choose another place." },
  },
  "field-value": {
    party: "document",
    what: { "zh-CN": "表单内容不符合要求[“{field}”][：{detail}]。", "en": "A value in the form is not acceptable[: “{field}”][: {detail}]." },
    remedy: { "zh-CN": "请按表单的要求修改后重试。", "en": "Change it as the form demands and try again." },
  },
  "field-read-only": {
    party: "document",
    what: { "zh-CN": "这个表单域[“{field}”]不允许修改。", "en": "This form field[ “{field}”] may not be changed." },
    remedy: { "zh-CN": "请不要填写它，直接盖章；如需修改请联系文件的制作者。", "en": "Leave it as it is and stamp; ask whoever made the document if it must change." },
  },
  "placement-needed": {
    party: "document",
    what: { "zh-CN": "[“{name}”：]没有说明盖章的位置，文件里也不是恰好有一个待盖章的签名域[（{fields}）]。", "en": "[“{name}”: ]no place was given, and the document does not have exactly one signature field that waits for a seal[ ({fields})]." },
    remedy: { "zh-CN": "请指定签名域（--field）、页码和位置（--page、--at）、关键字（--keyword）或骑缝章（--seam）。", "en": "Name a signature field (--field), a page and a point (--page, --at), a keyword (--keyword) or a riding seam (--seam)." },
  },
  "keyword-missing": {
    party: "document",
    what: { "zh-CN": "没有在文件里找到要盖章的文字[（“{keyword}”）]。", "en": "The text beside which to stamp was not found in the document[ (“{keyword}”)]." },
    remedy: { "zh-CN": "请核对这段文字，或在页面上手动选择盖章位置；扫描件里没有可以查找的文字。", "en": "Check the text, or choose the place on the page by hand; scanned pages hold no text that can be searched." },
  },
  "pages-malformed": {
    party: "document",
    what: { "zh-CN": "页码范围不正确[：“{pages}”]。", "en": "The range of pages is not usable[: “{pages}”]." },
    remedy: { "zh-CN": "请写成“1-3，5，末页”“奇数页”或“全部”这样的形式，不要超出文件的页数；骑缝章至少需要两页。", "en": "Write it like “1-3,5,last”, “odd” or “all”, within the document's pages; a riding seam needs two pages at least." },
  },
  "marks-on-signed": {
    party: "document",
    what: { "zh-CN": "文件里已有别人的签章，一次签名不能再盖在多处，否则别人的签章会失效，因此没有盖章。", "en": "The document already carries a signature; one more signature cannot show seals in several places without breaking it, so it was not stamped." },
    remedy: { "zh-CN": "请每次只盖一处，每一处单独签一次名；骑缝章请由第一个盖章的人来盖。", "en": "Stamp one place at a time, each with its own signature; a riding seam is for whoever stamps first." },
  },
  "placement-outside": {
    party: "document",
    what: { "zh-CN": "印章超出了页面[（第 {page} 页）]的范围。", "en": "The seal would lie outside of the page[ (page {page})]." },
    remedy: { "zh-CN": "请把印章移到页面之内。", "en": "Move the seal inside the page." },
  },
  "earlier-signature-would-break": {
    party: "document",
    what: { "zh-CN": "文件里已有签章[（{signer}）][“{field}”]，这样修改会使它失效，因此没有盖章。", "en": "The document already carries a signature[ ({signer})][ “{field}”] that this change would break, so it was not stamped." },
    remedy: { "zh-CN": "请不要再修改表单内容，只盖章；或向对方索取盖章之前的版本。", "en": "Stamp without changing the form, or ask for the version from before that signature." },
  },
  "file-in-use": {
    party: "document",
    what: { "zh-CN": "[“{name}”：]文件正被另一个程序使用（可能正在盖章）。", "en": "[“{name}”: ]another program is using the file (it may be stamping it)." },
    remedy: { "zh-CN": "请等它完成，或关闭使用该文件的程序，然后重试。", "en": "Wait until it is done, or close the program that uses the file, then try again." },
  },
  "document-changed": {
    party: "document",
    what: { "zh-CN": "[“{name}”：]文件在盖章过程中发生了变化，已停止。", "en": "[“{name}”: ]the document changed while it was being stamped, so the operation was stopped." },
    remedy: { "zh-CN": "请关闭其他正在使用该文件的程序，重新打开文件后再盖章。", "en": "Close other programs that use it, open it again and stamp." },
  },
  "result-invalid": {
    party: "document",
    what: { "zh-CN": "[“{name}”：]盖章结果没有通过印桥自己的验证，因此没有保存[：{detail}]。", "en": "[“{name}”: ]the stamped document did not pass our own check and was not saved[: {detail}]." },
    remedy: { "zh-CN": "请重试；如果仍然出现，请用其他软件重新生成 PDF，并把本提示告诉技术人员。", "en": "Try again; if it happens again, make the PDF again with another program and show this message to the support." },
  },
  "read-failed": {
    party: "document",
    what: { "zh-CN": "[“{name}”：]文件无法读取[：{detail}]。", "en": "[“{name}”: ]the file cannot be read[: {detail}]." },
    remedy: { "zh-CN": "请确认文件没有被移动或删除，并且您有权读取，然后重试。", "en": "Check that it was not moved or deleted and that you may read it, then try again." },
  },
  "write-failed": {
    party: "document",
    what: { "zh-CN": "[“{name}”：]盖章后的文件无法保存[：{detail}]。原文件没有改动。", "en": "[“{name}”: ]the stamped document could not be saved[: {detail}]. The original was not touched." },
    remedy: { "zh-CN": "请检查保存位置的权限，或换一个位置后重试。", "en": "Check that the place can be written to, or choose another, then try again." },
  },
  "disk-full": {
    party: "document",
    what: { "zh-CN": "[“{name}”：]磁盘空间不足[（还需要 {needed} 字节）]，没有保存。原文件没有改动。", "en": "[“{name}”: ]there is no space left[ ({needed} more bytes are needed)]; nothing was saved and the original was not touched." },
    remedy: { "zh-CN": "请清理磁盘空间，或保存到其他磁盘。", "en": "Free some disk space, or save to another disk." },
  },
  "output-exists": {
    party: "document",
    what: { "zh-CN": "[“{name}”：]目标文件已经存在，没有覆盖。", "en": "[“{name}”: ]the output file already exists and was not overwritten." },
    remedy: { "zh-CN": "请换一个文件名；确实要覆盖时，请在命令中明确写明。", "en": "Choose another name; to overwrite it, say so in the command." },
  },
  "no-signature": {
    party: "document",
    what: { "zh-CN": "[“{name}”：]文件里没有任何签章。", "en": "[“{name}”: ]the document carries no signature." },
    remedy: { "zh-CN": "请先盖章，再提交文件。", "en": "Stamp it first, then submit it." },
  },
  "document-not-valid": {
    party: "document",
    what: { "zh-CN": "[“{name}”：]文件的签章没有通过验证[：{reason}]。", "en": "[“{name}”: ]the document's signature did not pass the check[: {reason}]." },
    remedy: { "zh-CN": "请重新下载空白表单，填写并盖章后再提交；盖章后不要再用其他软件修改文件。", "en": "Download the blank form again, fill, stamp and submit it; do not change a file with other programs after it was stamped." },
  },
  "token-too-large": {
    party: "portal",
    what: { "zh-CN": "提交的凭证太大[（上限 {limit} 字节）]，已拒绝。", "en": "The statement is too large[ (limit {limit} bytes)] and was refused." },
    remedy: { "zh-CN": "请刷新网页后重新登录或绑定。", "en": "Reload the page and log in or bind again." },
  },
  "token-malformed": {
    party: "portal",
    what: { "zh-CN": "提交的凭证格式不正确[：{detail}]，已拒绝。", "en": "The statement is not well formed[: {detail}] and was refused." },
    remedy: { "zh-CN": "请刷新网页后重新登录或绑定。", "en": "Reload the page and log in or bind again." },
  },
  "token-type": {
    party: "portal",
    what: { "zh-CN": "提交的凭证不是用于此操作的[（应为 {expected}）]，已拒绝。", "en": "The statement was made for another purpose[ (expected {expected})] and was refused." },
    remedy: { "zh-CN": "请刷新网页后重新操作。", "en": "Reload the page and do the operation again." },
  },
  "nonce-unknown": {
    party: "portal",
    what: { "zh-CN": "这次登录或绑定的随机数不存在：可能已经使用过，或者属于另一个会话。", "en": "The challenge of this login or binding is not known: it was used already, or belongs to another session." },
    remedy: { "zh-CN": "请刷新网页后重新操作。", "en": "Reload the page and do the operation again." },
  },
  "nonce-expired": {
    party: "portal",
    what: { "zh-CN": "这次登录或绑定用时太长，随机数已经过期[（时限 {seconds} 秒）]。", "en": "This login or binding took too long; its challenge has expired[ (limit {seconds} seconds)]." },
    remedy: { "zh-CN": "请重新操作，并在时限内确认并输入密码（PIN）。", "en": "Do it again, and confirm and enter the PIN in time." },
  },
  "audience-mismatch": {
    party: "portal",
    what: { "zh-CN": "凭证是为另一个网站[（{audience}）]签署的，已拒绝。", "en": "The statement was signed for another site[ ({audience})] and was refused." },
    remedy: { "zh-CN": "请确认地址栏中的网址正确。如果您没有打开过那个网站，请停止操作并告诉网站的技术人员。", "en": "Check the address in the address bar. If you never opened that site, stop and tell the site's support." },
  },
  "algorithm-refused": {
    party: "portal",
    what: { "zh-CN": "本网站不接受这种签名算法[（{algorithm}）]。", "en": "This site does not accept the signature algorithm[ ({algorithm})]." },
    remedy: { "zh-CN": "请换用另一张证书，或联系网站的技术人员。", "en": "Use another certificate, or ask the site's support." },
  },
  "signature-invalid": {
    party: "portal",
    what: { "zh-CN": "凭证的签名不正确，已拒绝。", "en": "The statement's signature is not correct; it was refused." },
    remedy: { "zh-CN": "请刷新网页后重试；如果仍然出现，请联系网站的技术人员。", "en": "Reload the page and try again; if it happens again, ask the site's support." },
  },
  "certificate-untrusted": {
    party: "portal",
    what: { "zh-CN": "本网站不信任这张证书[，颁发者：{issuer}][，原因：{reason}]。", "en": "This site does not trust the certificate[; issuer: {issuer}][; reason: {reason}]." },
    remedy: { "zh-CN": "请使用本网站认可的 CA 机构颁发的证书。", "en": "Use a certificate from a CA that this site accepts." },
  },
  "certificate-revoked": {
    party: "portal",
    what: { "zh-CN": "这张证书已被吊销[（自 {since} 起）]。", "en": "The certificate has been revoked[ (since {since})]." },
    remedy: { "zh-CN": "请到【CA管理】办理【补办】；如果您不知道吊销的原因，请联系 CA 机构客服。", "en": "Apply under “Reissue” in “CA management”; if you do not know why it was revoked, ask the CA's support." },
  },
  "revocation-unknown": {
    party: "portal",
    what: { "zh-CN": "暂时无法确认证书是否已被吊销[：{reason}]。", "en": "It cannot be found out at the moment whether the certificate was revoked[: {reason}]." },
    remedy: { "zh-CN": "请稍后再试；如果长时间无法使用，请联系网站的技术人员。", "en": "Try again later; if it lasts, ask the site's support." },
  },
  "statement-expired": {
    party: "portal",
    what: { "zh-CN": "凭证已经过期[（{expired}）]。", "en": "The statement has expired[ ({expired})]." },
    remedy: { "zh-CN": "请重新操作。如果总是这样，请检查电脑的日期和时间是否正确。", "en": "Do the operation again. If it is always so, check this computer's date and time." },
  },
  "statement-not-yet-valid": {
    party: "portal",
    what: { "zh-CN": "凭证的签署时间在将来[（{issued}）]。", "en": "The statement was signed at a time in the future[ ({issued})]." },
    remedy: { "zh-CN": "请检查电脑的日期和时间是否正确，然后重新操作。", "en": "Check this computer's date and time, then do the operation again." },
  },
  "account-mismatch": {
    party: "portal",
    what: { "zh-CN": "凭证中的账号与当前登录的账号不一致。", "en": "The account in the statement is not the account that is logged in." },
    remedy: { "zh-CN": "一个 CA 只能用于一个账号。请用要绑定的账号登录后重新绑定。", "en": "A key serves one account only. Log in with the account to be bound and bind again." },
  },
  "credit-code-missing": {
    party: "portal",
    what: { "zh-CN": "证书里没有统一社会信用代码，无法与账号核对。", "en": "The certificate holds no unified social credit code, so it cannot be compared with the account." },
    remedy: { "zh-CN": "请使用单位证书；如果这就是单位证书，请联系 CA 机构客服。", "en": "Use the organisation's certificate; if this is the one, ask the CA's support." },
  },
  "credit-code-mismatch": {
    party: "portal",
    what: { "zh-CN": "证书的统一社会信用代码[（{certificate}）]与账号的[（{account}）]不一致。", "en": "The certificate's unified social credit code[ ({certificate})] is not the account's[ ({account})]." },
    remedy: { "zh-CN": "请使用本单位的证书；如果单位信息已变更，请先到【CA管理】办理【变更】，或在网站更正单位信息。", "en": "Use your own organisation's certificate; if its data has changed, apply under “Change” in “CA management” or correct the account's data first." },
  },
  "account-already-bound": {
    party: "portal",
    what: { "zh-CN": "这个账号已经绑定了另一个 CA。", "en": "This account is already bound to another key." },
    remedy: { "zh-CN": "一个账号只能绑定一个 CA。如需更换，请先到【CA管理】→【解绑】，再绑定新的。", "en": "One account has one key. To change it, choose “CA management” → “Unbind” first, then bind the new one." },
  },
  "certificate-already-bound": {
    party: "portal",
    what: { "zh-CN": "这个 CA 已经绑定了另一个账号。", "en": "This key is already bound to another account." },
    remedy: { "zh-CN": "一个 CA 只能绑定一个账号。请用原来的账号登录并【解绑】，或换用另一个 CA。", "en": "One key serves one account. Log in to that account and choose “Unbind”, or use another key." },
  },
  "not-bound": {
    party: "portal",
    what: { "zh-CN": "这个 CA 还没有绑定账号，不能用来登录。", "en": "This key is not bound to an account yet, so it cannot be used to log in." },
    remedy: { "zh-CN": "请先用账号和密码登录，再到【CA管理】→【绑定】。证书续期、补办或变更之后也需要重新绑定。", "en": "Log in with account and password first, then choose “CA management” → “Bind”. After reissue or change a key must be bound again." },
  },
  "signer-mismatch": {
    party: "portal",
    what: { "zh-CN": "文件的盖章单位[（{signer}）]与账号的单位[（{expected}）]不一致。", "en": "The document was stamped by another organisation[ ({signer})] than the account's[ ({expected})]." },
    remedy: { "zh-CN": "请使用本单位的 CA 盖章后重新提交。", "en": "Stamp it with your own organisation's key and submit it again." },
  },
  "upload-too-large": {
    party: "portal",
    what: { "zh-CN": "上传的文件太大[（上限 {limit} 字节）]。", "en": "The uploaded file is too large[ (limit {limit} bytes)]." },
    remedy: { "zh-CN": "请缩小文件后重新上传。", "en": "Make the file smaller and upload it again." },
  },
  "portal-busy": {
    party: "portal",
    what: { "zh-CN": "同时登录的人太多，网站暂时没有受理。", "en": "Too many people are logging in at the moment." },
    remedy: { "zh-CN": "请稍等一两分钟后重试。", "en": "Wait a minute or two and try again." },
  },
  "api-key-refused": {
    party: "portal",
    what: { "zh-CN": "验证服务不认识这个门户的密钥，或者密钥已经停用。", "en": "The verification service does not know this portal's key, or the key was revoked." },
    remedy: { "zh-CN": "请检查请求头 Authorization 中的密钥，或由运维人员用 sealbridge-verify-service key create 重新生成。", "en": "Check the key in the Authorization header, or have the operator make another with “sealbridge-verify-service key create”." },
  },
  "rate-limited": {
    party: "portal",
    what: { "zh-CN": "请求过于频繁，已超过本门户的限额。", "en": "There were too many requests; this portal's ration is used up." },
    remedy: { "zh-CN": "请等待后重试[（{seconds} 秒后）]，或由运维人员调整限额。", "en": "Wait and try again[ in {seconds} s], or have the operator raise the ration." },
  },
  "not-found": {
    party: "portal",
    what: { "zh-CN": "没有找到所要的内容[（{what}）]。", "en": "There is no such thing[ ({what})]." },
    remedy: { "zh-CN": "请检查请求的地址和编号。", "en": "Check the address and the number in the request." },
  },
  "nonce-used": {
    party: "portal",
    what: { "zh-CN": "这次登录或绑定的随机数已经使用过，不能再次使用。", "en": "The challenge of this login or binding was used already and cannot be used again." },
    remedy: { "zh-CN": "请刷新网页后重新操作。", "en": "Reload the page and do the operation again." },
  },
  "nonce-other-session": {
    party: "portal",
    what: { "zh-CN": "这次登录或绑定不是在当前会话中开始的，已拒绝。", "en": "This login or binding was not started in the present session and was refused." },
    remedy: { "zh-CN": "请在同一个浏览器窗口中重新操作。", "en": "Do the operation again in this browser window." },
  },
  "nonce-other-kind": {
    party: "portal",
    what: { "zh-CN": "随机数是为另一种操作发出的，已拒绝。", "en": "The challenge was issued for another operation and was refused." },
    remedy: { "zh-CN": "请刷新网页并从头开始操作。", "en": "Reload the page and start the operation from its beginning." },
  },
  "nothing-bound": {
    party: "portal",
    what: { "zh-CN": "这个账号没有绑定 CA。", "en": "This account has no key bound to it." },
    remedy: { "zh-CN": "请先在【CA管理】中【绑定】。", "en": "Bind one under “CA management” first." },
  },
  "binding-suspended": {
    party: "portal",
    what: { "zh-CN": "这个 CA 已经挂失[（{since}）]，不能使用。", "en": "This key was reported lost[ at {since}] and cannot be used." },
    remedy: { "zh-CN": "如果 Key 已经找回，请联系网站客服撤销挂失；否则请补办并重新绑定。", "en": "If it was found, have the site's support withdraw the report; otherwise apply for a new one and bind that." },
  },
  "renewal-same-certificate": {
    party: "portal",
    what: { "zh-CN": "所选的证书就是现在绑定的证书，没有需要更换的内容。", "en": "The chosen certificate is the one that is bound already; there is nothing to carry over." },
    remedy: { "zh-CN": "请选择续期后的新证书。", "en": "Choose the new certificate that the renewal produced." },
  },
  "renewal-old-key-needed": {
    party: "portal",
    what: { "zh-CN": "需要用原来绑定的证书确认更换，但签名的是另一张证书。", "en": "The change must be confirmed with the certificate that is bound now, but another one signed." },
    remedy: { "zh-CN": "请插入原来的 Key 并选择原来的证书；无法使用原证书时，请解绑后重新绑定。", "en": "Insert the old key and choose the old certificate; where it cannot be used any more, unbind it and bind the new one." },
  },
  "retention-not-over": {
    party: "portal",
    what: { "zh-CN": "这些记录仍在法定保存期内[（至 {until}）]，不能删除。", "en": "These records have to be kept[ until {until}] and cannot be deleted." },
    remedy: { "zh-CN": "请在保存期结束之后再删除。", "en": "Delete them after that time." },
  },
  "upload-empty": {
    party: "portal",
    what: { "zh-CN": "上传的文件是空的。", "en": "The uploaded file is empty." },
    remedy: { "zh-CN": "请重新选择文件。", "en": "Choose the file again." },
  },
  "upload-broken": {
    party: "portal",
    what: { "zh-CN": "文件没有完整传到。", "en": "The file did not arrive completely." },
    remedy: { "zh-CN": "请检查网络后重新上传。", "en": "Check the network and upload it again." },
  },
  "upload-too-slow": {
    party: "portal",
    what: { "zh-CN": "文件上传太慢，已中止[（每秒至少 {rate} KiB）][（全程不超过 {minutes} 分钟）]。", "en": "The upload was too slow and was ended[; at least {rate} KiB a second are needed][; it may take {minutes} minutes in all]." },
    remedy: { "zh-CN": "请换用更快的网络后重新上传。", "en": "Upload it again over a faster network." },
  },
  "storage-failed": {
    party: "portal",
    what: { "zh-CN": "服务器暂时无法保存数据，操作没有完成。", "en": "The server cannot keep data at the moment; the operation was not finished." },
    remedy: { "zh-CN": "请稍后重试；如果仍然出现，请联系网站客服。", "en": "Try again later; if it happens again, ask the site's support." },
  },
  "internal": {
    party: "sealbridge",
    what: { "zh-CN": "印桥内部出错[：{detail}]，操作没有完成。", "en": "Something went wrong inside Sealbridge[: {detail}]; the operation was not finished." },
    remedy: { "zh-CN": "请重试；如果仍然出现，请运行 sealbridge doctor，并把本提示告诉技术人员。", "en": "Try again; if it happens again, run “sealbridge doctor” and show this message to the support." },
  },
};

const NAMES: Readonly<Record<string, Record<Language, string>>> = {
  "part=host": { "zh-CN": "印桥本机程序", en: "the Sealbridge program" },
  "part=extension": { "zh-CN": "印桥扩展", en: "the Sealbridge extension" },
  "part=client": { "zh-CN": "网页中的印桥脚本", en: "the site's Sealbridge script" },
  "reason=changed": { "zh-CN": "盖章之后文件有改动，或者签章没有覆盖整个文件", en: "it was changed after it was stamped, or the signature does not cover all of it" },
  "reason=invalid": { "zh-CN": "签名或印章不是真的，或者文件内容被改过", en: "a signature or seal is not genuine, or the content was changed" },
  "reason=no-seal": { "zh-CN": "盖章单位的签章没有电子印章", en: "the signature carries no electronic seal" },
  "reason=intact-not-trusted": { "zh-CN": "无法确认签章人的身份", en: "the signer could not be confirmed" },
  "reason=seal-maker": { "zh-CN": "电子印章不是由本网站认可的制章机构制作的", en: "the seal was not made by a seal maker that this site accepts" },
  "reason=signing-time": { "zh-CN": "签章注明的时间不对，或不在允许的时间范围内", en: "the stated signing time is wrong or outside the time that is accepted" },
};

/** Controls, direction marks, zero-width characters, line separators and tags: they could hide or rearrange text. */
const DISTURBING =
  /[\p{Cc}\u00AD\u061C\u180E\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]/gu;

function plain(text: string): string {
  const characters = Array.from(text);
  const kept = characters.slice(0, 160).join("").replace(DISTURBING, "\uFFFD");
  return characters.length > 160 ? kept + "…" : kept;
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
