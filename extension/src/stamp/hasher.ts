// The worker's own worker: hashes documents, and does nothing else. So reading a gigabyte never waits for a revision that is made, nor
// the other way round.

import init, { hashDocument, memoryBytes } from "sealbridge-wasm";
import { failureOf } from "../failure";
import type { Failure } from "../protocol";

export type ToHasher = { document: number; blob: Blob };
/** How far it has come; then the state of the hash, with the memory of this worker's module; or why there is none. */
export type FromHasher = { document: number } & ({ hashed: number } | { state: Uint8Array; memory: number } | { failure: Failure });

const ready = init({ module_or_path: new URL("/wasm/sealbridge_wasm_bg.wasm", self.location.origin) });

self.onmessage = async ({ data: { document, blob } }: MessageEvent<ToHasher>) => {
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
