import type { Server, Socket } from "node:net";

/** Who a listener's connections go to. */
export interface ConnectionTaker {
  onConnection(socket: Socket): void;
  /** An error after the address was bound (out of descriptors). */
  onError(error: Error): void;
}

/**
 * A listening TCP server that can pass from one tunnel to the next without being closed: the last who
 * came takes the connections; when it leaves, the one before takes them again; the server is closed
 * when the last one leaves.
 */
export class TcpListener {
  readonly server: Server;
  /** How accepted sockets are made: only a tunnel that wants them so can take over. */
  readonly keepAlive: boolean;
  readonly #takers: ConnectionTaker[] = [];
  readonly #onConnection = (socket: Socket): void => {
    const taker = this.#takers.at(-1);
    // Who comes in the very moment before there is one comes again.
    if (taker === undefined) socket.destroy();
    else taker.onConnection(socket);
  };

  /** @param server listening */
  constructor(server: Server, keepAlive: boolean) {
    this.server = server;
    this.keepAlive = keepAlive;
    server.on("connection", this.#onConnection);
    server.on("error", (error) => this.#takers.at(-1)?.onError(error));
  }

  take(taker: ConnectionTaker): void {
    this.#takers.push(taker);
  }

  leave(taker: ConnectionTaker): void {
    const at = this.#takers.indexOf(taker);
    if (at < 0) return;
    this.#takers.splice(at, 1);
    this.closeUnlessTaken();
  }

  /** For who bound it and never took it. */
  closeUnlessTaken(): void {
    if (this.#takers.length === 0) this.server.close();
  }
}
