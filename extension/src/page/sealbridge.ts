// The page client: what a portal includes to let its visitors bind, log in and stamp with Sealbridge.
// It finds the extension, sends calls over one MessagePort, keeps deadlines, and turns failures into SealbridgeError.
// It decides nothing: the extension and the native host check everything again, and the portal's server must check the results.

import { CLIENT_PROTOCOL } from "../messages";
import type { Hello, PageVerb, ToPage, Welcome } from "../messages";
import { tell, WORDS } from "../protocol";
import type { Code, Failure, Language, PageFailure } from "../protocol";

/** Two sentences for people. */
export interface Sentences {
  /** What happened. */
  what: string;
  /** What to do. */
  remedy: string;
}

/** Every rejected promise of this client rejects with this. */
export class SealbridgeError extends Error {
  /** The stable code, for example `pin-incorrect`, `cancelled`, `host-missing`. */
  readonly code: string;
  /** Who can do something: `caller`, `environment`, `user`, `token`, `document`, `portal` or `sealbridge`. */
  readonly party: string;
  /** What is known about it, for example `{ triesLeft: "7" }`. */
  readonly facts: Readonly<Record<string, string>>;
  /** 中文。 */
  readonly zh: Sentences;
  /** English. */
  readonly en: Sentences;

  constructor(failure: { code: string; party: string; facts: Record<string, string>; words: { "zh-CN": Sentences; en: Sentences } }) {
    super(`${failure.code}: ${failure.words.en.what}`);
    this.name = "SealbridgeError";
    this.code = failure.code;
    this.party = failure.party;
    this.facts = failure.facts;
    this.zh = failure.words["zh-CN"];
    this.en = failure.words.en;
  }

  /** The sentences in the page's language (`<html lang>`); Chinese unless it is English. */
  get words(): Sentences {
    return pageLanguage() === "en" ? this.en : this.zh;
  }
}

/** How far a call has come: the document is open in the stamping page; the consent window is open; the token waits for its PIN; the key is used. */
export type Phase = "document" | "consent" | "pin" | "signing";

/** What every call takes besides its own arguments. */
export interface CallOptions {
  /** Aborting cancels the call and closes the windows it opened; it rejects with `cancelled`. */
  signal?: AbortSignal;
  /** How long to wait, 1 second to 1 hour. Default: 2 minutes, for stamp 30 minutes. */
  timeoutMs?: number;
  /** Told of progress. */
  onPhase?: (phase: Phase) => void;
  /** Told after each document of a list: how many are stamped and refused by now. */
  onProgress?: (progress: Progress) => void;
}

/** How far a list of documents has come. */
export interface Progress {
  stamped: number;
  refused: number;
  /** All documents of the list. */
  count: number;
}

/** What a page may know before the user has agreed to anything: no names, no serial numbers, no certificates. */
export interface Status {
  /** The extension's version. */
  extension: string;
  /** The native host's version; null where it does not answer, and `missing` says why. */
  host: string | null;
  /** `linux`, `macos` or `windows`. */
  platform: string | null;
  /** The keys that are plugged in. */
  tokens: TokenStatus[];
  /** Whether bind, login and stamp can be tried now. */
  ready: boolean;
  /** What is missing where it is not ready, with the words for it. */
  missing: SealbridgeError[];
}

/** One plugged-in key. */
export interface TokenStatus {
  /** `ready`, `pin-low`, `pin-final-try`, `locked` or `uninitialised`. */
  state: string;
  /** How many certificates on it can log in now. */
  certificates: number;
  /** How many seals are on it. */
  seals: number;
}

/** A signed statement for the portal's server: a compact JWS. */
export interface Token {
  token: string;
}

/**
 * Where seals are offered first; the user sees them and can move and remove them. Pages count from 1; x and y are millimetres
 * from the lower left corner of the page, as it is shown, to the lower left corner of the seal. Lists of pages are written
 * `1-3,5,last`, `odd`, `even`, `all`.
 */
export type Placement =
  /** On this signature field. */
  | { field: string }
  /** On this page. */
  | { page: number; x: number; y: number }
  /** At the same place of several pages. */
  | { pages: string; x: number; y: number }
  /** Centred on a text of the document (`which` of its hits; default the first), moved by `dx` to the right and `dy` upwards. */
  | { keyword: string; which?: "first" | "last" | "all" | number; pages?: string; dx?: number; dy?: number }
  /**
   * 骑缝章: one seal cut over the outer edges of several pages (default all). `center` is its height from below, 0 to 1; `group`
   * is how many pages share one seal at most (default: as many as stay legible).
   */
  | { seam: { pages?: string; side?: "left" | "right"; center?: number; group?: number } }
  /** A line with the day of signing. */
  | { date: { page: number; x: number; y: number } };

