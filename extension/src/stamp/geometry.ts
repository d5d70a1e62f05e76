// Millimetres on the displayed page, and how they become pixels of the sheet. The module judges places again when it
// prepares; what is computed here only says where handles lie.

import type { FieldView, SealView } from "sealbridge-wasm";
import type { Spot } from "./items";
import type { ShownPage } from "./viewer";

/** How much of a page's width or height a seal may take that is larger than the page. */
const PAGE_PART = 0.9;
/** Font size of a date line, and the room that `2026年11月21日` takes at it with its margin; as the module has them. */
export const DATE_MM = 4.5;
const DATE_WIDTH_MM = DATE_MM * 7.54;
/** Width of a drawn line. */
export const PEN_MM = 0.5;

/** Millimetres on the displayed page, from its lower left corner. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** True size, or smaller where the page is smaller than the seal; the module does the same when it prepares. */
export function sealSize(seal: SealView, shown: ShownPage): { width: number; height: number } {
  const scale = Math.min(1, (PAGE_PART * shown.widthMm) / seal.widthMm, (PAGE_PART * shown.heightMm) / seal.heightMm);
  return { width: seal.widthMm * scale, height: seal.heightMm * scale };
}

/** Where a place lies on a page (from 0); null where it is not on it. `widgets` are the fields' rectangles on that page. */
export function boxOf(spot: Spot, page: number, shown: ShownPage, seal: SealView, widgets: readonly Widget[]): Box | null {
  switch (spot.kind) {
    case "field": {
      const widget = widgets.find(({ field }) => field.name === spot.field);
      if (!widget) return null;
      // As the stamp does it: centred, and smaller where the field is smaller.
      const { box } = widget;
      const scale = Math.min(1, box.width / seal.widthMm, box.height / seal.heightMm);
      const [width, height] = [seal.widthMm * scale, seal.heightMm * scale];
      return { x: box.x + (box.width - width) / 2, y: box.y + (box.height - height) / 2, width, height };
    }
    case "seal":
      return spot.page === page + 1 ? { x: spot.x, y: spot.y, ...sealSize(seal, shown) } : null;
    case "pages":
      return spot.pages.includes(page + 1) ? { x: spot.x, y: spot.y, ...sealSize(seal, shown) } : null;
    case "seam": {
      const slice = spot.slices.find((slice) => slice.page === page + 1);
      if (!slice) return null;
      const x = spot.side === "right" ? shown.widthMm - slice.width : 0;
      return { x, y: clamp(spot.center * shown.heightMm - slice.height / 2, shown.heightMm - slice.height), width: slice.width, height: slice.height };
    }
    case "date":
      return spot.page === page + 1 ? { x: spot.x, y: spot.y, width: DATE_WIDTH_MM, height: DATE_MM } : null;
    case "drawing":
      return spot.page === page + 1 ? { x: spot.x, y: spot.y, width: spot.width, height: spot.height } : null;
  }
}

/** A form field's rectangle on the page that is shown. */
export interface Widget {
  field: FieldView;
  index: number;
  box: Box;
}

/** The rectangles of all fields on a page (from 0). */
export function widgetsOn(page: number, fields: readonly FieldView[], shown: ShownPage): Widget[] {
  return fields.flatMap((field) => field.widgets.flatMap((widget, index) => (widget.page === page ? [{ field, index, box: fromUserSpace(widget.rect, shown) }] : [])));
}

/** An unsigned signature field under the middle of a box. */
export function fieldAt(box: Box, widgets: readonly Widget[]): string | null {
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const hit = widgets.find(({ field, box: at }) => field.kind === "signature" && !field.signed && !field.readOnly && x >= at.x && x <= at.x + at.width && y >= at.y && y <= at.y + at.height);
  return hit?.field.name ?? null;
}

/** The nearest place for a box that is wholly on the page. */
export function inside(x: number, y: number, size: { width: number; height: number }, shown: ShownPage): { x: number; y: number } {
  return { x: clamp(x, shown.widthMm - size.width), y: clamp(y, shown.heightMm - size.height) };
}

export function sameBox(one: Box | null, other: Box | null): boolean {
  if (!one || !other) return one === other;
  return [one.x - other.x, one.y - other.y, one.width - other.width, one.height - other.height].every((by) => Math.abs(by) < 0.01);
}

/** Puts an element of the sheet where the box is. */
export function put(element: HTMLElement, box: Box, shown: ShownPage): void {
  const px = (mm: number): string => `${mm * shown.pxPerMm}px`;
  element.style.left = px(box.x);
  element.style.top = px(shown.heightMm - box.y - box.height);
  element.style.width = px(box.width);
  element.style.height = px(box.height);
}

/** Millimetres to a tenth, downwards, so that a seal at the far edge stays on the page. */
export function tenth(mm: number): number {
  return Math.floor(mm * 10 + 1e-6) / 10;
}

/** Millimetres to a tenth: finer than anyone drags. */
export function round(mm: number): number {
  return Math.round(mm * 10) / 10;
}

function clamp(value: number, most: number): number {
  return Math.min(Math.max(0, value), Math.max(0, most));
}

/** A rectangle of the page's user space as millimetres on the displayed page. */
function fromUserSpace(rect: [number, number, number, number], shown: ShownPage): Box {
  const [x1, y1] = shown.viewport.convertToViewportPoint(rect[0], rect[1]) as [number, number];
  const [x2, y2] = shown.viewport.convertToViewportPoint(rect[2], rect[3]) as [number, number];
  const mm = (px: number): number => px / shown.pxPerMm;
  return { x: mm(Math.min(x1, x2)), y: shown.heightMm - mm(Math.max(y1, y2)), width: mm(Math.abs(x2 - x1)), height: mm(Math.abs(y2 - y1)) };
}
