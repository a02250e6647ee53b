import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls, createSecureContext } from "node:tls";

/** What strangers do at a tunnel port. */
export const STRANGERS = [
  "says nothing",
  "garbage",
  "half a handshake",
  "one byte at a time",
  "endless header",
  "half a hello",
  "TLS",
  "plain HTTP",
] as const;
export type StrangerKind = (typeof STRANGERS)[number];

const HALF = "GET / HTTP/1.1\r\nHost: none\r\nNodePass-Version: 1\r\n";
/** One for all: making it costs more than the handshake, and their cost is not what is measured. */
const CONTEXT = createSecureContext();
const CHUNK = Buffer.alloc(16 * 1024, "a");

export interface StrangersOptions {
  readonly port: number;
  readonly kinds: readonly StrangerKind[];
  readonly count: number;
  /** Connections begun a second. */
  readonly rate: number;
  /** Addresses they come from, in turn. @default 127.0.0.2 */
  readonly addresses?: readonly string[] | undefined;
  /** Between two bytes of the slow ones, ms. @default 1000 */
  readonly dripMs?: number | undefined;
}

/** A crowd at the tunnel port; each stays until the server closes it. */
export class Strangers {
  begun = 0;
  /** Open at once, at most. */
  most = 0;
  readonly #options: StrangersOptions;
  readonly #sockets = new Set<Socket>();

  constructor(options: StrangersOptions) {
    this.#options = options;
  }

  get open(): number {
    return this.#sockets.size;
  }

  /** Lets them come; resolves when all have. */
  async come(): Promise<void> {
    const { count, rate, kinds, addresses = ["127.0.0.2"] } = this.#options;
    const startedAt = performance.now();
    while (this.begun < count) {
      const due = Math.min(count, Math.ceil(((performance.now() - startedAt) / 1000) * rate) + 1);
      for (; this.begun < due; this.begun++) {
        const kind = kinds[this.begun % kinds.length] ?? "says nothing";
        this.#begin(kind, addresses[this.begun % addresses.length] ?? "127.0.0.2");
      }
      await sleep(5);
    }
  }

  #begin(kind: StrangerKind, localAddress: string): void {
    const { port, dripMs = 1000 } = this.#options;
    const socket = connect({ host: "127.0.0.1", port, localAddress });
    this.#sockets.add(socket);
    this.most = Math.max(this.most, this.#sockets.size);
    let drip: NodeJS.Timeout | undefined;
    socket.on("error", () => {
      // Being thrown out is what they are here for.
    });
    socket.once("close", () => {
      clearInterval(drip);
      this.#sockets.delete(socket);
    });
    socket.resume();
    socket.once("connect", () => {
      if (kind === "garbage") socket.write(randomBytes(64));
      else if (kind === "half a handshake") socket.write(HALF);
      else if (kind === "half a hello") socket.write(Buffer.from("4e0101020304", "hex"));
      else if (kind === "plain HTTP") socket.write(`${HALF}\r\n`);
      else if (kind === "endless header") pour(socket);
      else if (kind === "TLS") startTls(socket);
      else if (kind === "one byte at a time") {
        let at = 0;
        drip = setInterval(() => socket.write(HALF.charAt(at++ % HALF.length)), dripMs);
      }
    });
  }

  /** Sends those who are left away. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

function startTls(socket: Socket): void {
  const secure = connectTls({ socket, rejectUnauthorized: false, secureContext: CONTEXT });
  secure.on("error", () => {
    // A plain server has no answer to this.
  });
}

function pour(socket: Socket): void {
  socket.write("GET / HTTP/1.1\r\nX: ");
  const more = (): void => {
    if (!socket.destroyed) socket.write(CHUNK, () => setImmediate(more));
  };
  more();
}
