import type { Clock } from "@nodepass/master-api";

/**
 * Shares so much a second among those who want some. Nobody is refused while there is enough. Where
 * there is not, each has an equal share; what some do not need of theirs, by what they took in the second
 * before, the others get. One who begins has a share at once, so a second may have up to twice as much.
 *
 * @returns whether `who` may take one now
 */
export function createFairShare(perSecond: number, clock: Clock): (who: string) => boolean {
  let second = Number.NEGATIVE_INFINITY;
  let before = new Map<string, number>();
  let taken = new Map<string, number>();
  /** All that asked in this second or the one before. */
  let askers = 0;
  /** What nobody needs of his share. */
  let spare = perSecond;
  /** What those got who have begun in this second, beyond that. */
  let begun = 0;

  const turn = (now: number) => {
    if (now === second) return;
    before = now === second + 1 ? taken : new Map();
    taken = new Map();
    second = now;
    begun = 0;
    askers = before.size;
    const share = perSecond / Math.max(1, askers);
    spare = perSecond;
    for (const count of before.values()) spare -= Math.min(share, count);
  };

  return (who) => {
    turn(Math.floor(clock.monotonic() / 1000));
    const count = (taken.get(who) ?? 0) + 1;
    if (count === 1 && !before.has(who)) askers += 1;
    // Also what is refused: it is what would be taken.
    taken.set(who, count);
    const share = perSecond / askers;
    if (count <= Math.min(share, before.get(who) ?? 0)) return true;
    if (spare >= 1) {
      spare -= 1;
      return true;
    }
    if (count > share || begun >= perSecond) return false;
    begun += 1;
    return true;
  };
}
