// The panel of places: what stands where as a list, choosing, removing, undo and redo. On a document that others have
// signed it holds one place only, because every place needs its own signature there.

import { $ } from "../draw";
import { t } from "../language";
import type { Placement } from "../messages";
import type { Desk } from "./desk";
import { isTyping } from "./desk";
import type { Engine } from "./engine";
import { inside, round, sealSize, tenth } from "./geometry";
import { firstPage, PLACES_MAX, ranges } from "./items";
import type { Item, Items, Spot } from "./items";
import type { Overlay } from "./overlay";
import { announce, fail, phase } from "./ui";

/** Distance of a new seal from the page's lower right corner. */
export const MARGIN_MM = 15;
/** New places on one page stand beside each other. */
const SHIFT_MM = 8;

export class Panel {
  /** Pages (from 0) of the signature fields, by name. */
  #fieldPages: ReadonlyMap<string, number> = new Map();
  #labels: ReadonlyMap<string, { label: string; page: number }> = new Map();
  #onlyOne = false;
  #selected: number | null = null;

  constructor(
    private readonly items: Items,
    private readonly overlay: Overlay,
    private readonly desk: Desk,
    private readonly engine: Engine,
  ) {}

  /** Another document lies on the desk: its signature fields by name, and whether others have signed it. */
  use(labels: ReadonlyMap<string, { label: string; page: number }>, onlyOne: boolean): void {
    this.#labels = labels;
    this.#onlyOne = onlyOne;
    this.#selected = null;
    this.#fieldPages = new Map([...labels].map(([name, { page }]) => [name, page]));
    document.body.toggleAttribute("data-only-one", onlyOne);
    $("places-note").hidden = !onlyOne;
  }

