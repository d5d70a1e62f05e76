// What lies over the drawn page: inputs for form fields, and a handle for every place. The drawn page is the revision that
// would be signed; a handle shows its own picture only while it differs from what is drawn, and a veil covers what is
// drawn at a place that is no longer wanted.

import type { FieldView, SealView } from "sealbridge-wasm";
import { t } from "../language";
import { Fields } from "./fields";
import { boxOf, put, round, sameBox, widgetsOn } from "./geometry";
import type { Box, Widget } from "./geometry";
import { Handle } from "./handle";
import type { Item, Items, Spot } from "./items";
import type { ShownPage } from "./viewer";

export class Overlay {
  /** A place was moved; its id stays. */
  onMove: (id: number, spot: Spot) => void = () => undefined;
  onRemove: (id: number) => void = () => undefined;
  onSelect: (id: number) => void = () => undefined;
  readonly fields: Fields;
  #shown: ShownPage | null = null;
  #page = 0;
  #seal: SealView | null = null;
  #sealUrl = "";
  #widgets: Widget[] = [];
  #pending = true;
  #views: readonly FieldView[] = [];
  readonly #handles = new Map<number, Handle>();
  /** What the drawn revision shows; null before the first. */
  #drawn: readonly Item[] | null = null;
  #veils: HTMLElement[] = [];
  #locked = false;

  constructor(
    private readonly layer: HTMLElement,
    private readonly items: Items,
    values: ReadonlyMap<string, string>,
  ) {
    this.fields = new Fields(layer, values);
  }

  /** Another document lies on the desk; nothing is over it until it is shown. */
  use(views: readonly FieldView[]): void {
    this.#views = views;
    this.#shown = null;
    this.#drawn = null;
    this.#pending = true;
    this.#handles.clear();
    this.#veils = [];
    this.#widgets = [];
    this.layer.replaceChildren();
  }

  get shown(): ShownPage | null {
    return this.#shown;
  }

  get widgets(): readonly Widget[] {
    return this.#widgets;
  }

  get seal(): SealView | null {
    return this.#seal;
  }

  get sealUrl(): string {
    return this.#sealUrl;
  }

  get page(): number {
    return this.#page;
  }

  /** Builds everything anew for a page (from 0). */
  show(page: number, shown: ShownPage): void {
    const samePage = this.#page === page && this.#shown?.pxPerMm === shown.pxPerMm && this.layer.childElementCount > 0;
    this.#page = page;
    this.#shown = shown;
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset["item"] : undefined;
    // Whoever types is not disturbed.
    if (!samePage) this.#build(shown);
    this.update();
    if (!samePage && focused !== undefined) this.focus(Number(focused));
  }

  #build(shown: ShownPage): void {
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset["key"] : undefined;
    this.layer.replaceChildren();
    this.#handles.clear();
    this.#veils = [];
    this.#widgets = widgetsOn(this.#page, this.#views, shown);
    for (const widget of this.#widgets) {
      const element = this.fields.element(widget, shown.pxPerMm, this.#pending);
      put(element, widget.box, shown);
      this.layer.append(element);
    }
    if (focused !== undefined) [...this.layer.querySelectorAll<HTMLElement>("[data-key]")].find((element) => element.dataset["key"] === focused)?.focus();
  }

  useSeal(seal: SealView): void {
    this.#seal = seal;
    if (this.#sealUrl) URL.revokeObjectURL(this.#sealUrl);
    this.#sealUrl = pictureUrl(seal);
    // Another seal has another picture and another size.
    this.#drawn = null;
    for (const handle of this.#handles.values()) handle.remove();
    this.#handles.clear();
    this.update();
  }

  /** The page below shows these places and every value that was entered. */
  drawn(items: readonly Item[]): void {
    this.#drawn = items;
    this.#pending = false;
    for (const input of this.layer.querySelectorAll(".pending")) input.classList.remove("pending");
    this.update();
  }

  /** A value was entered that is not drawn yet. */
  stale(): void {
    this.#pending = true;
  }

  lock(locked: boolean): void {
    this.#locked = locked;
    this.layer.inert = locked;
  }

  /** Focuses the handle of a place on this page. */
  focus(id: number): void {
    this.#handles.get(id)?.element.focus();
  }

  box(item: Spot): Box | null {
    return this.#shown && this.#seal ? boxOf(item, this.#page, this.#shown, this.#seal, this.#widgets) : null;
  }

  /** Brings handles and veils in line with the places. */
  update(): void {
    const shown = this.#shown;
    if (!shown || !this.#seal) return;
    const wanted = new Map<number, { item: Item; box: Box }>();
    for (const item of this.items.all) {
      const box = this.box(item);
      if (box) wanted.set(item.id, { item, box });
    }
    for (const [id, handle] of this.#handles) {
      if (wanted.has(id)) continue;
      const focused = handle.element === document.activeElement;
      handle.remove();
      this.#handles.delete(id);
      if (focused) document.getElementById("desk")?.focus();
    }
    const carrier = this.items.carrier?.id;
    for (const [id, { item, box }] of wanted) {
      let handle = this.#handles.get(id);
      if (!handle) {
        handle = new Handle(this, item);
        this.#handles.set(id, handle);
        this.layer.append(handle.element);
      }
      handle.use(item, box);
      if (id === carrier) handle.element.id = "seal";
      else handle.element.removeAttribute("id");
      handle.element.setAttribute("aria-label", this.#label(item, box));
      handle.element.classList.toggle("drawn", sameBox(this.#drawnBox(id), box));
    }
    this.#veil(wanted);
  }

  /** Covers what is drawn and no longer wanted there. `moving` is a handle that is under way. */
  #veil(wanted: ReadonlyMap<number, { box: Box }>): void {
    for (const veil of this.#veils) veil.remove();
    this.#veils = [];
    for (const item of this.#drawn ?? []) {
      const box = this.box(item);
      if (!box || sameBox(box, wanted.get(item.id)?.box ?? null)) continue;
      this.veil(box);
    }
  }

  veil(box: Box): void {
    if (!this.#shown) return;
    const veil = document.createElement("div");
    veil.className = "veil";
    put(veil, box, this.#shown);
    this.layer.append(veil);
    this.#veils.push(veil);
  }

  get locked(): boolean {
    return this.#locked;
  }

  #drawnBox(id: number): Box | null {
    const item = this.#drawn?.find((item) => item.id === id);
    return item ? this.box(item) : null;
  }

  #label(item: Item, box: Box): string {
    const [page, x, y] = [this.#page + 1, round(box.x), round(box.y)];
    switch (item.kind) {
      case "seam":
        return t("placeSeamLabel", page, y);
      case "date":
        return t("placeDateLabel", page, x, y);
      case "drawing":
        return t("placeDrawingLabel", page, x, y);
      default:
        return t("stampSealLabel", this.#seal?.name ?? "", page, x, y);
    }
  }
}

/** The seal's picture as an address for images; whoever asks lets it go again. */
export function pictureUrl(seal: SealView): string {
  const type = /jpe?g/i.test(seal.kind) ? "image/jpeg" : "image/png";
  return URL.createObjectURL(new Blob([seal.picture as Uint8Array<ArrayBuffer>], { type }));
}
