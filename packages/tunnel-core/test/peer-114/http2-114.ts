import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  performServerHandshake,
  type ServerHttp2Stream,
} from "node:http2";
import { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Ledger } from "./ledger.ts";
import type { PeerSocket } from "./websocket-114.ts";

/** What a 1.14 node, and Go's HTTP/2 under it, says of itself; `max` is said by a server. */
const SETTINGS = { enablePush: false, initialWindowSize: 1024 * 1024 };

type NodeStream = ClientHttp2Stream | ServerHttp2Stream;

/**
 * A pool connection of `type` 3 as a NodePass 1.14 node handles it. A client's close is RST_STREAM
 * with CANCEL, both ways at once. A server's close is none: it writes nothing more and reads nothing
 * more, and the stream stays until the session ends, with what serves it.
 */
export class Http2Stream114 extends Duplex implements PeerSocket {
  readonly secure: TLSSocket;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly #stream: NodeStream;
  /** A client's RST_STREAM with CANCEL: `close()` would send END_STREAM first, which Go does not. */
  readonly #cancel: AbortController | undefined;

  constructor(stream: NodeStream, cancel: AbortController | undefined, secure: TLSSocket) {
    super({ allowHalfOpen: true });
    this.#stream = stream;
    this.#cancel = cancel;
    this.secure = secure;
    this.remoteAddress = secure.remoteAddress;
    this.remotePort = secure.remotePort;
    stream.on("data", (chunk: Buffer) => {
      if (!this.destroyed && !this.push(chunk)) stream.pause();
    });
    const over = (): void => {
      if (!this.destroyed) this.push(null);
    };
    stream.on("end", over);
    stream.on("error", () => {
      // An end like any other to a relay of 1.14.
    });
    stream.on("close", () => {
      over();
      if (this.#cancel !== undefined) this.destroy();
    });
  }

  setNoDelay(): void {
    this.secure.setNoDelay();
  }

  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.#stream.destroyed || this.#stream.closed) done();
    else this.#stream.write(chunk, () => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // What still comes to a server is thrown away.
    if (this.#cancel === undefined) this.#stream.resume();
    else this.#cancel.abort();
    done(error);
  }
}

export interface Http2Server114Options {
  readonly max: number;
  readonly ledger: Ledger;
  /** Idle pool connections now. */
  idle(): number;
  /** The byte 00 has come. */
  greet(socket: PeerSocket): void;
}

/**
 * Serves a client's HTTP/2 connection as a 1.14 server does: `POST /stream`, answered when the first
 * byte has come. What serves a stream ends with the session, and Go runs at most `max` of those on a
 * connection: later streams are never answered.
 */
export function serveHttp2(secure: TLSSocket, options: Http2Server114Options): void {
  const { max, ledger, idle, greet } = options;
  const session = performServerHandshake(secure, {
    settings: { ...SETTINGS, maxConcurrentStreams: max },
  });
  secure.emit("secureConnect");
  session.on("error", () => {
    // The client has gone.
  });
  let serving = 0;
  session.on("stream", (stream, headers) => {
    stream.on("error", () => {
      // It was reset.
    });
    const asked = `${headers[":method"]} ${headers[":path"]} ${headers[":scheme"]}`;
    if (asked !== "POST /stream https") ledger.violation(`http/2 request ${asked}`);
    for (const name of Object.keys(headers)) {
      if (/^(?:authorization|nodepass-.*)$/.test(name)) ledger.violation(`http/2 with ${name}`);
    }
    if (serving >= max) {
      ledger.counters.unserved++;
      return;
    }
    if (idle() >= max) {
      ledger.counters.poolDropped++;
      stream.respond({ ":status": 404 });
      stream.end("not found\n");
      return;
    }
    serving++;
    stream.once("data", (first: Buffer) => {
      stream.pause();
      if (first[0] !== 0) ledger.violation(`http/2 stream began with byte ${first[0]}`);
      if (first.length > 1) ledger.violation("bytes before the id was given");
      stream.respond({ ":status": 200 });
      greet(new Http2Stream114(stream, undefined, secure));
    });
  });
}

/** A 1.14 client's one connection. */
export async function openHttp2(secure: TLSSocket, host: string): Promise<ClientHttp2Session> {
  const session = connectHttp2(`https://${host}`, {
    createConnection: () => secure,
    settings: SETTINGS,
  });
  session.on("error", () => {
    // The server has gone.
  });
  await once(session, "remoteSettings");
  return session;
}

/** Opens a stream and asks for its id, which the caller reads; `undefined` if it is refused. */
export function requestStream(
  session: ClientHttp2Session,
  secure: TLSSocket,
  opened: (socket: Http2Stream114 | undefined) => void,
): void {
  if (session.closed || session.destroyed) {
    opened(undefined);
    return;
  }
  const cancel = new AbortController();
  const stream = session.request(
    { ":method": "POST", ":path": "/stream", "accept-encoding": "gzip" },
    { endStream: false, signal: cancel.signal },
  );
  stream.write(Buffer.of(0));
  const refused = (): void => {
    stream.removeAllListeners();
    stream.on("error", () => {
      // It was refused.
    });
    opened(undefined);
  };
  stream.once("close", refused);
  stream.once("error", refused);
  stream.once("response", ({ ":status": status }) => {
    stream.off("close", refused);
    stream.off("error", refused);
    if (status === 200) opened(new Http2Stream114(stream, cancel, secure));
    else {
      refused();
      cancel.abort();
    }
  });
}
