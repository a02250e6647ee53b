import { connect, type Socket } from "node:net";
import { KEEP_ALIVE_MS } from "../stream/tcp-stream.ts";
import type { NameCache, ResolvedAddress } from "./name-cache.ts";

/**
 * A second attempt starts beside the first when that has not answered for this long, ms: the
 * connection attempt delay of RFC 8305, section 5, which recommends 250 ms.
 */
export const STAGGER_MS = 300;

/** The address that answered first. */
export interface FirstConnection {
  /** Connected; the caller ends it. */
  readonly socket: Socket;
  readonly address: string;
  /** From the first packet of the attempt that succeeded, ms. */
  readonly latencyMs: number;
}

/**
 * Connects to the address of a name that answers first, as happy eyeballs do (RFC 8305). The cache
 * is told of those that refused, and of those that a later one overtook.
 *
 * @throws what the resolver said, the last system error if all addresses refused, or the signal's
 *   reason
 * @example
 * const { socket } = await connectFirst(names, { host: "example.com", port: 80 }, AbortSignal.timeout(5000));
 */
export async function connectFirst(
  names: NameCache,
  at: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<FirstConnection> {
  const addresses = await unlessAborted(names.resolve(at.host), signal);
  return new Promise((resolve, reject) => new Race(names, at, addresses, signal, resolve, reject));
}

/** A look-up can't be taken back: whoever waits stops waiting. */
async function unlessAborted<T>(wanted: T | Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let abort: () => void = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([wanted, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

class Race {
  readonly #names: NameCache;
  readonly #at: { readonly host: string; readonly port: number };
  readonly #addresses: readonly ResolvedAddress[];
  readonly #signal: AbortSignal;
  readonly #won: (connection: FirstConnection) => void;
  readonly #lost: (error: unknown) => void;
  readonly #running = new Map<Socket, string>();
  readonly #abort = (): void => this.#settle(() => this.#lost(this.#signal.reason));
  #next = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    names: NameCache,
    at: { readonly host: string; readonly port: number },
    addresses: readonly ResolvedAddress[],
    signal: AbortSignal,
    won: (connection: FirstConnection) => void,
    lost: (error: unknown) => void,
  ) {
    this.#names = names;
    this.#at = at;
    this.#addresses = addresses;
    this.#signal = signal;
    this.#won = won;
    this.#lost = lost;
    signal.addEventListener("abort", this.#abort, { once: true });
    this.#start();
  }

  #start(): void {
    clearTimeout(this.#timer);
    const resolved = this.#addresses[this.#next++];
    if (resolved === undefined) return;
    const { address } = resolved;
    const startedAt = performance.now();
    const socket = connect({
      host: address,
      port: this.#at.port,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    });
    this.#running.set(socket, address);
    // Stays after the end: a destroyed socket may still report.
    socket.on("error", (error) => this.#failed(socket, error));
    socket.once("connect", () => {
      const latencyMs = performance.now() - startedAt;
      if (!this.#running.delete(socket)) return;
      this.#settle(() => this.#won({ socket, address, latencyMs }));
    });
    if (this.#next < this.#addresses.length) {
      this.#timer = setTimeout(() => this.#start(), STAGGER_MS);
    }
  }

  #failed(socket: Socket, error: Error): void {
    const address = this.#running.get(socket);
    if (address === undefined) return;
    this.#running.delete(socket);
    this.#names.failed(this.#at.host, address);
    if (this.#next < this.#addresses.length) this.#start();
    else if (this.#running.size === 0) this.#settle(() => this.#lost(error));
  }

  #settle(tell: () => void): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener("abort", this.#abort);
    for (const [socket, address] of this.#running) {
      this.#names.failed(this.#at.host, address);
      socket.destroy();
    }
    this.#running.clear();
    tell();
  }
}
