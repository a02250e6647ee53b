import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { http2 } from "../../node-http2.ts";
import { pathOf } from "../../wire/http-head.ts";
import type { CarrierListener, CarrierListenTerms, NewSocket } from "../carrier.ts";
import { type CarryingConnection, ProvedConnections } from "../proved-connections.ts";
import { CONNECTION_WINDOW_BYTES } from "../shared-limits.ts";
import { keepAlive } from "./http2-pinger.ts";
import { SESSION_MEMORY_MB, SETTINGS, streamPath } from "./http2-settings.ts";
import { Http2Stream } from "./http2-stream.ts";

/** A server's side: a client's streams are POST requests on its connection. */
export class Http2Listener implements CarrierListener {
  readonly #terms: CarrierListenTerms;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #proved: ProvedConnections;

  constructor(terms: CarrierListenTerms) {
    this.#terms = terms;
    this.#proved = new ProvedConnections(terms.newcomers.sessions);
  }

  onHttp2(newcomer: NewSocket): void {
    const { socket, raw, address } = newcomer;
    const { log, reportIntervalMs } = this.#terms;
    if (socket === raw) {
      log("warn", "http/2 without tls refused", { address });
      socket.destroy();
      return;
    }
    const session = http2().performServerHandshake(socket, {
      settings: SETTINGS,
      maxSessionMemory: SESSION_MEMORY_MB,
    });
    this.#sessions.add(session);
    // The session waits for what only clients and Node's own TLS server tell: that TLS stands.
    socket.emit("secureConnect");
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    const carrying = { streams: 0, drop: () => session.destroy() };
    session.once("close", () => {
      this.#sessions.delete(session);
      this.#proved.delete(carrying);
    });
    session.on("error", (error) => {
      log("debug", "http/2 connection failed", { address, error: error.message });
    });
    session.on("stream", (stream, headers) => this.#stream(newcomer, carrying, stream, headers));
    keepAlive(session, reportIntervalMs);
  }

  #stream(
    newcomer: NewSocket,
    connection: { streams: number } & CarryingConnection,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
  ): void {
    // Taken back in the segment that asked for it: Node tells of it when it is gone already, and
    // throws at an answer.
    if (stream.destroyed || stream.closed) {
      stream.on("error", ignore);
      return;
    }
    connection.streams++;
    stream.once("close", () => connection.streams--);
    const { path, onStream } = this.#terms;
    const asked = pathOf(String(headers[":path"] ?? ""));
    if (headers[":method"] !== "POST" || asked !== streamPath(path)) {
      stream.on("error", ignore);
      stream.respond({ ":status": 404 }, { endStream: true });
      return;
    }
    stream.respond({ ":status": 200 });
    const { socket, address, fingerprint } = newcomer;
    const ends = {
      remoteAddress: address,
      remotePort: socket.remotePort,
      localAddress: socket.localAddress,
      localPort: socket.localPort,
      peerFingerprint: undefined,
      ownFingerprint: fingerprint,
    };
    const arrived = new Http2Stream(stream, ends);
    onStream({
      stream: arrived,
      address,
      asksId: true,
      known: (of114) => {
        if (of114 === true) arrived.isOf114();
        if (this.#proved.add(connection)) newcomer.known();
      },
    });
  }

  /** Connections close when their last stream has. */
  close(): void {
    for (const session of this.#sessions) session.close();
  }
}

function ignore(): void {
  // The client has reset what was refused.
}
