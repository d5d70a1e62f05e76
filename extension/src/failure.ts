// Failures inside the extension: the one error class that carries a stable code. Words are made where they are shown.

import { tell } from "./protocol";
import type { Code, Failure, Language, PageFailure } from "./protocol";

/** An error with a stable code; every promise in the extension that can fail fails with this. */
export class Refused extends Error {
  readonly failure: Failure;

  constructor(code: Code, facts: Record<string, string> = {}) {
    super(code);
    this.name = "Refused";
    this.failure = { code, facts };
  }

  static from(failure: Failure): Refused {
    return new Refused(failure.code, failure.facts ?? {});
  }
}

/** Whatever was thrown, as a failure. Anything that is not ours becomes `internal`, with its text and without its stack. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof Refused) return thrown.failure;
  if (isFailure(thrown)) return { code: thrown.code, facts: thrown.facts ?? {} };
  const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return { code: "internal", facts: { detail: text.slice(0, 200) } };
}

/** What a page may learn of a failure. Labels, serial numbers, certificates and paths of this computer would identify the person. */
const PAGE_FACTS = new Set([
  ...["account", "algorithm", "audience", "browser", "count", "expected", "extension", "field", "issued", "keyword", "limit", "maximum", "minimum", "name", "needed"],
  ...["notAfter", "notBefore", "operation", "origin", "page", "pages", "part", "reason", "seconds", "size", "triesLeft", "usage", "verb", "version"],
]);

/** A failure with its words, as a page gets it. The extension's own pages show the whole. */
export function tellPage(failure: Failure, language: Language): PageFailure {
  const facts = Object.fromEntries(Object.entries(failure.facts ?? {}).filter(([fact]) => PAGE_FACTS.has(fact)));
  return tell({ code: failure.code, facts }, language);
}

/** The wasm module throws plain failure objects. */
function isFailure(thrown: unknown): thrown is Failure {
  return typeof thrown === "object" && thrown !== null && typeof (thrown as Failure).code === "string" && !(thrown instanceof Error);
}
