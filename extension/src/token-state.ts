// The state of a key's PIN in a word, with how much it matters.

import type { Key } from "./language";
import type { TokenState } from "./protocol";

export const TOKEN_STATES: Record<TokenState, readonly [word: Key, level: "good" | "warn" | "bad"]> = {
  ready: ["stateReady", "good"],
  "pin-low": ["statePinLow", "warn"],
  "pin-final-try": ["statePinFinalTry", "bad"],
  locked: ["stateLocked", "bad"],
  uninitialised: ["stateBlank", "warn"],
};
