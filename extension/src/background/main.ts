// The background: takes calls from content scripts, judges who asks, runs one file per verb, and answers. Listeners are
// registered synchronously, so that the browser can start this script for any of them; everything else is started when
// it is needed. The browser may stop this script at any time: what must survive is in the journal.

import { failureOf, Refused, tellPage } from "../failure";
import { userLanguage } from "../language";
import type { ContentVerb, FromContent, FromPopup, FromStamp, ToContent, ToStamp } from "../messages";
import { tell } from "../protocol";
import type { Phase } from "../protocol";
import { bind } from "./actions/bind";
import { serveCentre, tellCentres } from "./actions/centre";
import { login } from "./actions/login";
import { choices, fetchSeal, openVisit, outcome, sign } from "./actions/stamp";
import { overview, status } from "./actions/status";
import { webEid, webEidStatus } from "./actions/web-eid";
import type { Call } from "./call";
import * as host from "./host";
import * as journal from "./journal";
import type { Entry } from "./journal";
import { wasm } from "./module";
import * as pauses from "./pauses";
import * as portals from "./portals";
import { callerOf, ownPage } from "./sender";
import { forgetAll } from "../stamp/kept";
import * as webEidSites from "./web-eid-sites";

interface Running {
  origin: string;
  verb: ContentVerb;
  /** Where answers go; a content script that reconnects takes its operations with it. */
  page: chrome.runtime.Port;
  /** The page itself has taken it back or is gone: nothing that the person has refused. */
  withdrawn: boolean;
}

const running = new Map<string, Running>();
const KEY_VERBS: readonly string[] = ["bind", "login", "web-eid", "stamp"];
/** Of these, the ones whose window the background itself closes: no stamping page stands between. */
const STATEMENT_VERBS: readonly string[] = ["bind", "login", "web-eid"];

chrome.runtime.onConnect.addListener((port) => {
  if (port.name === "page") servePage(port);
  else if (port.name.startsWith("stamp:") && ownPage(port.sender, "stamp.html")) serveStampingPage(port, port.name.slice("stamp:".length));
  else if (port.name === "popup" && ownPage(port.sender, "popup.html")) servePopup(port);
  else if (port.name === "centre" && ownPage(port.sender, "centre.html")) serveCentre(port);
  else port.disconnect();
});
chrome.runtime.onInstalled.addListener(() => void portals.register());
chrome.runtime.onStartup.addListener(() => {
  void portals.register();
  void forgetAll();
});
chrome.permissions.onAdded.addListener(() => void portals.permissionsAdded().catch(() => undefined));
chrome.permissions.onRemoved.addListener(() => void portals.register());
chrome.storage.onChanged.addListener((_, area) => {
  // An administrator's list has changed.
  if (area === "managed") void portals.register();
});
chrome.tabs.onRemoved.addListener((tab) => void tabClosed(tab));

// ---- pages ----

function servePage(port: chrome.runtime.Port): void {
  port.onMessage.addListener((message) => {
    const asked = message as FromContent;
    if (asked.type === "cancel") void cancelFromPage(port, asked.operation);
    else if (asked.type === "call") void take(port, asked);
  });
  port.onDisconnect.addListener(() => {
    // The page is gone. Nobody is left to take an answer, so windows that wait for a PIN are closed.
    for (const [operation, call] of running) {
      if (call.page !== port) continue;
      call.withdrawn = true;
      if (STATEMENT_VERBS.includes(call.verb)) void stopKeyUse(operation);
    }
  });
}

