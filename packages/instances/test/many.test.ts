import { afterEach, expect, it } from "vitest";
import { type EchoServer, exchange, startEcho } from "./support/echo-server.ts";
import { type RealMaster, realMaster } from "./support/real-master.ts";

const RUNNING = 200;
const STOPPED = 1000;

let master: RealMaster | undefined;
let echo: EchoServer | undefined;

afterEach(async () => {
  await master?.close();
  await echo?.close();
});

it("runs 200 instances beside 1,000 stopped ones, and each of them works", async () => {
  echo = await startEcho();
  const target = `127.0.0.1:${echo.port}`;
  master = await realMaster({ workers: 2 });
  const { manager, directory } = master;
  const urlOf = (index: number): string =>
    `client://127.0.0.1:0/${target}?mode=1&noudp=1&slot=${index + 1}`;
  await Promise.all(
    Array.from({ length: RUNNING }, (_, index) => manager.create({ url: urlOf(index) })),
  );
  // Made stopped the way a state file would have them: what runs is told by `restart`.
  await Promise.all(
    Array.from({ length: STOPPED }, async (_, index) => {
      const { id } = await manager.create({ url: urlOf(index) });
      await manager.update(id, { restart: false, action: "stop" });
    }),
  );
  await master.stop();

  const rssBefore = process.memoryUsage().rss;
  const startedAt = performance.now();
  master = await realMaster({ workers: 2, directory });
  await master.manager.start();
  const startMs = Math.round(performance.now() - startedAt);
  expect(master.manager.metrics()).toMatchObject({ running: RUNNING, stopped: STOPPED, error: 0 });
  const grownMiB = Math.round((process.memoryUsage().rss - rssBefore) / 1024 / 1024);
  process.stdout.write(`${RUNNING} running, ${STOPPED} stopped: ${startMs} ms, +${grownMiB} MiB\n`);

  const list = await master.manager.list();
  expect(list).toHaveLength(RUNNING + STOPPED);
  const running = list.filter(({ status }) => status === "running");
  for (const index of [0, 99, 199]) {
    const { id = "" } = running[index] ?? {};
    expect(await exchange(master.manager.details(id)?.entryAddress?.port ?? 0, 1000)).toBe(1000);
  }
});
