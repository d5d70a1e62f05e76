// The places on a document: what stands where, in the order in which they were added, with undo and redo. Pure data: it
// knows neither the page's elements nor the module, and whether a place is possible is the module's to say.

import type { Placement } from "../messages";

/** Most places of one stamp; the module holds the same number. */
export const PLACES_MAX = 500;
/** Steps back that are kept. */
const STEPS_MAX = 200;
/** Changes of the same place that follow each other as fast as this are one step. */
const TOGETHER_MS = 800;

export type Side = "left" | "right";
/** Lines of a drawn signature, in a box of 0..1 by 0..1 with its origin at the lower left. */
export type Strokes = [number, number][][];

/** One piece of a seal that rides a seam; millimetres, the page counted from 1. */
export interface Slice {
  page: number;
  width: number;
  height: number;
  /** The left edge of this piece in the whole seal, as a part of the seal's width; and its own part of it. */
  from: number;
  part: number;
}

/** Pages are counted from 1; millimetres from the lower left corner of the page as it is shown. */
export type Spot =
  | { kind: "field"; field: string }
  | { kind: "seal"; page: number; x: number; y: number; keyword?: Found }
  | { kind: "pages"; range: string; pages: number[]; x: number; y: number }
  | { kind: "seam"; range: string; side: Side; center: number; group: number; slices: Slice[] }
  | { kind: "date"; page: number; x: number; y: number }
  | { kind: "drawing"; page: number; x: number; y: number; width: number; height: number; strokes: Strokes };

/** How a seal came to its place by a keyword: the wish, how many seals it gave, and where it put this one. */
export interface Found {
  wish: Extract<Placement, { keyword: string }>;
  count: number;
  x: number;
  y: number;
}

export type Item = Spot & { readonly id: number };

/** Everything about the places of one document, while another one is on the desk. */
export interface Shelved {
  now: readonly Item[];
  past: (readonly Item[])[];
  future: (readonly Item[])[];
}

/** What the module is asked to put on the document: what a page may ask for, and drawings, which only a person makes. */
export type Wished = Placement | { drawing: { page: number; x: number; y: number; width: number; height: number; strokes: Strokes } };

export class Items {
  onChange: () => void = () => undefined;
  #now: readonly Item[] = [];
  #past: (readonly Item[])[] = [];
  #future: (readonly Item[])[] = [];
  #next = 1;
  #last: { id: number; at: number } | null = null;

  get all(): readonly Item[] {
    return this.#now;
  }

  /** The place that becomes the signature's own: a field, else the first whole seal, else the first piece of a seam. */
  get carrier(): Item | null {
    const first = (...kinds: Item["kind"][]): Item | undefined => this.#now.find((item) => kinds.includes(item.kind));
    return first("field") ?? first("seal", "pages") ?? first("seam") ?? null;
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  find(id: number): Item | undefined {
    return this.#now.find((item) => item.id === id);
  }

  /** What there is to begin with; it can not be undone. */
  begin(spots: readonly Spot[]): void {
    this.#now = spots.map((spot) => this.#item(spot));
    this.onChange();
  }

  /** Takes the places of a document away, to be put back as they are. */
  shelve(): Shelved {
    const shelved = { now: this.#now, past: this.#past, future: this.#future };
    this.put({ now: [], past: [], future: [] });
    return shelved;
  }

  /** Puts the places of a document there; nobody is told, because nothing has changed about them. */
  put({ now, past, future }: Shelved): void {
    this.#now = now;
    this.#past = past;
    this.#future = future;
    this.#last = null;
  }

  /** Adds as one step. False where there would be too many; then nothing is added. */
  add(...spots: Spot[]): Item[] | false {
    if (this.#count(this.#now) + this.#count(spots) > PLACES_MAX) return false;
    const added = spots.map((spot) => this.#item(spot));
    // A signature has one field: another one takes its place.
    const kept = spots.some((spot) => spot.kind === "field") ? this.#now.filter((item) => item.kind !== "field") : this.#now;
    this.#step([...kept, ...added]);
    return added;
  }

  /** Puts another place where this one is, under the same id. */
  change(id: number, spot: Spot): void {
    const now = Date.now();
    const together = this.#last?.id === id && now - this.#last.at < TOGETHER_MS;
    const kept = this.#now.filter((item) => item.id === id || spot.kind !== "field" || item.kind !== "field");
    const next = kept.map((item) => (item.id === id ? { ...spot, id } : item));
    if (together) {
      this.#now = next;
      this.onChange();
    } else {
      this.#step(next);
    }
    this.#last = { id, at: now };
  }

  remove(id: number): void {
    this.#step(this.#now.filter((item) => item.id !== id));
  }

  /** Takes everything away and puts one place there, as one step. */
  only(spot: Spot): Item {
    const item = this.#item(spot);
    this.#step([item]);
    return item;
  }

  undo(): boolean {
    return this.#turn(this.#past, this.#future);
  }

  redo(): boolean {
    return this.#turn(this.#future, this.#past);
  }

  /** As the module is asked. */
  wished(): Wished[] {
    return this.#now.map((item) => wished(item));
  }

  #item(spot: Spot): Item {
    const item = { ...spot, id: this.#next };
    this.#next += 1;
    return item;
  }

  #count(spots: readonly Spot[]): number {
    return spots.reduce((sum, spot) => sum + (spot.kind === "pages" ? spot.pages.length : 1), 0);
  }

  #step(next: readonly Item[]): void {
    this.#past.push(this.#now);
    if (this.#past.length > STEPS_MAX) this.#past.shift();
    this.#future.length = 0;
    this.#last = null;
    this.#now = next;
    this.onChange();
  }

  #turn(from: (readonly Item[])[], to: (readonly Item[])[]): boolean {
    const next = from.pop();
    if (!next) return false;
    to.push(this.#now);
    this.#last = null;
    this.#now = next;
    this.onChange();
    return true;
  }
}

/** Pages as people write them: `1–3, 5`. */
export function ranges(pages: readonly number[], comma: string): string {
  const parts: [number, number][] = [];
  for (const page of pages) {
    const last = parts.at(-1);
    if (last && last[1] === page - 1) last[1] = page;
    else parts.push([page, page]);
  }
  return parts.map(([from, to]) => (from === to ? String(from) : `${from}–${to}`)).join(comma);
}

/** The page (from 0) on which a place is first seen; null for a field, whose page the document knows. */
export function firstPage(item: Spot): number | null {
  switch (item.kind) {
    case "field":
      return null;
    case "pages":
      return (item.pages[0] ?? 1) - 1;
    case "seam":
      return (item.slices[0]?.page ?? 1) - 1;
    default:
      return item.page - 1;
  }
}

/** One place as the module is asked for it. */
export function wished(item: Spot): Wished {
  switch (item.kind) {
    case "field":
      return { field: item.field };
    case "seal":
      return { page: item.page, x: item.x, y: item.y };
    case "pages":
      return { pages: item.range, x: item.x, y: item.y };
    case "seam":
      return { seam: { pages: item.range, side: item.side, center: item.center, group: item.group } };
    case "date":
      return { date: { page: item.page, x: item.x, y: item.y } };
    case "drawing":
      return { drawing: { page: item.page, x: item.x, y: item.y, width: item.width, height: item.height, strokes: item.strokes } };
  }
}
