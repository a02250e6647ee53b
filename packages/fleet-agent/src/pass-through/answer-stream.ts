import { type Chunk, MAX_CHUNK_BYTES, STREAM_SILENCE_MS } from "@nodepass/fleet-protocol";

/** How a streamed answer is sent. */
export interface AnswerStreamOptions {
  readonly body: ReadableStreamDefaultReader<Uint8Array>;
  /** What was read of it already. */
  readonly begun: readonly Uint8Array[];
  /** Bytes that may be sent at once. */
  readonly credit: number;
  /** @returns whether it went out */
  send(chunk: Chunk): boolean;
  /** It is over, however it ended. Called once. */
  onEnd(): void;
  /** @default STREAM_SILENCE_MS */
  readonly silenceMs?: number | undefined;
}

/**
 * The body of one answer on its way to the hub, piece by piece, as far as the hub gives credit: what
 * it does not take is not read here either. It ends with the body, when the hub cancels it, and when the
 * hub says nothing of it for a minute.
 */
export class AnswerStream {
  readonly #options: AnswerStreamOptions;
  readonly #waiting: Uint8Array[];
  #credit: number;
  #next = 0;
  #ended = false;
  #more: (() => void) | undefined;
  #silence: NodeJS.Timeout | undefined;

  constructor(options: AnswerStreamOptions) {
    this.#options = options;
    this.#waiting = [...options.begun];
    this.#credit = options.credit;
  }

  /** Begins to send; for after the head has gone out. */
  start(): void {
    this.#listen();
    void this.#run();
  }

  /** The hub has taken so many bytes, or only says that it is there. */
  addCredit(bytes: number): void {
    if (this.#ended) return;
    // What a hub gives beyond this is no mistake of ours, but must not grow for ever.
    this.#credit = Math.min(this.#credit + bytes, Number.MAX_SAFE_INTEGER / 2);
    this.#listen();
    this.#more?.();
  }

  /** Nobody reads it any more. Idempotent. */
  cancel(): void {
    if (!this.#end()) return;
    void this.#options.body.cancel().catch(() => undefined);
    this.#more?.();
  }

  async #run(): Promise<void> {
    const { body } = this.#options;
    try {
      for (;;) {
        const piece = this.#waiting.shift() ?? (await this.#read(body));
        if (piece === undefined) break;
        if (!(await this.#sendAll(piece))) return;
      }
      this.#finish("");
    } catch (error) {
      this.#finish(error instanceof Error && error.message !== "" ? error.message : "broken off");
    }
  }

  async #read(body: AnswerStreamOptions["body"]): Promise<Uint8Array | undefined> {
    if (!(await this.#untilCredit())) return undefined;
    const { done, value } = await body.read();
    return done ? undefined : value;
  }

  /** @returns whether it goes on */
  async #sendAll(bytes: Uint8Array): Promise<boolean> {
    let at = 0;
    while (at < bytes.byteLength) {
      if (!(await this.#untilCredit())) return false;
      const end = Math.min(bytes.byteLength, at + Math.min(this.#credit, MAX_CHUNK_BYTES));
      const data = bytes.subarray(at, end);
      this.#credit -= data.byteLength;
      at = end;
      if (!this.#send({ data, end: false, error: "" })) {
        this.cancel();
        return false;
      }
    }
    return true;
  }

  async #untilCredit(): Promise<boolean> {
    while (!this.#ended && this.#credit <= 0) {
      await new Promise<void>((resolve) => {
        this.#more = resolve;
      });
      this.#more = undefined;
    }
    return !this.#ended;
  }

  #finish(error: string): void {
    if (this.#ended) return;
    this.#send({ data: new Uint8Array(), end: true, error });
    this.#end();
  }

  #send(chunk: Omit<Chunk, "n">): boolean {
    return this.#options.send({ n: this.#next++, ...chunk });
  }

  /** @returns whether it was not over yet */
  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    clearTimeout(this.#silence);
    this.#options.onEnd();
    return true;
  }

  #listen(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(
      () => this.cancel(),
      this.#options.silenceMs ?? STREAM_SILENCE_MS,
    ).unref();
  }
}
