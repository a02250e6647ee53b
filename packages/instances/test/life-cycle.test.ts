import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type EchoServer, exchange, startEcho } from "./support/echo-server.ts";
import {
  type RealMaster,
  type RealMasterOptions,
  realMaster,
  untilInstance,
} from "./support/real-master.ts";

const BYTES = 100_000;

describe.each([
  ["worker threads", 2],
  ["the main thread", 0],
])("instances in %s", (_name, workers) => {
  let echo: EchoServer;
  let master: RealMaster;
  const opened: RealMaster[] = [];

  async function open(options: RealMasterOptions = {}): Promise<RealMaster> {
    const made = await realMaster({ workers, ...options });
    opened.push(made);
    return made;
  }

  beforeEach(async () => {
    echo = await startEcho();
    master = await open();
  });

  afterEach(async () => {
    for (const each of opened.splice(0).reverse()) await each.close();
    await echo.close();
  });

  const forwarder = () => `client://127.0.0.1:0/127.0.0.1:${echo.port}?mode=1&noudp=1`;

  /** Where an instance listens for users. */
  const entryOf = (id: string, { manager } = master): number =>
    manager.details(id)?.entryAddress?.port ?? 0;

  it("carry traffic, count it, and keep the counts over stops, restarts and masters", async () => {
    const { manager } = master;
    const { id, status } = await manager.create({ url: forwarder() });
    expect(status).toBe("running");
    expect(await exchange(entryOf(id), BYTES)).toBe(BYTES);
    // At once: the last bytes are not lost.
    const stopped = await manager.update(id, { action: "stop" });
    expect(stopped).toMatchObject({ status: "stopped", tcprx: BYTES, tcptx: BYTES, tcps: 0 });
    await manager.update(id, { action: "restart" });
    await exchange(entryOf(id), BYTES);
    await untilInstance(master, id, ({ tcptx }) => tcptx === 2 * BYTES);
    await exchange(entryOf(id), BYTES);
    await master.stop();
    const again = await open({ directory: master.directory });
    await again.manager.start();
    expect(await again.manager.get(id)).toMatchObject({
      ...{ status: "running", tcprx: 3 * BYTES, tcptx: 3 * BYTES },
    });
    await exchange(entryOf(id, again), BYTES);
    await untilInstance(again, id, ({ tcptx }) => tcptx === 4 * BYTES);
    expect(await again.manager.update(id, { action: "reset" })).toMatchObject({
      ...{ status: "running", tcprx: 0, tcptx: 0 },
    });
  });

  it("take over another URL while a connection stays, and send new ones to the new target", async () => {
    const { manager } = master;
    const { id } = await manager.create({ url: forwarder() });
    const entry = entryOf(id);
    const user = connect(entry, "127.0.0.1");
    user.on("error", () => {});
    user.write("before");
    const [before] = await once(user, "data");
    expect(String(before)).toBe("before");

    const other = await startEcho();
    try {
      const url = forwarder().replace(`:${echo.port}?`, `:${other.port}?`);
      const { changes, status } = await manager.replaceUrl(id, `${url}&slot=5&log=warn`);
      expect({ changes, status }).toEqual({
        changes: { inPlace: ["log", "slot", "targets"], restarted: [] },
        status: "running",
      });
      expect(entryOf(id)).toBe(entry);
      user.write("after");
      const [after] = await once(user, "data");
      expect(String(after)).toBe("after");
      // Only the new target is there for who comes now.
      user.destroy();
      await echo.close();
      expect(await exchange(entry, BYTES)).toBe(BYTES);

      const restarted = await manager.replaceUrl(id, `${url}&slot=5&log=warn&proxy=1&read=1h`);
      expect(restarted.changes).toEqual({ inPlace: ["proxy", "read"], restarted: [] });
      const elsewhere = url.replace("127.0.0.1:0", "127.0.0.2:0");
      const moved = await manager.replaceUrl(id, elsewhere);
      expect(moved.changes.inPlace).toEqual([]);
      expect(moved.changes.restarted).toContain("address");
      expect(master.manager.details(id)?.entryAddress?.host).toBe("127.0.0.2");
    } finally {
      user.destroy();
      await other.close();
      echo = await startEcho();
    }
  });

  it("show a taken port as an error, and run by themselves when it is free", async () => {
    const taken = await startEcho();
    const url = `client://127.0.0.1:${taken.port}/127.0.0.1:${echo.port}?mode=1&noudp=1`;
    const { id, status } = await master.manager.create({ url });
    expect(status).toBe("error");
    expect(master.manager.details(id)?.reason).toContain("in use");
    await taken.close();
    await untilInstance(master, id, (instance) => instance.status === "running");
    expect(await exchange(taken.port, BYTES)).toBe(BYTES);
  });

  it("refuse an address that a running one holds, also one that the system chose", async () => {
    const { manager } = master;
    const { id } = await manager.create({ url: forwarder() });
    const same = `server://0.0.0.0:${entryOf(id)}/127.0.0.1:9?mode=2`;
    await expect(manager.create({ url: same })).rejects.toMatchObject({ code: "CONFLICT" });
    await manager.remove(id);
    expect(await manager.create({ url: same })).toMatchObject({ status: "running" });
  });

  it("tell when a server loses its client, and when it is back", async () => {
    const { manager } = master;
    const server = await manager.create({
      url: `server://secret@127.0.0.1:0/127.0.0.1:0?mode=1&tls=1&noudp=1`,
    });
    const port = manager.details(server.id)?.tunnelAddress?.port ?? 0;
    const client = await manager.create({
      url: `client://secret@127.0.0.1:${port}/127.0.0.1:${echo.port}?mode=2&min=2`,
    });
    await untilInstance(master, client.id, ({ pool }) => pool > 0);
    expect(await exchange(entryOf(server.id), BYTES)).toBe(BYTES);
    await manager.update(client.id, { action: "stop" });
    await untilInstance(master, server.id, ({ status }) => status === "error");
    await manager.update(client.id, { action: "start" });
    await untilInstance(master, server.id, ({ status }) => status === "running");
    expect(await exchange(entryOf(server.id), BYTES)).toBe(BYTES);
    await untilInstance(master, client.id, ({ tcprx }) => tcprx === 2 * BYTES);
    expect(await manager.get(client.id)).toMatchObject({ type: "client", mode: 2 });
    const lines = master.events.flatMap((event) => (event.type === "log" ? [event.line] : []));
    expect(lines).toContain("info session established");
    expect(JSON.stringify([lines, master.lines])).not.toContain("secret");
  });
});
