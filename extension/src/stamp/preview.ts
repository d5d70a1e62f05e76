// Makes the revision that would be signed, again after every change, and shows it: what is seen is what is signed. One runs
// at a time, and only the newest counts. It is made and drawn while the original is still being hashed; signed it can be only
// with its digest.

import type { DocumentView, PreparedView, UnhashedView } from "sealbridge-wasm";
import { $ } from "../draw";
import { failureOf } from "../failure";
import { language, t } from "../language";
import type { Failure } from "../protocol";
import type { Desk } from "./desk";
import type { Engine } from "./engine";
import type { Items } from "./items";
import { joined } from "./joined";
import { mark } from "./moments";
import type { Overlay } from "./overlay";
import { fail, phase, status } from "./ui";
import type { Viewer } from "./viewer";

/** Wait after the last change before the revision is made again. */
export const PAUSE_MS = 350;
/** A revision older than this is made again before it is signed, so that its time is right. */
export const FRESH_MS = 90_000;

export interface Prepared {
  view: PreparedView;
  change: number;
  at: number;
}

/** What a revision is made of. */
export interface Making {
  engine: Engine;
  viewer: Viewer;
  desk: Desk;
  overlay: Overlay;
  items: Items;
  values: ReadonlyMap<string, string>;
  /** Whether each revision is also wanted as bytes, to be signed while another document lies on the desk. */
  keep: boolean;
  /** Ends when the document on the desk is hashed. */
  hashed: () => Promise<void>;
}

export class Preview {
  /** A failure that stays to be read while the revision is made again. */
  keepFailure = false;
  /** The document can be stamped as it is placed now, or not any more. */
  onReady: (ready: boolean) => void = () => undefined;
  /** It was made and is drawn; `kept` where it is wanted as bytes. */
  onMade: (view: PreparedView, kept: Uint8Array | null) => void = () => undefined;
  /** Something about the document has changed, and what was made of it is no longer wanted. */
  onStale: () => void = () => undefined;
  /** Making it has failed. */
  onRefused: (failure: Failure) => void = () => undefined;
  #document: { blob: Blob; view: DocumentView } | null = null;
  /** The seal is there; before that nothing is made. */
  #able = false;
  #change = 0;
  #interrupt: () => void = () => undefined;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #running: Promise<void> | null = null;
  #prepared: Prepared | null = null;

  constructor(private readonly making: Making) {}

  get prepared(): Prepared | null {
    return this.#prepared;
  }

  /** Another document lies on the desk, of which nothing is made until it is able; null: none does. */
  use(document: { blob: Blob; view: DocumentView } | null): void {
    this.#document = document;
    this.#able = false;
    this.keepFailure = false;
    this.#reset();
  }

  set able(able: boolean) {
    this.#able = able;
    if (able) this.changed(0);
  }

  /** The revision is no longer what is wanted; it is made again after a pause. */
  changed(pause: number): void {
    this.#reset();
    this.onStale();
    this.#timer = setTimeout(() => void this.#prepare(), pause);
  }

  #reset(): void {
    this.#change += 1;
    this.#interrupt();
    this.#prepared = null;
    this.making.overlay.stale();
    this.onReady(false);
    lost(null);
    if (!this.making.keep) $("code").textContent = "········";
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** The newest revision, made anew where it is old; null where there is none. */
  async fresh(): Promise<Prepared | null> {
    if (!this.#prepared || Date.now() - this.#prepared.at <= FRESH_MS) return this.#prepared;
    this.changed(0);
    await this.#prepare();
    return this.#prepared;
  }

  /** The revision for the newest change. */
  async #prepare(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    // The one that runs sees the change and starts over.
    if (this.#running) return this.#running;
    this.#running = (async () => {
      while (this.#prepared?.change !== this.#change && (await this.#make(this.#change)));
    })();
    try {
      await this.#running;
    } finally {
      this.#running = null;
    }
  }

  /** Makes one; false where there is nothing (more) to make. */
  async #make(change: number): Promise<boolean> {
    const { engine, viewer, desk, overlay, items, keep } = this.making;
    if (!this.#able || !this.#document) return false;
    const { blob, view: document } = this.#document;
    const wanted = items.all;
    if (!items.carrier) {
      status(t("placesNone"));
      $("place").textContent = "";
      return false;
    }
    status(t("stampPreparing"));
    try {
      const wish = { placements: items.wished(), fields: changedValues(this.making.values, document), time: Math.floor(Date.now() / 1000), language: language() };
      // What is kept is kept with its digest.
      if (keep) await this.making.hashed();
      if (change !== this.#change) return true;
      const made: (UnhashedView | PreparedView) & { kept?: Uint8Array } = await (keep ? engine.call("prepareKept", wish) : engine.call("prepare", wish));
      const { kept, ...unhashed } = made;
      mark("prepared");
      if (change !== this.#change) return true;
      const pdf = await viewer.open(await joined(blob, unhashed.tail));
      if (change !== this.#change) {
        void pdf.loadingTask.destroy();
        return true;
      }
      await desk.use(pdf);
      if (change !== this.#change) return true;
      mark("drawn");
      overlay.drawn(wanted);
      $("place").textContent = unhashed.place;
      lost(unhashed);
      const at = Date.now();
      // A change does not wait for the hash of what it makes obsolete.
      if (!("digest" in unhashed)) await Promise.race([this.making.hashed(), new Promise<void>((resolve) => (this.#interrupt = resolve))]);
      if (change !== this.#change) return true;
      const view: PreparedView = "digest" in unhashed ? unhashed : { ...unhashed, ...(await engine.call("digest")) };
      if (change !== this.#change) return true;
      this.#prepared = { view, change, at };
      if (!keep) $("code").textContent = view.code;
      if (!this.keepFailure) fail(null);
      status(t("stampReady"));
      this.onMade(view, kept ?? null);
      this.onReady(phase() === "editing");
      mark("ready");
    } catch (thrown) {
      if (change !== this.#change) return true;
      const failure = failureOf(thrown);
      fail(failure);
      status("");
      this.onRefused(failure);
      return false;
    }
    return true;
  }
}

/** The values that differ from what stands in the document. */
export function changedValues(values: ReadonlyMap<string, string>, view: DocumentView): Record<string, string> {
  return Object.fromEntries([...values].filter(([name, value]) => view.fields.find((field) => field.name === name)?.value !== value));
}

/** Says what the stamp takes from the standards that the file claims to meet; a person may want to know before stamping. */
function lost(made: UnhashedView | null): void {
  const line = $("not-kept");
  line.hidden = !made || made.notKept.length === 0;
  line.textContent = made && !line.hidden ? t("stampNotKept", made.claims.join(" · "), made.notKept.join(language() === "en" ? "; " : "；")) : "";
}
