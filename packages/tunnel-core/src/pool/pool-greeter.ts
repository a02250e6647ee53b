import type { Arrival } from "../carrier/carrier.ts";
import { type Newcomer, Newcomers } from "../listener/newcomers.ts";
import type { ByteStream, StreamReader } from "../stream/byte-stream.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { HELLO_BYTES, type PoolHello, parseHello } from "../wire/pool-hello.ts";
import { ASKS_ID } from "../wire/pool-id.ts";

/** Who admits pool connections. */
export interface PoolGate {
  /** A hello, not yet verified. @returns whether the stream was admitted, and has its reader */
  hello(stream: ByteStream, hello: PoolHello, early: Buffer | undefined): boolean;
  /** Sessions that it admits to. */
  readonly size: number;
  /** How long a stream from this address is silent, ms, if it is a 1.14 client's; 0: none is here. */
  silenceMs(address: string): number;
  /** Whether many newcomers of this address can be the present client's. */
  expectsMany(address: string): boolean;
  /** It is one: it gets its id. */
  silent(stream: ByteStream, address: string): void;
}

/**
 * Finds out what a stream that a carrier took is (docs/protocol.md, "First bytes"): a pool
 * connection that says hello, or one of NodePass 1.14, which waits for its id.
 */
export class PoolGreeter {
  readonly context: Pick<TunnelContext, "logLimited">;
  readonly gate: PoolGate;
  /** Streams that have said nothing whole: a shared connection brings as many as its peer likes. */
  readonly waiting: Newcomers;

  /** @param timeoutMs longest wait for a hello (`NP_HANDSHAKE_TIMEOUT`) */
  constructor(context: Pick<TunnelContext, "logLimited">, gate: PoolGate, timeoutMs: number) {
    this.context = context;
    this.gate = gate;
    this.waiting = new Newcomers({
      timeoutMs,
      onDropped: (reason, { address }) => context.logLimited("warn", reason, { address }),
      expectsMany: (address) => gate.expectsMany(address),
      sessions: gate,
    });
  }

  greet(arrival: Arrival): void {
    new Greeting(this, arrival).start();
  }

  close(): void {
    this.waiting.close();
  }
}

class Greeting implements StreamReader, Newcomer {
  readonly address: string;
  readonly #greeter: PoolGreeter;
  readonly #arrival: Arrival;
  #bytes: Buffer | undefined;
  #silence: NodeJS.Timeout | undefined;

  constructor(greeter: PoolGreeter, arrival: Arrival) {
    this.#greeter = greeter;
    this.#arrival = arrival;
    this.address = arrival.address;
  }

  start(): void {
    const { stream, early, wantsId, asksId } = this.#arrival;
    const { address } = this;
    const { gate, waiting } = this.#greeter;
    if (wantsId === true) {
      this.#silent();
      return;
    }
    this.#bytes = early;
    if (early !== undefined && this.#decide(early)) return;
    waiting.add(this);
    stream.setReader(this);
    stream.resume();
    const silenceMs = gate.silenceMs(address);
    if (early !== undefined || asksId === true || silenceMs === 0) return;
    this.#silence = setTimeout(() => {
      if (gate.silenceMs(address) > 0) this.#silent();
    }, silenceMs);
  }

  onBytes(buffer: Buffer, length: number): boolean {
    clearTimeout(this.#silence);
    const piece = Buffer.from(buffer.subarray(0, length));
    this.#bytes = this.#bytes === undefined ? piece : Buffer.concat([this.#bytes, piece]);
    this.#decide(this.#bytes);
    return true;
  }

  /** @returns whether it is known now what this is */
  #decide(bytes: Buffer): boolean {
    if (this.#arrival.asksId === true && bytes[0] === ASKS_ID) {
      if (this.#greeter.gate.silenceMs(this.address) > 0) this.#silent();
      else this.#refuse("pool connection refused: it asks for an id, and no 1.14 client is here");
      return true;
    }
    let hello: PoolHello | undefined;
    try {
      hello = parseHello(bytes);
    } catch (error) {
      // The text is fixed: one that a stranger can vary gets around the log's limit.
      this.#refuse("bad pool hello", error);
      return true;
    }
    if (hello === undefined) return false;
    this.#over();
    const { stream } = this.#arrival;
    const early = bytes.length > HELLO_BYTES ? bytes.subarray(HELLO_BYTES) : undefined;
    if (!this.#greeter.gate.hello(stream, hello, early)) {
      stream.destroy();
      return true;
    }
    this.#arrival.known?.();
    stream.resume();
    return true;
  }

  #silent(): void {
    this.#over();
    const { stream } = this.#arrival;
    this.#arrival.known?.(true);
    this.#greeter.gate.silent(stream, this.address);
    stream.resume();
  }

  #over(): void {
    clearTimeout(this.#silence);
    this.#greeter.waiting.delete(this);
  }

  #refuse(message: string, error?: unknown): void {
    this.#greeter.context.logLimited("warn", message, {
      address: this.address,
      ...(error instanceof Error && { reason: error.message }),
    });
    this.drop();
  }

  drop(): void {
    this.#over();
    this.#arrival.stream.destroy();
  }

  onEnd(): void {
    this.drop();
  }
  onDrain(): void {}
  onError(): void {
    // `close` follows.
  }
  onClose(): void {
    this.#over();
  }
}
