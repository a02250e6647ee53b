import { type Counters, type Latencies, type LatencyHistogram, NO_COUNTERS } from "@nodepass/model";
import { DEFAULT_ENVIRONMENT, parseTunnelUrl } from "@nodepass/url-config";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FakeTunnels } from "../../test/support/fake-tunnel.ts";
import { createGate } from "../../test/support/gate.ts";
import { eachLatencies } from "./latency-rows.ts";
import { pushCounters, type RunnerReport } from "./messages.ts";
import { TunnelRunner } from "./tunnel-runner.ts";

const URL = "client://127.0.0.1:1/127.0.0.1:2?mode=1";
const SPEC = parseTunnelUrl(URL);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function rowOf(run: number, counters: Partial<Counters>): number[] {
  const rows: number[] = [];
  pushCounters(rows, run, { ...NO_COUNTERS, ...counters });
  return rows;
}

function setUp() {
  const tunnels = new FakeTunnels();
  const reports: RunnerReport[] = [];
  const runner = new TunnelRunner({
    limits: DEFAULT_ENVIRONMENT,
    counterIntervalMs: 250,
    send: (report) => reports.push(report),
    open: tunnels.open,
  });
  const settle = () => vi.advanceTimersByTimeAsync(0);
  const kinds = () => reports.splice(0).map(({ kind }) => kind);
  return { tunnels, reports, runner, settle, kinds };
}

it("sends counters only of tunnels whose counters changed", async () => {
  const { tunnels, reports, runner, settle, kinds } = setUp();
  runner.handle({ kind: "open", run: 1, spec: SPEC });
  runner.handle({ kind: "open", run: 2, spec: SPEC });
  await settle();
  expect(kinds()).toEqual(["state", "state"]);
  vi.advanceTimersByTime(1000);
  expect(reports).toEqual([]);
  tunnels.last.live.tcprx = 5;
  vi.advanceTimersByTime(1000);
  expect(reports.splice(0)).toEqual([{ kind: "counters", rows: rowOf(2, { tcprx: 5 }) }]);
  runner.handle({ kind: "read", run: 1 });
  expect(kinds()).toEqual(["counters"]);
});

it("sends the last counters before it says that a tunnel is closed, and stops its timer", async () => {
  const { tunnels, reports, runner, settle, kinds } = setUp();
  runner.handle({ kind: "open", run: 1, spec: SPEC });
  await settle();
  kinds();
  const gate = createGate();
  tunnels.last.closing = gate.promise;
  runner.handle({ kind: "close", run: 1, timeoutMs: 77 });
  expect(tunnels.last.closeTimeoutMs).toBe(77);
  tunnels.last.live.tcptx = 9;
  gate.open();
  await settle();
  expect(reports).toEqual([
    { kind: "counters", rows: rowOf(1, { tcptx: 9 }) },
    { kind: "closed", run: 1, reason: undefined },
  ]);
  expect(vi.getTimerCount()).toBe(0);
});

it("opens few at once, and drops those that were closed while they waited", async () => {
  const { tunnels, reports, runner, settle } = setUp();
  const gate = createGate();
  tunnels.gate = gate.promise;
  for (let run = 1; run <= 10; run++) runner.handle({ kind: "open", run, spec: SPEC });
  expect(tunnels.opening).toBe(4);
  runner.handle({ kind: "close", run: 10, timeoutMs: 0 });
  expect(reports).toEqual([{ kind: "closed", run: 10, reason: undefined }]);
  gate.open();
  await settle();
  expect(tunnels.opened).toHaveLength(9);
  expect(tunnels.mostOpening).toBe(4);
});

it("closes a tunnel that opens after it was told to close it", async () => {
  const { tunnels, runner, settle, kinds } = setUp();
  const gate = createGate();
  tunnels.gate = gate.promise;
  runner.handle({ kind: "open", run: 1, spec: SPEC });
  runner.handle({ kind: "close", run: 1, timeoutMs: 0 });
  expect(kinds()).toEqual([]);
  gate.open();
  await settle();
  expect(tunnels.last.state).toBe("closed");
  expect(kinds()).toEqual(["closed"]);
});

