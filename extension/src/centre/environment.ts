// 环境检测: each link of the chain from this browser to the key, with its mark, the reason, and the button that mends it. The examination
// behind the host is the host's own, as `sealbridge doctor` makes it; what lies before it is looked at here.

import { $, box, button, element, save } from "../draw";
import { failureOf } from "../failure";
import { language, t } from "../language";
import type { Key } from "../language";
import { tell } from "../protocol";
import type { Code, Failure, Verbs } from "../protocol";
import { go } from "./keys";
import type { Link } from "./link";

type HostRow = Verbs["environment"]["answer"]["rows"][number];
type Row = Pick<HostRow, "mark" | "title" | "subject" | "what" | "remedy"> & { link: string; code?: Code };

const INSTALL = "sealbridge install";

let text = "";
/** Which examination is the last: what those before it find comes too late. */
let turn = 0;

export function startEnvironment(link: Link): void {
  $("environment-again").addEventListener("click", () => void examine(link, true));
  $("environment-export").addEventListener("click", () => save("sealbridge-environment.txt", new Blob([text], { type: "text/plain;charset=utf-8" })));
}

/** Looks at everything; `again` with a host that has read its settings anew. */
export async function examine(link: Link, again: boolean): Promise<void> {
  turn += 1;
  const own = turn;
  const start = $<HTMLButtonElement>("environment-again");
  start.disabled = true;
  $<HTMLButtonElement>("environment-export").disabled = true;
  $("environment-status").className = "";
  $("environment-status").textContent = t("environmentLooking");
  /** Found here; the rest is the host's. */
  const here: Row[] = [browserRow(), { link: "extension", mark: "good", title: t("environmentExtension"), subject: "", what: EXTENSION_VERSION, remedy: "" }];
  let told: Verbs["environment"]["answer"] = { rows: [], text: "" };
  try {
    const hello = await (again ? link.restart() : link.hello());
    if (own !== turn) return;
    here.push({ link: "host", mark: "good", title: t("environmentHost"), subject: "", what: `${hello.host} · ${hello.platform}`, remedy: "" });
    draw(here);
    told = await link.ask("environment", {});
  } catch (thrown) {
    here.push(broken("host", t("environmentHost"), failureOf(thrown)));
  }
  if (own !== turn) return;
  const rows = [...here, ...told.rows];
  draw(rows);
  const bad = rows.filter((row) => row.mark === "broken").length;
  const warned = rows.filter((row) => row.mark === "warning").length;
  $("environment-status").className = bad > 0 ? "bad" : warned > 0 ? "warn" : "good";
  $("environment-status").textContent = bad > 0 ? t("environmentBad", bad) : warned > 0 ? t("environmentWarned", warned) : t("environmentGood");
  text = exported(here, told.text);
  start.disabled = false;
  $<HTMLButtonElement>("environment-export").disabled = false;
}

function browserRow(): Row {
  const version = /(?:Firefox|Chrom(?:e|ium))\/(\d+)/.exec(navigator.userAgent)?.[1] ?? "";
  const name = BROWSER === "firefox" ? "Firefox" : ((navigator as { userAgentData?: { brands: { brand: string }[] } }).userAgentData?.brands.find(({ brand }) => !/not.*brand/i.test(brand) && brand !== "Chromium")?.brand ?? "Chromium");
  return { link: "browser", mark: "good", title: t("environmentBrowser"), subject: "", what: `${name} ${version}`.trim(), remedy: "" };
}

function broken(link: string, title: string, failure: Failure): Row {
  const { what, remedy, code } = tell(failure, language());
  return { link, mark: "broken", title, subject: "", what, remedy, code };
}

const MARKS: Record<Row["mark"], [string, Key, string]> = {
  good: ["✓", "markGood", "good"],
  warning: ["!", "markWarning", "warn"],
  broken: ["✗", "markBroken", "bad"],
  unknown: ["?", "markUnknown", ""],
};

function draw(rows: readonly Row[]): void {
  $("environment-rows").replaceChildren(...rows.map(drawn));
}

function drawn(row: Row): HTMLElement {
  const [symbol, word, level] = MARKS[row.mark];
  const mark = element("span", `mark ${level}`, symbol);
  mark.setAttribute("role", "img");
  mark.setAttribute("aria-label", t(word));
  const told = box(
    "div",
    "told",
    element("h3", "", row.title),
    element("p", "", row.what),
    row.subject !== "" && row.subject !== row.what ? element("p", "small path", row.subject) : null,
    row.mark !== "good" && row.remedy !== "" ? element("p", "remedy", row.remedy) : null,
    row.code !== undefined ? element("p", "code", t("failureCode", row.code)) : null,
  );
  const mend = row.mark === "good" ? null : mender(row);
  const made = box("li", "", mark, told, mend);
  made.dataset["link"] = row.link;
  made.dataset["mark"] = row.mark;
  if (row.code !== undefined) made.dataset["code"] = row.code;
  return made;
}

/** The button that mends it, where a press can; elsewhere the remedy says what to do, and looking again is above. */
function mender(row: Row): HTMLElement | null {
  const code = row.code ?? "";
  if (["host-missing", "host-forbidden", "manifest-missing", "manifest-mismatch", "binary-missing", "version-too-old"].includes(code)) return copyInstall();
  if (["certificate-expired", "certificate-not-yet-valid"].includes(code)) return go("renewal", t("centreRenewal"));
  if (code.startsWith("pin-")) return go("home", t("actForgotPin"));
  if (code === "certificate-missing" || code === "token-uninitialised") return go("home", t("actActivate"));
  if (code.startsWith("seal-")) return go("seals", t("centreSeals"));
  if (["token-missing", "token-removed"].includes(code) || code.startsWith("module-")) return button(t("environmentAgain"), () => $("environment-again").click());
  return null;
}

function copyInstall(): HTMLElement {
  const copy: HTMLButtonElement = button(t("environmentCopy", INSTALL), () => {
    void navigator.clipboard.writeText(INSTALL).then(() => {
      copy.textContent = t("careCopied");
      setTimeout(() => (copy.textContent = t("environmentCopy", INSTALL)), 3_000);
    });
  });
  return copy;
}

/** For the support: what was found, by code, without names, numbers and paths of this computer. */
function exported(here: readonly Row[], told: string): string {
  const lines = here.map((row) => `${MARKS[row.mark][0]} ${row.link}: ${row.code ?? row.what}`);
  return [`Sealbridge ${EXTENSION_VERSION} · ${new Date().toISOString()}`, ...lines, "", told.trim(), ""].join("\n");
}
