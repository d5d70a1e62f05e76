// The stamping page: shows the document, takes values and the seal's place, shows the very revision that would be signed,
// and has it signed. The drawn page is always original plus prepared revision, so what is seen is what is signed.

import type { DocumentView, FieldView, PreparedView, SealView } from "sealbridge-wasm";
import { failureOf, Refused, tellPage } from "../failure";
import { showFailure } from "../failure-view";
import { language, t, translate, useLanguage } from "../language";
import type { Job, Placement } from "../messages";
import type { Failure, SealAnswer } from "../protocol";
import type { VerifyReport } from "../page/sealbridge";
import { Engine } from "./engine";
import { Background, Portal } from "./links";
import { Overlay } from "./overlay";
import { showReport } from "./report";
import { Viewer } from "./viewer";
import type { ShownPage } from "./viewer";

/** Wait after the last change before the revision is made again. */
const PAUSE_MS = 350;
/** A revision older than this is made again before it is signed, so that its time is right. */
const FRESH_MS = 90_000;
const PX_PER_MM_100 = 96 / 25.4;

const $ = <E extends HTMLElement = HTMLElement>(id: string): E => document.getElementById(id) as E;

class StampingPage {
  readonly #engine = new Engine();
  readonly #viewer = new Viewer($<HTMLCanvasElement>("canvas"), $("page-text"));
  readonly #values = new Map<string, string>();
  #overlay: Overlay | null = null;
  #view: DocumentView | null = null;
  #sealAnswer: SealAnswer | null = null;
  #seal: SealView | null = null;
  #hashed = false;
  #placement: Placement | null = null;
  #page = 0;
  #zoom: number | null = null;
  #shown: ShownPage | null = null;
  #change = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #preparing: Promise<void> | null = null;
  #prepared: { view: PreparedView; change: number; at: number } | null = null;
  #failure: Failure | null = null;
  /** A failure of signing stays to be read while the revision is made again. */
  #keepFailure = false;
  #hostOperation: string | null = null;
  #settled = false;

  constructor(
    private readonly job: Job,
    private readonly background: Background,
    private readonly portal: Portal,
    private readonly blob: Blob,
  ) {}

  // ---- opening ----

