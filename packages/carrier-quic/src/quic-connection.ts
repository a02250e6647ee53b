import {
  type CarryingConnection,
  type Newcomer,
  type SharedConnection,
  TunnelError,
} from "@nodepass/tunnel-core";
import { QuicStream } from "./quic-stream.ts";
import {
  type QuicAddress,
  type Quiche,
  type QuicheConnection,
  withoutZone,
  zoneOf,
} from "./quiche.ts";
import { StreamGaps } from "./stream-gaps.ts";

/** What all streams are read into, one after the other: what comes is valid during the call only. */
const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

export interface QuicConnectionOptions {
  readonly quiche: Quiche;
  readonly native: QuicheConnection;
  readonly local: QuicAddress;
  readonly remote: QuicAddress;
  readonly ownFingerprint: string | undefined;
  /** Pings, ms: the peer and what is on the way forget a silent connection. */
  readonly pingMs: number;
  send(packet: Buffer, to: QuicAddress): void;
  onEstablished(connection: QuicConnection): void;
  /** The peer has opened a stream. */
  onStream(stream: QuicStream): void;
  /** Fewer streams are open. */
  onStreamClosed(connection: QuicConnection): void;
  /** Called once; its streams have been told. */
  onClosed(connection: QuicConnection, error: Error): void;
}

/**
 * A QUIC connection: what quiche says is put into packets, and the bytes of its streams into streams.
 * All that a turn of the event loop brings is worked off at its end, and answered in one go.
 *
 * States: opening → established → closed.
 */
