// The native host: one port, opened when it is needed and closed when nothing has been asked for a while. It keeps its own
// deadline for every request and its own heartbeat, because browsers say nothing about many broken answers. A lost host is
// asked again what became of the operation; nothing is ever simply asked a second time.

import { Refused } from "../failure";
import type { CareVerb } from "../messages";
import type { Failure, HelloAnswer, Language, OutcomeAnswer, Phase, Verb, Verbs } from "../protocol";
import { PROTOCOL } from "../protocol";
import { wasm } from "./module";

const HOST = "org.sealbridge.host";
const HELLO_MS = 10_000;
const SHORT_MS = 15_000;
/** Open but unused for this long, the port is closed, and the browser may stop host and background. */
const IDLE_MS = 30_000;
const HEARTBEAT_MS = 5_000;
/** How much longer than its deadline the host may take to say so. */
const GRACE_MS = 5_000;

/** The verbs that use a key. */
export type KeyVerb = "bind" | "login" | "web-eid" | "stamp" | CareVerb;

export interface Asked {
  operation: string;
  language: Language;
  deadlineMs: number;
  onPhase?: (phase: Phase) => void;
  /** One of the extension's own pages asks, as the browser says; some verbs are for them alone. */
  ownPage?: boolean;
}

interface Waiting {
  verb: Verb;
  resolve(ok: unknown): void;
  reject(error: unknown): void;
  timer: ReturnType<typeof setTimeout>;
  onPhase: ((phase: Phase) => void) | undefined;
}

class Connection {
  readonly hello: Promise<HelloAnswer>;
  #dead: Failure | null = null;
  #heard = false;
  /** Frames are read one after the other, in the order in which they came; the end of the port waits for those before it. */
  #read: Promise<void> = Promise.resolve();
  #idle: ReturnType<typeof setTimeout> | null = null;
  readonly #port: chrome.runtime.Port;
  readonly #waiting = new Map<string, Waiting>();

