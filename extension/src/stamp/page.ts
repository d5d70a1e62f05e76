// The stamping page with one document on its desk: shows it, takes values and the seal's places, and shows the very revision
// that would be signed. It connects the parts, each of which has a file of its own. Whose turn it is among several
// documents, and signing, are others' business.

import type { DocumentView } from "sealbridge-wasm";
import { $ } from "../draw";
import { failureOf } from "../failure";
import { t } from "../language";
import type { Job } from "../messages";
import type { Failure } from "../protocol";
import { Desk } from "./desk";
import type { Engine } from "./engine";
import { Hashing } from "./hashing";
import { Items } from "./items";
import type { Spot, Wished } from "./items";
import type { Background } from "./links";
import { mark } from "./moments";
import { Overlay } from "./overlay";
import { Panel } from "./panel";
import { freeField } from "./paper";
import type { Paper } from "./paper";
import { askPassword, PASSWORD_CODES } from "./password";
import { PAUSE_MS, Preview } from "./preview";
import { Sealing } from "./sealing";
import type { Sealed } from "./signing";
import { Tools } from "./tools";
import { enter, fail, fileSize, note, phase, status } from "./ui";
import { Viewer } from "./viewer";

/** Between two looks at how far hashing has come. */
const TELL_MS = 200;

export class StampingPage {
  /** The seal is there, or another one is. */
  onSealed: () => void = () => undefined;
  readonly viewer = new Viewer($<HTMLCanvasElement>("canvas"), $("page-text"));
  readonly desk = new Desk(this.viewer);
  readonly items = new Items();
  readonly values = new Map<string, string>();
  readonly overlay = new Overlay($("overlay"), this.items, this.values);
  readonly panel: Panel;
  readonly preview: Preview;
  readonly #hashing = new Hashing((paper) => this.engine.hash(paper.index, paper.blob, paper.name).then(() => mark("hashed")));
  readonly #sealing: Sealing;
  #sealed: Sealed | null = null;
  #paper: Paper | null = null;
  /** Filling the desk with another document is no change of it. */
  #begun = false;
  /** When the person was last told how far hashing has come. */
  #told = 0;

