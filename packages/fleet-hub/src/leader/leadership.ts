/** Whether this hub leads; section 7, rule 3. Times are monotonic, ms. */
export interface Leadership {
  /** Whether it leads at this moment. */
  isLeading(): boolean;
  /** Since when without a gap; `undefined` while it does not lead. */
  leadingSince(): number | undefined;
  /** Id of the hub that leads, as the store says. */
  leader(): string | undefined;
  /** @returns ends it */
  onChange(listener: (leading: boolean) => void): () => void;
}
