import { createHash, randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { header, parseRequest } from "./http-head.ts";
import type { Ledger } from "./ledger.ts";

/** What a duct needs of its socket: a real one, or a WebSocket that looks like one. */
export interface PeerSocket extends Duplex {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  /** The TLS connection underneath. */
  readonly secure?: TLSSocket | undefined;
  /** The other end's certificate, where TLS is QUIC's own. */
  readonly peerFingerprint?: string | undefined;
  setNoDelay(noDelay?: boolean): unknown;
  destroySoon(): void;
}

/** Longest piece of a relay's read: each becomes a message. */
const RELAY_BYTES = 16 * 1024;
const NORMAL = 1000;
const GOING_AWAY = 1001;

/**
 * A pool connection of `type` 2 as a NodePass 1.14 node handles it. Written from the facts, not from
 * the code under test: strict with frames, a text message ends it, a close of 1000 or 1001 is an end
 * of both directions, anything else an error. It never sends a ping and answers each.
 */
export class WebSocket114 extends Duplex implements PeerSocket {
  readonly #raw: Socket;
  readonly #client: boolean;
  readonly #ledger: Ledger;
  #bytes = Buffer.alloc(0);
  #fragmented = false;
  #closeSent = false;
  #closeSeen = false;
  #onRoom: (() => void) | undefined;

  /** @param early what came behind the opening */
  constructor(raw: Socket, client: boolean, ledger: Ledger, early: Buffer) {
    super({ allowHalfOpen: true });
    this.#raw = raw;
    this.#client = client;
    this.#ledger = ledger;
    raw.on("data", (chunk: Buffer) => this.#take(chunk));
    raw.on("end", () => {
      // Without a close frame it is an error to a reader of 1.14; the relay ends either way.
      if (!this.#closeSeen) this.push(null);
      raw.end();
    });
    raw.on("drain", () => this.#room());
    raw.on("error", (error) => this.destroy(error));
    raw.on("close", () => this.destroy());
    if (early.length > 0) this.#take(early);
  }

  /** The certificate of the connection underneath. */
  get secure(): TLSSocket | undefined {
    return this.#raw instanceof TLSSocket ? this.#raw : undefined;
  }

  setNoDelay(): void {
    this.#raw.setNoDelay();
  }

  destroySoon(): void {
    if (this.writable) this.end();
    this.once("finish", () => this.destroy());
  }

  #fail(what: string): void {
    this.#ledger.violation(`websocket: ${what}`);
    this.destroy();
  }

  #take(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (;;) {
      if (this.destroyed || this.#closeSeen) return;
      const bytes = this.#bytes;
      const [first, second] = bytes;
      if (first === undefined || second === undefined) return;
      let length = second & 0x7f;
      let at = 2;
      if (length === 126) {
        if (bytes.length < 4) return;
        length = bytes.readUInt16BE(2);
        at = 4;
        if (length < 126) this.#fail("a length in a longer form than it needs");
      } else if (length === 127) {
        if (bytes.length < 10) return;
        length = Number(bytes.readBigUInt64BE(2));
        at = 10;
        if (length < 65_536) this.#fail("a length in a longer form than it needs");
      }
      const masked = (second & 0x80) !== 0;
      if (masked === this.#client) this.#fail(masked ? "a masked frame" : "an unmasked frame");
      const key = masked ? bytes.subarray(at, at + 4) : undefined;
      if (masked) at += 4;
      if (bytes.length < at + length) return;
      const payload = Buffer.from(bytes.subarray(at, at + length));
      if (key !== undefined) {
        for (const [i, byte] of payload.entries()) payload[i] = byte ^ (key[i & 3] ?? 0);
      }
      this.#bytes = bytes.subarray(at + length);
      if (!this.destroyed) this.#frame(first, payload);
    }
  }

  /** What is wrong with a frame, before its payload is looked at. */
  #wrong(first: number, length: number): string | undefined {
    const opcode = first & 0x0f;
    if ((first & 0x70) !== 0) return "reserved bits are set";
    if (opcode === 0 || opcode === 2) {
      return (opcode === 0) === this.#fragmented ? undefined : "fragments out of order";
    }
    if (opcode === 1) return "a text message";
    if (opcode < 8 || opcode > 10) return `opcode ${opcode}`;
    return first < 0x80 || length > 125 ? "a bad control frame" : undefined;
  }

  #frame(first: number, payload: Buffer): void {
    const opcode = first & 0x0f;
    const wrong = this.#wrong(first, payload.length);
    if (wrong !== undefined) {
      this.#fail(wrong);
      return;
    }
    if (opcode < 8) {
      this.#fragmented = first < 0x80;
      if (payload.length > 0 && !this.push(payload)) this.#raw.pause();
      return;
    }
    if (opcode === 9) this.#send(0x8a, payload);
    if (opcode !== 8) return;
    this.#closeSeen = true;
    const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
    if (!this.#closeSent) {
      this.#closeSent = true;
      this.#send(0x88, payload.subarray(0, 2));
    }
    if (code === NORMAL || code === GOING_AWAY) this.push(null);
    else this.destroy(new Error(`websocket closed with ${code}`));
  }

  #send(first: number, payload: Buffer): boolean {
    const { length } = payload;
    const mask = this.#client ? 0x80 : 0;
    const head =
      length < 126
        ? Buffer.of(first, mask | length)
        : length < 65_536
          ? Buffer.of(first, mask | 126, length >> 8, length & 0xff)
          : Buffer.of(
              first,
              mask | 127,
              0,
              0,
              0,
              0,
              0,
              length >> 16,
              (length >> 8) & 255,
              length & 255,
            );
    if (this.#raw.destroyed || !this.#raw.writable) return true;
    if (!this.#client) return this.#raw.write(Buffer.concat([head, payload]));
    const key = randomBytes(4);
    const hidden = Buffer.from(payload);
    for (const [i, byte] of hidden.entries()) hidden[i] = byte ^ (key[i & 3] ?? 0);
    return this.#raw.write(Buffer.concat([head, key, hidden]));
  }

  #room(): void {
    const go = this.#onRoom;
    this.#onRoom = undefined;
    go?.();
  }

  override _read(): void {
    this.#raw.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    let room = true;
    for (let at = 0; at < chunk.length; at += RELAY_BYTES) {
      room = this.#send(0x82, chunk.subarray(at, at + RELAY_BYTES));
    }
    if (room) done();
    else this.#onRoom = done;
  }

  override _final(done: () => void): void {
    if (!this.#closeSent) {
      this.#closeSent = true;
      this.#send(0x88, Buffer.of(NORMAL >> 8, NORMAL & 0xff));
    }
    // The close frame, then the TCP connection.
    this.#raw.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#raw.destroy();
    this.#room();
    done(error);
  }
}

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export function acceptOf(key: string): string {
  return createHash("sha1")
    .update(key + GUID)
    .digest("base64");
}

/** The request that the recordings show. */
export function upgradeRequest(host: string, key: string): string {
  return (
    `GET / HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: Go-http-client/1.1\r\nConnection: Upgrade\r\n` +
    `Sec-Websocket-Key: ${key}\r\nSec-Websocket-Version: 13\r\nUpgrade: websocket\r\n` +
    "Accept-Encoding: gzip\r\n\r\n"
  );
}

/** Server: waits for the upgrade, judges and answers it. */
export function acceptUpgrade(
  raw: Socket,
  host: string,
  ledger: Ledger,
  opened: (socket: WebSocket114) => void,
): void {
  let bytes = Buffer.alloc(0);
  const read = (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    const found = parseRequest(bytes);
    if (found === undefined) return;
    raw.off("data", read);
    const { head, length } = found;
    const is = (name: string, due: string) => {
      const value = header(head.headers, name);
      if (value !== due) ledger.violation(`upgrade with ${name}: ${value} where ${due} is due`);
    };
    if (`${head.method} ${head.target} ${head.version}` !== "GET / HTTP/1.1") {
      ledger.violation(`upgrade by ${head.method} ${head.target} ${head.version}`);
    }
    is("host", host);
    is("connection", "Upgrade");
    is("upgrade", "websocket");
    is("sec-websocket-version", "13");
    for (const [name] of head.headers) {
      if (/^sec-websocket-(?:protocol|extensions)$|^authorization$|^nodepass-/.test(name)) {
        ledger.violation(`upgrade with ${name}`);
      }
    }
    const accept = acceptOf(header(head.headers, "sec-websocket-key") ?? "");
    raw.write(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n" +
        `Sec-Websocket-Accept: ${accept}\r\nUpgrade: websocket\r\n` +
        `Date: ${new Date().toUTCString()}\r\n\r\n`,
    );
    opened(new WebSocket114(raw, false, ledger, bytes.subarray(length)));
  };
  raw.on("data", read);
}

/** Client: asks for the upgrade; `undefined` if it is refused. */
export function requestUpgrade(
  raw: Socket,
  host: string,
  ledger: Ledger,
  opened: (socket: WebSocket114 | undefined) => void,
): void {
  const key = randomBytes(16).toString("base64");
  let bytes = Buffer.alloc(0);
  raw.write(upgradeRequest(host, key));
  const read = (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    const end = bytes.indexOf("\r\n\r\n");
    if (end < 0) return;
    raw.off("data", read);
    const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
    const fields = new Map(
      lines.map((line): [string, string] => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    if (!first.startsWith("HTTP/1.1 101 ")) {
      opened(undefined);
      return;
    }
    if (fields.get("sec-websocket-accept") !== acceptOf(key)) {
      ledger.violation("upgrade with a wrong Sec-WebSocket-Accept");
    }
    if (fields.has("sec-websocket-extensions")) ledger.violation("upgrade with an extension");
    opened(new WebSocket114(raw, true, ledger, bytes.subarray(end + 4)));
  };
  raw.on("data", read);
}