  async open(): Promise<void> {
    $("document-name").textContent = this.job.name;
    $("bar-name").textContent = this.job.name;
    $("site").textContent = this.job.origin;
    document.title = `${t("stampTitle")} · ${this.job.name}`;
    this.#listen();
    this.#status(t("stampOpening"));

    this.#view = await this.#engine.call("open", this.blob, this.job.name);
    const view = this.#view;
    $("document-size").textContent = `${t("stampPages", view.pageCount)} · ${size(view.size)}`;
    $("earlier-row").hidden = view.signatures.length === 0;
    $("earlier").textContent = t("stampEarlierCount", view.signatures.length);
    this.#note(view.hasXfa ? t("stampXfa") : "");
    for (const [name, value] of Object.entries(this.job.fields)) this.#values.set(name, value);
    this.#overlay = new Overlay($("overlay"), view.fields, this.#values);
    this.#overlay.onValue = (field, value) => this.#valueChanged(field, value);
    this.#overlay.onPlacement = (placement) => this.#placeAt(placement);
    this.#placement = this.job.placements[0] ?? this.#firstField();
    this.#page = this.#pageOf(this.#placement) ?? 0;

    // Drawing, hashing and the seal go on side by side.
    const drawn = this.#viewer.open(this.blob).then((pdf) => this.#viewer.use(pdf));
    this.#engine.onHashed = (done) => this.#progress(view.size === 0 ? 100 : Math.floor((done / view.size) * 100));
    const hashed = this.#engine.call("hash").then(() => {
      this.#hashed = true;
      $("progress").hidden = true;
    });
    await drawn;
    $("sheet").hidden = false;
    document.body.dataset["state"] = "editing";
    await this.#draw();
    await this.#fetchSeal();
    await hashed;
    this.#changed(0);
  }

  async #fetchSeal(): Promise<void> {
    $("retry").hidden = true;
    this.#status(t("stampFetchingSeal"));
    try {
      this.#sealAnswer = await this.background.seal();
      this.#seal = await this.#engine.call("useSeal", this.#sealAnswer);
    } catch (thrown) {
      this.#fail(failureOf(thrown));
      this.#status("");
      $("retry").hidden = false;
      return;
    }
    this.#fail(null);
    const seal = this.#seal;
    document.body.dataset["seal"] = "";
    $("organisation").textContent = seal.organisation + (seal.test ? ` · ${t("popupTest")}` : "");
    $("credit-code").textContent = seal.creditCode ?? "";
    $("seal-name").textContent = seal.name;
    $("seal-size").textContent = t("stampSealSize", seal.widthMm, seal.heightMm);
    this.#overlay?.useSeal(seal);
    if (!this.#placement && this.#shown) this.#placement = this.#overlay?.proposal(this.#page) ?? null;
    this.#overlay?.place(this.#placement, false);
    this.#changed(0);
  }

  // ---- changes ----

  #valueChanged(field: FieldView, value: string): void {
    this.#values.set(field.name, value);
    this.#keepFailure = false;
    this.#changed(PAUSE_MS);
  }

  #placeAt(placement: Placement): void {
    this.#placement = placement;
    this.#keepFailure = false;
    this.#overlay?.place(placement, false);
    this.#changed(PAUSE_MS);
  }

  /** The prepared revision is no longer what is wanted; it is made again after a pause. */
  #changed(pause: number): void {
    this.#change += 1;
    this.#prepared = null;
    this.#overlay?.stale();
    this.#ready(false);
    $("code").textContent = "········";
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#prepare(), pause);
  }

  /** Makes the revision for the newest change; runs one at a time. */
  async #prepare(): Promise<void> {
    this.#timer = null;
    if (this.#preparing) {
      // The one that runs sees the change and starts over.
      return this.#preparing;
    }
    this.#preparing = (async () => {
      while (this.#prepared?.change !== this.#change) {
        const { placement } = { placement: this.#placement };
        if (!this.#view || !this.#seal || !this.#hashed || !placement) return;
        const change = this.#change;
        this.#status(t("stampPreparing"));
        try {
          const fields = Object.fromEntries([...this.#values].filter(([name, value]) => this.#original(name) !== value));
          const view = await this.#engine.call("prepare", { placement, fields, time: Math.floor(Date.now() / 1000), language: language() });
          if (change !== this.#change) continue;
          const pdf = await this.#viewer.open(await joined(this.blob, view.tail));
          if (change !== this.#change) {
            void pdf.loadingTask.destroy();
            continue;
          }
          this.#viewer.use(pdf);
          await this.#draw();
          if (change !== this.#change) continue;
          this.#prepared = { view, change, at: Date.now() };
          $("code").textContent = view.code;
          $("place").textContent = view.place;
          this.#overlay?.place(placement, true);
          if (!this.#keepFailure) this.#fail(null);
          this.#ready(document.body.dataset["state"] === "editing");
          this.#status(t("stampReady"));
        } catch (thrown) {
          if (change !== this.#change) continue;
          this.#fail(failureOf(thrown));
          this.#status("");
          return;
        }
      }
    })();
    try {
      await this.#preparing;
    } finally {
      this.#preparing = null;
    }
  }

  #original(name: string): string | undefined {
    return this.#view?.fields.find((field) => field.name === name)?.value;
  }

  // ---- signing ----

  async #sign(): Promise<void> {
    if (!this.#prepared || !this.#seal || !this.#sealAnswer || this.#hostOperation !== null) return;
    this.#fail(null);
    this.#keepFailure = false;
    this.#lock(true);
    let usedUp = false;
    try {
      if (Date.now() - this.#prepared.at > FRESH_MS) {
        this.#changed(0);
        await this.#prepare();
      }
      const prepared = this.#prepared;
      if (!prepared) return;
      const { name, size, pages, digest, place } = { name: this.job.name, ...prepared.view };
      this.#hostOperation = newOperation();
      this.background.onPhase = (phase) => this.#status(t(phase === "consent" ? "stampConsent" : phase === "pin" ? "stampPin" : "stampSigning"));
      this.#status(t("stampConsent"));
      const { signatures } = await this.background.sign(this.#hostOperation, this.#seal.certificate, this.#sealAnswer.id, [{ name, size, pages, digest, place }]);
      const [signature] = signatures;
      if (signature === undefined || signatures.length !== 1) throw { code: "answer-malformed", facts: { detail: "signatures" } } satisfies Failure;
      this.#status(t("stampChecking"));
      usedUp = true;
      const { tail, report } = await this.#engine.call("finish", signature);
      await this.#done(await joined(this.blob, tail), report);
    } catch (thrown) {
      this.#fail(failureOf(thrown));
      this.#keepFailure = true;
      this.#status("");
      // A prepared revision is used up by an attempt to finish it.
      if (usedUp && document.body.dataset["state"] !== "done") this.#changed(0);
    } finally {
      this.#hostOperation = null;
      this.#lock(false);
    }
  }

  async #done(stamped: Blob, report: VerifyReport): Promise<void> {
    document.body.dataset["state"] = "done";
    this.#overlay?.lock(true);
    $("overlay").hidden = true;
    $("title").textContent = t("stampDoneTitle");
    this.#status(t("stampDoneText"));
    $("result").hidden = false;
    showReport($("report"), report);
    for (const id of ["stamp", "cancel", "put-here", "retry"]) $(id).hidden = true;
    $("return").hidden = false;
    $("download").hidden = false;
    if (!this.portal.isOpen) this.#portalGone();
    this.portal.onGone = () => this.#portalGone();
    const unsaved = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener("beforeunload", unsaved);
    $("return").addEventListener("click", () => {
      window.removeEventListener("beforeunload", unsaved);
      if (!this.portal.send({ type: "stamped", blob: stamped, report })) return this.#portalGone();
      void this.#leave("done");
    });
    $("download").addEventListener("click", () => {
      window.removeEventListener("beforeunload", unsaved);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(stamped);
      link.download = stampedName(this.job.name);
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    });
    $("return").focus();
    const pdf = await this.#viewer.open(stamped);
    this.#viewer.use(pdf);
    await this.#draw();
  }

  #portalGone(): void {
    if (this.#settled) return;
    $<HTMLButtonElement>("return").disabled = true;
    this.#note(t("stampPortalGone"));
  }

  // ---- leaving ----

  /** Tells the portal's page, and closes. */
  async cancel(): Promise<void> {
    if (this.#hostOperation !== null) this.background.cancelSigning(this.#hostOperation);
    this.portal.send({ type: "failed", failure: tellPage(this.#failure ?? { code: "cancelled" }, language()) });
    await this.#leave("failed");
  }

  async #leave(outcome: "done" | "failed"): Promise<void> {
    this.#settled = true;
    document.body.dataset["state"] = "closed";
    this.background.settled(outcome);
    // A moment, so that a Blob has arrived before its maker closes.
    await new Promise((resolve) => setTimeout(resolve, 300));
    await closeTab(this.job);
  }

  // ---- drawing ----

  async #draw(): Promise<void> {
    const desk = $("desk");
    const fit = (widthMm: number): number => Math.max(1, (desk.clientWidth - 48) / widthMm);
    const shown = await this.#viewer.show(this.#page, (widthMm) => (this.#zoom === null ? Math.min(fit(widthMm), PX_PER_MM_100 * 2) : this.#zoom * PX_PER_MM_100));
    if (!shown) return;
    this.#shown = shown;
    $("sheet").setAttribute("aria-label", t("stampSheet", this.#page + 1));
    $<HTMLInputElement>("page").value = String(this.#page + 1);
    $("page-of").textContent = t("stampPageOf", this.#viewer.pages);
    $<HTMLButtonElement>("previous").disabled = this.#page <= 0;
    $<HTMLButtonElement>("next").disabled = this.#page >= this.#viewer.pages - 1;
    $("zoom-fit").textContent = `${Math.round((shown.pxPerMm / PX_PER_MM_100) * 100)}%`;
    this.#overlay?.show(this.#page, shown);
    $("put-here").hidden = !this.#seal || document.body.dataset["state"] !== "editing" || this.#pageOf(this.#placement) === this.#page;
  }

  #go(page: number): void {
    const last = Math.max(0, this.#viewer.pages - 1);
    this.#page = Math.min(Math.max(0, Number.isFinite(page) ? page : this.#page), last);
    void this.#draw().then(() => $("desk").scrollTo({ top: 0 }));
  }

  #zoomBy(factor: number): void {
    const now = (this.#shown?.pxPerMm ?? PX_PER_MM_100) / PX_PER_MM_100;
    this.#zoom = Math.min(5, Math.max(0.25, now * factor));
    void this.#draw();
  }

  #listen(): void {
    $("previous").addEventListener("click", () => this.#go(this.#page - 1));
    $("next").addEventListener("click", () => this.#go(this.#page + 1));
    $("page").addEventListener("change", () => this.#go(Number.parseInt($<HTMLInputElement>("page").value, 10) - 1));
    $("zoom-in").addEventListener("click", () => this.#zoomBy(1.25));
    $("zoom-out").addEventListener("click", () => this.#zoomBy(0.8));
    $("zoom-fit").addEventListener("click", () => {
      this.#zoom = null;
      void this.#draw();
    });
    let resized: ReturnType<typeof setTimeout> | null = null;
    window.addEventListener("resize", () => {
      if (resized !== null) clearTimeout(resized);
      resized = setTimeout(() => this.#zoom === null && void this.#draw(), 150);
    });
    $("put-here").addEventListener("click", () => {
      const proposal = this.#overlay?.proposal(this.#page);
      if (!proposal) return;
      this.#placeAt(proposal);
      $("put-here").hidden = true;
      $("seal")?.focus();
    });
    $("stamp").addEventListener("click", () => void this.#sign());
    $("cancel").addEventListener("click", () => void this.cancel());
    $("retry").addEventListener("click", () => void this.#fetchSeal());
    document.addEventListener("keydown", (event) => {
      const typing = event.target instanceof HTMLElement && event.target.matches("input, textarea, select, #seal");
      if (typing || event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === "PageDown") this.#go(this.#page + 1);
      else if (event.key === "PageUp") this.#go(this.#page - 1);
      else return;
      event.preventDefault();
    });
    this.portal.onAborted = () => {
      this.#settled = true;
      if (this.#hostOperation !== null) this.background.cancelSigning(this.#hostOperation);
    };
  }

  // ---- small things ----

  #firstField(): Placement | null {
    const free = this.#view?.fields.find((field) => field.kind === "signature" && !field.signed && !field.readOnly && field.widgets.length > 0);
    return free ? { field: free.name } : null;
  }

  #pageOf(placement: Placement | null): number | null {
    if (!placement) return null;
    if ("page" in placement) return Math.min(Math.max(0, placement.page - 1), Math.max(0, (this.#view?.pageCount ?? 1) - 1));
    return this.#view?.fields.find((field) => field.name === placement.field)?.widgets[0]?.page ?? null;
  }

  #lock(locked: boolean): void {
    if (locked) document.body.dataset["state"] = "signing";
    else if (document.body.dataset["state"] === "signing") document.body.dataset["state"] = "editing";
    this.#overlay?.lock(locked);
    if (locked) this.#ready(false);
    else if (this.#prepared) this.#ready(document.body.dataset["state"] === "editing");
  }

  #ready(ready: boolean): void {
    $<HTMLButtonElement>("stamp").disabled = !ready;
  }

  #fail(failure: Failure | null): void {
    this.#failure = failure;
    showFailure($("failure"), failure);
  }

  #status(text: string): void {
    $("status").textContent = text;
  }

  #note(text: string): void {
    $("note").hidden = text === "";
    $("note").textContent = text;
  }

  #progress(percent: number): void {
    $("progress").hidden = this.#hashed || percent >= 100;
    $<HTMLProgressElement>("progress").value = percent;
    if (!this.#hashed && this.#seal && percent < 100) this.#status(t("stampHashing", percent));
  }
}

/** The page's call `verify`: no window to look at, only the report. */
async function verifyOnly(portal: Portal, background: Background, document: Blob): Promise<void> {
  // Opened behind the portal's page, which stays in front.
  const engine = new Engine();
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

/** Original and revision as one Blob, read back: the verifier saw these bytes, and these must be the ones that leave. */
async function joined(original: Blob, tail: Uint8Array): Promise<Blob> {
  const whole = new Blob([original, tail as Uint8Array<ArrayBuffer>], { type: "application/pdf" });
  const back = new Uint8Array(await whole.slice(original.size).arrayBuffer());
  if (back.length !== tail.length || !back.every((byte, index) => byte === tail[index])) throw new Refused("internal", { detail: "the revision was not appended as it is" });
  return whole;
}

function size(bytes: number): string {
  if (bytes < 1024 * 1024) return `${Math.max(1, Math.round(bytes / 1024))} KB`;
  return `${(bytes / (1024 * 1024)).toFixed(1)} MB`;
}

function stampedName(name: string): string {
  const stem = name.replace(/\.pdf$/i, "");
  return `${stem}${language() === "en" ? "-stamped" : "-已盖章"}.pdf`;
}

/** 128 random bits as 22 characters of base64url. */
function newOperation(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function start(): Promise<void> {
  await useLanguage();
  translate(document);
  const background = new Background(location.hash.slice(1));
  let over = false;
  let visit: Job | undefined;
  const end = (failure: Failure | null): void => {
    over = true;
    document.body.dataset["state"] = "failed";
    showFailure($("failure"), failure);
    $("status").textContent = t("stampClosed");
    $("progress").hidden = true;
    $("stamp").hidden = true;
    $("cancel").hidden = true;
    $("return").hidden = false;
    $("return").addEventListener("click", () => void closeTab(visit));
  };
  background.onGone = (failure) => !over && document.body.dataset["state"] === "opening" && end(failure);
  const job = await background.job;
  visit = job;
  const portal = new Portal(job);
  try {
    const blob = await portal.document;
    if (job.verb === "verify") return await verifyOnly(portal, background, blob);
    const page = new StampingPage(job, background, portal, blob);
    await page.open();
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
