// The stamping page's side of its worker: calls as promises.

import { Refused } from "../failure";
import type { FromWorker, Methods, ToWorker } from "./worker";

export class Engine {
  /** Told how many bytes of a document's original are hashed. */
  onHashed: (done: number, document: number) => void = () => undefined;
  /** The document that calls are about, where none is named. */
  document = 0;
  #next = 1;
  readonly #worker = new Worker("/worker.js", { type: "module" });
  readonly #waiting = new Map<number, { resolve(ok: unknown): void; reject(error: Refused): void }>();

  constructor() {
    this.#worker.onmessage = (event: MessageEvent<FromWorker>) => {
      const message = event.data;
      if ("hashed" in message) return this.onHashed(message.hashed, message.document);
      const waiting = this.#waiting.get(message.call);
      this.#waiting.delete(message.call);
      if ("ok" in message) waiting?.resolve(message.ok);
      else waiting?.reject(Refused.from(message.failure));
    };
    this.#worker.onerror = (event) => {
      // A module that traps or does not load answers nobody; everyone who waits is told.
      for (const waiting of this.#waiting.values()) waiting.reject(new Refused("internal", { detail: event.message || "worker" }));
      this.#waiting.clear();
    };
  }

  /** Ends whatever goes on; nothing is answered any more. */
  end(): void {
    this.#worker.terminate();
  }

  call<M extends keyof Methods>(method: M, ...args: Parameters<Methods[M]>): Promise<ReturnType<Methods[M]>> {
    return this.on(this.document, method, ...args);
  }

  /** The same about a certain document; the one that is open in the worker gives way to it. */
  on<M extends keyof Methods>(document: number, method: M, ...args: Parameters<Methods[M]>): Promise<ReturnType<Methods[M]>> {
    const call = this.#next;
    this.#next += 1;
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, { resolve: resolve as (ok: unknown) => void, reject });
      this.#worker.postMessage({ call, document, method, args } satisfies ToWorker);
    });
  }
}
