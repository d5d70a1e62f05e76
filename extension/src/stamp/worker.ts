// The stamping page's worker: runs the wasm module over the document's Blob, where reading may block. It keeps one document.

import init, { describeSeal, hashDocument, memoryBytes, Stamping } from "sealbridge-wasm";
import type { DigestView, DocumentView, Finished, PreparedView, PrepareWish, SealView } from "sealbridge-wasm";
import { failureOf, Refused } from "../failure";
import type { Failure, SealAnswer } from "../protocol";
import type { VerifyReport } from "../page/sealbridge";
import type { Placement } from "../messages";
import type { Spot } from "./items";

/** What the page can ask, with what it gets. */
export interface Methods {
  open: (document: Blob, name: string, password?: string) => DocumentView;
  /** Progress arrives as separate messages. */
  hash: () => null;
  useSeal: (answer: SealAnswer) => SealView;
  /** A seal that is only looked at. */
  describeSeal: (answer: SealAnswer) => SealView;
  /** What a page may ask for, as places: pages counted, keywords found, seams cut. */
  places: (wishes: Placement[]) => Spot[];
  prepare: (wish: PrepareWish) => PreparedView | (PreparedView & DigestView);
  digest: () => DigestView;
  finish: (cms: string) => Finished;
  verify: () => VerifyReport;
  memory: () => number;
}

export type ToWorker = { call: number; method: keyof Methods; args: unknown[] };
export type FromWorker = { call: number; ok: unknown } | { call: number; failure: Failure } | { hashed: number };

const FONT = "/fonts/NotoSansSC-Regular.ttf";
const ready = init({ module_or_path: new URL("/wasm/sealbridge_wasm_bg.wasm", self.location.origin) });
let stamping: Stamping | null = null;
let blob: Blob | null = null;

const methods: { [M in keyof Methods]: (...args: Parameters<Methods[M]>) => ReturnType<Methods[M]> | Promise<ReturnType<Methods[M]>> } = {
  open(document, name, password) {
    stamping?.free();
    stamping = null;
    stamping = new Stamping(document, name, password);
    blob = document;
    return stamping.describe();
  },

  async hash() {
    if (!blob) throw new Refused("internal", { detail: "no document" });
    const digest = await hashDocument(blob, (done) => {
      post({ hashed: done });
      return others();
    });
    current().useHash(digest);
    return null;
  },

  useSeal(answer) {
    return current().useSeal(bytes(answer.seal), bytes(answer.certificate.der), answer.certificate.chain.map(bytes));
  },

  describeSeal(answer) {
    return describeSeal(bytes(answer.seal), bytes(answer.certificate.der));
  },

  places(wishes) {
    return current().places(wishes);
  },

  async prepare(wish) {
    // Ten megabytes are read only for texts that need them.
    const dated = wish.placements.some((place) => "date" in place);
    if (current().needsFont([...Object.values(wish.fields), ...(dated ? ["年月日"] : [])])) {
      const font = await fetch(FONT);
      current().useFont(new Uint8Array(await font.arrayBuffer()));
    }
    return current().prepare(wish);
  },

  digest() {
    return current().digest();
  },

  finish(cms) {
    return current().finish(bytes(cms), now());
  },

  verify() {
    return current().verify(now());
  },

  memory() {
    return memoryBytes();
  },
};

self.onmessage = (event: MessageEvent<ToWorker>) => {
  const { call, method, args } = event.data;
  void (async () => {
    try {
      await ready;
      const run = methods[method] as (...args: unknown[]) => unknown;
      post({ call, ok: await run(...args) });
    } catch (thrown) {
      post({ call, failure: failureOf(thrown) });
    }
  })();
};

function current(): Stamping {
  if (!stamping) throw new Refused("internal", { detail: "no document" });
  return stamping;
}

const { port1, port2 } = new MessageChannel();
port1.start();

/** Lets calls that have come in be served: a stream that has more to read never gives way by itself. */
function others(): Promise<void> {
  return new Promise((resolve) => {
    port1.addEventListener("message", () => resolve(), { once: true });
    port2.postMessage(null);
  });
}

function post(message: FromWorker): void {
  self.postMessage(message);
}

/** Standard base64, as the host writes it; the background has checked its form. */
function bytes(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
