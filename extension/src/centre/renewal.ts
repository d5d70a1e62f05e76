// 证书续期: the certificates with their ends, and the way to the desk of the authority that issued each. The desk renews; nothing is signed here.

import { badge, box, button, day, element, empty, grouped } from "../draw";
import { t } from "../language";
import { deskOf, NO_ISSUER, openDesk, setDesk } from "./desks";
import type { Business, Desk } from "./desks";
import { shown } from "./home";
import { expiryBadge, own } from "./keys";
import type { Certificate, Known, Token } from "./keys";

export function drawRenewal(body: HTMLElement, known: Known): void {
  const tokens = shown(known).filter((token) => own(token).length > 0);
  if (tokens.length === 0) return body.replaceChildren(empty(t("renewalEmpty"), t("renewalEmptyText")));
  const rows = tokens.flatMap((token) => own(token).map((certificate) => row(token, certificate, known)));
  const head = box("div", "row head", element("span", "", t("renewalSubject")), element("span", "", t("popupExpiry")), element("span", "", t("renewalAct")));
  head.setAttribute("aria-hidden", "true");
  // The guides: insert only one key while a certificate is applied for or installed.
  const several = tokens.length > 1 ? box("div", "notice warn", element("p", "", t("renewalOneKey", tokens.length))) : null;
  body.replaceChildren(...(several ? [several] : []), box("div", "card table", head, ...rows));
}

function row(token: Token, certificate: Certificate, known: Known): HTMLElement {
  const judged = known.judged[certificate.id];
  const subject = box(
    "div",
    "",
    box("p", "organisation", element("span", "", certificate.organisation), certificate.test ? badge(t("popupTest"), "") : null),
    element("p", "small", `${t("certificateSerial")} ${grouped(certificate.serial)}`),
    element("p", "small", `${token.label} · ${token.token.serial}`),
  );
  const end = box("div", "", element("p", "", day(certificate.notAfter)), expiryBadge(judged));
  const act = box("div", "act");
  const made = box("div", "row", subject, end, act);
  made.dataset["certificate"] = certificate.id;
  made.dataset["renewed"] = String(judged?.renewed ?? false);
  if (judged?.renewed) {
    act.append(element("p", "small", t("renewalDone")));
    return made;
  }
  const next = judged?.next ?? "renewal";
  if (next === "reissue") act.append(element("p", "small", t("renewalExpired")));
  handOver(act, certificate.issuer, next, t(next === "reissue" ? "renewalPaper" : "actRenew"));
  return made;
}

/** The button that leads to the desk, or the question where the desk is; it comes when the browser has told its policies, which may take a while. */
export function handOver(place: HTMLElement, issuer: string, business: Business, text: string): void {
  const found = async (): Promise<HTMLElement[]> => {
    const desk = await deskOf(issuer);
    if (desk) return known(place, desk, business, text);
    // Where a key was activated is most likely where its certificate comes from; the person says so.
    return [question(place, issuer, business, text, (await deskOf(NO_ISSUER))?.address)];
  };
  void found().then((controls) => place.append(...controls));
}

function known(place: HTMLElement, desk: Desk, business: Business, text: string): HTMLElement[] {
  const open = button(text, () => openDesk(desk, business), "primary");
  open.dataset["act"] = business;
  open.title = desk.address;
  const where = element("p", "small origin", new URL(desk.address).host);
  if (desk.source === "managed") return [open, where];
  const change = button(t("deskChange"), () => {
    place.replaceChildren(question(place, desk.issuer, business, text, desk.address));
    place.querySelector("input")?.focus();
  }, "link");
  return [open, where, change];
}

function question(place: HTMLElement, issuer: string, business: Business, text: string, before = ""): HTMLElement {
  const form = element("form", "desk");
  const input = element("input", "input");
  Object.assign(input, { type: "url", value: before, placeholder: "https://", maxLength: 500, autocomplete: "off" });
  const wrong = element("p", "wrong");
  wrong.setAttribute("role", "alert");
  wrong.hidden = true;
  const keep = element("button", "", t("deskKeep"));
  keep.type = "submit";
  form.append(box("label", "", element("span", "small", t("deskAsk", issuer)), input), keep, wrong, element("p", "small", t("deskHint")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    // It may stand in a dialog that waits for a submission of its own.
    event.stopPropagation();
    void setDesk(issuer, input.value).then((taken) => {
      wrong.hidden = taken;
      wrong.textContent = taken ? "" : t("deskWrong");
      input.setAttribute("aria-invalid", String(!taken));
      if (!taken) return;
      place.replaceChildren();
      handOver(place, issuer, business, text);
    });
  });
  return form;
}
