import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** One user's connection from dial to end. */
export interface UserRecord {
  readonly begunAt: number;
  readonly endedAt: number;
  /** `undefined` if it was served. */
  readonly failure: string | undefined;
}

export interface SteadyUsersOptions {
  readonly entry: { readonly host: string; readonly port: number };
  /** Connections a second. */
  readonly rate: number;
  /** Longest wait for an answer, ms. @default 10000 */
  readonly patienceMs?: number | undefined;
}

const PAYLOAD = Buffer.from("a question of a user");

/** Users at a constant rate, each a connection of its own that is echoed; every one is counted. */
export class SteadyUsers {
  readonly records: UserRecord[] = [];
  readonly #options: SteadyUsersOptions;
  readonly #open = new Set<Socket>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SteadyUsersOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#dial(), 1000 / this.#options.rate);
  }

  async run(ms: number): Promise<void> {
    this.start();
    await sleep(ms);
  }

  /** Begins no more and waits for those who are open. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    while (this.#open.size > 0) await sleep(5);
  }

  #dial(): void {
    const begunAt = performance.now();
    const { entry, patienceMs = 10_000 } = this.#options;
    const socket = connect({ ...entry, allowHalfOpen: true, noDelay: true });
    this.#open.add(socket);
    let received = Buffer.alloc(0);
    let failure: string | undefined = "closed without an answer";
    socket.setTimeout(patienceMs, () => socket.destroy(new Error("no answer in time")));
    socket.on("data", (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
    });
    socket.on("end", () => {
      failure = received.equals(PAYLOAD) ? undefined : `answer of ${received.length} bytes`;
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      failure = error.code ?? error.message;
    });
    socket.once("close", () => {
      this.#open.delete(socket);
      this.records.push({ begunAt, endedAt: performance.now(), failure });
    });
    socket.end(PAYLOAD);
  }

  get failed(): UserRecord[] {
    return this.records.filter(({ failure }) => failure !== undefined);
  }

  /** When somebody who came after `at` was first served, ms after `at`. */
  firstServedAfter(at: number): number | undefined {
    const served = this.records.filter(({ begunAt, endedAt, failure }) => {
      return failure === undefined && begunAt >= at && endedAt >= at;
    });
    return served.length === 0 ? undefined : Math.min(...served.map((one) => one.endedAt)) - at;
  }

  /** A quantile of the times from dial to end of those served since `since`, ms. */
  quantile(share: number, since = 0): number {
    const times = this.records
      .filter(({ failure, begunAt }) => failure === undefined && begunAt >= since)
      .map(({ begunAt, endedAt }) => endedAt - begunAt)
      .sort((a, b) => a - b);
    return times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
  }
}
