// What lies over the drawn page: inputs for form fields, places for the seal, and the seal itself. The drawn page is the
// revision that would be signed; an input shows its own text only while it differs from what is drawn.

import type { FieldView, SealView } from "sealbridge-wasm";
import { t } from "../language";
import type { Placement } from "../messages";
import type { ShownPage } from "./viewer";

/** How much of a page's width or height a seal may take that is larger than the page. */
const PAGE_PART = 0.9;

/** Millimetres on the displayed page, from its lower left corner. */
interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export class Overlay {
  onValue: (field: FieldView, value: string) => void = () => undefined;
  onPlacement: (placement: Placement) => void = () => undefined;
  #shown: ShownPage | null = null;
  #page = 0;
  #seal: SealView | null = null;
  #sealElement: HTMLElement | null = null;
  #sealUrl = "";
  #placement: Placement | null = null;
  #widgets: { field: FieldView; box: Box }[] = [];
  /** Veils the seal of the drawn revision while the seal is on its way to another place. */
  readonly #veil = document.createElement("div");
  #drawnAt: { page: number; box: Box } | null = null;

  constructor(
    private readonly layer: HTMLElement,
    private readonly fields: FieldView[],
    private readonly values: Map<string, string>,
  ) {}

  /** Builds everything anew for a page (from 0). */
  show(page: number, shown: ShownPage): void {
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset["key"] : undefined;
    const samePage = this.#page === page && this.#shown?.pxPerMm === shown.pxPerMm && this.layer.childElementCount > 0;
    this.#page = page;
    this.#shown = shown;
    if (samePage) {
      // Whoever types is not disturbed.
      this.#drawSeal();
      return;
    }
    this.layer.replaceChildren();
    this.#sealElement = null;
    this.#widgets = [];
    for (const field of this.fields) {
      field.widgets.forEach((widget, index) => {
        if (widget.page !== page) return;
        const box = this.#box(widget.rect);
        this.#widgets.push({ field, box });
        const element = field.kind === "signature" ? this.#spot(field) : this.#input(field, index, box);
        if (!element) return;
        element.dataset["key"] = `${field.name}/${index}`;
        this.#put(element, box);
        this.layer.append(element);
      });
    }
    this.#drawSeal();
    if (focused !== undefined) [...this.layer.querySelectorAll<HTMLElement>("[data-key]")].find((element) => element.dataset["key"] === focused)?.focus();
  }

  useSeal(seal: SealView): void {
    this.#seal = seal;
    if (this.#sealUrl) URL.revokeObjectURL(this.#sealUrl);
    const type = /jpe?g/i.test(seal.kind) ? "image/jpeg" : "image/png";
    this.#sealUrl = URL.createObjectURL(new Blob([seal.picture as Uint8Array<ArrayBuffer>], { type }));
    this.#drawSeal();
  }

  /** Where the seal is; `drawn` tells that the page below shows it already. */
  place(placement: Placement | null, drawn: boolean): void {
    this.#placement = placement;
    this.layer.classList.toggle("drawn", drawn);
    // Every value is part of the drawn revision now.
    if (drawn) for (const input of this.layer.querySelectorAll(".pending")) input.classList.remove("pending");
    const box = this.#sealBox();
    if (drawn) this.#drawnAt = box ? { page: this.#page, box } : null;
    this.#drawSeal();
  }

  /** Marks everything as not yet drawn. */
  stale(): void {
    this.layer.classList.remove("drawn");
  }

  lock(locked: boolean): void {
    this.layer.inert = locked;
  }

  /** A proposal for a page without a place of its own: the lower right corner. */
  proposal(page: number): Placement | null {
    if (!this.#shown || !this.#seal) return null;
    const margin = 15;
    const { width, height } = this.#size();
    return {
      page: page + 1,
      x: floor(Math.max(0, this.#shown.widthMm - width - margin)),
      y: floor(Math.max(0, Math.min(margin + 10, this.#shown.heightMm - height))),
    };
  }

  // ---- fields ----

  #input(field: FieldView, index: number, box: Box): HTMLElement | null {
    const value = this.values.get(field.name) ?? field.value;
    let input: HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;
    const changed = (next: string): void => {
      for (const other of this.layer.querySelectorAll<HTMLElement>("[data-field]")) if (other.dataset["field"] === field.name) other.classList.add("pending");
      this.onValue(field, next);
    };
    if (field.kind === "checkbox" || field.kind === "radio") {
      const button = document.createElement("input");
      button.type = field.kind;
      button.name = field.name;
      const state = field.states[field.kind === "radio" ? index : 0] ?? "Yes";
      button.value = state;
      button.checked = value === state;
      button.addEventListener("change", () => changed(button.checked ? state : "Off"));
      input = button;
    } else if (field.kind === "choice" && !field.editable) {
      const select = document.createElement("select");
      if (!field.options.some((option) => option.value === value)) select.append(new Option(value, value));
      for (const option of field.options) select.append(new Option(option.shown, option.value, false, option.value === value));
      select.value = value;
      select.addEventListener("change", () => changed(select.value));
      input = select;
    } else {
      const text = field.multiline ? document.createElement("textarea") : document.createElement("input");
      text.value = value;
      if (field.maxLength !== null) text.maxLength = field.maxLength;
      if (text instanceof HTMLInputElement && field.options.length > 0) text.setAttribute("list", this.#options(field));
      text.spellcheck = false;
      text.addEventListener("input", () => changed(text.value));
      const line = field.multiline ? Math.min(4.6, box.height * 0.8) : box.height * 0.62;
      text.style.fontSize = `${Math.max(2.2, Math.min(line, 5)) * (this.#shown?.pxPerMm ?? 3)}px`;
      input = text;
    }
    input.disabled = field.readOnly;
    input.required = field.required;
    input.dataset["field"] = field.name;
    input.setAttribute("aria-label", field.label);
    input.title = field.label;
    input.classList.add("field");
    if (this.values.has(field.name) && !this.layer.classList.contains("drawn")) input.classList.add("pending");
    return input;
  }

  #options(field: FieldView): string {
    const list = document.createElement("datalist");
    list.id = `options-${this.layer.childElementCount}`;
    for (const option of field.options) list.append(new Option(option.shown, option.value));
    this.layer.append(list);
    return list.id;
  }

  #spot(field: FieldView): HTMLElement {
    const spot = document.createElement("button");
    spot.type = "button";
    spot.className = field.signed ? "spot signed" : "spot";
    spot.dataset["signatureField"] = field.name;
    spot.disabled = field.signed || field.readOnly;
    const what = field.signed ? t("stampFieldSigned") : t("stampFieldPut");
    spot.title = what;
    spot.setAttribute("aria-label", `${t("stampField", field.label)}: ${what}`);
    spot.addEventListener("click", () => this.onPlacement({ field: field.name }));
    return spot;
  }

  // ---- the seal ----

  /** Where the seal is drawn on this page; null where it is on another. */
  #sealBox(): Box | null {
    const seal = this.#seal;
    const placement = this.#placement;
    if (!seal || !placement) return null;
    if ("page" in placement) {
      return placement.page === this.#page + 1 ? { x: placement.x, y: placement.y, ...this.#size() } : null;
    }
    const widget = this.#widgets.find(({ field }) => field.name === placement.field);
    if (!widget) return null;
    // As the stamp does it: centred, and smaller where the field is smaller.
    const { box } = widget;
    const scale = Math.min(1, box.width / seal.widthMm, box.height / seal.heightMm);
    const [width, height] = [seal.widthMm * scale, seal.heightMm * scale];
    return { x: box.x + (box.width - width) / 2, y: box.y + (box.height - height) / 2, width, height };
  }

  #drawSeal(): void {
    const box = this.#sealBox();
    this.#veil.id = "veil";
    if (this.#drawnAt?.page === this.#page) {
      this.#put(this.#veil, this.#drawnAt.box);
      if (!this.#veil.isConnected) this.layer.append(this.#veil);
    } else {
      this.#veil.remove();
    }
    if (!box || !this.#seal || !this.#shown) {
      this.#sealElement?.remove();
      this.#sealElement = null;
      return;
    }
    this.#sealElement ??= this.#makeSeal();
    const element = this.#sealElement;
    this.#put(element, box);
    element.setAttribute("aria-label", t("stampSealLabel", this.#seal.name, this.#page + 1, round(box.x), round(box.y)));
    if (!element.isConnected) this.layer.append(element);
  }

  #makeSeal(): HTMLElement {
    const element = document.createElement("div");
    element.id = "seal";
    element.tabIndex = 0;
    element.setAttribute("role", "img");
    element.setAttribute("aria-keyshortcuts", "ArrowLeft ArrowRight ArrowUp ArrowDown");
    const picture = document.createElement("img");
    picture.src = this.#sealUrl;
    picture.alt = "";
    picture.draggable = false;
    element.append(picture);
    element.addEventListener("pointerdown", (event) => this.#drag(element, event));
    element.addEventListener("keydown", (event) => {
      const step = event.shiftKey ? 10 : 1;
      const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[event.key];
      const box = this.#sealBox();
      if (!move || !box) return;
      event.preventDefault();
      this.#moveTo(box.x + (move[0] ?? 0), box.y + (move[1] ?? 0));
    });
    return element;
  }

  #drag(element: HTMLElement, down: PointerEvent): void {
    const start = this.#sealBox();
    const scale = this.#shown?.pxPerMm;
    if (!start || !scale || down.button !== 0) return;
    down.preventDefault();
    element.focus();
    element.setPointerCapture(down.pointerId);
    let box = start;
    const move = (event: PointerEvent): void => {
      const far = Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) > 2;
      if (!far && !element.classList.contains("dragged")) return;
      element.classList.add("dragged");
      this.layer.classList.add("moving");
      const next = this.#inside(start.x + (event.clientX - down.clientX) / scale, start.y - (event.clientY - down.clientY) / scale);
      box = { ...next, ...this.#size() };
      this.#put(element, box);
      const target = this.#fieldAt(box);
      for (const spot of this.layer.querySelectorAll<HTMLElement>(".spot")) spot.classList.toggle("target", target !== null && spot.dataset["signatureField"] === target);
    };
    const up = (): void => {
      element.removeEventListener("pointermove", move);
      element.removeEventListener("pointerup", up);
      element.removeEventListener("pointercancel", up);
      for (const spot of this.layer.querySelectorAll(".target")) spot.classList.remove("target");
      this.layer.classList.remove("moving");
      if (!element.classList.contains("dragged")) return;
      element.classList.remove("dragged");
      const field = this.#fieldAt(box);
      this.onPlacement(field === null ? { page: this.#page + 1, x: floor(box.x), y: floor(box.y) } : { field });
    };
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerup", up);
    element.addEventListener("pointercancel", up);
  }

  #moveTo(x: number, y: number): void {
    const inside = this.#inside(x, y);
    this.onPlacement({ page: this.#page + 1, x: floor(inside.x), y: floor(inside.y) });
  }

  /** An unsigned signature field under the middle of the seal. */
  #fieldAt(box: Box): string | null {
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const hit = this.#widgets.find(({ field, box: at }) => field.kind === "signature" && !field.signed && !field.readOnly && x >= at.x && x <= at.x + at.width && y >= at.y && y <= at.y + at.height);
    return hit?.field.name ?? null;
  }

  #inside(x: number, y: number): { x: number; y: number } {
    const { width, height } = this.#size();
    return {
      x: Math.min(Math.max(0, x), Math.max(0, (this.#shown?.widthMm ?? 0) - width)),
      y: Math.min(Math.max(0, y), Math.max(0, (this.#shown?.heightMm ?? 0) - height)),
    };
  }

  // ---- geometry ----

  /** True size, or smaller where the page is smaller than the seal; the module does the same when it prepares. */
  #size(): { width: number; height: number } {
    const [width, height] = [this.#seal?.widthMm ?? 0, this.#seal?.heightMm ?? 0];
    const scale = Math.min(1, (PAGE_PART * (this.#shown?.widthMm ?? 0)) / width, (PAGE_PART * (this.#shown?.heightMm ?? 0)) / height);
    return { width: width * scale, height: height * scale };
  }

  /** A rectangle of the page's user space as millimetres on the displayed page. */
  #box(rect: [number, number, number, number]): Box {
    const shown = this.#shown;
    if (!shown) return { x: 0, y: 0, width: 0, height: 0 };
    const [x1, y1] = shown.viewport.convertToViewportPoint(rect[0], rect[1]) as [number, number];
    const [x2, y2] = shown.viewport.convertToViewportPoint(rect[2], rect[3]) as [number, number];
    const mm = (px: number): number => px / shown.pxPerMm;
    return { x: mm(Math.min(x1, x2)), y: shown.heightMm - mm(Math.max(y1, y2)), width: mm(Math.abs(x2 - x1)), height: mm(Math.abs(y2 - y1)) };
  }

  #put(element: HTMLElement, box: Box): void {
    const shown = this.#shown;
    if (!shown) return;
    const px = (mm: number): string => `${mm * shown.pxPerMm}px`;
    element.style.left = px(box.x);
    element.style.top = px(shown.heightMm - box.y - box.height);
    element.style.width = px(box.width);
    element.style.height = px(box.height);
  }
}

/** Millimetres to a tenth, downwards, so that a seal at the far edge stays on the page. */
function floor(mm: number): number {
  return Math.floor(mm * 10 + 1e-6) / 10;
}

/** Millimetres to a tenth: finer than anyone drags. */
function round(mm: number): number {
  return Math.round(mm * 10) / 10;
}

