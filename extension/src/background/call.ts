// One call of a page while it runs, as the actions see it.

import type { ContentVerb } from "../messages";
import type { Language, Phase } from "../protocol";
import type { PageCall } from "sealbridge-wasm";

export interface Call {
  operation: string;
  verb: ContentVerb;
  /** As the browser names it, already checked against the list of enabled sites. */
  origin: string;
  tab: number;
  arguments: PageCall;
  timeoutMs: number;
  language: Language;
  /** The background was stopped and is asked again with the same operation id. */
  resumed: boolean;
  onPhase(phase: Phase | "document"): void;
}
