// The stamping page's second worker: hashes documents, and does nothing else. So reading a gigabyte never waits for a revision that is
// made, nor the other way round.

import init, { hashDocument, memoryBytes } from "sealbridge-wasm";
import { failureOf } from "../failure";
import type { Failure } from "../protocol";

/** The compiled module, once and first; then documents. */
export type ToHasher = { module: WebAssembly.Module } | { document: number; blob: Blob };
/** How far it has come; then the state of the hash, with the memory of this worker's module; or why there is none. */
export type FromHasher = { document: number } & ({ hashed: number } | { state: Uint8Array; memory: number } | { failure: Failure });

let started: (module: WebAssembly.Module) => void;
const ready = new Promise<WebAssembly.Module>((resolve) => (started = resolve)).then((module) => init({ module_or_path: module }));

self.onmessage = async ({ data }: MessageEvent<ToHasher>) => {
  if ("module" in data) return started(data.module);
  const { document, blob } = data;
  try {
    await ready;
    const digest = await hashDocument(blob, (hashed) => post({ document, hashed }));
    post({ document, state: digest.save(), memory: memoryBytes() });
    digest.free();
  } catch (thrown) {
    post({ document, failure: failureOf(thrown) });
  }
};

function post(message: FromHasher): void {
  self.postMessage(message);
}
