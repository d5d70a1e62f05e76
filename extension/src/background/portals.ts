// On which sites the extension runs: the bundled list, and what the user enabled. Everything else stays untouched.
// A permission covers a host with all its ports (the only pattern that both browsers take); the list of origins is exact.

import { Refused } from "../failure";

const SCRIPT_ID = "enabled-sites";

/** Whether this origin may use Sealbridge. */
export async function isEnabled(origin: string): Promise<boolean> {
  return isBundled(origin) || (await enabledOrigins()).includes(origin);
}

export function isBundled(origin: string): boolean {
  return PORTALS.some((pattern) => matches(pattern, origin));
}

/** The origins that the user enabled. */
export async function enabledOrigins(): Promise<string[]> {
  const { enabled } = await chrome.storage.local.get("enabled");
  return Array.isArray(enabled) ? enabled.filter((origin): origin is string => typeof origin === "string") : [];
}

/** Puts an origin on the list once its permission is there, and starts the content script in the tab that asked. */
export async function enable(origin: string, tab: number | null): Promise<void> {
  if (!(await chrome.permissions.contains({ origins: [patternOf(origin)] }))) throw new Refused("extension-not-enabled", { origin });
  const enabled = await enabledOrigins();
  if (!enabled.includes(origin)) await chrome.storage.local.set({ enabled: [...enabled, origin] });
  await register();
  if (tab === null) return;
  try {
    await chrome.scripting.executeScript({ target: { tabId: tab, frameIds: [0] }, files: ["content.js"] });
  } catch {
    // The tab is gone or shows something else; the script runs with the next load.
  }
}

/** Takes an origin off the list, and its permission where no other origin needs it. */
export async function disable(origin: string): Promise<void> {
  const enabled = (await enabledOrigins()).filter((other) => other !== origin);
  await chrome.storage.local.set({ enabled });
  await register();
  // The list decides; a permission that an administrator has fixed can not be given back.
  const needed = enabled.some((other) => patternOf(other) === patternOf(origin));
  if (!needed) await chrome.permissions.remove({ origins: [patternOf(origin)] }).catch(() => false);
}

/** The popup asks for the permission and may be closed by the browser's own question; this finishes for it. */
export async function permissionsAdded(): Promise<void> {
  const { wanted } = await chrome.storage.session.get("wanted");
  const { origin, tab } = (wanted ?? {}) as { origin?: string; tab?: number };
  if (origin === undefined) return;
  await chrome.storage.session.remove("wanted");
  await enable(origin, tab ?? null);
}

/** Makes the registered content script fit the list and the permissions that are really there. */
export async function register(): Promise<void> {
  const matches: string[] = [];
  for (const pattern of new Set((await enabledOrigins()).map(patternOf))) {
    if (await chrome.permissions.contains({ origins: [pattern] })) matches.push(pattern);
  }
  const [registered] = await chrome.scripting.getRegisteredContentScripts({ ids: [SCRIPT_ID] });
  const script = { id: SCRIPT_ID, matches, js: ["content.js"], allFrames: false, runAt: "document_start", persistAcrossSessions: true } as const;
  if (matches.length === 0) {
    if (registered) await chrome.scripting.unregisterContentScripts({ ids: [SCRIPT_ID] });
  } else if (registered) {
    await chrome.scripting.updateContentScripts([{ ...script, matches: [...matches], js: [...script.js] }]);
  } else {
    await chrome.scripting.registerContentScripts([{ ...script, matches: [...matches], js: [...script.js] }]);
  }
}

/** The match pattern whose permission an origin needs. */
export function patternOf(origin: string): string {
  const { protocol, hostname } = new URL(origin);
  return `${protocol}//${hostname}/*`;
}

/** A bundled pattern against an origin: scheme, host with an optional `*.` in front, and any port. */
function matches(pattern: string, origin: string): boolean {
  const parts = /^(https?):\/\/(\*\.)?([^/*:]+)(?::(\d+))?\/\*$/.exec(pattern);
  if (!parts) return false;
  const [, scheme, wildcard, host, port] = parts;
  const { protocol, hostname, port: ownPort } = new URL(origin);
  if (protocol !== `${scheme}:` || (port !== undefined && port !== ownPort)) return false;
  return hostname === host || (wildcard !== undefined && hostname.endsWith(`.${host}`));
}
