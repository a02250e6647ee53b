/** A line that waits for a reader. */
export interface QueuedLine<State> {
  /** What it is about, as it was then; snapshots share their strings, so this costs little. */
  readonly state: State;
  readonly line: string;
  readonly time: number;
  readonly sequence: number;
}

/** Bounds of {@link LogQueue}. */
export interface LogQueueLimits {
  readonly maxLines: number;
  /** UTF-16 units of all lines together. */
  readonly maxCharacters: number;
}

/** Log lines that wait for one reader: bounded, the oldest go first, and are counted. */
export class LogQueue<State> {
  readonly #limits: LogQueueLimits;
  #lines: QueuedLine<State>[] = [];
  /** Index of the oldest line; the array is compacted when half of it is used up. */
  #head = 0;
  #characters = 0;
  #dropped = 0;

  constructor(limits: LogQueueLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#lines.length - this.#head;
  }

  /** Lines dropped since {@link takeDropped}. */
  get dropped(): number {
    return this.#dropped;
  }

  push(line: QueuedLine<State>): void {
    this.#lines.push(line);
    this.#characters += line.line.length;
    while (this.size > this.#limits.maxLines || this.#characters > this.#limits.maxCharacters) {
      this.shift();
      this.#dropped += 1;
    }
  }

  peek(): QueuedLine<State> | undefined {
    return this.#lines[this.#head];
  }

  shift(): QueuedLine<State> | undefined {
    const line = this.peek();
    if (line === undefined) return undefined;
    this.#head += 1;
    this.#characters -= line.line.length;
    if (this.#head * 2 > this.#lines.length) {
      this.#lines = this.#lines.slice(this.#head);
      this.#head = 0;
    }
    return line;
  }

  /** @returns how many lines were dropped, and starts the count anew */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  clear(): void {
    this.#lines = [];
    this.#head = 0;
    this.#characters = 0;
  }
}
