// The key centre's calls to an authority's desk, at the address that the person or an administrator has given. They carry the number and
// the access code of one business, the host's requests and the desk's answers: no PIN, no key, and no secret that this page could read.
// Nothing is judged here; the host does, with the certificates of its configuration.

import { Refused } from "../failure";
import { language } from "../language";

/** How long an answer is waited for. */
const PATIENCE_MS = 30_000;
/** Longest answer, in characters; a seal with its picture is the largest thing in one. */
const ANSWER_MAX = 4_000_000;

/** What the desk has made for a key. */
export interface Issued {
  /** The authority's word that this certificate is for this request. */
  grant: string;
  certificate: string;
  chain: string[];
  seal?: string;
}

/** What waits to be installed on a key. */
export type Waiting = ({ kind: "certificate" } & Issued) | { kind: "seal"; seal: string };

/** The calls about one business. */
export class DeskCalls {
  readonly #base: string;
  readonly #code: string;
  readonly #origin: string;

  constructor(address: string, number: string, code: string) {
    this.#origin = new URL(address).origin;
    this.#base = `${this.#origin}/api/business/${encodeURIComponent(number)}`;
    this.#code = code.replace(/[^\x21-\x7e]/g, "");
  }

  /** The grant that sets a blank key up, for the host's request. */
  async setup(request: string): Promise<string> {
    return this.#text(await this.#call("/setup", { request }), "grant");
  }

  /** The grant that unlocks a key. */
  async unlock(request: string): Promise<string> {
    return this.#text(await this.#call("/unlock", { request }), "grant");
  }

  /** Certificate and seal for a certificate request; the same ones when asked again. */
  async issue(request: string): Promise<Issued> {
    const grant = this.#text(await this.#call("/grant", { request }), "grant");
    return { ...this.#issued(await this.#call("/activate", { request, grant })), grant };
  }

  /** What a renewal or a seal's business has ready for a key. */
  async waiting(): Promise<Waiting> {
    const business = this.#text(await this.#call(""), "business");
    if (business !== "renewal") return { kind: "seal", seal: this.#text(await this.#call("/seal", {}), "seal") };
    const answer = await this.#call("/renewed", {});
    return { kind: "certificate", ...this.#issued(answer), grant: this.#text(answer, "grant") };
  }

  /** Tells that it is on the key. */
  async installed(): Promise<void> {
    await this.#call("/installed", {});
  }

  #issued(answer: Record<string, unknown>): Omit<Issued, "grant"> {
    const { chain, seal } = answer;
    if (!Array.isArray(chain) || !chain.every((one): one is string => typeof one === "string")) throw this.#malformed("chain");
    return { certificate: this.#text(answer, "certificate"), chain, ...(typeof seal === "string" ? { seal } : {}) };
  }

  #text(answer: Record<string, unknown>, name: string): string {
    const value = answer[name];
    if (typeof value !== "string" || value === "") throw this.#malformed(name);
    return value;
  }

  async #call(path: string, body?: object): Promise<Record<string, unknown>> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.#code}`, ...(body ? { "content-type": "application/json" } : {}) };
    let status: number;
    let text: string;
    try {
      const response = await fetch(`${this.#base}${path}`, {
        ...(body ? { method: "POST", body: JSON.stringify(body) } : {}),
        headers,
        credentials: "omit",
        redirect: "error",
        cache: "no-store",
        referrerPolicy: "no-referrer",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      status = response.status;
      text = await limited(response);
    } catch (thrown) {
      if (thrown instanceof RangeError) throw this.#malformed("size");
      throw new Refused("desk-unreachable", { address: this.#origin });
    }
    let answer: unknown;
    try {
      answer = JSON.parse(text);
    } catch {
      throw this.#malformed(`HTTP ${status}`);
    }
    if (typeof answer !== "object" || answer === null) throw this.#malformed(`HTTP ${status}`);
    if (status === 200) return answer as Record<string, unknown>;
    throw refusal(answer as Record<string, unknown>, status);
  }

  #malformed(detail: string): Refused {
    return new Refused("desk-answer-malformed", { address: this.#origin, detail });
  }
}

/** The desk's reason in the desk's words (RFC 9457, with the words in both languages beside it). */
function refusal(answer: Record<string, unknown>, status: number): Refused {
  const words = (answer["words"] as Record<string, Record<string, unknown>> | undefined)?.[language()] ?? {};
  const text = (value: unknown): string => (typeof value === "string" ? value.slice(0, 300) : "");
  // It becomes the end of a sentence of ours.
  const what = (text(words["what"]) || text(answer["title"]) || `HTTP ${status}`).replace(/[。.]$/, "");
  const remedy = text(words["remedy"]);
  return new Refused("desk-refused", { reason: text(answer["code"]) || `HTTP ${status}`, what, ...(remedy === "" ? {} : { remedy }) });
}

/** A response's text; throws a RangeError where it is longer than any answer. */
async function limited(response: Response): Promise<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const part = await reader?.read();
    if (!part || part.done) return text;
    text += part.value;
    if (text.length > ANSWER_MAX) {
      await reader?.cancel();
      throw new RangeError("too long");
    }
  }
}
