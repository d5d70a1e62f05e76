// The key centre's line to the background: calls as promises, news of keys, and a line that comes back when the browser has
// stopped the background. While the person looks at the page, it keeps the host listening; a page that nobody sees does not.

import { Refused } from "../failure";
import type { CentreVerb, FromCentre, ToCentre } from "../messages";
import type { HelloAnswer, Phase, Verbs } from "../protocol";

/** How often a page that is looked at says so. */
const STAY_MS = 20_000;

type WithoutCall<M> = M extends { call: number } ? Omit<M, "call"> : never;

interface Waiting {
  resolve(ok: unknown): void;
  reject(error: Refused): void;
  onPhase: ((phase: Phase) => void) | undefined;
}

/** A call that has a window of the host's, and can be taken back. */
export interface Care<A> {
  answer: Promise<A>;
  cancel(): void;
}

export class Link {
  /** A key was plugged in or pulled out, or that may have been missed. */
  onTokens: () => void = () => undefined;
  #next = 1;
  #port: chrome.runtime.Port;
  readonly #waiting = new Map<number, Waiting>();

  constructor() {
    this.#port = this.#connect();
    setInterval(() => this.#stay(), STAY_MS);
    document.addEventListener("visibilitychange", () => this.#stay());
  }

  ask<V extends CentreVerb>(verb: V, args: Verbs[V]["arguments"]): Promise<Verbs[V]["answer"]> {
    return this.care(verb, args).answer;
  }

  care<V extends CentreVerb>(verb: V, args: Verbs[V]["arguments"], onPhase?: (phase: Phase) => void): Care<Verbs[V]["answer"]> {
    const { call, answer } = this.#call({ type: "ask", verb, arguments: args } as WithoutCall<FromCentre>, onPhase);
    return { answer: answer as Promise<Verbs[V]["answer"]>, cancel: () => void this.#post({ type: "cancel", target: call }) };
  }

  hello(): Promise<HelloAnswer> {
    return this.#call({ type: "hello" }).answer as Promise<HelloAnswer>;
  }

  /** Lets the host read its settings again; what it has to say of keys may be other than before. */
  async restart(): Promise<HelloAnswer> {
    const answer = (await this.#call({ type: "restart" }).answer) as HelloAnswer;
    this.onTokens();
    return answer;
  }

  #call(message: WithoutCall<FromCentre>, onPhase?: (phase: Phase) => void): { call: number; answer: Promise<unknown> } {
    const call = this.#next;
    this.#next += 1;
    const answer = new Promise((resolve, reject) => {
      this.#waiting.set(call, { resolve, reject, onPhase });
      if (this.#post({ ...message, call } as FromCentre)) return;
      // Between the line's end and its successor: nobody would ever tell this one.
      this.#waiting.delete(call);
      reject(new Refused("extension-stopped"));
    });
    return { call, answer };
  }

  #connect(): chrome.runtime.Port {
    const port = chrome.runtime.connect({ name: "centre" });
    port.onMessage.addListener((message: ToCentre) => {
      if (message.type === "tokens") return this.onTokens();
      const waiting = this.#waiting.get(message.call);
      if (message.type === "phase") return waiting?.onPhase?.(message.phase);
      this.#waiting.delete(message.call);
      if (message.type === "ok") waiting?.resolve(message.ok);
      else waiting?.reject(Refused.from(message.failure));
    });
    port.onDisconnect.addListener(() => {
      for (const waiting of this.#waiting.values()) waiting.reject(new Refused("extension-stopped"));
      this.#waiting.clear();
      setTimeout(() => {
        this.#port = this.#connect();
        this.onTokens();
      }, 200);
    });
    return port;
  }

  #stay(): void {
    if (document.visibilityState === "visible") this.#post({ type: "stay" });
  }

  /** False where the line has ended. */
  #post(message: FromCentre): boolean {
    try {
      this.#port.postMessage(message);
      return true;
    } catch {
      return false;
    }
  }
}
