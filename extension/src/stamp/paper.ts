// One document of a visit while it is not (or no longer) on the desk: what the portal wished for it, what the person has put
// on it, the revision that waits to be signed, and what became of it. Pure data.

import type { DocumentView, PreparedView } from "sealbridge-wasm";
import type { JobDocument, StampOutcome } from "../messages";
import type { Failure, PageFailure, StampDocument } from "../protocol";
import type { VerifyReport } from "../page/sealbridge";
import { alike } from "./alike";
import type { Shelved, Spot, Wished } from "./items";
import { wished } from "./items";

/** Room for the list of documents in a frame to the host (64 KiB), which carries a little more. */
const LIST_BYTES_MAX = 62_000;

/** Where a document stands, for people. */
export type PaperState = "waiting" | "seen" | "ready" | "stamped" | "refused" | "left-out";

/** The revision that would be signed, made for a certain moment. */
export interface Kept {
  view: Pick<PreparedView, "digest" | "code" | "place" | "page" | "pages" | "size">;
  /** For the worker to go on with. */
  bytes: Blob;
  /** Milliseconds. */
  at: number;
}

export class Paper {
  /** Whether the person wants it stamped. */
  included = true;
  /** It has been on the desk, drawn as it would be signed or as it is. */
  seen = false;
  view: DocumentView | null = null;
  password: string | null = null;
  hashed: Promise<void> | null = null;
  /** The places as the person left them; null where it has not been on the desk, and the wishes count. */
  shelved: Shelved | null = null;
  /** The places of another document, to be put here alike once this one's pages are known. */
  template: { spots: readonly Spot[]; pages: number } | null = null;
  wishes: readonly Wished[];
  /** It has been prepared, or tried to be, without lying on the desk. */
  tried = false;
  values: Map<string, string>;
  kept: Kept | null = null;
  failure: Failure | null = null;
  result: { blob: Blob; report: VerifyReport } | null = null;

  constructor(
    /** Its number in the call, from 0, and in the worker. */
    readonly index: number,
    readonly blob: Blob,
    readonly name: string,
    job: Pick<JobDocument, "placements" | "fields">,
  ) {
    this.wishes = job.placements;
    this.values = new Map(Object.entries(job.fields));
  }

  get state(): PaperState {
    if (this.result) return "stamped";
    if (!this.included) return "left-out";
    if (this.failure) return "refused";
    if (this.kept) return "ready";
    return this.seen ? "seen" : "waiting";
  }

  /** Takes the places of another document over; what was here is gone. */
  follow(spots: readonly Spot[], pages: number): void {
    this.template = { spots, pages };
    this.shelved = this.kept = this.failure = null;
    this.tried = false;
  }

  /** The document is open: what was taken over from another one becomes wishes for this one. */
  opened(view: DocumentView): void {
    this.view = view;
    if (this.template) this.wishes = alike(this.template.spots, this.template.pages, view.pageCount);
    this.template = null;
  }

  /** What would be put on it without anybody having looked at it: nothing where nobody has said where the seal goes. */
  get wanted(): Wished[] {
    if (this.shelved) return this.shelved.now.map((item) => wished(item));
    if (this.wishes.some(isSeal)) return [...this.wishes];
    const field = freeField(this.view);
    return field === null ? [] : [{ field }, ...this.wishes];
  }

  /** As it is handed to the portal's page; one that was not stamped has a reason, or was left out by the person. */
  outcome(tell: (failure: Failure) => PageFailure): StampOutcome {
    if (this.result) return { name: this.name, ...this.result };
    return { name: this.name, failure: tell((this.included ? this.failure : null) ?? { code: "cancelled" }) };
  }
}

/** The name of the first signature field that nobody has signed. */
export function freeField(view: DocumentView | null): string | null {
  return view?.fields.find((field) => field.kind === "signature" && !field.signed && !field.readOnly && field.widgets.length > 0)?.name ?? null;
}

/** Whether a wish puts a seal somewhere; a date or a drawn signature carries no signature. */
export function isSeal(wish: Wished): boolean {
  return !("date" in wish || "drawing" in wish);
}

/** The list as the host shows it. Where all names and places together are too long for a frame, a place is its page alone. */
export function listed(papers: readonly { name: string; kept: Pick<Kept, "view"> }[]): StampDocument[] {
  const documents = papers.map(({ name, kept: { view } }) => ({ name, size: view.size, pages: view.pages, digest: view.digest, place: view.place }));
  if (new TextEncoder().encode(JSON.stringify(documents)).length <= LIST_BYTES_MAX) return documents;
  return documents.map((document, index) => ({ ...document, place: String(papers[index]?.kept.view.page ?? 1) }));
}
