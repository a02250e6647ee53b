import { DeadlineQueue } from "../deadline-queue.ts";
import type { ByteStream } from "./byte-stream.ts";
import { DETACHED_READER } from "./detached-reader.ts";

/** Longest time, ms, that a stream whose user is done waits for the peer to take its last bytes. */
const LINGER_MS = 5000;

/** Ends streams whose last bytes may still be on their way; none stays for ever. */
export class Lingerer {
  readonly #lingering = new DeadlineQueue<ByteStream>(LINGER_MS, (stream) => stream.destroy());

  /** Lets what was written out, then closes the stream; nothing more is read from it. */
  end(stream: ByteStream): void {
    if (stream.destroyed) return;
    stream.setReader(DETACHED_READER);
    this.#lingering.add(stream);
    stream.end(() => {
      this.#lingering.delete(stream);
      stream.destroy();
    });
  }

  /** Closes what lingers, now. */
  close(): void {
    this.#lingering.clear((stream) => stream.destroy());
  }
}
