// Has the prepared revision of one document signed, finishes and checks it, and hands it over. Signing happens in the host; here its phases
// are shown. What leaves has been accepted by our own verifier.

import type { SealView } from "sealbridge-wasm";
import { $, save } from "../draw";
import { failureOf } from "../failure";
import { language, t } from "../language";
import type { Job } from "../messages";
import type { VerifyReport } from "../page/sealbridge";
import type { Failure, SealAnswer } from "../protocol";
import { joined } from "./joined";
import type { Background, Portal } from "./links";
import { mark } from "./moments";
import type { StampingPage } from "./page";
import { showReport } from "./report";
import { enter, fail, note, phase, status } from "./ui";

/** The seal in use, as the host gave it and as people see it. */
export interface Sealed {
  answer: SealAnswer;
  view: SealView;
}

export interface Parties {
  job: Job;
  background: Background;
  portal: Portal;
  page: StampingPage;
  /** Closes the page; tells the background how it ended. */
  leave: (outcome: "done") => Promise<void>;
}

export class Signing {
  #operation: string | null = null;
  #over = false;

  constructor(private readonly parties: Parties) {}

  get running(): boolean {
    return this.#operation !== null;
  }

  /** Closes the host's window, where one is open. */
  cancel(): void {
    if (this.#operation !== null) this.parties.background.cancelSigning(this.#operation);
  }

  /** The portal's page is told of the end by somebody else. */
  settle(): void {
    this.#over = true;
  }

  async sign(): Promise<void> {
    const { background, page } = this.parties;
    const { engine, preview, sealed: seal, paper } = page;
    if (!preview.prepared || !seal || !paper || this.#operation !== null) return;
    mark("pressed");
    fail(null);
    preview.keepFailure = false;
    this.#lock(true);
    let usedUp = false;
    try {
      const prepared = await preview.fresh();
      if (!prepared) return;
      const { size, pages, digest, place } = prepared.view;
      this.#operation = newOperation();
      background.onPhase = (now) => {
        mark(now);
        status(t(now === "consent" ? "stampConsent" : now === "pin" ? "stampPin" : "stampSigning"));
      };
      status(t("stampConsent"));
      const { signatures } = await background.sign(this.#operation, seal.view.certificate, seal.answer.id, [{ name: paper.name, size, pages, digest, place }]);
      const [signature] = signatures;
      if (signature === undefined || signatures.length !== 1) throw { code: "answer-malformed", facts: { detail: "signatures" } } satisfies Failure;
      mark("signed");
      status(t("stampChecking"));
      usedUp = true;
      const { tail, report } = await engine.call("finish", signature);
      const stamped = await joined(paper.blob, tail);
      mark("stamped");
      await this.#done(paper.name, stamped, report);
    } catch (thrown) {
      fail(failureOf(thrown));
      preview.keepFailure = true;
      status("");
      // A prepared revision is used up by an attempt to finish it.
      if (usedUp && phase() !== "done") preview.changed(0);
    } finally {
      this.#operation = null;
      this.#lock(false);
    }
  }

  #lock(locked: boolean): void {
    const { overlay, preview } = this.parties.page;
    if (locked) enter("signing");
    else if (phase() === "signing") enter("editing");
    overlay.lock(locked || phase() !== "editing");
    $("places").inert = locked || phase() !== "editing";
    preview.onReady(!locked && preview.prepared !== null && phase() === "editing");
  }

  async #done(name: string, stamped: Blob, report: VerifyReport): Promise<void> {
    const { portal, page } = this.parties;
    const { engine, viewer, desk } = page;
    enter("done");
    $("overlay").hidden = true;
    $("places").hidden = true;
    $("title").textContent = t("stampDoneTitle");
    status(t("stampDoneText"));
    $("result").hidden = false;
    showReport($("report"), report);
    for (const id of ["stamp", "cancel", "retry"]) $(id).hidden = true;
    $("return").hidden = false;
    $("download").hidden = false;
    if (!portal.isOpen) this.#portalGone();
    portal.onGone = () => this.#portalGone();
    const unsaved = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener("beforeunload", unsaved);
    $("return").addEventListener("click", () => {
      void (async () => {
        // Whoever comes to close this page before the result has arrived is asked.
        if (!(await portal.deliver([{ name, blob: stamped, report }]))) return this.#portalGone();
        window.removeEventListener("beforeunload", unsaved);
        await this.parties.leave("done");
      })();
    });
    $("download").addEventListener("click", () => {
      window.removeEventListener("beforeunload", unsaved);
      download(name, stamped);
    });
    // What the module's memory has grown to, for those who measure.
    void engine.memory().then((bytes) => (document.body.dataset["wasmBytes"] = String(bytes)));
    $("return").focus();
    await desk.use(await viewer.open(stamped));
    document.body.dataset["drawn"] = "result";
  }

  #portalGone(): void {
    if (this.#over) return;
    $<HTMLButtonElement>("return").disabled = true;
    note(t("stampPortalGone"));
  }
}

/** Saves a stamped document under the name of its original. */
export function download(name: string, stamped: Blob): void {
  save(stampedName(name), stamped);
}

function stampedName(name: string): string {
  const stem = name.replace(/\.pdf$/i, "");
  return `${stem}${language() === "en" ? "-stamped" : "-已盖章"}.pdf`;
}

/** 128 random bits as 22 characters of base64url. */
export function newOperation(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
