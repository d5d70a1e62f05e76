// On which sites the shim for Web eID is on: where the user has switched it on, or an administrator's policy has. A page can
// only propose it. The shim is part of a site that is enabled; it enables none.

import { Refused } from "../failure";
import { isEnabled, managedList, matches } from "./portals";

/** Who switched it on. */
export type Switch = "managed" | "user" | null;

const KEY = "webEid";

/** Whether the shim is on for this origin. */
export async function isOn(origin: string): Promise<boolean> {
  return (await isEnabled(origin)) && (await switchOf(origin)) !== null;
}

/** Who switched it on for this origin; null where nobody did. */
export async function switchOf(origin: string): Promise<Switch> {
  if ((await managedList(KEY)).some((pattern) => matches(pattern, origin))) return "managed";
  return (await chosen()).includes(origin) ? "user" : null;
}

/** The user's own switch for one site. */
export async function turn(origin: string, on: boolean): Promise<void> {
  if (on && !(await isEnabled(origin))) throw new Refused("extension-not-enabled", { origin });
  const others = (await chosen()).filter((other) => other !== origin);
  await chrome.storage.local.set({ [KEY]: on ? [...others, origin] : others });
}

async function chosen(): Promise<string[]> {
  const list: unknown = (await chrome.storage.local.get(KEY))[KEY];
  return Array.isArray(list) ? list.filter((origin): origin is string => typeof origin === "string") : [];
}
