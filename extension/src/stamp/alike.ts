// The places of one document, said so that they mean the same on another: a keyword is searched again, a seam takes the
// other's pages, what stands on the last page of several goes to the last page. Pure data; whether a place is possible on
// the other document is the module's to say.

import { wished } from "./items";
import type { Found, Spot, Wished } from "./items";

/** `from` and `to` are the numbers of pages of the two documents. */
export function alike(spots: readonly Spot[], from: number, to: number): Wished[] {
  const page = (page: number): number => (from > 1 && page === from ? to : page);
  const wishes: Wished[] = [];
  const searched = new Map<string, (Spot & { keyword: Found })[]>();
  for (const spot of spots) {
    if (spot.kind !== "seal" || !spot.keyword) continue;
    const key = JSON.stringify(spot.keyword.wish);
    searched.set(key, [...(searched.get(key) ?? []), spot as Spot & { keyword: Found }]);
  }
  const again = new Map([...searched].map(([key, group]) => [key, keywordAgain(group)]));
  for (const spot of spots) {
    if (spot.kind === "seal" && spot.keyword) {
      const key = JSON.stringify(spot.keyword.wish);
      const wish = again.get(key);
      if (wish) {
        // One wish for all seals that it gave.
        if (!wishes.includes(wish)) wishes.push(wish);
        continue;
      }
    }
    wishes.push(wished("page" in spot ? { ...spot, page: page(spot.page) } : spot));
  }
  return wishes;
}

/** The keyword with what all of its seals were moved by; null where they were moved apart, or some were taken away. */
function keywordAgain(group: readonly (Spot & { keyword: Found })[]): Wished | null {
  const [first] = group;
  if (!first || group.length !== first.keyword.count) return null;
  const moved = (spot: Spot & { keyword: Found }): [number, number] => ("x" in spot ? [tenth(spot.x - spot.keyword.x), tenth(spot.y - spot.keyword.y)] : [0, 0]);
  const [dx, dy] = moved(first);
  if (!group.every((spot) => moved(spot).every((by, axis) => by === [dx, dy][axis]))) return null;
  const { wish } = first.keyword;
  return { ...wish, dx: tenth((wish.dx ?? 0) + dx), dy: tenth((wish.dy ?? 0) + dy) };
}

function tenth(mm: number): number {
  return Math.round(mm * 10) / 10;
}
