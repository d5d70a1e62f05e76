// Several documents under one consent and one PIN. Each is prepared, signed about and checked for itself: what is refused says why
// and stops nothing else. Before the host is asked, what it signs is written down under its operation id, so that a page that was
// closed or loaded again takes up the signatures that there are instead of having them made twice.

import type { PreparedView } from "sealbridge-wasm";
import { $ } from "../draw";
import { failureOf, Refused, tellPage } from "../failure";
import { language, t } from "../language";
import type { Job } from "../messages";
import type { Failure } from "../protocol";
import { joined } from "./joined";
import * as store from "./kept";
import type { KeptList } from "./kept";
import type { Background, Portal } from "./links";
import { PaperList } from "./list";
import { mark } from "./moments";
import type { StampingPage } from "./page";
import { isSeal, listed } from "./paper";
import type { Kept, Paper } from "./paper";
import { changedValues, FRESH_MS } from "./preview";
import { showReport } from "./report";
import { download, newOperation } from "./signing";
import { announce, enter, fail, note, phase, status } from "./ui";

/** After these the key may have signed nevertheless; the journal is asked again before anything else is signed. */
const UNCERTAIN: readonly string[] = ["host-lost", "host-missing", "host-timeout", "extension-stopped"];

export interface Parties {
  job: Job;
  background: Background;
  portal: Portal;
  page: StampingPage;
  papers: readonly Paper[];
  leave: (outcome: "done") => Promise<void>;
}

export class Batch {
  readonly #list: PaperList;
  /** What the host was asked to sign, until it is handed over or known to be unsigned. */
  #record: KeptList | null = null;
  /** Under which the host works now. */
  #operation: string | null = null;
  #stopped = false;
  /** An earlier life of this page was interrupted before anything was signed; said once. */
  #notSigned = false;
  #over = false;
  #shown: Paper | null = null;
  #wanted: Paper | null = null;
  #opening = false;
  #preparing = false;
  #code = 0;
  readonly #unsaved = (event: BeforeUnloadEvent): void => event.preventDefault();

  constructor(private readonly parties: Parties) {
    this.#list = new PaperList(parties.papers);
    $("title").textContent = t("batchTitle", parties.papers.length);
    $("code-label").textContent = t("batchCode");
    $("code-help").textContent = t("batchCodeHelp");
    $("download").textContent = t("batchDownload");
    this.#listen();
  }