it("reports what can't be opened and what ends by itself as closed, with the reason", async () => {
  const { tunnels, reports, runner, settle } = setUp();
  tunnels.failures = [new Error("address in use")];
  runner.handle({ kind: "open", run: 1, spec: SPEC });
  runner.handle({ kind: "open", run: 3, spec: SPEC });
  await settle();
  tunnels.last.go("closed", "gone");
  const closed = reports.filter(({ kind }) => kind === "closed");
  expect(closed).toEqual([
    { kind: "closed", run: 1, reason: "address in use" },
    { kind: "closed", run: 3, reason: "gone" },
  ]);
});

it("keeps to the log level of the URL and to a bounded number of lines", async () => {
  const { tunnels, reports, runner, settle } = setUp();
  const levels = ["none", "event", "error", "warn", "info", "debug"];
  for (const [index, level] of levels.entries()) {
    runner.handle({ kind: "open", run: index, spec: parseTunnelUrl(`${URL}&log=${level}`) });
  }
  await settle();
  reports.length = 0;
  for (const tunnel of tunnels.opened) {
    for (const level of ["debug", "info", "warn", "error"] as const) {
      tunnel.emit("log", { level, message: "text", fields: {} });
    }
  }
  const lines = reports.splice(0).map((report) => (report.kind === "log" ? report.run : -1));
  expect(levels.map((_, run) => lines.filter((line) => line === run).length)).toEqual([
    0, 0, 1, 2, 3, 4,
  ]);
  for (let line = 0; line < 1000; line++) {
    tunnels.last.emit("log", { level: "info", message: "text", fields: {} });
  }
  expect(reports.length).toBeLessThanOrEqual(100);
  reports.length = 0;
  await vi.advanceTimersByTimeAsync(1000);
  tunnels.last.emit("log", { level: "info", message: "text", fields: {} });
  expect(reports).toMatchObject([
    { message: "log lines held back", fields: { lines: expect.any(Number) } },
    { message: "text" },
  ]);
});

it("tells of each of several peers when something of them differs, of 64 at most", async () => {
  const { tunnels, reports, runner, settle } = setUp();
  runner.handle({ kind: "open", run: 1, spec: SPEC });
  await settle();
  expect(reports.splice(0).map(({ kind }) => kind)).toEqual(["state"]);
  const carried = { users: 1, tcps: 1, udps: 0, tcprx: 5, tcptx: 6, udprx: 0, udptx: 0 };
  const peer = { address: "192.0.2.1", connected: true, reason: undefined, pool: 2, ping: 3 };
  const peers = (count: number) =>
    Array.from({ length: count }, (_, at) => ({ number: at + 1, ...peer, ...carried }));
  tunnels.last.peerStates = peers(1);
  tunnels.last.setPeer(true);
  await settle();
  expect(reports.splice(0)).toMatchObject([
    { kind: "peers", run: 1, peers: [{ number: 1, reason: "", tcprx: 5 }] },
    { kind: "state" },
  ]);
  runner.handle({ kind: "read", run: 1 });
  expect(reports.splice(0).map(({ kind }) => kind)).toEqual(["counters"]);
  tunnels.last.peerStates = peers(100);
  runner.handle({ kind: "read", run: 1 });
  const [report] = reports.splice(0);
  expect(report?.kind === "peers" && report.peers.length).toBe(64);
  tunnels.last.peerStates = [];
  runner.handle({ kind: "read", run: 1 });
  expect(reports.splice(0)).toMatchObject([{ kind: "peers", peers: [] }, { kind: "counters" }]);
});

it("says which targets rest, when one begins to and when it serves again", async () => {
  const { tunnels, reports, runner, settle } = setUp();
  runner.handle({ kind: "open", run: 1, spec: SPEC });
  await settle();
  expect(reports.splice(0)).toMatchObject([{ kind: "state", restingTargets: [] }]);
  const target = { target: "127.0.0.1:2", protocol: "tcp" } as const;
  tunnels.last.setTarget({ ...target, resting: true, failures: 1, reason: "refused" });
  await settle();
  expect(reports.splice(0)).toMatchObject([
    { kind: "state", restingTargets: [{ ...target, reason: "refused" }] },
  ]);
  tunnels.last.setTarget({ ...target, resting: false, failures: 0, reason: undefined });
  await settle();
  expect(reports.splice(0)).toMatchObject([{ kind: "state", restingTargets: [] }]);
});

