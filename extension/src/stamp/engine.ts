// The stamping page's side of its two workers: calls as promises. One runs the wasm module over the document on the desk, the other
// only hashes. Both are started by the page itself, at once, and share one compiled module: on two processors each of these counts.

import { Refused } from "../failure";
import type { FromHasher, ToHasher } from "./hasher";
import type { FromWorker, Methods, ToWorker } from "./worker";

const MODULE = "/wasm/sealbridge_wasm_bg.wasm";

export class Engine {
  /** Told how many bytes of a document's original are hashed. */
  onHashed: (done: number, document: number) => void = () => undefined;
  /** The document that calls are about, where none is named. */
  document = 0;
  #next = 1;
  readonly #worker = new Worker("/worker.js", { type: "module" });
  readonly #hasher = new Worker("/hasher.js", { type: "module" });
  readonly #waiting = new Map<number, { resolve(ok: unknown): void; reject(error: Refused): void }>();
  readonly #hashing = new Map<number, { resolve(state: Uint8Array): void; reject(error: Refused): void }>();
  /** What the hasher's module had grown to when it was last heard of, in bytes. */
  #hasherMemory = 0;
  /** Why nobody will answer any more. */
  #gone: Refused | null = null;

  constructor() {
    void compiled().then(
      (module) => {
        this.#hasher.postMessage({ module } satisfies ToHasher);
        this.#worker.postMessage({ module } satisfies ToWorker);
      },
      (error: unknown) => this.#end(String(error)),
    );
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      const waiting = this.#waiting.get(data.call);
      this.#waiting.delete(data.call);
      if ("ok" in data) waiting?.resolve(data.ok);
      else waiting?.reject(Refused.from(data.failure));
    };
    this.#hasher.onmessage = ({ data }: MessageEvent<FromHasher>) => {
      if ("hashed" in data) return this.onHashed(data.hashed, data.document);
      const waiting = this.#hashing.get(data.document);
      this.#hashing.delete(data.document);
      if ("failure" in data) return waiting?.reject(Refused.from(data.failure));
      this.#hasherMemory = data.memory;
      waiting?.resolve(data.state);
    };
    // A module that traps or does not load answers nobody.
    this.#worker.onerror = (event) => this.#end(event.message || "worker");
    this.#hasher.onerror = (event) => this.#end(event.message || "hasher");
  }

  /** Ends whatever goes on; nothing is answered any more. */
  end(): void {
    this.#worker.terminate();
    this.#hasher.terminate();
  }

  /** Hashes a document, which need not be open, or a PDF at all, and leaves the hash with the worker. Progress goes to [`onHashed`]. */
  async hash(document: number, blob: Blob, name: string): Promise<void> {
    const state = await new Promise<Uint8Array>((resolve, reject) => {
      if (this.#gone) return reject(this.#gone);
      this.#hashing.set(document, { resolve, reject });
      this.#hasher.postMessage({ document, blob } satisfies ToHasher);
    });
    await this.on(document, "hashed", blob, name, state);
  }

  /** What the modules of both workers have grown to, in bytes. */
  async memory(): Promise<number> {
    return (await this.call("memory")) + this.#hasherMemory;
  }

  call<M extends keyof Methods>(method: M, ...args: Parameters<Methods[M]>): Promise<ReturnType<Methods[M]>> {
    return this.on(this.document, method, ...args);
  }

  /** The same about a certain document; the one that is open in the worker gives way to it. */
  on<M extends keyof Methods>(document: number, method: M, ...args: Parameters<Methods[M]>): Promise<ReturnType<Methods[M]>> {
    const call = this.#next;
    this.#next += 1;
    return new Promise((resolve, reject) => {
      if (this.#gone) return reject(this.#gone);
      this.#waiting.set(call, { resolve: resolve as (ok: unknown) => void, reject });
      this.#worker.postMessage({ call, document, method, args } satisfies ToWorker);
    });
  }

  /** Tells everyone who waits, and whoever asks later. */
  #end(detail: string): void {
    // One alone is of no use, and would hash on.
    this.end();
    this.#gone = new Refused("internal", { detail });
    for (const waiting of [...this.#waiting.values(), ...this.#hashing.values()]) waiting.reject(this.#gone);
    this.#waiting.clear();
    this.#hashing.clear();
  }
}

/** The module, compiled as it comes in where the browser takes the extension's own file for what it is. */
async function compiled(): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compileStreaming(fetch(MODULE));
  } catch {
    return WebAssembly.compile(await (await fetch(MODULE)).arrayBuffer());
  }
}
