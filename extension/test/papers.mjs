// Several documents without a browser: what one document's places mean on another, where each document stands, the list that
// fits into a frame, and in which order documents are hashed. Run by wasm.mjs.

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));

/** `check(what, found, wanted)` counts. */
export async function papers(check) {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: 'export * from "./alike"; export * from "./hashing"; export * from "./paper"; export { Items } from "./items";', resolveDir: join(here, "../src/stamp"), loader: "ts" },
    bundle: true,
    format: "esm",
    write: false,
    logLevel: "error",
  });
  const { alike, Hashing, Items, listed, Paper } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
  const same = (what, found, wanted) => check(what, JSON.stringify(found), JSON.stringify(wanted));

  // ---- alike ----

  const seal = (page, x = 10, y = 20) => ({ kind: "seal", page, x, y });
  const drawing = { kind: "drawing", page: 5, x: 1, y: 2, width: 3, height: 4, strokes: [] };
  const lines = { x: 1, y: 2, width: 3, height: 4, strokes: [] };
  const hit = (page, wish, count, dx = 0, dy = 0) => ({ ...seal(page, 10 + dx, 20 + dy), keyword: { wish, count, x: 10, y: 20 } });
  const all = { keyword: "盖章", which: "all" };
  const offset = { keyword: "签字", which: "last", dx: 2 };
  for (const [what, spots, from, to, wanted] of [
    ["a field by its name", [{ kind: "field", field: "公章" }], 3, 9, [{ field: "公章" }]],
    ["a page in the middle", [seal(2)], 5, 9, [{ page: 2, x: 10, y: 20 }]],
    ["the last page", [seal(5)], 5, 9, [{ page: 9, x: 10, y: 20 }]],
    ["the last page on a shorter one", [seal(5)], 5, 1, [{ page: 1, x: 10, y: 20 }]],
    ["the only page is the first", [seal(1)], 1, 9, [{ page: 1, x: 10, y: 20 }]],
    ["date and drawing on the last page", [{ kind: "date", page: 5, x: 1, y: 2 }, drawing], 5, 9, [{ date: { page: 9, x: 1, y: 2 } }, { drawing: { page: 9, ...lines } }]],
    ["lists of pages as they are written", [{ kind: "pages", range: "1,last", pages: [1, 5], x: 1, y: 2 }], 5, 9, [{ pages: "1,last", x: 1, y: 2 }]],
    ["a seam over the other's pages", [{ kind: "seam", range: "all", side: "left", center: 0.5, group: 0, slices: [] }], 5, 9, [{ seam: { pages: "all", side: "left", center: 0.5, group: 0 } }]],
    ["a keyword is searched again, once", [hit(1, all, 2), seal(3), hit(2, all, 2)], 5, 9, [{ ...all, dx: 0, dy: 0 }, { page: 3, x: 10, y: 20 }]],
    ["moved together", [hit(1, all, 2, 4, -1.5), hit(2, all, 2, 4, -1.5)], 5, 9, [{ ...all, dx: 4, dy: -1.5 }]],
    ["moved on top of its own offset", [hit(1, offset, 1, 3)], 5, 9, [{ ...offset, dx: 5, dy: 0 }]],
    ["moved apart, they are points", [hit(1, all, 2, 4), hit(2, all, 2)], 5, 9, [{ page: 1, x: 14, y: 20 }, { page: 2, x: 10, y: 20 }]],
    ["one taken away, they are points", [hit(1, all, 3), hit(2, all, 3)], 5, 9, [{ page: 1, x: 10, y: 20 }, { page: 2, x: 10, y: 20 }]],
  ]) {
    same(`alike: ${what}`, alike(spots, from, to), wanted);
  }

  // ---- where a document stands ----

  const view = (fields = [], pageCount = 9) => ({ pageCount, fields, signatures: [] });
  const field = (name, signed = false) => ({ name, kind: "signature", signed, readOnly: false, widgets: [{}] });
  const kept = { view: { digest: "d", place: "第 1 页", page: 1, pages: 2, size: 3 } };
  const paper = (wishes = []) => new Paper(0, new Blob(["x"]), "a.pdf", { placements: wishes, fields: {} });
  const changed = (change) => Object.assign(paper(), change).state;
  check("untouched", changed({}), "waiting");
  check("looked at", changed({ seen: true }), "seen");
  check("prepared", changed({ kept }), "ready");
  check("what is wrong counts before what was prepared", changed({ kept, failure: { code: "keyword-missing" } }), "refused");
  check("left out, whatever is wrong", changed({ included: false, failure: { code: "keyword-missing" } }), "left-out");
  check("stamped, whatever came after", changed({ result: {}, failure: { code: "cancelled" }, included: false }), "stamped");

  const told = (one) => {
    const outcome = one.outcome((failure) => failure.code);
    return outcome.failure ?? "stamped";
  };
  check("a refused one says why", told(Object.assign(paper(), { failure: { code: "pdf-damaged" } })), "pdf-damaged");
  check("one that was left out says so", told(Object.assign(paper(), { failure: { code: "pdf-damaged" }, included: false })), "cancelled");
  check("one that nobody came to", told(paper()), "cancelled");
  check("a stamped one", told(Object.assign(paper(), { result: { blob: new Blob(), report: {} } })), "stamped");

  const wanted = (wishes, fields) => {
    const one = paper(wishes);
    one.opened(view(fields));
    return one.wanted;
  };
  same("nobody has said where", wanted([], []), []);
  same("the first field that is free", wanted([], [field("甲", true), field("乙")]), [{ field: "乙" }]);
  same("what the page wishes goes before fields", wanted([{ seam: {} }], [field("乙")]), [{ seam: {} }]);
  same("a date is no seal", wanted([{ date: { page: 1, x: 1, y: 1 } }], []), []);
  same("a date beside a field", wanted([{ date: { page: 1, x: 1, y: 1 } }], [field("乙")]), [{ field: "乙" }, { date: { page: 1, x: 1, y: 1 } }]);

  const follower = Object.assign(paper([{ field: "甲" }]), { shelved: { now: [seal(1)], past: [], future: [] }, kept, failure: null, tried: true });
  follower.follow([seal(5)], 5);
  check("another document's places end what was prepared", follower.state, "waiting");
  follower.opened(view());
  same("and mean this document's pages", follower.wanted, [{ page: 9, x: 10, y: 20 }]);
  follower.opened(view([], 3));
  same("once", follower.wanted, [{ page: 9, x: 10, y: 20 }]);

  // Places lie on the shelf while another document is on the desk.
  const items = new Items();
  items.begin([seal(1)]);
  items.add(seal(2));
  const shelved = items.shelve();
  check("an empty desk", items.all.length, 0);
  items.begin([seal(7)]);
  items.put(shelved);
  check("back as it was", items.all.map(({ page }) => page).join(), "1,2");
  check("with its steps", [items.undo(), items.all.length, items.redo(), items.all.length].join(), "true,1,true,2");

  // ---- the list for the host ----

  const many = (name, place) => Array.from({ length: 50 }, () => ({ name, kept: { view: { ...kept.view, place, page: 4 } } }));
  const bytes = (list) => Buffer.byteLength(JSON.stringify(list));
  check("places as they are", listed(many("投标文件.pdf", "第 4 页，公章处"))[49].place, "第 4 页，公章处");
  const long = listed(many("长".repeat(255), "处".repeat(255)));
  check("the longest names with the longest places fit a frame", bytes(long) < 65_000, true);
  check("with their pages", long[0].place, "4");
  check("and their names", long[49].name, "长".repeat(255));

  // ---- hashing ----

  const order = [];
  const ends = new Map();
  let running = 0;
  const hashing = new Hashing(async (document) => {
    order.push(document);
    running += 1;
    check("one at a time", running, 1);
    await new Promise((resolve) => ends.set(document, resolve));
    running -= 1;
    if (document === 2) throw new Error("unreadable");
  });
  const done = [hashing.run(0, true), hashing.run(1, false), hashing.run(2, false), hashing.run(3, false), hashing.run(4, true)];
  hashing.prefer(3);
  const results = Promise.allSettled(done);
  for (let step = 0; step < 5; step += 1) {
    await new Promise((resolve) => setTimeout(resolve));
    ends.get(order.at(-1))?.();
  }
  check("one that fails fails alone", (await results).map(({ status }) => status[0]).join(""), "ffrff");
  check("the one on the desk goes first", order.join(), "0,3,4,1,2");
}
