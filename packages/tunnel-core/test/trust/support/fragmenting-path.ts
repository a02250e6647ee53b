import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { Randomness } from "./mutate.ts";

/** Bytes that wait in a lane before its source is read no further. */
const MAX_WAITING_BYTES = 256 * 1024;
/** Longest time, ms, that a coalescing path holds bytes; the shortest is two fifths of it. */
const MAX_HOLD_MS = 50;

export type Pace =
  /** Pieces of 1 to so many bytes, each a write and a turn of the loop of its own. */
  | { readonly cut: number }
  /** All that comes within 20 to 50 ms in one write. */
  | "coalesce";

export interface FragmentingPathOptions {
  /** Where it leads: a port of 127.0.0.1. */
  readonly to: number;
  readonly pace: Pace;
  /** Repeats the cuts and pauses, as far as the streams repeat. */
  readonly seed: number;
}

/** A path that keeps every byte and its place, and no segment as it was. */
export interface FragmentingPath {
  readonly port: number;
  /** Connections so far. */
  readonly connections: number;
  /** Writes so far. */
  readonly pieces: number;
  close(): Promise<void>;
}

/** Opens a fragmenting path on a port of 127.0.0.1. */
export async function openFragmentingPath(
  options: FragmentingPathOptions,
): Promise<FragmentingPath> {
  const random = new Randomness(options.seed);
  const sockets = new Set<Socket>();
  const path = { port: 0, connections: 0, pieces: 0, close };
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    path.connections++;
    const to = { host: "127.0.0.1", port: options.to, noDelay: true, allowHalfOpen: true };
    const server = connect(to);
    for (const [from, into] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from);
      from.once("close", () => sockets.delete(from));
      const count = (): number => path.pieces++;
      new Lane(from, into, options.pace, random, count);
    }
  });
  listener.listen({ host: "127.0.0.1", port: 0, backlog: 4096 });
  await once(listener, "listening");
  const address = listener.address();
  path.port = typeof address === "object" && address !== null ? address.port : 0;
  return path;

  async function close(): Promise<void> {
    const closed = once(listener, "close");
    listener.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  }
}

/**
 * One direction of a connection. The turn between two writes is enough to keep them apart: the
 * reader, in this process, polls its socket before the next turn.
 */
class Lane {
  readonly #from: Socket;
  readonly #into: Socket;
  readonly #pace: Pace;
  readonly #random: Randomness;
  readonly #count: () => void;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #ended = false;
  #busy = false;

  constructor(from: Socket, into: Socket, pace: Pace, random: Randomness, count: () => void) {
    this.#from = from;
    this.#into = into;
    this.#pace = pace;
    this.#random = random;
    this.#count = count;
    from.on("data", (bytes: Buffer) => {
      this.#waiting.push(bytes);
      this.#bytes += bytes.length;
      if (this.#bytes > MAX_WAITING_BYTES) from.pause();
      void this.#run();
    });
    from.on("end", () => {
      this.#ended = true;
      void this.#run();
    });
    from.on("error", () => this.#reset());
  }

  /** A reset overtakes nothing that came before it, and waits for nobody. */
  #reset(): void {
    if (this.#into.destroyed) return;
    if (this.#bytes > 0) this.#into.write(this.#takeAll());
    // A FIN that is on its way can't be overtaken: libuv refuses, and Node before 24 leaves the socket.
    if (this.#into.writableEnded && !this.#into.writableFinished) this.#into.destroy();
    else this.#into.resetAndDestroy();
  }

  /** Writes until nothing waits. */
  async #run(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    await this.#wait();
    while (this.#bytes > 0 && !this.#into.destroyed) {
      const piece = this.#pace === "coalesce" ? this.#takeAll() : this.#cut(this.#pace.cut);
      this.#count();
      // Resolves when the system has it: a reader that stops holds this lane's source back.
      await new Promise<void>((resolve) => this.#into.write(piece, () => resolve()));
      if (this.#bytes <= MAX_WAITING_BYTES) this.#from.resume();
      await this.#wait();
    }
    this.#busy = false;
    if (this.#ended && this.#bytes === 0) this.#into.end();
  }

  async #wait(): Promise<void> {
    if (this.#pace === "coalesce") {
      await sleep(MAX_HOLD_MS * 0.4 + this.#random.next(MAX_HOLD_MS * 0.6));
    } else {
      await turn();
    }
  }

  #takeAll(): Buffer {
    const all = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#bytes = 0;
    return all;
  }

  /** Takes 1 to `most` bytes; each order of magnitude is as likely as another. */
  #cut(most: number): Buffer {
    const wanted = Math.floor(most ** (this.#random.next(1024) / 1023));
    const [first = Buffer.alloc(0)] = this.#waiting;
    const piece = first.subarray(0, wanted);
    if (piece.length < first.length) this.#waiting[0] = first.subarray(piece.length);
    else this.#waiting.shift();
    this.#bytes -= piece.length;
    return piece;
  }
}
