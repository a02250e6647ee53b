import { type Chunk, MAX_CHUNK_BYTES, STREAM_RENEW_MS } from "@nodepass/fleet-protocol";

/** Bytes of one stream that may be on the way or wait here, at most. */
export const STREAM_WINDOW_BYTES = 4 * MAX_CHUNK_BYTES;
/** Read bytes are given back as credit in pieces of this size, so that not each event costs a message. */
const CREDIT_STEP_BYTES = MAX_CHUNK_BYTES;
/** Event streams say something every 15 s; a member that is silent for longer is gone, ms. */
export const MEMBER_SILENCE_MS = 40_000;

const LF = 10;

/** What a stream needs of its hub. */
export interface AnswerStreamParts {
  /** So many bytes more may be sent. */
  credit(bytes: number): void;
  /** Nobody reads any more; called at most once, and not after the member's own end. */
  cancel(): void;
  /** It is over, however; called once. */
  onGone(): void;
  readonly silenceMs: number;
}

/**
 * A member's streamed answer, as a client reads it. What the client does not take the member does not
 * send: beyond the window there is nothing on the way.
 *
 * States: open -> ended (the last chunk came, or the hub ends; what waits is still read) -> gone, or from each of them to
 * gone: with an error (a chunk is missing or too many came, the member said so or is silent), or
 * because the client left. An error is an error for the client, too: a clean end would be a lie.
 */
export class AnswerStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #parts: AnswerStreamParts;
  readonly #waiting: Uint8Array[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #renewal: NodeJS.Timeout;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #pulled: (() => void) | undefined;
  #next = 0;
  /** Bytes that the member may still send. */
  #window = STREAM_WINDOW_BYTES;
  /** Bytes that were read and not given back yet. */
  #read = 0;
  /** The last bytes that came are the end of a frame (or none came). */
  #isBetweenEvents = true;
  #state: "open" | "ended" | "gone" = "open";

  constructor(parts: AnswerStreamParts) {
    this.#parts = parts;
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () =>
          new Promise((resolve) => {
            this.#pulled = resolve;
            this.#advance();
          }),
        cancel: () => this.abandon(),
      },
      { highWaterMark: 0 },
    );
    this.#timer = setTimeout(() => this.#checkSilence(), parts.silenceMs);
    this.#renewal = setInterval(() => parts.credit(0), STREAM_RENEW_MS);
    this.#timer.unref();
    this.#renewal.unref();
  }

  /** The member's next piece. */
  push(chunk: Chunk): void {
    if (this.#state !== "open") return;
    this.#timer.refresh();
    const wrong = this.#faultOf(chunk);
    if (wrong !== undefined) {
      this.fail(wrong);
      return;
    }
    if (chunk.error !== "") {
      this.#end(`the master broke off: ${chunk.error}`);
      return;
    }
    this.#next += 1;
    this.#window -= chunk.data.byteLength;
    if (chunk.data.byteLength > 0) {
      this.#waiting.push(chunk.data);
      this.#isBetweenEvents = chunk.data.at(-1) === LF && chunk.data.at(-2) === LF;
    }
    if (chunk.end) {
      this.#state = "ended";
      this.#stopTimers();
    }
    this.#advance();
  }

  #faultOf({ n, data }: Chunk): string | undefined {
    if (n !== this.#next) return "a piece of the answer is missing";
    return data.byteLength > this.#window ? "the master sent more than it may" : undefined;
  }

  /**
   * Ends it at the member, and here as if it had ended there, if the reader loses nothing by it: it is of
   * events, and the last one has come whole. Else breaks it off.
   *
   * @param last said after what waits to be read
   */
  conclude(last: string, reason: string): void {
    if (this.#state !== "open") return;
    if (!this.#isBetweenEvents) {
      this.fail(reason);
      return;
    }
    this.#parts.cancel();
    if (last !== "") this.#waiting.push(new TextEncoder().encode(last));
    this.#state = "ended";
    this.#stopTimers();
    this.#advance();
  }

  /** Breaks it off, here and at the member. */
  fail(reason: string): void {
    if (this.#state === "gone") return;
    if (this.#state === "open") this.#parts.cancel();
    this.#end(reason);
  }

  /** Nobody reads it. */
  abandon(): void {
    if (this.#state === "gone") return;
    if (this.#state === "open") this.#parts.cancel();
    this.#leave();
  }

  #end(reason: string): void {
    const controller = this.#controller;
    this.#leave();
    controller?.error(new Error(reason));
  }

  #advance(): void {
    const done = this.#pulled;
    if (done === undefined) return;
    const data = this.#waiting.shift();
    if (data !== undefined) {
      this.#controller?.enqueue(data);
      this.#giveBack(data.byteLength);
    } else if (this.#state === "ended") {
      this.#controller?.close();
      this.#leave();
    } else return;
    this.#pulled = undefined;
    done();
  }

  #giveBack(bytes: number): void {
    this.#read += bytes;
    if (this.#state !== "open" || this.#read < CREDIT_STEP_BYTES) return;
    this.#window += this.#read;
    this.#parts.credit(this.#read);
    this.#read = 0;
    // A member that waited for this was silent with good reason.
    this.#timer.refresh();
  }

  #checkSilence(): void {
    // One that may not send is not silent.
    if (this.#waiting.length > 0) this.#timer.refresh();
    else this.fail("the master is silent");
  }

  #leave(): void {
    if (this.#state === "gone") return;
    this.#state = "gone";
    this.#stopTimers();
    this.#waiting.length = 0;
    this.#pulled?.();
    this.#pulled = undefined;
    this.#parts.onGone();
  }

  #stopTimers(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#renewal);
  }
}
