// Whether the person has just pressed something in this page. A page that wants the key without that is refused: windows that
// come up by themselves teach people to type PINs by reflex. Only the browser's own events count; a page can not make them.

import type { ContentVerb } from "../messages";

/** How long one press may be waited for by a page that fetches a challenge first. It serves one call. */
const PRESS_MS = 30_000;
const NEEDED: readonly ContentVerb[] = ["bind", "login", "stamp", "web-eid"];

export class Gestures {
  #pressed = Number.NEGATIVE_INFINITY;

  /** Begins to look. The listeners stand before the page's own, which could stop events on their way. */
  constructor() {
    for (const type of ["click", "change"]) {
      window.addEventListener(
        type,
        (event) => {
          if (event.isTrusted) this.#pressed = performance.now();
        },
        { capture: true, passive: true },
      );
    }
  }

  /** Whether this call may go on; uses the press up. */
  allow(verb: ContentVerb): boolean {
    if (!NEEDED.includes(verb)) return true;
    const pressed = performance.now() - this.#pressed < PRESS_MS;
    this.#pressed = Number.NEGATIVE_INFINITY;
    // The browser's own word for it lasts for five seconds, too short for a slow network, and knows presses from before us.
    return pressed || navigator.userActivation.isActive;
  }
}
