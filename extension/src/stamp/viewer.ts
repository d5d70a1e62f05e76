// Shows pages of a PDF in a canvas. pdf.js reads the Blob by ranges, so nothing grows with the file; character maps and
// standard fonts are bundled, and Noto Sans SC stands in for Chinese fonts that a form names and does not bring along.

import type { PDFDocumentProxy, PDFPageProxy, PageViewport, PDFDataRangeTransport, PDFWorker } from "pdfjs-dist";
import { Refused } from "../failure";

type PdfJs = typeof import("pdfjs-dist");

const MM_PER_UNIT = 25.4 / 72;
const FIRST = 65_536;
/** Largest canvas, in pixels of the device: beyond it browsers draw nothing. */
const PIXELS_MAX = 16_000_000;

export interface ShownPage {
  /** Of the page as displayed, in millimetres. */
  widthMm: number;
  heightMm: number;
  /** User space to CSS pixels of the sheet. */
  viewport: PageViewport;
  pxPerMm: number;
}

export class Viewer {
  /** The document's own password, where it has one. */
  password: string | null = null;
  #pdfjs: Promise<PdfJs> | null = null;
  /** One for all documents of the visit: each revision is a document of its own, and a worker takes long to start. */
  #worker: PDFWorker | null = null;
  #document: PDFDocumentProxy | null = null;
  #font: Promise<ArrayBuffer> | null = null;
  readonly #fonts = new Set<string>();
  #turn = 0;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly text: HTMLElement,
  ) {}

  /** Opens a document beside the one that is shown; `show` draws it then. */
  async open(blob: Blob): Promise<PDFDocumentProxy> {
    const pdfjs = await this.#load();
    this.#worker ??= new pdfjs.PDFWorker();
    const first = new Uint8Array(await blob.slice(0, FIRST).arrayBuffer());
    class Transport extends (pdfjs.PDFDataRangeTransport as new (length: number, first: Uint8Array) => PDFDataRangeTransport) {
      override requestDataRange(begin: number, end: number): void {
        void blob
          .slice(begin, end)
          .arrayBuffer()
          .then((buffer) => this.onDataRange(begin, new Uint8Array(buffer)), () => this.abort());
      }
    }
    const base = (folder: string): string => new URL(`/pdfjs/${folder}/`, location.origin).href;
    const task = pdfjs.getDocument({
      worker: this.#worker,
      range: new Transport(blob.size, first),
      rangeChunkSize: FIRST,
      disableAutoFetch: true,
      disableStream: true,
      cMapUrl: base("cmaps"),
      cMapPacked: true,
      standardFontDataUrl: base("standard_fonts"),
      wasmUrl: base("wasm"),
      iccUrl: base("iccs"),
      isEvalSupported: false,
      enableXfa: false,
      verbosity: 0,
      ...(this.password === null ? {} : { password: this.password }),
    } as Parameters<PdfJs["getDocument"]>[0]);
    try {
      return await task.promise;
    } catch (error) {
      throw new Refused("pdf-damaged", { detail: error instanceof Error ? error.name : "pdf.js" });
    }
  }

  /** Makes this the document that is drawn from; the one before is let go. */
  use(document: PDFDocumentProxy): void {
    const before = this.#document;
    this.#document = document;
    if (before && before !== document) void before.loadingTask.destroy();
  }

  get pages(): number {
    return this.#document?.numPages ?? 0;
  }

  /** Draws a page (from 0). Gives null where a later call or another document has overtaken this one. */
  async show(index: number, pxPerMm: (widthMm: number, heightMm: number) => number): Promise<ShownPage | null> {
    this.#turn += 1;
    const turn = this.#turn;
    const document = this.#document;
    if (!document) return null;
    try {
      return await this.#show(document, turn, index, pxPerMm);
    } catch (error) {
      if (turn !== this.#turn || document !== this.#document) return null;
      throw new Refused("pdf-damaged", { detail: error instanceof Error ? error.name : "pdf.js" });
    }
  }

  async #show(document: PDFDocumentProxy, turn: number, index: number, pxPerMm: (widthMm: number, heightMm: number) => number): Promise<ShownPage | null> {
    const page = await document.getPage(index + 1);
    const natural = page.getViewport({ scale: 1 });
    const widthMm = natural.width * MM_PER_UNIT;
    const heightMm = natural.height * MM_PER_UNIT;
    const px = pxPerMm(widthMm, heightMm);
    const viewport = page.getViewport({ scale: px * MM_PER_UNIT });
    const ratio = Math.min(globalThis.devicePixelRatio || 1, Math.sqrt(PIXELS_MAX / (viewport.width * viewport.height)));
    const drawn = await this.#draw(page, page.getViewport({ scale: px * MM_PER_UNIT * ratio }), turn);
    if (!drawn || turn !== this.#turn) return null;
    // The finished picture replaces the old one in one step, so that nothing flickers while a value is typed.
    this.canvas.width = drawn.width;
    this.canvas.height = drawn.height;
    this.canvas.style.width = `${viewport.width}px`;
    this.canvas.style.height = `${viewport.height}px`;
    this.canvas.getContext("2d")?.drawImage(drawn, 0, 0);
    // Only for screen readers; a page whose text can not be read is still drawn.
    void this.#read(page, turn).catch(() => undefined);
    return { widthMm, heightMm, viewport, pxPerMm: px };
  }

  async #draw(page: PDFPageProxy, viewport: PageViewport, turn: number): Promise<HTMLCanvasElement | null> {
    const canvas = globalThis.document.createElement("canvas");
    for (let attempt = 0; attempt < 2; attempt += 1) {
      canvas.width = Math.max(1, Math.round(viewport.width));
      canvas.height = Math.max(1, Math.round(viewport.height));
      await page.render({ canvas, viewport, background: "#ffffff" }).promise;
      if (turn !== this.#turn) return null;
      if (!(await this.#fontsAdded(page))) break;
    }
    return canvas;
  }

  /** Adds the bundled font under the names of fonts that the document lacks; true where the page must be drawn again. */
  async #fontsAdded(page: PDFPageProxy): Promise<boolean> {
    let added = false;
    for (const [, object] of page.commonObjs as Iterable<[string, unknown]>) {
      const font = object as { missingFile?: boolean; loadedName?: string; composite?: boolean; name?: string } | null;
      if (!font?.missingFile || !font.loadedName || this.#fonts.has(font.loadedName)) continue;
      if (!font.composite && !/song|sun|hei|kai|fang|ming|cjk|[^\x20-\x7e]/i.test(font.name ?? "")) continue;
      this.#fonts.add(font.loadedName);
      this.#font ??= fetch("/fonts/NotoSansSC-Regular.ttf").then((answer) => answer.arrayBuffer());
      const face = new FontFace(font.loadedName, await this.#font);
      globalThis.document.fonts.add(await face.load());
      added = true;
    }
    return added;
  }

  /** The page's text for screen readers. */
  async #read(page: PDFPageProxy, turn: number): Promise<void> {
    const content = await page.getTextContent();
    if (turn !== this.#turn) return;
    this.text.textContent = content.items.map((item) => ("str" in item ? item.str + (item.hasEOL ? "\n" : "") : "")).join("").slice(0, 20_000);
  }

  #load(): Promise<PdfJs> {
    this.#pdfjs ??= (import("/pdfjs/pdf.mjs" as string) as Promise<PdfJs>).then((pdfjs) => {
      pdfjs.GlobalWorkerOptions.workerSrc = "/pdfjs/pdf.worker.mjs";
      return pdfjs;
    });
    return this.#pdfjs;
  }
}
