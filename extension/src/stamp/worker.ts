// The stamping page's worker: runs the wasm module over a document's Blob, where reading may block. Of several documents it
// keeps one open; of each other one only what is needed to go on with it: its Blob, its hash and its password.

import init, { describeSeal, listCode, memoryBytes, OriginalDigest, Stamping } from "sealbridge-wasm";
import type { ClerkReport, DigestView, DocumentView, Finished, PreparedView, PrepareWish, SealView, UnhashedView } from "sealbridge-wasm";
import { bytes } from "../base64";
import { failureOf, Refused } from "../failure";
import type { Failure, SealAnswer } from "../protocol";
import type { VerifyReport } from "../page/sealbridge";
import type { Placement } from "../messages";
import type { Spot } from "./items";

/** What the page can ask, with what it gets. */
export interface Methods {
  open: (document: Blob, name: string, password?: string) => DocumentView;
  /** The hash of a document, as the other worker has saved it. The document need not be open, or a PDF at all. */
  hashed: (document: Blob, name: string, state: Uint8Array) => null;
  useSeal: (answer: SealAnswer) => SealView;
  /** A seal that is only looked at. */
  describeSeal: (answer: SealAnswer) => SealView;
  /** What a page may ask for, as places: pages counted, keywords found, seams cut. */
  places: (wishes: Placement[]) => Spot[];
  /** Without the digest while the document is still being hashed. */
  prepare: (wish: PrepareWish) => UnhashedView | PreparedView;
  /** The digest of what was prepared, once the document is hashed. */
  digest: () => DigestView;
  /** Prepared with its digest, and the revision as bytes: its signature may come while another document is open. */
  prepareKept: (wish: PrepareWish) => PreparedView & { kept: Uint8Array };
  finish: (cms: string) => Finished;
  finishKept: (kept: Uint8Array, cms: string) => Finished;
  /** The code over the digests of a list, as the host's window shows it. */
  listCode: (digests: string[]) => string;
  verify: () => VerifyReport;
  /** The same for a clerk, in one language. */
  clerk: (english: boolean) => ClerkReport;
  memory: () => number;
}

/** The compiled module, once and first; then calls. */
export type ToWorker = { module: WebAssembly.Module } | { call: number; document: number; method: keyof Methods; args: unknown[] };
export type FromWorker = { call: number; ok: unknown } | { call: number; failure: Failure };

/** What is kept of a document that is not open. */
interface Kept {
  blob: Blob;
  name: string;
  password: string | undefined;
  digest: OriginalDigest | null;
}

const FONT = "/fonts/NotoSansSC-Regular.ttf";
let started: (module: WebAssembly.Module) => void;
const ready = new Promise<WebAssembly.Module>((resolve) => (started = resolve)).then((module) => init({ module_or_path: module }));
const documents = new Map<number, Kept>();
let open: { document: number; stamping: Stamping } | null = null;
let seal: SealAnswer | null = null;
/** Calls about open documents follow each other; only a hash, which opens none, is taken in between. */
let turn: Promise<void> = Promise.resolve();

const methods: { [M in keyof Methods]: (document: number, ...args: Parameters<Methods[M]>) => ReturnType<Methods[M]> | Promise<ReturnType<Methods[M]>> } = {
  open(document, blob, name, password) {
    close();
    // Opened again with another password it is still the same document, and a hash may be under way.
    const kept = documents.get(document) ?? { blob, name, password, digest: null };
    const stamping = opened(document, Object.assign(kept, { password }));
    documents.set(document, kept);
    return stamping.describe();
  },

  hashed(document, blob, name, state) {
    const kept = documents.get(document) ?? { blob, name, password: undefined, digest: null };
    documents.set(document, kept);
    kept.digest = OriginalDigest.restore(state);
    if (open?.document === document) open.stamping.useHash(kept.digest.copy());
    return null;
  },

  useSeal(document, answer) {
    seal = answer;
    return put(current(document), answer);
  },

  describeSeal(_, answer) {
    return describeSeal(bytes(answer.seal), bytes(answer.certificate.der));
  },

  places(document, wishes) {
    return current(document).places(wishes);
  },

  async prepare(document, wish) {
    const stamping = current(document);
    // Ten megabytes are read only for texts that need them.
    const dated = wish.placements.some((place) => "date" in place);
    if (stamping.needsFont([...Object.values(wish.fields), ...(dated ? ["年月日"] : [])])) {
      const font = await fetch(FONT);
      stamping.useFont(new Uint8Array(await font.arrayBuffer()));
    }
    return stamping.prepare(wish);
  },

  async prepareKept(document, wish) {
    const view = await methods.prepare(document, wish);
    if (!("digest" in view)) throw new Refused("internal", { detail: "not hashed" });
    return { ...view, kept: current(document).keep() };
  },

  digest(document) {
    return current(document).digest();
  },

  finish(document, cms) {
    return current(document).finish(bytes(cms), now());
  },

  finishKept(document, kept, cms) {
    return current(document).finishKept(kept, bytes(cms), now());
  },

  listCode(_, digests) {
    return listCode(digests);
  },

  verify(document) {
    return current(document).verify(now());
  },

  clerk(document, english) {
    return current(document).clerk(now(), english);
  },

  memory() {
    return memoryBytes();
  },
};

self.onmessage = (event: MessageEvent<ToWorker>) => {
  if ("module" in event.data) return started(event.data.module);
  const { call, document, method, args } = event.data;
  const run = async (): Promise<void> => {
    try {
      await ready;
      const does = methods[method] as (document: number, ...args: unknown[]) => unknown;
      post({ call, ok: await does(document, ...args) });
    } catch (thrown) {
      post({ call, failure: failureOf(thrown) });
    }
  };
  if (method === "hashed") void run();
  else turn = turn.then(run);
};

/** The document, opened again where another one was open meanwhile. */
function current(document: number): Stamping {
  if (open?.document === document) return open.stamping;
  const kept = documents.get(document);
  if (!kept) throw new Refused("internal", { detail: "no document" });
  close();
  return opened(document, kept);
}

function opened(document: number, kept: Kept): Stamping {
  const stamping = new Stamping(kept.blob, kept.name, kept.password);
  open = { document, stamping };
  if (kept.digest) stamping.useHash(kept.digest.copy());
  if (seal) put(stamping, seal);
  return stamping;
}

function close(): void {
  open?.stamping.free();
  open = null;
}

function put(stamping: Stamping, answer: SealAnswer): SealView {
  return stamping.useSeal(bytes(answer.seal), bytes(answer.certificate.der), answer.certificate.chain.map(bytes));
}

function post(message: FromWorker): void {
  self.postMessage(message);
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
