import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type LimitedProcess, startLimitedProcess } from "./support/limited-process.ts";
import { type ScriptedTarget, startScriptedTarget } from "./support/scripted-target.ts";
import { eventually } from "./support/tunnel-pair.ts";
import { echo, endUsers, openUdpPeer } from "./support/users.ts";

const TUNNELS = 3;
const USERS = 3000;
const DESCRIPTORS = 1024;
/** Report intervals and the end of idle sessions, shorter than those of a host. */
const LIMITS = { reportIntervalMs: 500, udpReadTimeoutMs: 1500, poolGetTimeoutMs: 3000 };

let target: ScriptedTarget;
let ends: LimitedProcess[] = [];
let users: UdpSocket[] = [];

beforeEach(async () => {
  target = await startScriptedTarget();
});

afterEach(async () => {
  endUsers();
  for (const user of users) user.close();
  users = [];
  for (const end of ends.reverse()) await end.close();
  ends = [];
  await target.close();
});

async function start(urls: readonly string[]): Promise<LimitedProcess> {
  const end = await startLimitedProcess(DESCRIPTORS, LIMITS, urls);
  ends.push(end);
  return end;
}

/** What a failure, and who wants the figures, gets to see. */
function figures(): string {
  return JSON.stringify(
    ends.map((end) => ({
      ended: end.ended(),
      descriptors: end.ended() === undefined ? end.descriptors() : undefined,
      pool: end.counters().map(({ pool }) => pool),
      udps: end.counters().map(({ udps }) => udps),
      dropped: end.counters().map(({ udpDropped }) => udpDropped),
    })),
  );
}

test.each([
  [0, 4],
  [0, 0],
  [1, 0],
] as const)(
  "three tunnels with 1,024 descriptors at each end outlive 3,000 UDP users (tls %i, lanes %i)",
  { timeout: 120_000 },
  async (tls, lanes) => {
    const tunnels = Array.from({ length: TUNNELS }, (_, tunnel) => `storm-${tunnel}`);
    const server = await start(
      tunnels.map(
        (key) => `server://${key}@127.0.0.1:0/127.0.0.1:0?mode=1&tls=${tls}&lanes=${lanes}`,
      ),
    );
    await start(
      tunnels.map((key, tunnel) => {
        const { tunnel: port } = server.doors[tunnel] ?? {};
        return `client://${key}@127.0.0.1:${port}/${target.at}?mode=2&min=8`;
      }),
    );
    const entries = server.doors.map(({ entry = 0 }) => ({ host: "127.0.0.1", port: entry }));
    const pools = (end: LimitedProcess) => end.counters().map(({ pool }) => pool);
    await eventually(() => {
      for (const end of ends) expect(pools(end)).toEqual([8, 8, 8]);
    });
    const before = ends.map((end) => end.descriptors());

    const answered = entries.map(() => 0);
    for (let index = 0; index < USERS; index++) {
      const tunnel = index % TUNNELS;
      const user = createSocket("udp4", () => {
        answered[tunnel] = (answered[tunnel] ?? 0) + 1;
      });
      user.on("error", () => {});
      users.push(user);
      user.send("storm", entries[tunnel]?.port ?? 0, "127.0.0.1");
      if (index % 100 === 99) await once(user, "listening");
    }
    const most = ends.map(() => 0);
    // Two seconds at least; a busy machine may not have answered anybody by then.
    for (let round = 0; round < 4 || (round < 60 && answered.includes(0)); round++) {
      const until = Date.now() + 500;
      while (Date.now() < until) {
        ends.forEach((end, at) => {
          expect(end.ended()).toBeUndefined();
          most[at] = Math.max(most[at] ?? 0, end.descriptors());
        });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      users.forEach((user, index) => {
        user.send("again", entries[index % TUNNELS]?.port ?? 0, "127.0.0.1");
      });
    }
    for (const count of answered) expect(count, figures()).toBeGreaterThan(0);

    // Everybody goes. The tunnels serve at once what comes next, though the storm's sessions last.
    for (const user of users.splice(0)) user.close();
    for (const entry of entries) {
      await eventually(async () => {
        expect(String(await echo(entry, Buffer.from("tcp"))), figures()).toBe("tcp");
      });
      const peer = await openUdpPeer(entry);
      await eventually(() => {
        peer.send(Buffer.from("udp"));
        expect(peer.received.length, figures()).toBeGreaterThan(0);
      });
      peer.close();
    }
    const begun = Date.now();
    await eventually(() => {
      ends.forEach((end, at) => {
        expect(end.ended()).toBeUndefined();
        expect(pools(end), figures()).toEqual([8, 8, 8]);
        expect(end.descriptors(), figures()).toBeLessThanOrEqual((before[at] ?? 0) + TUNNELS);
      });
    });
    if (process.env.STORM_FIGURES !== undefined) {
      const tookMs = Date.now() - begun;
      process.stderr.write(
        `${JSON.stringify({ tls, lanes, before, most, answered, shrunkMs: tookMs })} ${figures()}\n`,
      );
    }
  },
);
