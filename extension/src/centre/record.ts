// 记录: what was signed and done with keys on this computer, as the host's own record has it: searched, in pages, exported as it stands. Each
// entry holds the hash of the one before; whether that chain is whole is said above the list.

import { $, badge, box, element, empty, facts, moment, save } from "../draw";
import { failureOf } from "../failure";
import { showFailure } from "../failure-view";
import { language, t } from "../language";
import type { Key } from "../language";
import { RECORD_PAGE_MAX, tell } from "../protocol";
import type { Verbs } from "../protocol";
import type { Link } from "./link";

type Answer = Verbs["record"]["answer"];
type Entry = Answer["entries"][number];

/** Entries of one page that is shown. */
const PAGE = 30;

let last: number | undefined;
let searched = "";
/** Which question is the last: the answers to those before it come too late. */
let turn = 0;

export function startRecord(link: Link): void {
  $("record-form").addEventListener("submit", (event) => {
    event.preventDefault();
    searched = $<HTMLInputElement>("record-search").value.trim();
    void drawRecord(link);
  });
  // The cross in the field empties it.
  $("record-search").addEventListener("search", () => $<HTMLFormElement>("record-form").requestSubmit());
  $("record-more").addEventListener("click", () => void page(link, last));
  $("record-export").addEventListener("click", () => void exported(link));
}

export async function drawRecord(link: Link): Promise<void> {
  await page(link, undefined);
}

async function page(link: Link, before: number | undefined): Promise<void> {
  turn += 1;
  const own = turn;
  try {
    const answer = await link.ask("record", { limit: PAGE, ...(searched ? { search: searched } : {}), ...(before === undefined ? {} : { before }) });
    if (own !== turn) return;
    showFailure($("record-failure"), null);
    const rows = answer.entries.map(row);
    const body = $("record-body");
    if (before === undefined && rows.length === 0) body.replaceChildren(searched ? empty(t("recordNothing"), t("recordNothingText", searched)) : empty(t("recordEmpty"), t("recordEmptyText")));
    else if (before === undefined) body.replaceChildren(box("ol", "plain record", ...rows));
    else body.querySelector("ol")?.append(...rows);
    last = answer.entries.at(-1)?.number;
    $("record-more").hidden = !answer.more;
    chain(answer);
  } catch (thrown) {
    if (own !== turn) return;
    $("record-body").replaceChildren();
    $("record-more").hidden = true;
    $("record-chain").textContent = "";
    showFailure($("record-failure"), failureOf(thrown));
  }
}

function chain(answer: Answer): void {
  const line = $("record-chain");
  const whole = answer.brokenAt === undefined;
  line.dataset["chain"] = whole ? "whole" : "broken";
  line.className = whole ? "good" : "bad";
  line.textContent = answer.total === 0 ? "" : whole ? t("recordWhole", answer.total) : t("recordBroken", answer.brokenAt ?? 0, answer.total);
}

const VERBS: Record<string, Key> = {
  bind: "verbBind",
  login: "verbLogin",
  "web-eid": "verbLogin",
  stamp: "verbStamp",
  "change-pin": "actChangePin",
  unlock: "verbUnlock",
  activate: "actActivate",
  install: "verbInstall",
};

function row(entry: Entry): HTMLElement {
  const word = VERBS[entry.verb];
  const result = entry.failure === undefined ? badge(t("recordDone"), "good") : badge(entry.failure === "cancelled" ? t("recordCancelled") : t("recordFailed"), entry.failure === "cancelled" ? "" : "bad");
  const subjects = entry.subjects.map((subject) => box("p", "subject", element("span", "", subject.name), subject.sha256 ? element("code", "small", subject.sha256) : null));
  const made = box(
    "li",
    "",
    box("div", "title", element("strong", "", word ? t(word) : entry.verb), result, element("span", "small number", `#${entry.number}`)),
    element("p", "small", moment(entry.at)),
    ...subjects,
    facts([t("recordSite"), entry.origin ?? t("recordTerminal")], [t("stampOrganisation"), entry.organisation], [t("popupKey"), entry.token], [t("recordReason"), entry.failure === undefined || entry.failure === "cancelled" ? null : tell({ code: entry.failure }, language()).what]),
  );
  made.dataset["verb"] = entry.verb;
  made.dataset["number"] = String(entry.number);
  made.dataset["result"] = entry.failure ?? "done";
  return made;
}

/** The whole record, oldest first, line by line as the host has it: `sealbridge record --check` checks the file. */
async function exported(link: Link): Promise<void> {
  try {
    const lines: string[] = [];
    let before: number | undefined;
    for (;;) {
      const answer: Answer = await link.ask("record", { limit: RECORD_PAGE_MAX, ...(before === undefined ? {} : { before }) });
      lines.push(...answer.entries.map((entry) => entry.line));
      before = answer.entries.at(-1)?.number;
      if (!answer.more || before === undefined) break;
    }
    showFailure($("record-failure"), null);
    save("sealbridge-record.jsonl", new Blob([`${lines.reverse().join("\n")}\n`], { type: "application/jsonl" }));
  } catch (thrown) {
    showFailure($("record-failure"), failureOf(thrown));
  }
}
