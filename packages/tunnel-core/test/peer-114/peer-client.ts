import { once } from "node:events";
import type { ClientHttp2Session } from "node:http2";
import { connect, type Socket } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";
import { Duct } from "./duct.ts";
import { Entry114 } from "./entry-114.ts";
import type { Target } from "./exit-114.ts";
import { handshakeRequest, header, parseResponse, type Response } from "./http-head.ts";
import { openHttp2, requestStream } from "./http2-114.ts";
import type { PeerTimings } from "./ledger.ts";
import { PeerNode } from "./peer-node.ts";
import { PoolRefill } from "./pool-refill.ts";
import type { QuicStack } from "./quic-114.ts";
import { Session114, type Tls } from "./session-114.ts";
import { bearerToken, tunnelKey } from "./tunnel-secret.ts";
import { type PeerSocket, requestUpgrade } from "./websocket-114.ts";

export interface Peer114ClientOptions {
  readonly tunnel: Target;
  /** @default FNV-1a of the tunnel port's digits */
  readonly key?: string | undefined;
  /** Idle pool connections to keep. @default 4 */
  readonly min?: number | undefined;
  /** Server name: the handshake's Host and TLS's SNI. @default "none" */
  readonly serverName?: string | undefined;
  /** PEM of the authority to trust with `tls` 2. */
  readonly ca?: string | undefined;
  /** Where the exit dials (reverse) or the entry listens (forward; port 0 is fine). */
  readonly target: Target;
  /** Local address of the pool's connections: another one is refused by a 1.14 server. */
  readonly poolLocalAddress?: string | undefined;
  /** With `type` 1. */
  readonly quic?: QuicStack | undefined;
  readonly timings?: Partial<PeerTimings> | undefined;
}

interface Terms {
  readonly flow: "-" | "+";
  readonly max: number;
  readonly tls: Tls;
  readonly type: 0 | 1 | 2 | 3;
}

const ANSWER = /^\{"flow":"([+-])","max":(\d+),"tls":"([012])","type":"([0123])"\}$/;
const OPEN_TIMEOUT_MS = 5000;

/** A NodePass 1.14 client: handshake, a pool filled on a timer, entry or exit as the server says. */
export class Peer114Client extends PeerNode {
  readonly #options: Peer114ClientOptions;
  #refill: PoolRefill | undefined;
  #entry: Entry114 | undefined;
  #entryPort: number;
  #sockets = new Set<Socket>();
  /** With `type` 3. */
  #http2: Promise<{ client: ClientHttp2Session; secure: TLSSocket }> | undefined;
  /** With `type` 1. */
  #quic: ReturnType<QuicStack["dial"]> | undefined;
  #terms: Terms | undefined;

  private constructor(options: Peer114ClientOptions) {
    super(options.timings);
    this.#options = options;
    this.#entryPort = options.target.port;
  }

  /** Starts to dial; a server that is not there yet is tried again after the cooldown. */
  static start(options: Peer114ClientOptions): Peer114Client {
    const client = new Peer114Client(options);
    void client.cycle();
    return client;
  }

  /** Where users connect (forward flow), once `ready()`. */
  get entryAddress(): Target {
    return { host: this.#options.target.host, port: this.#entryPort };
  }

  /** What the server's last answer said. */
  get terms(): Terms | undefined {
    return this.#terms;
  }

  get key(): string {
    return tunnelKey(this.#options.key, this.#options.tunnel.port);
  }

  /** Stops (or goes on with) topping the pool up. */
  pauseRefill(paused = true): void {
    if (this.#refill !== undefined) this.#refill.paused = paused;
  }

  protected async cycle(): Promise<void> {
    const terms = await this.#handshake().catch(() => undefined);
    if (this.closed) return;
    if (terms === undefined) {
      this.restart();
      return;
    }
    this.#terms = terms;
    if (terms.flow === "+") {
      this.#entry = await Entry114.listen(this.#options.target.host, this.#entryPort);
      this.#entryPort = this.#entry.port;
    }
    if (this.closed) {
      await this.release();
      return;
    }
    this.#startSession(terms);
  }

  protected async release(): Promise<void> {
    this.#refill?.stop();
    this.#http2 = undefined;
    this.#quic?.close();
    this.#quic = undefined;
    const entry = this.#entry;
    this.#entry = undefined;
    for (const socket of this.#sockets) socket.destroy();
    await entry?.close();
  }

  #startSession(terms: Terms): void {
    const session = new Session114({
      role: "client",
      flow: terms.flow,
      tls: terms.tls,
      key: this.key,
      ledger: this.ledger,
      timings: this.timings,
      ownFingerprint: "",
      entry: this.#entry,
      target: this.#options.target,
      ...this.hooks(),
    });
    this.session = session;
    const { min = 4 } = this.#options;
    this.#refill = new PoolRefill({
      min,
      max: Math.max(min, terms.max),
      timings: this.timings,
      idle: () => session.pool.idle,
      open: () => this.#open(session, terms),
    });
    this.#refill.start();
  }

  /** Sends the recorded request and reads the terms; anything else than a good 200 throws. */
  async #handshake(): Promise<Terms | undefined> {
    const { tunnel, serverName = "none" } = this.#options;
    const socket = this.#track(connect({ host: tunnel.host, port: tunnel.port }));
    await once(socket, "connect");
    socket.write(handshakeRequest(serverName, bearerToken(this.key)));
    let bytes = Buffer.alloc(0);
    for await (const chunk of socket) {
      bytes = Buffer.concat([bytes, chunk]);
      const response = parseResponse(bytes);
      if (response !== undefined) return this.#judge(response);
    }
    return undefined;
  }

