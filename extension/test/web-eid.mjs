// The shim for Web eID without a browser: which error stands for which, and what it hears and says in a window that is given
// here. Run by rules.mjs. Time is a list of timers that the cases let run.

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const ORIGIN = "https://bid.example.cn";
const NONCE = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";

export async function webEid(check) {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: 'export * from "./content/web-eid"; export * from "./web-eid"; export * from "./background/web-eid-sites"; export { WORDS, tell } from "./protocol";', resolveDir: join(here, "../src"), loader: "ts" },
    bundle: true,
    format: "esm",
    platform: "neutral",
    write: false,
    logLevel: "error",
    define: { PORTALS: JSON.stringify([`${ORIGIN}/*`]), EXTENSION_VERSION: '"0.1.0"' },
  });
  const module = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
  errors(module, check);
  await switches(module, check);
  await conversations(module, check);
}

/** The classes that web-eid.js 2.0.1 makes of a code; any other code becomes UnknownError. */
const KNOWN = ["ACTION_PENDING", "ACTION_TIMEOUT", "CONTEXT_INSECURE", "EXTENSION_UNAVAILABLE", "NATIVE_FATAL", "NATIVE_INVALID_ARGUMENT", "NATIVE_UNAVAILABLE", "UNKNOWN_ERROR", "USER_CANCELLED", "USER_TIMEOUT", "VERSION_INVALID", "VERSION_MISMATCH"].map((name) => `ERR_WEBEID_${name}`);

function errors({ WORDS, tell, translateFailure, readRequest, isError, readMessage }, check) {
  for (const code of Object.keys(WORDS)) {
    const error = translateFailure(tell({ code }, "en"));
    check(`${code} is an error that libraries know`, KNOWN.includes(error.code), true);
    check(`${code} keeps our code`, error.sealbridge.code, code);
    check(`${code} has no stack`, "stack" in error, false);
  }
  for (const [code, wanted] of [
    ["cancelled", "USER_CANCELLED"],
    ["timed-out", "USER_TIMEOUT"],
    ["host-missing", "NATIVE_UNAVAILABLE"],
    ["origin-refused", "CONTEXT_INSECURE"],
    ["web-eid-nonce-malformed", "NATIVE_INVALID_ARGUMENT"],
    ["web-eid-signing-refused", "NATIVE_INVALID_ARGUMENT"],
    ["pin-locked", "NATIVE_FATAL"],
    ["token-missing", "NATIVE_FATAL"],
  ]) {
    check(code, translateFailure(tell({ code }, "en")).code, `ERR_WEBEID_${wanted}`);
  }
  const read = (more) => readRequest({ action: "web-eid:authenticate", libraryVersion: "2.0.1", challengeNonce: NONCE, ...more }, "0.1.0");
  for (const [what, more, wanted] of [
    ["no options", {}, 120_000],
    ["undefined options", { options: undefined }, 120_000],
    ["a language", { options: { lang: "et" } }, 120_000],
    ["a time", { options: { userInteractionTimeout: 5000 } }, 5_000],
    ["a very short time", { options: { userInteractionTimeout: 1 } }, 1_000],
    ["a very long time", { options: { userInteractionTimeout: 1e12 } }, 600_000],
    ["a minor version to come", { libraryVersion: "2.9.9-beta.1" }, 120_000],
    ["a time that is none", { options: { userInteractionTimeout: "5000" } }, "ERR_WEBEID_NATIVE_INVALID_ARGUMENT"],
    ["a negative time", { options: { userInteractionTimeout: -1 } }, "ERR_WEBEID_NATIVE_INVALID_ARGUMENT"],
    ["an unknown option", { options: { pin: "123456" } }, "ERR_WEBEID_NATIVE_INVALID_ARGUMENT"],
    ["options that are none", { options: "et" }, "ERR_WEBEID_NATIVE_INVALID_ARGUMENT"],
    ["no version", { libraryVersion: undefined }, "ERR_WEBEID_VERSION_INVALID"],
    ["a version that is none", { libraryVersion: "two" }, "ERR_WEBEID_VERSION_INVALID"],
    ["a library of the next kind", { libraryVersion: "3.0.0" }, "ERR_WEBEID_VERSION_MISMATCH"],
  ]) {
    const request = read(more);
    check(`a request with ${what}`, isError(request) ? request.code : request.timeoutMs, wanted);
  }
  check("what is left for the background to refuse", read({ hash: "00" }).rest, { challengeNonce: NONCE, hash: "00" });
  for (const [data, wanted] of [
    [null, null],
    ["web-eid:status", null],
    [{ action: 7 }, null],
    [{ action: "sealbridge" }, null],
    [{ action: "web-eid:status" }, "request"],
    [{ action: "web-eid:sign" }, "request"],
    [{ action: "web-eid:other" }, null],
    [{ action: "web-eid:status-ack" }, "reply"],
    [{ action: "web-eid:other-success" }, "reply"],
    [{ action: "web-eid:warning" }, "reply"],
    [{ action: `web-eid:${"x".repeat(64)}-ack` }, null],
  ]) {
    check(`a message ${JSON.stringify(data)}`, readMessage(data)?.kind ?? null, wanted);
  }
}