  constructor(private readonly onEnd: (connection: Connection) => void) {
    this.#port = chrome.runtime.connectNative(HOST);
    this.#port.onMessage.addListener((message) => {
      this.#heard = true;
      this.#read = this.#read.then(() => this.#received(message)).catch(() => this.#end({ code: "host-lost" }));
    });
    this.#port.onDisconnect.addListener((port) => {
      const reason = chrome.runtime.lastError?.message ?? (port as { error?: { message?: string } }).error?.message ?? "";
      // The host's last words, such as why it refuses, must not be lost behind its end.
      void this.#read.then(() => this.#end(this.#lost(reason)));
    });
    this.hello = this.#sayHello();
    this.hello.catch((error: unknown) => this.#end(error instanceof Refused ? error.failure : { code: "host-lost" }));
  }

  /** Asks, and waits for the answer until the deadline. */
  async ask<V extends Verb>(verb: V, args: Verbs[V]["arguments"], asked: Asked): Promise<Verbs[V]["answer"]> {
    const { writeRequest } = await wasm();
    const deadlineMs = Math.round(Math.min(Math.max(asked.deadlineMs, 1), 600_000));
    const json = writeRequest(JSON.stringify({ id: asked.operation, verb, language: asked.language, deadlineMs, ...(asked.ownPage ? { asker: "own-page" } : {}), arguments: args }));
    if (this.#dead) throw Refused.from(this.#dead);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settle(asked.operation, (waiting) => waiting.reject(new Refused("host-timeout")));
      }, deadlineMs + GRACE_MS);
      this.#waiting.set(asked.operation, { verb, resolve: resolve as (ok: unknown) => void, reject, timer, onPhase: asked.onPhase });
      this.#restless();
      try {
        this.#port.postMessage(JSON.parse(json));
      } catch {
        this.#end({ code: "host-lost" });
      }
    });
  }

  /** Gives up on this host process. */
  drop(): void {
    this.#end({ code: "host-lost" });
  }

  get busy(): boolean {
    return this.#waiting.size > 0;
  }

  /** Begins the time of idleness anew. */
  touch(): void {
    this.#restless();
  }

  async #sayHello(): Promise<HelloAnswer> {
    const args = { protocol: PROTOCOL, extension: EXTENSION_VERSION };
    const answer = await this.ask("hello", args, { operation: newOperation(), language: "zh-CN", deadlineMs: HELLO_MS - GRACE_MS });
    (await wasm()).agree(answer);
    return answer;
  }

  async #received(message: unknown): Promise<void> {
    const { readFrame, readAnswer } = await wasm();
    let frame;
    try {
      frame = readFrame(JSON.stringify(message));
    } catch (failure) {
      // A host that talks nonsense once is not trusted with the rest.
      this.#end(failure as Failure);
      return;
    }
    if (frame.kind === "tokens") return tokensChanged();
    if (frame.kind === "phase") return this.#waiting.get(frame.id)?.onPhase?.(frame.phase);
    if (frame.id === null) {
      if (frame.kind === "failure") this.#end(frame.failure);
      return;
    }
    this.#settle(frame.id, (waiting) => {
      if (frame.kind === "failure") return waiting.reject(Refused.from(frame.failure));
      try {
        waiting.resolve(readAnswer(waiting.verb, frame.ok));
      } catch (failure) {
        waiting.reject(Refused.from(failure as Failure));
      }
    });
  }

  #settle(operation: string, how: (waiting: Waiting) => void): void {
    const waiting = this.#waiting.get(operation);
    if (!waiting) return;
    this.#waiting.delete(operation);
    clearTimeout(waiting.timer);
    how(waiting);
    this.#restless();
  }

  #restless(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = this.#waiting.size > 0 || this.#dead ? null : setTimeout(() => this.#end({ code: "host-lost" }), IDLE_MS);
  }

  #end(failure: Failure): void {
    if (this.#dead) return;
    this.#dead = failure;
    for (const operation of [...this.#waiting.keys()]) this.#settle(operation, (waiting) => waiting.reject(Refused.from(failure)));
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#port.disconnect();
    this.onEnd(this);
  }

  /** The browser's words for a closed port, as a code. */
  #lost(reason: string): Failure {
    if (/not found|no such native application|failed to start|invalid native messaging host name|not installed/i.test(reason)) return { code: "host-missing" };
    // All that Firefox says when the manifest is there and the program is not.
    if (!this.#heard && /unexpected error/i.test(reason)) return { code: "host-missing" };
    if (/forbidden|not allowed/i.test(reason)) return { code: "host-forbidden", facts: { extension: chrome.runtime.id } };
    return { code: "host-lost" };
  }
}

let connection: Connection | null = null;
let tokensListener: () => void = () => undefined;

function open(): Connection {
  try {
    connection ??= new Connection((ended) => {
      if (connection === ended) connection = null;
    });
  } catch {
    throw new Refused("host-missing");
  }
  return connection;
}

function tokensChanged(): void {
  tokensListener();
}

/** Called when a key is plugged in or pulled out while the port is open. */
export function onTokensChanged(listener: () => void): void {
  tokensListener = listener;
}

/** Opens the port where it is closed, so that the host starts while something else is done. Its failures are met by those who ask. */
export function warm(): void {
  try {
    open();
  } catch {
    // As above.
  }
}

/** Keeps an open port open while somebody looks at keys; false where it is closed, and news of keys may have been missed. */
export function stay(): boolean {
  connection?.touch();
  return connection !== null;
}

/** Ends a host that does nothing, so that the next one reads its settings again. */
export function restart(): void {
  if (connection && !connection.busy) connection.drop();
}

/** The host's first words, with its version and whether it serves loopback origins. */
export async function hello(): Promise<HelloAnswer> {
  return open().hello;
}

/** Asks something that uses no key. Safe to be asked again, and is, once, after a host that was lost. */
export async function ask<V extends Verb>(verb: V, args: Verbs[V]["arguments"], language: Language, more: { deadlineMs?: number; ownPage?: boolean } = {}): Promise<Verbs[V]["answer"]> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const host = open();
      await host.hello;
      return await host.ask(verb, args, { operation: newOperation(), language, deadlineMs: SHORT_MS, ...more });
    } catch (error) {
      const lost = error instanceof Refused && error.failure.code === "host-lost";
      if (!lost || attempt > 0) throw error;
    }
  }
}

/**
 * Asks for a use of the key. When the host is lost on the way, its successor is asked what became of the operation;
 * with `again` that is asked first.
 */
