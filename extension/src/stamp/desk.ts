// The desk with the drawn page: which page is shown, how large, and the controls for both.

import type { PDFDocumentProxy } from "pdfjs-dist";
import { $ } from "../draw";
import { t } from "../language";
import type { ShownPage, Viewer } from "./viewer";

/** Screen pixels of a millimetre at 100 %. */
const PX_PER_MM_100 = 96 / 25.4;
/** Room around the page, both sides. */
const MARGIN_PX = 48;

export class Desk {
  /** A page (from 0) was drawn. */
  onShown: (page: number, shown: ShownPage) => void = () => undefined;
  #page = 0;
  #zoom: number | null = null;
  #shown: ShownPage | null = null;

  constructor(private readonly viewer: Viewer) {}

  /** The page that is shown, from 0. */
  get page(): number {
    return this.#page;
  }

  get pages(): number {
    return this.viewer.pages;
  }

  get shown(): ShownPage | null {
    return this.#shown;
  }

  /** Where to begin; nothing is drawn by it. */
  begin(page: number): void {
    this.#page = Math.max(0, page);
  }

  /** Draws from this document from now on. */
  async use(document: PDFDocumentProxy): Promise<void> {
    this.viewer.use(document);
    await this.draw();
  }

  async draw(): Promise<void> {
    const desk = $("desk");
    const fit = (widthMm: number): number => Math.max(1, (desk.clientWidth - Math.min(MARGIN_PX, desk.clientWidth / 8)) / widthMm);
    const shown = await this.viewer.show(this.#page, (widthMm) => (this.#zoom === null ? Math.min(fit(widthMm), PX_PER_MM_100 * 2) : this.#zoom * PX_PER_MM_100));
    if (!shown) return;
    this.#shown = shown;
    $("sheet").setAttribute("aria-label", t("stampSheet", this.#page + 1));
    $<HTMLInputElement>("page").value = String(this.#page + 1);
    $("page-of").textContent = t("stampPageOf", this.viewer.pages);
    $<HTMLButtonElement>("previous").disabled = this.#page <= 0;
    $<HTMLButtonElement>("next").disabled = this.#page >= this.viewer.pages - 1;
    $("zoom-fit").textContent = `${Math.round((shown.pxPerMm / PX_PER_MM_100) * 100)}%`;
    this.onShown(this.#page, shown);
  }

  /** Turns to a page (from 0), or to the nearest that there is. */
  async go(page: number): Promise<void> {
    const last = Math.max(0, this.viewer.pages - 1);
    const next = Math.min(Math.max(0, Number.isFinite(page) ? page : this.#page), last);
    const turned = next !== this.#page;
    this.#page = next;
    await this.draw();
    if (turned) $("desk").scrollTo({ top: 0 });
  }

  listen(): void {
    $("previous").addEventListener("click", () => void this.go(this.#page - 1));
    $("next").addEventListener("click", () => void this.go(this.#page + 1));
    $("page").addEventListener("change", () => void this.go(Number.parseInt($<HTMLInputElement>("page").value, 10) - 1));
    $("zoom-in").addEventListener("click", () => this.#zoomBy(1.25));
    $("zoom-out").addEventListener("click", () => this.#zoomBy(0.8));
    $("zoom-fit").addEventListener("click", () => {
      this.#zoom = null;
      void this.draw();
    });
    let resized: ReturnType<typeof setTimeout> | null = null;
    window.addEventListener("resize", () => {
      if (resized !== null) clearTimeout(resized);
      resized = setTimeout(() => this.#zoom === null && void this.draw(), 150);
    });
    document.addEventListener("keydown", (event) => {
      if (isTyping(event) || event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === "PageDown") void this.go(this.#page + 1);
      else if (event.key === "PageUp") void this.go(this.#page - 1);
      else return;
      event.preventDefault();
    });
  }

  #zoomBy(factor: number): void {
    const now = (this.#shown?.pxPerMm ?? PX_PER_MM_100) / PX_PER_MM_100;
    this.#zoom = Math.min(5, Math.max(0.25, now * factor));
    void this.draw();
  }
}

/** Whether a key belongs to an input or to an open dialog. */
export function isTyping(event: Event): boolean {
  return event.target instanceof HTMLElement && event.target.matches("input:not([type=checkbox], [type=radio]), textarea, select, dialog *");
}
