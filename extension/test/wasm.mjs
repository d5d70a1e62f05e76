// The shared vectors and the boundary's refusals in the real wasm module: `npm run test:wasm [-- --wasm DIR]`.
// The same table runs natively in crates/protocol; here it shows that the build that ships behaves the same. The stamping
// page's places (places.mjs) and lists of documents (papers.mjs) are counted with them.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as esbuild from "esbuild";
import { papers } from "./papers.mjs";
import { places } from "./places.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const target = process.env.CARGO_TARGET_DIR ?? join(here, "../../target");
const { values: options } = parseArgs({ options: { wasm: { type: "string", default: join(target, "extension/wasm") } } });
const folder = resolve(options.wasm);

// The generated glue is an ES module without a package around it; bundling makes it one that Node takes.
const { outputFiles } = await esbuild.build({ entryPoints: [join(folder, "sealbridge_wasm.js")], bundle: true, format: "esm", platform: "neutral", write: false, logLevel: "error" });
const wasm = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
await wasm.default({ module_or_path: await readFile(join(folder, "sealbridge_wasm_bg.wasm")) });

let passed = 0;
let failed = 0;
function check(what, found, wanted) {
  if (found === wanted) {
    passed += 1;
  } else {
    failed += 1;
    console.error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
  }
}

/** The code that is thrown, or the value; anything thrown that is no failure object is a bug and ends the run. */
function outcome(run) {
  try {
    return { ok: run() };
  } catch (thrown) {
    if (typeof thrown?.code !== "string") throw thrown;
    return { code: thrown.code };
  }
}

// ---- origins ----

const table = await readFile(join(here, "../../tests/vectors/origins.tsv"), "utf8");
for (const line of table.split("\n")) {
  if (line === "" || line.startsWith("#")) continue;
  const [wanted, json, reason] = line.split("\t");
  const origin = JSON.parse(json);
  const [strict, developer] = [false, true].map((developer) => outcome(() => wasm.checkOrigin(origin, developer)));
  const found = strict.ok !== undefined ? "ok" : developer.ok !== undefined ? "developer" : "refused";
  check(`origin ${json} (${reason})`, found, wanted);
  // What is served is signed exactly as the browser wrote it; what is refused is refused by its own code.
  if (found !== "refused") check(`origin ${json} unchanged`, developer.ok, origin);
  else check(`origin ${json} code`, developer.code, "origin-refused");
}

// ---- pages ----

const nonce = "q83vEjRWeJCrze8SNFZ4kA";
for (const [verb, args, code] of [
  ["login", { challenge: nonce }, undefined],
  ["login", { challenge: nonce, origin: "https://bank.example" }, "request-unknown-field"],
  ["login", { challenge: nonce, pin: "123456" }, "request-unknown-field"],
  ["login", { challenge: "0".repeat(21) }, "nonce-malformed"],
  ["bind", { challenge: nonce, account: "alice" }, undefined],
  ["bind", { challenge: nonce, account: "a\u0000b" }, "account-malformed"],
  ["stamp", { name: "投标函.pdf", placements: [{ field: "公章" }] }, undefined],
  ["stamp", { name: "投标函.pdf", placements: [{ field: "公章" }, { pages: "1-3,last", x: 120, y: 40 }, { keyword: "（盖章）", which: 2, dx: -3 }, { seam: { side: "left" } }, { date: { page: 1, x: 10, y: 10 } }] }, undefined],
  ["stamp", { name: "投标函.pdf", placements: [{ field: "公章" }, { field: "合同章" }] }, "request-malformed"],
  ["stamp", { name: "投标函.pdf", placements: Array(500).fill({ page: 1, x: 1, y: 1 }) }, undefined],
  ["stamp", { name: "投标函.pdf", placements: Array(501).fill({ page: 1, x: 1, y: 1 }) }, "request-malformed"],
  ["stamp", { name: "投标函.pdf", placements: [{ seam: { picture: "" } }] }, "request-unknown-field"],
  ["stamp", { name: "投标函.pdf", placements: [{ drawing: { page: 1, x: 1, y: 1, width: 9, height: 9, strokes: [[[0, 0]]] } }] }, "request-unknown-field"],
  ["stamp", { name: "投标函.pdf", digest: "00" }, "request-unknown-field"],
  ["stamp", { name: "投标函.pdf", fields: { a: 1 } }, "request-malformed"],
  ["stamp", { documents: [{ name: "投标函.pdf" }, { name: "附件一.pdf", placements: [{ keyword: "盖章" }], fields: {} }], placements: [{ field: "公章" }] }, undefined],
  ["stamp", { documents: Array(50).fill({ name: "附件.pdf" }) }, undefined],
  ["stamp", { documents: Array(51).fill({ name: "附件.pdf" }) }, "too-many-documents"],
  ["stamp", { documents: [] }, "request-malformed"],
  ["stamp", { documents: [{}] }, "request-malformed"],
  ["stamp", { documents: [{ name: "a.pdf", report: {} }] }, "request-unknown-field"],
  ["stamp", { documents: [{ name: "a.pdf" }], name: "a.pdf" }, "request-unknown-field"],
  ["stamp", {}, "request-malformed"],
  ["web-eid", { challengeNonce: `${nonce}${nonce}` }, undefined],
  ["web-eid", { challengeNonce: `${nonce}${nonce}`, hash: "00" }, "request-unknown-field"],
  ["web-eid", { challengeNonce: nonce }, "web-eid-nonce-malformed"],
  ["web-eid-status", {}, undefined],
  ["sign", {}, "verb-unknown"],
]) {
  check(`page ${verb} ${JSON.stringify(args)}`, outcome(() => wasm.readPageCall(verb, JSON.stringify(args))).code, code);
}

