import type { Socket } from "node:net";
import type { ByteStream } from "../stream/byte-stream.ts";
import { adoptTcp } from "../stream/tcp-stream.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import { MAX_HELLO_BYTES, serverNameOf } from "../wire/client-hello.ts";
import { httpHostOf, MAX_HEAD_BYTES } from "../wire/http-host.ts";
import { type Http2Sniffer, PREFACE, sniffHttp2 } from "../wire/http2-authority.ts";
import { FirstData, type FirstDataTaker } from "./first-data.ts";
import { HostNames } from "./host-names.ts";
import { ProxiedUsers } from "./proxied-users.ts";
import type { UserOrigin } from "./user-origin.ts";

/** Fatal alert `unrecognized_name` (RFC 6066, section 3), in a record of TLS 1.2 as always. */
const UNRECOGNIZED_NAME = Buffer.from("15030300020270", "hex");
/** A ClientHello in as many records as it can have: 5 bytes before each of its bytes would be absurd. */
const MAX_BYTES = MAX_HELLO_BYTES + MAX_HEAD_BYTES;
const HANDSHAKE_RECORD = 22;

/** A tunnel's entry on a port that several share. */
export interface NamedEntry {
  readonly context: TunnelContext;
  /** Names whose connections are its own; none: it gets what nobody else names. */
  readonly names: readonly string[];
  /** A connection that is its own. */
  takeRouted(stream: ByteStream, origin: UserOrigin): void;
}

/**
 * Tells by the name that is asked for whose a connection on a shared port is: by SNI, which is in the
 * clear, by the host of a first HTTP/1 request, or by `:authority` of a first HTTP/2 request without
 * TLS. Nothing is decrypted.
 */
export class NameRouter {
  readonly #entries: readonly NamedEntry[];
  readonly #names = new HostNames<NamedEntry>();
  readonly #first: FirstData;
  readonly #proxied: ProxiedUsers;
  /** The entry that has been here longest: what is nobody's is counted and told there. */
  readonly #host: TunnelContext;

  /** @param entries oldest first, one at least */
  constructor(entries: readonly [NamedEntry, ...NamedEntry[]]) {
    this.#entries = entries;
    for (const entry of entries) this.#names.add(entry.names, entry);
    this.#host = entries[0].context;
    this.#first = new FirstData(this.#host.limits.handshakeTimeoutMs);
    this.#proxied = new ProxiedUsers(this.#host);
  }

  accept(socket: Socket): void {
    const address = socket.remoteAddress ?? "";
    const stream = adoptTcp(socket, this.#host.buffers);
    const proxied = this.#entries.some(({ context }) => context.trust?.admits(address) === true);
    if (!proxied) this.#read(stream, undefined);
    else this.#proxied.read(stream, (own, origin) => this.#read(own, origin));
  }

  #read(stream: ByteStream, origin: UserOrigin | undefined): void {
    this.#first.read(stream, new Sniffing(this, origin), origin?.early);
  }

  /** @param name that is asked for, `undefined`: none */
  find(name: string | undefined): NamedEntry | undefined {
    return this.#names.find(name);
  }

  /** Gives a connection to whose it is. */
  give(entry: NamedEntry, stream: ByteStream, origin: UserOrigin, isProxied: boolean): void {
    const trusts = entry.context.trust?.admits(stream.remoteAddress ?? "") === true;
    if (trusts === isProxied) {
      entry.takeRouted(stream, origin);
      return;
    }
    // Another tunnel on this port trusts the proxy, this one does not.
    entry.context.counters.refusedProxied++;
    stream.reset();
  }

  /** Nobody serves this name. @param answer what is said of that in the user's protocol */
  refuse(stream: ByteStream, name: string | undefined, answer: Buffer | undefined): void {
    this.#host.counters.accepted++;
    this.#host.counters.refusedName++;
    this.#host.logLimited("warn", "connection refused: nobody serves the name it asks for", {
      address: stream.remoteAddress,
      name: name?.slice(0, 255),
    });
    if (answer === undefined) {
      stream.reset();
      return;
    }
    stream.write(answer);
    this.#host.lingerer.end(stream);
  }

  close(): void {
    this.#first.close();
    this.#proxied.close();
  }
}

