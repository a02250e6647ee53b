import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findNatsServer } from "test-support/nats";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { TestFleet } from "./support/test-fleet.ts";

// What a power cut takes beyond a kill, pages that were never synced, no test here can drop: that needs a
// file system of its own. The hub refuses an engine that answers before it has synced (engine.test.ts).
const here = findNatsServer() === undefined ? describe.skip : describe;
const LONG = { timeout: 60_000, interval: 100 };

async function started() {
  const fleet = await TestFleet.start();
  onTestFinished(() => fleet.close());
  const [engine] = fleet.servers;
  if (engine === undefined) throw new Error("no engine");
  const hub = await fleet.hub();
  const admin = fleet.admin(hub);
  const member = await fleet.member(hub);
  const part = {
    url: "server://0.0.0.0:auto/127.0.0.1:80",
    master: member.identity.mid,
    running: true,
  };
  const create = (alias: string) =>
    hub.fleet.createService(admin, {
      alias,
      tags: {},
      policy: { failover: "off", ttl: 15, failback: "never" },
      parts: [part],
    });
  const aliases = () => hub.fleet.services(admin).map(({ alias }) => alias);
  return { fleet, engine, hub, admin, member, create, aliases };
}

here("an engine that is cut off", () => {
  test("in the middle of many writes keeps each one that it has acknowledged", async () => {
    const { fleet, engine, hub, member, create } = await started();
    const acknowledged: string[] = [];
    let isOver = false;
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let n = 0; !isOver; n += 1) {
        const alias = `w${writer}-${n}`;
        // Whatever was under way when it died may be there or not.
        await create(alias).then(
          () => acknowledged.push(alias),
          () => undefined,
        );
      }
    });
    await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(60), LONG);
    await engine.kill();
    isOver = true;
    await Promise.all(writers);
    await hub.close();
    await engine.restart();
    const after = await fleet.hub();
    const there = new Set(after.fleet.services(fleet.admin(after)).map(({ alias }) => alias));
    expect(acknowledged.filter((alias) => !there.has(alias))).toEqual([]);
    // And its member has them all, also those of which it could not be told then.
    await vi.waitFor(() => {
      const held = new Set([...member.parts.values()].map(({ order }) => order.alias));
      expect(acknowledged.filter((alias) => !held.has(alias))).toEqual([]);
    }, LONG);
  }, 120_000);

  test("and comes back as it was an hour ago stops nothing, and the alarm store-older is raised", async () => {
    const { fleet, engine, hub, admin, member, create } = await started();
    await create("old");
    await engine.stop();
    const copy = await mkdtemp(join(tmpdir(), "nodepass-hour-"));
    onTestFinished(() => rm(copy, { recursive: true, force: true }));
    await cp(engine.place.dir, copy, { recursive: true });
    const again = member.nextSync();
    await engine.restart();
    await again;
    // A try that fails may have been stored all the same, and a name is one service's: each try has its own.
    let tries = 0;
    const made = await vi.waitFor(() => create(`since then ${++tries}`), LONG);
    const held = () => [...member.parts.values()].map(({ order }) => order.alias);
    expect(held()).toContain(made.alias);

    await engine.kill();
    await rm(engine.place.dir, { recursive: true });
    await cp(copy, engine.place.dir, { recursive: true });
    const synced = member.nextSync();
    await engine.restart();
    await synced;
    await vi.waitFor(() => {
      expect(hub.fleet.info(admin).alarms.map(({ alarm }) => alarm)).toContain("store-older");
    }, LONG);
    const other = await fleet.hub({ id: "other" });
    await vi.waitFor(() => {
      expect(other.index.services.size).toBe(1);
    }, LONG);
    expect(member.parts.has(`${made.sid}/0`)).toBe(true);
    expect(member.evicted).toBeUndefined();
    // Whoever reads what it was, and what has happened, has both.
    expect(held()).toEqual(expect.arrayContaining(["old", made.alias]));
    expect(held().filter((alias) => !/^(?:old|since then \d+)$/.test(alias))).toEqual([]);
  }, 120_000);
});
