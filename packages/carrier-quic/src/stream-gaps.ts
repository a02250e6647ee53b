/** More gaps than losses on the way can make; a stranger could make as many as it sends packets. */
const MAX_GAPS = 1024;

/**
 * Stream ids that were passed over. A stream opens all those before it (RFC 9000, section 2.1), and
 * their bytes may come later: packets overtake each other, and quiche tells of the streams that one
 * turn has brought in no order. A gap of any length takes one entry.
 */
export class StreamGaps {
  /** From the first id of a gap to the first one behind it. */
  readonly #gaps: { from: number; to: number }[] = [];

  /** @returns false if there are too many; ids are those of one kind of stream, four apart */
  add(from: number, to: number): boolean {
    if (from === to) return true;
    return this.#gaps.length < MAX_GAPS && this.#gaps.push({ from, to }) > 0;
  }

  /** Fills an id. @returns whether it was in a gap */
  take(id: number): boolean {
    const at = this.#gaps.findIndex(({ from, to }) => from <= id && id < to);
    const gap = this.#gaps[at];
    if (gap === undefined) return false;
    const { from, to } = gap;
    this.#gaps.splice(at, 1);
    if (from < id) this.#gaps.push({ from, to: id });
    if (id + 4 < to) this.#gaps.push({ from: id + 4, to });
    return true;
  }
}
