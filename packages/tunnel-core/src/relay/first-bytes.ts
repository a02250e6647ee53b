import type { DeadlineQueue } from "../deadline-queue.ts";
import { METHODS } from "../node-http.ts";
import type { BlockDetector } from "../wire/block-detector.ts";

/** Longest time, ms, that first bytes are held back because they may begin a blocked protocol. */
export const HOLD_MS = 1000;

/** What to do with what a user has sent. */
export type Verdict =
  | { readonly action: "pass"; readonly bytes: Buffer | undefined }
  | { readonly action: "hold" }
  | { readonly action: "block" };

const HOLD: Verdict = { action: "hold" };
const BLOCK: Verdict = { action: "block" };
/** Bytes that begin SOCKS 4, SOCKS 5 and TLS. */
const BINARY_FIRST_BYTES: readonly number[] = [0x04, 0x05, 0x16];

/**
 * The first bytes of a user's connection under `block`: held back while they may be the start of a
 * blocked protocol. Who sends half a word and waits is let through after a second, still watched.
 */
export class FirstBytes {
  readonly #detector: BlockDetector;
  readonly #holds: DeadlineQueue<FirstBytes>;
  readonly #onReleased: (bytes: Buffer) => void;
  #held: Buffer | undefined;
  #released = false;
  /** Nothing is looked at any more. */
  done = false;

  /**
   * @param holds expires the hold by calling `release()`
   * @param onReleased passes on bytes whose hold has expired
   */
  constructor(
    detector: BlockDetector,
    holds: DeadlineQueue<FirstBytes>,
    onReleased: (bytes: Buffer) => void,
  ) {
    this.#detector = detector;
    this.#holds = holds;
    this.#onReleased = onReleased;
  }

  /** @param bytes valid during the call only */
  inspect(bytes: Buffer): Verdict {
    const verdict = this.#detector.push(bytes);
    if (verdict === "blocked") {
      this.close();
      return BLOCK;
    }
    const copy = Buffer.from(bytes);
    const all = this.#held === undefined ? copy : Buffer.concat([this.#held, copy]);
    if (verdict === "undecided" && !this.#released) {
      if (this.#held === undefined) this.#holds.add(this);
      this.#held = all;
      return HOLD;
    }
    this.#held = undefined;
    if (verdict === "allowed") this.close();
    return { action: "pass", bytes: all };
  }

  /** No more bytes will come: half a greeting of a blocked protocol is refused, other text passes. */
  end(): Verdict {
    const held = this.#held;
    this.close();
    if (held === undefined) return { action: "pass", bytes: undefined };
    const binary = BINARY_FIRST_BYTES.includes(held[0] ?? 0);
    const word = held.toString("latin1").trim().split(" ", 1)[0] ?? "";
    if (binary || METHODS.includes(word.toUpperCase())) return BLOCK;
    return { action: "pass", bytes: held };
  }

  /** The hold has expired. */
  release(): void {
    const held = this.#held;
    this.#held = undefined;
    this.#released = true;
    if (held !== undefined) this.#onReleased(held);
  }

  close(): void {
    this.done = true;
    this.#holds.delete(this);
    this.#held = undefined;
  }
}
