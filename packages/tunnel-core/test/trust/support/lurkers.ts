import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

export interface LurkersOptions {
  readonly port: number;
  /** They begin TLS, as a pool connection does. */
  readonly tls: boolean;
}

/** Strangers who say nothing and wait for users' bytes, as a pool connection of 1.14 does. */
export class Lurkers {
  /** Bytes that they were given, inside TLS if there is any. */
  heard = 0;
  readonly #options: LurkersOptions;
  readonly #sockets = new Set<Socket>();

  constructor(options: LurkersOptions) {
    this.#options = options;
  }

  /** Resolves when all are connected (and have their TLS). */
  async come(count: number, localAddress: string): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.#begin(localAddress)));
  }

  async #begin(localAddress: string): Promise<void> {
    const { port, tls } = this.#options;
    const raw = connect({ host: "127.0.0.1", port, localAddress });
    this.#keep(raw);
    // One that is thrown out at once was not served either.
    const gone = once(raw, "close");
    await Promise.race([once(raw, "connect"), gone]);
    if (!tls) {
      this.#listen(raw);
      return;
    }
    const secure = connectTls({ socket: raw, rejectUnauthorized: false });
    secure.on("error", () => {});
    this.#listen(secure);
    await Promise.race([once(secure, "secureConnect"), gone]);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {
      // Being thrown out is what they are here for.
    });
  }

  #listen(socket: Socket): void {
    socket.on("data", (bytes: Buffer) => {
      this.heard += bytes.length;
    });
  }

  close(): void {
    // TLS follows what it runs on.
    for (const socket of this.#sockets) socket.destroy();
  }
}
