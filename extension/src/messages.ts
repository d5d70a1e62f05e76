// What the extension's own parts say to each other. What goes to the host is in protocol.ts, which is generated.
//
// page ──MessagePort── content script ──runtime port "page"── background ──runtime port "stamp:ID"── stamping page
//                          └────────────── tabs port "document:ID" (the documents) ──────────────────────┘

import type { Failure, Language, PageFailure, Phase, SealAnswer, StampDocument, Verbs } from "./protocol";
import type { Placement } from "./page/sealbridge";

/** The version of the messages between page client and content script. */
export const CLIENT_PROTOCOL = 1;

export type PageVerb = "status" | "bind" | "login" | "stamp" | "verify";
/** What the shim for Web eID asks the background for; pages can not name these over their port. */
export type WebEidVerb = "web-eid" | "web-eid-status";
export type ContentVerb = PageVerb | WebEidVerb;
export const PAGE_VERBS: readonly PageVerb[] = ["status", "bind", "login", "stamp", "verify"];

/** Page to content script: the first words, posted into the page's own window. */
export interface Hello {
  sealbridge: "hello";
  protocol: number;
  /** Echoed, so that two copies of the client do not take each other's port. */
  nonce: string;
}

/** Content script to page: the answer, posted into the page's own window together with one MessagePort. */
export interface Welcome {
  sealbridge: "welcome";
  protocol: number;
  extension: string;
  nonce: string;
}

/** Page to content script, over the MessagePort. */
export type FromPage =
  | { id: number; verb: PageVerb; arguments: Record<string, unknown>; timeoutMs: number }
  | { id: number; verb: "propose-web-eid" }
  | { id: number; cancel: true };

/** Content script to page, over the MessagePort. */
export type ToPage =
  | { id: number; ok: unknown }
  | { id: number; failure: PageFailure }
  | { id: number; event: { phase: Phase | "document" } | { progress: Progress } };

/** How far a list of documents has come. */
export interface Progress {
  stamped: number;
  refused: number;
  count: number;
}

/** Content script to background. Documents stay behind; the stamping page fetches them. */
export type FromContent =
  | { type: "call"; operation: string; verb: ContentVerb; arguments: Record<string, unknown>; timeoutMs: number; again: boolean }
  | { type: "cancel"; operation: string };

/** Background to content script. */
export type ToContent =
  | { operation: string; ok: unknown }
  | { operation: string; failure: PageFailure }
  | { operation: string; event: { phase: Phase | "document" } };

/** Where a seal goes. Millimetres from the lower left corner of the page as it is shown, to the seal's lower left corner. */
export type { Placement } from "./page/sealbridge";

/** One visit to the stamping page. */
export interface Job {
  operation: string;
  verb: "stamp" | "verify";
  origin: string;
  /** The portal's tab. */
  tab: number;
  /** At least one; the stamping page fetches their bytes in the same order. */
  documents: JobDocument[];
  /** The page gave a list, be it of one, and gets one. */
  batch: boolean;
  language: Language;
}

/** One document of a visit, with what the page wishes for it. */
export interface JobDocument {
  name: string;
  placements: Placement[];
  fields: Record<string, string>;
}

/** Stamping page to background. */
export type FromStamp =
  | { type: "seal"; call: number; seal?: string; certificate?: string }
  | { type: "choices"; call: number }
  | { type: "sign"; call: number; hostOperation: string; certificate: string; seal: string; documents: StampDocument[] }
  /** What became of a signing that an earlier life of this page asked for. */
  | { type: "outcome"; call: number; hostOperation: string }
  | { type: "cancel-signing"; hostOperation: string }
  | { type: "settled"; outcome: "done" | "failed" | "cancelled" };

/** Background to stamping page. */
export type ToStamp =
  | { type: "job"; job: Job }
  | { type: "gone"; failure: Failure }
  | { type: "ok"; call: number; ok: unknown }
  | { type: "failed"; call: number; failure: Failure }
  | { type: "phase"; phase: Phase };

export type SealOk = SealAnswer;
export interface SignOk {
  signatures: string[];
}

/** Content script to stamping page, over the document port. A browser whose messages are JSON makes `{}` of a Blob. */
export type FromDocument = { type: "documents"; blobs: Blob[] } | { type: "received" } | { type: "aborted" };

/** What became of one document. */
export type StampOutcome = { name: string; blob: Blob; report: unknown } | { name: string; failure: PageFailure };

/** Stamping page to content script, over the document port; `stamped` through the courier frame where that brought the documents. */
export type ToDocument =
  | { type: "courier"; channel: string }
  | { type: "stamped"; outcomes: StampOutcome[] }
  | { type: "progress"; progress: Progress }
  | { type: "verified"; report: unknown }
  | { type: "failed"; failure: PageFailure };

/** Content script to courier frame, with the MessagePort for what comes back. */
export interface ToCourier {
  /** 128 random bits as 22 characters of base64url. */
  channel: string;
  blobs: Blob[];
}

/** Popup to background. */
export type FromPopup =
  | { type: "status" }
  | { type: "enable"; origin: string; tab: number | null }
  | { type: "disable"; origin: string }
  | { type: "web-eid"; origin: string; on: boolean }
  | { type: "resume"; origin: string };

/** What the key centre asks the host without using a key. */
export type LookVerb = "keys" | "seal-picture" | "export-certificate" | "record" | "environment" | "token-request" | "seal-part";
/** What it asks that opens the host's windows. */
export type CareVerb = "change-pin" | "unlock" | "activate" | "install";
export type CentreVerb = LookVerb | CareVerb;

/** Key centre to background. */
export type FromCentre =
  | { [V in CentreVerb]: { type: "ask"; call: number; verb: V; arguments: Verbs[V]["arguments"] } }[CentreVerb]
  | { type: "hello"; call: number }
  /** The host is started anew, so that it reads its settings again. */
  | { type: "restart"; call: number }
  /** Closes the window of a call. */
  | { type: "cancel"; target: number }
  /** The person is looking: the host stays, and tells of keys that come and go. */
  | { type: "stay" };

/** Background to key centre. */
export type ToCentre =
  | { type: "ok"; call: number; ok: unknown }
  | { type: "failed"; call: number; failure: Failure }
  | { type: "phase"; call: number; phase: Phase }
  | { type: "tokens" };

/** What is known here about a site. */
export interface Binding {
  account: string;
  organisation: string;
  certificate: string;
  /** Unix seconds. */
  at: number;
}
