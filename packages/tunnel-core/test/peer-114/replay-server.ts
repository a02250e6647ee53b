import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { header, parseRequest, plainRefusal } from "./http-head.ts";
import { Ledger } from "./ledger.ts";
import { LiveConn, waitFor } from "./live-conn.ts";
import {
  CONTROL_CONN,
  isWebSocket,
  type RecordedEvent,
  type RecordingName,
  readRecording,
  recordedBytes,
} from "./recording.ts";
import { Replay, type ReplayDriver, type ReplayResult, type ReplayStage } from "./replay.ts";
import { acceptUpgrade, type PeerSocket } from "./websocket-114.ts";

/** A server that says what the recorded one said. */
export interface ReplayServer {
  readonly port: number;
  /** Plays until the recording is over or the live client fails a step. */
  run(driver: ReplayDriver): Promise<ReplayResult>;
  close(): Promise<void>;
}

/**
 * Listens as the recorded server. The live client has to use the recorded key and `min=2`; its
 * target has to answer `re:` and what it got (reverse), or its entry gets the driver's users
 * (forward). Requests are compared by meaning, control lines and data byte for byte.
 */
export async function replayServer(name: RecordingName): Promise<ReplayServer> {
  const stage = new ServerStage(readRecording(name), isWebSocket(name));
  await stage.listen();
  return {
    port: stage.port,
    run: async (driver) => {
      await waitFor(
        "a handshake",
        driver.stepTimeoutMs ?? 20_000,
        () => stage.accepted || undefined,
      );
      const replay = new Replay(stage.events, stage, driver);
      replay.mismatches.push(...stage.mismatches);
      return replay.run();
    },
    close: () => stage.close(),
  };
}

class ServerStage implements ReplayStage {
  readonly plays = "server";
  readonly events: readonly RecordedEvent[];
  readonly mismatches: string[] = [];
  accepted = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #conns: LiveConn[] = [];
  readonly #ids: readonly string[];

  constructor(events: readonly RecordedEvent[], webSocket: boolean) {
    this.events = events;
    const ledger = new Ledger();
    const greet = (socket: Socket): void => {
      if (webSocket) acceptUpgrade(socket, "127.0.0.1", ledger, (opened) => this.#greet(opened));
      else this.#greet(socket);
    };
    const pool = events.filter((event) => event.dir === "open" && event.conn >= CONTROL_CONN);
    this.#ids = pool.map(({ conn }) =>
      recordedBytes(events, conn, "server>client").toString("hex", 0, 4),
    );
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      if (this.accepted) greet(socket);
      else void this.#handshake(new LiveConn(socket));
    });
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, "close");
  }

  byId(id: string): LiveConn | undefined {
    return this.#conns.slice(1).find((conn) => conn.id === id);
  }

  byOrder(conn: number): Promise<LiveConn> {
    return waitFor(`pool connection ${conn}`, 20_000, () => this.#conns[conn - CONTROL_CONN]);
  }

  open(): Promise<void> {
    // When a client opens its connections is its own choice; those that are needed are waited for.
    return Promise.resolve();
  }

  async stop(timeoutMs: number): Promise<void> {
    this.#server.close();
    const idle = this.#conns.filter((conn) => !conn.ended);
    for (const conn of this.#conns) conn.socket.end();
    for (const conn of idle) await conn.end(`FIN on ${conn.id} after the server's`, timeoutMs);
  }

  /** The n-th connection gets the id that the recorded server gave to its n-th. */
  #greet(socket: PeerSocket): void {
    const conn = new LiveConn(socket);
    conn.id = this.#ids[this.#conns.length] ?? randomBytes(4).toString("hex");
    this.#conns.push(conn);
    socket.write(Buffer.from(conn.id, "hex"));
  }

  async #handshake(conn: LiveConn): Promise<void> {
    const recorded = parseRequest(recordedBytes(this.events, 1, "client>server"));
    while (!this.accepted && !conn.ended) {
      const request = await conn
        .take("a request", 60_000, (bytes) => {
          const found = parseRequest(bytes);
          return found && { value: found.head, length: found.length };
        })
        .catch(() => undefined);
      if (request === undefined || recorded === undefined) return;
      if (
        header(request.headers, "authorization") === undefined &&
        header(request.headers, "nodepass-version") !== undefined
      ) {
        conn.socket.write(plainRefusal(401, "Unauthorized"));
        continue;
      }
      for (const name of ["host", "authorization"]) {
        const due = header(recorded.head.headers, name);
        const seen = header(request.headers, name);
        if (seen !== due) this.mismatches.push(`handshake ${name}: ${seen} where ${due} is due`);
      }
      const line = `${request.method} ${request.target} ${request.version}`;
      if (line !== "GET / HTTP/1.1") this.mismatches.push(`handshake request ${line}`);
      this.accepted = true;
      conn.socket.end(recordedBytes(this.events, 1, "server>client"));
    }
  }
}