export class QuicConnection implements SharedConnection, CarryingConnection, Newcomer {
  readonly native: QuicheConnection;
  readonly shutdown: Quiche["Shutdown"];
  readonly local: QuicAddress;
  readonly ownFingerprint: string | undefined;
  /** Where it was opened to or came from, as Node tells of it: with a zone, if it has one. */
  readonly remote: QuicAddress;
  /** Its zone is the same wherever the peer moves to: quiche, which knows of moves, knows no zones. */
  readonly #zone: string;
  peerFingerprint: string | undefined;
  readonly #options: QuicConnectionOptions;
  readonly #streams = new Map<number, QuicStream>();
  /** Streams of the peer that are open already, while only later ones have brought bytes. */
  readonly #overtaken = new StreamGaps();
  /** Streams that have something to send, to end or to close. */
  #waiting = new Set<QuicStream>();
  /** Streams that read again. */
  #reading = new Set<QuicStream>();
  readonly #packet: Buffer;
  readonly #ping: NodeJS.Timeout;
  #timer: NodeJS.Timeout | undefined;
  #scheduled = false;
  #processing = false;
  #established = false;
  #closed = false;
  #nextId = 0;
  readonly #run = (): void => {
    this.#scheduled = false;
    this.#process();
  };
  readonly #onTimer = (): void => {
    this.native.onTimeout();
    this.#process();
  };

  constructor(options: QuicConnectionOptions) {
    this.#options = options;
    this.native = options.native;
    this.shutdown = options.quiche.Shutdown;
    this.local = options.local;
    this.remote = options.remote;
    this.#zone = zoneOf(options.remote.host);
    this.ownFingerprint = options.ownFingerprint;
    this.#packet = Buffer.allocUnsafeSlow(options.quiche.MAX_DATAGRAM_SIZE);
    this.#ping = setInterval(() => {
      if (!this.#established || this.#closed) return;
      this.native.sendAckEliciting();
      this.schedule();
    }, options.pingMs);
    this.schedule();
  }

  get isOpen(): boolean {
    return this.#established && !this.#closed;
  }

  get address(): string {
    return this.remote.host;
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** A packet has come. */
  receive(packet: Buffer, from: QuicAddress): void {
    if (this.#closed) return;
    try {
      this.native.recv(packet, { from: withoutZone(from), to: this.local });
    } catch {
      // A packet that is not good, or a failing handshake: the latter shows in `isClosed`.
    }
    this.schedule();
  }

  /** Client: opens a stream; `undefined` if the peer allows no more now. */
  openStream(): QuicStream | undefined {
    if (!this.isOpen || this.native.peerStreamsLeftBidi() <= 0) return undefined;
    const id = this.#nextId;
    this.#nextId += 4;
    const stream = new QuicStream(this, id);
    this.#streams.set(id, stream);
    return stream;
  }

  /** Something is to be sent at the end of this turn; what is being worked off now is sent anyhow. */
  touch(): void {
    if (!this.#processing) this.schedule();
  }

  schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(this.#run);
  }

  /** The stream has something to send, to end or to close. */
  wait(stream: QuicStream): void {
    this.#waiting.add(stream);
    if (this.#closed) setImmediate(() => stream.goOn());
    else this.schedule();
  }

  wantsRead(stream: QuicStream): void {
    this.#reading.add(stream);
    this.schedule();
  }

  forget(stream: QuicStream): void {
    this.#streams.delete(stream.id);
    this.#waiting.delete(stream);
    this.#reading.delete(stream);
    if (!this.#closed) this.#options.onStreamClosed(this);
  }

  #process(): void {
    if (this.#closed) return;
    this.#processing = true;
    this.#work();
    this.#processing = false;
  }

  #work(): void {
    if (!this.#established && this.native.isEstablished()) {
      this.#established = true;
      this.#options.onEstablished(this);
      if (this.#closed) return;
    }
    this.#read();
    if (this.#closed) return;
    // Acknowledgements have made room; what is written in answer goes into the same packets.
    for (let round = 0; round < 2; round++) {
      this.#write();
      this.#flush();
    }
    // Draining: the peer has closed it, and nothing more is said (RFC 9000, section 10.2.2).
    if (this.native.isClosed() || this.native.isDraining()) {
      this.#end(this.#reason());
      return;
    }
    clearTimeout(this.#timer);
    const timeout = this.native.timeout();
    if (timeout !== null) this.#timer = setTimeout(this.#onTimer, Math.max(1, timeout));
  }

  #read(): void {
    for (const id of this.native.readable()) {
      if (this.#closed) return;
      let stream = this.#streams.get(id);
      if (stream === undefined && this.#isNew(id)) {
        stream = new QuicStream(this, id);
        this.#streams.set(id, stream);
        this.#options.onStream(stream);
      }
      stream?.read(READ_BUFFER);
    }
    if (this.#reading.size === 0) return;
    const reading = this.#reading;
    this.#reading = new Set();
    for (const stream of reading) stream.read(READ_BUFFER);
  }

  /** Client-initiated, bidirectional (RFC 9000, section 2.1), and not one that was forgotten. */
  #isNew(id: number): boolean {
    if ((id & 3) !== 0) return false;
    if (id < this.#nextId) return this.#overtaken.take(id);
    if (!this.#overtaken.add(this.#nextId, id)) {
      this.close(new TunnelError("PEER_LOST", "the peer opens streams out of order"));
      return false;
    }
    this.#nextId = id + 4;
    return true;
  }

  #write(): void {
    if (this.#waiting.size === 0) return;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const stream of waiting) if (!stream.goOn()) this.#waiting.add(stream);
  }

  #flush(): void {
    for (;;) {
      let sent: [number, { to: QuicAddress }] | null;
      try {
        sent = this.native.send(this.#packet);
      } catch {
        // It has nothing to say any more: `isClosed` tells why.
        return;
      }
      if (sent === null) return;
      const [length, { to }] = sent;
      const there = this.#zone === "" ? to : { host: to.host + this.#zone, port: to.port };
      this.#options.send(Buffer.from(this.#packet.subarray(0, length)), there);
    }
  }

  #reason(): Error {
    const native = this.native;
    if (native.isTimedOut()) return new TunnelError("PEER_LOST", "the QUIC connection fell silent");
    const error = native.peerError() ?? native.localError();
    const who = native.peerError() === null ? "this end" : "the peer";
    const text = Buffer.from(error?.reason ?? [])
      .toString("latin1")
      .slice(0, 80);
    const reason = text.replaceAll(/[^\x20-\x7e]/g, "?");
    const code = error === null ? "" : ` with error ${error.errorCode}${reason && ` (${reason})`}`;
    return new TunnelError("PEER_LOST", `${who} closed the QUIC connection${code}`);
  }

  /** Closes it; its streams are reset. */
  close(error: Error): void {
    if (this.#closed) return;
    try {
      this.native.close(true, 0, Buffer.alloc(0));
    } catch {
      // `Done`: it is closing already.
    }
    this.#flush();
    this.#end(error);
  }

  drop(): void {
    this.close(
      new TunnelError(
        "PEER_LOST",
        "there are too many QUIC connections, or it has not shown in time what it is",
      ),
    );
  }

  #end(error: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#ping);
    for (const stream of [...this.#streams.values()]) stream.fail(error);
    this.#options.onClosed(this, error);
  }
}
