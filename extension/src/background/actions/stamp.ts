// stamp and verify: both open the stamping page, which fetches the documents from the page's content script. Here the visit
// is recorded, and the stamping page's own wishes (the seal, signatures) are passed to the host with the portal's origin.

import { Refused } from "../../failure";
import type { FromStamp, Job, SignOk } from "../../messages";
import type { SealAnswer } from "../../protocol";
import type { StatusView } from "sealbridge-wasm";
import type { Call } from "../call";
import type { Entry } from "../journal";
import * as journal from "../journal";
import * as host from "../host";
import { wasm } from "../module";
import { signedOrigin } from "../origin";

/** How long the person may take for the consent: a list of documents has to be read. */
const SIGN_MS = 180_000;
const LIST_MS = 300_000;

/** Opens the stamping page for a call; its result reaches the page through the content script. */
export async function openVisit(call: Call): Promise<void> {
  // A site that may not sign learns it before a tab opens.
  if (call.verb === "stamp") await signedOrigin(call.origin);
  const job: Job = {
    operation: call.operation,
    verb: call.verb === "verify" ? "verify" : "stamp",
    origin: call.origin,
    tab: call.tab,
    documents: call.arguments.documents ?? [{ name: "", placements: [], fields: {} }],
    batch: call.arguments.batch ?? false,
    language: call.language,
  };
  await journal.change(call.operation, { job });
  const portal = await chrome.tabs.get(call.tab);
  const tab = await chrome.tabs.create({
    url: chrome.runtime.getURL(`stamp.html#${call.operation}`),
    windowId: portal.windowId,
    index: portal.index + 1,
    openerTabId: call.tab,
    active: call.verb === "stamp",
  });
  await journal.change(call.operation, { stampTab: tab.id ?? null });
  call.onPhase("document");
}

/** Fetches the seal for the stamping page: the one that the person has chosen, or the only one. No key is used. */
export async function fetchSeal(job: Job, wish: Extract<FromStamp, { type: "seal" }>): Promise<SealAnswer> {
  const { seal, certificate } = wish;
  return host.ask("seal", { ...(seal === undefined ? {} : { seal }), ...(certificate === undefined ? {} : { certificate }) }, job.language);
}

/** What there is to choose from. No key is used. */
export async function choices(job: Job): Promise<StatusView> {
  const answer = await host.ask("status", {}, job.language);
  return (await wasm()).describeStatus(answer, Math.floor(Date.now() / 1000));
}

/** Has the prepared revision signed; the host shows the list of documents and asks for the PIN. */
export async function sign(entry: Entry, wish: Extract<FromStamp, { type: "sign" }>, again: boolean, onPhase: Call["onPhase"]): Promise<SignOk> {
  if (!entry.job) throw new Refused("operation-unknown", { operation: entry.operation });
  const asked = { origin: await signedOrigin(entry.origin), certificate: wish.certificate, seal: wish.seal, documents: wish.documents };
  return host.useKey("stamp", asked, { operation: wish.hostOperation, language: entry.job.language, deadlineMs: wish.documents.length > 1 ? LIST_MS : SIGN_MS, onPhase, again });
}

/** What became of a signing whose page was loaded again: its signatures, or null where the host does not know it. Never asks to sign. */
export async function outcome(job: Job, wish: Extract<FromStamp, { type: "outcome" }>): Promise<SignOk | null> {
  return host.outcome("stamp", { operation: wish.hostOperation, language: job.language, deadlineMs: LIST_MS });
}
