// The popup: the key and its certificates, what this browser knows about this site, what is missing and what to do, and the
// one click that lets a site use Sealbridge. It asks for no PIN and starts no signature.

import type { CertificateView, TokenView } from "sealbridge-wasm";
import type { Overview } from "../background/actions/status";
import { waiting } from "../background/pauses";
import { enabledOrigins, managedPattern, managedPatterns, patternOf, sourceOf, withoutPort } from "../background/portals";
import type { Source } from "../background/portals";
import { switchOf } from "../background/web-eid-sites";
import { $, badge, box, button, day, element } from "../draw";
import { showFailure } from "../failure-view";
import { language, t, translate, useLanguage } from "../language";
import type { Key } from "../language";
import type { Binding, FromPopup } from "../messages";
import type { PageFailure } from "../protocol";
import { TOKEN_STATES } from "../token-state";

type FromBackground = { type: "status"; overview: Overview } | { type: "site" } | { type: "tokens" } | { type: "failed"; failure: PageFailure };

let port: chrome.runtime.Port;
let site: { origin: string; tab: number | null } | null = null;
let justEnabled = false;
/** The permission that the site lacks: its own, or the whole of an administrator's pattern. */
let wanted = "";

async function start(): Promise<void> {
  await useLanguage();
  translate(document);
  connect();
  $("refresh").addEventListener("click", look);
  $("language").addEventListener("click", () => void switchLanguage());
  $("enable").addEventListener("click", enable);
  $("disable").addEventListener("click", () => site && post({ type: "disable", origin: site.origin }));
  $("web-eid-switch").addEventListener("change", switchWebEid);
  $("centre").addEventListener("click", (event) => {
    event.preventDefault();
    void chrome.tabs.create({ url: chrome.runtime.getURL("centre.html") }).then(() => window.close());
  });
  look();
  await readSite();
}

function connect(): void {
  port = chrome.runtime.connect({ name: "popup" });
  port.onMessage.addListener((message: FromBackground) => {
    if (message.type === "status") showOverview(message.overview);
    else if (message.type === "tokens") look();
    else if (message.type === "site") void readSite();
    else showFailure($("site-failure"), message.failure);
  });
  // The browser may stop the background at any time; the next click starts it again.
  port.onDisconnect.addListener(() => setTimeout(connect, 200));
}

function post(message: FromPopup): void {
  port.postMessage(message);
}

function look(): void {
  $("summary").textContent = t("popupLooking");
  $("summary").className = "";
  post({ type: "status" });
}

// ---- this site ----

async function readSite(): Promise<void> {
  const [tab] = await chrome.tabs.query({ active: true, currentWindow: true });
  site = tab?.url ? siteOf(tab.url, tab.id ?? null) : null;
  const can = site !== null && canBeEnabled(site.origin);
  const source = site === null ? null : await sourceOf(site.origin);
  wanted = site === null ? "" : withoutPort((await managedPattern(site.origin)) ?? patternOf(site.origin));
  // A policy names a site; the permission is the user's to give, once.
  const waits = source === "managed" && !(await chrome.permissions.contains({ origins: [wanted] }));
  const enabled = source !== null && !waits;
  $("origin").textContent = site?.origin ?? "";
  $("origin").hidden = site === null;
  $("site-state").textContent = t(site === null ? "popupNoSite" : waits ? "popupManagedAllow" : source === null ? (can ? "popupNotEnabled" : "popupHttp") : justEnabled ? "popupReload" : STATES_OF_SITES[source]);
  $("site").dataset["enabled"] = String(enabled);
  $("site").dataset["source"] = source ?? "";
  $("enable").hidden = enabled || !can;
  $("enable").textContent = t(waits ? "popupAllow" : "popupEnable");
  $("disable").hidden = source !== "user";
  const { bindings } = await chrome.storage.local.get("bindings");
  const binding = site ? (bindings as Record<string, Binding> | undefined)?.[site.origin] : undefined;
  $("binding").hidden = !enabled;
  $("binding").textContent = binding ? `${t("popupBoundTo", binding.account, binding.organisation)} · ${day(binding.at)}` : t("popupNotBound");
  await Promise.all([readWebEid(enabled), readSites(), readPauses()]);
}

/** The switch of the shim for Web eID. Where the page has asked for it, it stands out; only a press here switches it on. */
async function readWebEid(enabled: boolean): Promise<void> {
  const by = enabled && site ? await switchOf(site.origin) : null;
  const proposed = by === null && enabled && site?.tab != null && (await askPage(site.tab));
  const toggle = $<HTMLInputElement>("web-eid-switch");
  toggle.checked = by !== null;
  toggle.disabled = by === "managed";
  $("web-eid").hidden = !enabled;
  $("web-eid").dataset["on"] = by ?? "";
  $("web-eid").dataset["proposed"] = String(proposed);
  $("web-eid-note").textContent = t(by === "managed" ? "popupWebEidManaged" : by === "user" ? "popupWebEidOn" : proposed ? "popupWebEidProposed" : "popupWebEidOff");
}

/** Whether the page in this tab has asked for Web eID. */
async function askPage(tab: number): Promise<boolean> {
  return chrome.tabs.sendMessage(tab, { webEid: "proposed?" }, { frameId: 0 }).then((proposed: unknown) => proposed === true, () => false);
}

function switchWebEid(): void {
  if (site) post({ type: "web-eid", origin: site.origin, on: $<HTMLInputElement>("web-eid-switch").checked });
}

