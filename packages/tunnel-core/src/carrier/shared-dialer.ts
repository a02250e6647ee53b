import type { ByteStream } from "../stream/byte-stream.ts";
import type { CarrierDialer, StreamDial, StreamWanted } from "./carrier.ts";

/**
 * A client's side of a carrier that has one connection for all streams of a session, dialled when
 * the first one is wanted, and again when it was lost.
 */
export abstract class SharedDialer implements CarrierDialer {
  readonly #wishes = new Set<Wish>();
  #connecting = false;
  #serves = false;
  #closed = false;

  open(wanted: StreamWanted): StreamDial {
    const wish = new Wish(this, wanted);
    this.#wishes.add(wish);
    if (this.isOpen()) this.#serveSoon();
    else this.#connect();
    return wish;
  }

  #connect(): void {
    if (this.#connecting || this.#closed) return;
    this.#connecting = true;
    this.connect().then(
      () => {
        this.#connecting = false;
        this.serve();
      },
      (error: unknown) => {
        this.#connecting = false;
        this.refuse(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  #serveSoon(): void {
    if (this.#serves) return;
    this.#serves = true;
    setImmediate(() => {
      this.#serves = false;
      this.serve();
    });
  }

  /** Opens the connection; rejects as `StreamWanted.onFailed`. */
  protected abstract connect(): Promise<void>;
  /** Whether the connection stands. */
  protected abstract isOpen(): boolean;
  /** Opens a stream; `undefined` if there can be no more now. */
  protected abstract openStream(): ByteStream | undefined;
  /** Streams that are open. */
  protected abstract streamCount(): number;
  /** Closes the connection, or gives up the one in the making; no-op if there is none. */
  protected abstract disconnect(): void;

  protected get closed(): boolean {
    return this.#closed;
  }

  /** Whoever wanted a stream has given up; a connection that nobody waits for is not awaited. */
  forget(wish: Wish): void {
    if (this.#wishes.delete(wish) && this.#wishes.size === 0 && this.#connecting) this.disconnect();
  }

  /** Gives streams to those who wait. Call it when the connection may open more, or has fewer. */
  protected serve(): void {
    while (this.isOpen()) {
      const [wish] = this.#wishes;
      if (wish === undefined) break;
      const stream = this.openStream();
      if (stream === undefined) break;
      this.#wishes.delete(wish);
      wish.wanted.onStream(stream);
    }
    this.#disconnectIfDone();
  }

  /** The connection can't be opened, or was lost. */
  protected refuse(error: Error): void {
    const wishes = [...this.#wishes];
    this.#wishes.clear();
    for (const wish of wishes) wish.wanted.onFailed(error);
  }

  /** Streams that still carry somebody keep the connection. */
  close(): void {
    this.#closed = true;
    this.#wishes.clear();
    this.#disconnectIfDone();
  }

  #disconnectIfDone(): void {
    if (this.#closed && this.streamCount() === 0) this.disconnect();
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
