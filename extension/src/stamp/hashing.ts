// Hashing documents one after the other, each once: the one on the desk goes first, the others follow in their order.

import type { Paper } from "./paper";

export class Hashing {
  readonly #waiting: { document: Paper; start: () => void }[] = [];
  #busy = false;

  constructor(private readonly hash: (document: Paper) => Promise<unknown>) {}

  /** Hashes a document when its turn comes; with `first` it is the next one. */
  run(document: Paper, first: boolean): Promise<void> {
    const turn = new Promise<void>((resolve) => {
      const entry = { document, start: resolve };
      if (first) this.#waiting.unshift(entry);
      else this.#waiting.push(entry);
    });
    this.#next();
    return turn.then(async () => {
      try {
        await this.hash(document);
      } finally {
        this.#busy = false;
        this.#next();
      }
    });
  }

  /** One that waits becomes the next. */
  prefer(document: Paper): void {
    const at = this.#waiting.findIndex((entry) => entry.document === document);
    if (at > 0) this.#waiting.unshift(...this.#waiting.splice(at, 1));
  }

  #next(): void {
    if (this.#busy) return;
    const entry = this.#waiting.shift();
    if (!entry) return;
    this.#busy = true;
    entry.start();
  }
}