async function take(page: chrome.runtime.Port, asked: Extract<FromContent, { type: "call" }>): Promise<void> {
  const { operation, verb } = asked;
  const language = await userLanguage();
  try {
    const { origin, tab } = callerOf(page.sender);
    if (!(await portals.isEnabled(origin))) throw new Refused("extension-not-enabled", { origin });
    if (verb.startsWith("web-eid") && !(await webEidSites.isOn(origin))) throw new Refused("extension-not-enabled", { origin });
    // Host and module start while the call is being read.
    if (verb !== "verify") host.warm();
    const { readPageCall } = await wasm();
    const args = readPageCall(verb, JSON.stringify(asked.arguments));

    const active = running.get(operation);
    const entry = await journal.read(operation);
    if ((entry && (entry.origin !== origin || entry.verb !== verb)) || (active && active.origin !== origin)) throw new Refused("operation-mismatch", { operation });
    if (entry?.result) return answer(page, operation, entry.result);
    if (active) {
      active.page = page;
      active.withdrawn = false;
      return;
    }
    if (!entry && KEY_VERBS.includes(verb)) {
      await pauses.check(origin);
      if (await isBusy(origin)) throw new Refused("busy");
    }

    running.set(operation, { origin, verb, page, withdrawn: false });
    if (!entry) {
      await journal.write({ operation, verb, origin, tab, started: Date.now(), request: JSON.stringify(args), result: null, ended: null, job: null, stampTab: null });
    }
    const call: Call = {
      operation,
      verb,
      origin,
      tab,
      arguments: args,
      timeoutMs: asked.timeoutMs,
      language,
      resumed: entry !== null,
      onPhase: (phase) => emit(operation, phase),
    };
    await run(call);
  } catch (thrown) {
    await end(operation, { failure: tellPage(failureOf(thrown), language) }, page);
  }
}

async function run(call: Call): Promise<void> {
  switch (call.verb) {
    case "status":
      return end(call.operation, { ok: await status(call) });
    case "bind":
      return end(call.operation, { ok: await bind(call) });
    case "login":
      return end(call.operation, { ok: await login(call) });
    case "web-eid":
      return end(call.operation, { ok: await webEid(call) });
    case "web-eid-status":
      return end(call.operation, { ok: await webEidStatus(call) });
    case "stamp":
    case "verify":
      // After a restart the visit goes on by itself: stamping page and content script talk to each other.
      if (!call.resumed) await openVisit(call);
  }
}

/** One use of a key at a time for each site. */
async function isBusy(origin: string): Promise<boolean> {
  for (const call of running.values()) if (call.origin === origin && KEY_VERBS.includes(call.verb)) return true;
  for (const entry of await journal.all()) {
    if (entry.origin !== origin || entry.ended !== null || entry.stampTab === null || entry.verb !== "stamp") continue;
    if (await tabExists(entry.stampTab)) return true;
  }
  return false;
}

async function end(operation: string, result: NonNullable<Entry["result"]>, page?: chrome.runtime.Port): Promise<void> {
  const call = running.get(operation);
  running.delete(operation);
  const entry = await journal.change(operation, { result, ended: Date.now() });
  // Counted before the page hears of it and can ask again.
  if (entry && "failure" in result && result.failure.code === "cancelled" && !call?.withdrawn) await count(entry, "cancelled");
  const to = call?.page ?? page;
  if (to) answer(to, operation, result);
  if (entry && "ok" in result) await count(entry, "done");
}

/** Cancels in a row make a site wait; a success ends that, a failure says nothing. */
async function count(entry: Entry, outcome: "done" | "failed" | "cancelled"): Promise<void> {
  if (!KEY_VERBS.includes(entry.verb) || outcome === "failed") return;
  await (outcome === "done" ? pauses.lift(entry.origin) : pauses.cancelled(entry.origin));
}

function answer(page: chrome.runtime.Port, operation: string, result: NonNullable<Entry["result"]>): void {
  post(page, { operation, ...result });
}

function emit(operation: string, phase: Phase | "document"): void {
  const call = running.get(operation);
  if (call) post(call.page, { operation, event: { phase } });
}

function post(page: chrome.runtime.Port, message: ToContent): void {
  try {
    page.postMessage(message);
  } catch {
    // The page is gone; the journal keeps the answer for the case that it asks again.
  }
}

async function cancelFromPage(page: chrome.runtime.Port, operation: string): Promise<void> {
  const call = running.get(operation);
  if (!call || call.page !== page) return;
  call.withdrawn = true;
  if (STATEMENT_VERBS.includes(call.verb)) return stopKeyUse(operation);
  const entry = await journal.read(operation);
  // Ended before its tab closes, so that it ends once.
  await end(operation, { failure: tell({ code: "cancelled" }, await userLanguage()) });
  if (entry?.stampTab != null) await chrome.tabs.remove(entry.stampTab).catch(() => undefined);
}

async function stopKeyUse(operation: string): Promise<void> {
  await host.cancel(operation, await userLanguage());
}

// ---- the stamping page ----