// Computed independently: SHA-256 over the words, the count as eight bytes and the digests; its first 40 bits in Crockford's base 32.
const digests = ["甲", "乙"].map((text) => createHash("sha256").update(text).digest());
const bits = createHash("sha256").update(Buffer.concat([Buffer.from("sealbridge document list 1\n"), Buffer.from([0, 0, 0, 0, 0, 0, 0, 2]), ...digests])).digest().readUIntBE(0, 5);
const crockford = BigInt(bits).toString(32).padStart(8, "0").replace(/./g, (digit) => "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[parseInt(digit, 32)]);
check("the code of a list", wasm.listCode(digests.map((digest) => digest.toString("base64url"))), `${crockford.slice(0, 4)}-${crockford.slice(4)}`);
check("a digest that is none", outcome(() => wasm.listCode(["AAAA"])).code, "request-malformed");

// ---- the host ----

const id = "AAAAAAAAAAAAAAAAAAAAAA";
const request = { id, verb: "login", language: "zh-CN", deadlineMs: 120000, arguments: { origin: "https://bid.example.cn", nonce } };
for (const [what, change, code] of [
  ["as it is", {}, undefined],
  ["unknown field", { pin: "123456" }, "request-unknown-field"],
  ["unknown argument", { arguments: { ...request.arguments, hash: "00" } }, "request-unknown-field"],
  ["unknown verb", { verb: "sign" }, "verb-unknown"],
  ["no deadline", { deadlineMs: 0 }, "request-malformed"],
]) {
  check(`request ${what}`, outcome(() => wasm.writeRequest(JSON.stringify({ ...request, ...change }))).code, code);
}
for (const [what, frame, kind] of [
  ["answer", { id, ok: { token: "x" } }, "answer"],
  ["failure", { id, failure: { code: "pin-incorrect", facts: { triesLeft: "7" } } }, "failure"],
  ["phase", { id, event: { phase: "pin" } }, "phase"],
  ["tokens", { event: { tokens: "changed" } }, "tokens"],
  ["both", { id, ok: {}, failure: { code: "internal" } }, "answer-malformed"],
  ["unknown field", { id, ok: {}, more: 1 }, "answer-malformed"],
  ["unknown code", { id, failure: { code: "no-such-code" } }, "answer-malformed"],
  ["text", "hello", "answer-malformed"],
]) {
  const { ok, code } = outcome(() => wasm.readFrame(JSON.stringify(frame)));
  check(`frame ${what}`, ok?.kind ?? code, kind);
}
check("answer with an unknown field", outcome(() => wasm.readAnswer("login", JSON.stringify({ token: "x", pin: "1" }))).code, "answer-malformed");
check("answer of an outcome", outcome(() => wasm.readAnswer("outcome", JSON.stringify({ state: "done", ok: { token: "x" } }))).ok?.ok?.token, "x");
check("a host of another protocol", outcome(() => wasm.agree({ protocol: 0, host: "0.0.1", developer: false, platform: "linux" })).code, "version-too-old");

// ---- statements: refused by the codes of the shared table; the well-formed ones are compared with what was asked ----

const statements = await readFile(join(here, "../../tests/vectors/statements.tsv"), "utf8");
for (const line of statements.split("\n")) {
  if (line === "" || line.startsWith("#")) continue;
  const [wanted, header, claims, length, reason] = line.split("\t");
  const part = (bytes) => Buffer.from(bytes).toString("base64url");
  const token = [part(header), part(claims), part(new Uint8Array(Number(length)))].join(".");
  const run = (verb, asked, now) => outcome(() => wasm.checkStatement(verb, token, JSON.stringify(asked), now)).code;
  if (wanted !== "ok") {
    const asked = { origin: "https://bid.example.cn", nonce, account: null, operation: id };
    check(`statement (${reason})`, run("login", asked, 1_795_000_000), wanted);
    continue;
  }
  const { aud, nonce: signed, jti, sub, iat } = JSON.parse(claims);
  const verb = JSON.parse(header).typ.includes("bind") ? "bind" : "login";
  const asked = { origin: aud, nonce: signed, account: sub ?? null, operation: jti };
  // Everything fits, up to the certificate, which is a stand-in; so nothing of this table may ever pass.
  check(`statement (${reason})`, run(verb, asked, iat), "certificate-unreadable");
  check(`statement (${reason}), other verb`, run(verb === "bind" ? "login" : "bind", asked, iat), "signature-mismatch");
  check(`statement (${reason}), other nonce`, run(verb, { ...asked, nonce: "A".repeat(22) }, iat), "signature-mismatch");
  check(`statement (${reason}), other origin`, run(verb, { ...asked, origin: "https://other.example" }, iat), "signature-mismatch");
  check(`statement (${reason}), other operation`, run(verb, { ...asked, operation: id }, iat), "signature-mismatch");
  check(`statement (${reason}), an hour later`, run(verb, asked, iat + 3600), "signature-mismatch");
}

// ---- tokens of Web eID: whatever the table calls well formed still lacks a certificate that signed it ----

const tokens = await readFile(join(here, "../../tests/vectors/web-eid-tokens.tsv"), "utf8");
for (const line of tokens.split("\n")) {
  if (line === "" || line.startsWith("#")) continue;
  const [wanted, json, reason] = line.split("\t");
  const token = json.replace(/"\*(\d+)"/, (_, length) => JSON.stringify(Buffer.alloc(Number(length), 7).toString("base64")));
  const asked = JSON.stringify({ origin: "https://bid.example.cn", nonce: `${nonce}${nonce}` });
  check(`token of Web eID (${reason})`, outcome(() => wasm.checkWebEid(token, asked, 1_795_000_000)).code, wanted === "ok" ? "certificate-unreadable" : wanted);
}

await places(check);
await papers(check);

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
