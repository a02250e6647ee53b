import type { ServerHttp2Stream } from "node:http2";
import { Duplex } from "node:stream";
import { http2 } from "../node-http2.ts";
import { withoutPort } from "./http-host.ts";

/** What an HTTP/2 connection begins with (RFC 9113, section 3.4). */
export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
/** Most bytes that are kept of what a session would have answered. */
const MAX_ANSWER_BYTES = 4096;

/** Longest time for that answer, ms. */
const ANSWER_MS = 1000;

/** A session that reads the first request of a connection, without answering it. */
export interface Http2Sniffer {
  /** More bytes of the connection. */
  push(bytes: Buffer): void;
  /** Answers the request with this status and text. @param write gets the bytes; @param done nothing follows */
  answer(status: number, text: string, write: (bytes: Buffer) => void, done: () => void): void;
  close(): void;
}

/**
 * Reads HTTP/2 with prior knowledge up to its first request, with Node's own HTTP/2: the header block
 * is compressed (RFC 7541). What the session answers is kept, and nobody gets it but by `answer`.
 *
 * @param onAuthority called once: the host of `:authority` or `host`; `undefined` if the request has
 *   none, or the bytes are no HTTP/2
 */
export function sniffHttp2(onAuthority: (host: string | undefined) => void): Http2Sniffer {
  let told = false;
  let kept: Buffer[] = [];
  let keptBytes = 0;
  let write: ((bytes: Buffer) => void) | undefined;
  const wire = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      if (write !== undefined) write(chunk);
      else if (keptBytes + chunk.length <= MAX_ANSWER_BYTES) {
        keptBytes += chunk.length;
        kept.push(Buffer.from(chunk));
      }
      done();
    },
  });
  const tell = (host: string | undefined): void => {
    if (told) return;
    told = true;
    onAuthority(host);
  };
  const session = http2().performServerHandshake(wire, { maxSessionMemory: 1 });
  let request: ServerHttp2Stream | undefined;
  session.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    if (request !== undefined) {
      stream.close(http2().constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    request = stream;
    const host = headers[":authority"] ?? headers.host;
    tell(host === undefined ? undefined : withoutPort(host));
  });
  session.on("error", () => tell(undefined));
  session.on("close", () => tell(undefined));
  return {
    push: (bytes) => {
      if (!wire.destroyed) wire.push(Buffer.from(bytes));
    },
    answer(status, text, to, done) {
      write = to;
      for (const bytes of kept) to(bytes);
      kept = [];
      if (request === undefined || request.destroyed) {
        done();
        return;
      }
      request.respond({ ":status": status, "content-type": "text/plain; charset=utf-8" });
      const sent = request;
      // Its body may go on for ever.
      const late = setTimeout(() => session.destroy(), ANSWER_MS);
      sent.end(text, () => sent.close(http2().constants.NGHTTP2_NO_ERROR));
      sent.once("close", () => {
        clearTimeout(late);
        session.close(() => wire.destroy());
        // What it still has to write goes out in this turn.
        setImmediate(done);
      });
    },
    close() {
      told = true;
      session.destroy();
      wire.destroy();
    },
  };
}
