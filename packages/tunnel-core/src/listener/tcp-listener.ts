import type { Server, Socket } from "node:net";
import { type NamedEntry, NameRouter } from "../entry/name-router.ts";

/** Who a listener's connections go to. */
export interface ConnectionTaker {
  onConnection(socket: Socket): void;
  /** An error after the address was bound (out of descriptors). */
  onError(error: Error): void;
  /** Where several can share the port by the names that users ask for. */
  readonly entry?: NamedEntry | undefined;
}

/**
 * A listening TCP server that can pass from one tunnel to the next without being closed: the last who
 * came takes the connections; when it leaves, the one before takes them again; the server is closed
 * when the last one leaves. Entries with names share it, each as if it were alone on it.
 */
export class TcpListener {
  readonly server: Server;
  /** How accepted sockets are made: only a tunnel that wants them so can take over. */
  readonly keepAlive: boolean;
  /** It is closed: nobody can come any more. */
  closed = false;
  onClosed: (() => void) | undefined;
  readonly #takers: ConnectionTaker[] = [];
  /** Those who have it and have not taken it yet. */
  #holders = 1;
  /** Made as soon as one of the takers has names. */
  #router: NameRouter | undefined;
  readonly #onConnection = (socket: Socket): void => {
    if (this.#router !== undefined) {
      this.#router.accept(socket);
      return;
    }
    const taker = this.#takers.at(-1);
    // Who comes in the very moment before there is one comes again.
    if (taker === undefined) socket.destroy();
    else taker.onConnection(socket);
  };

  /** @param server listening; who makes this holds it */
  constructor(server: Server, keepAlive: boolean) {
    this.server = server;
    this.keepAlive = keepAlive;
    server.on("connection", this.#onConnection);
    server.on("error", (error) => this.#takers.at(-1)?.onError(error));
  }

  /** Keeps it open until `take` or `giveUp`. */
  hold(): void {
    this.#holders++;
  }

  /** Who holds it takes the connections, or those of its names. */
  take(taker: ConnectionTaker): void {
    this.#holders--;
    this.#takers.push(taker);
    this.#route();
  }

  leave(taker: ConnectionTaker): void {
    const at = this.#takers.indexOf(taker);
    if (at < 0) return;
    this.#takers.splice(at, 1);
    this.#route();
    this.#closeUnlessWanted();
  }

  /** Who holds it does not want it. */
  giveUp(): void {
    this.#holders--;
    this.#closeUnlessWanted();
  }

  /** Which of these names somebody else has, or `""` if the rest; `undefined` if nobody has any. */
  taken(names: readonly string[], except: ConnectionTaker | undefined): string | undefined {
    for (const taker of this.#takers) {
      if (taker === except) continue;
      const theirs = taker.entry?.names ?? [];
      if (theirs.length === 0 && names.length === 0) return "";
      const same = names.find((name) => theirs.includes(name));
      if (same !== undefined) return same;
    }
    return undefined;
  }

  #route(): void {
    const before = this.#router;
    const [first, ...others] = this.#takers.flatMap(({ entry }) => entry ?? []);
    const named = this.#takers.some(({ entry }) => entry !== undefined && entry.names.length > 0);
    this.#router = named && first !== undefined ? new NameRouter([first, ...others]) : undefined;
    before?.close();
  }

  #closeUnlessWanted(): void {
    if (this.closed || this.#takers.length > 0 || this.#holders > 0) return;
    this.closed = true;
    this.server.close();
    this.onClosed?.();
  }
}