const STATES_OF_SITES: Record<Source, Key> = { bundled: "popupBundled", managed: "popupManaged", user: "popupEnabled" };

/** Every site on the three lists; only the user's own can be taken off. */
async function readSites(): Promise<void> {
  const [managed, own] = [await managedPatterns(), await enabledOrigins()];
  const rows = [
    ...PORTALS.map((pattern) => siteRow(pattern, "bundled", "popupBundledSite", null)),
    ...(await Promise.all(managed.map(managedRow))),
    ...own.map((origin) => siteRow(origin, "user", "popupByUser", button(t("popupDisable"), () => post({ type: "disable", origin }), "link"))),
  ];
  $("sites").hidden = rows.length === 0;
  $("sites-title").textContent = t("popupSites", rows.length);
  $("site-list").replaceChildren(...rows);
}

async function managedRow(pattern: string): Promise<HTMLElement> {
  const origins = [withoutPort(pattern)];
  if (await chrome.permissions.contains({ origins })) return siteRow(pattern, "managed", "popupManaged", null);
  // The background hears of the permission and starts there.
  const allow = button(t("popupAllow"), () => void chrome.permissions.request({ origins }).then(readSite));
  return siteRow(pattern, "managed", "popupManagedAllow", allow);
}

function siteRow(name: string, source: Source, word: Key, control: HTMLButtonElement | null): HTMLElement {
  const item = row(name.replace(/\/\*$/, ""), t(word), control);
  item.dataset["source"] = source;
  return item;
}

/** Sites that have to wait because they were cancelled several times in a row. */
async function readPauses(): Promise<void> {
  const pauses = await waiting();
  $("pauses").hidden = pauses.length === 0;
  $("pause-list").replaceChildren(...pauses.map(({ origin, seconds }) => row(origin, t("popupPaused", seconds), button(t("popupResume"), () => post({ type: "resume", origin })))));
}

function row(name: string, note: string, control: HTMLButtonElement | null): HTMLElement {
  const item = box("li", "", box("div", "", element("p", "origin", name), element("p", "small", note)), control);
  item.dataset["name"] = name;
  return item;
}

function siteOf(address: string, tab: number | null): { origin: string; tab: number | null } | null {
  const url = URL.canParse(address) ? new URL(address) : null;
  return url && (url.protocol === "https:" || url.protocol === "http:") ? { origin: url.origin, tab } : null;
}

/** Sites whose permission the manifest lets us ask for. */
function canBeEnabled(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === "https:" || hostname === "localhost";
}

/** Asks for the permission inside the click. The browser's question may close this popup; the background finishes then. */
function enable(): void {
  if (!site) return;
  const { origin, tab } = site;
  void chrome.storage.session.set({ wanted: { origin, tab } });
  void chrome.permissions.request({ origins: [wanted] }).then((granted) => {
    if (!granted) return chrome.storage.session.remove("wanted");
    justEnabled = true;
    return post({ type: "enable", origin, tab });
  });
}

// ---- the key ----

function showOverview({ hello, status, missing, missingForStamp }: Overview): void {
  const all = [...missing, ...missingForStamp];
  $("summary").textContent = t(all.length === 0 ? "popupReady" : "popupNotReady");
  $("summary").className = all.length === 0 ? "good" : "bad";
  $("missing").hidden = all.length === 0;
  $("missing-list").replaceChildren(
    ...all.map((failure) => {
      const made = element("div", "failure");
      showFailure(made, failure);
      return made;
    }),
  );
  const tokens = status?.tokens ?? [];
  $("keys").hidden = tokens.length === 0;
  $("tokens").replaceChildren(...tokens.map(token));
  $("versions").textContent = `Sealbridge ${EXTENSION_VERSION}${hello ? ` · ${t("popupHost", hello.host)}` : ""}`;
}

function token(view: TokenView): HTMLElement {
  const [word, level] = TOKEN_STATES[view.state];
  const item = box("li", "", box("div", "token-head", element("strong", "", view.label), badge(t(word), level)));
  item.dataset["state"] = view.state;
  // Of a renewed key the newest certificate counts; the key centre shows the older ones too.
  item.append(...view.certificates.filter((certificate) => certificate.hasKey && !certificate.encryptionOnly && !certificate.renewed).map(certificate));
  const seals = view.seals.map((seal) => seal.label).join(language() === "en" ? ", " : "、");
  item.append(element("p", "small", `${t("popupSeal")}: ${seals || t("popupNoSeal")}`));
  return item;
}

function certificate(view: CertificateView): HTMLElement {
  const card = element("div", "certificate");
  const name = element("p", "organisation", view.organisation);
  if (view.test) name.append(badge(t("popupTest"), ""));
  card.append(name);
  if (view.creditCode) card.append(element("p", "small", `${t("popupCreditCode")} ${view.creditCode}`));
  const left = view.expiry === "expired" ? t("popupExpired") : t("popupDays", view.daysLeft);
  const level = view.expiry === "expired" ? "bad" : view.expiry?.startsWith("within") ? "warn" : "";
  if (view.notAfter > 0) card.append(element("p", `small expiry ${level}`, `${t("popupExpiry")} ${day(view.notAfter)} · ${left}`));
  return card;
}

async function switchLanguage(): Promise<void> {
  await chrome.storage.local.set({ language: language() === "en" ? "zh-CN" : "en" });
  await useLanguage();
  translate(document);
  await readSite();
  look();
}

void start();
