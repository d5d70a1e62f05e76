// 文件验证: a signed PDF is dropped here and judged by our own verifier, on this computer; nothing is sent anywhere. Large files are read by
// slices in a worker. The signer's authority is not judged here, and the report says so.

import type { ClerkReport } from "sealbridge-wasm";
import { failureOf } from "../failure";
import { showFailure } from "../failure-view";
import { language, t } from "../language";
import { Engine } from "../stamp/engine";
import { askPassword, PASSWORD_CODES } from "../stamp/password";
import { fileSize } from "../stamp/ui";
import { $, box, button, element, moment, save } from "./draw";

let shown: { file: File; at: number; engine: Engine } | null = null;
let turn = 0;

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
  if (!shown) return;
  const { file, at, engine } = shown;
  draw(file, at, await engine.call("clerk", language() === "en"));
}

async function verify(file: File): Promise<void> {
  turn += 1;
  const own = turn;
  shown?.engine.end();
  shown = null;
  const report = $("verify-report");
  report.hidden = true;
  delete report.dataset["verdict"];
  showFailure($("verify-failure"), null);
  const progress = $<HTMLProgressElement>("verify-progress");
  progress.hidden = false;
  progress.value = 0;
  const engine = new Engine();
  const status = (text: string): void => {
    $("verify-status").textContent = text;
  };
  status(t("verifyReading", file.name, fileSize(file.size)));
  engine.onHashed = (done) => {
    if (own === turn) progress.value = file.size > 0 ? (done / file.size) * 100 : 100;
  };
  try {
    if (!(await open(engine, file))) return status("");
    await engine.hash(engine.document, file, file.name);
    const at = Math.floor(Date.now() / 1000);
    const told = await engine.call("clerk", language() === "en");
    if (own !== turn) return engine.end();
    shown = { file, at, engine };
    status("");
    draw(file, at, told);
    report.focus();
  } catch (thrown) {
    engine.end();
    if (own !== turn) return;
    status("");
    showFailure($("verify-failure"), failureOf(thrown));
  } finally {
    if (own === turn) progress.hidden = true;
  }
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

const LEVELS: Record<ClerkReport["verdict"], string> = { valid: "good", "intact-not-trusted": "good", changed: "bad", invalid: "bad", "no-signature": "warn" };

function draw(file: File, at: number, told: ClerkReport): void {
  const report = $("verify-report");
  report.dataset["verdict"] = told.verdict;
  const verdict = element("h3", "", told.sentence);
  verdict.id = "verify-verdict";
  const head = box("div", `verdict ${LEVELS[told.verdict]}`, verdict, told.remark ? element("p", "", told.remark) : null, element("p", "small", `${file.name} · ${fileSize(file.size)} · ${t("verifyAt", moment(at))}`));
  const sections = told.sections.map((section) => {
    const rows = element("dl", "facts");
    for (const row of section.rows) {
      const value = element("dd", row.severity === "note" ? "" : row.severity === "trust" ? "warn" : "bad", row.value);
      if (row.code !== undefined) value.append(" ", element("span", "code", row.code));
      rows.append(box("div", "", element("dt", "", row.label), value));
    }
    const made = box("section", "card signature", box("div", "title", element("h4", "", section.title), element("span", `badge ${section.severity === "note" || section.severity === "trust" ? "good" : "bad"}`, section.state)), rows);
    made.dataset["severity"] = section.severity;
    return made;
  });
  const text = `${file.name}\n${t("verifyAt", moment(at))}\n\n${told.text}`;
  const keep = button(t("verifySave"), () => save(`${file.name}.txt`, "text/plain;charset=utf-8", text));
  const print = button(t("verifyPrint"), () => window.print());
  report.replaceChildren(head, box("div", "signatures", ...sections), box("div", "tools", keep, print));
  report.hidden = false;
}
