// The list of documents: which there are, where each stands and why one is refused, and the means to go from one to the next and
// to leave one out. It draws and tells; what follows from a press is decided elsewhere.

import { $, element } from "../draw";
import { oneLine } from "../failure-view";
import { t } from "../language";
import type { Key } from "../language";
import type { Paper, PaperState } from "./paper";
import { fileSize } from "./ui";

/** Names up to this width are not cut; of others this much is always seen of the end. A Latin letter is one wide. */
const SHORT_WIDTH = 18;
const END_WIDTH = 13;

const STATES: Record<PaperState, Key> = {
  waiting: "paperWaiting",
  seen: "paperSeen",
  ready: "paperReady",
  stamped: "paperStamped",
  refused: "paperRefused",
  "left-out": "paperLeftOut",
};

/** The elements of one document that change. */
interface Row {
  item: HTMLElement;
  include: HTMLInputElement;
  open: HTMLButtonElement;
  facts: HTMLElement;
  state: HTMLElement;
  code: HTMLElement;
  reason: HTMLElement;
  save: HTMLButtonElement;
}

export class PaperList {
  onOpen: (paper: Paper) => void = () => undefined;
  onInclude: (paper: Paper, included: boolean) => void = () => undefined;
  onSave: (paper: Paper) => void = () => undefined;
  readonly #rows: Row[];
  #current = -1;

  constructor(private readonly papers: readonly Paper[]) {
    document.body.dataset["batch"] = "";
    $("papers").hidden = false;
    $("papers-title").textContent = t("papersTitle", papers.length);
    this.#rows = papers.map((paper) => this.#row(paper));
    const list = $("paper-list");
    list.replaceChildren(...this.#rows.map(({ item }) => item));
    list.addEventListener("keydown", (event) => this.#key(event));
    $("paper-next").addEventListener("click", () => this.#next());
    this.update(null, true);
  }

  /** Brings every row in line. `free` where documents can be left out now. */
  update(current: Paper | null, free: boolean): void {
    for (const paper of this.papers) this.#show(paper, paper === current, free);
    const count = (...states: PaperState[]): number => this.papers.filter(({ state }) => states.includes(state)).length;
    const parts: [Key, number][] = [
      ["papersStamped", count("stamped")],
      ["papersReady", count("ready")],
      ["papersOpen", count("waiting", "seen")],
      ["papersRefused", count("refused")],
      ["papersLeftOut", count("left-out")],
    ];
    $("papers-summary").textContent = parts.flatMap(([key, number]) => (number > 0 ? [t(key, number)] : [])).join(" · ");
    $<HTMLButtonElement>("paper-next").disabled = !current || current.index >= this.papers.length - 1;
    if (current && current.index !== this.#current) this.#rows[current.index]?.item.scrollIntoView({ block: "nearest" });
    this.#current = current?.index ?? -1;
  }

  #show(paper: Paper, current: boolean, free: boolean): void {
    const row = this.#rows[paper.index];
    if (!row) return;
    const { state, view, failure, kept } = paper;
    row.item.dataset["state"] = state;
    row.item.toggleAttribute("data-seen", paper.seen);
    if (current) row.open.setAttribute("aria-current", "true");
    else row.open.removeAttribute("aria-current");
    row.include.checked = paper.included;
    row.include.disabled = !free || state === "stamped";
    row.facts.textContent = [...(view ? [t("stampPages", view.pageCount)] : []), fileSize(paper.blob.size)].join(" · ");
    const unseen = state === "ready" && !paper.seen;
    row.state.textContent = t(unseen ? "paperReadyUnseen" : STATES[state]);
    row.code.textContent = state === "ready" && kept ? kept.view.code : "";
    row.reason.hidden = state !== "refused" || !failure;
    row.reason.textContent = failure && !row.reason.hidden ? oneLine(failure) : "";
    if (failure && !row.reason.hidden) row.reason.dataset["code"] = failure.code;
    else delete row.reason.dataset["code"];
    row.save.hidden = state !== "stamped";
  }

  #row(paper: Paper): Row {
    const item = element("li", "paper");
    const include = element("input", "include");
    include.type = "checkbox";
    include.title = t("paperInclude");
    include.setAttribute("aria-label", `${t("paperInclude")}: ${paper.name}`);
    include.addEventListener("change", () => this.onInclude(paper, include.checked));
    const open = element("button", "open");
    open.type = "button";
    open.title = paper.name;
    const name = element("span", "name");
    name.append(element("span", "number", `${paper.index + 1}`), ...twoParts(paper.name).map((part, index) => element("span", index === 0 ? "stem" : "end", part)));
    const facts = element("span", "facts");
    const state = element("span", "state");
    const code = element("span", "code");
    const line = element("span", "line");
    line.append(facts, code);
    const reason = element("span", "reason");
    open.append(name, line, state, reason);
    open.addEventListener("click", () => this.onOpen(paper));
    const save = element("button", "icon save", "↓");
    save.type = "button";
    save.title = t("stampDownload");
    save.setAttribute("aria-label", `${t("stampDownload")}: ${paper.name}`);
    save.addEventListener("click", () => this.onSave(paper));
    item.append(include, open, save);
    return { item, include, open, facts, state, code, reason, save };
  }

  #next(): void {
    const next = this.papers[this.#current + 1];
    if (next) this.onOpen(next);
  }

  /** Arrow keys go through the list. */
  #key(event: KeyboardEvent): void {
    const at = this.#rows.findIndex(({ item }) => item.contains(event.target as Node));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: this.#rows.length - 1 }[event.key];
    if (at < 0 || to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.#rows[Math.min(Math.max(0, to), this.#rows.length - 1)]?.open.focus();
  }
}

/** Long names are cut in their middle: the end, with the number of an annex, tells files of one bid apart. */
function twoParts(name: string): [string, string] {
  const characters = [...name];
  // Chinese characters are twice as wide as Latin ones.
  const width = (part: readonly string[]): number => part.reduce((sum, character) => sum + (character > "\u2e7f" ? 2 : 1), 0);
  let from = characters.length;
  while (from > 0 && width(characters.slice(from - 1)) <= END_WIDTH) from -= 1;
  if (width(characters) <= SHORT_WIDTH) from = characters.length;
  return [characters.slice(0, from).join(""), characters.slice(from).join("")];
}