export interface StampRequest {
  /** The PDF; best a `File` or what `fetch().blob()` gives, which are passed on without being copied. */
  document: Blob;
  /** The name that the user sees and agrees to. */
  name: string;
  /**
   * At most 500, all in one signature. The signature itself is shown at the field, where one is named, else at the first whole
   * seal, else at the first piece of a seam. On a document that others have signed only one place is offered.
   */
  placements?: Placement[];
  /** Values for form fields by their full names; a check box takes `Off` or the name of its state. The user sees and can change them. */
  fields?: Record<string, string>;
}

/** Several documents under one consent and one PIN. */
export interface StampListRequest {
  /** 1 to 50, in the order in which the user sees them and gets them back. */
  documents: ListedDocument[];
  /** For every document that brings none of its own. */
  placements?: Placement[];
  /** For every document that brings none of its own. */
  fields?: Record<string, string>;
}

/** One document of a list; as in {@link StampRequest}. */
export interface ListedDocument {
  document: Blob;
  name: string;
  placements?: Placement[];
  fields?: Record<string, string>;
}

export interface StampedList {
  /** One for each document, in the same order. */
  documents: StampOutcome[];
}

/** What became of one document: stamped, or not and why. `cancelled` is a document that the user left out. */
export type StampOutcome = ({ name: string } & Stamped) | { name: string; failure: SealbridgeError };

export interface Stamped {
  /** The stamped PDF. The original is its beginning, byte for byte. */
  document: Blob;
  /** What the extension's own verifier says of it. */
  report: VerifyReport;
}

/** What the extension's own verifier says. It knows no trust anchors; the portal's server must verify again with its own. */
export interface VerifyReport {
  /**
   * `intact-not-trusted`: every signature is right, and nothing but what `allowed` names follows any of them (the best there is without
   * anchors); `changed`: something else follows or surrounds the signatures; `invalid`: at least one is broken; `no-signature`.
   */
  verdict: "valid" | "intact-not-trusted" | "changed" | "invalid" | "no-signature";
  /** Bytes of the file. */
  length: number;
  /** Bytes that no signature covers. */
  uncoveredBytes: number;
  repaired: boolean;
  encrypted: boolean;
  /** How many revisions the file has. */
  revisions: number;
  /** What was allowed to follow a signature. */
  allowed: "nothing" | "signatures" | "form-filling";
  /** One per signature, in the order of the form. */
  signatures: SignatureReport[];
  /** The whole report for people. */
  words: { "zh-CN": string; en: string };
}

export interface SignatureReport {
  field: string;
  /** The page it is shown on, from 1. */
  page: number | null;
  /** The signed bytes are unchanged and the signature is right. */
  intact: boolean;
  covered: "whole-file" | "revision" | "irregular";
  /** The revision that it covers, from 1. */
  revision: number | null;
  coveredBytes: number;
  trust: "trusted" | "untrusted" | "not-checked";
  signer: {
    organisation: string | null;
    commonName: string | null;
    creditCode: string | null;
    issuer: string | null;
    serial: string;
    notBefore: number;
    notAfter: number;
    sha256: string;
    test: boolean;
  } | null;
  /** By the signer's own statement, Unix seconds. */
  signingTime: number | null;
  seal: { id: string; name: string; kind: number; sha256: string; maker: string | null; makerTrusted: boolean; matches: boolean } | null;
  /** What later revisions changed, what is refused first. */
  changes?: Change[];
  problems: { code: string; detail?: string }[];
}

/** Something that a later revision changed. */
export interface Change {
  /** Number of the object; 0 for the file's trailer. */
  object: number;
  /** The revision that made it, from 1; 0 where that cannot be told. */
  revision: number;
  /** The page it is on, from 1. */
  page: number | null;
  field?: string;
  /** What was changed, by its stable name, such as `signature-added`, `field-filled`, `content`. */
  what: string;
  /** How far it goes, each worse than the one before. */
  level: "timestamp" | "signature" | "form-filling" | "annotation" | "other";
  /** Allowed, and not forbidden by a certification or a lock. */
  accepted: boolean;
  /** The field of the first intact signature that covers it. */
  signedBy?: string;
  detail?: string;
}

