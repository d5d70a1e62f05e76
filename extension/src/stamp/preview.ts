// Makes the revision that would be signed, again after every change, and shows it: what is seen is what is signed. One runs
// at a time, and only the newest counts. It is made and drawn while the original is still being hashed; signed it can be only
// with its digest.

import type { DigestView, DocumentView, PreparedView } from "sealbridge-wasm";
import { failureOf } from "../failure";
import { language, t } from "../language";
import type { Desk } from "./desk";
import type { Engine } from "./engine";
import type { Items } from "./items";
import { joined } from "./joined";
import { mark } from "./moments";
import type { Overlay } from "./overlay";
import { $, fail, phase, status } from "./ui";
import type { Viewer } from "./viewer";

/** Wait after the last change before the revision is made again. */
export const PAUSE_MS = 350;
/** A revision older than this is made again before it is signed, so that its time is right. */
const FRESH_MS = 90_000;

export interface Prepared {
  view: PreparedView & DigestView;
  change: number;
  at: number;
}

/** What a revision is made of. */
export interface Making {
  blob: Blob;
  view: DocumentView;
  engine: Engine;
  viewer: Viewer;
  desk: Desk;
  overlay: Overlay;
  items: Items;
  values: ReadonlyMap<string, string>;
  /** Ends when the original is hashed. */
  hashed: () => Promise<void>;
}

export class Preview {
  /** A failure that stays to be read while the revision is made again. */
  keepFailure = false;
  /** The document can be stamped as it is placed now, or not any more. */
  onReady: (ready: boolean) => void = () => undefined;
  /** Making it has failed with this code. */
  onRefused: (code: string) => void = () => undefined;
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

  set able(able: boolean) {
    this.#able = able;
    if (able) this.changed(0);
  }

  /** The revision is no longer what is wanted; it is made again after a pause. */
  changed(pause: number): void {
    this.#change += 1;
    this.#interrupt();
    this.#prepared = null;
    this.making.overlay.stale();
    this.onReady(false);
    $("code").textContent = "········";
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#prepare(), pause);
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
    const { blob, engine, viewer, desk, overlay, items } = this.making;
    if (!this.#able) return false;
    const wanted = items.all;
    if (!items.carrier) {
      status(t("placesNone"));
      $("place").textContent = "";
      return false;
    }
    status(t("stampPreparing"));
    try {
      const fields = Object.fromEntries([...this.making.values].filter(([field, value]) => this.#original(field) !== value));
      const view = await engine.call("prepare", { placements: items.wished(), fields, time: Math.floor(Date.now() / 1000), language: language() });
      mark("prepared");
      if (change !== this.#change) return true;
      const pdf = await viewer.open(await joined(blob, view.tail));
      if (change !== this.#change) {
        void pdf.loadingTask.destroy();
        return true;
      }
      await desk.use(pdf);
      if (change !== this.#change) return true;
      mark("drawn");
      overlay.drawn(wanted);
      $("place").textContent = view.place;
      const at = Date.now();
      // A change does not wait for the hash of what it makes obsolete.
      if (!("digest" in view)) await Promise.race([this.making.hashed(), new Promise<void>((resolve) => (this.#interrupt = resolve))]);
      if (change !== this.#change) return true;
      const { digest, code } = "digest" in view ? view : await engine.call("digest");
      if (change !== this.#change) return true;
      this.#prepared = { view: { ...view, digest, code }, change, at };
      $("code").textContent = code;
      if (!this.keepFailure) fail(null);
      this.onReady(phase() === "editing");
      mark("ready");
      status(t("stampReady"));
    } catch (thrown) {
      if (change !== this.#change) return true;
      const failure = failureOf(thrown);
      fail(failure);
      status("");
      this.onRefused(failure.code);
      return false;
    }
    return true;
  }

  #original(name: string): string | undefined {
    return this.making.view.fields.find((field) => field.name === name)?.value;
  }
}
