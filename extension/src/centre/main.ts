// The key centre: one page for the whole life of a key. It shows what the host tells and starts the host's windows; it asks for no
// PIN, decides nothing about keys, and no portal's page can reach what it reaches.

import { $, element } from "../draw";
import { failureOf } from "../failure";
import { language, t, translate, useLanguage } from "../language";
import type { Failure } from "../protocol";
import { Cares } from "./care";
import { drawCertificates } from "./certificates";
import { examine, startEnvironment } from "./environment";
import { drawHome, failureBox, shown, without } from "./home";
import { Keys } from "./keys";
import type { Known } from "./keys";
import { Link } from "./link";
import { drawRecord, startRecord } from "./record";
import { drawRenewal } from "./renewal";
import { drawSeals } from "./seals";
import { redrawVerify, startVerify } from "./verify";

const TABS = ["home", "certificates", "renewal", "seals", "verify", "environment", "record"] as const;
type Tab = (typeof TABS)[number];

const link = new Link();
const keys = new Keys(link);
const cares = new Cares(link);
let known: Known | null = null;
let failure: Failure | null = null;
let looking: Promise<void> | null = null;
let again = false;
/** Which drawing is the last: one that waits for something must not overwrite it. */
let drawing = 0;

async function start(): Promise<void> {
  await useLanguage();
  words();
  startVerify();
  startEnvironment(link);
  startRecord(link);
  link.onTokens = look;
  cares.onDone = look;
  window.addEventListener("hashchange", show);
  // The tab is the hash, which the link's own target would replace.
  $("skip").addEventListener("click", (event) => {
    event.preventDefault();
    $("content").focus();
  });
  $("language").addEventListener("click", () => void switchLanguage());
  $("renewal-refresh").addEventListener("click", look);
  show();
  look();
}

/** Looks at the keys; asked while it looks, it looks once more. */
function look(): void {
  if (looking) {
    again = true;
    return;
  }
  again = false;
  looking = looked().finally(() => {
    looking = null;
    if (again) look();
  });
}

async function looked(): Promise<void> {
  let next: Known | null = null;
  let why: Failure | null = null;
  try {
    next = await keys.look();
  } catch (thrown) {
    why = failureOf(thrown);
    // A background that was stopped is back at once and looks again.
    if (why.code === "extension-stopped") return;
  }
  // What is as it was stays as it is drawn: somebody may be reading it, or stand on a button of it.
  if (JSON.stringify([next, why]) === JSON.stringify([known, failure])) return;
  [known, failure] = [next, why];
  draw();
}

function draw(): void {
  document.body.dataset["state"] = failure ? "failed" : known ? "known" : "looking";
  const count = known ? shown(known).length : 0;
  const live = failure ? t("liveHost") : !known ? t("popupLooking") : count === 0 ? t("liveNone") : t("liveKeys", count);
  if ($("live").textContent !== live) $("live").textContent = live;
  $("live").className = failure ? "bad" : count > 0 ? "good" : "";
  const tab = current();
  drawing += 1;
  const own = drawing;
  const fresh = (): boolean => own === drawing;
  if (tab !== "home" && tab !== "certificates" && tab !== "renewal" && tab !== "seals") return;
  const body = $(`${tab}-body`);
  if (failure) body.replaceChildren(tab === "home" ? without(failure) : failureBox(failure));
  else if (!known) body.replaceChildren(element("p", "small", t("popupLooking")));
  else if (tab === "home") drawHome(body, known, cares);
  else if (tab === "certificates") drawCertificates(body, known, link);
  else if (tab === "renewal") drawRenewal(body, known);
  else void drawSeals(body, known, link, fresh);
}

function current(): Tab {
  return TABS.find((tab) => `#${tab}` === location.hash) ?? "home";
}

function show(): void {
  const tab = current();
  for (const other of TABS) $(other).hidden = other !== tab;
  for (const anchor of document.querySelectorAll<HTMLAnchorElement>("nav a")) {
    if (anchor.hash === `#${tab}`) {
      anchor.setAttribute("aria-current", "page");
      anchor.scrollIntoView({ block: "nearest", inline: "nearest" });
    } else anchor.removeAttribute("aria-current");
  }
  document.title = `${t(TITLES[tab])} · ${t("centreTitle")}`;
  window.scrollTo(0, 0);
  draw();
  if (tab === "environment") void examine(link, false);
  else if (tab === "record") void drawRecord(link);
}

const TITLES = {
  home: "centreHome",
  certificates: "centreCertificates",
  renewal: "centreRenewal",
  seals: "centreSeals",
  verify: "centreVerify",
  environment: "centreEnvironment",
  record: "centreRecord",
} as const;

function words(): void {
  translate(document);
  $<HTMLInputElement>("record-search").placeholder = t("recordSearchLabel");
  $("versions").textContent = `Sealbridge ${EXTENSION_VERSION}`;
}

async function switchLanguage(): Promise<void> {
  await chrome.storage.local.set({ language: language() === "en" ? "zh-CN" : "en" });
  await useLanguage();
  words();
  show();
  // Kinds of seals are told in the asker's language.
  look();
  await redrawVerify();
}

void start();
