// The stamping page: shows the document, takes values and the seal's places, shows the very revision that would be signed,
// and has it signed. This file opens and closes it; each part has a file of its own.

import type { DocumentView } from "sealbridge-wasm";
import { failureOf, tellPage } from "../failure";
import { showFailure } from "../failure-view";
import { language, t, translate, useLanguage } from "../language";
import type { Job, Placement } from "../messages";
import type { Failure } from "../protocol";
import { Desk } from "./desk";
import { Engine } from "./engine";
import { Items } from "./items";
import type { Spot } from "./items";
import { Background, Portal } from "./links";
import { mark } from "./moments";
import { Overlay } from "./overlay";
import { Panel } from "./panel";
import { askPassword, PASSWORD_CODES } from "./password";
import { PAUSE_MS, Preview } from "./preview";
import { Sealing } from "./sealing";
import { Signing } from "./signing";
import type { Sealed } from "./signing";
import { Tools } from "./tools";
import { $, enter, fail, fileSize, note, shownFailure, status } from "./ui";
import { Viewer } from "./viewer";

class StampingPage {
  readonly #engine: Engine;
  readonly #viewer = new Viewer($<HTMLCanvasElement>("canvas"), $("page-text"));
  readonly #desk = new Desk(this.#viewer);
  readonly #items = new Items();
  readonly #values: Map<string, string>;
  readonly #sealing: Sealing;
  #sealed: Sealed | null = null;
  #hashing: Promise<void> = Promise.resolve();
  #signing: Signing | null = null;

  constructor(
    private readonly job: Job,
    private readonly background: Background,
    private readonly portal: Portal,
    private readonly blob: Blob,
    engine: Engine,
  ) {
    this.#engine = engine;
    this.#values = new Map(Object.entries(job.fields));
    this.#sealing = new Sealing(job.origin, background, engine);
  }

  /** Opens the document; false where the person has given up at its password. */
  async open(): Promise<boolean> {
    const { job, blob } = this;
    $("document-name").textContent = $("bar-name").textContent = job.name;
    $("site").textContent = job.origin;
    document.title = `${t("stampTitle")} · ${job.name}`;
    status(t("stampOpening"));
    $("cancel").addEventListener("click", () => void this.cancel());
    this.portal.onAborted = () => {
      this.#signing?.settle();
      this.#signing?.cancel();
    };
    const view = await this.#unlocked(null, false);
    if (!view) return false;
    mark("opened");
    this.#describe(view);

    const overlay = new Overlay($("overlay"), view.fields, this.#items, this.#values);
    const fields = new Map(view.fields.filter(({ kind }) => kind === "signature").map((field) => [field.name, { label: field.label, page: field.widgets[0]?.page ?? 0 }]));
    const panel = new Panel(this.#items, overlay, this.#desk, this.#engine, fields, view.signatures.length > 0);
    const preview = new Preview({ blob, view, engine: this.#engine, viewer: this.#viewer, desk: this.#desk, overlay, items: this.#items, values: this.#values, hashed: () => this.#hashing });
    this.#signing = new Signing({
      ...{ job, background: this.background, portal: this.portal, blob, engine: this.#engine, viewer: this.#viewer, desk: this.#desk, overlay, preview },
      seal: () => this.#sealed,
      leave: (outcome) => this.#leave(outcome),
    });
    this.#connect(overlay, panel, preview, view);

    // Drawing, hashing and the seal go on side by side.
    this.#hashing = this.#hash(view);
    // Awaited below; until then a failure must not count as unheard.
    this.#hashing.catch(() => undefined);
    await this.#viewer.open(blob).then((pdf) => this.#viewer.use(pdf));
    this.#desk.begin(firstPage(job.placements[0], view) ?? panel.pageOf(firstField(view) ?? { kind: "seal", page: 1, x: 0, y: 0 }) ?? 0);
    $("sheet").hidden = false;
    enter("editing");
    await this.#desk.draw();
    if (await this.#fetchSeal(false, overlay)) await this.#place(panel, preview, view);
    preview.able = this.#sealed !== null;
    await this.#hashing;
    return true;
  }

  /** Tells the portal's page, and closes. */
  async cancel(): Promise<void> {
    this.#signing?.cancel();
    const failure = shownFailure() ?? { code: "cancelled" };
    this.portal.send({ type: "failed", failure: tellPage(failure, language()) });
    await this.#leave(failure.code === "cancelled" ? "cancelled" : "failed");
  }

  // ---- opening ----

  /** The document, opened; asks for its password until it opens. */
  async #unlocked(failure: Failure | null, owner: boolean): Promise<DocumentView | null> {
    let password: string | null = null;
    let refused = failure;
    for (;;) {
      if (refused || owner) {
        fail(refused);
        status(t("unlockWaiting"));
        password = await askPassword(refused, owner);
        if (password === null) return null;
        fail(null);
      }
      try {
        const view = await this.#engine.call("open", this.blob, this.job.name, password ?? undefined);
        this.#viewer.password = password;
        fail(null);
        status(t("stampOpening"));
        return view;
      } catch (thrown) {
        refused = failureOf(thrown);
        if (!PASSWORD_CODES.includes(refused.code)) throw thrown;
      }
    }
  }

  #describe(view: DocumentView): void {
    $("document-size").textContent = `${t("stampPages", view.pageCount)} · ${fileSize(view.size)}${view.encrypted ? ` · ${t("stampEncrypted")}` : ""}`;
    $("earlier-row").hidden = view.signatures.length === 0;
    $("earlier").textContent = t("stampEarlierCount", view.signatures.length);
    note(view.hasXfa ? t("stampXfa") : "");
  }

  async #hash(view: DocumentView): Promise<void> {
    let done = false;
    this.#engine.onHashed = (bytes) => {
      const percent = view.size === 0 ? 100 : Math.floor((bytes / view.size) * 100);
      $("progress").hidden = done || percent >= 100;
      $<HTMLProgressElement>("progress").value = percent;
      if (!done && this.#sealed && percent < 100) status(t("stampHashing", percent));
    };
    await this.#engine.call("hash");
    mark("hashed");
    done = true;
    $("progress").hidden = true;
  }

  async #fetchSeal(anew: boolean, overlay: Overlay): Promise<boolean> {
    $("retry").hidden = true;
    status(t("stampFetchingSeal"));
    try {
      const { choice, ...sealed } = await this.#sealing.fetch(anew);
      this.#sealed = sealed;
      $("change-seal").hidden = !choice;
    } catch (thrown) {
      // Whoever wanted another seal and took none keeps the one that is there.
      if (!this.#sealed) {
        fail(failureOf(thrown));
        $("retry").hidden = false;
      }
      status("");
      return false;
    }
    fail(null);
    const { view } = this.#sealed;
    document.body.dataset["seal"] = "";
    $("organisation").textContent = view.organisation + (view.test ? ` · ${t("popupTest")}` : "");
    $("credit-code").textContent = view.creditCode ?? "";
    $("seal-name").textContent = view.name;
    $("seal-size").textContent = t("stampSealSize", view.widthMm, view.heightMm);
    overlay.useSeal(view);
    return true;
  }

