import type { PeerSocket } from "./websocket-114.ts";

/** A step of a replay that never came. */
export class StepTimeout extends Error {
  override readonly name = "StepTimeout";
}

/** A live connection of a replay: what arrived, and waits for more of it. */
export class LiveConn {
  readonly socket: PeerSocket;
  /** The pool's id, eight hex digits; empty until it is known. */
  id = "";
  ended = false;
  #bytes = Buffer.alloc(0);
  readonly #watchers = new Set<() => void>();

  constructor(socket: PeerSocket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#changed();
    });
    const over = () => {
      this.ended = true;
      this.#changed();
    };
    socket.on("end", over);
    socket.on("close", over);
    socket.on("error", over);
  }

  /** All that has arrived and was not taken. */
  get pending(): Buffer {
    return this.#bytes;
  }

  /** Takes what `cut` finds at the front, once it finds something. */
  async take<T>(
    what: string,
    timeoutMs: number,
    cut: (bytes: Buffer) => { readonly value: T; readonly length: number } | undefined,
  ): Promise<T> {
    for (;;) {
      const found = cut(this.#bytes);
      if (found !== undefined) {
        this.#bytes = this.#bytes.subarray(found.length);
        return found.value;
      }
      if (this.ended) throw new StepTimeout(`connection ended where ${what} was due`);
      await this.#change(what, timeoutMs);
    }
  }

  bytes(count: number, what: string, timeoutMs: number): Promise<Buffer> {
    return this.take(what, timeoutMs, (bytes) =>
      bytes.length < count ? undefined : { value: bytes.subarray(0, count), length: count },
    );
  }

  /** Waits for the other end's FIN. */
  async end(what: string, timeoutMs: number): Promise<void> {
    while (!this.ended) await this.#change(what, timeoutMs);
  }

  #change(what: string, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const changed = () => {
        clearTimeout(timer);
        this.#watchers.delete(changed);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#watchers.delete(changed);
        reject(new StepTimeout(`${what} did not come within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#watchers.add(changed);
    });
  }

  #changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

/** Waits for a value that appears by and by; undefined means not yet. */
export async function waitFor<T>(
  what: string,
  timeoutMs: number,
  probe: () => T | undefined,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = probe();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new StepTimeout(`${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The promise's value, or a `StepTimeout`. */
export async function withinMs<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new StepTimeout(`${what} did not come within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
