// What the wasm module (extension/wasm) offers. Written by hand beside the Rust, because it is the narrow waist of the
// extension; functions throw plain `Failure` objects.

declare module "sealbridge-wasm" {
  type Everything = import("./protocol").Everything;
  type Failure = import("./protocol").Failure;
  type HelloAnswer = import("./protocol").HelloAnswer;
  type Phase = import("./protocol").Phase;
  type StatusAnswer = import("./protocol").StatusAnswer;
  type TokenState = import("./protocol").TokenState;
  type JobDocument = import("./messages").JobDocument;
  type Placement = import("./messages").Placement;
  type Spot = import("./stamp/items").Spot;
  type Wished = import("./stamp/items").Wished;
  type VerifyReport = import("./page/sealbridge").VerifyReport;

  export default function init(options: { module_or_path: WebAssembly.Module | string | URL | Promise<Response> }): Promise<unknown>;

  // ---- background ----

  /** The origin in the form that gets signed. Throws `origin-refused`. */
  export function checkOrigin(origin: string, developer: boolean): string;
  /** Checks a request to the host and writes it in the one form. */
  export function writeRequest(json: string): string;
  /** Reads a frame from the host. `ok` is still JSON; read it with `readAnswer`. */
  export function readFrame(json: string): Frame;
  /** Reads a verb's answer, unknown fields refused. */
  export function readAnswer(verb: string, json: string): unknown;
  /** Agrees on versions. Throws `version-too-old`. */
  export function agree(hello: HelloAnswer): void;
  /** What a page asked, checked: `{nonce}`, `{webEidNonce}`, `{nonce, account}` or `{documents, batch}`. */
  export function readPageCall(verb: string, json: string): PageCall;
  /** Checks a bind or login statement from the host against what was asked. Throws `signature-mismatch` and its like. */
  export function checkStatement(verb: string, token: string, asked: string, now: number): Signer;
  /** Checks a token of Web eID from the host against what was asked. Throws `signature-mismatch` and its like. */
  export function checkWebEid(token: string, asked: string, now: number): void;
  /** What a status means for people. */
  export function describeStatus(status: StatusAnswer, now: number): StatusView;

  // ---- key centre ----

  /** What the host's list of keys means for people: certificates and seals by their ids. */
  export function judgeKeys(keys: Everything, now: number): { certificates: Record<string, Judged>; seals: Record<string, Expiry> };
  /** What a certificate says. Throws `certificate-unreadable`. */
  export function describeCertificate(der: Uint8Array): CertificateDetails;

  export type Expiry = "good" | "within60" | "within30" | "within7" | "expired" | "not-yet-valid";
  export interface Judged {
    daysLeft: number;
    expiry: Expiry;
    /** What the CA's desk does for it: online while it lasts, by paper afterwards. */
    next: "renewal" | "reissue";
    /** Whether it can stamp with a seal on its token; `pending`: the seals there were made for other certificates. */
    seal: "installed" | "pending" | "missing" | "not-needed";
    /** A newer certificate of the same key is there and does for everything that this one is for. */
    renewed: boolean;
  }
  export interface CertificateDetails {
    subject: string;
    issuer: string;
    serial: string;
    notBefore: number;
    notAfter: number;
    algorithm: string;
    /** In the names of RFC 5280. */
    usage: string[];
    /** Two digits each, with colons. */
    sha256: string;
  }
  /** A verdict on a document, in parts. */
  export interface ClerkReport {
    verdict: VerifyReport["verdict"];
    sentence: string;
    remark?: string;
    sections: { title: string; severity: Severity; state: string; rows: { label: string; value: string; code?: string; severity: Severity }[] }[];
    /** All of it as lines. */
    text: string;
  }
  export type Severity = "note" | "trust" | "coverage" | "broken";

  // ---- stamping page's worker ----

  /** SHA-256 over the original, ready to go on with the appended revision. */
  export class OriginalDigest {
    private constructor();
    free(): void;
    copy(): OriginalDigest;
    save(): Uint8Array;
    static restore(bytes: Uint8Array): OriginalDigest;
  }
  /** Hashes a Blob in one pass; tells how many bytes are done, and waits for whoever listens. Throws `read-failed`. */
  export function hashDocument(blob: Blob, progress: (done: number) => void): Promise<OriginalDigest>;
  /** The length of the linear memory, for measurements. */
  export function memoryBytes(): number;

