import type { Flushable, FlushQueue } from "../stream/flush-queue.ts";
import type { Exit, Opening } from "./conduit.ts";

/**
 * Users whom an exit begins to serve in one turn of the loop: a lane can bring thousands in one read,
 * and the control connection is not to wait for all their dials.
 */
const OPENED_A_TURN = 64;

/** Gives an exit the users who come to it, not too many in one turn. */
export class PacedExit implements Exit, Flushable {
  flushQueued = false;
  readonly #exit: Exit;
  readonly #flushes: FlushQueue;
  #opened = 0;
  readonly #waiting: Opening[] = [];

  constructor(exit: Exit, flushes: FlushQueue) {
    this.#exit = exit;
    this.#flushes = flushes;
  }

  open(opening: Opening): void {
    this.#flushes.add(this);
    if (this.#waiting.length > 0 || this.#opened === OPENED_A_TURN) this.#waiting.push(opening);
    else this.#give(opening);
  }

  #give(opening: Opening): void {
    this.#opened++;
    this.#exit.open(opening);
  }

  /** The next turn. */
  flush(): void {
    this.#opened = 0;
    if (this.#waiting.length === 0) return;
    this.#flushes.add(this);
    for (const opening of this.#waiting.splice(0, OPENED_A_TURN)) this.#give(opening);
  }
}
