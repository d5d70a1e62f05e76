// The stamping page's choice after a renewal, without a browser: which pairs of seal and certificate are offered, and what becomes of a
// choice that was remembered before. Run by rules.mjs.

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));

/** `check(what, found, wanted)` counts. */
export async function renewals(check) {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: 'export * from "./renewals";', resolveDir: join(here, "../src/stamp"), loader: "ts" },
    bundle: true,
    format: "esm",
    platform: "neutral",
    write: false,
    logLevel: "error",
  });
  const { followed, newest, renewalsOf } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
  // One key renewed twice (old, mid, new), and another key.
  const certificates = [["old", ["mid", "new"]], ["mid", ["new"]], ["new", []], ["other", []]].map(([id, renewedBy]) => ({ id, renewedBy }));
  const known = renewalsOf({ tokens: [{ certificates: certificates.slice(0, 3) }, { certificates: certificates.slice(3) }] });
  // A pair is written as its seal and its certificate.
  const pair = (text) => ({ seal: text.split(" ")[0], certificate: text.split(" ")[1] });
  for (const [what, pairs, offered] of [
    ["before the new seal is there", ["s1 old"], ["s1 old"]],
    ["the newest that has a seal", ["s1 old", "s2 mid"], ["s2 mid"]],
    ["in any order", ["s3 new", "s1 old", "s2 mid"], ["s3 new"]],
    ["two seals of the newest", ["s1 old", "s3 new", "s4 new"], ["s3 new", "s4 new"]],
    ["another key stays", ["s1 old", "s5 other", "s3 new"], ["s5 other", "s3 new"]],
    ["a seal that names both", ["s1 old", "s1 new"], ["s1 new"]],
  ]) {
    check(`offered: ${what}`, newest(pairs, pair, known), offered);
  }
  for (const [what, remembered, pairs, wanted] of [
    ["still the newest that has a seal", "s1 old", ["s1 old", "s5 other"], "s1 old"],
    ["renewed since", "s1 old", ["s3 new", "s5 other"], "s3 new"],
    ["renewed, with two seals: to be asked", "s1 old", ["s3 new", "s4 new", "s5 other"], null],
    ["of another key", "s5 other", ["s3 new", "s5 other"], "s5 other"],
    ["gone", "s5 other", ["s3 new"], null],
  ]) {
    check(`remembered: ${what}`, followed(pair(remembered), pairs, pair, known), wanted);
  }
}
