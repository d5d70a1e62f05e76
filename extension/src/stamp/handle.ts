// The handle of one place on the drawn page: its picture while it is under way, dragging, the keyboard, and for a drawing
// its corner to resize it by.

import { t } from "../language";
import { DATE_MM, PEN_MM, fieldAt, inside, put, tenth } from "./geometry";
import type { Box } from "./geometry";
import type { Item, Spot } from "./items";
import type { Overlay } from "./overlay";
import { pathOf } from "./pad";

/** Millimetres of one press of an arrow key, and with Shift. */
const STEP_MM = 1;
const LONG_STEP_MM = 5;
/** A drawing stays larger than this and smaller than the page. */
const DRAWING_MIN_MM = 8;

export class Handle {
  readonly element = document.createElement("div");
  #item: Item;
  #box: Box = { x: 0, y: 0, width: 0, height: 0 };

  constructor(
    private readonly overlay: Overlay,
    item: Item,
  ) {
    this.#item = item;
    const { element } = this;
    element.className = `handle kind-${item.kind}`;
    element.tabIndex = 0;
    element.dataset["item"] = String(item.id);
    element.setAttribute("role", "group");
    element.setAttribute("aria-roledescription", t("placeMovable"));
    element.setAttribute("aria-keyshortcuts", "ArrowLeft ArrowRight ArrowUp ArrowDown Delete");
    element.append(this.#picture());
    if (item.kind === "drawing") element.append(this.#grip());
    element.addEventListener("focus", () => overlay.onSelect(item.id));
    element.addEventListener("pointerdown", (event) => this.#drag(event, (from, dx, dy) => this.#moved(from, dx, dy)));
    element.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Puts the handle where its place is now. */
  use(item: Item, box: Box): void {
    this.#item = item;
    this.#box = box;
    if (this.overlay.shown && !this.element.classList.contains("dragged")) this.#put(box);
  }

  remove(): void {
    this.element.remove();
  }

  #put(box: Box): void {
    const shown = this.overlay.shown;
    if (!shown) return;
    put(this.element, box, shown);
    if (this.#item.kind === "date") this.element.style.fontSize = `${DATE_MM * shown.pxPerMm}px`;
    if (this.#item.kind === "drawing") this.element.style.strokeWidth = `${PEN_MM * shown.pxPerMm}px`;
  }

  #picture(): Element {
    const item = this.#item;
    if (item.kind === "date") {
      const text = document.createElement("span");
      // The day in China, as the stamp writes it.
      const day = new Date(Date.now() + 8 * 3_600_000).toISOString();
      text.textContent = `${day.slice(0, 4)}年${day.slice(5, 7)}月${day.slice(8, 10)}日`;
      return text;
    }
    if (item.kind === "drawing") {
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      svg.setAttribute("viewBox", "0 0 1000 1000");
      svg.setAttribute("preserveAspectRatio", "none");
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("d", pathOf(item.strokes, 1000, 1000));
      svg.append(path);
      return svg;
    }
    const picture = document.createElement("img");
    picture.src = this.overlay.sealUrl;
    picture.alt = "";
    picture.draggable = false;
    const slice = item.kind === "seam" ? item.slices.find((slice) => slice.page === this.overlay.page + 1) : undefined;
    if (slice) {
      picture.style.width = `${100 / slice.part}%`;
      picture.style.marginLeft = `${(-100 * slice.from) / slice.part}%`;
    }
    return picture;
  }

  #grip(): HTMLElement {
    const grip = document.createElement("div");
    grip.className = "grip";
    grip.title = t("placeResize");
    grip.addEventListener("pointerdown", (event) => {
      event.stopPropagation();
      this.#drag(event, (from, dx) => this.#resized(from, (from.width + dx) / from.width));
    });
    return grip;
  }

  #key(event: KeyboardEvent): void {
    if (this.overlay.locked || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      return this.overlay.onRemove(this.#item.id);
    }
    const drawing = this.#item.kind === "drawing";
    if (drawing && (event.key === "+" || event.key === "=" || event.key === "-")) {
      event.preventDefault();
      return this.#done(this.#resized(this.#box, event.key === "-" ? 1 / 1.1 : 1.1));
    }
    const step = event.shiftKey ? LONG_STEP_MM : STEP_MM;
    const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[event.key];
    if (!move) return;
    event.preventDefault();
    this.#done(this.#moved(this.#box, move[0] ?? 0, move[1] ?? 0));
  }

  /** Follows the pointer; `change` says where the box lies then. */
  #drag(down: PointerEvent, change: (from: Box, dx: number, dy: number) => Box): void {
    const { element, overlay } = this;
    const scale = overlay.shown?.pxPerMm;
    if (!scale || down.button !== 0 || overlay.locked) return;
    down.preventDefault();
    element.focus({ preventScroll: true });
    element.setPointerCapture(down.pointerId);
    const from = this.#box;
    let box = from;
    const move = (event: PointerEvent): void => {
      const [dx, dy] = [event.clientX - down.clientX, event.clientY - down.clientY];
      if (!element.classList.contains("dragged")) {
        if (Math.hypot(dx, dy) <= 2) return;
        if (element.classList.contains("drawn")) overlay.veil(from);
        element.classList.add("dragged");
      }
      box = change(from, dx / scale, -dy / scale);
      this.#put(box);
      this.#target(this.#takesFields() ? fieldAt(box, overlay.widgets) : null);
    };
    const up = (event: PointerEvent): void => {
      element.removeEventListener("pointermove", move);
      element.removeEventListener("pointerup", up);
      element.removeEventListener("pointercancel", up);
      this.#target(null);
      if (!element.classList.contains("dragged")) return;
      element.classList.remove("dragged");
      if (event.type === "pointercancel") return overlay.update();
      const field = this.#takesFields() ? fieldAt(box, overlay.widgets) : null;
      if (field === null) this.#done(box);
      else overlay.onMove(this.#item.id, { kind: "field", field });
    };
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerup", up);
    element.addEventListener("pointercancel", up);
  }

  #takesFields(): boolean {
    return this.#item.kind === "seal" || this.#item.kind === "field";
  }

  /** Marks the signature field that a seal would drop into. */
  #target(name: string | null): void {
    for (const spot of this.element.parentElement?.querySelectorAll<HTMLElement>(".spot") ?? []) {
      spot.classList.toggle("target", name !== null && spot.dataset["signatureField"] === name);
    }
  }

  #moved(from: Box, dx: number, dy: number): Box {
    const { shown, seal } = this.overlay;
    if (!shown || !seal) return from;
    // Out of a small field a seal gets its own size back; a slice keeps to its edge.
    const size = this.#item.kind === "field" ? (this.overlay.box({ kind: "seal", page: this.overlay.page + 1, x: 0, y: 0 }) ?? from) : from;
    const at = inside(from.x + (this.#item.kind === "seam" ? 0 : dx), from.y + dy, size, shown);
    return { ...at, width: size.width, height: size.height };
  }

  #resized(from: Box, factor: number): Box {
    const shown = this.overlay.shown;
    if (!shown) return from;
    const most = Math.min((shown.widthMm - from.x) / from.width, (shown.heightMm - from.y) / from.height);
    const scale = Math.min(Math.max(factor, DRAWING_MIN_MM / from.width), most);
    return { ...from, width: from.width * scale, height: from.height * scale };
  }

  /** Tells the new place. */
  #done(box: Box): void {
    const item = this.#item;
    const page = this.overlay.page + 1;
    const at = { x: tenth(box.x), y: tenth(box.y) };
    const spot = ((): Spot => {
      switch (item.kind) {
        case "seam":
          return { ...item, center: (box.y + box.height / 2) / (this.overlay.shown?.heightMm ?? 1) };
        case "field":
          return { kind: "seal", page, ...at };
        case "drawing":
          return { ...item, ...at, width: box.width, height: box.height };
        default:
          return { ...item, ...at };
      }
    })();
    this.overlay.onMove(item.id, spot);
  }
}
