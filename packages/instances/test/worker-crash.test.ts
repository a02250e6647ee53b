import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type EchoServer, exchange, startEcho } from "./support/echo-server.ts";
import { type RealMaster, realMaster, untilInstance } from "./support/real-master.ts";

const BYTES = 10_000;

describe("a crashed worker", () => {
  let echo: EchoServer;
  let master: RealMaster;

  beforeEach(async () => {
    echo = await startEcho();
    master = await realMaster({ workers: 2 });
  });

  afterEach(async () => {
    await master.close();
    await echo.close();
  });

  const create = () =>
    master.manager.create({
      url: `client://127.0.0.1:0/127.0.0.1:${echo.port}?mode=1&noudp=1`,
    });

  const entryOf = (id: string): number => master.manager.details(id)?.entryAddress?.port ?? 0;

  it.each<[string, (master: RealMaster) => unknown, string]>([
    ["that is terminated", ({ workers }) => workers[0]?.terminate(), "exit code 1"],
    // Stands for any error that nobody caught.
    [
      "that throws",
      ({ workers }) => workers[0]?.postMessage(null),
      "Cannot read properties of null (reading 'kind')",
    ],
  ])(
    "%s is replaced and its instances run again, with their counters",
    async (_, crash, reason) => {
      const { manager } = master;
      const lost = await create();
      const kept = await create();
      const port = entryOf(kept.id);
      await exchange(entryOf(lost.id), BYTES);
      await untilInstance(master, lost.id, ({ tcptx }) => tcptx === BYTES);
      await crash(master);
      const away = await untilInstance(master, lost.id, ({ status }) => status === "error");
      expect(away).toMatchObject({ tcprx: BYTES, tcptx: BYTES, tcps: 0 });
      expect(manager.details(lost.id)).toMatchObject({
        reason: `its worker crashed: ${reason}`,
        workerCrashes: 1,
      });
      // All else goes on meanwhile.
      expect(await manager.update(kept.id, { alias: "still here" })).toMatchObject({
        status: "running",
      });
      expect(await exchange(port, BYTES)).toBe(BYTES);
      expect((await create()).status).toBe("running");
      await untilInstance(master, lost.id, ({ status }) => status === "running");
      expect(await exchange(entryOf(lost.id), BYTES)).toBe(BYTES);
      await untilInstance(master, lost.id, ({ tcptx }) => tcptx === 2 * BYTES);
      expect(manager.metrics()).toMatchObject({ running: 3, workers: 2, workerRestarts: 1 });
      expect(master.lines.some((line) => line.startsWith("worker crashed"))).toBe(true);
    },
  );

  it("takes orders for its instances while it is away", async () => {
    const { manager, workers } = master;
    const [first, second, third] = [await create(), await create(), await create()];
    await workers[0]?.terminate();
    await untilInstance(master, first.id, ({ status }) => status === "error");
    expect(await manager.update(first.id, { action: "stop" })).toMatchObject({ status: "stopped" });
    await manager.remove(third.id);
    expect(await manager.update(first.id, { action: "start" })).toMatchObject({
      status: "running",
    });
    expect((await manager.get(second.id))?.status).toBe("running");
  });

  it("costs a master that stops meanwhile nothing", async () => {
    const { id } = await create();
    await exchange(entryOf(id), BYTES);
    await untilInstance(master, id, ({ tcptx }) => tcptx === BYTES);
    await master.workers[0]?.terminate();
    await untilInstance(master, id, ({ status }) => status === "error");
    await master.stop();
    expect((await master.manager.get(id))?.status).toBe("stopped");
    master = await realMaster({ workers: 2, directory: master.directory });
    await master.manager.start();
    expect(await master.manager.get(id)).toMatchObject({ status: "running", tcptx: BYTES });
  });
});
