import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Target } from "./exit-114.ts";
import { header, parseResponse } from "./http-head.ts";
import { Ledger } from "./ledger.ts";
import { LiveConn, StepTimeout, waitFor } from "./live-conn.ts";
import {
  CONTROL_CONN,
  isWebSocket,
  type RecordedEvent,
  type RecordingName,
  readRecording,
  recordedBytes,
} from "./recording.ts";
import { Replay, type ReplayDriver, type ReplayResult, type ReplayStage } from "./replay.ts";
import { requestUpgrade } from "./websocket-114.ts";

export interface ReplayClientOptions extends ReplayDriver {
  /** The live server's tunnel address; its key has to be the recorded one and `max` 8. */
  readonly tunnel: Target;
  /** Stops the live server when the recorded one stopped. */
  stopServer(): Promise<void>;
}

/**
 * Dials a live server as the recorded client did: same request bytes, same lines and data, ids and
 * the users' ports replaced by the live ones.
 */
export async function replayClient(
  name: RecordingName,
  options: ReplayClientOptions,
): Promise<ReplayResult> {
  const stage = new ClientStage(readRecording(name), options, isWebSocket(name));
  const replay = new Replay(stage.events, stage, options);
  try {
    replay.mismatches.push(...(await stage.handshake()));
    return await replay.run();
  } catch (error) {
    if (!(error instanceof StepTimeout)) throw error;
    replay.mismatches.push(error.message);
    return replay;
  } finally {
    stage.close();
  }
}

class ClientStage implements ReplayStage {
  readonly plays = "client";
  readonly events: readonly RecordedEvent[];
  readonly #options: ReplayClientOptions;
  readonly #webSocket: boolean;
  readonly #conns: LiveConn[] = [];
  readonly #sockets = new Set<Socket>();

  constructor(events: readonly RecordedEvent[], options: ReplayClientOptions, webSocket: boolean) {
    this.#webSocket = webSocket;
    this.events = events;
    this.#options = options;
  }

  get #timeoutMs(): number {
    return this.#options.stepTimeoutMs ?? 20_000;
  }

  byId(id: string): LiveConn | undefined {
    return this.#conns.slice(1).find((conn) => conn.id === id);
  }

  byOrder(conn: number): Promise<LiveConn> {
    const found = this.#conns[conn - CONTROL_CONN];
    return found === undefined
      ? Promise.reject(new StepTimeout(`connection ${conn} is not open`))
      : Promise.resolve(found);
  }

  /** Dials one pool connection (again while the listener is closed) and reads its id. */
  async open(conn: number): Promise<void> {
    const deadline = performance.now() + this.#timeoutMs;
    let live: LiveConn | undefined;
    while (live === undefined) {
      live = await this.#dialPool().catch(() => undefined);
      if (performance.now() > deadline) throw new StepTimeout("no pool connection can be dialled");
    }
    this.#conns.push(live);
    const id = await live.bytes(4, `id of connection ${conn}`, this.#timeoutMs);
    live.id = id.toString("hex");
    if ((live.id === "00000000") !== (conn === CONTROL_CONN)) {
      throw new StepTimeout(`connection ${conn} got the id ${live.id}`);
    }
  }

  async stop(timeoutMs: number): Promise<void> {
    const stopped = this.#options.stopServer();
    for (const conn of this.#conns) {
      await conn.end(`the server's FIN on ${conn.id}`, timeoutMs);
      conn.socket.end();
    }
    await stopped;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Sends the recorded request; the answer is compared by meaning, its body byte for byte. */
  async handshake(): Promise<string[]> {
    const live = await waitForDial(() => this.#dial(), this.#timeoutMs);
    live.socket.write(recordedBytes(this.events, 1, "client>server"));
    const answer = await live.take("the handshake's answer", this.#timeoutMs, (bytes) => {
      const response = parseResponse(bytes);
      return response && { value: response, length: bytes.length };
    });
    await live.end("FIN after the handshake", this.#timeoutMs);
    live.socket.end();
    const recorded = parseResponse(recordedBytes(this.events, 1, "server>client"));
    const mismatches: string[] = [];
    const compare = (what: string, due: unknown, seen: unknown) => {
      if (due === seen) return;
      mismatches.push(
        `handshake ${what}: ${JSON.stringify(seen)} where ${JSON.stringify(due)} is due`,
      );
    };
    compare("status", recorded?.status, answer.status);
    compare("body", recorded?.body, answer.body);
    for (const name of ["connection", "content-type", "content-length"]) {
      const due = header(recorded?.headers ?? [], name);
      compare(name, due, header(answer.headers, name));
    }
    return mismatches;
  }

  async #dialPool(): Promise<LiveConn> {
    if (!this.#webSocket) return this.#dial();
    const socket = await this.#connect();
    return new Promise((resolve, reject) => {
      requestUpgrade(socket, "127.0.0.1", new Ledger(), (opened) => {
        if (opened === undefined) reject(new Error("the upgrade was refused"));
        else resolve(new LiveConn(opened));
      });
    });
  }

  async #dial(): Promise<LiveConn> {
    return new LiveConn(await this.#connect());
  }

  async #connect(): Promise<Socket> {
    const { host, port } = this.#options.tunnel;
    const socket = connect({ host, port, allowHalfOpen: true });
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    await once(socket, "connect");
    return socket;
  }
}

async function waitForDial(dial: () => Promise<LiveConn>, timeoutMs: number): Promise<LiveConn> {
  let live: LiveConn | undefined;
  void dial().then(
    (conn) => {
      live = conn;
    },
    () => undefined,
  );
  return waitFor("the server's handshake listener", timeoutMs, () => live);
}
