// 文件验证: a signed PDF is dropped here and judged by our own verifier, on this computer; nothing is sent anywhere. Large files are read by
// slices in a worker. The signer's authority is not judged here, and the report says so.

import type { ClerkReport, Severity } from "sealbridge-wasm";
import { $, badge, box, button, element, moment, save } from "../draw";
import { failureOf } from "../failure";
import { showFailure } from "../failure-view";
import { language, t } from "../language";
import type { Failure } from "../protocol";
import { Engine } from "../stamp/engine";
import { askPassword, PASSWORD_CODES } from "../stamp/password";
import { fileSize } from "../stamp/ui";

/** The workers that have the last file; the next file ends them. */
let engine: Engine | null = null;
let shown: { file: File; at: number } | null = null;

export function startVerify(): void {
  const drop = $("drop");
  const chooser = $<HTMLInputElement>("verify-file");
  chooser.addEventListener("change", () => {
    const file = chooser.files?.[0];
    // The same file again is looked at again.
    if (file) void verify(file);
    chooser.value = "";
  });
  // Anywhere on the page; elsewhere the browser would leave it for the file.
  for (const name of ["dragover", "dragenter"] as const) {
    document.addEventListener(name, (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) drop.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    drop.classList.remove("over");
    const file = event.dataTransfer?.files[0];
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    if (!file) return;
    location.hash = "verify";
    void verify(file);
  });
}

/** The report again, in the language that is chosen now. */
export async function redrawVerify(): Promise<void> {
  const own = engine;
  if (!shown || !own) return;
  const { file, at } = shown;
  try {
    const told = await own.call("clerk", language() === "en");
    if (own === engine) draw(file, at, told);
  } catch (thrown) {
    if (own === engine) showFailure($("verify-failure"), failureOf(thrown));
  }
}

async function verify(file: File): Promise<void> {
  engine?.end();
  // The question for the password of the file before.
  $<HTMLDialogElement>("unlock").close("");
  const own = new Engine();
  engine = own;
  shown = null;
  const report = $("verify-report");
  report.hidden = true;
  delete report.dataset["verdict"];
  showFailure($("verify-failure"), null);
  const progress = $<HTMLProgressElement>("verify-progress");
  progress.hidden = false;
  progress.value = 0;
  $("verify-status").textContent = t("verifyReading", file.name, fileSize(file.size));
  own.onHashed = (done) => {
    if (own === engine) progress.value = file.size > 0 ? (done / file.size) * 100 : 100;
  };
  try {
    const opened = await open(own, file);
    if (own !== engine) return;
    if (!opened) return stop(null);
    await own.hash(own.document, file, file.name);
    const at = Math.floor(Date.now() / 1000);
    const told = await own.call("clerk", language() === "en");
    if (own !== engine) return;
    shown = { file, at };
    idle();
    draw(file, at, told);
    report.focus();
  } catch (thrown) {
    if (own === engine) stop(failureOf(thrown));
  }
}

/** Gives the file up, and says why. */
function stop(failure: Failure | null): void {
  engine?.end();
  engine = null;
  idle();
  showFailure($("verify-failure"), failure);
}

function idle(): void {
  $("verify-status").textContent = "";
  $("verify-progress").hidden = true;
}

/** Opens the document, with its own password where it has one; false where the person gives up. */
async function open(engine: Engine, file: File): Promise<boolean> {
  let password: string | undefined;
  for (;;) {
    try {
      await engine.call("open", file, file.name, password);
      return true;
    } catch (thrown) {
      const failure = failureOf(thrown);
      if (!PASSWORD_CODES.includes(failure.code)) throw thrown;
      const answer = await askPassword(failure);
      if (answer === null) return false;
      password = answer;
    }
  }
}

const LEVELS: Record<ClerkReport["verdict"], string> = { valid: "good", "intact-not-trusted": "warn", changed: "bad", invalid: "bad", "no-signature": "warn" };
const SEVERITIES: Record<Severity, "good" | "warn" | "bad"> = { note: "good", trust: "warn", coverage: "bad", broken: "bad" };

function draw(file: File, at: number, told: ClerkReport): void {
  const report = $("verify-report");
  report.dataset["verdict"] = told.verdict;
  const verdict = element("h3", "", told.sentence);
  verdict.id = "verify-verdict";
  const head = box("div", `verdict ${LEVELS[told.verdict]}`, verdict, told.remark ? element("p", "", told.remark) : null, element("p", "small", `${file.name} · ${fileSize(file.size)} · ${t("verifyAt", moment(at))}`));
  const sections = told.sections.map((section) => {
    const rows = element("dl", "facts");
    for (const row of section.rows) {
      const value = element("dd", row.severity === "note" ? "" : SEVERITIES[row.severity], row.value);
      if (row.code !== undefined) value.append(" ", element("span", "code", row.code));
      rows.append(box("div", "", element("dt", "", row.label), value));
    }
    const made = box("section", "card signature", box("div", "title", element("h4", "", section.title), badge(section.state, SEVERITIES[section.severity])), rows);
    made.dataset["severity"] = section.severity;
    return made;
  });
  const text = `${file.name}\n${t("verifyAt", moment(at))}\n\n${told.text}`;
  const keep = button(t("verifySave"), () => save(`${file.name}.txt`, new Blob([text], { type: "text/plain;charset=utf-8" })));
  const print = button(t("verifyPrint"), () => window.print());
  report.replaceChildren(head, box("div", "signatures", ...sections), box("div", "tools", keep, print));
  report.hidden = false;
}
