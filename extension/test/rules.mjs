// The background's own rules, without a browser: which sites the lists name, and how long a site waits that is cancelled again
// and again, the shim for Web eID, the migration adapter, the key centre's line and its calls to a desk, the stamping page's choice after a renewal. `npm run test:rules`. The storage areas that they read are given here; nothing else of the browser is used.

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { desk } from "./desk.mjs";
import { link } from "./link.mjs";
import { netca } from "./netca.mjs";
import { renewals } from "./renewals.mjs";
import { webEid } from "./web-eid.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const { outputFiles } = await esbuild.build({
  stdin: { contents: 'export * from "./pauses"; export * from "./portals";', resolveDir: join(here, "../src/background"), loader: "ts" },
  bundle: true,
  format: "esm",
  platform: "neutral",
  write: false,
  logLevel: "error",
  define: { PORTALS: JSON.stringify(["https://bid.example.cn/*", "https://*.portal.example/*", "http://localhost/*"]) },
});
const lists = { managed: {}, local: {} };
const area = (name) => ({ get: async (key) => ({ [key]: lists[name][key] }) });
globalThis.chrome = { storage: { managed: area("managed"), local: area("local") } };
const { afterCancel, waitOf, sourceOf, managedPatterns, patternOf, withoutPort } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);

let passed = 0;
let failed = 0;
function check(what, found, wanted) {
  if (JSON.stringify(found) === JSON.stringify(wanted)) {
    passed += 1;
  } else {
    failed += 1;
    console.error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
  }
}

// ---- sites ----

lists.managed.portals = ["https://ca.example.cn", "https://*.city.example/*", "https://odd.example:8443/*", "https://*/*", "<all_urls>", "http://plain.example/*", "https://user@evil.example/*", 7];
lists.local.enabled = ["https://own.example", "https://bid.example.cn"];
for (const [origin, wanted] of [
  ["https://bid.example.cn", "bundled"],
  ["https://bid.example.cn:8443", "bundled"],
  ["http://bid.example.cn", null],
  ["https://sub.bid.example.cn", null],
  ["https://bid.example.cn.evil.example", null],
  ["https://a.portal.example", "bundled"],
  ["https://a.b.portal.example", "bundled"],
  ["https://portal.example", "bundled"],
  ["https://evilportal.example", null],
  ["http://localhost:8080", "bundled"],
  ["https://localhost", null],
  ["https://ca.example.cn", "managed"],
  ["https://east.city.example", "managed"],
  ["https://odd.example:8443", "managed"],
  ["https://odd.example", null],
  ["http://plain.example", null],
  ["https://evil.example", null],
  ["https://own.example", "user"],
  ["https://own.example:444", null],
]) {
  check(origin, await sourceOf(origin), wanted);
}
check("what counts of a policy", await managedPatterns(), ["https://ca.example.cn/*", "https://*.city.example/*", "https://odd.example:8443/*"]);
check("a pattern's permission", withoutPort("https://odd.example:8443/*"), "https://odd.example/*");
check("an origin's permission", patternOf("https://odd.example:8443"), "https://odd.example/*");
lists.managed.portals = "https://ca.example.cn/*";
check("a policy that is no list", await managedPatterns(), []);

// ---- pauses ----

const MINUTE = 60_000;
/** The waits in minutes after cancels at these minutes. */
function waits(...minutes) {
  let pause;
  return minutes.map((minute) => {
    pause = afterCancel(pause, minute * MINUTE);
    return waitOf(pause, minute * MINUTE) / MINUTE;
  });
}
check("three at once", waits(100, 100, 100), [0, 0, 1]);
check("each after the pause before", waits(100, 101, 102, 103.5, 109, 125), [0, 0, 1, 5, 15, 15]);
check("more than ten minutes apart", waits(100, 111, 122, 133), [0, 0, 0, 0]);
check("ten minutes apart are in a row", waits(100, 110, 120), [0, 0, 1]);
check("a row that has grown cold", waits(100, 100, 100, 111.5), [0, 0, 1, 0]);
const paused = afterCancel(afterCancel(afterCancel(undefined, 0), 0), 0);
check("sat out", waitOf(paused, MINUTE), 0);
check("nothing remembered", waitOf(undefined, 5), 0);
check("a clock set back", waitOf(paused, -60 * MINUTE), 15 * MINUTE);

await webEid(check);
await netca(check);
await link(check);
await desk(check);
await renewals(check);

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
