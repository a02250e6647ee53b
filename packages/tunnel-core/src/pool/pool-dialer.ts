import type { CarrierDialer, StreamDial, StreamWanted } from "../carrier/carrier.ts";
import { DeadlineQueue } from "../deadline-queue.ts";
import { TunnelError } from "../errors.ts";
import type { ByteStream, StreamReader } from "../stream/byte-stream.ts";
import { DETACHED_READER } from "../stream/detached-reader.ts";
import { isOwnFault } from "../system-errors.ts";
import { MAX_HELLO_COUNTER, poolId } from "../wire/pool-hello.ts";
import { ASKS_ID, POOL_ID_BYTES } from "../wire/pool-id.ts";

/** How pool connections of a session are made. */
export interface PoolDialTerms {
  readonly carrier: CarrierDialer;
  /** Longest wait for one, ms. */
  readonly timeoutMs: number;
  /** Makes the hello of a proved session; `undefined` towards a 1.14 server, which sends ids. */
  readonly hello: ((counter: number) => Buffer) | undefined;
  /** A 1.14 server gives the id when it is asked for it by a byte 00 (HTTP/2, QUIC). @default false */
  readonly asksId?: boolean | undefined;
  /** @default 0, the control connection */
  readonly firstCounter?: number | undefined;
  /** A connection to the address could not be made, and not for a reason of this host. */
  onUnreachable?(): void;
}

export interface PoolDialResult {
  /** @param tookMs since it was dialled */
  onOpen(stream: ByteStream, id: string, early: Buffer | undefined, tookMs: number): void;
  /**
   * @param error the carrier's (`StreamWanted.onFailed`), or `HELLO_INVALID`: the session has used all
   *   its counters, and only a new handshake gives new ones
   */
  onFailed(error: Error): void;
}

/** Dials pool connections of one session: streams of its carrier that have said hello, or got an id. */
export class PoolDialer {
  readonly terms: PoolDialTerms;
  readonly deadlines: DeadlineQueue<PoolDial>;
  #counter: number;

  constructor(terms: PoolDialTerms) {
    this.terms = terms;
    this.#counter = terms.firstCounter ?? 0;
    this.deadlines = new DeadlineQueue(terms.timeoutMs, (dial) => {
      dial.fail(
        new TunnelError("HANDSHAKE_TIMEOUT", `no pool connection within ${terms.timeoutMs} ms`),
      );
    });
  }

  /** The first connection of a proved session is its control connection. */
  dial(result: PoolDialResult): void {
    if (this.#counter > MAX_HELLO_COUNTER) {
      const why = `all ${MAX_HELLO_COUNTER + 1} counters of the session are used`;
      queueMicrotask(() => result.onFailed(new TunnelError("HELLO_INVALID", why)));
      return;
    }
    new PoolDial(this, this.#counter++, result).start();
  }

  /** The hello of this counter was never sent: a control connection that failed is dialled again. */
  giveBack(counter: number): void {
    if (counter === 0) this.#counter = 0;
  }

  close(): void {
    this.deadlines.clear((dial) => dial.fail(new TunnelError("CLOSED", "the session has ended")));
    this.terms.carrier.close();
  }
}

/** One pool connection in the making. */
class PoolDial implements StreamWanted, StreamReader {
  readonly #dialer: PoolDialer;
  readonly #counter: number;
  readonly #result: PoolDialResult;
  #dial: StreamDial | undefined;
  #stream: ByteStream | undefined;
  #id: Buffer | undefined;
  #error: Error | undefined;
  #done = false;
  readonly #startedAt = performance.now();

  constructor(dialer: PoolDialer, counter: number, result: PoolDialResult) {
    this.#dialer = dialer;
    this.#counter = counter;
    this.#result = result;
  }

  start(): void {
    this.#dialer.deadlines.add(this);
    this.#dial = this.#dialer.terms.carrier.open(this);
  }

  onStream(stream: ByteStream, early?: Buffer): void {
    this.#stream = stream;
    const { hello, asksId } = this.#dialer.terms;
    if (hello !== undefined) {
      stream.write(hello(this.#counter));
      this.#finish(stream, poolId(this.#counter), early);
      return;
    }
    stream.setReader(this);
    if (asksId === true) stream.write(Buffer.of(ASKS_ID));
    if (early !== undefined) this.onBytes(early, early.length);
    if (!this.#done) stream.resume();
  }

  onFailed(error: Error): void {
    this.fail(error);
  }

  #finish(stream: ByteStream, id: string, early: Buffer | undefined): void {
    this.#done = true;
    this.#dialer.deadlines.delete(this);
    stream.setReader(DETACHED_READER);
    this.#result.onOpen(stream, id, early, performance.now() - this.#startedAt);
    stream.resume();
  }

  /** Towards a 1.14 server: four bytes of id, then what the entry may have sent already. */
  onBytes(buffer: Buffer, length: number): boolean {
    const stream = this.#stream;
    if (this.#done || stream === undefined) return false;
    const bytes = Buffer.from(buffer.subarray(0, length));
    const all = this.#id === undefined ? bytes : Buffer.concat([this.#id, bytes]);
    this.#id = all;
    if (all.length < POOL_ID_BYTES) return true;
    const early = all.length > POOL_ID_BYTES ? all.subarray(POOL_ID_BYTES) : undefined;
    this.#finish(stream, all.toString("hex", 0, POOL_ID_BYTES), early);
    return true;
  }

  onEnd(): void {
    this.fail(closedEarly());
  }
  onDrain(): void {}
  onError(error: Error): void {
    this.#error = error;
  }
  onClose(): void {
    this.fail(this.#error ?? closedEarly());
  }

  fail(error: Error): void {
    if (this.#done) return;
    this.#done = true;
    this.#dialer.deadlines.delete(this);
    this.#dialer.giveBack(this.#counter);
    // Who is told that the session has ended, or that this host can open no more, learns nothing
    // of the address.
    const closed = error instanceof TunnelError && error.code === "CLOSED";
    if (!closed && !isOwnFault(error)) this.#dialer.terms.onUnreachable?.();
    this.#dial?.cancel();
    this.#stream?.destroy();
    this.#result.onFailed(error);
  }
}

function closedEarly(): TunnelError {
  return new TunnelError("PEER_LOST", "the server closed a pool connection before it was open");
}
