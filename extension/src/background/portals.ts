// On which sites the extension runs: the bundled list, an administrator's list (storage.managed), and what the user enabled.
// Everything else stays untouched. A permission covers a host with all its ports (the only pattern that both browsers take); the
// lists are exact. An administrator's list enables a site; the browser may still want the user's one click for its permission.

import { Refused } from "../failure";

const SCRIPT_ID = "enabled-sites";
/** Longer lists of an administrator are cut: each entry costs work on every call. */
const MANAGED_MAX = 1_000;

/** Who enabled a site. */
export type Source = "bundled" | "managed" | "user";

/** Whether this origin may use Sealbridge. */
export async function isEnabled(origin: string): Promise<boolean> {
  return (await sourceOf(origin)) !== null;
}

/** Who enabled this origin; null where nobody did. */
export async function sourceOf(origin: string): Promise<Source | null> {
  if (PORTALS.some((pattern) => matches(pattern, origin))) return "bundled";
  if ((await managedPattern(origin)) !== null) return "managed";
  return (await enabledOrigins()).includes(origin) ? "user" : null;
}

/** The pattern of the administrator's list that names this origin. */
export async function managedPattern(origin: string): Promise<string | null> {
  return (await managedPatterns()).find((pattern) => matches(pattern, origin)) ?? null;
}

/** What an administrator's policy names: match patterns in the form of the bundled list; origins are taken as patterns. */
export async function managedPatterns(): Promise<string[]> {
  return managedList("portals");
}

/** One of the lists of an administrator's policy. */
export async function managedList(name: string): Promise<string[]> {
  // Firefox rejects where there is no policy.
  const policy: Record<string, unknown> = await chrome.storage.managed.get(name).catch(() => ({}));
  const portals = policy[name];
  if (!Array.isArray(portals)) return [];
  const patterns = portals.slice(0, MANAGED_MAX).filter((portal): portal is string => typeof portal === "string");
  return patterns.map((portal) => (portal.endsWith("/*") ? portal : `${portal.replace(/\/$/, "")}/*`)).filter((pattern) => PATTERN.test(pattern));
}

/** The origins that the user enabled. */
export async function enabledOrigins(): Promise<string[]> {
  const { enabled } = await chrome.storage.local.get("enabled");
  return Array.isArray(enabled) ? enabled.filter((origin): origin is string => typeof origin === "string") : [];
}

/** Puts an origin on the list once its permission is there, and starts the content script in the tab that asked. */
export async function enable(origin: string, tab: number | null): Promise<void> {
  if (!(await chrome.permissions.contains({ origins: [patternOf(origin)] }))) throw new Refused("extension-not-enabled", { origin });
  // What an administrator has named needs no entry of the user's, which would outlive the policy.
  if ((await sourceOf(origin)) === null) await chrome.storage.local.set({ enabled: [...(await enabledOrigins()), origin] });
  await register();
  if (tab === null) return;
  try {
    await chrome.scripting.executeScript({ target: { tabId: tab, frameIds: [0] }, files: ["content.js"] });
  } catch {
    // The tab is gone or shows something else; the script runs with the next load.
  }
}

/** Takes an origin off the user's list, and its permission where nothing else needs it. */
export async function disable(origin: string): Promise<void> {
  const enabled = (await enabledOrigins()).filter((other) => other !== origin);
  await chrome.storage.local.set({ enabled });
  await register();
  // The lists decide; a permission that an administrator has fixed can not be given back.
  const needed = enabled.some((other) => patternOf(other) === patternOf(origin)) || (await managedPatterns()).some((pattern) => withoutPort(pattern) === patternOf(origin));
  if (!needed) await chrome.permissions.remove({ origins: [patternOf(origin)] }).catch(() => false);
}

/** The popup asks for the permission and may be closed by the browser's own question; this finishes for it. */
export async function permissionsAdded(): Promise<void> {
  const { wanted } = await chrome.storage.session.get("wanted");
  const { origin, tab } = (wanted ?? {}) as { origin?: string; tab?: number };
  // Also where the permission was given in the browser's own settings.
  if (origin === undefined) return register();
  await chrome.storage.session.remove("wanted");
  await enable(origin, tab ?? null);
}

/** Makes the registered content script fit the lists and the permissions that are really there. */
export async function register(): Promise<void> {
  const matches: string[] = [];
  for (const pattern of new Set([...(await enabledOrigins()).map(patternOf), ...(await managedPatterns()).map(withoutPort)])) {
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

/** A pattern of the lists as a permission: for all ports of the host. */
export function withoutPort(pattern: string): string {
  return pattern.replace(/:\d+\/\*$/, "/*");
}

/** Scheme, host with an optional `*.` in front, an optional port; http on the own computer only. */
const PATTERN = /^(?:(https):\/\/(\*\.)?([a-z0-9.-]+)|(http):\/\/(localhost|127\.0\.0\.1))(?::(\d+))?\/\*$/;

/** A pattern of the lists against an origin: any port where the pattern names none. */
export function matches(pattern: string, origin: string): boolean {
  const parts = PATTERN.exec(pattern);
  if (!parts) return false;
  const [, https, wildcard, host, http, loopback, port] = parts;
  const { protocol, hostname, port: ownPort } = new URL(origin);
  if (protocol !== `${https ?? http}:` || (port !== undefined && port !== ownPort)) return false;
  return hostname === (host ?? loopback) || (wildcard !== undefined && hostname.endsWith(`.${host}`));
}
