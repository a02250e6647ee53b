/** What is known of a connection's beginning. */
export type BlockVerdict = "blocked" | "undecided" | "allowed";

/** Recognises one protocol by a connection's first bytes. */
export interface BlockState {
  /** Takes the next byte; not called again once it has answered other than `undecided`. */
  next(byte: number): BlockVerdict;
}
