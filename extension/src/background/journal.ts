// What the background must not forget when the browser stops it: the running operations, in storage.session (memory of
// the browser, gone when it closes, out of reach of content scripts). An answer is kept for a short time, so that a page
// that asks again with the same operation id gets the same answer.

import type { Job } from "../messages";
import type { PageFailure } from "../protocol";

/** How long a finished operation is remembered. */
const KEPT_MS = 180_000;
/** How long an unfinished one may hold its origin: the longest timeout of a page. */
const STALE_MS = 3_700_000;

export interface Entry {
  operation: string;
  verb: string;
  origin: string;
  tab: number;
  started: number;
  /** The request to the host, once it has been sent; what is asked again after a restart. */
  request: string | null;
  result: { ok: unknown } | { failure: PageFailure } | null;
  ended: number | null;
  /** A stamp or verify: the visit to the stamping page. */
  job: Job | null;
  /** The stamping page's tab. */
  stampTab: number | null;
}

const keyOf = (operation: string): string => `operation:${operation}`;

export async function read(operation: string): Promise<Entry | null> {
  const key = keyOf(operation);
  return ((await chrome.storage.session.get(key))[key] as Entry | undefined) ?? null;
}

export async function write(entry: Entry): Promise<void> {
  await chrome.storage.session.set({ [keyOf(entry.operation)]: entry });
}

/** Changes an entry that exists; gives the new one. */
export async function change(operation: string, part: Partial<Entry>): Promise<Entry | null> {
  const entry = await read(operation);
  if (!entry) return null;
  const changed = { ...entry, ...part };
  await write(changed);
  return changed;
}

export async function forget(operation: string): Promise<void> {
  await chrome.storage.session.remove(keyOf(operation));
}

/** All entries; old ones are dropped on the way. */
export async function all(): Promise<Entry[]> {
  const stored = await chrome.storage.session.get(null);
  const now = Date.now();
  const entries: Entry[] = [];
  for (const [key, value] of Object.entries(stored)) {
    if (!key.startsWith("operation:")) continue;
    const entry = value as Entry;
    const old = entry.ended === null ? now - entry.started > STALE_MS : now - entry.ended > KEPT_MS;
    if (old) await chrome.storage.session.remove(key);
    else entries.push(entry);
  }
  return entries;
}
