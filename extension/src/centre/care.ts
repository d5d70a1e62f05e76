// The dialogs before the host's windows: what will happen and what a PIN must look like is said here, first; PINs are asked there, only.
// Unlocking and activating need the CA's word: this page carries the host's request to the desk and the desk's grant back, and can
// read no secret in either.

import { bytes } from "../base64";
import { $, box, button, element } from "../draw";
import { failureOf, Refused } from "../failure";
import { showFailure } from "../failure-view";
import { t } from "../language";
import type { Key } from "../language";
import { SEAL_PART_MAX } from "../protocol";
import type { Failure, Phase, Verbs } from "../protocol";
import { own, tokenHead } from "./keys";
import type { Token } from "./keys";
import type { Care, Link } from "./link";
import { handOver } from "./renewal";

/** What the person has given up is no failure. */
class GivenUp extends Error {}

const PHASES: Record<Phase, Key> = { consent: "stampConsent", pin: "carePin", signing: "careWorking" };

/** One dialog at a time. */
export class Cares {
  /** Ends the waiting of the open dialog, and with it all of its work. */
  #giveUp: () => void = () => undefined;
  /** Takes back the host's window that is open. */
  #takeBack: (() => void) | null = null;
  /** Called when something on a key may have changed. */
  onDone: () => void = () => undefined;

