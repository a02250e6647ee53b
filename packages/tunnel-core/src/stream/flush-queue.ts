/** Something with output gathered during this turn of the event loop. */
export interface Flushable {
  flushQueued: boolean;
  flush(): void;
}

/** Flushes everything that gathered output in one turn of the loop, at its end, with one callback. */
export class FlushQueue {
  #queue: Flushable[] = [];
  #spare: Flushable[] = [];
  readonly #run = (): void => {
    const queue = this.#queue;
    this.#queue = this.#spare;
    for (const member of queue) {
      member.flushQueued = false;
      member.flush();
    }
    queue.length = 0;
    this.#spare = queue;
  };

  /** Queues the member for the end of this turn; no-op if it is queued. */
  add(member: Flushable): void {
    if (member.flushQueued) return;
    member.flushQueued = true;
    if (this.#queue.push(member) === 1) setImmediate(this.#run);
  }
}