async function switches({ isOn, switchOf, turn }, check) {
  const stored = { managed: {}, local: { enabled: ["https://own.example"] } };
  const area = (name) => ({ get: async (key) => ({ [key]: stored[name][key] }), set: async (values) => Object.assign(stored[name], values) });
  globalThis.chrome = { storage: { managed: area("managed"), local: area("local") } };
  check("off from the beginning", await isOn(ORIGIN), false);
  await turn(ORIGIN, true);
  await turn(ORIGIN, true);
  check("on once, however often it is switched", stored.local.webEid, [ORIGIN]);
  check("on where the user has switched it on", await isOn(ORIGIN), true);
  check("and nowhere else", await isOn("https://own.example"), false);
  await turn(ORIGIN, false);
  check("off again", await isOn(ORIGIN), false);
  check("a site that is not enabled", await turn("https://evil.example", true).catch((error) => error.failure.code), "extension-not-enabled");
  stored.managed.webEid = ["https://own.example", "https://*/*", "https://named.example/*"];
  check("on where a policy says so", [await switchOf("https://own.example"), await isOn("https://own.example")], ["managed", true]);
  check("a policy's switch enables no site", await isOn("https://named.example"), false);
  check("a policy that names everything names nothing", await isOn(ORIGIN), false);
}

