import { createHash, randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { ScriptedTarget } from "../../support/scripted-target.ts";

/** A connection of the load that has not ended by itself in this time has failed, ms. */
const LONGEST_MS = 30_000;
/** Large enough for bulk buffers and back pressure. */
const BULK_BYTES = 2 * 1024 * 1024;
/** Once each second, of each but the short ones. */
const OTHERS_EVERY_MS = 1000;

type Kind =
  | "short"
  | "bulk"
  | "half-close"
  | "reset by user"
  | "reset by target"
  | "udp"
  | "lasting";

export interface SoakLoadOptions {
  /** Echoes; its behaviour is taken over. */
  readonly target: ScriptedTarget;
  readonly entry: { readonly host: string; readonly port: number };
  /** Short connections a second. */
  readonly rate: number;
}

/** Users of every kind at a constant rate, each checked to the byte. */
export class SoakLoad {
  done = 0;
  readonly errors: string[] = [];
  /** Failed while an end was restarting: they were open then. */
  cut = 0;
  /** When an end had gone, `performance.now()`, or infinity while it goes: what begins later has no excuse. */
  restartedAt = Number.NEGATIVE_INFINITY;
  readonly kinds: Partial<Record<Kind, number>> = {};
  readonly #options: SoakLoadOptions;
  readonly #running = new Set<Promise<void>>();
  #timers: NodeJS.Timeout[] = [];

  constructor(options: SoakLoadOptions) {
    this.#options = options;
    options.target.onTcp = (socket) => serve(socket);
  }

  start(): void {
    if (this.#timers.length > 0) return;
    const { rate } = this.#options;
    this.#timers = [
      setInterval(() => this.#begin("short", () => this.#echo(100)), 1000 / rate),
      setInterval(() => {
        this.#begin("bulk", () => this.#echo(BULK_BYTES));
        this.#begin("half-close", () => this.#halfClose());
        this.#begin("reset by user", () => this.#resetByUser());
        this.#begin("reset by target", () => this.#resetByTarget());
        this.#begin("udp", () => this.#datagrams());
        this.#begin("lasting", () => this.#lasting());
      }, OTHERS_EVERY_MS),
    ];
  }

  /** Runs for `ms`. */
  async run(ms: number): Promise<void> {
    this.start();
    await sleep(ms);
  }

  /** Holds the load and waits until all that runs has ended. */
  async rest(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #begin(kind: Kind, user: () => Promise<void>): void {
    const begunAt = performance.now();
    const ended = user().then(
      () => {
        this.done++;
        this.kinds[kind] = (this.kinds[kind] ?? 0) + 1;
      },
      (error: unknown) => {
        if (begunAt <= this.restartedAt) {
          this.cut++;
          return;
        }
        const now = performance.now();
        const message = error instanceof Error ? error.message : String(error);
        const lived = Math.round(now - begunAt);
        const since = Math.round(now - this.restartedAt);
        this.errors.push(
          `${new Date().toISOString()} ${kind} after ${lived} ms, ${since} ms after a restart: ${message}`,
        );
      },
    );
    this.#running.add(ended);
    void ended.finally(() => this.#running.delete(ended));
  }

  async #dial(order: string): Promise<Socket> {
    const socket = connect({ ...this.#options.entry, allowHalfOpen: true });
    socket.setTimeout(LONGEST_MS, () => socket.destroy(new Error("not served in time")));
    await once(socket, "connect");
    socket.write(order);
    return socket;
  }

  async #echo(bytes: number): Promise<void> {
    const socket = await this.#dial("e");
    const payload = randomBytes(bytes);
    const back = digestOf(socket);
    socket.end(payload);
    expectSame(await back, createHash("sha256").update(payload).digest("hex"), "echo");
  }

  /** The answer comes only after the user's end. */
  async #halfClose(): Promise<void> {
    const socket = await this.#dial("h");
    const back = digestOf(socket);
    // It may fail before it is waited for.
    back.catch(() => {});
    await sleep(50);
    socket.end("question");
    expectSame(
      await back,
      createHash("sha256").update("answer to question").digest("hex"),
      "answer",
    );
  }

  async #resetByUser(): Promise<void> {
    const socket = await this.#dial("e");
    socket.write(randomBytes(20_000));
    await once(socket, "data");
    socket.resetAndDestroy();
  }

  async #resetByTarget(): Promise<void> {
    const socket = await this.#dial("r");
    const error: unknown = await digestOf(socket).catch((reason: unknown) => reason);
    if (!(error instanceof Error && /ECONNRESET/.test(error.message))) {
      throw new Error("the target's reset did not arrive");
    }
  }

  /** Some seconds of small talk. */
  async #lasting(): Promise<void> {
    const socket = await this.#dial("e");
    for (let round = 0; round < 10; round++) {
      socket.write(`round ${round}`);
      await once(socket, "data");
      await sleep(300);
    }
    const back = digestOf(socket);
    socket.end();
    await back;
  }

  async #datagrams(): Promise<void> {
    const socket = createSocket("udp4");
    const { host, port } = this.#options.entry;
    socket.connect(port, host);
    await once(socket, "connect");
    try {
      for (const size of [0, 1, 1200, 9000, 30_000]) {
        const payload = randomBytes(size);
        const back = once(socket, "message", { signal: AbortSignal.timeout(LONGEST_MS) });
        socket.send(payload);
        const [answer] = await back;
        if (!payload.equals(answer)) throw new Error(`datagram of ${size} bytes changed`);
      }
    } finally {
      socket.close();
    }
  }
}

/** The target: the first byte says what to do. */
function serve(socket: Socket): void {
  socket.once("data", (first: Buffer) => {
    const order = String.fromCharCode(first[0] ?? 0);
    if (first.length > 1) socket.unshift(first.subarray(1));
    if (order === "e") {
      socket.pipe(socket);
    } else if (order === "r") {
      socket.write("some bytes", () => socket.resetAndDestroy());
    } else {
      const chunks: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => chunks.push(chunk));
      socket.once("end", () => socket.end(`answer to ${Buffer.concat(chunks)}`));
    }
  });
}

async function digestOf(socket: Socket): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of socket) hash.update(chunk);
  return hash.digest("hex");
}

function expectSame(actual: string, expected: string, what: string): void {
  if (actual !== expected) throw new Error(`${what}: other bytes came back`);
}
