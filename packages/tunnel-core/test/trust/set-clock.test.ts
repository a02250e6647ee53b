import { once } from "node:events";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { expectNoSockets } from "../support/no-leaks.ts";
import { type ScriptedTarget, startScriptedTarget } from "../support/scripted-target.ts";
import { eventually } from "../support/tunnel-pair.ts";
import { dial, endUsers } from "../support/users.ts";
import { EndProcess } from "./support/end-process.ts";
import { createFakeTime, type FakeTime, findFakeTimeLibrary } from "./support/fake-time.ts";
import { logged } from "./support/log-search.ts";
import { SteadyUsers } from "./support/steady-users.ts";

const KEY = "correct-horse-battery";
const LIMITS = { reportIntervalMs: 500, serviceCooldownMs: 200 };
const HOUR_S = 3600;
const YEAR_S = 365 * 24 * HOUR_S;

const library = findFakeTimeLibrary();
if (library === undefined) {
  console.info("set clock: skipped, needs the package faketime (libfaketimeMT.so.1)");
}

let target: ScriptedTarget;
let clock: FakeTime;
let ends: EndProcess[] = [];

beforeAll(async () => {
  target = await startScriptedTarget();
});

afterEach(async () => {
  endUsers();
  for (const end of ends) await end.kill();
  ends = [];
  clock.close();
});

afterAll(async () => {
  await target.close();
  await expectNoSockets();
});

/** Both ends in processes whose clock is the test's. */
async function openPair(tls: 0 | 1, monotonic: boolean) {
  clock = createFakeTime(library ?? "", monotonic);
  const { env } = clock;
  const at = `server://${KEY}@127.0.0.1:0/127.0.0.1:0?mode=1&tls=${tls}`;
  const server = await EndProcess.open(at, LIMITS, { env });
  ends.push(server);
  const to = `client://${KEY}@127.0.0.1:${server.tunnelPort}/${target.at}?mode=2&min=8`;
  const client = await EndProcess.open(to, LIMITS, { env });
  ends.push(client);
  await eventually(async () => expect((await server.stats()).counters?.pool).toBe(8));
  return { server, client, entry: { host: "127.0.0.1", port: server.entryPort } };
}

/** More users at once than the pool has connections: others have to be dialled. */
async function expectCrowdServed(entry: { host: string; port: number }): Promise<void> {
  const crowd = await Promise.all(Array.from({ length: 30 }, () => dial(entry)));
  await Promise.all(
    crowd.map(async (user) => {
      const answered = once(user, "data");
      user.write("hello");
      await answered;
    }),
  );
  for (const user of crowd) user.destroy();
}

async function expectClock(end: EndProcess, seconds: number): Promise<void> {
  await eventually(async () => {
    const { now } = await end.stats(false);
    expect(Math.abs((now - Date.now()) / 1000 - seconds)).toBeLessThan(60);
  });
}

const cases = [
  // No system sets its monotonic clock back; forward it goes while a machine is suspended.
  { tls: 0, monotonic: false, jumps: [HOUR_S, -HOUR_S, YEAR_S, -YEAR_S, 0] },
  { tls: 1, monotonic: false, jumps: [YEAR_S, -YEAR_S] },
  { tls: 0, monotonic: true, jumps: [60, HOUR_S] },
  { tls: 1, monotonic: true, jumps: [YEAR_S] },
] as const;

// The library belongs to a system package that not every machine has.
describe.skipIf(library === undefined)("a clock that is set while the tunnel serves", () => {
  test.each(cases)(
    "costs nobody his connection: tls $tls, monotonic clock too: $monotonic",
    async ({ tls, monotonic, jumps }) => {
      const { server, client, entry } = await openPair(tls, monotonic);
      const lasting = await dial(entry);
      const users = new SteadyUsers({ entry, rate: 50 });
      await users.run(200);
      for (const seconds of jumps) {
        clock.set(seconds);
        await Promise.all([expectClock(server, seconds), expectClock(client, seconds)]);
        await expectCrowdServed(entry);
        // Several report intervals: who counts the silence of the peer counts it now.
        await users.run(3 * LIMITS.reportIntervalMs);
      }
      await users.stop();
      expect(users.failed).toEqual([]);
      expect(users.records.length).toBeGreaterThan(50);
      const answered = once(lasting, "data");
      lasting.write("still");
      await answered;
      for (const end of [server, client]) {
        expect(logged(end.logs, "session ended")).toBe(false);
        expect(end.state).toBe("running");
        expect(end.output).toBe("");
      }
      const ping = (await server.stats()).counters?.ping ?? -1;
      expect(ping).toBeGreaterThan(0);
    },
  );
});
