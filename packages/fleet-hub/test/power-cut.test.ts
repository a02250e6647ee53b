import { findNatsServer } from "test-support/nats";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { TestFleet } from "./support/test-fleet.ts";

// What a power cut takes beyond a kill, pages that were never synced, is dropped by the trial `power-cut`,
// which needs a disk of its own. The hub refuses an engine that answers before it has synced (engine.test.ts).
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
  return { fleet, engine, hub, member, create };
}

here("an engine that is killed", () => {
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
});