  constructor(
    job: Job,
    background: Background,
    readonly engine: Engine,
  ) {
    const { viewer, desk, overlay, items, values } = this;
    this.panel = new Panel(items, overlay, desk, engine);
    const hashed = async (): Promise<void> => void (this.#paper && (await this.hash(this.#paper, true)));
    this.preview = new Preview({ engine, viewer, desk, overlay, items, values, keep: job.batch, hashed });
    this.#sealing = new Sealing(job.origin, background, engine);
    $("site").textContent = job.origin;
    this.#listen();
  }

  /** The document on the desk. */
  get paper(): Paper | null {
    return this.#paper;
  }

  get sealed(): Sealed | null {
    return this.#sealed;
  }

  /** Puts a document on the desk; false where the person has given up at its password. */
  async open(paper: Paper): Promise<boolean> {
    const { panel, items, values } = this;
    this.clear();
    this.#name(paper);
    status(t("stampOpening"));
    // Hashing, which takes longest, begins before it is known what is hashed; drawing and the seal go on beside it.
    void this.hash(paper, true).catch(() => undefined);
    const view = await this.unlocked(paper);
    if (!view) return false;
    mark("opened");
    this.#describe(view);
    this.overlay.use(view.fields);
    panel.use(new Map(view.fields.filter(({ kind }) => kind === "signature").map((field) => [field.name, { label: field.label, page: field.widgets[0]?.page ?? 0 }])), view.signatures.length > 0);
    this.preview.use({ blob: paper.blob, view });
    for (const [name, value] of paper.values) values.set(name, value);
    if (paper.shelved) items.put(paper.shelved);

    // The key is asked while the page is drawn. Where it can not be drawn, that is what is told, after the key's answer.
    const [drawn, sealed] = await Promise.allSettled([this.#draw(paper, view), this.#sealed ? true : this.#fetchSeal(false)]);
    if (drawn.status === "rejected") throw drawn.reason;
    if (sealed.status === "fulfilled" && sealed.value) await this.#place(paper, view);
    return true;
  }

  async #draw(paper: Paper, view: DocumentView): Promise<void> {
    const { desk, viewer, panel, items } = this;
    viewer.password = paper.password;
    viewer.use(await viewer.open(paper.blob));
    const carrier = items.carrier;
    desk.begin((carrier ? panel.pageOf(carrier) : firstPage(paper.wishes[0], view)) ?? panel.pageOf(firstField(view) ?? { kind: "seal", page: 1, x: 0, y: 0 }) ?? 0);
    $("sheet").hidden = false;
    $("overlay").hidden = false;
    $("toolbar").inert = false;
    enter("editing");
    await desk.draw();
  }

  /** Shows a document as it is; nothing can be put on it. */
  async look(paper: Paper, blob: Blob, page: number): Promise<void> {
    this.clear();
    this.#name(paper);
    if (paper.view) this.#describe(paper.view);
    this.viewer.password = paper.password;
    this.viewer.use(await this.viewer.open(blob));
    this.desk.begin(page);
    $("overlay").hidden = true;
    $("sheet").hidden = false;
    $("toolbar").inert = false;
    await this.desk.draw();
  }

  #name(paper: Paper): void {
    this.#paper = paper;
    this.engine.document = paper.index;
    $("document-name").textContent = $("bar-name").textContent = paper.name;
    $("document-size").textContent = fileSize(paper.blob.size);
    $("earlier-row").hidden = true;
    document.title = `${t("stampTitle")} · ${paper.name}`;
  }

  /** From now on the document on the desk is prepared; waits for its hash, without which it can not be signed. */
  async ready(paper: Paper): Promise<void> {
    if (this.#paper === paper) this.preview.able = this.#sealed !== null;
    await this.hash(paper, true);
  }

  /** Takes the document from the desk; its places and values are kept with it. */
  clear(): void {
    const paper = this.#paper;
    if (paper && this.#begun) {
      paper.shelved = this.items.shelve();
      paper.values = new Map(this.values);
    }
    this.#paper = null;
    this.#begun = false;
    this.items.shelve();
    this.values.clear();
    this.preview.use(null);
    this.overlay.use([]);
    this.panel.update();
    fail(null);
    note("");
    $("place").textContent = "";
    $("owner-password").hidden = true;
    $("sheet").hidden = true;
    // What is turned and enlarged is what is on the desk.
    $("toolbar").inert = true;
    $("page-of").textContent = "";
  }

  /** Hashes a document once. */
  hash(paper: Paper, first: boolean): Promise<void> {
    if (first) this.#hashing.prefer(paper);
    paper.hashed ??= this.#hashing.run(paper, first);
    return paper.hashed;
  }

  /** The document, opened; asks for its password until it opens. Null where the person has given up. */
  async unlocked(paper: Paper, owner = false): Promise<DocumentView | null> {
    if (paper.view && !owner) {
      paper.opened(paper.view);
      return paper.view;
    }
    let password: string | null = paper.password;
    let refused: Failure | null = null;
    for (;;) {
      if (refused || owner) {
        fail(refused);
        status(t("unlockWaiting"));
        password = await askPassword(refused, owner);
        if (password === null) return null;
        fail(null);
      }
      try {
        const view = await this.engine.on(paper.index, "open", paper.blob, paper.name, password ?? undefined);
        paper.password = this.viewer.password = password;
        paper.opened(view);
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

  #hashed(bytes: number, document: number): void {
    const paper = this.#paper;
    if (paper?.index !== document || !["opening", "editing"].includes(phase())) return;
    const { size } = paper.blob;
    // Each picture of the page costs the hash some of its time.
    const now = performance.now();
    if (bytes < size && now - this.#told < TELL_MS) return;
    this.#told = now;
    const percent = size === 0 ? 100 : Math.floor((bytes / size) * 100);
    $("progress").hidden = percent >= 100;
    $<HTMLProgressElement>("progress").value = percent;
    if (this.#sealed && percent < 100) status(t("stampHashing", percent));
  }

  async #fetchSeal(anew: boolean): Promise<boolean> {
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
    this.overlay.useSeal(view);
    this.onSealed();
    return true;
  }

  /** Where the seal is offered first: as the page asked, else on the first free field, else on the page that is shown. */
  async #place(paper: Paper, view: DocumentView): Promise<void> {
    const { panel, items, desk, preview } = this;
    if (!paper.shelved) {
      const spots: Spot[] = [];
      let refused: Failure | null = null;
      for (const wish of paper.wishes) {
        try {
          // What was drawn by hand on another document comes as it is.
          spots.push(...("drawing" in wish ? [{ kind: "drawing" as const, ...wish.drawing }] : await panel.spots(wish)));
        } catch (thrown) {
          refused ??= failureOf(thrown);
        }
      }
      if (!spots.some(({ kind }) => kind !== "date" && kind !== "drawing")) {
        const own = firstField(view) ?? panel.proposal();
        if (own) spots.unshift(own);
      }
      const one = view.signatures.length > 0 && (spots.find(({ kind }) => kind === "field") ?? spots.find(({ kind }) => kind === "seal") ?? panel.proposal());
      if (this.#paper !== paper) return;
      items.begin(one ? [one] : spots);
      if (one && spots.length > 1) refused ??= { code: "marks-on-signed" };
      if (refused) {
        fail(refused);
        preview.keepFailure = true;
      }
    }
    this.#begun = true;
    this.overlay.update();
    panel.update();
    const page = items.carrier && panel.pageOf(items.carrier);
    if (page !== null && page !== desk.page) await desk.go(page);
  }

  #listen(): void {
    const { overlay, panel, preview, items, values, desk } = this;
    this.engine.onHashed = (bytes, document) => this.#hashed(bytes, document);
    overlay.fields.onValue = (field, value) => {
      values.set(field.name, value);
      preview.keepFailure = false;
      preview.changed(PAUSE_MS);
    };
    items.onChange = () => {
      if (this.#begun) preview.keepFailure = false;
      overlay.update();
      panel.update();
      preview.changed(PAUSE_MS);
    };
    desk.onShown = (page, shown) => {
      overlay.show(page, shown);
      panel.turned();
    };
    preview.onReady = (ready) => ($<HTMLButtonElement>("stamp").disabled = !ready);
    preview.onRefused = ({ code }) => this.offerOwner(code);
    const resealed = async (anew: boolean): Promise<void> => {
      const paper = this.#paper;
      if (!paper || !(await this.#fetchSeal(anew)) || this.#paper !== paper) return;
      if (!this.#begun && paper.view) await this.#place(paper, paper.view);
      await this.ready(paper);
    };
    desk.listen();
    panel.listen();
    new Tools(panel, items, overlay, desk).listen();
    $("retry").addEventListener("click", () => void resealed(false));
    $("change-seal").addEventListener("click", () => void resealed(true));
    $("owner-password").addEventListener("click", () => void this.#reopen());
  }

  /** Offers to enter the owner's password, where that would help. */
  offerOwner(code: string): void {
    $("owner-password").hidden = !(this.#paper?.view?.encrypted && code === "pdf-forbids-changes");
  }

  /** Opens the document again with its owner's password. */
  async #reopen(): Promise<void> {
    const paper = this.#paper;
    if (!paper) return;
    try {
      const view = await this.unlocked(paper, true);
      if (!view || this.#paper !== paper) return;
      $("owner-password").hidden = true;
      this.preview.use({ blob: paper.blob, view });
      await this.ready(paper);
    } catch (thrown) {
      fail(failureOf(thrown));
    }
  }
}

/** The first signature field that nobody has signed. */
function firstField(view: DocumentView): Spot | null {
  const field = freeField(view);
  return field === null ? null : { kind: "field", field };
}

/** The page (from 0) that a wish names, where it can be told before the document has been searched. */
function firstPage(wish: Wished | undefined, view: DocumentView): number | null {
  if (!wish) return null;
  const page = "page" in wish ? wish.page : "date" in wish ? wish.date.page : null;
  if (page !== null) return Math.min(Math.max(0, page - 1), Math.max(0, view.pageCount - 1));
  return "field" in wish ? (view.fields.find((field) => field.name === wish.field)?.widgets[0]?.page ?? null) : 0;
}
