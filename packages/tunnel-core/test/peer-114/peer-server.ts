import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { type Certificate, makeCertificate } from "./certificate.ts";
import { Duct } from "./duct.ts";
import { Entry114 } from "./entry-114.ts";
import type { Target } from "./exit-114.ts";
import { judgeHandshake } from "./handshake-judge.ts";
import { parseRequest } from "./http-head.ts";
import { serveHttp2 } from "./http2-114.ts";
import type { PeerTimings } from "./ledger.ts";
import { PeerNode } from "./peer-node.ts";
import { CONTROL_ID } from "./pool-114.ts";
import type { QuicStack } from "./quic-114.ts";
import { Session114, type Tls } from "./session-114.ts";
import { plainAddress, tunnelKey } from "./tunnel-secret.ts";
import { acceptUpgrade, type PeerSocket } from "./websocket-114.ts";

export interface Peer114ServerOptions {
  /** @default "127.0.0.1" */
  readonly tunnelHost?: string | undefined;
  /** 0 lets the system choose; kept over restarts. @default 0 */
  readonly tunnelPort?: number | undefined;
  /** @default FNV-1a of the tunnel port's digits */
  readonly key?: string | undefined;
  /** `-` reverse (as `mode=1`), `+` forward (as `mode=2`). */
  readonly flow: "-" | "+";
  /** @default 0 */
  readonly tls?: Tls | undefined;
  /** Kind of pool: 0 TCP, 1 QUIC, 2 WebSocket, 3 HTTP/2. @default 0 */
  readonly type?: 0 | 1 | 2 | 3 | undefined;
  /** With `type` 1. */
  readonly quic?: QuicStack | undefined;
  /** With TLS. @default a fresh one for `localhost` */
  readonly certificate?: Certificate | undefined;
  /** @default 1024 */
  readonly max?: number | undefined;
  /** The `Host` that the client has to send. @default "none" */
  readonly serverName?: string | undefined;
  /** Where the exit dials (forward) or the entry listens (reverse; port 0 is fine). */
  readonly target: Target;
  readonly timings?: Partial<PeerTimings> | undefined;
}

