// The stamping page's two connections: to the background (seal, signatures) and to the portal page's content script (the
// documents and the results). Both are taken up again when the browser stops the background.

import { Refused } from "../failure";
import type { FromDocument, FromStamp, Job, Progress, SignOk, StampOutcome, ToDocument, ToStamp } from "../messages";
import type { Failure, Phase, SealAnswer, StampDocument } from "../protocol";
import type { StatusView } from "sealbridge-wasm";

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

  /** The seal that is named, or the only one that fits. */
  seal(wanted: { seal?: string; certificate?: string }): Promise<SealAnswer> {
    return this.#ask({ type: "seal", ...wanted }) as Promise<SealAnswer>;
  }

  /** Every token with its certificates and seals. */
  choices(): Promise<StatusView> {
    return this.#ask({ type: "choices" }) as Promise<StatusView>;
  }

  sign(hostOperation: string, certificate: string, seal: string, documents: StampDocument[]): Promise<SignOk> {
    return this.#ask({ type: "sign", hostOperation, certificate, seal, documents }) as Promise<SignOk>;
  }

  /** What became of a signing that an earlier life of this page asked for; null where the host does not know it. */
  outcome(hostOperation: string): Promise<SignOk | null> {
    return this.#ask({ type: "outcome", hostOperation }) as Promise<SignOk | null>;
  }

  cancelSigning(hostOperation: string): void {
    this.#post({ type: "cancel-signing", hostOperation });
  }

  settled(outcome: "done" | "failed" | "cancelled"): void {
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

/** How long the detour through the courier frame, and the word that a result has arrived, may take. */
const COURIER_MS = 20_000;
const RECEIVED_MS = 20_000;

/** The connection to the content script that keeps the documents. */
export class Portal {
  /** As many as the job names, in its order. */
  readonly documents: Promise<Blob[]>;
  /** The page has cancelled. */
  onAborted: () => void = () => undefined;
  /** The page is gone: there is nobody to return anything to. */
  onGone: () => void = () => undefined;
  readonly #port: chrome.runtime.Port;
  #courier: BroadcastChannel | null = null;
  #open = true;
  #received: (received: boolean) => void = () => undefined;

  constructor(job: Job) {
    this.#port = chrome.tabs.connect(job.tab, { frameId: 0, name: `document:${job.operation}` });
    this.documents = new Promise((resolve, reject) => {
      const unread = (detail: string): void => reject(new Refused("read-failed", { name: job.documents[0]?.name ?? "", detail }));
      const take = (blobs: Blob[]): boolean => {
        if (blobs.length !== job.documents.length || !blobs.every((blob) => blob instanceof Blob)) return false;
        resolve(blobs);
        return true;
      };
      this.#port.onMessage.addListener((message: FromDocument) => {
        if (message.type === "aborted") return this.onAborted();
        if (message.type === "received") return this.#received(true);
        if (take(message.blobs)) return;
        // A browser whose messages are JSON makes an empty object of a Blob: it has to come by the courier frame.
        if (BROWSER !== "chromium") return unread("structured clone");
        setTimeout(() => unread("courier"), COURIER_MS);
        this.#sendCourier(take);
      });
      this.#port.onDisconnect.addListener(() => {
        void chrome.runtime.lastError;
        this.#open = false;
        unread("page closed");
        this.#received(false);
        this.onGone();
      });
    });
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Sends word; false where there is nobody. */
  send(message: Exclude<ToDocument, { type: "stamped" }>): boolean {
    return this.#open && posted(() => this.#port.postMessage(message));
  }

  /** Tells the page how far a list has come. */
  progress(progress: Progress): void {
    this.send({ type: "progress", progress });
  }

  /** Hands the stamped documents over; false where they did not arrive. */
  async deliver(outcomes: StampOutcome[]): Promise<boolean> {
    if (!this.#open) return false;
    const received = new Promise<boolean>((resolve) => {
      this.#received = resolve;
      setTimeout(() => resolve(false), RECEIVED_MS);
    });
    const way = this.#courier ?? this.#port;
    return posted(() => way.postMessage({ type: "stamped", outcomes } satisfies ToDocument)) && (await received);
  }

  /** Has the content script put up a courier frame, which finds this page by a name that is told to it alone. */
  #sendCourier(take: (blobs: Blob[]) => boolean): void {
    const channel = newChannel();
    this.#courier = new BroadcastChannel(`document:${channel}`);
    this.#courier.onmessage = (event: MessageEvent<FromDocument>) => {
      if (event.data.type === "documents") take(event.data.blobs);
    };
    this.send({ type: "courier", channel });
  }
}

/** Whether the message could be posted: a port may have closed a moment ago. */
function posted(post: () => void): boolean {
  try {
    post();
    return true;
  } catch {
    return false;
  }
}

/** 128 random bits as 22 characters of base64url. */
function newChannel(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