  #judge(response: Response): Terms | undefined {
    if (response.status !== 200) {
      if (response.status === 401) this.ledger.counters.refusals++;
      else this.ledger.violation(`handshake answered ${response.status}`);
      return undefined;
    }
    if (header(response.headers, "connection")?.toLowerCase() !== "close") {
      this.ledger.violation("handshake answer without Connection: close");
    }
    if (header(response.headers, "content-type") !== "application/json") {
      this.ledger.violation("handshake answer is not application/json");
    }
    const [, flow, max, tls, type] = ANSWER.exec(response.body.replace(/\n$/, "")) ?? [];
    if (flow === undefined) {
      this.ledger.violation(`handshake answer ${JSON.stringify(response.body)}`);
      return undefined;
    }
    return {
      flow: flow === "+" ? "+" : "-",
      max: Number(max),
      tls: tls === "0" ? 0 : tls === "1" ? 1 : 2,
      type: type === "1" ? 1 : type === "2" ? 2 : type === "3" ? 3 : 0,
    };
  }

  /** Opens one pool connection and reads its id. Over HTTP/2 it asks for it; else it sends nothing. */
  #open(session: Session114, terms: Terms): Promise<boolean> {
    const { tls, type } = terms;
    if (type === 3) return this.#openStream(session, tls);
    if (type === 1) return this.#openQuic(session);
    const socket = this.#connect(tls);
    return this.#greeted(session, socket, (greeted, failed) => {
      if (type === 0) {
        greeted(socket);
        return;
      }
      socket.once("error", failed);
      socket.once(tls === 0 ? "connect" : "secureConnect", () => {
        const { tunnel, serverName = "none" } = this.#options;
        const host = serverName === "none" ? tunnel.host : serverName;
        requestUpgrade(socket, host, this.ledger, (opened) => {
          socket.off("error", failed);
          if (opened === undefined) failed();
          else greeted(opened);
        });
      });
    });
  }

  #connect(tls: Tls, protocol?: string): Socket | TLSSocket {
    const { tunnel, serverName = "none", ca, poolLocalAddress } = this.#options;
    const where = {
      host: tunnel.host,
      port: tunnel.port,
      ...(poolLocalAddress === undefined ? {} : { localAddress: poolLocalAddress }),
    };
    const raw = this.#track(connect({ ...where, allowHalfOpen: true }));
    if (tls === 0) return raw;
    return connectTls({
      socket: raw,
      servername: serverName,
      minVersion: "TLSv1.3",
      rejectUnauthorized: tls === 2,
      ...(protocol === undefined ? {} : { ALPNProtocols: [protocol] }),
      ...(ca === undefined ? {} : { ca }),
    });
  }

  #openQuic(session: Session114): Promise<boolean> {
    this.#quic ??= this.#options.quic?.dial(this.#options.tunnel);
    const opening = this.#quic?.open() ?? Promise.resolve(undefined);
    return this.#greeted(session, undefined, (greeted, failed) => {
      void opening.then((socket) => {
        if (socket === undefined) {
          failed();
          return;
        }
        socket.write(Buffer.of(0));
        greeted(socket);
      });
    });
  }

  /** One connection for all streams, dialled again when it was lost. */
  async #openStream(session: Session114, tls: Tls): Promise<boolean> {
    this.#http2 ??= this.#openHttp2(tls);
    const shared = await this.#http2.catch(() => undefined);
    if (shared === undefined || shared.client.destroyed) {
      this.#http2 = undefined;
      return false;
    }
    const { client, secure } = shared;
    return this.#greeted(session, undefined, (greeted, failed) => {
      requestStream(client, secure, (opened) => {
        if (opened === undefined) failed();
        else greeted(opened);
      });
    });
  }

  async #openHttp2(tls: Tls): Promise<{ client: ClientHttp2Session; secure: TLSSocket }> {
    const { tunnel, serverName = "none" } = this.#options;
    const secure = this.#connect(tls, "h2");
    if (!(secure instanceof TLSSocket)) throw new Error("HTTP/2 without TLS");
    await once(secure, "secureConnect");
    secure.on("error", () => {
      // The server has gone.
    });
    const client = await openHttp2(secure, serverName === "none" ? tunnel.host : serverName);
    return { client, secure };
  }

  /** Until a connection that `open` opens has got its id, or has failed. */
  #greeted(
    session: Session114,
    socket: Socket | undefined,
    open: (greeted: (opened: PeerSocket) => void, failed: () => void) => void,
  ): Promise<boolean> {
    return new Promise((resolve) => {
      const failed = () => {
        clearTimeout(timer);
        this.ledger.counters.poolDropped++;
        socket?.destroy();
        resolve(false);
      };
      const timer = setTimeout(failed, OPEN_TIMEOUT_MS);
      const greeted = (opened: PeerSocket) => {
        const duct = new Duct(opened);
        duct.onIdle = (event) => {
          const id = duct.take(4);
          if (id === undefined) {
            if (event === "data") return;
            duct.onIdle = undefined;
            failed();
            return;
          }
          clearTimeout(timer);
          // What follows is data, even if a signal that waits for this id claims it only later.
          duct.onIdle = undefined;
          duct.id = id.toString("hex");
          session.admit(duct);
          resolve(true);
        };
      };
      open(greeted, failed);
    });
  }

  #track(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    return socket;
  }
}
