import { latenciesOf, NO_COUNTERS } from "@nodepass/model";
import { LATENCY_BOUNDS_MS } from "@nodepass/tunnel-core";
import { parseTunnelUrl } from "@nodepass/url-config";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { pushLatencies } from "./latency-rows.ts";
import { pushCounters, type RunnerCommand, type RunnerReport } from "./messages.ts";
import type { ThreadHandlers } from "./tunnel-thread.ts";
import { type ThreadCrash, WorkerPool } from "./worker-pool.ts";
import type { RunListener } from "./worker-slot.ts";

const SPEC = parseTunnelUrl("client://127.0.0.1:1/127.0.0.1:2");

interface FakeThread {
  readonly name: string;
  readonly commands: RunnerCommand[];
  readonly handlers: ThreadHandlers;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp(threads: number) {
  const started: FakeThread[] = [];
  const crashes: ThreadCrash[] = [];
  const pool = new WorkerPool({
    threads,
    stableMs: 60_000,
    onCrash: (crash) => crashes.push(crash),
    start: (name, handlers) => {
      const thread = { name, handlers, commands: [] as RunnerCommand[] };
      started.push(thread);
      return {
        post: (command) => thread.commands.push(command),
        terminate: (reason) => queueMicrotask(() => handlers.onExit(reason)),
      };
    },
  });
  const thread = (index: number): FakeThread => {
    const found = started[index];
    if (found === undefined) throw new Error(`thread ${index} was not started`);
    return found;
  };
  return { pool, started, crashes, thread };
}

function listen(): RunListener & { readonly heard: string[] } {
  const heard: string[] = [];
  return {
    heard,
    onState: ({ state }) => heard.push(state),
    onCounters: ({ tcprx }) => heard.push(`tcprx ${tcprx}`),
    onPeers: (peers) => heard.push(`peers ${peers.length}`),
    onLog: ({ message }) => heard.push(message),
    onChanged: (outcome) => heard.push(`changed ${outcome}`),
    onAnswer: (ask) => heard.push(`answer ${ask}`),
    onClosed: (reason) => heard.push(`closed ${reason ?? "as asked"}`),
    onLost: (reason) => heard.push(`lost ${reason}`),
  };
}

describe("WorkerPool", () => {
  it("starts threads when they are needed and spreads the runs", () => {
    const { pool, started, thread } = setUp(3);
    expect(pool.threads).toBe(0);
    for (let run = 0; run < 7; run++) pool.open(SPEC, listen());
    expect(started.map(({ name }) => name)).toEqual([
      "nodepass-worker-1",
      "nodepass-worker-2",
      "nodepass-worker-3",
    ]);
    expect([0, 1, 2].map((index) => thread(index).commands.length)).toEqual([3, 2, 2]);
  });

  it("puts servers with one tunnel address into one thread, and spreads the others", () => {
    const { pool, thread } = setUp(2);
    const open = (url: string) => pool.open(parseTunnelUrl(url), listen());
    const runs = [
      open("server://a@127.0.0.1:5/127.0.0.1:1"),
      open("server://b@127.0.0.1:5/127.0.0.1:2"),
      open("server://c@127.0.0.1:5/127.0.0.1:3"),
      open("server://c@127.0.0.1:6/127.0.0.1:4"),
      open("client://c@127.0.0.1:5/127.0.0.1:4?mode=2"),
    ];
    expect(runs).toHaveLength(5);
    const opened = (index: number) =>
      thread(index).commands.map((command) => (command.kind === "open" ? command.run : 0));
    expect([opened(0), opened(1)]).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
  });

  it("hands each report to its run", () => {
    const { pool, thread } = setUp(1);
    const [one, two] = [listen(), listen()];
    pool.open(SPEC, one);
    pool.open(SPEC, two);
    const { handlers } = thread(0);
    const rows: number[] = [];
    pushCounters(rows, 2, { ...NO_COUNTERS, tcprx: 7 });
    handlers.onReport({ kind: "counters", rows });
    handlers.onReport({ kind: "closed", run: 1, reason: "no" });
    handlers.onReport({ kind: "closed", run: 1, reason: "again" });
    expect(one.heard).toEqual(["closed no"]);
    expect(two.heard).toEqual(["tcprx 7"]);
  });

  it("opens a run in the next thread with what it was changed to, if that was done", () => {
    const { pool, started, thread } = setUp(1);
    const one = listen();
    const run = pool.open(SPEC, one);
    const other = { ...SPEC, slot: 7 };
    run.change(other);
    expect(thread(0).commands.at(-1)).toEqual({ kind: "change", run: 1, spec: other });
    thread(0).handlers.onReport({ kind: "changed", run: 1, outcome: "inPlace" });
    run.change({ ...SPEC, slot: 8 });
    thread(0).handlers.onReport({ kind: "changed", run: 1, outcome: "refused" });
    expect(one.heard).toEqual(["changed inPlace", "changed refused"]);
    thread(0).handlers.onExit("boom");
    vi.advanceTimersByTime(1000);
    expect(started.at(-1)?.commands).toEqual([{ kind: "open", run: 1, spec: other }]);
  });

  it("replaces a crashed thread after 1 s, 2 s, 4 s and opens its runs again", async () => {
    const { pool, started, crashes, thread } = setUp(2);
    const [one, two] = [listen(), listen()];
    pool.open(SPEC, one);
    pool.open(SPEC, two);
    for (const waitMs of [1000, 2000, 4000]) {
      thread(started.length === 2 ? 0 : started.length - 1).handlers.onExit("boom");
      expect(crashes.at(-1)).toEqual({
        ...{ thread: "nodepass-worker-1", reason: "boom", runs: 1, waitMs },
      });
      const before = started.length;
      vi.advanceTimersByTime(waitMs - 1);
      expect(started).toHaveLength(before);
      vi.advanceTimersByTime(1);
      expect(started).toHaveLength(before + 1);
      expect(started.at(-1)?.commands).toEqual([{ kind: "open", run: 1, spec: SPEC }]);
    }
    expect(one.heard).toEqual(Array(3).fill("lost its worker crashed: boom"));
    expect(two.heard).toEqual([]);
    expect(pool.crashes).toBe(3);
    // One that has lived long enough is forgiven.
    await vi.advanceTimersByTimeAsync(60_000);
    started.at(-1)?.handlers.onExit("boom");
    expect(crashes.at(-1)?.waitMs).toBe(1000);
  });

  it("uses the other threads while one is away, and the place that is away if it is the only one", async () => {
    const { pool, thread } = setUp(2);
    pool.open(SPEC, listen());
    pool.open(SPEC, listen());
    pool.open(SPEC, listen());
    thread(1).handlers.onExit("boom");
    pool.open(SPEC, listen());
    expect(thread(0).commands).toHaveLength(3);
    thread(0).handlers.onExit("boom");
    const late = listen();
    pool.open(SPEC, late);
    await vi.advanceTimersByTimeAsync(0);
    expect(late.heard).toEqual(["lost its worker is being replaced"]);
  });

  it("takes a crash as the end of runs that were closing, and closes runs that wait", async () => {
    const { pool, started, thread } = setUp(1);
    const [closing, waiting] = [listen(), listen()];
    const first = pool.open(SPEC, closing);
    const second = pool.open(SPEC, waiting);
    first.close(5000);
    thread(0).handlers.onExit("boom");
    expect(closing.heard).toEqual(["closed as asked"]);
    second.close(5000);
    await vi.advanceTimersByTimeAsync(1000);
    expect(waiting.heard).toEqual(["lost its worker crashed: boom", "closed as asked"]);
    expect(started).toHaveLength(1);
  });

  it("ends all runs when it is destroyed, and starts nothing more", async () => {
    const { pool, started, thread } = setUp(2);
    const [one, two] = [listen(), listen()];
    pool.open(SPEC, one);
    pool.open(SPEC, two);
    thread(0).handlers.onExit("boom");
    pool.destroy();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(one.heard.at(-1)).toBe("closed as asked");
    expect(two.heard.at(-1)).toBe("closed as asked");
    expect(started).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("what tunnels have measured", () => {
  const spent = { boundsMs: LATENCY_BOUNDS_MS, counts: LATENCY_BOUNDS_MS.map(() => 0).concat(2) };
  const latencies = latenciesOf(() => ({ ...spent, sumMs: 20_000 }));

  function measured(...runs: number[]): RunnerReport {
    const rows: number[] = [];
    for (const run of runs) pushLatencies(rows, run, latencies);
    return { kind: "latencies", rows };
  }

  it("is asked of every thread, once for all its runs, and is there when all have answered", async () => {
    const { pool, thread } = setUp(2);
    const runs = [0, 1, 2].map(() => pool.open(SPEC, listen()));
    const asked = pool.measure(1000);
    for (const index of [0, 1]) {
      const kinds = thread(index).commands.map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === "measure")).toEqual(["measure"]);
    }
    thread(0).handlers.onReport(measured(1, 99));
    thread(1).handlers.onReport(measured());
    await asked;
    expect(runs.map((run) => run.latencies)).toEqual([latencies, undefined, undefined]);
  });

  it("waits for a silent thread no longer than it is told, and keeps what was told last", async () => {
    const { pool, thread } = setUp(1);
    const run = pool.open(SPEC, listen());
    const first = pool.measure(1000);
    thread(0).handlers.onReport(measured(1));
    await first;
    const second = pool.measure(1000);
    await vi.advanceTimersByTimeAsync(1000);
    await second;
    expect(run.latencies).toEqual(latencies);
  });

  it("does not wait for a thread that crashes, nor ask where none runs", async () => {
    const { pool, started, thread } = setUp(1);
    await pool.measure(1000);
    expect(started).toEqual([]);
    pool.open(SPEC, listen());
    const asked = pool.measure(1000);
    thread(0).handlers.onExit("out of memory");
    await asked;
    pool.destroy();
  });
});