  constructor(private readonly link: Link) {
    const dialog = $<HTMLDialogElement>("care");
    $("care-close").addEventListener("click", () => this.#close());
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.#close();
    });
    // A browser closes a dialog by itself too, as Chromium does at a second Escape.
    dialog.addEventListener("close", () => {
      if (dialog.open) return;
      this.#giveUp();
      $("care-body").replaceChildren();
    });
  }

  changePin(token: Token): void {
    void this.#run("actChangePin", async () => {
      this.#show(tokenHead(token), lead("careChangeLead"), rule());
      await this.#press(t("careStart"));
      await this.#window("change-pin", { token: token.token });
      this.#told(t("careChanged"));
    });
  }

  /** 忘记密码: with a grant of the CA, which knows the handler. */
  unlock(token: Token): void {
    void this.#run("actForgotPin", async () => {
      const [certificate] = own(token);
      const number = input("careNumber");
      const desk = box("div", "act");
      if (certificate) handOver(desk, certificate.issuer, "unlock", t("careDesk"));
      this.#show(tokenHead(token), lead("careUnlockLead"), desk, number.label, rule());
      await this.#press(t("careNext"));
      const asked = { purpose: "unlock" as const, token: token.token, business: number.value(), ...(certificate ? { certificate: certificate.id } : {}) };
      const { request } = await this.#asked(this.link.ask("token-request", asked));
      const grant = await this.#carry(request, "careCarryUnlock", "careGrant");
      await this.#window("unlock", { token: token.token, grant } as Verbs["unlock"]["arguments"]);
      this.#told(t("careUnlocked"));
    });
  }

  /** 激活证书: key pair and request on the key, certificate and seal from the desk. After any interruption the same button goes on. */
  activate(token: Token): void {
    // Set up, some tokens have another slot and serial number.
    let ref = token.token;
    void this.#run("actActivate", async () => {
      const number = input("careNumber", token.activating ?? "");
      this.#show(tokenHead(token), lead("careActivateLead"), box("div", "notice warn", element("p", "", t("careNoReturn"))), number.label, rule());
      await this.#press(t("careNext"));
      const made = await this.#request(ref, number.value());
      ref = made.token;
      const issued = read(await this.#carry(made.request, "careCarryRequest", "careIssued"));
      const seal = issued.seal === undefined ? undefined : await this.#hand(bytes(issued.seal));
      await this.#window("install", {
        token: ref,
        grant: issued.grant,
        certificate: issued.certificate,
        chain: issued.chain,
        ...(seal === undefined ? {} : { seal }),
      } as Verbs["install"]["arguments"]);
      this.#told(t(seal === undefined ? "careInstalled" : "careInstalledSeal"));
    });
  }

  /** The certificate request: made with a grant that sets the key up, or the one of an activation that had come so far before. */
  async #request(token: Token["token"], business: string): Promise<Pick<Verbs["activate"]["answer"], "request" | "token">> {
    const { request, certificateRequest } = await this.#asked(this.link.ask("token-request", { purpose: "activate", token, business }));
    if (certificateRequest !== undefined) return { request: certificateRequest, token };
    const grant = await this.#carry(request, "careCarryActivate", "careGrant");
    return this.#window("activate", { token, grant } as Verbs["activate"]["arguments"]);
  }

  // ---- the dialog ----

  async #run(title: Key, work: () => Promise<void>): Promise<void> {
    const dialog = $<HTMLDialogElement>("care");
    if (dialog.open) return;
    // One that has only just been closed, by the browser itself, may not have been told yet.
    this.#giveUp();
    $("care-title").textContent = t(title);
    this.#say("");
    showFailure($("care-failure"), null);
    $("care-close").textContent = t("stampCancel");
    dialog.dataset["state"] = "asking";
    dialog.showModal();
    for (;;) {
      try {
        await work();
        dialog.dataset["state"] = "done";
      } catch (thrown) {
        if (thrown instanceof GivenUp) return;
        this.#failed(failureOf(thrown));
        this.onDone();
        // From the beginning, under the reason; the host goes on where it was.
        continue;
      }
      this.onDone();
      return;
    }
  }

  #show(...parts: HTMLElement[]): void {
    $("care-body").replaceChildren(...parts);
  }

  #say(text: string): void {
    $("care-status").textContent = text;
    $("care-status").className = "";
  }

  #told(text: string): void {
    this.#say(text);
    $("care-status").className = "good";
    $("care-start").hidden = true;
    $("care-close").textContent = t("careClose");
    $("care-close").focus();
    $("care-body").replaceChildren();
  }

  #failed(failure: Failure): void {
    $<HTMLDialogElement>("care").dataset["state"] = "failed";
    this.#say("");
    if (failure.code !== "cancelled") showFailure($("care-failure"), failure);
    else this.#say(t("careCancelled"));
    $("care-close").textContent = t("careClose");
  }

  /** Waits for an answer; throws where the person closes the dialog first. Whatever a dialog waits for, it waits for here. */
  #asked<T>(answer: Promise<T>): Promise<T> {
    const closed = new Promise<never>((_resolve, reject) => (this.#giveUp = () => reject(new GivenUp())));
    return Promise.race([answer, closed]);
  }

  /** Waits for the press that goes on. */
  #press(text: string): Promise<void> {
    const start = $<HTMLButtonElement>("care-start");
    start.textContent = text;
    start.hidden = false;
    start.disabled = false;
    const events = new AbortController();
    const pressed = new Promise<void>((resolve) => {
      $("care-form").addEventListener(
        "submit",
        (event) => {
          event.preventDefault();
          start.disabled = true;
          $("care-close").textContent = t("stampCancel");
          showFailure($("care-failure"), null);
          resolve();
        },
        { once: true, signal: events.signal },
      );
    });
    return this.#asked(pressed).finally(() => events.abort());
  }

  /** One of the host's windows: what it is at is said here, and closing the dialog closes it. */
  async #window<V extends "change-pin" | "unlock" | "activate" | "install">(verb: V, args: Verbs[V]["arguments"]): Promise<Verbs[V]["answer"]> {
    $<HTMLDialogElement>("care").dataset["state"] = "working";
    this.#say(t("careOpening"));
    const care: Care<Verbs[V]["answer"]> = this.link.care(verb, args, (phase) => {
      if (this.#takeBack === takeBack) this.#say(t(PHASES[phase] ?? "careWorking"));
    });
    const takeBack = (): void => care.cancel();
    this.#takeBack = takeBack;
    try {
      return await this.#asked(care.answer);
    } catch (thrown) {
      if (thrown instanceof GivenUp) {
        takeBack();
        // It may have come too late for that.
        void care.answer.catch(() => undefined).then(() => this.onDone());
      }
      throw thrown;
    } finally {
      this.#takeBack = null;
    }
  }

  /** Shows a text for the desk, and waits for the desk's answer. */
  async #carry(text: string, why: Key, answerLabel: Key): Promise<string> {
    const out = element("textarea", "input carried");
    Object.assign(out, { readOnly: true, value: text, rows: 4 });
    out.setAttribute("aria-label", t("careRequest"));
    const copy = button(t("careCopy"), () => void navigator.clipboard.writeText(text).then(() => this.#say(t("careCopied"))));
    const back = element("textarea", "input carried");
    Object.assign(back, { rows: 4, required: true, maxLength: 2_000_000, autocomplete: "off", spellcheck: false });
    back.id = "care-answer";
    out.id = "care-request";
    this.#say("");
    this.#show(lead(why), box("div", "", out, box("div", "tools", copy)), box("label", "", element("span", "", t(answerLabel)), back));
    await this.#press(t("careNext"));
    return back.value.trim();
  }

  /** Hands a seal to the host in parts, from where an earlier hand-over ended; gives its SHA-256. */
  async #hand(seal: Uint8Array<ArrayBuffer>): Promise<string> {
    const sum = new Uint8Array(await this.#asked(crypto.subtle.digest("SHA-256", seal)));
    const id = [...sum].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const hand = (offset: number, part: Uint8Array): Promise<Verbs["seal-part"]["answer"]> =>
      this.#asked(this.link.ask("seal-part", { seal: id, size: seal.length, offset, part: btoa(String.fromCharCode(...part)) }));
    let { have } = await hand(0, new Uint8Array());
    while (have < seal.length) ({ have } = await hand(have, seal.subarray(have, have + SEAL_PART_MAX)));
    return id;
  }

  #close(): void {
    // The host answers `cancelled` then, and the dialog stays to say so.
    if (this.#takeBack) return this.#takeBack();
    this.#giveUp();
    $<HTMLDialogElement>("care").close();
  }
}

