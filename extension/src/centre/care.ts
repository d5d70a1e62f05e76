// The dialogs before the host's windows: what will happen and what a PIN must look like is said here, first; PINs are asked there, only.
// Unlocking, activating and installing need the CA's word: this page carries the host's request to the desk and the desk's grant back,
// and can read no secret in either.

import { bytes } from "../base64";
import { $, box, button, element } from "../draw";
import { failureOf, Refused } from "../failure";
import { showFailure } from "../failure-view";
import { t } from "../language";
import type { Key } from "../language";
import { SEAL_PART_MAX } from "../protocol";
import type { Failure, Phase, Verbs } from "../protocol";
import { DeskCalls } from "./desk-calls";
import type { Issued } from "./desk-calls";
import { checked, deskOf, NO_ISSUER, openDesk, setDesk } from "./desks";
import type { Business } from "./desks";
import { own, tokenHead } from "./keys";
import type { Certificate, Token } from "./keys";
import type { Care, Link } from "./link";

/** What the person has given up is no failure. */
class GivenUp extends Error {}

/** What a desk says to a request about another certificate than its business is about. */
const OTHER_CERTIFICATE = "certificate-request-refused";

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
    const certificates = own(token);
    const typed = new Typed(certificates[0]?.issuer);
    void this.#run("actForgotPin", async () => {
      this.#show(tokenHead(token), lead("careUnlockLead"), await this.#asked(typed.fields()), typed.way("unlock", t("careDesk")), rule());
      const calls = await this.#business(typed);
      const grant = await this.#unlocking(token.token, typed.number, certificates, calls);
      await this.#window("unlock", { token: token.token, grant } as Verbs["unlock"]["arguments"]);
      this.#told(t("careUnlocked"));
    });
  }

  /** 激活证书: key pair and request on the key, certificate and seal from the desk. After any interruption the same button goes on. */
  activate(token: Token): void {
    // Set up, some tokens have another slot and serial number.
    let ref = token.token;
    const typed = new Typed(NO_ISSUER, token.activating);
    void this.#run("actActivate", async () => {
      const warning = box("div", "notice warn", element("p", "", t("careNoReturn")));
      this.#show(tokenHead(token), lead("careActivateLead"), warning, await this.#asked(typed.fields()), rule());
      const calls = await this.#business(typed);
      ref = await this.#called(ref, typed.number);
      const made = await this.#request(ref, typed.number, calls);
      ref = made.token;
      this.#say(t("careAsking"));
      const issued = await this.#asked(calls.issue(made.request));
      await this.#install(ref, issued);
      this.#told(t(issued.seal === undefined ? "careInstalled" : "careInstalledSeal"));
    });
  }

  /** 安装: what a renewal or a seal's business has ready. */
  install(token: Token): void {
    const typed = new Typed(own(token)[0]?.issuer);
    void this.#run("actInstall", async () => {
      this.#show(tokenHead(token), lead("careInstallLead"), await this.#asked(typed.fields()));
      const calls = await this.#business(typed);
      const waiting = await this.#asked(calls.waiting());
      await this.#install(token.token, waiting);
      await this.#asked(calls.installed());
      this.#told(t(waiting.kind === "seal" ? "careSealOnly" : waiting.seal === undefined ? "careInstalled" : "careInstalledSeal"));
    });
  }

  /** The grant that unlocks. The business is about one certificate; of several on the key, as after a renewal, the desk knows which. */
  async #unlocking(token: Token["token"], business: string, certificates: readonly Certificate[], calls: DeskCalls): Promise<string> {
    for (const [index, { id: certificate }] of certificates.entries()) {
      const { request } = await this.#asked(this.link.ask("token-request", { purpose: "unlock", token, business, certificate }));
      try {
        return await this.#asked(calls.unlock(request));
      } catch (thrown) {
        const another = thrown instanceof Refused && thrown.failure.facts?.["reason"] === OTHER_CERTIFICATE;
        if (!another || index + 1 === certificates.length) throw thrown;
      }
    }
    throw new Refused("certificate-missing");
  }

  /** How the token is called now: one whose setting up was interrupted, after it had got another serial number, is known by the business's. */
  async #called(token: Token["token"], business: string): Promise<Token["token"]> {
    const { now } = await this.#asked(this.link.ask("keys", {}));
    const tokens = now?.tokens ?? [];
    const same = ({ token: other }: Token): boolean =>
      other.module === token.module && other.serial === token.serial && (token.slot === undefined || other.slot === token.slot);
    return tokens.some(same) ? token : (tokens.find((other) => other.label === business)?.token ?? token);
  }

  /** The certificate request: made with a grant that sets the key up, or the one of an activation that had come so far before. */
  async #request(token: Token["token"], business: string, calls: DeskCalls): Promise<Pick<Verbs["activate"]["answer"], "request" | "token">> {
    const { request, certificateRequest } = await this.#asked(this.link.ask("token-request", { purpose: "activate", token, business }));
    if (certificateRequest !== undefined) return { request: certificateRequest, token };
    const grant = await this.#asked(calls.setup(request));
    return this.#window("activate", { token, grant } as Verbs["activate"]["arguments"]);
  }

  async #install(token: Token["token"], what: Partial<Issued>): Promise<void> {
    const { grant, certificate, chain } = what;
    const seal = what.seal === undefined ? {} : { seal: await this.#hand(bytes(what.seal)) };
    const issued = certificate === undefined ? {} : { grant, certificate, chain };
    await this.#window("install", { token, ...issued, ...seal } as Verbs["install"]["arguments"]);
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

  /** Waits for the press, and keeps where the desk is for the next time. */
  async #business(typed: Typed): Promise<DeskCalls> {
    await this.#press(t("careNext"));
    this.#say(t("careAsking"));
    return this.#asked(typed.calls());
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

/** Which business at which desk, as it was typed: it stays through every attempt of a dialog. */
class Typed {
  #address: string | null = null;
  #code = "";
  #input: HTMLInputElement | null = null;

  constructor(
    private readonly issuer = NO_ISSUER,
    public number = "",
  ) {}

  /** The fields; an address that an administrator has set is shown and cannot be changed. */
  async fields(): Promise<HTMLElement> {
    const desk = (await deskOf(this.issuer)) ?? (await deskOf(NO_ISSUER));
    this.#address ??= desk?.address ?? "";
    const address = field("careDeskAddress", this.#address, (value) => (this.#address = value), { id: "care-desk", type: "url", placeholder: "https://", maxLength: 500 });
    const input = address.querySelector("input");
    this.#input = input;
    if (input && desk?.source === "managed") Object.assign(input, { readOnly: true, value: (this.#address = desk.address) });
    const judge = (): void => input?.setCustomValidity(checked(this.#address) === null ? t("deskWrong") : "");
    input?.addEventListener("input", judge);
    judge();
    const number = field("careNumber", this.number, (value) => (this.number = value.toUpperCase()), { id: "care-number", pattern: "[A-Za-z0-9\\-]{1,64}", maxLength: 64 });
    const code = field("careCode", this.#code, (value) => (this.#code = value), { id: "care-code", pattern: "[A-Za-z0-9 \\-]{4,64}", maxLength: 64 });
    return box("div", "business", address, number, code, element("p", "small", t("careWhere")));
  }

  /** The button that leads to the desk, where a business begins that has no number yet. */
  way(business: Business, text: string): HTMLElement {
    const open = button(text, () => {
      const address = checked(this.#address);
      if (address === null) this.#input?.reportValidity();
      else openDesk({ issuer: this.issuer, address, source: "own" }, business);
    });
    return box("div", "act", open);
  }

  /** The form's own check has let it through, or an administrator's list has named it. */
  async calls(): Promise<DeskCalls> {
    const address = checked(this.#address);
    if (address === null) throw new Refused("desk-unreachable", { address: this.#address ?? "" });
    await setDesk(this.issuer, address);
    return new DeskCalls(address, this.number, this.#code);
  }
}

function field(word: Key, value: string, typed: (value: string) => void, more: Partial<HTMLInputElement>): HTMLElement {
  const made = element("input", "input");
  Object.assign(made, { type: "text", value, required: true, autocomplete: "off", spellcheck: false, ...more });
  made.addEventListener("input", () => typed(made.value.trim()));
  return box("label", "", element("span", "", t(word)), made);
}
