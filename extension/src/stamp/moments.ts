// When what happened in this visit, for those who measure: marks in this page's own performance timeline, which no portal's page
// can read. Nothing here depends on them, and they hold times only.

/** Of a moment that comes more than once, the last counts. */
export type Moment =
  /** The document has arrived from the portal's page. */
  | "document"
  /** It is opened: pages, fields and signatures are known. */
  | "opened"
  /** The original is hashed. */
  | "hashed"
  /** The revision is made. */
  | "prepared"
  /** It is drawn. */
  | "drawn"
  /** Its digest is known, and the button can be pressed. */
  | "ready"
  /** The person has pressed it. */
  | "pressed"
  /** The host's phases. */
  | "consent"
  | "pin"
  | "signing"
  /** The host has given its signatures. */
  | "signed"
  /** The stamped document is there, checked by our own verifier. */
  | "stamped";

export function mark(moment: Moment): void {
  performance.clearMarks(moment);
  performance.mark(moment);
}