function lead(word: Key): HTMLElement {
  return element("p", "", t(word));
}

/** What a PIN must look like, before it is asked for. */
function rule(): HTMLElement {
  const list = element("ul", "rule-list");
  for (const word of ["pinRuleLength", "pinRuleKinds", "pinRuleOther", "pinRuleTwice"] as const) list.append(element("li", "", t(word)));
  return box("div", "pin-rule", element("h3", "", t("pinRule")), list, element("p", "small", t("pinRuleWhere")));
}

function input(word: Key, before = ""): { label: HTMLElement; value(): string } {
  const made = element("input", "input");
  Object.assign(made, { type: "text", value: before, required: true, maxLength: 64, autocomplete: "off", pattern: "[A-Za-z0-9\\-]{1,64}", id: "care-number" });
  return { label: box("label", "", element("span", "", t(word)), made), value: () => made.value.trim() };
}

interface Issued {
  /** The grant for this one request. */
  grant: string;
  certificate: string;
  chain: string[];
  seal?: string;
}

/** The desk's answer to a certificate request, as JSON. What is in it, the host judges. */
function read(text: string): Issued {
  let said: Partial<Record<keyof Issued, unknown>> = {};
  try {
    said = (JSON.parse(text) ?? {}) as typeof said;
  } catch {
    // Told below: it lacks everything.
  }
  const { grant, certificate, chain, seal } = said;
  if (typeof grant !== "string" || typeof certificate !== "string" || !Array.isArray(chain)) throw new Refused("grant-malformed");
  return { grant, certificate, chain: chain.filter((one): one is string => typeof one === "string"), ...(typeof seal === "string" ? { seal } : {}) };
}
