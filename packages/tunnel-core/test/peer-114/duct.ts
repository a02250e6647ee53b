import type { PeerSocket } from "./websocket-114.ts";

/** Who takes what arrives on a duct. */
export interface DuctSink {
  data(chunk: Buffer): void;
  /** The other end closed its write side. */
  end(): void;
  /** The socket is gone, whatever the reason. */
  close(): void;
}

/** What an idle duct reports. */
export type IdleEvent = "data" | "end" | "close";

const MOST_HELD_BYTES = 256 * 1024;

/**
 * A socket that keeps what arrives until somebody attaches: the entry may send data before the exit
 * has read the signal. The socket must have been made with `allowHalfOpen`.
 */
export class Duct {
  readonly socket: PeerSocket;
  /** The pool's id, eight hex digits; empty for other sockets. */
  id = "";
  #held: Buffer[] = [];
  #heldBytes = 0;
  #ended = false;
  #closed = false;
  #sink: DuctSink | undefined;
  /** Called while nobody is attached. */
  onIdle: ((event: IdleEvent) => void) | undefined;

  constructor(socket: PeerSocket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      if (this.#sink !== undefined) this.#sink.data(chunk);
      else this.#hold(chunk);
    });
    socket.on("end", () => {
      this.#ended = true;
      if (this.#sink !== undefined) this.#sink.end();
      else this.onIdle?.("end");
    });
    socket.on("error", () => {
      // A close event follows, and a reset ends a 1.14 relay like an EOF.
    });
    socket.on("close", () => {
      this.#closed = true;
      if (this.#sink !== undefined) this.#sink.close();
      else this.onIdle?.("close");
    });
  }

  /** Bytes that wait for a sink. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** The first bytes that wait, at most `length`. */
  peek(length: number): Buffer {
    return Buffer.concat(this.#held).subarray(0, length);
  }

  /** Takes exactly `length` waiting bytes, or none and `undefined` if there are fewer. */
  take(length: number): Buffer | undefined {
    if (this.#heldBytes < length) return undefined;
    const all = Buffer.concat(this.#held);
    const rest = all.subarray(length);
    this.#held = rest.length > 0 ? [rest] : [];
    this.#heldBytes = rest.length;
    return all.subarray(0, length);
  }

  get over(): boolean {
    return this.#ended || this.#closed;
  }

  /** Hands over what waits, then everything as it comes. */
  attach(sink: DuctSink): void {
    this.onIdle = undefined;
    this.#sink = sink;
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    if (this.socket.isPaused()) this.socket.resume();
    for (const chunk of held) sink.data(chunk);
    if (this.#ended) sink.end();
    if (this.#closed) sink.close();
  }

  /** Closes both ways once all that was written is out. */
  finish(): void {
    this.socket.destroySoon();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #hold(chunk: Buffer): void {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > MOST_HELD_BYTES) this.socket.pause();
    this.onIdle?.("data");
  }
}

/**
 * Copies raw bytes both ways and, as 1.14 does in a dual-end tunnel, answers the first EOF from
 * either side by closing both ways of both sides.
 */
export function relayTcp(a: Duct, b: Duct, closed: () => void): void {
  let over = false;
  const closeBoth = () => {
    if (over) return;
    over = true;
    a.finish();
    b.finish();
    closed();
  };
  const pump = (from: Duct, to: Duct) => {
    to.socket.on("drain", () => from.socket.resume());
    from.attach({
      data: (chunk) => {
        if (to.socket.writable && !to.socket.write(chunk)) from.socket.pause();
      },
      end: closeBoth,
      close: closeBoth,
    });
  };
  pump(a, b);
  pump(b, a);
}
