// The content script: hands the page one MessagePort and forwards its calls. It decides nothing about rights: the
// background reads the origin from the browser and judges there. Documents stay here until the stamping page fetches
// them. It runs in the top frame only, on sites that are enabled, and says nothing to frames, openers or other origins.

import { CLIENT_PROTOCOL, PAGE_VERBS } from "../messages";
import type { ContentVerb, FromContent, FromDocument, FromPage, Hello, PageVerb, StampOutcome, ToContent, ToDocument, ToPage, WebEidVerb, Welcome } from "../messages";
import { failureOf, Refused } from "../failure";
import { tell } from "../protocol";
import type { Failure, Language, PageFailure } from "../protocol";
import { sendByCourier } from "./courier";
import { Gestures } from "./gesture";
import { WebEid } from "./web-eid";
import type { Asked } from "./web-eid";

/** Ports handed out per document, and calls waiting at once: more is a page gone wild. */
const PORTS_MAX = 16;
const PENDING_MAX = 16;
const TIMEOUT_MAX_MS = 3_600_000;
/** How often a stopped background is started again for calls that wait. */
const RECONNECTS_MAX = 3;
/** How long the stamping page may be away (it is being reloaded) before its call counts as cancelled. */
const STAMP_PAGE_GONE_MS = 20_000;

interface Pending {
  id: number;
  page: MessagePort;
  operation: string;
  verb: ContentVerb;
  arguments: Record<string, unknown>;
  timeoutMs: number;
  documents: Blob[] | null;
  /** The page gave a list of documents and gets a list of outcomes. */
  batch: boolean;
  gone: ReturnType<typeof setTimeout> | null;
  /** Takes the courier frame away, where there is one. */
  endCourier: (() => void) | null;
}

const LANGUAGE: Language = navigator.language.toLowerCase().startsWith("en") ? "en" : "zh-CN";