it.each([
  ["peer first", ["peer", "state"]],
  ["state first", ["state", "peer"]],
])("tells of a session's begin and of its end once each: %s", async (_order, events) => {
  const { tunnels, reports, runner, settle } = setUp();
  runner.handle({
    kind: "open",
    run: 1,
    spec: parseTunnelUrl("server://k@127.0.0.1:1/127.0.0.1:2"),
  });
  await settle();
  reports.splice(0);
  const tell = async (hasPeer: boolean, state: "running" | "error"): Promise<RunnerReport[]> => {
    for (const event of events) {
      if (event === "peer") tunnels.last.setPeer(hasPeer);
      else tunnels.last.go(state);
      // A session's end comes over some awaits.
      await Promise.resolve();
    }
    await settle();
    return reports.splice(0);
  };
  expect(await tell(false, "error")).toMatchObject([
    { kind: "state", state: "error", link: "down" },
  ]);
  expect(await tell(true, "running")).toMatchObject([
    { kind: "state", state: "running", link: "up" },
  ]);
});

it("says nothing of a state after it has said that the tunnel is closed", async () => {
  const { tunnels, runner, settle, kinds } = setUp();
  runner.handle({ kind: "open", run: 1, spec: SPEC });
  await settle();
  kinds();
  tunnels.last.setPeer(false);
  tunnels.last.go("closed", "gone");
  await settle();
  expect(kinds()).toEqual(["closed"]);
  expect(vi.getTimerCount()).toBe(0);
});

it("tells of a bounded number of resting targets", async () => {
  const { tunnels, reports, runner, settle } = setUp();
  runner.handle({ kind: "open", run: 1, spec: SPEC });
  await settle();
  reports.splice(0);
  tunnels.last.targetStates = Array.from({ length: 100 }, (_, port) => ({
    ...{ target: `127.0.0.1:${port + 1}`, protocol: "tcp" as const },
    ...{ resting: true, failures: 1, reason: "refused" },
  }));
  tunnels.last.setPeer(true);
  await settle();
  const [report] = reports.splice(0);
  expect(report?.kind === "state" && report.restingTargets.length).toBe(64);
});

it("says nothing any more once it is destroyed", async () => {
  const { tunnels, reports, runner, settle } = setUp();
  const gate = createGate();
  runner.handle({ kind: "open", run: 1, spec: SPEC });
  await settle();
  tunnels.gate = gate.promise;
  runner.handle({ kind: "open", run: 2, spec: SPEC });
  reports.length = 0;
  runner.destroy();
  gate.open();
  await settle();
  expect(tunnels.opened.map(({ state }) => state)).toEqual(["closed", "closed"]);
  expect(reports).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

it("tells what its tunnels measured when it is asked, and of those only that measured anything", async () => {
  const { tunnels, reports, runner, settle } = setUp();
  runner.handle({ kind: "open", run: 1, spec: SPEC });
  runner.handle({ kind: "open", run: 2, spec: SPEC });
  await settle();
  tunnels.last.dials = [0.2, 3, 9000];
  vi.advanceTimersByTime(60_000);
  reports.length = 0;
  runner.handle({ kind: "measure" });
  const [report] = reports;
  if (report?.kind !== "latencies") throw new Error(`told ${report?.kind}`);
  const told = new Map<number, Latencies>();
  eachLatencies(report.rows, (run, latencies) => told.set(run, latencies));
  expect([...told.keys()]).toEqual([2]);
  expect(told.get(2)).toEqual(tunnels.last.latencies());
});

it("adds what the tunnels measured that a run has had, those that drain included", async () => {
  const { tunnels, reports, runner, settle } = setUp();
  runner.handle({ kind: "open", run: 1, spec: SPEC });
  await settle();
  const former = tunnels.last;
  former.dials = [10];
  const gate = createGate();
  former.closing = gate.promise;
  runner.handle({ kind: "change", run: 1, spec: parseTunnelUrl(`${URL}&notcp=1`) });
  await settle();
  tunnels.last.dials = [20];
  const ask = (): LatencyHistogram | undefined => {
    reports.length = 0;
    runner.handle({ kind: "measure" });
    const [report] = reports;
    let dial: LatencyHistogram | undefined;
    if (report?.kind === "latencies") {
      eachLatencies(report.rows, (_run, latencies) => {
        dial = latencies.dial;
      });
    }
    return dial;
  };
  former.dials = [10, 30];
  expect(ask()?.sumMs).toBe(60);
  gate.open();
  await settle();
  expect(ask()?.sumMs).toBe(60);
  expect(ask()?.counts.reduce((sum, count) => sum + count)).toBe(3);
});