/** The connection to the extension. */
export interface Sealbridge {
  /** The version of the extension, or null where none answered (yet). */
  readonly extension: string | null;
  /** What is there and what is missing. Shows no window. */
  status(options?: CallOptions): Promise<Status>;
  /** Signs that the user's key belongs to this account. `challenge` is the server's nonce. */
  bind(request: { account: string; challenge: string }, options?: CallOptions): Promise<Token>;
  /** Signs the server's challenge. */
  login(request: { challenge: string }, options?: CallOptions): Promise<Token>;
  /** Opens the stamping page, where the user fills, places the seal and signs. */
  stamp(request: StampRequest, options?: CallOptions): Promise<Stamped>;
  /** The same for several documents, which are signed together. What is refused does not stop the others. */
  stamp(request: StampListRequest, options?: CallOptions): Promise<StampedList>;
  /**
   * For sites whose pages were written for Web eID: whether the shim for them is on here. Where it is off this proposes it: the
   * popup then offers the switch, and only the user can turn it.
   */
  webEid(options?: CallOptions): Promise<{ on: boolean }>;
  /** Checks a stamped document here in the browser. */
  verify(document: Blob, options?: CallOptions): Promise<VerifyReport>;
}

/** How long the content script may take to answer; it does so before anything else is started. */
const HELLO_MS = 1_000;
const TIMEOUT_MS: Record<PageVerb | "propose-web-eid", number> = { "propose-web-eid": 5_000, status: 15_000, bind: 120_000, login: 120_000, stamp: 1_800_000, verify: 300_000 };
/** The extension keeps the deadline; this is how much longer the page waits for its word about it. */
const GRACE_MS = 3_000;

/**
 * Connects to the extension. Always resolves: whether the extension is there shows in `extension`, and in the calls,
 * which look for it again and reject with `extension-missing` where none answers.
 */
export async function connect(): Promise<Sealbridge> {
  const client = new Client();
  await client.find();
  return client;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: SealbridgeError): void;
  onPhase: ((phase: Phase) => void) | undefined;
  onProgress: ((progress: Progress) => void) | undefined;
}

class Client implements Sealbridge {
  extension: string | null = null;
  #port: MessagePort | null = null;
  #nextId = 1;
  readonly #waiting = new Map<number, Waiting>();

