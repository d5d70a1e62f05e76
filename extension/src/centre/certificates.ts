// 我的证书: every certificate of every key with what it says, and the file to hand to whoever asks for it (.cer). A certificate is public;
// its private key never leaves the key.

import type { CertificateDetails } from "sealbridge-wasm";
import { wasm } from "../background/module";
import { bytes } from "../base64";
import { badge, box, button, day, element, empty, facts, grouped, moment, save } from "../draw";
import { failureOf } from "../failure";
import { showFailure } from "../failure-view";
import { t } from "../language";
import type { Key } from "../language";
import { shown } from "./home";
import { expiryBadge, expiryNotice, tokenHead } from "./keys";
import type { Certificate, Known, Token } from "./keys";
import type { Link } from "./link";

export function drawCertificates(body: HTMLElement, known: Known, link: Link): void {
  const tokens = shown(known);
  if (tokens.length === 0) return body.replaceChildren(empty(t("homeNoKey"), t("homeNoKeyText")));
  body.replaceChildren(...tokens.map((token) => group(token, known, link)));
}

function group(token: Token, known: Known, link: Link): HTMLElement {
  const certificates = token.certificates.map((certificate) => card(certificate, known, link));
  const nothing = certificates.length === 0 ? element("p", "small", t("certificatesNone")) : null;
  return box("div", "card token", tokenHead(token), nothing, ...certificates);
}

function card(certificate: Certificate, known: Known, link: Link): HTMLElement {
  const judged = known.judged[certificate.id];
  const name = box("h4", "organisation", element("span", "", certificate.organisation), certificate.test ? badge(t("popupTest"), "") : null, expiryBadge(judged));
  const problem = element("div", "failure");
  problem.setAttribute("role", "alert");
  showFailure(problem, null);
  const made = box(
    "article",
    "certificate",
    name,
    facts(
      [t("popupCreditCode"), certificate.creditCode],
      [t("certificateUnit"), certificate.unit],
      [t("certificateSerial"), code(grouped(certificate.serial))],
      [t("certificateValid"), `${day(certificate.notBefore)} — ${day(certificate.notAfter)}`],
      [t("certificateIssuer"), certificate.issuer],
      [t("certificateUses"), certificate.uses.length > 0 ? certificate.uses.map((use) => t(USES[use])).join(t("placesComma")) : t("useNone")],
      [t("certificateKey"), t(certificate.hasKey ? "certificateKeyHere" : "certificateKeyAway")],
      [t("popupSeal"), judged && judged.seal !== "not-needed" ? t(SEALS[judged.seal]) : null],
    ),
    expiryNotice(certificate, judged),
    problem,
  );
  const more = details(certificate, link, problem);
  const file = button(t("certificateExport"), () => void exported(certificate, link, problem));
  file.dataset["act"] = "export";
  made.append(more, box("div", "tools", file));
  made.dataset["certificate"] = certificate.id;
  made.dataset["expiry"] = judged?.expiry ?? "";
  made.dataset["renewed"] = String(judged?.renewed ?? false);
  return made;
}

const USES: Record<Certificate["uses"][number], Key> = { login: "useLogin", stamp: "useStamp", encryption: "useEncryption" };
const SEALS: Record<"installed" | "pending" | "missing", Key> = { installed: "sealInstalled", pending: "sealPending", missing: "popupNoSeal" };

function code(text: string): HTMLElement {
  return element("code", "", text);
}

/** What only the certificate itself says, read when it is asked for. */
function details(certificate: Certificate, link: Link, problem: HTMLElement): HTMLElement {
  const made = box("details", "", element("summary", "", t("certificateMore")));
  made.addEventListener(
    "toggle",
    () => {
      void told(certificate, link).then(
        (list) => made.append(list),
        (thrown: unknown) => showFailure(problem, failureOf(thrown)),
      );
    },
    { once: true },
  );
  return made;
}

async function told(certificate: Certificate, link: Link): Promise<HTMLElement> {
  const { der } = await link.ask("export-certificate", { certificate: certificate.id });
  const { describeCertificate } = await wasm();
  const seen: CertificateDetails = describeCertificate(bytes(der));
  return facts(
    [t("certificateSubject"), seen.subject],
    [t("certificateIssuerName"), seen.issuer],
    [t("certificateFrom"), moment(seen.notBefore)],
    [t("certificateTo"), moment(seen.notAfter)],
    [t("certificateAlgorithm"), seen.algorithm],
    [t("certificateUsage"), seen.usage.join(", ")],
    [t("certificateSha256"), code(seen.sha256)],
  );
}

async function exported(certificate: Certificate, link: Link, problem: HTMLElement): Promise<void> {
  showFailure(problem, null);
  try {
    const { der, name } = await link.ask("export-certificate", { certificate: certificate.id });
    save(`${name}.cer`, new Blob([bytes(der)], { type: "application/pkix-cert" }));
  } catch (thrown) {
    showFailure(problem, failureOf(thrown));
  }
}