/** One connection until it is known whose it is. */
class Sniffing implements FirstDataTaker {
  readonly #router: NameRouter;
  readonly #origin: UserOrigin | undefined;
  #http2: Http2Sniffer | undefined;
  /** Bytes that the HTTP/2 session has been given. */
  #pushed = 0;
  /** The host of the HTTP/2 request, once it is known. */
  #authority: { readonly host: string | undefined } | undefined;
  /** Has the bytes so far looked at again. */
  #look: (() => void) | undefined;

  constructor(router: NameRouter, origin: UserOrigin | undefined) {
    this.#router = router;
    this.#origin = origin;
  }

  onData(stream: ByteStream, bytes: Buffer): boolean {
    if (this.#http2 !== undefined) return this.#readHttp2(stream, bytes, this.#http2);
    if (bytes[0] === HANDSHAKE_RECORD) {
      const asked = serverNameOf(bytes);
      if (asked.is === "more" && bytes.length <= MAX_BYTES) return false;
      if (asked.is !== "tls") return this.#unknown(stream, bytes);
      return this.#decide(stream, bytes, asked.name, () => UNRECOGNIZED_NAME);
    }
    const known = Math.min(bytes.length, PREFACE.length);
    if (bytes.compare(PREFACE, 0, known, 0, known) === 0) {
      if (known < PREFACE.length) return false;
      this.#http2 = sniffHttp2((host) => {
        this.#authority = { host };
        this.#look?.();
      });
      return this.#readHttp2(stream, bytes, this.#http2);
    }
    const asked = httpHostOf(bytes);
    if (asked.is === "more" && bytes.length <= MAX_BYTES) return false;
    if (asked.is !== "http") return this.#unknown(stream, bytes);
    return this.#decide(stream, bytes, asked.name, () => notFound(asked.name));
  }

  /** The session tells of the request in a later turn: the connection is asked again then. */
  #readHttp2(stream: ByteStream, bytes: Buffer, sniffer: Http2Sniffer): boolean {
    if (this.#authority === undefined) {
      if (bytes.length > MAX_BYTES) return this.#unknown(stream, bytes);
      sniffer.push(bytes.subarray(this.#pushed));
      this.#pushed = bytes.length;
      return false;
    }
    const { host } = this.#authority;
    const entry = this.#router.find(host);
    if (entry !== undefined) return this.#give(entry, stream, bytes, false, host);
    const write = (part: Buffer): void => {
      if (!stream.destroyed) stream.write(part);
    };
    sniffer.answer(404, sorry(host), write, () =>
      this.#router.refuse(stream, host, Buffer.alloc(0)),
    );
    return true;
  }

  onReader(look: () => void): void {
    this.#look = look;
  }

  #decide(
    stream: ByteStream,
    bytes: Buffer,
    name: string | undefined,
    answer: () => Buffer,
  ): boolean {
    const entry = this.#router.find(name);
    if (entry !== undefined) return this.#give(entry, stream, bytes, false, name);
    this.#router.refuse(stream, name, answer());
    return true;
  }

  /** It speaks something without a name: whoever takes the rest has it. */
  #unknown(stream: ByteStream, bytes: Buffer): boolean {
    const entry = this.#router.find(undefined);
    if (entry !== undefined) return this.#give(entry, stream, bytes, false, undefined);
    this.#http2?.close();
    this.#router.refuse(stream, undefined, undefined);
    return true;
  }

  #give(
    entry: NamedEntry,
    stream: ByteStream,
    early: Buffer,
    ended: boolean,
    name: string | undefined,
  ): true {
    this.#http2?.close();
    const source = this.#origin?.source;
    const authority = name ?? this.#origin?.authority;
    const origin = { source, authority, early, ended };
    this.#router.give(entry, stream, origin, this.#origin !== undefined);
    return true;
  }

  /** Its protocol may begin with the target's word: it is whoever's who takes the rest. */
  onNoMore(stream: ByteStream, bytes: Buffer, late: boolean): void {
    const entry = this.#router.find(undefined);
    if (entry !== undefined) this.#give(entry, stream, bytes, !late, undefined);
    else {
      this.#http2?.close();
      this.#router.refuse(stream, undefined, undefined);
    }
  }

  onGone(): void {
    this.#http2?.close();
  }
}

function sorry(name: string | undefined): string {
  return name === undefined
    ? "The request names no host, and no tunnel on this port takes such requests.\n"
    : `No tunnel on this port serves ${JSON.stringify(name.slice(0, 255))}.\n`;
}

function notFound(name: string | undefined): Buffer {
  const body = sorry(name);
  return Buffer.from(
    "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n" +
      `X-Content-Type-Options: nosniff\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
