import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { shakeHands } from "../../../src/handshake/handshake-client.ts";
import { createHelloWriter } from "../../../src/wire/pool-hello.ts";
import { newClientId, signalKey } from "../../../src/wire/proof.ts";
import type { Signal } from "../../../src/wire/signal.ts";
import { createSignalEncoder } from "../../../src/wire/signal-encoder.ts";
import { proofKeys } from "./raw-handshake.ts";

export interface ScriptedClientOptions {
  readonly port: number;
  readonly key: string;
  /** @default both */
  readonly extensions?: readonly string[] | undefined;
}

/** A connection whose bytes the test writes, and what came on it. */
export interface ScriptedConnection {
  readonly socket: Socket;
  received(): Buffer;
  /** Resolves when it is over. */
  readonly closed: Promise<unknown>;
}

/** Has the key and proves it, then does what the test says: the worst that a peer can be. */
export class ScriptedClient {
  readonly session: string;
  readonly hello: (counter: number) => Buffer;
  /** A signal as a line. */
  readonly line: (signal: Signal) => string;
  readonly signalKey: string;
  control: ScriptedConnection | undefined;
  readonly #port: number;
  readonly #sockets = new Set<Socket>();

  private constructor(port: number, session: string, sessionKey: Buffer) {
    this.#port = port;
    this.session = session;
    this.hello = createHelloWriter(Buffer.from(session, "hex"), sessionKey);
    this.signalKey = signalKey(sessionKey);
    this.line = createSignalEncoder(this.signalKey);
  }

  /** Handshake and control connection. */
  static async meet(options: ScriptedClientOptions): Promise<ScriptedClient> {
    const met = await shakeHands({
      address: "127.0.0.1",
      port: options.port,
      serverName: undefined,
      keys: await proofKeys(options.key),
      token: undefined,
      client: newClientId(),
      extensions: options.extensions ?? ["datagrams", "streams"],
      timeoutMs: 5000,
      signal: new AbortController().signal,
    });
    if (!met.proved) throw new Error("the server has not proved itself");
    const client = new ScriptedClient(options.port, met.answer.session, met.sessionKey);
    client.control = await client.open(0);
    return client;
  }

  /** Opens a connection with the hello of `counter`, or with other bytes. */
  async open(first: number | Buffer): Promise<ScriptedConnection> {
    const socket = connect({ host: "127.0.0.1", port: this.#port, allowHalfOpen: true });
    this.#sockets.add(socket);
    let received = Buffer.alloc(0);
    socket.on("data", (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
    });
    socket.on("end", () => socket.end());
    socket.on("error", () => {
      // A reset is what many tests wait for: `close` follows.
    });
    const closed = once(socket, "close").catch(() => undefined);
    await once(socket, "connect");
    socket.write(typeof first === "number" ? this.hello(first) : first);
    await turn();
    return { socket, received: () => received, closed };
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
