import { formatHostPort, type HostPort, type ProxyAddress } from "@nodepass/url-config";
import { TunnelError } from "../errors.ts";
import { HEAD_END } from "./http-head.ts";
import { MORE, type ProxyExchange, type ProxyStep } from "./proxy-exchange.ts";

/** Longest answer that is read, bytes; what some proxies say of themselves is long. */
const MAX_HEAD_BYTES = 16 * 1024;

/**
 * A connection through an HTTP proxy: `CONNECT host:port`, answered by any 2xx (RFC 9110, section
 * 9.3.6), with Basic authentication sent at once (RFC 7617), since a proxy that asks for it by 407
 * closes the connection more often than not.
 */
export class HttpConnect implements ProxyExchange {
  readonly opening: Buffer;
  readonly #authenticated: boolean;
  #bytes = Buffer.alloc(0);

  constructor(to: HostPort, credentials: ProxyAddress["credentials"]) {
    const address = formatHostPort(to);
    this.#authenticated = credentials !== undefined;
    const authorization =
      credentials === undefined
        ? ""
        : `Proxy-Authorization: Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString("base64")}\r\n`;
    this.opening = Buffer.from(
      `CONNECT ${address} HTTP/1.1\r\nHost: ${address}\r\n${authorization}\r\n`,
      "latin1",
    );
  }

  push(bytes: Buffer): ProxyStep {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    const all = this.#bytes;
    if (!"HTTP/1.".startsWith(all.toString("latin1", 0, 7))) {
      throw failed("what answers is no HTTP proxy");
    }
    const end = all.indexOf(HEAD_END, 0, "latin1");
    if (end < 0 || end > MAX_HEAD_BYTES) {
      if (all.length <= MAX_HEAD_BYTES) return MORE;
      throw failed(`the answer's head is longer than ${MAX_HEAD_BYTES} bytes`);
    }
    const [line = ""] = all.toString("latin1", 0, end).split("\r\n", 1);
    const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(line)?.[1];
    if (status === undefined) throw failed("the answer's first line is none of HTTP");
    if (!status.startsWith("2")) throw failed(this.#refusal(status, line));
    const rest = all.subarray(end + HEAD_END.length);
    return { kind: "done", rest: rest.length === 0 ? undefined : rest };
  }

  #refusal(status: string, line: string): string {
    if (status === "407") {
      return this.#authenticated
        ? "it refuses the user and password (407)"
        : "it wants a user and password (407)";
    }
    return `it answered ${JSON.stringify(line.slice(0, 80).replaceAll(/[^\x20-\x7e]/g, "?"))}`;
  }
}

function failed(why: string): TunnelError {
  return new TunnelError("PROXY_FAILED", `the http proxy opened no connection: ${why}`);
}
