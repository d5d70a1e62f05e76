// The key centre: what its page asks the host. Only that page, in a tab of its own, gets here; a portal's page has no verb for any of it.
// What opens a window of the host's is one operation at a time, and ends when the page is gone.

import { failureOf, Refused } from "../../failure";
import { userLanguage } from "../../language";
import type { CareVerb, CentreVerb, FromCentre, LookVerb, ToCentre } from "../../messages";
import type { Language, Phase, Verbs } from "../../protocol";
import * as host from "../host";

/** How long the person may take in the host's windows. */
const CARE_MS = 300_000;
/** The examination of a computer may have to wait for a driver that hangs. */
const LOOK_MS = 90_000;

/** The closed list: nothing else that the page could write reaches the host. */
const CARE: readonly CareVerb[] = ["change-pin", "unlock", "activate", "install"];
const LOOK: readonly LookVerb[] = ["keys", "seal-picture", "export-certificate", "record", "environment", "token-request", "seal-part"];

const centres = new Set<chrome.runtime.Port>();
/** The one operation that has a window. */
let running: { operation: string; port: chrome.runtime.Port; call: number } | null = null;

/** A key was plugged in or pulled out. */
export function tellCentres(): void {
  for (const port of centres) post(port, { type: "tokens" });
}

export function serveCentre(port: chrome.runtime.Port): void {
  centres.add(port);
  port.onDisconnect.addListener(() => {
    centres.delete(port);
    // Nobody is left who could see how it ends.
    if (running?.port === port) void stop(running.operation);
  });
  port.onMessage.addListener((message) => {
    const wish = message as FromCentre;
    if (wish.type === "stay") {
      if (!host.stay()) post(port, { type: "tokens" });
    } else if (wish.type === "cancel") {
      if (running?.port === port && running.call === wish.target) void stop(running.operation);
    } else {
      void answer(port, wish);
    }
  });
}

async function answer(port: chrome.runtime.Port, wish: Exclude<FromCentre, { type: "stay" | "cancel" }>): Promise<void> {
  const { call } = wish;
  try {
    post(port, { type: "ok", call, ok: await served(port, wish) });
  } catch (thrown) {
    post(port, { type: "failed", call, failure: failureOf(thrown) });
  }
}

async function served(port: chrome.runtime.Port, wish: Exclude<FromCentre, { type: "stay" | "cancel" }>): Promise<unknown> {
  if (wish.type === "restart") host.restart();
  if (wish.type !== "ask") return host.hello();
  const language = await userLanguage();
  if (isCare(wish.verb)) return care(port, wish.call, wish.verb, wish.arguments as Verbs[CareVerb]["arguments"], language);
  if (!LOOK.includes(wish.verb)) throw new Refused("verb-unknown", { verb: String(wish.verb).slice(0, 40) });
  return host.ask(wish.verb, wish.arguments, language, { deadlineMs: LOOK_MS, ownPage: true });
}

async function care(port: chrome.runtime.Port, call: number, verb: CareVerb, args: Verbs[CareVerb]["arguments"], language: Language): Promise<unknown> {
  // Gone while the language was read: nobody would see the window, and nothing would close it.
  if (!centres.has(port)) throw new Refused("cancelled");
  if (running) throw new Refused("busy");
  const operation = host.newOperation();
  running = { operation, port, call };
  try {
    const asked = { operation, language, deadlineMs: CARE_MS, again: false, ownPage: true, onPhase: (phase: Phase) => post(port, { type: "phase", call, phase }) };
    return await host.useKey(verb, args, asked);
  } finally {
    running = null;
  }
}

function isCare(verb: CentreVerb): verb is CareVerb {
  return (CARE as readonly string[]).includes(verb);
}

async function stop(operation: string): Promise<void> {
  await host.cancel(operation, await userLanguage());
}

function post(port: chrome.runtime.Port, message: ToCentre): void {
  try {
    port.postMessage(message);
  } catch {
    // The page is gone.
  }
}
