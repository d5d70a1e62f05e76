// 我的印章: each seal at its true size, with the certificates that it names; a certificate whose seal is still to come says so.

import type { Expiry } from "sealbridge-wasm";
import { badge, box, day, element, empty, facts } from "../draw";
import { failureOf } from "../failure";
import { t } from "../language";
import { failureBox, shown } from "./home";
import { own, tokenHead, which } from "./keys";
import type { Certificate, Known, Seal, Token } from "./keys";
import type { Link } from "./link";
import { handOver } from "./renewal";

/** Kinds of pictures that a browser draws; a seal may have others. */
const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/bmp"];

/** Draws the tab once the pictures are there, where it is still `fresh` then. */
export async function drawSeals(body: HTMLElement, known: Known, link: Link, fresh: () => boolean): Promise<void> {
  const tokens = shown(known);
  if (tokens.length === 0) return body.replaceChildren(empty(t("homeNoKey"), t("homeNoKeyText")));
  const groups = await Promise.all(tokens.map((token) => group(token, known, link)));
  if (fresh()) body.replaceChildren(...groups);
}

async function group(token: Token, known: Known, link: Link): Promise<HTMLElement> {
  const made = box("div", "card token", tokenHead(token));
  for (const certificate of own(token)) {
    const judged = known.judged[certificate.id];
    const state = judged?.renewed ? undefined : judged?.seal;
    if (state === "pending" || state === "missing") made.append(wanted(certificate, state));
  }
  made.append(...(await Promise.all(token.seals.map((seal) => card(seal, token, known, link)))));
  if (token.seals.length === 0 && own(token).length === 0) made.append(element("p", "small", t("popupNoSeal")));
  return made;
}

/** A certificate without a seal that names it: the desk makes one. */
function wanted(certificate: Certificate, state: "pending" | "missing"): HTMLElement {
  const act = box("div", "act");
  handOver(act, certificate.issuer, "seal-apply", t("actSealApply"));
  const made = box(
    "div",
    "notice warn",
    box("div", "text", element("p", "", t(state === "pending" ? "noticeSealPending" : "noticeSealMissing", certificate.organisation)), element("p", "small", which(certificate))),
    act,
  );
  made.dataset["seal"] = state;
  return made;
}

async function card(seal: Seal, token: Token, known: Known, link: Link): Promise<HTMLElement> {
  const made = box("article", "seal");
  made.dataset["seal"] = seal.id;
  if (seal.failure) {
    made.append(failureBox(seal.failure));
    return made;
  }
  const named = token.certificates.filter((certificate) => seal.certificates.includes(certificate.id));
  const renewed = (certificate: Certificate): boolean => known.judged[certificate.id]?.renewed ?? false;
  const told = (certificate: Certificate): string => [certificate.organisation, which(certificate), ...(renewed(certificate) ? [t("expiryRenewed")] : [])].join(" · ");
  const text = box(
    "div",
    "",
    box("h4", "", element("span", "", seal.name), standing(seal, known.seals[seal.id])),
    facts(
      [t("sealKind"), seal.kind],
      [t("sealSize"), t("stampSealSize", millimetres(seal.widthMicrometres), millimetres(seal.heightMicrometres))],
      [t("certificateValid"), `${day(seal.validFrom)} — ${day(seal.validUntil)}`],
      [t("sealNames"), named.length > 0 ? named.map(told).join("\n") : t("sealNamesNone")],
    ),
  );
  const act = box("div", "act");
  // The desk changes the seal of the certificate that counts.
  const issuer = named.find((certificate) => !renewed(certificate))?.issuer;
  if (issuer !== undefined) handOver(act, issuer, "seal-change", t("actSealChange"));
  text.append(act);
  made.append(await picture(seal, token, link), text);
  return made;
}

/** Whether it can be used, in a word. */
function standing(seal: Seal, expiry: Expiry | undefined): HTMLElement {
  if (seal.certificates.length === 0) return badge(t("sealOther"), "warn");
  if (expiry === "expired") return badge(t("popupExpired"), "bad");
  return expiry === "not-yet-valid" ? badge(t("expiryNotYet"), "warn") : badge(t("sealInstalled"), "good");
}

/** The seal as it will be on paper: millimetres of the style sheet, with a scale to lay a ruler on. */
async function picture(seal: Seal, token: Token, link: Link): Promise<HTMLElement> {
  const frame = element("figure", "paper");
  try {
    const { format, picture: base64 } = await link.ask("seal-picture", { token: token.token, seal: seal.id });
    if (!PICTURES.includes(format)) return box("figure", "paper", element("p", "small", t("sealFormat", format)));
    const image = element("img");
    image.src = `data:${format};base64,${base64}`;
    image.alt = seal.name;
    image.style.width = `${seal.widthMicrometres / 1000}mm`;
    image.style.height = `${seal.heightMicrometres / 1000}mm`;
    await image.decode();
    frame.append(image, scale());
  } catch (thrown) {
    frame.append(failureBox(failureOf(thrown)));
  }
  return frame;
}

function scale(): HTMLElement {
  const rule = element("span", "rule");
  rule.setAttribute("aria-hidden", "true");
  return box("figcaption", "small", rule, element("span", "", t("sealScale")));
}

function millimetres(micrometres: number): string {
  return String(Math.round(micrometres / 100) / 10);
}
