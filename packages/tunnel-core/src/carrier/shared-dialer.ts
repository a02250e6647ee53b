import { TunnelError } from "../errors.ts";
import type { ByteStream } from "../stream/byte-stream.ts";
import type { CarrierDialer, StreamDial, StreamWanted } from "./carrier.ts";

/** A connection that all streams of a session share. */
export interface SharedConnection {
  /** It stands, and more streams can be opened, now or later. */
  readonly isOpen: boolean;
  /** Streams that are open. */
  readonly streams: number;
  /** Opens a stream; `undefined` if there can be no more now. */
  openStream(): ByteStream | undefined;
  /** Closes it, and resets its streams. No-op when closed. */
  close(reason: Error): void;
}

/** Who is told of a shared connection. What comes before `connect` has given it away is ignored. */
export interface SharedConnectionOwner {
  /** It may open more streams, or has fewer. */
  onRoom(connection: SharedConnection): void;
  /** It has closed; its streams have been told. */
  onLost(connection: SharedConnection, error: Error): void;
}

/**
 * A client's side of a carrier that has one connection for all streams of a session, dialled when
 * the first one is wanted, and again when it was lost or takes no more.
 */
export abstract class SharedDialer implements CarrierDialer, SharedConnectionOwner {
  readonly #wishes = new Set<Wish>();
  /** Of the connection in the making. */
  #attempt: AbortController | undefined;
  #current: SharedConnection | undefined;
  /** Connections that take no more streams, and still carry some. */
  readonly #former = new Set<SharedConnection>();
  #serves = false;
  #closed = false;

  /**
   * Opens a connection; rejects as `StreamWanted.onFailed`.
   *
   * @param signal aborts when nobody waits for it any more: nothing of it is to stay
   */
  protected abstract connect(signal: AbortSignal): Promise<SharedConnection>;

  open(wanted: StreamWanted): StreamDial {
    const wish = new Wish(this, wanted);
    if (this.#closed) return wish;
    this.#wishes.add(wish);
    if (this.#current?.isOpen === true) this.#serveSoon();
    else this.#connect();
    return wish;
  }

  #connect(): void {
    if (this.#attempt !== undefined) return;
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.connect(attempt.signal).then(
      (connection) => {
        if (this.#attempt !== attempt) {
          connection.close(new TunnelError("CLOSED", "nobody waits for the connection any more"));
          return;
        }
        this.#attempt = undefined;
        this.#take(connection);
      },
      (error: unknown) => {
        if (this.#attempt !== attempt) return;
        this.#attempt = undefined;
        this.#refuse(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  #take(connection: SharedConnection): void {
    const former = this.#current;
    this.#current = connection;
    if (former !== undefined) {
      this.#former.add(former);
      this.#closeIfDone(former);
    }
    if (connection.isOpen) this.onRoom(connection);
    else this.onLost(connection, new TunnelError("PEER_LOST", "the shared connection has closed"));
  }

  #serveSoon(): void {
    if (this.#serves) return;
    this.#serves = true;
    setImmediate(() => {
      this.#serves = false;
      this.#serve();
    });
  }

  /** Gives streams to those who wait. */
  #serve(): void {
    while (this.#current?.isOpen === true) {
      const [wish] = this.#wishes;
      if (wish === undefined) return;
      const stream = this.#current.openStream();
      if (stream === undefined) return;
      this.#wishes.delete(wish);
      wish.wanted.onStream(stream);
    }
    if (this.#wishes.size > 0) this.#connect();
  }

  onRoom(connection: SharedConnection): void {
    if (connection === this.#current) this.#serve();
    this.#closeIfDone(connection);
  }

  onLost(connection: SharedConnection, error: Error): void {
    this.#former.delete(connection);
    if (connection !== this.#current) return;
    this.#current = undefined;
    // Those who wait for the next connection have nothing to do with this one.
    if (this.#attempt === undefined) this.#refuse(error);
  }

  /** There is no connection, and none is coming. */
  #refuse(error: Error): void {
    const wishes = [...this.#wishes];
    this.#wishes.clear();
    for (const wish of wishes) wish.wanted.onFailed(error);
  }

  /** Whoever wanted a stream has given up; a connection that nobody waits for is not awaited. */
  forget(wish: Wish): void {
    if (this.#wishes.delete(wish) && this.#wishes.size === 0) this.#giveUp();
  }

  /** Whoever comes next begins anew: what is being given up is not his. */
  #giveUp(): void {
    const attempt = this.#attempt;
    this.#attempt = undefined;
    attempt?.abort(new TunnelError("CLOSED", "nobody waits for the connection any more"));
  }

  /** Streams that still carry somebody keep their connection. */
  close(): void {
    this.#closed = true;
    this.#wishes.clear();
    this.#giveUp();
    for (const connection of [...this.#former]) this.#closeIfDone(connection);
    if (this.#current !== undefined) this.#closeIfDone(this.#current);
  }

  #closeIfDone(connection: SharedConnection): void {
    if (connection.streams > 0 || !(this.#closed || this.#former.has(connection))) return;
    connection.close(new TunnelError("CLOSED", "the session has ended"));
  }
}

/** Somebody who waits for a stream. */
class Wish implements StreamDial {
  readonly wanted: StreamWanted;
  readonly #dialer: SharedDialer;

  constructor(dialer: SharedDialer, wanted: StreamWanted) {
    this.#dialer = dialer;
    this.wanted = wanted;
  }

  cancel(): void {
    this.#dialer.forget(this);
  }
}
