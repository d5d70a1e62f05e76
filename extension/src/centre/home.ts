// 主页: each key that is plugged in, how it is, and the buttons that its owner looks for first. Where something is missing, what and what to do.

import { badge, box, button, element, empty } from "../draw";
import { showFailure } from "../failure-view";
import { t } from "../language";
import type { Failure } from "../protocol";
import type { Cares } from "./care";
import { expiryBadge, expiryNotice, go, own, tokenHead, which } from "./keys";
import type { Certificate, Known, Token } from "./keys";

/** What drivers say of a key that is not there. */
const GONE: readonly string[] = ["token-removed", "token-missing"];

export function drawHome(body: HTMLElement, known: Known, cares: Cares): void {
  // A driver whose key was just pulled out works; there is no key.
  const broken = known.modules.flatMap((module) => (module.failure && !GONE.includes(module.failure.code) ? [failureBox(module.failure)] : []));
  // SoftHSM and its like always show one empty slot beside the real keys.
  const tokens = shown(known);
  const none = known.modules.length === 0 ? failureBox({ code: "module-not-configured" }) : broken.length === known.modules.length ? null : noKey();
  body.replaceChildren(...broken, ...(tokens.length === 0 && none ? [none] : []), ...tokens.map((token) => card(token, known, cares)));
}

/** The keys that mean something: a blank one only where there is no other. */
export function shown(known: Known): Token[] {
  const used = known.tokens.filter((token) => token.state !== "uninitialised");
  return used.length > 0 ? [...used, ...known.tokens.filter((token) => token.state === "uninitialised" && token.activating !== undefined)] : known.tokens;
}

function noKey(): HTMLElement {
  const made = empty(t("homeNoKey"), t("homeNoKeyText"), go("environment", t("centreEnvironment")));
  made.dataset["empty"] = "key";
  return made;
}

/** The host does not answer: that is what has to be mended before anything else. */
export function without(failure: Failure): HTMLElement {
  const made = box("div", "stack", failureBox(failure), box("div", "tools", go("environment", t("centreEnvironment"))));
  made.dataset["empty"] = "host";
  return made;
}

export function failureBox(failure: Failure): HTMLElement {
  const made = element("div", "failure");
  showFailure(made, failure);
  return made;
}

function card(token: Token, known: Known, cares: Cares): HTMLElement {
  const certificates = own(token);
  const made = box("article", "card token", tokenHead(token), ...notices(token, certificates, known), certificates.length > 0 ? box("ul", "plain", ...certificates.map((one) => summary(one, known))) : nothingOn(token), acts(token, cares));
  made.dataset["serial"] = token.token.serial;
  made.dataset["state"] = token.state;
  return made;
}

function nothingOn(token: Token): HTMLElement {
  return element("p", "", t(token.activating !== undefined ? "homeActivating" : "homeNoCertificate", token.activating ?? ""));
}

function summary(certificate: Certificate, known: Known): HTMLElement {
  const judged = known.judged[certificate.id];
  const name = box("p", "organisation", element("span", "", certificate.organisation), certificate.test ? badge(t("popupTest"), "") : null, judged?.renewed ? expiryBadge(judged) : null);
  const made = box("li", "", name, certificate.creditCode ? element("p", "small", `${t("popupCreditCode")} ${certificate.creditCode}`) : null, element("p", "small", which(certificate)));
  made.dataset["certificate"] = certificate.id;
  made.dataset["expiry"] = judged?.expiry ?? "";
  made.dataset["renewed"] = String(judged?.renewed ?? false);
  return made;
}

function notices(token: Token, certificates: Certificate[], known: Known): HTMLElement[] {
  const made: (HTMLElement | null)[] = [];
  if (token.state === "locked") made.push(notice(token.officerLocked ? "noticeDead" : "noticeLocked", "bad"));
  else if (token.state === "pin-final-try") made.push(notice("noticeFinalTry", "bad"));
  else if (token.state === "pin-low") made.push(token.triesLeft === undefined ? notice("noticeLow", "warn") : notice("noticeTries", "warn", token.triesLeft));
  for (const certificate of certificates) {
    const judged = known.judged[certificate.id];
    made.push(expiryNotice(certificate, judged));
    if (judged?.seal === "pending" && !judged.renewed) made.push(box("div", "notice warn", element("p", "", t("noticeSealPending", certificate.organisation)), go("seals", t("centreSeals"))));
  }
  return made.filter((one) => one !== null);
}

function notice(word: Parameters<typeof t>[0], level: string, ...values: (string | number)[]): HTMLElement {
  return box("div", `notice ${level}`, element("p", "", t(word, ...values)));
}

function acts(token: Token, cares: Cares): HTMLElement {
  const locked = token.state === "locked";
  const blank = token.state === "uninitialised" || token.certificates.length === 0;
  const change = button(t("actChangePin"), () => cares.changePin(token));
  change.dataset["act"] = "change-pin";
  change.disabled = locked || token.state === "uninitialised";
  const forgot = button(t("actForgotPin"), () => cares.unlock(token), locked && !token.officerLocked ? "primary" : "");
  forgot.dataset["act"] = "unlock";
  // The CA unlocks for a certificate of its own.
  forgot.disabled = token.officerLocked || token.state === "uninitialised" || own(token).length === 0;
  const activate = button(t(token.activating === undefined ? "actActivate" : "actActivateOn"), () => cares.activate(token), "primary");
  activate.dataset["act"] = "activate";
  // The desk makes new seals and renewed certificates for a certificate that is on the key.
  const install = button(t("actInstall"), () => cares.install(token));
  install.dataset["act"] = "install";
  install.disabled = locked;
  return box("div", "tools", ...(blank && !locked ? [activate] : []), ...(own(token).length > 0 ? [install] : []), change, forgot);
}

