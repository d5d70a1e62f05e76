// The tools that add places: on several pages, by keyword with its hits counted first, over a seam, a date line, and a
// signature drawn by hand. What a person typed wrong is said beside the input, in the words of the code.

import { $ } from "../draw";
import { failureOf } from "../failure";
import { oneLine } from "../failure-view";
import { t } from "../language";
import type { Failure } from "../protocol";
import type { Desk } from "./desk";
import { DATE_MM, inside, tenth } from "./geometry";
import { ranges } from "./items";
import type { Items, Side, Spot } from "./items";
import type { Overlay } from "./overlay";
import { drawSignature } from "./pad";
import { MARGIN_MM } from "./panel";
import type { Panel } from "./panel";

const FORMS = ["pages", "keyword", "seam"] as const;
type Form = (typeof FORMS)[number];

export class Tools {
  /** The hits of the keyword that are counted, ready to be added. */
  #hits: Spot[] = [];
  #search = 0;

  constructor(
    private readonly panel: Panel,
    private readonly items: Items,
    private readonly overlay: Overlay,
    private readonly desk: Desk,
  ) {}

  listen(): void {
    for (const id of ["pages-range", "seam-pages"]) $<HTMLInputElement>(id).value = t("pagesAll");
    $("add-date").addEventListener("click", () => this.#addDate());
    $("add-drawing").addEventListener("click", () => void this.#addDrawing());
    for (const name of FORMS) $(`add-${name}`).addEventListener("click", () => this.#open($(`form-${name}`).hidden ? name : null));
    $("form-pages").addEventListener("submit", (event) => this.#submit(event, () => this.#pages()));
    $("form-keyword").addEventListener("submit", (event) => this.#submit(event, () => this.#keyword()));
    $("form-seam").addEventListener("submit", (event) => this.#submit(event, () => this.#seam()));
    for (const id of ["keyword-text", "keyword-which", "keyword-pages"]) $(id).addEventListener("input", () => this.#forget());
  }

  #addDate(): void {
    const { shown } = this.overlay;
    if (!shown) return;
    // Under the seal on this page, where there is one.
    const seal = this.items.all.flatMap((item) => (item.kind === "date" || item.kind === "drawing" || item.kind === "seam" ? [] : (this.overlay.box(item) ?? [])))[0];
    const size = this.overlay.box({ kind: "date", page: this.desk.page + 1, x: 0, y: 0 }) ?? { width: 0, height: DATE_MM };
    const wanted = seal ? { x: seal.x + (seal.width - size.width) / 2, y: seal.y - size.height - 3 } : { x: shown.widthMm - size.width - MARGIN_MM, y: MARGIN_MM };
    const at = inside(wanted.x, wanted.y, size, shown);
    this.panel.add([{ kind: "date", page: this.desk.page + 1, x: tenth(at.x), y: tenth(at.y) }]);
  }

  async #addDrawing(): Promise<void> {
    const { shown } = this.overlay;
    const drawn = await drawSignature();
    if (!drawn || !shown) return;
    const scale = Math.min(1, (shown.widthMm * 0.9) / drawn.width, (shown.heightMm * 0.9) / drawn.height);
    const [width, height] = [drawn.width * scale, drawn.height * scale];
    const at = inside(MARGIN_MM * 2, MARGIN_MM + 15, { width, height }, shown);
    this.panel.add([{ kind: "drawing", page: this.desk.page + 1, x: tenth(at.x), y: tenth(at.y), width, height, strokes: drawn.strokes }]);
  }

  /** Opens one of the small forms, or closes all. */
  #open(wanted: Form | null): void {
    for (const name of FORMS) {
      const open = name === wanted;
      $(`form-${name}`).hidden = !open;
      $(`add-${name}`).setAttribute("aria-expanded", String(open));
      if (open) $(`form-${name}`).querySelector<HTMLElement>("input")?.focus();
    }
    this.#forget();
  }

  #submit(event: SubmitEvent, run: () => Promise<void>): void {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const wrong = form.querySelector<HTMLElement>(".wrong");
    this.#wrong(wrong, null);
    run().catch((thrown: unknown) => this.#wrong(wrong, failureOf(thrown)));
  }

  /** What is wrong with a form is said in it, not over the whole page. */
  #wrong(line: HTMLElement | null, failure: Failure | null): void {
    if (!line) return;
    line.hidden = failure === null;
    delete line.dataset["code"];
    if (!failure) return void (line.textContent = "");
    line.dataset["code"] = failure.code;
    line.textContent = oneLine(failure);
  }

  async #pages(): Promise<void> {
    const proposal = this.panel.proposal();
    const template = this.items.all.find((item) => item.kind === "seal" && item.page === this.desk.page + 1) ?? proposal;
    if (!template || template.kind !== "seal") return;
    const spots = await this.panel.spots({ pages: value("pages-range"), x: template.x, y: template.y });
    if (this.panel.add(spots)) this.#open(null);
  }

  async #keyword(): Promise<void> {
    if (this.#hits.length > 0) {
      if (this.panel.add(this.#hits)) this.#open(null);
      return;
    }
    this.#search += 1;
    const search = this.#search;
    const pages = value("keyword-pages");
    const which = value("keyword-which") as "first" | "last" | "all";
    const hits = await this.panel.spots({ keyword: value("keyword-text"), which, ...(pages ? { pages } : {}) });
    if (search !== this.#search) return;
    this.#hits = hits;
    const on = [...new Set(hits.map((hit) => (this.panel.pageOf(hit) ?? 0) + 1))];
    $("keyword-hits").textContent = t("keywordHits", hits.length, ranges(on, t("placesComma")));
    $("keyword-submit").textContent = t("keywordAdd", hits.length);
    const [first] = hits;
    const page = first && this.panel.pageOf(first);
    if (page != null && page !== this.desk.page) await this.desk.go(page);
  }

  /** The hits belong to words that have changed. */
  #forget(): void {
    this.#search += 1;
    this.#hits = [];
    $("keyword-hits").textContent = "";
    $("keyword-submit").textContent = t("keywordFind");
    for (const wrong of document.querySelectorAll<HTMLElement>("#places .wrong")) this.#wrong(wrong, null);
  }

  async #seam(): Promise<void> {
    const group = Number.parseInt(value("seam-group"), 10);
    const seam = {
      pages: value("seam-pages") || "all",
      side: value("seam-side") as Side,
      center: Number(value("seam-center")) / 100,
      ...(Number.isFinite(group) && group > 0 ? { group } : {}),
    };
    if (this.panel.add(await this.panel.spots({ seam }))) this.#open(null);
  }
}

function value(id: string): string {
  return $<HTMLInputElement>(id).value.trim();
}