  /** Takes up what an earlier life of this page has left, and opens the first document. */
  async begin(): Promise<void> {
    const { job, papers } = this.parties;
    const left = await store.find(job.operation, job.origin, papers);
    if (!left || !(await this.#resume(left))) {
      const [first] = papers;
      if (first) await this.#show(first);
    }
  }

  /** Closes the host's window, where one is open, or stops between two documents. */
  cancel(): void {
    this.#stopped = true;
    if (this.#operation !== null) this.parties.background.cancelSigning(this.#operation);
    // Given up by the person: what has been signed is not taken up again.
    else if (phase() === "editing" && this.#record) void this.#forget();
  }

  /** The portal's page is told of the end by somebody else. */
  settle(): void {
    this.#over = true;
    window.removeEventListener("beforeunload", this.#unsaved);
  }

  /** Has everything that is ready signed, and checks each result. */
  async sign(): Promise<void> {
    const { job, background, page } = this.parties;
    const { sealed } = page;
    if (!sealed || phase() !== "editing" || this.#opening || !this.#complete) return;
    mark("pressed");
    this.#begin();
    try {
      if (this.#record && (await this.#recovered(this.#record))) {
        await this.#finish(this.#record);
        return await this.#done();
      }
      await this.#refresh();
      const papers = this.#ready;
      if (this.#stopped || papers.length === 0) return;
      await this.#showCode();
      this.#operation = newOperation();
      const documents = await Promise.all(
        papers.map(async ({ index, name, blob, kept }) => ({ index, name, size: blob.size, digest: kept.view.digest, revision: new Uint8Array(await kept.bytes.arrayBuffer()) })),
      );
      this.#record = { operation: job.operation, origin: job.origin, hostOperation: this.#operation, at: Date.now(), documents, signatures: null };
      await store.keep(this.#record);
      if (this.#stopped) return await this.#forget();
      background.onPhase = (now) => {
        mark(now);
        status(t(now === "consent" ? "stampConsent" : now === "pin" ? "stampPin" : "stampSigning"));
      };
      status(t("stampConsent"));
      const { signatures } = await background.sign(this.#operation, sealed.view.certificate, sealed.answer.id, listed(papers));
      this.#operation = null;
      mark("signed");
      await this.#signed(this.#record, signatures);
      await this.#finish(this.#record);
      await this.#done();
    } catch (thrown) {
      const failure = failureOf(thrown);
      fail(failure);
      status("");
      page.preview.keepFailure = true;
      if (!UNCERTAIN.includes(failure.code)) await this.#forget();
    } finally {
      this.#operation = null;
      this.#end();
    }
  }

  // ---- before signing ----

  /** Those that would be signed now. */
  get #ready(): (Paper & { kept: Kept })[] {
    return this.parties.papers.filter((paper): paper is Paper & { kept: Kept } => paper.state === "ready");
  }

  /** Nothing is left to be looked after: each is ready, refused, left out or stamped, and one is ready at least. */
  get #complete(): boolean {
    return this.#ready.length > 0 && !this.parties.papers.some(({ state }) => state === "waiting" || state === "seen");
  }

  /** Puts a document on the desk; of several wishes in a row the last one counts. */
  async #show(paper: Paper): Promise<void> {
    this.#wanted = paper;
    if (this.#opening) return;
    this.#opening = true;
    this.#update();
    try {
      while (this.#wanted && this.#wanted !== this.#shown) {
        const next: Paper = this.#wanted;
        await this.#open(next);
        this.#shown = next;
        this.#update();
      }
    } finally {
      this.#opening = false;
    }
    this.#update();
    this.#prepareAhead();
  }

  async #open(paper: Paper): Promise<void> {
    const { page } = this.parties;
    const { result, failure } = paper;
    const reading = phase() === "done" || result !== null;
    $("places").hidden = reading;
    $("result").hidden = !result;
    if (result) showReport($("report"), result.report);
    try {
      if (reading) {
        await page.look(paper, result?.blob ?? paper.blob, (result?.report.signatures.at(-1)?.page ?? 1) - 1);
        $("place").textContent = paper.kept?.view.place ?? "";
        if (!result && paper.included) fail(failure);
      } else if (await page.open(paper)) {
        paper.seen = true;
        paper.tried = false;
        // What could not be opened before is open now.
        if (!paper.kept) paper.failure = null;
        page.ready(paper).catch((thrown: unknown) => this.#refused(paper, failureOf(thrown)));
      } else {
        this.#refused(paper, { code: "pdf-password-needed", facts: { name: paper.name } });
      }
    } catch (thrown) {
      // One that can be read no more stays as it was refused.
      if (!reading) this.#refused(paper, failureOf(thrown));
      else fail(failure ?? failureOf(thrown));
    }
  }

  #refused(paper: Paper, failure: Failure): void {
    paper.failure = failure;
    paper.kept = null;
    if (this.parties.page.paper === paper) {
      fail(failure);
      status("");
      this.parties.page.offerOwner(failure.code);
      // Nothing can be put on what is not open.
      $("places").hidden = paper.view === null;
    }
    this.#update();
  }

  /** Prepares the documents that nobody has opened, one after the other, while the person looks at the first. */
  #prepareAhead(): void {
    if (this.#preparing) return;
    this.#preparing = true;
    void (async () => {
      for (;;) {
        const { page, papers } = this.parties;
        const next = papers.find((paper) => paper.included && !paper.tried && paper !== page.paper && paper !== this.#wanted && !paper.kept && !paper.failure && !paper.result);
        if (!next || !page.sealed || this.#over || phase() !== "editing") break;
        next.tried = true;
        try {
          await this.#prepare(next);
        } catch (thrown) {
          if (!next.shelved && page.paper !== next) next.failure = failureOf(thrown);
        }
        this.#update();
      }
      this.#preparing = false;
    })();
  }

  /** Makes the revision of a document that is not on the desk; none where nobody has said where the seal goes. */
  async #prepare(paper: Paper): Promise<void> {
    const { engine } = this.parties.page;
    if (!paper.view) paper.opened(await engine.on(paper.index, "open", paper.blob, paper.name, paper.password ?? undefined));
    else paper.opened(paper.view);
    const { view } = paper;
    await this.parties.page.hash(paper, false);
    const placements = paper.wanted;
    if (!view || !placements.some(isSeal) || this.parties.page.paper === paper) return;
    const made = await engine.on(paper.index, "prepareKept", { placements, fields: changedValues(paper.values, view), time: now(), language: language() });
    // Opened meanwhile, it is made again as it is seen.
    if (this.parties.page.paper !== paper) paper.kept = keptOf(made, made.kept);
  }

  /** Makes revisions again whose time would be wrong. */
  async #refresh(): Promise<void> {
    const papers = this.#ready;
    for (const [number, paper] of papers.entries()) {
      if (this.#stopped) return;
      if (Date.now() - paper.kept.at <= FRESH_MS) continue;
      this.#progress(t("batchPreparing", number + 1, papers.length), number, papers.length);
      try {
        if (this.parties.page.paper === paper) await this.parties.page.preview.fresh();
        else await this.#prepare(paper);
      } catch (thrown) {
        this.#refused(paper, failureOf(thrown));
      }
    }
  }

  /** Puts the places of the document on the desk on all others. */
  #applyToAll(): void {
    const { page, papers } = this.parties;
    const from = page.paper;
    if (!from?.view || phase() !== "editing") return;
    const spots = [...page.items.all];
    const others = papers.filter((paper) => paper !== from && !paper.result);
    for (const paper of others) paper.follow(spots, from.view.pageCount);
    announce(t("batchApplied", others.length));
    note(t("batchApplied", others.length));
    this.#update();
    this.#prepareAhead();
  }

  // ---- after signing ----

  async #signed(record: KeptList, signatures: string[]): Promise<void> {
    if (signatures.length !== record.documents.length) throw new Refused("answer-malformed", { detail: "signatures" });
    record.signatures = signatures;
    await store.keep(record);
  }

  /** Puts each signature into its document and checks the result; ends where it is stopped, to be gone on with. */
  async #finish(record: KeptList): Promise<void> {
    const { page, papers, portal } = this.parties;
    const { documents } = record;
    for (const [number, { index, revision }] of documents.entries()) {
      const paper = papers[index];
      const signature = record.signatures?.[number];
      if (!paper || signature === undefined || paper.result) continue;
      if (this.#stopped) break;
      this.#progress(t("batchChecking", number + 1, documents.length), number, documents.length);
      try {
        if (!(await page.unlocked(paper))) throw new Refused("pdf-password-needed", { name: paper.name });
        await page.hash(paper, true);
        const { tail, report } = await page.engine.on(index, "finishKept", revision, signature);
        paper.result = { blob: await joined(paper.blob, tail), report };
        paper.failure = null;
      } catch (thrown) {
        paper.failure = failureOf(thrown);
        paper.kept = null;
      }
      portal.progress({ stamped: papers.filter(({ result }) => result).length, refused: papers.filter(({ state }) => state === "refused").length, count: papers.length });
      this.#list.update(page.paper, false);
      // What is pressed meanwhile is heard before the next one.
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  /** Whether signatures wait to be put into their documents. */
  get #unfinished(): boolean {
    const { papers } = this.parties;
    return this.#record?.signatures != null && this.#record.documents.some(({ index }) => papers[index] && !papers[index].result && !papers[index].failure);
  }

  async #done(): Promise<void> {
    const { papers, portal, page } = this.parties;
    const stamped = papers.filter(({ result }) => result).length;
    mark("stamped");
    enter("done");
    $("progress").hidden = true;
    const all = stamped === papers.length;
    $("title").textContent = t(all ? "stampDoneTitle" : "batchDoneTitle", stamped, papers.length);
    $("title").toggleAttribute("data-partly", !all);
    status(t(this.#unfinished ? "batchStopped" : all ? "batchDoneText" : "batchPartlyText", stamped, papers.length));
    for (const id of ["stamp", "cancel", "retry", "stop", "papers-foot"]) $(id).hidden = true;
    for (const id of ["return", "download"]) $(id).hidden = false;
    $<HTMLButtonElement>("download").disabled = stamped === 0;
    $("go-on").hidden = all;
    $("go-on").textContent = t(this.#unfinished ? "batchGoOn" : "batchRest");
    if (!portal.isOpen) this.#portalGone();
    portal.onGone = () => this.#portalGone();
    if (stamped > 0) window.addEventListener("beforeunload", this.#unsaved);
    // What the module's memory has grown to, for those who measure.
    void page.engine.memory().then((bytes) => (document.body.dataset["wasmBytes"] = String(bytes)));
    $("return").focus();
    this.#shown = null;
    await this.#show(page.paper ?? papers.find(({ result }) => result) ?? papers[0] ?? nobody());
  }

  /** Goes on with what was stopped, or with the documents that are not stamped. */
  async #goOn(): Promise<void> {
    if (phase() !== "done") return;
    for (const id of ["return", "download", "go-on"]) $(id).hidden = true;
    for (const id of ["stamp", "cancel", "papers-foot"]) $(id).hidden = false;
    $("title").removeAttribute("data-partly");
    if (this.#unfinished && this.#record) {
      this.#begin();
      await this.#finish(this.#record);
      await this.#done();
      this.#end();
      return;
    }
    $("title").textContent = t("batchTitle", this.parties.papers.length);
    enter("editing");
    this.#shown = null;
    const next = this.parties.papers.find(({ state }) => state !== "stamped" && state !== "left-out") ?? this.parties.papers.find(({ state }) => state !== "stamped");
    if (next) await this.#show(next);
    this.#update();
  }

  // ---- taking up ----

  /** Takes up an earlier list; false where nothing of it can be used, and the documents are opened as ever. */
  async #resume(left: KeptList): Promise<boolean> {
    this.#record = left;
    status(t("batchResuming"));
    this.#begin();
    if (await this.#recovered(left)) await this.#finish(left);
    const taken = left.documents.some(({ index }) => this.parties.papers[index]?.result);
    if (taken) {
      await this.#done();
      note(t("batchResumed"));
    } else {
      // Other documents under the same names, or no signature: from the beginning.
      for (const paper of this.parties.papers) paper.failure = null;
      await this.#forget();
      this.#notSigned = true;
    }
    this.#end();
    return taken;
  }

  /** Whether there are signatures for a list that was under way; asks the host's journal, and never to sign. */
  async #recovered(record: KeptList): Promise<boolean> {
    if (record.signatures) return true;
    try {
      const outcome = await this.parties.background.outcome(record.hostOperation);
      if (!outcome) return false;
      await this.#signed(record, outcome.signatures);
      return true;
    } catch {
      // It has failed: nothing of it was handed out, and it is asked for anew.
      return false;
    }
  }

  async #forget(): Promise<void> {
    const record = this.#record;
    this.#record = null;
    if (record) await store.forget(record.operation);
  }

  // ---- what is shown ----

  #listen(): void {
    const { page } = this.parties;
    this.#list.onOpen = (paper) => {
      if (phase() === "signing") return;
      if (this.#shown === paper && paper.failure && !paper.view) this.#shown = null;
      void this.#show(paper);
    };
    this.#list.onInclude = (paper, included) => {
      if (phase() !== "editing") return;
      paper.included = included;
      this.#update();
      this.#prepareAhead();
    };
    this.#list.onSave = (paper) => paper.result && download(paper.name, paper.result.blob);
    page.onSealed = () => {
      // Another seal makes other revisions.
      for (const paper of this.parties.papers) if (!paper.result) paper.kept = null;
      for (const paper of this.parties.papers) paper.tried = false;
      this.#update();
    };
    page.preview.onStale = () => {
      const { paper } = page;
      if (!paper || paper.result) return;
      paper.kept = null;
      paper.failure = null;
      this.#update();
    };
    page.preview.onMade = (view, kept) => {
      if (page.paper && kept) Object.assign(page.paper, { kept: keptOf(view, kept), failure: null, seen: true });
      this.#update();
      this.#prepareAhead();
    };
    page.preview.onRefused = (failure) => page.paper && this.#refused(page.paper, failure);
    page.preview.onReady = () => this.#update();
    $("apply-all").addEventListener("click", () => this.#applyToAll());
    $("stop").addEventListener("click", () => {
      this.cancel();
      $<HTMLButtonElement>("stop").disabled = true;
    });
    $("go-on").addEventListener("click", () => void this.#goOn());
    $("download").addEventListener("click", () => void this.#downloadAll());
    $("return").addEventListener("click", () => void this.#return());
  }

  /** List, button and status line. */
  #update(): void {
    const { page, papers } = this.parties;
    const editing = phase() === "editing";
    this.#list.update(page.paper, editing);
    const ready = this.#ready;
    $<HTMLButtonElement>("stamp").disabled = !editing || this.#opening || !page.sealed || !this.#complete;
    $("stamp").textContent = t("batchButton", ready.length);
    $<HTMLButtonElement>("apply-all").disabled = !editing || this.#opening || !page.items.carrier;
    if (!editing) return;
    if (this.#complete) {
      const unseen = ready.filter(({ seen }) => !seen).length;
      status(unseen > 0 ? t("batchReadyUnseen", ready.length, unseen) : t("batchReady", ready.length));
    } else if (page.sealed) {
      const open = papers.filter(({ state }) => state === "waiting" || state === "seen");
      const without = open.filter((paper) => paper !== page.paper && paper.tried && paper.view && !paper.wanted.some(isSeal));
      if (open.length > 0 && without.length === open.length) status(t("batchWithout", without.length));
      else if (open.length > 0) status(t("batchPreparing", papers.length - open.length, papers.length));
      else status(t("batchNothing"));
    }
    if (this.#notSigned && page.sealed) {
      note(t("batchNotSigned"));
      this.#notSigned = false;
    }
    void this.#showCode();
  }

  /** The code of what would be signed now, as the host's window will show it. */
  async #showCode(): Promise<void> {
    this.#code += 1;
    const turn = this.#code;
    const ready = this.#ready;
    const [first] = ready;
    const code = !this.#complete || !first ? "········" : ready.length === 1 ? first.kept.view.code : await this.parties.page.engine.call("listCode", ready.map(({ kept }) => kept.view.digest));
    if (turn === this.#code) $("code").textContent = code;
  }

  #begin(): void {
    this.#stopped = false;
    fail(null);
    this.parties.page.preview.keepFailure = false;
    enter("signing");
    this.#lock(true);
  }

  #end(): void {
    $("progress").hidden = true;
    if (phase() === "signing") enter("editing");
    this.#lock(false);
  }

  #lock(locked: boolean): void {
    const idle = phase() !== "editing";
    this.parties.page.overlay.lock(locked || idle);
    $("places").inert = locked || idle;
    $("papers-foot").inert = locked;
    $("cancel").hidden = locked || phase() === "done";
    $("stop").hidden = !locked;
    $<HTMLButtonElement>("stop").disabled = false;
    this.#update();
  }

  #progress(text: string, done: number, count: number): void {
    status(text);
    $("progress").hidden = false;
    $<HTMLProgressElement>("progress").value = (100 * done) / Math.max(1, count);
  }

  async #return(): Promise<void> {
    const { papers, portal } = this.parties;
    // Whoever comes to close this page before the results have arrived is asked.
    if (!(await portal.deliver(papers.map((paper) => paper.outcome((failure) => tellPage(failure, language())))))) return this.#portalGone();
    await this.#forget();
    await this.parties.leave("done");
  }

  async #downloadAll(): Promise<void> {
    window.removeEventListener("beforeunload", this.#unsaved);
    for (const { name, result } of this.parties.papers) {
      if (!result) continue;
      download(name, result.blob);
      // Browsers drop downloads that come all at once.
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  #portalGone(): void {
    if (this.#over || phase() !== "done") return;
    $<HTMLButtonElement>("return").disabled = true;
    note(t("batchPortalGone"));
  }
}

function keptOf({ digest, code, place, page, pages, size }: PreparedView, bytes: Uint8Array): Kept {
  return { view: { digest, code, place, page, pages, size }, bytes: new Blob([bytes as Uint8Array<ArrayBuffer>]), at: Date.now() };
}

function nobody(): never {
  throw new Refused("internal", { detail: "no document" });
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
