// What is known of the keys, asked for again only where something has changed; and the words for it that several tabs use.

import type { Expiry, Judged } from "sealbridge-wasm";
import { wasm } from "../background/module";
import { badge, box, day, element, grouped } from "../draw";
import { Refused } from "../failure";
import { t } from "../language";
import type { Key } from "../language";
import type { Verbs } from "../protocol";
import { TOKEN_STATES } from "../token-state";
import type { Link } from "./link";

export type Everything = NonNullable<Verbs["keys"]["answer"]["now"]>;
export type Token = Everything["tokens"][number];
export type Certificate = Token["certificates"][number];
export type Seal = Token["seals"][number];

/** The keys with what is judged of their certificates and seals, by id. */
export interface Known extends Everything {
  judged: Record<string, Judged>;
  seals: Record<string, Expiry>;
}

export class Keys {
  #revision: string | undefined;
  #known: Known | null = null;

  constructor(private readonly link: Link) {}

  /** What there is now. Throws where the host can not tell. */
  async look(): Promise<Known> {
    const { revision, now } = await this.link.ask("keys", this.#revision === undefined ? {} : { known: this.#revision });
    const everything = now ?? this.#known;
    if (!everything) throw new Refused("answer-malformed", { detail: "keys" });
    const { modules, tokens } = everything;
    const { certificates, seals } = (await wasm()).judgeKeys({ modules, tokens }, Math.floor(Date.now() / 1000));
    this.#revision = revision;
    this.#known = { modules, tokens, judged: certificates, seals };
    return this.#known;
  }
}

/** A key's name, serial number and state: what tells several of them apart. */
export function tokenHead(token: Token): HTMLElement {
  const [word, level] = TOKEN_STATES[token.state];
  const title = box("div", "title", element("h3", "", token.label || t("popupKey")), badge(token.officerLocked && token.state === "locked" ? t("stateDead") : t(word), level));
  const maker = [token.maker, token.model].filter((part) => part !== "").join(" ");
  return box("div", "token-head", title, element("p", "small serial", [token.token.serial && `${t("keySerial")} ${token.token.serial}`, maker].filter(Boolean).join(" · ")));
}

export function expiryBadge(judged: Judged | undefined): HTMLElement | null {
  // Whatever its own end, the one that counts now is another.
  if (judged?.renewed) return badge(t("expiryRenewed"), "");
  switch (judged?.expiry) {
    case "expired":
      return badge(t("popupExpired"), "bad");
    case "within7":
      return badge(t("expiryDays", judged.daysLeft), "bad");
    case "within30":
    case "within60":
      return badge(t("expiryDays", judged.daysLeft), "warn");
    case "not-yet-valid":
      return badge(t("expiryNotYet"), "warn");
    default:
      return judged ? badge(t("expiryGood"), "good") : null;
  }
}

const EXPIRIES: Partial<Record<Judged["expiry"], Key>> = { expired: "expiryExpiredText", within7: "expiry7Text", within30: "expiry30Text", within60: "expiry60Text" };

/** What to do about a certificate that ends soon; null where there is time, or where it has been done. */
export function expiryNotice(certificate: Certificate, judged: Judged | undefined): HTMLElement | null {
  const word = judged && EXPIRIES[judged.expiry];
  if (!judged || !word || !certificate.hasKey || judged.renewed) return null;
  const level = judged.expiry === "expired" || judged.expiry === "within7" ? "bad" : "warn";
  const notice = box("div", `notice ${level}`, element("p", "", t(word, certificate.organisation, day(certificate.notAfter), judged.daysLeft)), go("renewal", t("centreRenewal")));
  notice.dataset["expiry"] = judged.expiry;
  return notice;
}

/** A link to another tab, as a button would look. */
export function go(tab: string, text: string): HTMLAnchorElement {
  const link = element("a", "button", text);
  link.href = `#${tab}`;
  return link;
}

/** Certificates that people look after: those with a key, for signing. */
export function own(token: Token): Certificate[] {
  return token.certificates.filter((certificate) => certificate.hasKey && !certificate.uses.includes("encryption"));
}

/** How a certificate is told from another one of the same organisation. */
export function which(certificate: Certificate): string {
  return t("certificateWhich", grouped(certificate.serial.slice(-8)), day(certificate.notAfter));
}