function start(): void {
  let ports = 0;
  const gestures = new Gestures();
  const pending = new Map<string, Pending>();
  const documentPorts = new Map<string, chrome.runtime.Port>();
  const webEid = new WebEid(gestures, askForWebEid, LANGUAGE);
  let background: chrome.runtime.Port | null = null;
  let reconnects = 0;

  window.addEventListener("message", (event) => {
    // Only this window's own scripts: not frames, not openers, not another origin, not a sandboxed document.
    if (event.source !== window || event.origin !== location.origin || self.origin !== location.origin) return;
    const hello = event.data as unknown;
    if (!isHello(hello) || ports >= PORTS_MAX) return;
    ports += 1;
    const channel = new MessageChannel();
    const agreed = hello.protocol === CLIENT_PROTOCOL;
    channel.port1.onmessage = (call) => {
      fromPage(channel.port1, call.data, agreed ? null : disagreement(hello.protocol));
    };
    const welcome: Welcome = { sealbridge: "welcome", protocol: CLIENT_PROTOCOL, extension: EXTENSION_VERSION, nonce: hello.nonce };
    window.postMessage(welcome, location.origin, [channel.port2]);
  });

  chrome.runtime.onConnect.addListener((port) => {
    const operation = port.name.startsWith("document:") ? port.name.slice("document:".length) : "";
    const call = pending.get(operation);
    const ours = port.sender?.id === chrome.runtime.id && (port.sender.url ?? "").startsWith(chrome.runtime.getURL("stamp.html"));
    if (!ours || !call?.documents) {
      port.disconnect();
      return;
    }
    if (call.gone !== null) clearTimeout(call.gone);
    documentPorts.set(operation, port);
    port.onMessage.addListener((message) => fromDocument(call, port, message as ToDocument));
    port.onDisconnect.addListener(() => {
      if (documentPorts.get(operation) !== port) return;
      documentPorts.delete(operation);
      call.gone = setTimeout(() => fail(call, { code: "cancelled" }), STAMP_PAGE_GONE_MS);
    });
    port.postMessage({ type: "documents", blobs: call.documents } satisfies FromDocument);
  });

  function fromPage(page: MessagePort, message: unknown, refusal: Failure | null): void {
    if (!isFromPage(message)) return;
    if ("cancel" in message) {
      for (const call of pending.values()) if (call.page === page && call.id === message.id) cancel(call);
      return;
    }
    if ("verb" in message && message.verb === "propose-web-eid") {
      void webEid.propose().then((on) => answer(page, { id: message.id, ok: { on } }));
      return;
    }
    try {
      if (refusal) throw Refused.from(refusal);
      if (pending.size >= PENDING_MAX) throw new Refused("busy");
      const call = readCall(page, message);
      if (!gestures.allow(call.verb)) throw new Refused("gesture-needed");
      pending.set(call.operation, call);
      send({ type: "call", operation: call.operation, verb: call.verb, arguments: call.arguments, timeoutMs: call.timeoutMs, again: false });
    } catch (thrown) {
      answer(page, { id: message.id, failure: tell(failureOf(thrown), LANGUAGE) });
    }
  }

  /** The shim's calls go the way of a page's, with a port of their own at the end. */
  function askForWebEid(verb: WebEidVerb, args: Record<string, unknown>, timeoutMs: number): Asked {
    const { port1, port2 } = new MessageChannel();
    const call: Pending = { id: 0, page: port1, operation: newOperation(), verb, arguments: {}, timeoutMs, documents: null, batch: false, gone: null, endCourier: null };
    const ended = new Promise<Awaited<Asked["answer"]>>((resolve) => {
      port2.onmessage = ({ data }: MessageEvent<ToPage>) => {
        if ("event" in data) return;
        port2.close();
        resolve(data);
      };
    });
    try {
      if (pending.size >= PENDING_MAX) throw new Refused("busy");
      call.arguments = plainData(args);
      pending.set(call.operation, call);
      send({ type: "call", operation: call.operation, verb, arguments: call.arguments, timeoutMs, again: false });
    } catch (thrown) {
      answer(port1, { id: 0, failure: tell(failureOf(thrown), LANGUAGE) });
    }
    return { answer: ended, cancel: () => pending.has(call.operation) && cancel(call) };
  }

  function fromDocument(call: Pending, port: chrome.runtime.Port, message: ToDocument): void {
    if (message.type === "courier") {
      // A stamping page that was loaded again needs a frame of its own.
      call.endCourier?.();
      if (BROWSER === "chromium" && call.documents) call.endCourier = sendByCourier(message.channel, call.documents, (result) => fromDocument(call, port, result));
    } else if (message.type === "stamped") {
      const result = resultOf(call, message.outcomes);
      if (!result) return;
      settle(call, { id: call.id, ...result });
      try {
        // The stamping page closes once it knows that its result is here.
        port.postMessage({ type: "received" } satisfies FromDocument);
      } catch {
        // Closed meanwhile.
      }
    } else if (message.type === "progress") answer(call.page, { id: call.id, event: { progress: message.progress } });
    else if (message.type === "verified") settle(call, { id: call.id, ok: message.report });
    else if (message.type === "failed") settle(call, { id: call.id, failure: message.failure });
  }

  function fromBackground(message: ToContent): void {
    const call = pending.get(message.operation);
    if (!call) return;
    reconnects = 0;
    if ("ok" in message) settle(call, { id: call.id, ok: message.ok });
    else if ("failure" in message) settle(call, { id: call.id, failure: message.failure });
    else answer(call.page, { id: call.id, event: message.event });
  }

  function cancel(call: Pending): void {
    documentPorts.get(call.operation)?.postMessage({ type: "aborted" } satisfies FromDocument);
    send({ type: "cancel", operation: call.operation });
    fail(call, { code: "cancelled" });
  }

  function fail(call: Pending, failure: Failure): void {
    settle(call, { id: call.id, failure: tell(failure, LANGUAGE) });
  }

  function settle(call: Pending, message: ToPage): void {
    if (!pending.delete(call.operation)) return;
    if (call.gone !== null) clearTimeout(call.gone);
    call.endCourier?.();
    answer(call.page, message);
  }

  /** Sends to the background, starting it where it sleeps. */
  function send(message: FromContent): void {
    try {
      background ??= connect();
      background.postMessage(message);
    } catch {
      // The extension was updated, switched off or removed under this page.
      background = null;
      for (const call of [...pending.values()]) fail(call, { code: "extension-stopped" });
    }
  }

  function connect(): chrome.runtime.Port {
    const port = chrome.runtime.connect({ name: "page" });
    port.onMessage.addListener((message) => fromBackground(message as ToContent));
    port.onDisconnect.addListener(() => {
      if (background !== port) return;
      background = null;
      if (pending.size === 0) return;
      reconnects += 1;
      if (reconnects > RECONNECTS_MAX) {
        for (const call of [...pending.values()]) fail(call, { code: "extension-stopped" });
        return;
      }
      // The same operation ids: the background finds them in its journal, and the host in its own.
      setTimeout(() => {
        for (const call of [...pending.values()]) {
          send({ type: "call", operation: call.operation, verb: call.verb, arguments: call.arguments, timeoutMs: call.timeoutMs, again: true });
        }
      }, 100 * reconnects);
    });
    return port;
  }
}

