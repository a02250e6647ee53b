import type { ByteStream } from "../stream/byte-stream.ts";
import { EarlyReader } from "../stream/early-reader.ts";

import type { ConnectionPool } from "./connection-pool.ts";

/**
 * An idle pool connection. It keeps reading, so that its end is noticed, and keeps what comes
 * before the signal that claims it.
 */
export class PoolConnection extends EarlyReader {
  readonly id: string;
  readonly stream: ByteStream;
  readonly #pool: ConnectionPool;

  constructor(pool: ConnectionPool, stream: ByteStream, id: string) {
    super();
    this.#pool = pool;
    this.stream = stream;
    this.id = id;
  }

  override onEnd(): void {
    super.onEnd();
    this.#pool.ended(this);
  }

  override onClose(): void {
    this.#pool.remove(this);
    super.onClose();
  }
}
