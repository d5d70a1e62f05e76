// The stamping page's places without a browser: steps back and forward, which place carries the signature, pages as people
// write them, and the cutting of a drawn signature. Run by wasm.mjs.

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));

/** `check(what, found, wanted)` counts. */
export async function places(check) {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: 'export * from "./items"; export { cut, pathOf } from "./pad";', resolveDir: join(here, "../src/stamp"), loader: "ts" },
    bundle: true,
    format: "esm",
    write: false,
    logLevel: "error",
  });
  const { Items, ranges, firstPage, cut, pathOf, PLACES_MAX } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
  const seal = (page, x = 10, y = 20) => ({ kind: "seal", page, x, y });
  const field = (name) => ({ kind: "field", field: name });
  const seam = { kind: "seam", range: "2-last", side: "left", center: 0.25, group: 0, slices: [{ page: 2 }, { page: 3 }] };
  const date = { kind: "date", page: 4, x: 1, y: 2 };
  const shown = (items) => items.all.map((item) => item.field ?? `${item.kind}${item.page ?? ""}`).join();

  const items = new Items();
  let changes = 0;
  items.onChange = () => (changes += 1);
  items.begin([seal(1)]);
  check("what is there to begin with can not be undone", items.undo(), false);
  items.add(seam, date);
  items.add(field("甲"));
  check("places in their order", shown(items), "seal1,seam,date4,甲");
  check("a field carries the signature", items.carrier.kind, "field");
  items.add(field("乙"));
  check("a signature has one field", shown(items), "seal1,seam,date4,乙");
  for (const wanted of ["seal1,seam,date4,甲", "seal1,seam,date4", "seal1"]) {
    check("undo", items.undo(), true);
    check("after undo", shown(items), wanted);
  }
  check("nothing more to undo", items.undo(), false);
  check("redo", [items.redo(), items.redo(), items.redo(), items.redo()].join(), "true,true,true,false");
  items.undo();
  items.remove(items.all[0].id);
  check("a new step ends what could be redone", items.canRedo, false);
  items.undo();
  check("a removed place comes back where it was", shown(items), "seal1,seam,date4,甲");
  check("everything is told", changes > 10, true);

  // Presses of a key that follow each other are one step.
  const moved = new Items();
  moved.begin([seal(1), seal(2)]);
  const [first, second] = moved.all;
  for (let x = 11; x < 15; x += 1) moved.change(first.id, seal(1, x));
  moved.change(second.id, seal(2, 50));
  moved.undo();
  check("the other place is a step of its own", moved.all[1].x, 10);
  moved.undo();
  check("moves together are one step", moved.all[0].x, 10);
  moved.redo();
  check("and come back as one", moved.all[0].x, 14);
  moved.change(first.id, field("甲"));
  moved.change(second.id, field("甲"));
  check("a place that moves onto the field takes it over", shown(moved), "甲");

  const full = new Items();
  full.begin([]);
  check("as many as there may be", full.add({ kind: "pages", range: "all", pages: Array.from({ length: PLACES_MAX }, (_, page) => page + 1), x: 0, y: 0 }) !== false, true);
  check("one more", full.add(seal(1)), false);
  full.only(field("甲"));
  check("one instead of all", shown(full), "甲");

  const asked = new Items();
  asked.begin([seam, date, { kind: "pages", range: "1,3", pages: [1, 3], x: 5, y: 6 }]);
  check("whole seals carry before pieces", asked.carrier.kind, "pages");
  check(
    "as the module is asked",
    JSON.stringify(asked.wished()),
    JSON.stringify([{ seam: { pages: "2-last", side: "left", center: 0.25, group: 0 } }, { date: { page: 4, x: 1, y: 2 } }, { pages: "1,3", x: 5, y: 6 }]),
  );
  asked.remove(asked.all[2].id);
  check("a seam carries where it is alone", asked.carrier.kind, "seam");
  check("first pages", [seal(3), seam, date, { kind: "pages", pages: [5, 7] }, field("甲")].map(firstPage).join(), "2,1,3,4,");
  check("pages as people write them", ranges([1, 2, 3, 5, 7, 8], "、"), "1–3、5、7–8");

  const drawn = cut([[[100, 50], [200, 100]], [[150, 75]]]);
  check("a drawing is cut to its lines", JSON.stringify(drawn.strokes), JSON.stringify([[[0, 1], [1, 0]], [[0.5, 0.5]]]));
  check("a drawing keeps its proportions", drawn.width / drawn.height, 2);
  check("a level line has a height", cut([[[0, 10], [80, 10]]]).height > 0, true);
  check("nothing drawn is no drawing", cut([]), null);
  check("a drawing as a path", pathOf(drawn.strokes, 1000, 1000), "M0 0L1000 1000M500 500L500 500");
}
