// Sites whose requests were cancelled again and again have to wait: a page must not wear the person out until a PIN is typed.
// After three cancels in a row, each within ten minutes of the one before, the site waits one minute, after the next five, then
// fifteen. A success or the person in the popup ends it. Kept in storage.session, so a stopped background forgets nothing.

import { Refused } from "../failure";

/** Cancels in a row that cost nothing. */
const FREE = 2;
/** Cancels further apart than this are not in a row; a pause that has been sat out does not count as time between them. */
const ROW_MS = 600_000;
const PAUSES_MS = [60_000, 300_000, 900_000] as const;
const KEY = "pauses";
/** Sites remembered at once. */
const SITES_MAX = 200;

export interface Pause {
  /** Cancels in a row. */
  cancels: number;
  last: number;
  /** Until when the site has to wait; 0 where it need not. */
  until: number;
}

/** What is remembered of a site after one more cancel. */
export function afterCancel(before: Pause | undefined, now: number): Pause {
  const inRow = before !== undefined && now - Math.max(before.last, before.until) <= ROW_MS;
  const cancels = (inRow ? before.cancels : 0) + 1;
  const pause = cancels > FREE ? (PAUSES_MS[Math.min(cancels - FREE, PAUSES_MS.length) - 1] ?? 0) : 0;
  return { cancels, last: now, until: pause === 0 ? 0 : now + pause };
}

/** Milliseconds that a site still has to wait. A clock that was set back makes nobody wait longer than the longest pause. */
export function waitOf(pause: Pause | undefined, now: number): number {
  return Math.min(Math.max(0, (pause?.until ?? 0) - now), PAUSES_MS[PAUSES_MS.length - 1] ?? 0);
}

/** Refuses a site that has to wait. */
export async function check(origin: string): Promise<void> {
  const wait = waitOf((await read())[origin], Date.now());
  if (wait > 0) throw new Refused("too-many-cancels", { origin, seconds: String(Math.ceil(wait / 1000)) });
}

export async function cancelled(origin: string): Promise<void> {
  await change((pauses) => {
    pauses[origin] = afterCancel(pauses[origin], Date.now());
    const oldest = Object.entries(pauses).sort(([, one], [, other]) => one.last - other.last);
    for (const [old] of oldest.slice(0, Math.max(0, oldest.length - SITES_MAX))) delete pauses[old];
  });
}

/** After a success, or when the person says so. */
export async function lift(origin: string): Promise<void> {
  // Most sites were never cancelled; a login need not wait for a write.
  if (!(origin in (await read()))) return;
  await change((pauses) => {
    delete pauses[origin];
  });
}

/** The sites that have to wait now, with the seconds left. */
export async function waiting(): Promise<{ origin: string; seconds: number }[]> {
  const now = Date.now();
  return Object.entries(await read())
    .map(([origin, pause]) => ({ origin, seconds: Math.ceil(waitOf(pause, now) / 1000) }))
    .filter(({ seconds }) => seconds > 0);
}

async function read(): Promise<Record<string, Pause>> {
  return ((await chrome.storage.session.get(KEY))[KEY] as Record<string, Pause> | undefined) ?? {};
}

let turn: Promise<void> = Promise.resolve();

/** One change after the other: two that end at once must both count. */
async function change(work: (pauses: Record<string, Pause>) => void): Promise<void> {
  turn = turn.then(async () => {
    const pauses = await read();
    work(pauses);
    await chrome.storage.session.set({ [KEY]: pauses });
  });
  return turn;
}