  async status(options: CallOptions = {}): Promise<Status> {
    const status = (await this.#call("status", {}, options)) as Omit<Status, "missing"> & { missing: PageFailure[] };
    return { ...status, missing: status.missing.map((failure) => new SealbridgeError(failure)) };
  }

  async bind(request: { account: string; challenge: string }, options: CallOptions = {}): Promise<Token> {
    return (await this.#call("bind", { ...request }, options)) as Token;
  }

  async login(request: { challenge: string }, options: CallOptions = {}): Promise<Token> {
    return (await this.#call("login", { ...request }, options)) as Token;
  }

  stamp(request: StampRequest, options?: CallOptions): Promise<Stamped>;
  stamp(request: StampListRequest, options?: CallOptions): Promise<StampedList>;
  async stamp(request: StampRequest | StampListRequest, options: CallOptions = {}): Promise<Stamped | StampedList> {
    if ("documents" in request) return this.#stampList(request, options);
    const document = await readable(request.document, request.name);
    return (await this.#call("stamp", { ...request, document }, options)) as Stamped;
  }

  async #stampList(request: StampListRequest, options: CallOptions): Promise<StampedList> {
    if (!Array.isArray(request.documents)) throw refused({ code: "request-malformed", facts: { detail: "documents is not a list" } });
    const documents: ListedDocument[] = [];
    // One after the other: each may have to be written to a file first. What is too many is refused by the extension.
    for (const one of request.documents) documents.push({ ...one, document: await readable(one?.document, one?.name) });
    const list = (await this.#call("stamp", { ...request, documents }, options)) as { documents: (({ name: string } & Stamped) | { name: string; failure: PageFailure })[] };
    return { documents: list.documents.map((one) => ("failure" in one ? { name: one.name, failure: new SealbridgeError(one.failure) } : one)) };
  }

  async verify(document: Blob, options: CallOptions = {}): Promise<VerifyReport> {
    return (await this.#call("verify", { document: await readable(document, "") }, options)) as VerifyReport;
  }

  async webEid(options: CallOptions = {}): Promise<{ on: boolean }> {
    return (await this.#call("propose-web-eid", {}, options)) as { on: boolean };
  }

  /** Says hello and waits for the content script's port. */
  async find(): Promise<boolean> {
    if (this.#port) return true;
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const nonce = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return new Promise((resolve) => {
      const listen = (event: MessageEvent): void => {
        // An answer from a frame, an opener or another window is no answer.
        if (event.source !== window || event.origin !== location.origin || !isWelcome(event.data, nonce)) return;
        const port = event.ports[0];
        if (!port) return;
        end(true);
        this.#port = port;
        this.extension = event.data.extension;
        port.onmessage = (message) => this.#answered(message.data as ToPage);
      };
      const end = (found: boolean): void => {
        clearTimeout(timer);
        window.removeEventListener("message", listen);
        resolve(found);
      };
      const timer = setTimeout(() => end(false), HELLO_MS);
      window.addEventListener("message", listen);
      const hello: Hello = { sealbridge: "hello", protocol: CLIENT_PROTOCOL, nonce };
      window.postMessage(hello, location.origin);
    });
  }

  async #call(verb: PageVerb | "propose-web-eid", args: Record<string, unknown>, options: CallOptions): Promise<unknown> {
    const { signal, onPhase, onProgress } = options;
    const timeoutMs = options.timeoutMs ?? TIMEOUT_MS[verb];
    if (signal?.aborted) throw refused({ code: "cancelled" });
    if (!(await this.find())) throw missing();
    const port = this.#port;
    if (!port) throw missing();
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        port.postMessage({ id, cancel: true });
        waiting.reject(refused({ code: "cancelled" }));
      };
      const timer = setTimeout(() => {
        port.postMessage({ id, cancel: true });
        waiting.reject(refused({ code: "timed-out", facts: { seconds: String(Math.round(timeoutMs / 1000)) } }));
      }, timeoutMs + GRACE_MS);
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        this.#waiting.delete(id);
      };
      const waiting: Waiting = {
        resolve: (value) => {
          end();
          resolve(value);
        },
        reject: (error) => {
          end();
          reject(error);
        },
        onPhase,
        onProgress,
      };
      this.#waiting.set(id, waiting);
      signal?.addEventListener("abort", abort);
      try {
        port.postMessage({ id, verb, arguments: args, timeoutMs });
      } catch {
        waiting.reject(refused({ code: "request-malformed", facts: { detail: "arguments can not be sent" } }));
      }
    });
  }

  #answered(message: ToPage): void {
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    if ("ok" in message) waiting.resolve(message.ok);
    else if ("failure" in message) waiting.reject(new SealbridgeError(message.failure));
    else if ("phase" in message.event) waiting.onPhase?.(message.event.phase);
    else waiting.onProgress?.(message.event.progress);
  }
}

function refused(failure: Failure): SealbridgeError {
  return new SealbridgeError(tell(failure, pageLanguage()));
}

/**
 * No content script answered. A page can not learn whether the extension is not installed or not enabled on this site
 * (on other sites it is nowhere to be seen), so both remedies are given.
 */
function missing(): SealbridgeError {
  const both = tell({ code: "extension-missing" }, pageLanguage());
  const remedy = (language: Language): string => [WORDS["extension-missing"], WORDS["extension-not-enabled"]].map((words) => words.remedy[language]).join(language === "en" ? " If it is installed: " : "如果已经安装：");
  for (const language of ["zh-CN", "en"] as const) both.words[language].remedy = remedy(language);
  return new SealbridgeError(both);
}

function pageLanguage(): Language {
  return (document.documentElement.lang || navigator.language).toLowerCase().startsWith("en") ? "en" : "zh-CN";
}

/** Finds out before a window is opened whether the bytes can be read; makes Firefox back a Blob in memory by a file. */
async function readable(document: Blob, name: string): Promise<Blob> {
  if (!(document instanceof Blob)) throw refused({ code: "request-malformed", facts: { detail: "document is not a Blob" } });
  try {
    // Firefox passes large Blobs of memory to other processes by copying, and does not finish above 128 MB.
    const inMemory = !(document instanceof File) && "mozInnerScreenX" in window;
    const passed = inMemory && document.size > 16 * 1024 * 1024 ? await new Response(document).blob() : document;
    await passed.slice(-4).arrayBuffer();
    return passed;
  } catch (error) {
    const detail = error instanceof Error ? error.name : "";
    throw refused({ code: "read-failed" satisfies Code, facts: { name, detail } });
  }
}

function isWelcome(value: unknown, nonce: string): value is Welcome {
  if (typeof value !== "object" || value === null) return false;
  const welcome = value as Partial<Welcome>;
  return welcome.sealbridge === "welcome" && welcome.nonce === nonce && typeof welcome.extension === "string";
}
