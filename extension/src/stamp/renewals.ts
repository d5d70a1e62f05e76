// After a renewal a key holds several certificates, each with a seal of its own. The newest that a seal names is offered, the older ones are
// not. Which certificate is newer is the module's word (`renewedBy`); nothing is judged here.

import type { StatusView } from "sealbridge-wasm";

/** A seal and the certificate that stamps with it. */
export interface Pair {
  seal: string;
  certificate: string;
}

/** For each certificate that was renewed those that count instead of it, by ids. */
export type Renewals = ReadonlyMap<string, readonly string[]>;

export function renewalsOf(status: StatusView): Renewals {
  const certificates = status.tokens.flatMap((token) => token.certificates);
  return new Map(certificates.filter(({ renewedBy }) => renewedBy.length > 0).map(({ id, renewedBy }) => [id, renewedBy]));
}

/** The pairs without those whose certificate was renewed by another one's: while the newer one has no seal, the older pair is the one that works. */
export function newest<T>(all: readonly T[], pair: (one: T) => Pair, renewals: Renewals): T[] {
  const there = new Set(all.map((one) => pair(one).certificate));
  return all.filter((one) => !(renewals.get(pair(one).certificate) ?? []).some((newer) => there.has(newer)));
}

/** What a remembered choice has become among the newest pairs: itself, or the only one of the certificate that renewed it. */
export function followed<T>(remembered: Pair, offered: readonly T[], pair: (one: T) => Pair, renewals: Renewals): T | null {
  const itself = offered.find((one) => pair(one).seal === remembered.seal && pair(one).certificate === remembered.certificate);
  const newer = renewals.get(remembered.certificate) ?? [];
  const renewed = offered.filter((one) => newer.includes(pair(one).certificate));
  return itself ?? (renewed.length === 1 ? (renewed[0] ?? null) : null);
}
