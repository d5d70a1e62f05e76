// The shim for pages that were written for Web eID: hears their messages in this window and answers as Web eID's own extension
// would. Off unless the user or a policy has switched it on for this site; the background judges that again. It signs no hash
// (`web-eid:sign` gets an error), answers no frame, and stands down for good in this document where Web eID itself answers.

import { isOn } from "../background/web-eid-sites";
import { tell } from "../protocol";
import type { Failure, Language } from "../protocol";
import type { ToPage, WebEidVerb } from "../messages";
import { isError, readMessage, readRequest, translateFailure, versionOf } from "../web-eid";
import type { Action, Request, WebEidError } from "../web-eid";
import type { Gestures } from "./gesture";

/** How long Web eID's own extension has the first word. It answers at once; pages wait a second for either. */
const FIRST_WORD_MS = 250;
/** A page waits six seconds for the status. */
const STATUS_MS = 5_000;

/** A call that the background has been asked for. */
export interface Asked {
  answer: Promise<Exclude<ToPage, { event: unknown }>>;
  cancel(): void;
}

interface Flight {
  action: Action;
  timer: ReturnType<typeof setTimeout>;
  asked: Asked | null;
}

export class WebEid {
  #on = false;
  #stoodDown = false;
  #proposed = false;
  readonly #flights = new Map<Action, Flight>();
  /** Our own replies that have not come back to our own ear yet. */
  readonly #own = new Map<string, number>();

  constructor(
    private readonly gestures: Gestures,
    private readonly ask: (verb: WebEidVerb, args: Record<string, unknown>, timeoutMs: number) => Asked,
    private readonly language: Language,
  ) {
    window.addEventListener("message", (event) => this.#hear(event));
    chrome.storage.onChanged.addListener(() => void this.#look());
    chrome.runtime.onMessage.addListener((message: unknown, sender, respond) => {
      const popup = sender.id === chrome.runtime.id && (sender.url ?? "").startsWith(chrome.runtime.getURL("popup.html"));
      if (popup && (message as { webEid?: unknown } | null)?.webEid === "proposed?") respond(this.#proposed || proposedByMeta());
      return false;
    });
    void this.#look();
  }

  /** The page asks for the shim through its client. It is told whether it is on; only the person can switch it on. */
  async propose(): Promise<boolean> {
    this.#proposed = true;
    await this.#look();
    return this.#on && !this.#stoodDown;
  }

  async #look(): Promise<void> {
    // The extension may have been updated under this page.
    this.#on = await isOn(location.origin).catch(() => false);
    if (!this.#on) for (const flight of [...this.#flights.values()]) this.#drop(flight);
  }

  #hear(event: MessageEvent): void {
    const message = readMessage(event.data);
    if (!message) return;
    const own = event.source === window && event.origin === location.origin && self.origin === location.origin;
    if (message.kind === "reply") {
      if (!own) {
        // Frames and openers forge replies, and Web eID's library would believe them. It has not heard this one yet.
        if (this.#on) event.stopImmediatePropagation();
        return;
      }
      const expected = this.#own.get(message.action) ?? 0;
      if (expected > 0) this.#own.set(message.action, expected - 1);
      else this.#standDown();
      return;
    }
    if (!own) return;
    // The popup offers the switch where a page has asked for Web eID.
    this.#proposed = true;
    // Replies name no request, so a second one of the same kind could only get the first one's answer.
    if (!this.#on || this.#stoodDown || this.#flights.has(message.action)) return;
    const data = event.data as object;
    const pressed = message.action !== "web-eid:authenticate" || this.gestures.allow("web-eid");
    const flight: Flight = { action: message.action, asked: null, timer: setTimeout(() => void this.#answer(flight, data, pressed), FIRST_WORD_MS) };
    this.#flights.set(message.action, flight);
  }

  /** Somebody else serves Web eID here: what is going on is taken back, and nothing more is said. */
  #standDown(): void {
    this.#stoodDown = true;
    for (const flight of [...this.#flights.values()]) this.#drop(flight);
  }

  #drop(flight: Flight): void {
    clearTimeout(flight.timer);
    this.#flights.delete(flight.action);
    flight.asked?.cancel();
  }

  async #answer(flight: Flight, data: object, pressed: boolean): Promise<void> {
    this.#post({ action: `${flight.action}-ack` });
    const outcome = await this.#serve(flight, data, pressed);
    if (this.#flights.get(flight.action) !== flight) return;
    this.#flights.delete(flight.action);
    if ("ok" in outcome) this.#post({ action: `${flight.action}-success`, ...outcome.ok });
    else this.#post({ action: `${flight.action}-failure`, error: outcome.error });
  }

  async #serve(flight: Flight, data: object, pressed: boolean): Promise<{ ok: object } | { error: WebEidError }> {
    const request = readRequest(data, EXTENSION_VERSION);
    if (isError(request)) return { error: request };
    if (flight.action === "web-eid:sign" || flight.action === "web-eid:get-signing-certificate") return this.#refuse({ code: "web-eid-signing-refused" });
    if (!pressed) return this.#refuse({ code: "gesture-needed" });
    return flight.action === "web-eid:status" ? this.#status(flight, request) : this.#authenticate(flight, request);
  }

  async #status(flight: Flight, { library, rest }: Request): Promise<{ ok: object } | { error: WebEidError }> {
    flight.asked = this.ask("web-eid-status", rest, STATUS_MS);
    const answer = await flight.asked.answer;
    if ("failure" in answer) return { error: translateFailure(answer.failure) };
    const { host } = answer.ok as { host: string };
    return { ok: { library, extension: versionOf(EXTENSION_VERSION), nativeApp: versionOf(host) } };
  }

  async #authenticate(flight: Flight, { timeoutMs, rest }: Request): Promise<{ ok: object } | { error: WebEidError }> {
    flight.asked = this.ask("web-eid", rest, timeoutMs);
    const answer = await flight.asked.answer;
    return "failure" in answer ? { error: translateFailure(answer.failure) } : { ok: answer.ok as object };
  }

  #refuse(failure: Failure): { error: WebEidError } {
    return { error: translateFailure(tell(failure, this.language)) };
  }

  #post(message: { action: string; [more: string]: unknown }): void {
    this.#own.set(message.action, (this.#own.get(message.action) ?? 0) + 1);
    window.postMessage(message, location.origin);
  }
}

/** `<meta name="sealbridge-web-eid" content="propose">` */
function proposedByMeta(): boolean {
  return document.querySelector('meta[name="sealbridge-web-eid"][content="propose"]') !== null;
}
