// The stamping page's two connections: to the background (seal, signatures) and to the portal page's content script (the
// document and the result). Both are taken up again when the browser stops the background.

import { Refused } from "../failure";
import type { FromDocument, FromStamp, Job, SignOk, ToDocument, ToStamp } from "../messages";
import type { Failure, Phase, SealAnswer, StampDocument } from "../protocol";

type Wish = FromStamp extends infer W ? (W extends { call: number } ? Omit<W, "call"> : never) : never;

export class Background {
  onPhase: (phase: Phase) => void = () => undefined;
  /** The background does not know this visit (any more). */
  onGone: (failure: Failure) => void = () => undefined;
  readonly job: Promise<Job>;
  #port: chrome.runtime.Port;
  #next = 1;
  #job: (job: Job) => void = () => undefined;
  readonly #waiting = new Map<number, { wish: Wish; resolve(ok: unknown): void; reject(error: Refused): void }>();

  constructor(private readonly operation: string) {
    this.job = new Promise((resolve) => {
      this.#job = resolve;
    });
    this.#port = this.#connect();
  }

  seal(): Promise<SealAnswer> {
    return this.#ask({ type: "seal" }) as Promise<SealAnswer>;
  }

  sign(hostOperation: string, certificate: string, seal: string, documents: StampDocument[]): Promise<SignOk> {
    return this.#ask({ type: "sign", hostOperation, certificate, seal, documents }) as Promise<SignOk>;
  }

  cancelSigning(hostOperation: string): void {
    this.#post({ type: "cancel-signing", hostOperation });
  }

  settled(outcome: "done" | "failed"): void {
    this.#post({ type: "settled", outcome });
  }

  #ask(wish: Wish): Promise<unknown> {
    const call = this.#next;
    this.#next += 1;
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, { wish, resolve, reject });
      this.#post({ ...wish, call } as FromStamp);
    });
  }

  #post(message: FromStamp & { again?: boolean }): void {
    try {
      this.#port.postMessage(message);
    } catch {
      // The port has just closed; its listener connects again and asks again.
    }
  }

  #connect(): chrome.runtime.Port {
    const port = chrome.runtime.connect({ name: `stamp:${this.operation}` });
    port.onMessage.addListener((message: ToStamp) => {
      if (message.type === "job") return this.#job(message.job);
      if (message.type === "gone") return this.onGone(message.failure);
      if (message.type === "phase") return this.onPhase(message.phase);
      const waiting = this.#waiting.get(message.call);
      this.#waiting.delete(message.call);
      if (message.type === "ok") waiting?.resolve(message.ok);
      else waiting?.reject(Refused.from(message.failure));
    });
    port.onDisconnect.addListener(() => {
      setTimeout(() => {
        try {
          this.#port = this.#connect();
        } catch {
          for (const waiting of this.#waiting.values()) waiting.reject(new Refused("extension-stopped"));
          this.#waiting.clear();
          return;
        }
        // With the same operation ids: the host's journal answers what has been signed already.
        for (const [call, { wish }] of this.#waiting) this.#post({ ...wish, call, again: true } as FromStamp & { again: boolean });
      }, 200);
    });
    return port;
  }
}

/** The connection to the content script that keeps the document. */
export class Portal {
  readonly document: Promise<Blob>;
  /** The page has cancelled. */
  onAborted: () => void = () => undefined;
  /** The page is gone: there is nobody to return anything to. */
  onGone: () => void = () => undefined;
  readonly #port: chrome.runtime.Port;
  #open = true;

  constructor(job: Job) {
    this.#port = chrome.tabs.connect(job.tab, { frameId: 0, name: `document:${job.operation}` });
    this.document = new Promise((resolve, reject) => {
      this.#port.onMessage.addListener((message: FromDocument) => {
        if (message.type === "aborted") return this.onAborted();
        // A browser that does not pass Blobs between extension pages passes an empty object.
        if (message.blob instanceof Blob) resolve(message.blob);
        else reject(new Refused("read-failed", { name: job.name, detail: "structured clone" }));
      });
      this.#port.onDisconnect.addListener(() => {
        void chrome.runtime.lastError;
        this.#open = false;
        reject(new Refused("read-failed", { name: job.name, detail: "page closed" }));
        this.onGone();
      });
    });
  }

  get isOpen(): boolean {
    return this.#open;
  }

  send(message: ToDocument): boolean {
    if (!this.#open) return false;
    try {
      this.#port.postMessage(message);
      return true;
    } catch {
      return false;
    }
  }
}
