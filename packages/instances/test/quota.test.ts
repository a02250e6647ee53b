import { readFileSync } from "node:fs";
import { expect, it, onTestFinished, vi } from "vitest";
import { exchange, startEcho } from "./support/echo-server.ts";
import { type RealMaster, realMaster, untilInstance } from "./support/real-master.ts";

/** The command in docs/many-to-many.md. */
function documentedUrl(port: number): string {
  const document = readFileSync(new URL("../../../docs/many-to-many.md", import.meta.url), "utf8");
  const [, url = ""] = /\n## Quotas\n[\s\S]*?^nodepass '([^']+)'/m.exec(document) ?? [];
  return url
    .replace("127.0.0.1:8080", "127.0.0.1:0")
    .replace("127.0.0.1:80?", `127.0.0.1:${port}?`);
}

const entryOf = ({ manager }: RealMaster, id: string): number =>
  manager.details(id)?.entryAddress?.port ?? 0;

/** What was told of an instance: its lines, and its quota in updates. */
const warningsOf = ({ events }: RealMaster): string[] =>
  events.flatMap((event) => (event.type === "log" && /quota/.test(event.line) ? [event.line] : []));

it("counts over restarts, warns by events, stops with a reason and goes on with more", async () => {
  const echo = await startEcho();
  onTestFinished(() => echo.close());
  const first = await realMaster();
  let master = first;
  onTestFinished(() => master.close());
  const url = documentedUrl(echo.port);
  const { id, quota } = await master.manager.create({ url });
  expect(quota).toMatchObject({ limit: 1_000_000, used: 0 });
  expect(quota?.resets).toMatch(/-15T00:00:00\.000Z$/);
  expect(await exchange(entryOf(master, id), 300_000)).toBe(300_000);
  await untilInstance(master, id, ({ quota: now }) => now?.used === 600_000);
  // A reset of the counters gives nothing back, nor does a restart of instance or master.
  await master.manager.update(id, { action: "reset" });
  await master.manager.update(id, { action: "restart" });
  expect(await master.manager.get(id)).toMatchObject({ tcprx: 0, quota: { used: 600_000 } });
  await master.stop();
  master = await realMaster({ directory: master.directory });
  await master.manager.start();
  expect(await master.manager.get(id)).toMatchObject({
    status: "running",
    quota: { used: 600_000 },
  });
  await exchange(entryOf(master, id), 110_000);
  await vi.waitFor(() => expect(warningsOf(master)).toEqual(["warn 80 % of the quota is used"]));
  await exchange(entryOf(master, id), 70_000);
  await vi.waitFor(() => expect(warningsOf(master)).toHaveLength(2));
  expect(master.events).toContainEqual(
    expect.objectContaining({
      type: "update",
      instance: expect.objectContaining({ quota: expect.objectContaining({ used: 960_000 }) }),
    }),
  );
  await exchange(entryOf(master, id), 30_000);
  await untilInstance(master, id, ({ status }) => status === "stopped");
  const stopped = await master.manager.get(id);
  expect(stopped?.reason).toMatch(/^quota of 1MB\/month is used up, it begins anew at 20/);
  expect(warningsOf(master).at(-1)).toMatch(/^error quota is used up/);
  // Not before there is something left: neither by an action nor by a restart of the master.
  expect(await master.manager.update(id, { action: "start" })).toMatchObject({ status: "stopped" });
  await master.stop();
  master = await realMaster({ directory: master.directory });
  await master.manager.start();
  expect(await master.manager.get(id)).toMatchObject({
    status: "stopped",
    reason: stopped?.reason,
  });
  const more = await master.manager.replaceUrl(id, url.replace("1MB", "2MB"));
  expect(more).toMatchObject({ status: "running", reason: "", quota: { limit: 2_000_000 } });
  expect(await exchange(entryOf(master, id), 1000)).toBe(1000);
  // In place, and over it at once.
  await master.manager.replaceUrl(id, url.replace("1MB", "1.01MB"));
  await untilInstance(master, id, ({ status }) => status === "stopped");
  const none = await master.manager.replaceUrl(id, url.replace("quota=1MB/month&", ""));
  expect(none.status).toBe("running");
  expect(none.quota).toBeUndefined();
});

it("begins again by itself when the next period begins", async () => {
  const echo = await startEcho();
  onTestFinished(() => echo.close());
  let now = Date.parse("2026-11-26T23:59:58Z");
  const master = await realMaster({ now: () => now });
  onTestFinished(() => master.close());
  const url = `client://127.0.0.1:0/127.0.0.1:${echo.port}?mode=1&quota=10KB/day`;
  const { id } = await master.manager.create({ url });
  await exchange(entryOf(master, id), 20_000);
  await untilInstance(master, id, ({ status }) => status === "stopped");
  now = Date.parse("2026-11-27T00:00:01Z");
  await untilInstance(master, id, ({ status }) => status === "running");
  expect(await master.manager.get(id)).toMatchObject({ quota: { used: 0 }, reason: "" });
});
