// The wasm module, started once and only when it is needed: listeners must stand before it, and hello needs nothing of it.

import init, * as module from "sealbridge-wasm";

let started: Promise<typeof module> | null = null;

export function wasm(): Promise<typeof module> {
  started ??= init({ module_or_path: chrome.runtime.getURL("wasm/sealbridge_wasm_bg.wasm") }).then(
    () => module,
    (error: unknown) => {
      started = null;
      throw error;
    },
  );
  return started;
}
