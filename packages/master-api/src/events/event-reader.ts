import type { Clock } from "../clock.ts";
import type { EventLimits } from "./event-limits.ts";
import { type FrameEncoder, KEEP_ALIVE_FRAME, RETRY_FRAME, type StateType } from "./frame.ts";
import { LogQueue } from "./log-queue.ts";
import { StateQueue } from "./state-queue.ts";

/** What a reader needs from the hub. */
export interface EventReaderParts<State> {
  readonly clock: Clock;
  readonly limits: EventLimits;
  readonly encoder: FrameEncoder<State>;
  /** What tells one thing from another. */
  keyOf(state: State): string;
  /** What is shown again on a quiet stream, if anything. */
  refresh(): State | undefined;
  /** Drops the connection; without it the stream is broken off with an error. */
  readonly disconnect?: (() => void) | undefined;
  /** Called when the reader is broken off, with the reason. */
  onCut(reason: string): void;
  /** Called once, when the reader is gone for whatever reason. */
  onGone(reader: EventReader<State>): void;
}

/** A chunk is closed above this size: enough for a system call, little to hold. */
const CHUNK_CHARACTERS = 16_384;

interface Waiting {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  readonly done: () => void;
}

/**
 * One open event stream. Nothing is encoded before the reader asks for it: what waits is one
 * reference per thing (its latest state) and a bounded queue of lines.
 *
 * States: open -> ending (a `shutdown` waits to be read) -> gone. A reader that takes nothing for
 * `stallTimeoutMs` goes from open or ending to gone with an error, which a client sees as a broken
 * connection and not as a clean end, after which dashboards would not reconnect.
 */
export class EventReader<State> {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #parts: EventReaderParts<State>;
  readonly #states: StateQueue<State>;
  readonly #lines: LogQueue<State>;
  readonly #text = new TextEncoder();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #waiting: Waiting | undefined;
  #head = RETRY_FRAME;
  #sequence = 0;
  #ending = false;
  #gone = false;
  #lastBytesAt: number;
  #lastEventAt: number;
  #cancelTimer: (() => void) | undefined;

  constructor(parts: EventReaderParts<State>) {
    this.#parts = parts;
    this.#states = new StateQueue(parts.limits.stateSpacingMs, parts.keyOf);
    this.#lines = new LogQueue({
      maxLines: parts.limits.maxQueuedLines,
      maxCharacters: parts.limits.maxQueuedCharacters,
    });
    this.#lastBytesAt = parts.clock.monotonic();
    this.#lastEventAt = this.#lastBytesAt;
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: (controller) =>
          new Promise<void>((done) => {
            this.#waiting = { controller, done };
            this.#advance();
          }),
        cancel: () => this.#leave(),
      },
      // Nothing ahead of the reader: the queues above are the only ones.
      { highWaterMark: 0 },
    );
    this.#advance();
  }

  pushState(type: StateType, state: State): void {
    if (this.#gone || this.#ending) return;
    this.#states.push(type, state, this.#parts.clock.now(), this.#nextSequence());
    this.#advance();
  }

  pushLine(state: State, line: string): void {
    if (this.#gone || this.#ending) return;
    const time = this.#parts.clock.now();
    this.#lines.push({ state, line, time, sequence: this.#nextSequence() });
    if (this.#lines.dropped > this.#parts.limits.maxDroppedLines) {
      this.destroy("reader is too slow");
      return;
    }
    this.#advance();
  }

  /** Sends what waits, then `shutdown`, then ends the stream. */
  end(): void {
    if (this.#gone || this.#ending) return;
    this.#ending = true;
    this.#advance();
  }

  /** Breaks the stream off now. */
  destroy(reason: string): void {
    if (this.#gone) return;
    const waiting = this.#waiting;
    this.#leave();
    this.#parts.onCut(reason);
    const { disconnect } = this.#parts;
    if (disconnect === undefined) this.#controller?.error(new Error(reason));
    else disconnect();
    waiting?.done();
  }

  #nextSequence(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  /** Gives a waiting reader what there is, and sets the timer for what comes by itself. */
  #advance(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#gone) return;
    const waiting = this.#waiting;
    if (waiting === undefined) {
      if (this.#hasSomething() || this.#ending) this.#watchForStall();
      return;
    }
    const now = this.#parts.clock.monotonic();
    const chunk = this.#takeChunk(now);
    if (chunk === "") {
      this.#wakeUp(now);
      return;
    }
    this.#waiting = undefined;
    this.#lastBytesAt = now;
    waiting.controller.enqueue(this.#text.encode(chunk));
    if (this.#ending && !this.#hasSomething()) {
      this.#leave();
      waiting.controller.close();
    } else if (this.#hasSomething()) {
      this.#watchForStall();
    }
    waiting.done();
  }

  #hasSomething(): boolean {
    return this.#head !== "" || this.#states.size > 0 || this.#lines.size > 0;
  }

  #takeChunk(now: number): string {
    let chunk = this.#head;
    this.#head = "";
    // At the end nothing may wait for its turn any more.
    const due = this.#ending ? Number.POSITIVE_INFINITY : now;
    while (chunk.length < CHUNK_CHARACTERS) {
      const next = this.#takeFrame(due, now);
      if (next === undefined) break;
      chunk += next;
      this.#lastEventAt = now;
    }
    const { clock, limits, encoder } = this.#parts;
    if (this.#ending) {
      return this.#hasSomething() ? chunk : chunk + encoder.shutdown(clock.now());
    }
    if (chunk === "" && now - this.#lastEventAt >= limits.refreshMs) {
      this.#lastEventAt = now;
      const shown = this.#parts.refresh();
      // Dashboards give a stream up after 5 minutes without an event; comments are none.
      if (shown !== undefined) return encoder.state("update", clock.now(), shown);
    }
    return chunk === "" && now - this.#lastBytesAt >= limits.keepAliveMs ? KEEP_ALIVE_FRAME : chunk;
  }

  /** The next frame in the order in which things happened. */
  #takeFrame(due: number, now: number): string | undefined {
    const { encoder } = this.#parts;
    const ready = this.#states.peek(due);
    const line = this.#lines.peek();
    if (ready !== undefined && (line === undefined || ready.sequence < line.sequence)) {
      this.#states.take(ready, now);
      return encoder.state(ready.type, ready.time, ready.state);
    }
    if (line === undefined) return undefined;
    const dropped = this.#lines.takeDropped();
    this.#lines.shift();
    const mark = dropped === 0 ? "" : encoder.leftOut(dropped, line.time, line.state);
    return mark + encoder.line(line.time, line.state, line.line);
  }

  #wakeUp(now: number): void {
    const { clock, limits } = this.#parts;
    const at = Math.min(
      this.#states.nextDueAt() ?? Number.POSITIVE_INFINITY,
      this.#lastBytesAt + limits.keepAliveMs,
      this.#lastEventAt + limits.refreshMs,
    );
    this.#cancelTimer = clock.after(Math.max(1, at - now), () => this.#advance());
  }

  #watchForStall(): void {
    const { clock, limits } = this.#parts;
    const left = this.#lastBytesAt + limits.stallTimeoutMs - clock.monotonic();
    this.#cancelTimer = clock.after(Math.max(1, left), () => this.destroy("reader is too slow"));
  }

  #leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#cancelTimer?.();
    this.#waiting = undefined;
    this.#states.clear();
    this.#lines.clear();
    this.#parts.onGone(this);
  }
}
