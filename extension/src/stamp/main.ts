// Opens and closes the stamping page: takes the visit from the background and the documents from the portal's page, hands one
// document to the button and several to the list, and tells both sides how it ended.

import { $ } from "../draw";
import { failureOf, tellPage } from "../failure";
import { showFailure } from "../failure-view";
import { language, t, translate, useLanguage } from "../language";
import type { Job } from "../messages";
import type { Failure } from "../protocol";
import { Batch } from "./batch";
import { Engine } from "./engine";
import { Background, Portal } from "./links";
import { mark } from "./moments";
import { StampingPage } from "./page";
import { Paper } from "./paper";
import { Signing } from "./signing";
import { enter, shownFailure, status } from "./ui";

/** One visit of a person, for one document or for a list. */
class Visit {
  readonly #page: StampingPage;
  readonly #papers: readonly Paper[];
  readonly #signing: Signing | Batch;

  constructor(
    private readonly job: Job,
    private readonly background: Background,
    private readonly portal: Portal,
    blobs: readonly Blob[],
    engine: Engine,
  ) {
    this.#papers = blobs.flatMap((blob, index) => {
      const document = job.documents[index];
      return document ? [new Paper(index, blob, document.name, document)] : [];
    });
    this.#page = new StampingPage(job, background, engine);
    const parties = { job, background, portal, page: this.#page, leave: (outcome: "done") => this.#leave(outcome) };
    this.#signing = job.batch ? new Batch({ ...parties, papers: this.#papers }) : new Signing(parties);
    $("cancel").addEventListener("click", () => void this.cancel());
    $("stamp").addEventListener("click", () => void this.#signing.sign());
    portal.onAborted = () => {
      this.#signing.settle();
      this.#signing.cancel();
    };
  }

  /** Opens the only document, or the list; false where the person has given up at the only document's password. */
  async begin(): Promise<boolean> {
    if (this.#signing instanceof Batch) {
      await this.#signing.begin();
      return true;
    }
    const [paper] = this.#papers;
    if (!paper || !(await this.#page.open(paper))) return false;
    await this.#page.ready(paper);
    return true;
  }

  /** Tells the portal's page, and closes. */
  async cancel(): Promise<void> {
    this.#signing.cancel();
    // What is wrong with one document of a list is no reason for all of them.
    const failure = (this.job.batch ? null : shownFailure()) ?? { code: "cancelled" };
    this.portal.send({ type: "failed", failure: tellPage(failure, language()) });
    await this.#leave(failure.code === "cancelled" ? "cancelled" : "failed");
  }

  async #leave(outcome: "done" | "failed" | "cancelled"): Promise<void> {
    this.#signing.settle();
    enter("closed");
    this.background.settled(outcome);
    // A moment, so that a failure has arrived before its sender closes.
    if (outcome !== "done") await new Promise((resolve) => setTimeout(resolve, 300));
    await closeTab(this.job);
  }
}

/** The page's call `verify`: no window to look at, only the report. */
async function verifyOnly(portal: Portal, background: Background, document: Blob, engine: Engine): Promise<void> {
  // Opened behind the portal's page, which stays in front.
  await engine.call("open", document, "");
  await engine.hash(engine.document, document, "");
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
  // Workers and module start while the document is on its way.
  const engine = new Engine();
  await useLanguage();
  translate(document);
  const background = new Background(location.hash.slice(1));
  let over = false;
  let known: Job | undefined;
  const end = (failure: Failure | null): void => {
    over = true;
    engine.end();
    enter("failed");
    showFailure($("failure"), failure);
    status(t("stampClosed"));
    for (const id of ["progress", "stamp", "cancel"]) $(id).hidden = true;
    $("return").hidden = false;
    $("return").addEventListener("click", () => void closeTab(known));
  };
  background.onGone = (failure) => !over && document.body.dataset["state"] === "opening" && end(failure);
  const job = await background.job;
  known = job;
  const portal = new Portal(job);
  try {
    const blobs = await portal.documents;
    mark("document");
    const [blob] = blobs;
    if (job.verb === "verify" && blob) return await verifyOnly(portal, background, blob, engine);
    const visit = new Visit(job, background, portal, blobs, engine);
    if (!(await visit.begin())) await visit.cancel();
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
