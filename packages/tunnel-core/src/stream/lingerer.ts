import { DeadlineQueue } from "../deadline-queue.ts";
import type { ByteStream } from "./byte-stream.ts";
import { DETACHED_READER } from "./detached-reader.ts";

/** Longest time, ms, that a stream whose user is done waits for the peer to take its last bytes. */
const LINGER_MS = 5000;
/** Most of them at once; the one that has waited longest goes first. */
const MAX_LINGERING = 4096;

/** A connection that carries one user after another. */
export interface Reusable {
  readonly stream: ByteStream;
  /** Nobody uses it now. */
  readonly idle: boolean;
}

/** Ends streams whose last bytes may still be on their way; none stays for ever. */
export class Lingerer {
  readonly #lingering = new DeadlineQueue<ByteStream>(LINGER_MS, (stream) => stream.destroy());

  readonly #unused = new DeadlineQueue<Reusable>(LINGER_MS, (connection) => {
    if (connection.idle) connection.stream.destroy();
  });
  #closed = false;

  /** Leaves it to the peer to close a connection that it may be about to use. */
  leave(connection: Reusable): void {
    if (!this.#closed) this.#unused.add(connection);
    else if (connection.idle) connection.stream.destroy();
  }

  /** The peer has closed it, or uses it. */
  gone(connection: Reusable): void {
    this.#unused.delete(connection);
  }

  /** Lets what was written out, then closes the stream; nothing more is read from it. */
  end(stream: ByteStream): void {
    if (stream.destroyed) return;
    stream.setReader(DETACHED_READER);
    if (this.#closed) {
      // A lane, whose last user was cut by `close`.
      stream.end();
      stream.destroy();
      return;
    }
    if (this.#lingering.size >= MAX_LINGERING) this.#expireFirst();
    this.#lingering.add(stream);
    stream.end(() => {
      this.#lingering.delete(stream);
      stream.destroy();
    });
  }

  #expireFirst(): void {
    const { first } = this.#lingering;
    if (first === undefined) return;
    this.#lingering.delete(first);
    first.destroy();
  }

  /** Closes what lingers, now; what comes later is closed at once. */
  close(): void {
    this.#closed = true;
    this.#lingering.clear((stream) => stream.destroy());
    this.#unused.clear((connection) => {
      if (connection.idle) connection.stream.destroy();
    });
  }
}