  /** The page (from 0) on which a place is first seen. */
  pageOf(spot: Spot): number | null {
    return spot.kind === "field" ? (this.#fieldPages.get(spot.field) ?? null) : firstPage(spot);
  }

  /** What a page may ask for, as places; the module finds keywords and counts pages. */
  async spots(wish: Placement): Promise<Spot[]> {
    const spots = (await this.engine.call("places", [wish])).filter((spot) => spot.kind !== "field" || this.#labels.has(spot.field));
    if (!("keyword" in wish)) return spots;
    return spots.map((spot) => (spot.kind === "seal" ? { ...spot, keyword: { wish, count: spots.length, x: spot.x, y: spot.y } } : spot));
  }

  /** A seal in the lower right corner of the page that is shown. */
  proposal(): Spot | null {
    const { shown, seal } = this.overlay;
    if (!shown || !seal) return null;
    const size = sealSize(seal, shown);
    const here = this.items.all.filter((item) => this.overlay.box(item) !== null).length;
    const at = inside(shown.widthMm - size.width - MARGIN_MM - here * SHIFT_MM, MARGIN_MM + 10 + here * SHIFT_MM, size, shown);
    return { kind: "seal", page: this.desk.page + 1, x: tenth(at.x), y: tenth(at.y) };
  }

  listen(): void {
    this.overlay.onSelect = (id) => this.#select(id);
    this.overlay.onRemove = (id) => this.#remove(id);
    this.overlay.onMove = (id, spot) => this.items.change(id, spot);
    this.overlay.fields.onField = (field) => this.#toField(field);
    $("add-here").addEventListener("click", () => this.add([this.proposal()]));
    $("put-here").addEventListener("click", () => this.#putHere());
    $("undo").addEventListener("click", () => this.#turn("undo"));
    $("redo").addEventListener("click", () => this.#turn("redo"));
    document.addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || isTyping(event) || phase() !== "editing") return;
      const key = event.key.toLowerCase();
      if (key === "z") this.#turn(event.shiftKey ? "redo" : "undo");
      else if (key === "y") this.#turn("redo");
      else return;
      event.preventDefault();
    });
  }

  /** Brings the list in line with the places. */
  update(): void {
    const list = $("place-list");
    const focused = document.activeElement instanceof HTMLElement && list.contains(document.activeElement) ? document.activeElement.closest("li")?.dataset["item"] : undefined;
    list.replaceChildren(...this.items.all.map((item) => this.#entry(item)));
    $("places-none").hidden = this.items.all.length > 0;
    $<HTMLButtonElement>("undo").disabled = !this.items.canUndo;
    $<HTMLButtonElement>("redo").disabled = !this.items.canRedo;
    if (focused !== undefined) (list.querySelector<HTMLElement>(`li[data-item="${focused}"] button`) ?? $("add-here")).focus();
    this.#mark();
  }

  /** Marks the chosen place, and offers to bring it to the page that is shown. */
  #mark(): void {
    for (const entry of $("place-list").children) entry.toggleAttribute("data-selected", entry instanceof HTMLElement && entry.dataset["item"] === String(this.#selected));
    const item = this.#movable();
    $("put-here").hidden = !item || phase() !== "editing" || this.pageOf(item) === this.desk.page;
    $("add-here").hidden = this.#onlyOne && this.items.all.length > 0;
  }

  /** Another page is shown. */
  turned(): void {
    this.#mark();
  }

  /** The chosen place, or the only one, where it is something that stands on one page. */
  #movable(): Item | null {
    const item = this.items.all.length === 1 ? this.items.all[0] : this.items.all.find(({ id }) => id === this.#selected);
    return item && item.kind !== "pages" && item.kind !== "seam" ? item : null;
  }

  #select(id: number): void {
    this.#selected = id;
    this.#mark();
  }

  #entry(item: Item): HTMLElement {
    const entry = document.createElement("li");
    entry.dataset["item"] = String(item.id);
    entry.dataset["kind"] = item.kind;
    const show = document.createElement("button");
    show.type = "button";
    show.className = "show";
    const words = this.#words(item);
    show.textContent = words;
    show.title = t("placeShow");
    show.addEventListener("click", () => void this.#show(item));
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "icon remove";
    remove.textContent = "×";
    remove.title = t("placeRemove");
    remove.setAttribute("aria-label", `${t("placeRemove")}: ${words}`);
    remove.addEventListener("click", () => this.#remove(item.id));
    entry.append(show, remove);
    return entry;
  }

  #words(item: Item): string {
    switch (item.kind) {
      case "field": {
        const field = this.#labels.get(item.field);
        return t("placeField", (field?.page ?? 0) + 1, field?.label ?? item.field);
      }
      case "seal":
        return t("placeSeal", item.page, round(item.x), round(item.y));
      case "pages":
        return t("placePages", ranges(item.pages, t("placesComma")), item.pages.length);
      case "seam":
        return t("placeSeam", ranges(item.slices.map(({ page }) => page), t("placesComma")), t(item.side === "left" ? "seamLeft" : "seamRight"));
      case "date":
        return t("placeDate", item.page);
      case "drawing":
        return t("placeDrawing", item.page);
    }
  }

  async #show(item: Item): Promise<void> {
    this.#select(item.id);
    const page = this.pageOf(item);
    const onShown = this.overlay.box(item) !== null;
    if (page !== null && !onShown) await this.desk.go(page);
    this.overlay.focus(item.id);
  }

  #remove(id: number): void {
    const item = this.items.find(id);
    if (!item || phase() !== "editing") return;
    this.items.remove(id);
    announce(t("placeRemoved", this.#words(item)));
  }

  #turn(which: "undo" | "redo"): void {
    if (phase() === "editing" && this.items[which]()) announce(t(which === "undo" ? "placesUndone" : "placesRedone", this.items.all.length));
  }

  #toField(field: string): void {
    const here = this.items.all.find((item) => item.kind === "field");
    const only = this.items.all.length === 1 ? this.items.all[0] : undefined;
    // The one seal goes there; among several, one more is put there.
    if (only && (only.kind === "seal" || only.kind === "field")) this.items.change(only.id, { kind: "field", field });
    else if (here) this.items.change(here.id, { kind: "field", field });
    else this.add([{ kind: "field", field }]);
  }

  #putHere(): void {
    const item = this.#movable();
    const spot = item && this.proposal();
    if (!item || !spot || spot.kind !== "seal") return;
    const moved: Spot = item.kind === "date" || item.kind === "drawing" ? { ...item, page: spot.page } : spot;
    this.items.change(item.id, moved);
    this.overlay.focus(item.id);
  }

  /** Adds places as one step; on a signed document the one place is moved instead. */
  add(spots: (Spot | null)[]): boolean {
    const wanted = spots.filter((spot) => spot !== null);
    const [first] = wanted;
    if (!first) return false;
    if (this.#onlyOne) {
      if (wanted.length > 1 || !["seal", "field"].includes(first.kind)) {
        fail({ code: "marks-on-signed" });
        return false;
      }
      this.#selected = this.items.only(first).id;
    } else {
      const added = this.items.add(...wanted);
      if (!added) {
        fail({ code: "request-malformed", facts: { detail: t("placesTooMany", PLACES_MAX) } });
        return false;
      }
      this.#selected = added[0]?.id ?? null;
    }
    announce(t("placesAdded", wanted.length));
    if (this.#selected !== null) this.overlay.focus(this.#selected);
    this.#mark();
    return true;
  }
}
