import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { startScriptedTarget } from "../support/scripted-target.ts";
import { EndProcess } from "./support/end-process.ts";
import { SoakLoad } from "./support/soak-load.ts";

const LIMITS = { reportIntervalMs: 500, udpReadTimeoutMs: 500 };
const ROUND_MS = 5000;
/** Growth that counts after a round: of the heap and of what is outside of it, bytes, and of handles. */
const MAX_BYTES = 2 * 1024 * 1024;
const MAX_HANDLES = 20;

// Ten minutes of it: packages/tunnel-core/scripts/soak.mjs. Both at once: each has processes of its own.
test.concurrent.for([
  { lanes: 1, tls: 1 },
  { lanes: 4, tls: 0 },
])(
  "users of all kinds on lanes leave nothing behind (%o)",
  async ({ lanes, tls }, { onTestFinished }) => {
    const target = await startScriptedTarget();
    onTestFinished(() => target.close());
    const server = await EndProcess.open(
      `server://soak@127.0.0.1:0/127.0.0.1:0?mode=1&tls=${tls}&lanes=${lanes}&max=64`,
      LIMITS,
    );
    onTestFinished(() => server.kill());
    const client = await EndProcess.open(
      `client://soak@127.0.0.1:${server.tunnelPort}/${target.at}?mode=2&min=8`,
      LIMITS,
    );
    onTestFinished(() => client.kill());
    const load = new SoakLoad({
      target,
      entry: { host: "127.0.0.1", port: server.entryPort },
      rate: 50,
    });
    const round = async () => {
      await load.run(ROUND_MS);
      await load.rest();
      // Idle UDP sessions end meanwhile.
      await sleep(LIMITS.udpReadTimeoutMs * 2);
      return Promise.all([server.stats(), client.stats()]);
    };
    const handles = (counts: Readonly<Record<string, number>>): number =>
      Object.values(counts).reduce((total, count) => total + count, 0);
    await round();
    const before = await round();
    await round();
    const after = await round();
    expect(load.errors).toEqual([]);
    expect(load.kinds.bulk).toBeGreaterThan(5);
    for (const [at, end] of after.entries()) {
      const was = before[at];
      if (was === undefined) throw new Error("an end without figures");
      expect(end.counters).toMatchObject({ tcps: 0, udps: 0 });
      expect(end.heapUsed - was.heapUsed).toBeLessThan(MAX_BYTES);
      expect(end.external - was.external).toBeLessThan(MAX_BYTES);
      expect(handles(end.handles) - handles(was.handles)).toBeLessThan(MAX_HANDLES);
    }
  },
);
