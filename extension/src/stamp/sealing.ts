// Fetches the seal. Where several seals or certificates would do, the person chooses, once for each site until the browser
// is closed; nothing is guessed, and nothing but the two ids is remembered. A renewal is no reason to ask: its newest pair counts.

import type { SealView, StatusView } from "sealbridge-wasm";
import { $, day } from "../draw";
import { failureOf, Refused } from "../failure";
import { t } from "../language";
import type { SealAnswer } from "../protocol";
import type { Engine } from "./engine";
import type { Background } from "./links";
import { pictureUrl } from "./overlay";
import { followed, newest, renewalsOf } from "./renewals";
import type { Pair, Renewals } from "./renewals";
import type { Sealed } from "./signing";

/** Most pairs of seal and certificate that are offered: a list that a person can read. */
const CHOICES_MAX = 12;
/** What the host says where it will not choose. */
const AMBIGUOUS: readonly string[] = ["seal-ambiguous", "certificate-ambiguous", "token-ambiguous"];

interface Choice {
  answer: SealAnswer;
  view: SealView;
}

export class Sealing {
  constructor(
    private readonly origin: string,
    private readonly background: Background,
    private readonly engine: Engine,
  ) {}

  /** The seal to stamp with; with `anew` the person chooses again. The second value tells whether there is a choice. */
  async fetch(anew: boolean): Promise<Sealed & { choice: boolean }> {
    if (!anew) {
      const remembered = await this.#remembered();
      if (remembered) {
        try {
          return await this.#again(remembered);
        } catch {
          // Another key is plugged in now; what is there is looked at anew.
          await chrome.storage.session.remove(this.#key());
        }
      }
      try {
        return { ...(await this.#use(await this.background.seal({}))), choice: false };
      } catch (thrown) {
        if (!AMBIGUOUS.includes(failureOf(thrown).code)) throw thrown;
      }
    }
    const { choices } = await this.#choices();
    return this.#take(choices.length > 1 ? await choose(choices) : choices[0], choices.length);
  }

  /** The choice that was made before; where its certificate has been renewed since, what it has become. */
  async #again(remembered: Pair): Promise<Sealed & { choice: boolean }> {
    if (!renewalsOf(await this.background.choices()).has(remembered.certificate)) {
      return { ...(await this.#use(await this.background.seal(remembered))), choice: true };
    }
    const { choices, renewals } = await this.#choices();
    return this.#take(followed(remembered, choices, pair, renewals), choices.length);
  }

  async #take(chosen: Choice | null | undefined, count: number): Promise<Sealed & { choice: boolean }> {
    if (!chosen) throw new Refused("seal-ambiguous", { count: String(count) });
    await chrome.storage.session.set({ [this.#key()]: pair(chosen) });
    return { ...(await this.#use(chosen.answer)), choice: count > 1 };
  }

  async #use(answer: SealAnswer): Promise<Sealed> {
    return { answer, view: await this.engine.call("useSeal", answer) };
  }

  #key(): string {
    return `seal:${this.origin}`;
  }

  async #remembered(): Promise<Pair | null> {
    const key = this.#key();
    return ((await chrome.storage.session.get(key))[key] as Pair | undefined) ?? null;
  }

  /** Every pair that can stamp now, of each key the newest. */
  async #choices(): Promise<{ choices: Choice[]; renewals: Renewals }> {
    const status: StatusView = await this.background.choices();
    const renewals = renewalsOf(status);
    let choices: Choice[] = [];
    let refusal: unknown = new Refused("seal-missing");
    const offer = async (wanted: { seal: string; certificate?: string }): Promise<void> => {
      if (choices.length >= CHOICES_MAX) return;
      const answer = await this.background.seal(wanted);
      if (choices.some((other) => other.answer.id === answer.id && other.answer.certificate.id === answer.certificate.id)) return;
      choices = newest([...choices, { answer, view: await this.engine.call("describeSeal", answer) }], pair, renewals);
    };
    for (const token of status.tokens) {
      for (const { id: seal } of token.seals) {
        try {
          await offer({ seal });
        } catch (thrown) {
          refusal = thrown;
          if (!AMBIGUOUS.includes(failureOf(thrown).code)) continue;
          // The seal names several certificates that are there; each is offered, those that it does not name are refused.
          for (const certificate of token.certificates) if (certificate.stamp === null) await offer({ seal, certificate: certificate.id }).catch(() => undefined);
        }
      }
    }
    if (choices.length === 0) throw refusal;
    return { choices, renewals };
  }
}

function pair({ answer }: Choice): Pair {
  return { seal: answer.id, certificate: answer.certificate.id };
}

/** Shows the choices as a list of cards; null where none was taken. */
function choose(choices: readonly Choice[]): Promise<Choice | null> {
  const dialog = $<HTMLDialogElement>("chooser");
  const list = $("chooser-list");
  const use = $<HTMLButtonElement>("chooser-use");
  const urls = choices.map(({ view }) => pictureUrl(view));
  list.replaceChildren(...choices.map((choice, index) => card(choice, index, urls[index] ?? "")));
  use.disabled = true;
  const events = new AbortController();
  const { signal } = events;
  list.addEventListener("change", () => (use.disabled = false), { signal });
  $("chooser-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const picked = list.querySelector<HTMLInputElement>("input:checked");
    if (picked) dialog.close(picked.value);
  }, { signal });
  $("chooser-cancel").addEventListener("click", () => dialog.close(""), { signal });
  dialog.returnValue = "";
  dialog.showModal();
  list.querySelector<HTMLInputElement>("input")?.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      events.abort();
      for (const url of urls) URL.revokeObjectURL(url);
      resolve(dialog.returnValue === "" ? null : (choices[Number(dialog.returnValue)] ?? null));
    }, { once: true });
  });
}

function card({ view, answer }: Choice, index: number, url: string): HTMLElement {
  const label = document.createElement("label");
  label.className = "card";
  label.dataset["seal"] = answer.id;
  const radio = document.createElement("input");
  radio.type = "radio";
  radio.name = "choice";
  radio.value = String(index);
  const picture = document.createElement("img");
  picture.src = url;
  picture.alt = "";
  const words = document.createElement("span");
  const line = (className: string, text: string): void => {
    const part = document.createElement("span");
    part.className = className;
    part.textContent = text;
    words.append(part);
  };
  line("name", view.name);
  line("", view.organisation + (view.test ? ` · ${t("popupTest")}` : ""));
  line("small", t("chooserCertificate", view.serial.slice(-8), day(view.notAfter)));
  label.append(radio, picture, words);
  return label;
}
