import { ServiceError } from "@nodepass/model";

interface Waiting {
  readonly bytes: number;
  enter(): void;
}

interface Road {
  bytes: number;
  readonly queue: Waiting[];
}

/** How long somebody waits. */
export interface GateOptions {
  /** @throws {ServiceError} `UNAVAILABLE` after so long, ms */
  readonly timeoutMs: number;
  /** Whoever wanted it is gone. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Lets so many bytes be under way on each road; who comes later waits in turn. One alone may always pass,
 * however much it is, and who brings none. How many wait is bounded by whoever uses it.
 */
export class ByteGate {
  readonly #most: number;
  readonly #roads = new Map<string, Road>();

  /** @param most bytes at once on one road */
  constructor(most: number) {
    this.#most = most;
  }

  /** @returns to be called once, when they have arrived @throws {ServiceError} `UNAVAILABLE`; the signal's reason */
  async enter(key: string, bytes: number, options: GateOptions): Promise<() => void> {
    options.signal?.throwIfAborted();
    // A road is kept for as long as bytes are on it, so nobody without any may hold it.
    if (bytes === 0) return () => undefined;
    const road = this.#roads.get(key) ?? { bytes: 0, queue: [] };
    this.#roads.set(key, road);
    if (road.queue.length > 0 || !this.#hasRoom(road, bytes))
      await this.#wait(road, bytes, options);
    else road.bytes += bytes;
    return () => {
      road.bytes -= bytes;
      this.#letIn(road);
      if (road.bytes === 0 && road.queue.length === 0) this.#roads.delete(key);
    };
  }

  #hasRoom(road: Road, bytes: number): boolean {
    return road.bytes === 0 || road.bytes + bytes <= this.#most;
  }

  #letIn(road: Road): void {
    for (let next = road.queue[0]; next !== undefined; next = road.queue[0]) {
      if (!this.#hasRoom(road, next.bytes)) return;
      road.queue.shift();
      road.bytes += next.bytes;
      next.enter();
    }
  }

  #wait(road: Road, bytes: number, { timeoutMs, signal }: GateOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(late);
        signal?.removeEventListener("abort", gone);
      };
      const waiting: Waiting = {
        bytes,
        enter: () => {
          end();
          resolve();
        },
      };
      const leave = (reason: unknown) => {
        end();
        road.queue.splice(road.queue.indexOf(waiting), 1);
        // Whoever stands behind it may be shorter.
        this.#letIn(road);
        reject(reason);
      };
      const gone = () => leave(signal?.reason);
      const late = setTimeout(() => {
        leave(new ServiceError("UNAVAILABLE", "what was sent before it has not arrived in time"));
      }, timeoutMs);
      signal?.addEventListener("abort", gone);
      road.queue.push(waiting);
    });
  }
}
