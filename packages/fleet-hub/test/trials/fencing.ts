import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { until } from "./failover.ts";
import { DarkPath } from "./support/dark-path.ts";
import { type MembersChild, Place } from "./support/place.ts";
import { type Found, Marks } from "./support/results.ts";

export interface FencingOptions {
  readonly rounds: number;
  /** Processes of members, members in each, and strict parts in all. */
  readonly processes: number;
  readonly members: number;
  readonly parts: number;
  readonly ttlS: number;
  /** The longer of the two times that the engine is killed for. */
  readonly engineS: number;
  /** The order of the rounds. */
  readonly seed: number;
}

/** A user asks every part at every process so often, ms. */
const ASK_MS = 25;

/** Paths, processes and the engine fail in random order; users must never see a lower epoch after a higher one. */
export async function fencingTrial(options: FencingOptions): Promise<Found> {
  const { rounds, processes, members, parts, ttlS, engineS } = options;
  const marks = new Marks("fencing");
  const place = await Place.start();
  const paths: DarkPath[] = [];
  const users: User[] = [];
  const seen = new Seen();
  try {
    await place.hub();
    await place.hub();
    for (let n = 0; n < processes; n += 1) {
      const group = await place.join(place.process(), members, { pool: "" });
      const path = await DarkPath.open(place.enginePort);
      paths.push(path);
      await group.calls.ask("start", { tell: false, servers: [`nats://127.0.0.1:${path.port}`] });
      await group.calls.ask("lease");
      users.push(new User(await group.calls.ask<number>("listen"), n, seen));
    }
    const keys: string[] = [];
    for (let n = 0; n < parts; n += 1) {
      const { sid } = await place.ask<{ sid: string }>("POST", "/fleet/services", {
        alias: `p${n}`,
        policy: { failover: "strict", ttl: ttlS },
        parts: [{ url: "server://0.0.0.0:auto/127.0.0.1:80", selector: "pool" }],
      });
      keys.push(`${sid}/0`);
    }
    for (const user of users) user.ask(keys);
    const allServe = () => seen.servedWithin(1000) === parts;
    await until(90_000, "all parts serve", async () => allServe());

    const ttlMs = ttlS * 1000;
    const random = generator(options.seed);
    const pick = <Value>(from: readonly Value[]): Value => {
      const value = from[Math.floor(random() * from.length)];
      if (value === undefined) throw new Error("nothing to pick from");
      return value;
    };
    const frozen = async (pid: number, ms: number) => {
      process.kill(pid, "SIGSTOP");
      await delay(ms);
      process.kill(pid, "SIGCONT");
    };
    const dark = async (ms: number) => {
      const path = pick(paths);
      path.dark(true);
      await delay(ms);
      path.dark(false);
    };
    const freezeLeader = async (ms: number) => {
      const leader = await place.leader();
      if (leader !== undefined) await frozen(leader.pid, ms);
    };
    const killEngine = async (ms: number) => {
      await place.engine.kill();
      await delay(ms);
      await place.engine.restart();
    };
    const happenings: Record<string, () => Promise<unknown>> = {
      "dark path": () => dark(ttlMs + 4000),
      "frozen members": () => frozen(pick<MembersChild>(place.groups).pid, ttlMs + 3000),
      "frozen hub": () => freezeLeader(8000),
      // Members are lost, and the hub that is about to give their parts away stands still in that moment.
      "hub frozen as it decides": () =>
        Promise.all([
          dark(ttlMs + 12_000),
          delay(ttlMs + 900 + random() * 600).then(() => freezeLeader(8000)),
        ]),
      "frozen engine": async () => {
        place.engine.freeze();
        await delay(ttlMs + 2000);
        place.engine.thaw();
      },
      "engine killed for 2 s": () => killEngine(2000),
      "engine killed for long": () => killEngine(engineS * 1000),
    };
    const names = Object.keys(happenings);
    const order: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      // Each one once before any comes again, in another order each time.
      const due = names.filter(
        (name) => !order.slice(order.length - (order.length % names.length)).includes(name),
      );
      const name = pick(due);
      order.push(name);
      // Members that were lost in the rounds before do not count as lost at once.
      await place.ask("POST", "/fleet/failover/resume").catch(() => undefined);
      await happenings[name]?.();
      await until(120_000, `all parts serve again after: ${name}`, async () => {
        if (!allServe()) await place.ask("POST", "/fleet/failover/resume").catch(() => undefined);
        return allServe();
      });
    }
    marks.note("rounds", order.join(", "));
    marks.note(
      "answers that users had; takeovers that they saw",
      `${seen.answers}; ${seen.takeovers}`,
    );
    marks.is("a lower epoch after a higher one, or two owners of one", seen.wrong.length, 0);
    if (seen.wrong.length > 0) marks.note("first", seen.wrong[0] ?? "");
    // Nothing is shown by rounds in which nobody took anything over.
    marks.is("somebody took something over", String(seen.takeovers > 0), "true");
    return marks.found();
  } finally {
    for (const user of users) user.close();
    for (const path of paths) path.close();
    await place.close();
  }
}

/** What users were answered, in the order in which it came. */
class Seen {
  answers = 0;
  takeovers = 0;
  readonly wrong: string[] = [];
  readonly #last = new Map<string, { epoch: number; from: number; at: number }>();

  note(key: string, from: number, epochs: readonly number[]): void {
    this.answers += 1;
    if (epochs.length > 1) this.wrong.push(`${key}: epochs ${epochs} at once in process ${from}`);
    for (const epoch of epochs) {
      const last = this.#last.get(key);
      if (
        last !== undefined &&
        (epoch < last.epoch || (epoch === last.epoch && from !== last.from))
      ) {
        this.wrong.push(
          `${key}: epoch ${epoch} of process ${from} after ${last.epoch} of ${last.from}`,
        );
      }
      if (last !== undefined && epoch > last.epoch) this.takeovers += 1;
      this.#last.set(key, { epoch, from, at: performance.now() });
    }
  }

  /** Parts that somebody served in the last so many ms. */
  servedWithin(ms: number): number {
    const since = performance.now() - ms;
    return [...this.#last.values()].filter(({ at }) => at > since).length;
  }
}

/** Asks one process for all parts, for ever: the next time when it is answered. */
class User {
  readonly #socket: Socket;
  #timer: NodeJS.Timeout | undefined;

  constructor(port: number, from: number, seen: Seen) {
    this.#socket = connect(port, "127.0.0.1");
    let rest = "";
    this.#socket.on("error", () => this.#socket.destroy());
    this.#socket.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const [key = "", epochs = "-"] = line.split(" ");
        if (epochs !== "-") seen.note(key, from, epochs.split(",").map(Number));
      }
    });
  }

  ask(keys: readonly string[]): void {
    const line = `${keys.join("\n")}\n`;
    this.#timer = setInterval(() => {
      // One that stands still is asked a little, and answers when it wakes.
      if (this.#socket.writableLength < 65_536) this.#socket.write(line);
    }, ASK_MS);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#socket.destroy();
  }
}

/** A random number from 0 to 1, the same ones for the same seed. Numerical Recipes' LCG. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
