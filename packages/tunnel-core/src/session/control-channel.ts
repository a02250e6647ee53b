import { type ByteStream, type Lease, OWNED, type StreamReader } from "../stream/byte-stream.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import type { Signal, SignalEvent } from "../wire/signal.ts";
import { SignalDecoder } from "../wire/signal-decoder.ts";
import { createSignalEncoder } from "../wire/signal-encoder.ts";

/** Report intervals without a byte after which a 1.14 peer is lost. */
const SILENT_INTERVALS = 3;
/** The same for our own nodes: losing a session by mistake costs them only a reconnect. */
const SILENT_INTERVALS_PROVED = 1;
/** After this long a ping counts as never answered, ms. */
const UNANSWERED_MS = 4000;
/** Least silence, ms: short report intervals don't make a busy machine a lost one. */
const MIN_SILENCE_MS = 1000;
/** How long a peer has to show that it is alive, ms. */
const PROBE_MS = 300;
/** The same where its round trip is not known yet, ms. */
const FIRST_PROBE_MS = 1500;
/** The same where it is long: so many round trips. */
const PROBE_ROUND_TRIPS = 3;
/** Bytes of one signal line, about, for the bound of what is queued. */
const SIGNAL_BYTES = 128;

/** How long an answer to a ping may take. @param roundTrip the last one, ms; 0: not known */
export function probeMs(roundTrip: number): number {
  return roundTrip === 0 ? FIRST_PROBE_MS : Math.max(PROBE_MS, PROBE_ROUND_TRIPS * roundTrip);
}

export interface ControlChannelOptions {
  readonly context: TunnelContext;
  /** Key of the signals. */
  readonly key: string;
  /** The peer is a node of this project. */
  readonly proved: boolean;
  readonly stream: ByteStream;
  readonly early: Buffer | undefined;
  onSignal(signal: SignalEvent): void;
  /** The channel is gone; called once. */
  onLost(reason: string): void;
}

/**
 * The control connection: signals in lines, those of one turn of the event loop in one write, and
 * a ping every report interval that tells whether the peer is there and how far away it is.
 */
export class ControlChannel implements StreamReader {
  readonly #options: ControlChannelOptions;
  readonly #decoder: SignalDecoder;
  readonly #encode: (signal: Signal) => string;
  readonly #maxQueuedBytes: number;
  readonly #maxSilentTicks: number;
  #pending = "";
  #silentTicks = 0;
  /** When the first tick came of those that heard nothing. */
  #silentSince = 0;
  #roundTrip = 0;
  #pings = 0;
  /** When the pings without a pong were sent: a probe's may be on the way beside a tick's. */
  readonly #pingsSentAt: number[] = [];
  #closed = false;
  #onPong: ((ok: boolean) => void)[] = [];
  readonly #flush = (): void => {
    const lines = this.#pending;
    this.#pending = "";
    if (this.#closed) return;
    this.#options.stream.write(Buffer.from(lines, "latin1"));
    if (this.#options.stream.pendingBytes > this.#maxQueuedBytes) {
      this.#lose("the peer does not read its control connection");
    }
  };

  constructor(options: ControlChannelOptions) {
    this.#options = options;
    this.#decoder = new SignalDecoder(options.key);
    this.#encode = createSignalEncoder(options.key);
    this.#maxQueuedBytes = options.context.limits.semaphoreLimit * SIGNAL_BYTES;
    const least = options.proved ? SILENT_INTERVALS_PROVED : SILENT_INTERVALS;
    const { reportIntervalMs } = options.context.limits;
    this.#maxSilentTicks = Math.max(least, Math.ceil(MIN_SILENCE_MS / reportIntervalMs));
    options.stream.setReader(this);
  }

  /** Handles what came before this channel existed; call once after construction. */
  start(): void {
    const { early } = this.#options;
    if (early !== undefined && early.length > 0) this.onBytes(early, early.length, OWNED);
    this.ping();
  }

  send(signal: Signal): void {
    if (this.#closed) return;
    if (this.#pending === "") setImmediate(this.#flush);
    this.#pending += this.#encode(signal);
  }

  ping(): void {
    const now = performance.now();
    // One that was never answered must not make all later times too long.
    while (now - (this.#pingsSentAt[0] ?? now) > UNANSWERED_MS) this.#pingsSentAt.shift();
    this.#pingsSentAt.push(now);
    this.send({ action: "ping" });
  }

  /** Pings and calls back whether the peer answered within `timeoutMs`. */
  probe(timeoutMs: number, callback: (alive: boolean) => void): void {
    if (this.#closed) {
      callback(false);
      return;
    }
    const done = (alive: boolean): void => {
      clearTimeout(timer);
      const at = this.#onPong.indexOf(done);
      if (at >= 0) this.#onPong.splice(at, 1);
      callback(alive);
    };
    const timer = setTimeout(() => done(false), timeoutMs);
    this.#onPong.push(done);
    this.ping();
  }

  /** Inside a report interval's tick, after this one's: whether something has come since the last. */
  get heard(): boolean {
    return this.#silentTicks <= 1;
  }

  /** Once per report interval. */
  tick(): void {
    const most = this.#maxSilentTicks;
    if (++this.#silentTicks > most) {
      this.#lose(`nothing came from the peer for over ${most} report intervals`);
      return;
    }
    if (this.#silentTicks === 1) this.#silentSince = performance.now();
    this.ping();
  }

  /** Last round trip, ms; 0 while none is known. */
  get roundTrip(): number {
    return this.#roundTrip;
  }

  /** False when a ping has been on the way for longer than it takes. @param now `performance.now()` */
  answers(now: number): boolean {
    if (this.#silentTicks === 0) return true;
    return now - this.#silentSince < probeMs(this.#roundTrip);
  }

  onBytes(buffer: Buffer, length: number, _lease: Lease): boolean {
    this.#silentTicks = 0;
    try {
      for (const signal of this.#decoder.push(buffer.subarray(0, length))) {
        if (this.#closed) return false;
        if (signal.action === "ping") this.#pinged();
        else if (signal.action === "pong") this.#pong();
        else this.#options.onSignal(signal);
      }
    } catch (error) {
      this.#lose(error instanceof Error ? error.message : String(error));
      return false;
    }
    return !this.#closed;
  }

  #pinged(): void {
    this.#pings++;
    this.send({ action: "pong" });
  }

  /** Pings that have come. */
  get pings(): number {
    return this.#pings;
  }

  #pong(): void {
    const sentAt = this.#pingsSentAt.shift();
    if (sentAt !== undefined) {
      const roundTrip = performance.now() - sentAt;
      this.#roundTrip = Math.max(1, Math.round(roundTrip));
      this.#options.context.counters.ping = this.#roundTrip;
    }
    for (const done of [...this.#onPong]) done(true);
  }

  onEnd(): void {
    this.#lose("the peer closed the control connection");
  }

  onDrain(): void {}

  onError(error: Error): void {
    this.#lose(`control connection failed: ${error.message}`);
  }

  onClose(): void {
    this.#lose("the control connection closed");
  }

  /** Ends the channel without calling `onLost`. */
  close(): void {
    if (this.#closed) return;
    if (this.#pending !== "") this.#flush();
    this.#closed = true;
    this.#options.context.lingerer.end(this.#options.stream);
    for (const done of [...this.#onPong]) done(false);
  }

  #lose(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.stream.destroy();
    for (const done of [...this.#onPong]) done(false);
    this.#options.onLost(reason);
  }
}