export async function useKey<V extends KeyVerb>(verb: V, args: Verbs[V]["arguments"], asked: Asked & { again: boolean }): Promise<Verbs[V]["answer"]> {
  const until = Date.now() + asked.deadlineMs + GRACE_MS;
  if (asked.again) {
    const earlier = await outcomeOf(verb, asked, until);
    if (earlier) return earlier.answer;
  }
  try {
    const host = open();
    await host.hello;
    return await withHeartbeat(host, verb, asked, host.ask(verb, args, asked));
  } catch (error) {
    if (!(error instanceof Refused) || error.failure.code !== "host-lost") throw error;
    const outcome = await outcomeOf(verb, asked, until).catch((second: unknown) => {
      // A successor that can not be started is no better news than the loss itself.
      if (second instanceof Refused && ["host-missing", "host-timeout"].includes(second.failure.code)) throw error;
      throw second;
    });
    if (outcome) return outcome.answer;
    throw error;
  }
}

/** What became of an operation that the background was stopped in: its answer, or what is known about why there is none. */
export async function outcomeOnly<V extends KeyVerb>(verb: V, asked: Asked): Promise<Verbs[V]["answer"]> {
  const outcome = await outcomeOf(verb, asked, Date.now() + asked.deadlineMs).catch((error: unknown) => {
    // The host closes its window when its port closes, which is no wish of the person's.
    if (error instanceof Refused && error.failure.code === "cancelled") return null;
    throw error;
  });
  if (!outcome) throw new Refused("extension-stopped");
  return outcome.answer;
}

/** What the journal says of an operation, once it has ended: its answer, its failure, or null where it was never heard of. */
export async function outcome<V extends "bind" | "login" | "stamp">(verb: V, asked: Asked): Promise<Verbs[V]["answer"] | null> {
  return (await outcomeOf(verb, asked, Date.now() + asked.deadlineMs))?.answer ?? null;
}

/** Tells the host to close an operation's window. The operation itself answers then. */
export async function cancel(operation: string, language: Language): Promise<void> {
  if (!connection) return;
  await ask("cancel", { operation }, language).catch(() => undefined);
}

async function outcomeOf<V extends Verb>(verb: V, asked: Asked, until: number): Promise<{ answer: Verbs[V]["answer"] } | null> {
  for (;;) {
    const outcome: OutcomeAnswer = await ask("outcome", { operation: asked.operation }, asked.language);
    if (outcome.state === "done") return { answer: (await wasm()).readAnswer(verb, JSON.stringify(outcome.ok)) as Verbs[V]["answer"] };
    if (outcome.state === "failed") throw Refused.from(outcome.failure ?? { code: "answer-malformed" });
    if (outcome.state === "unknown") return null;
    if (Date.now() > until) throw new Refused("host-timeout");
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Asks the journal now and then while an operation runs: notices a hung host, and an answer that was swallowed. */
async function withHeartbeat<V extends Verb, A>(host: Connection, verb: V, asked: Asked, answer: Promise<A>): Promise<A> {
  let over = false;
  let seenEnded = 0;
  const swallowed = new Promise<A>((resolve, reject) => {
    const beat = async (): Promise<void> => {
      if (over) return;
      try {
        const outcome = await host.ask("outcome", { operation: asked.operation }, { operation: newOperation(), language: asked.language, deadlineMs: 5_000 });
        seenEnded = outcome.state === "done" || outcome.state === "failed" ? seenEnded + 1 : 0;
        // Its own answer may be on the way; seen ended twice, it is not.
        if (seenEnded >= 2 && outcome.state === "done") resolve((await wasm()).readAnswer(verb, JSON.stringify(outcome.ok)) as A);
        if (seenEnded >= 2 && outcome.state === "failed") reject(Refused.from(outcome.failure ?? { code: "answer-malformed" }));
      } catch (error) {
        if (error instanceof Refused && error.failure.code === "host-timeout") host.drop();
      }
      if (!over) setTimeout(() => void beat(), HEARTBEAT_MS);
    };
    setTimeout(() => void beat(), HEARTBEAT_MS);
  });
  try {
    return await Promise.race([answer, swallowed]);
  } finally {
    over = true;
    // Whichever lost the race has nobody left to tell.
    answer.catch(() => undefined);
    swallowed.catch(() => undefined);
  }
}

/** 128 random bits as 22 characters of base64url. */
export function newOperation(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