function serveStampingPage(port: chrome.runtime.Port, operation: string): void {
  let signing: string | null = null;
  const post = (message: ToStamp): void => {
    try {
      port.postMessage(message);
    } catch {
      // Closed meanwhile.
    }
  };
  const entry = visitOf(operation, port.sender?.tab?.id);
  entry.then(
    ({ job }) => job && post({ type: "job", job }),
    (thrown: unknown) => post({ type: "gone", failure: failureOf(thrown) }),
  );

  port.onMessage.addListener((message) => {
    const wish = message as FromStamp & { again?: boolean };
    void (async () => {
      const visit = await entry;
      if (!visit.job) return;
      if (wish.type === "settled") return settled(visit, wish.outcome);
      if (wish.type === "cancel-signing") return host.cancel(wish.hostOperation, visit.job.language);
      try {
        if (wish.type === "seal") {
          post({ type: "ok", call: wish.call, ok: await fetchSeal(visit.job, wish) });
        } else if (wish.type === "choices") {
          post({ type: "ok", call: wish.call, ok: await choices(visit.job) });
        } else if (wish.type === "outcome") {
          post({ type: "ok", call: wish.call, ok: await outcome(visit.job, wish) });
        } else if (wish.type === "sign") {
          if (signing !== null) throw new Refused("busy");
          signing = wish.hostOperation;
          try {
            const ok = await sign(visit, wish, wish.again === true, (phase) => {
              emit(operation, phase);
              if (phase !== "document") post({ type: "phase", phase });
            });
            post({ type: "ok", call: wish.call, ok });
          } finally {
            signing = null;
          }
        }
      } catch (thrown) {
        if ("call" in wish) post({ type: "failed", call: wish.call, failure: failureOf(thrown) });
      }
    })().catch(() => undefined);
  });
  port.onDisconnect.addListener(() => {
    if (signing !== null) void stopKeyUse(signing);
  });
}

/** The journal's entry behind a stamping page; only the tab that was opened for it is served. */
async function visitOf(operation: string, tab: number | undefined): Promise<Entry> {
  for (let tries = 0; tries < 40; tries += 1) {
    const entry = await journal.read(operation);
    if (entry?.job && entry.ended === null && entry.stampTab !== null) {
      if (entry.stampTab !== tab) throw new Refused("caller-refused");
      return entry;
    }
    if (!entry || entry.ended !== null) break;
    // The tab is faster than the answer about its creation.
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Refused("operation-unknown", { operation });
}

/** The visit has ended and the content script has its result already. */
async function settled(visit: Entry, outcome: "done" | "failed" | "cancelled"): Promise<void> {
  running.delete(visit.operation);
  await journal.forget(visit.operation);
  await count(visit, outcome);
}

async function tabClosed(tab: number): Promise<void> {
  for (const entry of await journal.all()) {
    if (entry.ended !== null) continue;
    if (entry.stampTab === tab) await end(entry.operation, { failure: tell({ code: "cancelled" }, await userLanguage()) });
    else if (entry.tab === tab && entry.stampTab === null) await journal.forget(entry.operation);
  }
}

async function tabExists(tab: number): Promise<boolean> {
  return chrome.tabs.get(tab).then(
    () => true,
    () => false,
  );
}

// ---- the popup ----

const popups = new Set<chrome.runtime.Port>();
host.onTokensChanged(() => {
  for (const port of popups) port.postMessage({ type: "tokens" });
  tellCentres();
});

function servePopup(port: chrome.runtime.Port): void {
  popups.add(port);
  port.onDisconnect.addListener(() => popups.delete(port));
  port.onMessage.addListener((message) => {
    const wish = message as FromPopup;
    void (async () => {
      try {
        if (wish.type === "status") port.postMessage({ type: "status", overview: await overview(await userLanguage()) });
        else if (wish.type === "enable") {
          await chrome.storage.session.remove("wanted");
          await portals.enable(wish.origin, wish.tab);
          port.postMessage({ type: "site" });
        } else if (wish.type === "disable") {
          await webEidSites.turn(wish.origin, false);
          await portals.disable(wish.origin);
          port.postMessage({ type: "site" });
        } else if (wish.type === "web-eid") {
          await webEidSites.turn(wish.origin, wish.on);
          port.postMessage({ type: "site" });
        } else if (wish.type === "resume") {
          await pauses.lift(wish.origin);
          port.postMessage({ type: "site" });
        }
      } catch (thrown) {
        port.postMessage({ type: "failed", failure: tell(failureOf(thrown), await userLanguage()) });
      }
    })().catch(() => undefined);
  });
}
