// Our own verifier's report as a list: one entry for each signature.

import { language, t } from "../language";
import type { SignatureReport, VerifyReport } from "../page/sealbridge";

export function showReport(list: HTMLElement, report: VerifyReport): void {
  list.dataset["verdict"] = report.verdict;
  list.replaceChildren(...report.signatures.map(entry));
}

function entry(signature: SignatureReport): HTMLElement {
  const item = document.createElement("li");
  const line = (className: string, text: string): void => {
    const part = document.createElement("p");
    part.className = className;
    part.textContent = text;
    item.append(part);
  };
  const whole = signature.covered === "whole-file";
  line(`verdict ${signature.intact ? "intact" : "broken"}`, `${signature.field} · ${t(signature.intact ? "stampIntact" : "stampBroken")}`);
  const signer = signature.signer;
  if (signer) line("", `${t("stampSigner")}: ${signer.organisation ?? signer.commonName ?? ""}${signer.creditCode ? ` · ${signer.creditCode}` : ""}`);
  if (signature.seal) line("", `${t("stampSealName")}: ${signature.seal.name}`);
  if (signature.signingTime !== null) line("small", `${t("stampTime")}: ${new Date(signature.signingTime * 1000).toLocaleString(language())}`);
  line("small", `${t("stampCovers")}: ${t(whole ? "stampCoversAll" : "stampCoversPart")}`);
  return item;
}
