// The key centre's line to the background, without a browser: no call is left without an answer, also not between the end of one
// line and the next. Run by rules.mjs.

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));

/** `check(what, found, wanted)` counts. */
export async function link(check) {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: 'export * from "./link";', resolveDir: join(here, "../src/centre"), loader: "ts" },
    bundle: true,
    format: "esm",
    platform: "neutral",
    write: false,
    logLevel: "error",
  });
  const { Link } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
  const event = () => {
    const listeners = [];
    return { addListener: (listener) => listeners.push(listener), tell: (...told) => listeners.forEach((listener) => listener(...told)) };
  };
  const ports = [];
  const connect = () => {
    const port = { onMessage: event(), onDisconnect: event(), sent: [], gone: false };
    port.postMessage = (message) => {
      if (port.gone) throw new Error("Attempting to use a disconnected port object");
      port.sent.push(message);
    };
    port.end = () => {
      port.gone = true;
      port.onDisconnect.tell(port);
    };
    ports.push(port);
    return port;
  };
  const before = { chrome: globalThis.chrome, document: globalThis.document, setInterval: globalThis.setInterval };
  globalThis.chrome = { runtime: { connect } };
  globalThis.document = { visibilityState: "visible", addEventListener: () => undefined };
  globalThis.setInterval = () => 0;
  try {
    const made = new Link();
    const code = (answer) => answer.then(() => "answered", (error) => error.failure.code);
    let looks = 0;
    const looked = new Promise((resolve) => {
      made.onTokens = () => {
        looks += 1;
        resolve();
      };
    });
    const under = code(made.ask("keys", {}));
    ports[0].end();
    check("a call when the line ends", await under, "extension-stopped");
    check("a call between two lines", await Promise.race([code(made.ask("keys", {})), new Promise((resolve) => setTimeout(resolve, 150, "silence"))]), "extension-stopped");
    await looked;
    check("lines and looks after the end", [ports.length, looks], [2, 1]);
    const next = code(made.ask("keys", {}));
    check("what the next line carries", ports[1].sent.map(({ type, verb }) => `${type} ${verb}`), ["ask keys"]);
    ports[1].onMessage.tell({ type: "ok", call: ports[1].sent[0].call, ok: {} });
    check("a call on the next line", await next, "answered");
  } finally {
    Object.assign(globalThis, before);
  }
}
