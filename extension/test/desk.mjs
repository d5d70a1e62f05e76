// The key centre's calls to an authority's desk, without a browser: what they carry, and what becomes of answers that are late, refused,
// somebody else's or without an end. A real desk is asked in the browser cases. Run by rules.mjs.

import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));

/** `check(what, found, wanted)` counts. */
export async function desk(check) {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: 'export * from "./desk-calls";', resolveDir: join(here, "../src/centre"), loader: "ts" },
    bundle: true,
    format: "esm",
    platform: "neutral",
    write: false,
    logLevel: "error",
    define: { EXTENSION_VERSION: '"0"' },
  });
  const { DeskCalls } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
  let answer = () => undefined;
  const asked = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      asked.push([request.method, request.url, request.headers.authorization, request.headers.cookie ?? null, body]);
      answer(request, response);
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${server.address().port}/ca/netca`;
  const calls = new DeskCalls(address, "SB2611270000017", " ABCD EFGH ");
  const json = (status, told) => (_request, response) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(told));
  const told = async (work) => {
    try {
      return await work;
    } catch (thrown) {
      return thrown.failure ?? String(thrown);
    }
  };

  answer = json(200, { grant: "eyJ" });
  check("a grant for a request", await told(calls.setup("q")), "eyJ");
  check("what a call carries", asked.pop(), ["POST", "/api/business/SB2611270000017/setup", "Bearer ABCDEFGH", null, '{"request":"q"}']);
  answer = (request, response) =>
    json(200, request.url.endsWith("/grant") ? { grant: "eyJ" } : { certificate: "AA==", chain: ["AQ=="], seal: null })(request, response);
  check("a certificate for a request", await told(calls.issue("r")), { certificate: "AA==", chain: ["AQ=="], grant: "eyJ" });
  check("with its grant", asked.pop()[4], '{"request":"r","grant":"eyJ"}');
  answer = (request, response) => json(200, request.method === "GET" ? { business: "seal-change" } : { seal: "AAA=" })(request, response);
  check("a seal that waits", await told(calls.waiting()), { kind: "seal", seal: "AAA=" });

  // The desk's words in the person's language, and no longer than a dialog bears.
  const words = { "zh-CN": { what: "纸质资料还没有审核通过。", remedy: "x".repeat(900) }, en: { what: "Not yet.", remedy: "Wait." } };
  answer = json(409, { code: "paper-not-verified", words });
  const refused = await told(calls.setup("q"));
  check("refused", [refused.code, refused.facts.reason, refused.facts.what, refused.facts.remedy.length], ["desk-refused", "paper-not-verified", "纸质资料还没有审核通过", 300]);
  answer = json(502, { hello: 1 });
  check("refused without words", (await told(calls.setup("q"))).facts, { reason: "HTTP 502", what: "HTTP 502" });

  // Other things that stand at an address.
  const malformed = async (what, detail) => check(what, (({ code, facts }) => [code, facts.detail])(await told(calls.issue("r"))), ["desk-answer-malformed", detail]);
  answer = (_request, response) => response.end("<html>");
  await malformed("a page", "HTTP 200");
  answer = json(200, [1]);
  await malformed("a list", "grant");
  answer = json(200, { grant: "eyJ", certificate: "AA==", chain: [7] });
  await malformed("a chain of something else", "chain");
  answer = (_request, response) => response.end("x".repeat(5_000_000));
  await malformed("an answer without an end", "size");
  const unreachable = { code: "desk-unreachable", facts: { address: new URL(address).origin } };
  answer = (_request, response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end();
  check("sent elsewhere", await told(calls.setup("q")), unreachable);
  answer = (request) => request.socket.destroy();
  check("broken off", await told(calls.setup("q")), unreachable);
  await new Promise((resolve) => server.close(resolve));
  check("nobody there", await told(calls.setup("q")), unreachable);
}
