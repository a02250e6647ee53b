import type { TokenBucket } from "../rate/token-bucket.ts";
import type { IdleCheckable } from "../relay/relay-registry.ts";
import { type ByteStream, type Lease, OWNED, type StreamReader } from "../stream/byte-stream.ts";
import type { EarlyInput } from "../stream/early-reader.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { DatagramDecoder } from "../wire/datagram-frame.ts";
import { DatagramSender, type FrameScratch } from "./datagram-sender.ts";
import { DatagramThrottle } from "./datagram-throttle.ts";
import { SessionRates } from "./session-rates.ts";

/** Least bound of a session's queue, bytes: a few of the largest datagrams. */
const MIN_QUEUE_BYTES = 256 * 1024;

export interface UdpRelayOptions {
  readonly context: TunnelContext;
  readonly scratch: FrameScratch;
  /** Sends a datagram to the local side; the buffer is given away. @returns whether it was sent */
  deliver(datagram: Buffer): boolean;
  /** The session is over; called once. */
  onClosed(): void;
}

/**
 * A UDP session between the local side and its pool connection. Received datagrams wait, within
 * bounds, until the pool connection has come; the session ends without traffic, or with it.
 */
export class UdpRelay implements StreamReader, IdleCheckable {
  active = true;
  idleSweeps = 0;
  /** Payload read from the local side, and sent to it. */
  receivedBytes = 0;
  sentBytes = 0;
  readonly #options: UdpRelayOptions;
  readonly #sender: DatagramSender;
  /** Its own limits, if there are such. */
  readonly #own: SessionRates | undefined;
  #inbound: DatagramThrottle | undefined;
  #outbound: DatagramThrottle | undefined;
  readonly #onDatagram: (payload: Buffer) => void;
  #stream: ByteStream | undefined;
  #decoder: DatagramDecoder | undefined;
  /** Memory of the read at hand. */
  #memory: ArrayBufferLike | undefined;
  #closed = false;

  constructor(options: UdpRelayOptions) {
    this.#options = options;
    const { context } = options;
    const onDropped = (datagrams: number): void => this.#dropped(datagrams);
    this.#sender = new DatagramSender({
      framed: true,
      scratch: options.scratch,
      flushes: context.flushes,
      // NodePass 1.14's values of this variable are sizes of one read, too small for a queue.
      maxQueuedBytes: Math.max(MIN_QUEUE_BYTES, context.limits.udpDataBufferBytes),
      waiting: context.waitingDatagrams,
      onDropped,
    });
    const rates = context.connectionRates;
    this.#own =
      rates &&
      new SessionRates({
        rates,
        onInbound: (datagram) => this.#taken(datagram),
        onOutbound: (datagram) => this.#returned(datagram),
        onDropped,
      });
    this.#onDatagram = (payload) => this.#outgoing(payload);
    this.limitsChanged();
    context.udpSessions.add(this);
  }

  limitsChanged(): void {
    const { inbound, outbound } = this.#options.context;
    if (this.#inbound?.bucket !== inbound) {
      this.#inbound = inbound && this.#throttle(inbound, (datagram) => this.#sender.send(datagram));
    }
    if (this.#outbound?.bucket !== outbound) {
      this.#outbound = outbound && this.#throttle(outbound, (datagram) => this.#deliver(datagram));
    }
  }

  #throttle(bucket: TokenBucket, deliver: (datagram: Buffer) => void): DatagramThrottle {
    return new DatagramThrottle(bucket, deliver, (datagrams) => this.#dropped(datagrams));
  }

  #dropped(datagrams: number): void {
    this.#options.context.counters.udpDropped += datagrams;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The session's pool connection has come. */
  attach(stream: ByteStream, framed: boolean, early: EarlyInput | undefined): void {
    if (this.#closed) {
      stream.destroy();
      return;
    }
    this.#stream = stream;
    if (framed) this.#decoder = new DatagramDecoder();
    stream.setReader(this);
    this.#sender.attach(stream, framed);
    if (early?.bytes !== undefined) this.onBytes(early.bytes, early.bytes.length, OWNED);
    // It may have closed while the target was being opened.
    if (early?.ended === true || stream.destroyed) this.onEnd();
    else if (early !== undefined) stream.resume();
  }

  /** A datagram from the local side; the buffer is given away. */
  incoming(datagram: Buffer): void {
    this.active = true;
    this.#options.context.counters.udprx += datagram.length;
    this.receivedBytes += datagram.length;
    const own = this.#own?.inbound;
    if (own === undefined) this.#taken(datagram);
    else own.push(datagram);
  }

  #taken(datagram: Buffer): void {
    if (this.#inbound === undefined) this.#sender.send(datagram);
    else this.#inbound.push(datagram);
  }

  onBytes(buffer: Buffer, length: number, lease: Lease): boolean {
    this.active = true;
    // One copy for all datagrams of this read: the system may hold on to what is sent.
    const chunk = lease === OWNED ? buffer : Buffer.from(buffer.subarray(0, length));
    this.#memory = chunk.buffer;
    if (this.#decoder === undefined) {
      this.#outgoing(chunk);
      return true;
    }
    try {
      this.#decoder.push(chunk, this.#onDatagram);
    } catch (error) {
      this.#options.context.logLimited("warn", "bad datagram frame", {
        reason: error instanceof Error ? error.message : String(error),
      });
      this.close();
      return false;
    }
    return true;
  }

  #outgoing(payload: Buffer): void {
    if (this.#closed) return;
    // A datagram that arrived in pieces lies in the decoder's own buffer, which it uses again.
    const own = this.#own?.outbound;
    const waits = own !== undefined || this.#outbound !== undefined;
    const kept = !waits && payload.buffer === this.#memory;
    const datagram = kept ? payload : Buffer.from(payload);
    if (own === undefined) this.#returned(datagram);
    else own.push(datagram);
  }

  #returned(datagram: Buffer): void {
    if (this.#outbound === undefined) this.#deliver(datagram);
    else this.#outbound.push(datagram);
  }

  #deliver(datagram: Buffer): void {
    if (this.#closed) return;
    const { counters } = this.#options.context;
    if (!this.#options.deliver(datagram)) {
      counters.udpDropped++;
      return;
    }
    counters.udptx += datagram.length;
    this.sentBytes += datagram.length;
  }

  onEnd(): void {
    this.close();
  }
  onDrain(): void {
    this.#sender.drained();
  }
  onError(): void {
    // `close` follows.
  }
  onClose(): void {
    this.close();
  }

  expire(): void {
    this.close();
  }

  cut(): void {
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#own?.close();
    this.#inbound?.close();
    this.#outbound?.close();
    this.#sender.flush();
    this.#sender.drop();
    const stream = this.#stream;
    if (stream !== undefined) this.#options.context.lingerer.end(stream);
    this.#options.context.udpSessions.delete(this);
    this.#options.onClosed();
  }
}
