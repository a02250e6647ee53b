/** Whether this hub leads; section 7, rule 3. Times are monotonic, ms. */
export interface Leadership {
  /** Whether it leads at this moment. */
  isLeading(): boolean;
  /**
   * Whether it leads by a write of its own whose TTL is not over, so that no other hub can. One that leads
   * on while the engine takes no write may have been followed by another a moment ago: it renews what it
   * has given, and gives nothing to anybody else.
   */
  isSure(): boolean;
  /** Since when without a gap; `undefined` while it does not lead. */
  leadingSince(): number | undefined;
  /** Id of the hub that leads, as the store says. */
  leader(): string | undefined;
  /** @returns ends it */
  onChange(listener: (leading: boolean) => void): () => void;
}