const TLS_HANDSHAKE_MS = 5000;
const GONE = new Set(["ECONNRESET", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE"]);

/** A NodePass 1.14 server: one client at a time, handshake listener and pool listener in turn. */
export class Peer114Server extends PeerNode {
  readonly #options: Peer114ServerOptions;
  #certificate: Certificate | undefined;
  #context: SecureContext | undefined;
  #listener: Server | undefined;
  #sockets = new Set<Socket>();
  #quic: { close(): void } | undefined;
  #entry: Entry114 | undefined;
  #port: number;
  #entryPort: number;

  private constructor(options: Peer114ServerOptions) {
    super(options.timings);
    this.#options = options;
    this.#port = options.tunnelPort ?? 0;
    this.#entryPort = options.target.port;
  }

  /** Starts to listen for a handshake (and, in reverse flow, for users). */
  static async start(options: Peer114ServerOptions): Promise<Peer114Server> {
    const server = new Peer114Server(options);
    if (server.#tls !== 0) {
      const { cert, key } = await server.#ownCertificate();
      server.#context = createSecureContext({ cert, key, minVersion: "TLSv1.3" });
    }
    await server.cycle();
    return server;
  }

  get tunnelPort(): number {
    return this.#port;
  }

  get tunnelAddress(): Target {
    return { host: this.#host, port: this.#port };
  }

  /** Where users connect (reverse flow). */
  get entryAddress(): Target {
    return { host: this.#options.target.host, port: this.#entryPort };
  }

  get key(): string {
    return tunnelKey(this.#options.key, this.#port);
  }

  get #tls(): Tls {
    const { tls = 0, type } = this.#options;
    return (type === 3 || type === 1) && tls === 0 ? 1 : tls;
  }

  get #host(): string {
    return this.#options.tunnelHost ?? "127.0.0.1";
  }

  async #ownCertificate(): Promise<Certificate> {
    this.#certificate ??= this.#options.certificate ?? (await makeCertificate());
    return this.#certificate;
  }

  protected async cycle(): Promise<void> {
    if (this.#options.flow === "-") {
      this.#entry = await Entry114.listen(this.#options.target.host, this.#entryPort);
      this.#entryPort = this.#entry.port;
    }
    await this.#listen((socket) => this.#handshake(socket));
    if (this.closed) await this.release();
  }

  protected async release(): Promise<void> {
    const entry = this.#entry;
    this.#entry = undefined;
    this.#quic?.close();
    this.#quic = undefined;
    await Promise.all([this.#unlisten(), entry?.close()]);
    for (const socket of this.#sockets) socket.destroy();
  }

  async #listen(accept: (socket: Socket) => void): Promise<void> {
    const listener = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      accept(socket);
    });
    this.#listener = listener;
    listener.listen(this.#port, this.#host, 4096);
    await once(listener, "listening");
    if (this.#listener !== listener) {
      listener.close();
      return;
    }
    const address = listener.address();
    if (typeof address === "object" && address !== null) this.#port = address.port;
  }

  /** Stops listening at once; open connections stay. */
  async #unlisten(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    await new Promise<void>((resolve) => {
      // The callback would wait for open connections: the listening socket itself closes now.
      listener?.close();
      setImmediate(resolve);
    });
  }

  #handshake(socket: Socket): void {
    let bytes = Buffer.alloc(0);
    socket.on("error", () => {
      // A client that went away during the handshake.
    });
    socket.on("end", () => socket.end());
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (let found = parseRequest(bytes); found !== undefined; found = parseRequest(bytes)) {
        bytes = bytes.subarray(found.length);
        const { flow, max = 1024, serverName = "none", type = 0 } = this.#options;
        const terms = { key: this.key, serverName, flow, max, tls: this.#tls, type };
        const verdict = judgeHandshake(found.head, terms, this.ledger);
        if (!verdict.accepted) {
          socket.write(verdict.answer);
          continue;
        }
        socket.removeAllListeners("data");
        socket.end(verdict.answer, () => void this.#openPool(socket));
        return;
      }
    });
  }

  /** Closes the handshake listener, leaves a gap, and opens the pool's listener. */
  async #openPool(client: Socket): Promise<void> {
    const clientAddress = plainAddress(client.remoteAddress);
    client.resume();
    await this.#unlisten();
    for (const socket of this.#sockets) if (socket !== client) socket.destroy();
    const session = new Session114({
      role: "server",
      flow: this.#options.flow,
      tls: this.#tls,
      key: this.key,
      ledger: this.ledger,
      timings: this.timings,
      // With tls=2 a 1.14 server knows no fingerprint of its own.
      ownFingerprint: this.#tls === 1 ? (this.#certificate?.fingerprint ?? "") : "",
      entry: this.#entry,
      target: this.#options.target,
      ...this.hooks(),
    });
    this.session = session;
    await new Promise((resolve) => setTimeout(resolve, this.timings.listenerGapMs));
    if (this.closed || this.session !== session) return;
    let first = true;
    const nextId = () => {
      const id = first ? CONTROL_ID : randomBytes(4).toString("hex");
      first = false;
      return id;
    };
    const listening =
      this.#options.type === 1
        ? this.#listenQuic(session, clientAddress, nextId)
        : this.#listen((socket) => this.#accept(socket, session, clientAddress, nextId));
    await listening.catch((error: unknown) =>
      session.end(`the pool's listener failed: ${String(error)}`),
    );
  }

  async #listenQuic(session: Session114, client: string, nextId: () => string): Promise<void> {
    const { quic, max = 1024 } = this.#options;
    if (quic === undefined) throw new Error("type 1 needs a QUIC stack");
    const listener = await quic.listen({
      ...this.tunnelAddress,
      certificate: await this.#ownCertificate(),
      onStream: (socket, address) => {
        const full = session.pool.idle >= max;
        if (full || plainAddress(address) !== client) {
          this.ledger.counters.poolDropped++;
          socket.destroy();
          return;
        }
        socket.once("data", (first: Buffer) => {
          socket.pause();
          if (first[0] !== 0) this.ledger.violation(`quic stream began with byte ${first[0]}`);
          if (first.length > 1) this.ledger.violation("bytes before the id was given");
          const duct = new Duct(socket);
          duct.id = nextId();
          socket.write(Buffer.from(duct.id, "hex"));
          socket.resume();
          session.admit(duct);
        });
      },
    });
    if (this.session === session) this.#quic = listener;
    else listener.close();
  }

  #accept(raw: Socket, session: Session114, client: string, nextId: () => string): void {
    const { max = 1024, type = 0, serverName = this.#host } = this.#options;
    // A pool of WebSockets does not look at the source address.
    const stranger = type !== 2 && plainAddress(raw.remoteAddress) !== client;
    if (stranger || (type !== 3 && session.pool.idle >= max)) {
      this.ledger.counters.poolDropped++;
      raw.destroy();
      return;
    }
    const give = (socket: Socket) => {
      if (type === 3 && socket instanceof TLSSocket) {
        serveHttp2(socket, {
          max,
          ledger: this.ledger,
          idle: () => session.pool.idle,
          greet,
        });
      } else if (type === 2) acceptUpgrade(socket, serverName, this.ledger, greet);
      else greet(socket);
    };
    const greet = (socket: PeerSocket) => {
      const duct = new Duct(socket);
      duct.id = nextId();
      socket.write(Buffer.from(duct.id, "hex"));
      session.admit(duct);
    };
    if (this.#context === undefined) {
      give(raw);
      return;
    }
    const socket = new TLSSocket(raw, {
      isServer: true,
      secureContext: this.#context,
      ...(type === 3 && { ALPNProtocols: ["h2"] }),
    });
    const timer = setTimeout(() => socket.destroy(), TLS_HANDSHAKE_MS);
    const refused = (error: NodeJS.ErrnoException) => {
      if (!GONE.has(error.code ?? ""))
        session.fail(`pool connection without TLS 1.3: ${error.code}`);
    };
    socket.once("error", refused);
    socket.once("close", () => clearTimeout(timer));
    socket.once("secure", () => {
      clearTimeout(timer);
      socket.off("error", refused);
      give(socket);
    });
  }
}
