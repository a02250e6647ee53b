import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  type ClientProofInput,
  clientProof,
  newClientId,
  newNonce,
  ProofKeys,
  stretchTunnelKey,
} from "../../../src/wire/proof.ts";
import {
  type Asked,
  openingHeaders,
  parseChallenge,
  proofHeaders,
} from "../../../src/wire/proof-headers.ts";

/** An HTTP answer as it came. */
export interface RawResponse {
  readonly status: number;
  /** Status line and headers. */
  readonly head: string;
  readonly body: string;
}

const keysOf = new Map<string, Promise<ProofKeys>>();

/** The proof keys of a tunnel key; stretched once in a test file. */
export function proofKeys(key: string): Promise<ProofKeys> {
  let keys = keysOf.get(key);
  if (keys === undefined) {
    keys = stretchTunnelKey(key).then((stretched) => new ProofKeys(stretched));
    keysOf.set(key, keys);
  }
  return keys;
}

/** A handshake connection whose bytes the test writes itself. */
export class RawHandshake {
  readonly socket: Socket;
  readonly clientNonce = newNonce();
  readonly #closed: Promise<unknown>;
  #received = "";
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    this.#closed = once(socket, "close").catch(() => undefined);
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#received += text;
      this.#wake();
    });
    socket.on("error", () => {
      // A reset is an answer like any other: `close` follows.
    });
    socket.on("close", () => this.#wake());
  }

  static async connect(port: number, localAddress?: string): Promise<RawHandshake> {
    const socket = connect({ host: "127.0.0.1", port, ...(localAddress && { localAddress }) });
    await once(socket, "connect");
    return new RawHandshake(socket);
  }

  /** Sends bytes as they are and reads the next answer; `undefined` if the connection ends first. */
  async send(bytes: string | Buffer): Promise<RawResponse | undefined> {
    this.socket.write(bytes);
    return this.next();
  }

  /** The next answer that has come or comes. */
  async next(): Promise<RawResponse | undefined> {
    for (;;) {
      const response = this.#take();
      if (response !== undefined) return response;
      if (this.socket.closed) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #take(): RawResponse | undefined {
    const end = this.#received.indexOf("\r\n\r\n");
    if (end < 0) return undefined;
    const head = this.#received.slice(0, end);
    const [, size] = /^content-length: (\d+)/im.exec(head) ?? [];
    const chunked = /^transfer-encoding: chunked/im.test(head);
    const rest = this.#received.slice(end + 4);
    const length = chunked ? rest.indexOf("0\r\n\r\n") + 5 : Number(size ?? 0);
    if (rest.length < length || (chunked && length < 5)) return undefined;
    this.#received = rest.slice(length);
    return { status: Number(head.slice(9, 12)), head, body: rest.slice(0, length) };
  }

  /** Asks for a challenge. @returns the server's nonce */
  async challenge(): Promise<Buffer> {
    const response = await this.send(requestText(openingHeaders(this.clientNonce)));
    const [, value] = /^www-authenticate: (.*)$/im.exec(response?.head ?? "") ?? [];
    const nonce = parseChallenge(value);
    if (nonce === undefined) throw new Error(`no challenge: ${response?.head ?? "closed"}`);
    return nonce;
  }

  async closed(): Promise<void> {
    await this.#closed;
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** A request's text, with the headers of a client of ours. */
export function requestText(headers: Record<string, string>): string {
  const lines = Object.entries({ Host: "none", ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return `GET / HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}

/** A second request with a right proof over both nonces. */
export function provedRequest(
  keys: ProofKeys,
  nonces: { readonly clientNonce: Buffer; readonly serverNonce: Buffer },
  said: Partial<ClientProofInput> & { readonly asked?: Asked } = {},
): string {
  const extensions = said.extensions ?? ["datagrams", "streams"];
  const client = newClientId();
  const input = { method: "GET", path: "/", host: "none", client, extensions, ...nonces, ...said };
  const proof = clientProof(keys, input);
  return requestText(proofHeaders({ ...input, proof }));
}
