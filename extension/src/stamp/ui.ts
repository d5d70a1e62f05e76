// The few things that every part of the stamping page says to the person: its state, status line, notes and failures.
// The texts come from `language`; nothing is decided here.

import { $ } from "../draw";
import { showFailure } from "../failure-view";
import type { Failure } from "../protocol";

/** What the whole page is at; style sheets and tests look at it. */
export type Phase = "opening" | "editing" | "signing" | "done" | "failed" | "closed";

export function phase(): Phase {
  return (document.body.dataset["state"] ?? "opening") as Phase;
}

export function enter(next: Phase): void {
  document.body.dataset["state"] = next;
}

export function status(text: string): void {
  $("status").textContent = text;
}

/** A remark about the document, beside what will be signed. */
export function note(text: string): void {
  $("note").hidden = text === "";
  $("note").textContent = text;
}

/** Says something to people who do not see the page; the same words twice are said twice. */
export function announce(text: string): void {
  const line = $("announce");
  line.textContent = line.textContent === text ? `${text}\u200b` : text;
}

let failure: Failure | null = null;

export function fail(next: Failure | null): void {
  failure = next;
  showFailure($("failure"), next);
}

/** The failure that is shown. */
export function shownFailure(): Failure | null {
  return failure;
}

/** Bytes in the unit that people read. */
export function fileSize(bytes: number): string {
  if (bytes < 1024 * 1024) return `${Math.max(1, Math.round(bytes / 1024))} KB`;
  return `${(bytes / (1024 * 1024)).toFixed(1)} MB`;
}
