import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectNoSockets } from "../support/no-leaks.ts";
import { eventually } from "../support/tunnel-pair.ts";
import { type DarkPath, layDarkPath } from "./support/dark-path.ts";
import { EndProcess } from "./support/end-process.ts";
import { expectLogged } from "./support/log-search.ts";
import { SteadyUsers } from "./support/steady-users.ts";

const REPORT_MS = 500;
const LIMITS = { reportIntervalMs: REPORT_MS, serviceCooldownMs: 200, handshakeTimeoutMs: 1000 };

const laid = layDarkPath();
if (typeof laid === "string") {
  process.stdout.write(`dark path: skipped, no network namespace can be made here: ${laid}\n`);
}

describe.skipIf(typeof laid === "string")("a path that swallows everything", () => {
  let path: DarkPath;
  let server: EndProcess;
  let client: EndProcess;

  beforeAll(async () => {
    if (typeof laid === "string") return;
    path = laid;
    const url = `server://correct-horse@${path.near}:0/127.0.0.1:0?mode=1`;
    server = await EndProcess.open(url, LIMITS);
    client = await EndProcess.open(
      `client://correct-horse@${path.near}:${server.tunnelPort}/127.0.0.1:${await farEcho(path)}?mode=2`,
      LIMITS,
      { wrapper: path.wrapper },
    );
    await eventually(() => expect(client.state).toBe("running"));
  });

  afterAll(async () => {
    await client?.kill();
    await server?.kill();
    await echo?.kill();
    path?.close();
    await expectNoSockets();
  });

  test("is noticed at both ends, and the tunnel is back once it is", async () => {
    const users = new SteadyUsers({
      entry: { host: "127.0.0.1", port: server.entryPort },
      rate: 20,
      patienceMs: 20_000,
    });
    await eventually(async () => expect((await server.stats()).counters?.pool).toBeGreaterThan(0));
    await users.run(300);
    expect(users.failed).toEqual([]);
    const darkAt = performance.now();
    path.drop();
    await Promise.all([
      expectLogged(server.logs, "nothing came from the peer"),
      expectLogged(client.logs, "nothing came from the peer"),
    ]);
    const noticedAt = performance.now();
    path.restore();
    const backAt = performance.now();
    await eventually(() => expect(users.firstServedAfter(backAt)).toBeGreaterThan(0));
    const served = users.firstServedAfter(backAt) ?? 0;
    await users.run(500);
    await users.stop();
    console.info(
      `dark path: noticed at both ends after ${((noticedAt - darkAt) / REPORT_MS).toFixed(1)} report intervals; served ${served.toFixed(0)} ms after its return; ${users.failed.length} of ${users.records.length} users lost`,
    );
    // Who came while it was dark may be lost; who comes after the return is not.
    const late = users.failed.filter(({ begunAt }) => begunAt > backAt + served);
    expect(late).toEqual([]);
    await eventually(async () => {
      expect((await server.stats()).counters?.tcps).toBe(0);
      expect((await client.stats()).counters?.tcps).toBe(0);
    });
  });
});

let echo: EndProcess | undefined;

/** A target at the far end. */
async function farEcho(path: DarkPath): Promise<number> {
  echo = new EndProcess({ wrapper: path.wrapper });
  return echo.echo();
}
