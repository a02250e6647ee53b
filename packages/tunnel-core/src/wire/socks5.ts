import { addressBytes, type HostPort, type ProxyAddress } from "@nodepass/url-config";
import { TunnelError } from "../errors.ts";
import { MORE, type ProxyExchange, type ProxyStep } from "./proxy-exchange.ts";

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const USER_AND_PASSWORD = 2;
const NONE_ACCEPTABLE = 0xff;
/** Version of the user and password exchange (RFC 1929). */
const CREDENTIALS_VERSION = 1;
const CONNECT = 1;
const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;
const MAX_NAME_BYTES = 255;

/** What a reply other than 0 says (RFC 1928, section 6). */
const REPLIES: readonly string[] = [
  "",
  "a general failure",
  "its rules forbid it",
  "the network is unreachable",
  "the host is unreachable",
  "the connection was refused",
  "the time to live has expired",
  "it does not know CONNECT",
  "it does not know this type of address",
];

/**
 * A connection through a SOCKS 5 proxy (RFC 1928): no authentication, or user and password (RFC
 * 1929). A name is given to the proxy as it is, to be resolved there.
 *
 * States: `method` → (`credentials` →) `reply` → done.
 */
export class Socks5 implements ProxyExchange {
  readonly opening: Buffer;
  readonly #request: Buffer;
  readonly #credentials: ProxyAddress["credentials"];
  #bytes = Buffer.alloc(0);
  #state: "method" | "credentials" | "reply" = "method";

  constructor(to: HostPort, credentials: ProxyAddress["credentials"]) {
    this.#credentials = credentials;
    this.#request = connectRequest(to);
    this.opening =
      credentials === undefined
        ? Buffer.of(VERSION, 1, NO_AUTHENTICATION)
        : Buffer.of(VERSION, 2, NO_AUTHENTICATION, USER_AND_PASSWORD);
  }

  push(bytes: Buffer): ProxyStep {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    switch (this.#state) {
      case "method":
        return this.#method();
      case "credentials":
        return this.#verdict();
      case "reply":
        return this.#reply();
    }
  }

  #take(count: number): Buffer {
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }

  #method(): ProxyStep {
    checkVersion(this.#bytes[0], VERSION);
    if (this.#bytes.length < 2) return MORE;
    const method = this.#take(2)[1];
    const credentials = this.#credentials;
    if (method === NO_AUTHENTICATION) {
      this.#state = "reply";
      return { kind: "send", bytes: this.#request };
    }
    if (method === USER_AND_PASSWORD && credentials !== undefined) {
      this.#state = "credentials";
      return { kind: "send", bytes: credentialsRequest(credentials) };
    }
    if (method === NONE_ACCEPTABLE) {
      throw failed(
        credentials === undefined
          ? "it wants an authentication, and there is no user and password"
          : "it takes no user and password",
      );
    }
    throw failed(`it chose method ${method}, which was not offered`);
  }

  #verdict(): ProxyStep {
    checkVersion(this.#bytes[0], CREDENTIALS_VERSION);
    if (this.#bytes.length < 2) return MORE;
    if (this.#take(2)[1] !== 0) throw failed("it refuses the user and password");
    this.#state = "reply";
    return { kind: "send", bytes: this.#request };
  }

  #reply(): ProxyStep {
    const bytes = this.#bytes;
    checkVersion(bytes[0], VERSION);
    const code = bytes[1];
    if (code === undefined) return MORE;
    if (code !== 0) throw failed(REPLIES[code] ?? `it answered with reply ${code}`);
    const type = bytes[3];
    if (type === undefined) return MORE;
    const nameBytes = bytes[4];
    if (type === NAME && nameBytes === undefined) return MORE;
    const addressBytes = type === IPV4 ? 4 : type === IPV6 ? 16 : 1 + (nameBytes ?? 0);
    if (type !== IPV4 && type !== IPV6 && type !== NAME) {
      throw failed(`its reply has an address of type ${type}`);
    }
    const length = 4 + addressBytes + 2;
    if (bytes.length < length) return MORE;
    const rest = bytes.subarray(length);
    return { kind: "done", rest: rest.length === 0 ? undefined : rest };
  }
}

function connectRequest({ host, port }: HostPort): Buffer {
  const end = Buffer.of(port >> 8, port & 0xff);
  return Buffer.concat([Buffer.of(VERSION, CONNECT, 0), encodeHost(host), end]);
}

function encodeHost(host: string): Buffer {
  // A zone means nothing to another host.
  const bytes = addressBytes(host);
  if (bytes !== undefined) return Buffer.of(bytes.length === 4 ? IPV4 : IPV6, ...bytes);
  const name = Buffer.from(host, "latin1");
  if (name.length > MAX_NAME_BYTES) {
    throw failed(`a host name of ${name.length} bytes is longer than ${MAX_NAME_BYTES}`);
  }
  return Buffer.concat([Buffer.of(NAME, name.length), name]);
}

function credentialsRequest({ user, password }: NonNullable<ProxyAddress["credentials"]>): Buffer {
  const name = Buffer.from(user);
  const secret = Buffer.from(password);
  return Buffer.concat([
    Buffer.of(CREDENTIALS_VERSION, name.length),
    name,
    Buffer.of(secret.length),
    secret,
  ]);
}

function checkVersion(byte: number | undefined, version: number): void {
  if (byte !== undefined && byte !== version) throw failed("what answers is no SOCKS 5 proxy");
}

function failed(why: string): TunnelError {
  return new TunnelError("PROXY_FAILED", `the socks5 proxy opened no connection: ${why}`);
}