function readCall(page: MessagePort, message: Extract<FromPage, { timeoutMs: number }>): Pending {
  if (!PAGE_VERBS.includes(message.verb)) throw new Refused("verb-unknown", { verb: String(message.verb).slice(0, 40) });
  if (typeof message.timeoutMs !== "number" || !(message.timeoutMs >= 1_000 && message.timeoutMs <= TIMEOUT_MAX_MS)) {
    throw new Refused("request-malformed", { detail: "timeoutMs" });
  }
  const extra = Object.keys(message).find((key) => !["id", "verb", "arguments", "timeoutMs"].includes(key));
  if (extra !== undefined) throw new Refused("request-unknown-field", { field: extra.slice(0, 40) });
  if (typeof message.arguments !== "object" || message.arguments === null) throw new Refused("request-malformed", { detail: "arguments" });
  const { documents, batch, rest } = takeDocuments(message.verb, message.arguments);
  return {
    id: message.id,
    page,
    operation: newOperation(),
    verb: message.verb,
    arguments: plainData(rest),
    timeoutMs: message.timeoutMs,
    documents,
    batch,
    gone: null,
    endCourier: null,
  };
}

/** Only plain data goes on; what JSON can not say never reaches the background. */
function plainData(data: Record<string, unknown>): Record<string, unknown> {
  try {
    return JSON.parse(JSON.stringify(data)) as Record<string, unknown>;
  } catch {
    throw new Refused("request-malformed", { detail: "arguments are not plain data" });
  }
}

/** Parts the arguments: the documents stay here, the rest goes on to be judged. */
function takeDocuments(verb: PageVerb, args: Record<string, unknown>): { documents: Blob[] | null; batch: boolean; rest: Record<string, unknown> } {
  if (verb === "stamp" && args["documents"] !== undefined) {
    if (args["document"] !== undefined) throw new Refused("request-unknown-field", { field: "document" });
    const { documents: list } = args;
    if (!Array.isArray(list)) throw new Refused("request-malformed", { detail: "documents is not a list" });
    const documents: Blob[] = [];
    const listed = list.map((entry: unknown) => {
      const { document: blob, ...wishes } = (typeof entry === "object" && entry !== null ? entry : {}) as Record<string, unknown>;
      if (!isBlob(blob)) throw new Refused("request-malformed", { detail: "document is not a Blob" });
      documents.push(blob);
      return wishes;
    });
    return { documents, batch: true, rest: { ...args, documents: listed } };
  }
  const { document: blob, ...rest } = args;
  const wantsDocument = verb === "stamp" || verb === "verify";
  if (wantsDocument && !isBlob(blob)) throw new Refused("request-malformed", { detail: "document is not a Blob" });
  if (!wantsDocument && blob !== undefined) throw new Refused("request-unknown-field", { field: "document" });
  return { documents: wantsDocument ? [blob as Blob] : null, batch: false, rest };
}

/** What the page gets for these outcomes; null where they are not what a stamping page sends. */
function resultOf(call: Pending, outcomes: StampOutcome[]): { ok: unknown } | { failure: PageFailure } | null {
  if (!Array.isArray(outcomes) || outcomes.length !== call.documents?.length) return null;
  if (!outcomes.every((outcome) => "failure" in outcome || isBlob(outcome.blob))) return null;
  const results = outcomes.map((outcome) => ("failure" in outcome ? outcome : { name: outcome.name, document: outcome.blob, report: outcome.report }));
  if (call.batch) return { ok: { documents: results } };
  const [only] = results;
  if (!only) return null;
  return "failure" in only ? { failure: only.failure } : { ok: { document: only.document, report: only.report } };
}

/** 128 random bits as 22 characters of base64url. */
function newOperation(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function answer(page: MessagePort, message: ToPage): void {
  page.postMessage(message);
}

function disagreement(client: number): Failure {
  const old = client < CLIENT_PROTOCOL;
  return {
    code: "version-too-old",
    facts: { part: old ? "client" : "extension", version: String(old ? client : CLIENT_PROTOCOL), needed: String(old ? CLIENT_PROTOCOL : client) },
  };
}

function isHello(value: unknown): value is Hello {
  if (typeof value !== "object" || value === null) return false;
  const hello = value as Partial<Hello>;
  return hello.sealbridge === "hello" && Number.isSafeInteger(hello.protocol) && typeof hello.nonce === "string" && hello.nonce.length <= 64;
}

function isFromPage(value: unknown): value is FromPage {
  if (typeof value !== "object" || value === null) return false;
  const { id } = value as { id?: unknown };
  return Number.isSafeInteger(id);
}

function isBlob(value: unknown): value is Blob {
  return value instanceof Blob || ["[object Blob]", "[object File]"].includes(Object.prototype.toString.call(value));
}

// A second injection (the site was just enabled) must not answer twice; one left over from before an update must not hinder.
const world = globalThis as { sealbridgeIsAlive?: () => boolean };
if (window === window.top && !world.sealbridgeIsAlive?.()) {
  world.sealbridgeIsAlive = () => chrome.runtime?.id !== undefined;
  start();
}