  /** A document that is being looked at, stamped and verified. */
  export class Stamping {
    /** Opens a PDF. Throws `not-pdf` and its like. */
    constructor(document: Blob, name: string, password?: string);
    free(): void;
    describe(): DocumentView;
    /** Width and height in millimetres of a page (from 0) as it is displayed. */
    pageSize(index: number): Float64Array;
    /** Takes the hash of the original; the digest is used up. */
    useHash(digest: OriginalDigest): void;
    needsFont(values: string[]): boolean;
    useFont(bytes: Uint8Array): void;
    /** Takes seal and certificate as the host gave them. Throws `seal-invalid`, `certificate-unreadable`. */
    useSeal(seal: Uint8Array, certificate: Uint8Array, chain: Uint8Array[]): SealView;
    /** What a page may ask for, as places: pages counted, keywords found, seams cut. The seal must be there. */
    places(wishes: Placement[]): Spot[];
    /** Makes the revision that would be signed. The seal must be there; without the hash its digest is still missing. */
    prepare(wish: PrepareWish): UnhashedView | PreparedView;
    /** The digest of the prepared revision. The hash must be there. */
    digest(): DigestView;
    /** Puts the host's CMS into the prepared revision, checks all of it, and gives the tail to be appended. */
    finish(cms: Uint8Array, now: number): Finished;
    /** The prepared revision as bytes, for `finishKept`. */
    keep(): Uint8Array;
    /** As `finish`, with a revision that was kept. The hash must be there. */
    finishKept(kept: Uint8Array, cms: Uint8Array, now: number): Finished;
    /** Verifies the document as it is. */
    verify(now: number): VerifyReport;
    /** The same, told for a clerk. */
    clerk(now: number, english: boolean): ClerkReport;
  }

  /** The code over a list of documents, as the host's window shows it, from their digests in base64url. */
  export function listCode(digests: string[]): string;

  /** A seal that is only looked at. Throws as `useSeal` does. */
  export function describeSeal(seal: Uint8Array, certificate: Uint8Array): SealView;

  export type Frame =
    | { kind: "answer"; id: string | null; ok: string }
    | { kind: "failure"; id: string | null; failure: Failure }
    | { kind: "phase"; id: string; phase: Phase }
    | { kind: "tokens" };

  export interface PageCall {
    webEidNonce?: string;
    nonce?: string;
    account?: string;
    /** Each with its own wishes or those of all. */
    documents?: JobDocument[];
    /** Whether the page gave a list. */
    batch?: boolean;
  }

  export interface Signer {
    certificate: string;
    organisation: string;
    creditCode: string | null;
  }

  export interface StatusView {
    tokens: TokenView[];
    /** What keeps bind and login from working; empty when they can be tried. */
    missing: Failure[];
    /** What keeps stamping from working beyond that. */
    missingForStamp: Failure[];
  }
  export interface TokenView {
    label: string;
    serial: string;
    state: TokenState;
    failure: Failure | null;
    certificates: CertificateView[];
    seals: { id: string; label: string }[];
  }
  export interface CertificateView {
    id: string;
    organisation: string;
    commonName: string;
    creditCode: string | null;
    issuer: string;
    serial: string;
    notBefore: number;
    notAfter: number;
    daysLeft: number;
    /** Null where it can not be read. */
    expiry: Expiry | null;
    hasKey: boolean;
    encryptionOnly: boolean;
    test: boolean;
    /** Ids of the token's certificates of the same key that count instead of it. */
    renewedBy: string[];
    /** Whether one of them does for everything that this one could be used for. */
    renewed: boolean;
    /** Why it can not log in now. */
    login: Failure | null;
    /** Why it can not stamp now. */
    stamp: Failure | null;
  }

  export interface DocumentView {
    size: number;
    pageCount: number;
    fields: FieldView[];
    /** Fields of signatures that are there already. */
    signatures: string[];
    encrypted: boolean;
    repaired: boolean;
    /** The form has a second description (XFA) that is left alone. */
    hasXfa: boolean;
  }
  export interface FieldView {
    name: string;
    label: string;
    kind: "text" | "checkbox" | "radio" | "choice" | "signature";
    value: string;
    readOnly: boolean;
    required: boolean;
    multiline: boolean;
    maxLength: number | null;
    /** Check box: the state that means checked. Radio: states in the order of the widgets. */
    states: string[];
    options: { value: string; shown: string }[];
    editable: boolean;
    signed: boolean;
    /** Page from 0 and rectangle in the page's user space. */
    widgets: { page: number; rect: [number, number, number, number] }[];
  }
  export interface SealView {
    name: string;
    widthMm: number;
    heightMm: number;
    /** `PNG`, as the seal says. */
    kind: string;
    picture: Uint8Array;
    organisation: string;
    creditCode: string | null;
    /** The certificate's id, and its serial number in hexadecimal digits. */
    certificate: string;
    serial: string;
    /** Unix seconds: the certificate's end, the seal's end. */
    notAfter: number;
    validUntil: number;
    test: boolean;
  }
  export interface PrepareWish {
    placements: Wished[];
    fields: Record<string, string>;
    /** Unix seconds. */
    time: number;
    language: string;
  }
  export interface UnhashedView {
    /** The bytes to be appended, the signature still missing. */
    tail: Uint8Array;
    place: string;
    /** From 1. */
    page: number;
    pages: number;
    size: number;
    /** Names of the fields that were filled. */
    filled: string[];
    /** The standards that the file claims to meet, as people name them. */
    claims: string[];
    /** What of them the stamp can not keep, in the wish's language. */
    notKept: string[];
  }
  export interface DigestView {
    /** base64url SHA-256 over what gets signed. */
    digest: string;
    /** Its short code, as the host's window shows it. */
    code: string;
  }
  export interface PreparedView extends UnhashedView, DigestView {}
  export interface Finished {
    tail: Uint8Array;
    report: VerifyReport;
  }
}