async function conversations({ WebEid }, check) {
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  /** A window with the shim in it; `said` is what it posted, `asked` what it asked the background for. */
  async function stage(on, { pressed = true, own = ORIGIN } = {}) {
    const listeners = [];
    const timers = [];
    const scene = { said: [], asked: [], cancelled: 0, stopped: 0 };
    globalThis.location = { origin: ORIGIN };
    globalThis.self = { origin: own };
    globalThis.window = {
      addEventListener: (_, listener) => listeners.push(listener),
      postMessage: (message, target) => {
        check("the reply's target", target, ORIGIN);
        scene.said.push(message);
        scene.hear(message);
      },
    };
    globalThis.document = { querySelector: () => null };
    const later = [];
    globalThis.chrome = {
      runtime: { id: "x", getURL: (path) => `chrome-extension://x/${path}`, onMessage: { addEventListener: () => undefined, addListener: (listener) => (scene.popup = listener) } },
      storage: { onChanged: { addListener: (listener) => later.push(listener) }, managed: { get: async () => ({}) }, local: { get: async (key) => ({ [key]: on && key === "webEid" ? [ORIGIN] : undefined }) } },
    };
    const [realSet, realClear] = [globalThis.setTimeout, globalThis.clearTimeout];
    globalThis.setTimeout = (work) => timers.push(work);
    globalThis.clearTimeout = (number) => delete timers[number - 1];
    scene.hear = (data, source = globalThis.window, origin = ORIGIN) => {
      const event = { data, source, origin, stopImmediatePropagation: () => (scene.stopped += 1) };
      for (const listener of listeners) listener(event);
    };
    scene.pass = async () => {
      for (const work of timers.splice(0)) work?.();
      await settle();
      await settle();
    };
    const shim = new WebEid({ allow: () => pressed }, (verb, args, timeoutMs) => {
      const call = { verb, args, timeoutMs };
      scene.asked.push(call);
      return { answer: new Promise((resolve) => (call.answer = resolve)), cancel: () => (scene.cancelled += 1) };
    }, "en");
    scene.shim = shim;
    scene.end = () => ([globalThis.setTimeout, globalThis.clearTimeout] = [realSet, realClear]);
    await settle();
    await settle();
    return scene;
  }
  const request = (action, more = {}) => ({ action: `web-eid:${action}`, libraryVersion: "2.0.1", ...more });
  const login = request("authenticate", { challengeNonce: NONCE });
  const token = { unverifiedCertificate: "MAA=", algorithm: "ES256", signature: "AA==", format: "web-eid:1.0", appVersion: "https://x/1" };
  const actions = (scene) => scene.said.map(({ action }) => action.slice("web-eid:".length));

  let scene = await stage(false);
  scene.hear(login);
  await scene.pass();
  check("off: nothing is said or asked", [scene.said, scene.asked], [[], []]);
  let proposed = null;
  scene.popup({ webEid: "proposed?" }, { id: "x", url: "chrome-extension://x/popup.html" }, (answer) => (proposed = answer));
  check("off: the popup learns that the page has asked", proposed, true);
  scene.popup({ webEid: "proposed?" }, { id: "x", url: ORIGIN }, () => (proposed = "told"));
  check("and nobody else does", proposed, true);
  scene.end();

  scene = await stage(true);
  scene.hear(login);
  check("the first word is Web eID's", scene.said, []);
  await scene.pass();
  check("the ack comes before anything has been done", [actions(scene), scene.asked[0].verb, scene.asked[0].args], [["authenticate-ack"], "web-eid", { challengeNonce: NONCE }]);
  scene.hear({ ...login, challengeNonce: "another" });
  await scene.pass();
  check("a second request of the same kind is not served", scene.asked.length, 1);
  scene.asked[0].answer({ id: 0, ok: token });
  await scene.pass();
  check("one answer", actions(scene), ["authenticate-ack", "authenticate-success"]);
  check("the token's fields", scene.said[1], { action: "web-eid:authenticate-success", ...token });
  scene.hear(login);
  await scene.pass();
  check("own replies are no stranger's", scene.asked.length, 2);
  scene.end();

  scene = await stage(true);
  scene.hear(login);
  scene.hear({ action: "web-eid:authenticate-ack" });
  await scene.pass();
  scene.hear(login);
  await scene.pass();
  check("where Web eID answers, nothing is said, now or later", [scene.said, scene.asked], [[], []]);
  check("and a page that proposes is told", await scene.shim.propose(), false);
  scene.end();

  scene = await stage(true);
  scene.hear(login);
  await scene.pass();
  scene.hear({ action: "web-eid:authenticate-ack" });
  await scene.pass();
  scene.asked[0].answer({ id: 0, ok: token });
  await scene.pass();
  check("where Web eID answers late, our call is taken back and its answer kept", [actions(scene), scene.cancelled], [["authenticate-ack"], 1]);
  scene.end();

  scene = await stage(true);
  const frame = {};
  for (const [source, origin] of [[frame, ORIGIN], [frame, "https://evil.example"], [null, ORIGIN], [globalThis.window, "null"]]) {
    scene.hear({ action: "web-eid:authenticate-ack" }, source, origin);
    scene.hear({ action: "web-eid:authenticate-success", ...token }, source, origin);
    scene.hear(login, source, origin);
  }
  await scene.pass();
  check("frames and openers are neither served nor believed, and the page does not hear their replies", [scene.said, scene.asked, scene.stopped], [[], [], 8]);
  scene.hear(login);
  await scene.pass();
  check("and nothing stands down for them", scene.asked.length, 1);
  scene.end();

  scene = await stage(true, { own: "null" });
  scene.hear(login);
  await scene.pass();
  check("a sandboxed document is not served", scene.asked, []);
  scene.end();

  scene = await stage(true, { pressed: false });
  scene.hear(login);
  await scene.pass();
  check("without a press", [scene.asked, scene.said[1].error.code, scene.said[1].error.sealbridge.code], [[], "ERR_WEBEID_UNKNOWN_ERROR", "gesture-needed"]);
  scene.hear(request("status"));
  await scene.pass();
  scene.asked[0].answer({ id: 0, ok: { host: "0.1.0" } });
  await scene.pass();
  check("the status needs none", scene.said[3], { action: "web-eid:status-success", library: "2.0.1", extension: "2.0.0+sealbridge.0.1.0", nativeApp: "2.0.0+sealbridge.0.1.0" });
  scene.end();

  scene = await stage(true);
  for (const [action, more] of [["sign", { certificate: "MAA=", hash: "AA==", hashFunction: "SHA-256" }], ["get-signing-certificate", {}]]) {
    scene.hear(request(action, more));
    await scene.pass();
  }
  check("nothing signs a hash", scene.asked, []);
  check("and pages learn it at once", scene.said.filter(({ error }) => error).map(({ action, error }) => [action, error.code, error.sealbridge.code]), [
    ["web-eid:sign-failure", "ERR_WEBEID_NATIVE_INVALID_ARGUMENT", "web-eid-signing-refused"],
    ["web-eid:get-signing-certificate-failure", "ERR_WEBEID_NATIVE_INVALID_ARGUMENT", "web-eid-signing-refused"],
  ]);
  scene.end();
}
