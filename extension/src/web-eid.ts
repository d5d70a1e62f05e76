// The words of Web eID's page protocol, and which of its errors stands for which of ours. Pure: no browser is used, so the rules
// run in Node too. A page's library makes an error of a known code only, so what we know more travels in the field `sealbridge`.

import type { Code, PageFailure } from "./protocol";

export type Action = "web-eid:status" | "web-eid:authenticate" | "web-eid:get-signing-certificate" | "web-eid:sign";
const ACTIONS: readonly string[] = ["web-eid:status", "web-eid:authenticate", "web-eid:get-signing-certificate", "web-eid:sign"];

/** The major version of Web eID's messages that is spoken here; ours is named behind the plus sign. */
const MAJOR = 2;
/** How long a person may take when the page does not say, and the limits of what it may say. */
const INTERACTION_MS = 120_000;
const INTERACTION_MAX_MS = 600_000;

/** A page's message: a request, or a reply of whoever serves Web eID; null where it is something else. */
export function readMessage(data: unknown): { kind: "request"; action: Action } | { kind: "reply"; action: string } | null {
  if (typeof data !== "object" || data === null) return null;
  const { action } = data as { action?: unknown };
  if (typeof action !== "string" || !action.startsWith("web-eid:") || action.length > 64) return null;
  if (ACTIONS.includes(action)) return { kind: "request", action: action as Action };
  return action === "web-eid:warning" || /-(ack|success|failure)$/.test(action) ? { kind: "reply", action } : null;
}

/** What Web eID calls an error. */
export interface WebEidError {
  code: string;
  name: string;
  message: string;
  [extra: string]: unknown;
}

/** A request that can be served. */
export interface Request {
  library: string;
  timeoutMs: number;
  /** What is left for the background to read, which refuses what it does not know. */
  rest: Record<string, unknown>;
}

/** Reads a request's common fields: the library's version and the options. */
export function readRequest(data: object, extension: string): Request | WebEidError {
  const { action: _, libraryVersion, options, ...rest } = data as Record<string, unknown>;
  const version = typeof libraryVersion === "string" && libraryVersion.length <= 64 ? /^v?(\d+)\.\d+\.\d+/.exec(libraryVersion) : null;
  if (!version) return webEidError("ERR_WEBEID_VERSION_INVALID", "the library's version is no version");
  if (Number(version[1]) > MAJOR) {
    const versions = { library: libraryVersion, extension: versionOf(extension), nativeApp: versionOf(extension) };
    return { ...webEidError("ERR_WEBEID_VERSION_MISMATCH", "Update required for Web-eID extension and native app"), ...versions, requiresUpdate: { extension: true, nativeApp: true } };
  }
  const timeoutMs = interaction(options);
  if (timeoutMs === null) return webEidError("ERR_WEBEID_NATIVE_INVALID_ARGUMENT", "the options are not well formed");
  return { library: libraryVersion as string, timeoutMs, rest };
}

/** Tells a request from what is wrong with it. */
export function isError(read: Request | WebEidError): read is WebEidError {
  return "code" in read;
}

/** A version of ours as pages for Web eID read it: their own major version first, because that is what they compare. */
export function versionOf(own: string): string {
  return `${MAJOR}.0.0+sealbridge.${own}`;
}

function interaction(options: unknown): number | null {
  if (options === undefined || options === null) return INTERACTION_MS;
  if (typeof options !== "object") return null;
  const { userInteractionTimeout: timeout, lang, ...more } = options as Record<string, unknown>;
  // The windows speak the language that the user has chosen here; the page's wish is taken note of and no more.
  if (Object.keys(more).length > 0 || (lang !== undefined && typeof lang !== "string")) return null;
  if (timeout === undefined) return INTERACTION_MS;
  if (typeof timeout !== "number" || !(timeout > 0)) return null;
  return Math.min(Math.max(timeout, 1_000), INTERACTION_MAX_MS);
}

const NAMES: Readonly<Record<string, string>> = {
  ERR_WEBEID_ACTION_PENDING: "ActionPendingError",
  ERR_WEBEID_CONTEXT_INSECURE: "ContextInsecureError",
  ERR_WEBEID_EXTENSION_UNAVAILABLE: "ExtensionUnavailableError",
  ERR_WEBEID_NATIVE_FATAL: "NativeFatalError",
  ERR_WEBEID_NATIVE_INVALID_ARGUMENT: "NativeInvalidArgumentError",
  ERR_WEBEID_NATIVE_UNAVAILABLE: "NativeUnavailableError",
  ERR_WEBEID_UNKNOWN_ERROR: "UnknownError",
  ERR_WEBEID_USER_CANCELLED: "UserCancelledError",
  ERR_WEBEID_USER_TIMEOUT: "UserTimeoutError",
  ERR_WEBEID_VERSION_INVALID: "VersionInvalidError",
  ERR_WEBEID_VERSION_MISMATCH: "VersionMismatchError",
};

/** Our codes that have a name in Web eID. What is left is the host's or the key's trouble, or a refusal of the extension. */
const CODES: Partial<Record<Code, string>> = {
  cancelled: "ERR_WEBEID_USER_CANCELLED",
  "timed-out": "ERR_WEBEID_USER_TIMEOUT",
  busy: "ERR_WEBEID_ACTION_PENDING",
  "host-missing": "ERR_WEBEID_NATIVE_UNAVAILABLE",
  "host-forbidden": "ERR_WEBEID_NATIVE_UNAVAILABLE",
  "host-lost": "ERR_WEBEID_NATIVE_UNAVAILABLE",
  "host-timeout": "ERR_WEBEID_NATIVE_UNAVAILABLE",
  "caller-refused": "ERR_WEBEID_NATIVE_UNAVAILABLE",
  "version-too-old": "ERR_WEBEID_NATIVE_UNAVAILABLE",
  "origin-refused": "ERR_WEBEID_CONTEXT_INSECURE",
  "frame-refused": "ERR_WEBEID_CONTEXT_INSECURE",
  "extension-not-enabled": "ERR_WEBEID_EXTENSION_UNAVAILABLE",
  "extension-stopped": "ERR_WEBEID_EXTENSION_UNAVAILABLE",
  "request-malformed": "ERR_WEBEID_NATIVE_INVALID_ARGUMENT",
  "request-unknown-field": "ERR_WEBEID_NATIVE_INVALID_ARGUMENT",
  "request-too-large": "ERR_WEBEID_NATIVE_INVALID_ARGUMENT",
  "web-eid-nonce-malformed": "ERR_WEBEID_NATIVE_INVALID_ARGUMENT",
  "web-eid-signing-refused": "ERR_WEBEID_NATIVE_INVALID_ARGUMENT",
  "gesture-needed": "ERR_WEBEID_UNKNOWN_ERROR",
  "too-many-cancels": "ERR_WEBEID_UNKNOWN_ERROR",
};

/** A failure as a page for Web eID gets it. */
export function translateFailure(failure: PageFailure): WebEidError {
  const { code, party, facts, words } = failure;
  return { ...webEidError(CODES[code] ?? "ERR_WEBEID_NATIVE_FATAL", `${failure.what} ${failure.remedy}`), sealbridge: { code, party, facts, zh: words["zh-CN"], en: words.en } };
}

function webEidError(code: string, message: string): WebEidError {
  return { code, name: NAMES[code] ?? "UnknownError", message };
}
