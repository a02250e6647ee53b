import { type HostPort, parseTunnelUrl } from "@nodepass/url-config";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { LogRecord } from "../tunnel-reports.ts";
import { createContext } from "../tunnels/create-context.ts";
import { TargetHealth } from "./target-health.ts";

const REFUSED = new Error("connect ECONNREFUSED");

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function health(targets: string) {
  const logs: LogRecord[] = [];
  const settings = parseTunnelUrl(`client://127.0.0.1:9/${targets}?mode=1`);
  if (settings.scheme !== "client") throw new Error("no client");
  const sink = {
    emitLog: (record: LogRecord) => logs.push(record),
    hasLogListener: () => true,
    connectionListener: () => undefined,
  };
  const made = new TargetHealth(createContext(settings, {}, sink), "tcp");
  const ports = (user: object) => made.turn(user).map(({ port }) => port);
  return { made, logs, ports, targets: settings.targets };
}

test("targets that work are taken in turn, and a probe takes nobody's", () => {
  const { made, ports } = health("127.0.0.1:1,127.0.0.1:2,127.0.0.1:3");
  expect(ports({})).toEqual([1, 2, 3]);
  expect(made.listed().map(({ port }) => port)).toEqual([1, 2, 3]);
  expect(ports({})).toEqual([2, 3, 1]);
  expect(ports({})).toEqual([3, 1, 2]);
});

test("a rest doubles from a second to a minute, and one user at a time ends it", () => {
  const { made, logs, ports, targets } = health("127.0.0.1:1,127.0.0.1:2");
  const [first] = targets;
  if (first === undefined) throw new Error("no target");
  made.failed(first, REFUSED);
  // However many users met it.
  made.failed(first, REFUSED);
  const rests: number[] = [];
  for (let trial = 0; trial < 8; trial++) {
    let ms = 0;
    const user = {};
    for (; ; ms += 500, vi.advanceTimersByTime(500)) {
      const [tried] = [ports(user), ports({})].map(([port]) => port);
      if (tried === 1) break;
    }
    rests.push(ms);
    // Others leave it alone while this one tries it.
    expect(ports({})).toEqual([2, 1]);
    expect(ports({})).toEqual([2, 1]);
    made.failed(first, REFUSED);
  }
  expect(rests).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  made.worked(first);
  expect(ports({})).toEqual([1, 2]);
  expect(logs.map(({ message }) => message)).toEqual(["target rests", "target serves again"]);
  expect(made.states()[0]).toEqual({
    target: "127.0.0.1:1",
    protocol: "tcp",
    resting: false,
    failures: 0,
    reason: undefined,
  });
});

test("all resting: all are tried", () => {
  const { made, ports, targets } = health("127.0.0.1:1,127.0.0.1:2");
  for (const target of targets) made.failed(target, REFUSED);
  expect([ports({}), ports({})]).toEqual([
    [1, 2],
    [2, 1],
  ]);
});

test("a single target never rests, and its log has the changes only", () => {
  const { made, logs, targets } = health("127.0.0.1:1");
  const [target] = targets;
  if (target === undefined) throw new Error("no target");
  made.worked(target);
  for (let user = 0; user < 20; user++) made.failed(target, REFUSED);
  expect(made.states()).toMatchObject([{ resting: false }]);
  const which = { target: "127.0.0.1:1", protocol: "tcp" };
  const fails = {
    level: "warn",
    message: "target fails",
    fields: { ...which, reason: REFUSED.message },
  };
  expect(logs).toEqual([fails]);
  for (let user = 0; user < 20; user++) made.worked(target);
  expect(logs).toEqual([fails, { level: "info", message: "target serves again", fields: which }]);
  made.failed(target, REFUSED);
  expect(logs.at(-1)).toEqual(fails);
});

/** The same targets again, as an update brings them: other objects. */
const copy = (targets: readonly HostPort[]) => targets.map((target) => ({ ...target }));

test.each(["worked", "failed", "given up"])(
  "a trial that goes on while the targets are set anew ends: %s",
  (outcome) => {
    const { made, ports, targets } = health("127.0.0.1:1,127.0.0.1:2");
    const [first] = targets;
    if (first === undefined) throw new Error("no target");
    const trier = {};
    made.doubt(first, trier);
    expect(ports({})).toEqual([2, 1]);
    made.setTargets(copy(targets));
    expect(ports({})).toEqual([2, 1]);
    expect(made.tries(first, trier)).toBe(true);
    if (outcome === "worked") made.worked(first);
    else if (outcome === "failed") made.failed(first, REFUSED);
    else made.giveUp(first, trier);
    vi.advanceTimersByTime(2000);
    const begins = [ports({})[0], ports({})[0]];
    expect(begins).toContain(1);
  },
);

test("a target that was the only one for a while is a first choice again", () => {
  const { made, ports, targets } = health("127.0.0.1:1,127.0.0.1:2");
  const [first] = targets;
  if (first === undefined) throw new Error("no target");
  const trier = {};
  made.doubt(first, trier);
  made.setTargets(copy([first]));
  expect(made.states()).toMatchObject([{ resting: false, failures: 0 }]);
  made.giveUp(first, trier);
  made.setTargets(copy(targets));
  expect([ports({}), ports({})]).toEqual([
    [1, 2],
    [2, 1],
  ]);
});