  /** Where the seal is offered first: as the page asked, else on the first free field, else on the page that is shown. */
  async #place(panel: Panel, preview: Preview, view: DocumentView): Promise<void> {
    const spots: Spot[] = [];
    let refused: Failure | null = null;
    for (const wish of this.job.placements) {
      try {
        spots.push(...(await panel.spots(wish)));
      } catch (thrown) {
        refused ??= failureOf(thrown);
      }
    }
    if (!spots.some(({ kind }) => kind !== "date")) {
      const own = firstField(view) ?? panel.proposal();
      if (own) spots.unshift(own);
    }
    const one = view.signatures.length > 0 && (spots.find(({ kind }) => kind === "field") ?? spots.find(({ kind }) => kind === "seal") ?? panel.proposal());
    this.#items.begin(one ? [one] : spots);
    const page = this.#items.carrier && panel.pageOf(this.#items.carrier);
    if (page !== null && page !== this.#desk.page) await this.#desk.go(page);
    if (one && spots.length > 1) refused ??= { code: "marks-on-signed" };
    if (refused) {
      fail(refused);
      preview.keepFailure = true;
    }
  }

  #connect(overlay: Overlay, panel: Panel, preview: Preview, view: DocumentView): void {
    overlay.fields.onValue = (field, value) => {
      this.#values.set(field.name, value);
      preview.keepFailure = false;
      preview.changed(PAUSE_MS);
    };
    let begun = false;
    this.#items.onChange = () => {
      if (begun) preview.keepFailure = false;
      begun = true;
      overlay.update();
      panel.update();
      preview.changed(PAUSE_MS);
    };
    this.#desk.onShown = (page, shown) => {
      overlay.show(page, shown);
      panel.turned();
    };
    preview.onReady = (ready) => ($<HTMLButtonElement>("stamp").disabled = !ready);
    preview.onRefused = (code) => ($("owner-password").hidden = !(view.encrypted && code === "pdf-forbids-changes"));
    const resealed = async (anew: boolean): Promise<void> => {
      const first = this.#sealed === null;
      if (!(await this.#fetchSeal(anew, overlay))) return;
      if (first) await this.#place(panel, preview, view);
      preview.able = true;
    };
    this.#desk.listen();
    panel.listen();
    new Tools(panel, this.#items, overlay, this.#desk).listen();
    $("stamp").addEventListener("click", () => void this.#signing?.sign());
    $("retry").addEventListener("click", () => void resealed(false));
    $("change-seal").addEventListener("click", () => void resealed(true));
    $("owner-password").addEventListener("click", () => void this.#reopen(preview));
  }

  /** Opens the document again with its owner's password. */
  async #reopen(preview: Preview): Promise<void> {
    try {
      const view = await this.#unlocked(null, true);
      if (!view) return;
      $("owner-password").hidden = true;
      this.#hashing = this.#hash(view);
      await this.#hashing;
      if (this.#sealed) await this.#engine.call("useSeal", this.#sealed.answer);
      preview.able = this.#sealed !== null;
    } catch (thrown) {
      fail(failureOf(thrown));
    }
  }

  async #leave(outcome: "done" | "failed" | "cancelled"): Promise<void> {
    this.#signing?.settle();
    enter("closed");
    this.background.settled(outcome);
    // A moment, so that a failure has arrived before its sender closes.
    if (outcome !== "done") await new Promise((resolve) => setTimeout(resolve, 300));
    await closeTab(this.job);
  }
}

/** The first signature field that nobody has signed. */
function firstField(view: DocumentView): Spot | null {
  const free = view.fields.find((field) => field.kind === "signature" && !field.signed && !field.readOnly && field.widgets.length > 0);
  return free ? { kind: "field", field: free.name } : null;
}

/** The page (from 0) that a wish names, where it can be told before the document has been searched. */
function firstPage(wish: Placement | undefined, view: DocumentView): number | null {
  if (!wish) return null;
  const page = "page" in wish ? wish.page : "date" in wish ? wish.date.page : null;
  if (page !== null) return Math.min(Math.max(0, page - 1), Math.max(0, view.pageCount - 1));
  return "field" in wish ? (view.fields.find((field) => field.name === wish.field)?.widgets[0]?.page ?? null) : 0;
}

/** The page's call `verify`: no window to look at, only the report. */
async function verifyOnly(portal: Portal, background: Background, document: Blob, engine: Engine): Promise<void> {
  // Opened behind the portal's page, which stays in front.
  await engine.call("open", document, "");
  await engine.call("hash");
  portal.send({ type: "verified", report: await engine.call("verify") });
  background.settled("done");
  await new Promise((resolve) => setTimeout(resolve, 100));
  await closeTab();
}

/** Closes this tab, and brings the portal's page to the front where one is named. */
async function closeTab(job?: Job): Promise<void> {
  const tab = await chrome.tabs.getCurrent();
  // Not where the person has gone on to another tab, which may be the next document of the same portal.
  if (job && tab?.active) await chrome.tabs.update(job.tab, { active: true }).catch(() => undefined);
  if (tab?.id !== undefined) await chrome.tabs.remove(tab.id);
}

async function start(): Promise<void> {
  await useLanguage();
  translate(document);
  const background = new Background(location.hash.slice(1));
  // Worker and module start while the document is on its way.
  const engine = new Engine();
  let over = false;
  let visit: Job | undefined;
  const end = (failure: Failure | null): void => {
    over = true;
    enter("failed");
    showFailure($("failure"), failure);
    status(t("stampClosed"));
    for (const id of ["progress", "stamp", "cancel"]) $(id).hidden = true;
    $("return").hidden = false;
    $("return").addEventListener("click", () => void closeTab(visit));
  };
  background.onGone = (failure) => !over && document.body.dataset["state"] === "opening" && end(failure);
  const job = await background.job;
  visit = job;
  const portal = new Portal(job);
  try {
    const blob = await portal.document;
    mark("document");
    if (job.verb === "verify") return await verifyOnly(portal, background, blob, engine);
    const page = new StampingPage(job, background, portal, blob, engine);
    if (!(await page.open())) await page.cancel();
  } catch (thrown) {
    // The document can not be opened: the portal's page learns it at once, and here it stays readable.
    const failure = failureOf(thrown);
    portal.send({ type: "failed", failure: tellPage(failure, language()) });
    background.settled("failed");
    if (job.verb === "verify") return closeTab();
    end(failure);
  }
}

void start();
