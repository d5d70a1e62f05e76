// Original and revision as one Blob; the original is passed on by reference.

import { Refused } from "../failure";

/** Read back where it was joined: the verifier saw these bytes, and these must be the ones that leave. */
export async function joined(original: Blob, tail: Uint8Array): Promise<Blob> {
  const whole = new Blob([original, tail as Uint8Array<ArrayBuffer>], { type: "application/pdf" });
  const back = new Uint8Array(await whole.slice(original.size).arrayBuffer());
  if (back.length !== tail.length || !back.every((byte, index) => byte === tail[index])) throw new Refused("internal", { detail: "the revision was not appended as it is" });
  return whole;
}
