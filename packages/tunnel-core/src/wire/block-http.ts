import type { BlockState, BlockVerdict } from "./block-state.ts";

/**
 * After so many bytes of a first line without a verdict it is no HTTP: no common server takes a
 * longer request line (Node 16 KiB, nginx and Apache 8 KiB).
 */
export const MAX_UNDECIDED_BYTES = 16_384;

/** Servers skip empty lines before a request; nobody but a request sends so many of them. */
const MAX_LEADING_BREAKS = 32;

/** Longest method token that is worth waiting for. */
const MAX_METHOD_CHARS = 32;

const SP = 0x20;
const TAB = 0x09;
const CR = 0x0d;
const LF = 0x0a;
const SLASH = 0x2f;
const COLON = 0x3a;

/** The IANA method registry's names that take a path, and PURGE; all are compared in capitals. */
const METHODS: ReadonlySet<string> = new Set(
  (
    "GET HEAD POST PUT DELETE OPTIONS TRACE PATCH QUERY PURGE CONNECT ACL BASELINE-CONTROL BIND " +
    "CHECKIN CHECKOUT COPY LABEL LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF " +
    "MKWORKSPACE MOVE ORDERPATCH PROPFIND PROPPATCH REBIND REPORT SEARCH UNBIND UNCHECKOUT " +
    "UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL"
  ).split(" "),
);

/** Bytes of a token, RFC 9110 section 5.6.2. */
const TOKEN_BYTES = tokenBytes();

/** What ends a request line, as five bytes in capitals. */
const VERSION = [0x48, 0x54, 0x54, 0x50, SLASH] as const;

/**
 * HTTP by its request line, after any empty lines.
 *
 * `breaks` (empty lines) → `method` → `gap` (white space) → `target`, then → `words` if the first
 * word after the method is neither a path nor an absolute URL. Certain as soon as a known method,
 * in capitals or not, is followed by white space and `/` or `http:` or `https:`. Any other token is
 * a method once white space and `HTTP/` follow on the same line, as in `BREW x HTTP/1.0` and the
 * preface of HTTP/2: text protocols that start with a word and a path (`RETR /file`) pass.
 */
export class HttpState implements BlockState {
  #phase: "breaks" | "method" | "gap" | "target" | "words" = "breaks";
  #bytes = 0;
  #method = "";
  #known = false;
  #scheme = "";
  /** Bytes of `VERSION` seen at the start of the current word; -1 if the word is another. */
  #version = -1;

  next(byte: number): BlockVerdict {
    if (++this.#bytes >= MAX_UNDECIDED_BYTES) return "allowed";
    switch (this.#phase) {
      case "breaks":
        if (byte === CR || byte === LF) {
          return this.#bytes > MAX_LEADING_BREAKS ? "blocked" : "undecided";
        }
        this.#phase = "method";
        return this.#takeMethod(byte);
      case "method":
        return this.#takeMethod(byte);
      case "gap":
        if (byte === SP || byte === TAB) return "undecided";
        if (this.#known && byte === SLASH) return "blocked";
        this.#phase = this.#known ? "target" : "words";
        this.#version = 0;
        return this.#takeWord(byte);
      case "target":
      case "words":
        return this.#takeWord(byte);
    }
  }

  #takeMethod(byte: number): BlockVerdict {
    if (TOKEN_BYTES[byte] === 1) {
      this.#method += String.fromCharCode(upper(byte));
      return this.#method.length > MAX_METHOD_CHARS ? "allowed" : "undecided";
    }
    if ((byte !== SP && byte !== TAB) || this.#method === "") return "allowed";
    this.#known = METHODS.has(this.#method);
    this.#phase = "gap";
    return "undecided";
  }

  #takeWord(byte: number): BlockVerdict {
    if (byte === CR || byte === LF || byte === 0) return "allowed";
    if (byte === SP || byte === TAB) {
      this.#phase = "words";
      this.#version = 0;
      return "undecided";
    }
    if (this.#phase === "target") return this.#takeTarget(byte);
    if (this.#version >= 0) {
      this.#version = VERSION[this.#version] === upper(byte) ? this.#version + 1 : -1;
    }
    return this.#version === VERSION.length ? "blocked" : "undecided";
  }

  #takeTarget(byte: number): BlockVerdict {
    if (byte === COLON && (this.#scheme === "HTTP" || this.#scheme === "HTTPS")) return "blocked";
    if (this.#scheme.length > 5) {
      this.#phase = "words";
      this.#version = -1;
    } else {
      this.#scheme += String.fromCharCode(upper(byte));
    }
    return "undecided";
  }
}

function upper(byte: number): number {
  return byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte;
}

function tokenBytes(): Uint8Array {
  const table = new Uint8Array(256);
  const symbols = "!#$%&'*+-.^_`|~0123456789";
  for (let at = 0; at < symbols.length; at++) table[symbols.charCodeAt(at)] = 1;
  for (let code = 0x41; code <= 0x5a; code++) table[code] = table[code + 0x20] = 1;
  return table;
}
