import { findNatsServer } from "test-support/nats";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { TestFleet } from "./support/test-fleet.ts";
import { connectAsHub } from "./trials/support/engine-figures.ts";

const here = findNatsServer() === undefined ? describe.skip : describe;
const LONG = { timeout: 60_000, interval: 50 };

here("what whoever runs the engine has recorded", () => {
  test("makes no dead member look alive to a hub that has begun since", async () => {
    const fleet = await TestFleet.start();
    onTestFinished(() => fleet.close());
    const first = await fleet.hub({ id: "first" });
    const engine = await connectAsHub(fleet.created.hub);
    onTestFinished(() => engine.close());
    const recorded: { readonly subject: string; readonly data: Uint8Array }[] = [];
    engine.subscribe("np.test.hub.>", {
      callback: (_error, { subject, data }) => {
        recorded.push({ subject, data });
      },
    });
    await engine.flush();
    const member = await fleet.member(first);
    const { mid } = member.identity;
    await vi.waitFor(() => expect(first.leadership.isLeading()).toBe(true), LONG);
    await first.fleet.createService(fleet.admin(first), {
      alias: "a",
      tags: {},
      policy: { failover: "strict", ttl: 3, failback: "never" },
      parts: [{ url: "server://0.0.0.0:auto/127.0.0.1:80", master: mid, running: true }],
    });
    await vi.waitFor(async () => {
      await member.lease();
      expect(member.leases).toHaveLength(1);
    }, LONG);
    expect(first.presence.facts(mid).sealedAt).toBeDefined();
    const kinds = () => new Set(recorded.map(({ subject }) => subject.split(".").at(-1)));
    await vi.waitFor(() => expect([...kinds()]).toEqual(expect.arrayContaining(["sync", "lease"])));
    await member.close();
    await first.close();

    const second = await fleet.hub({ id: "second" });
    await vi.waitFor(() => expect(second.leadership.isLeading()).toBe(true), LONG);
    const { syncs } = second.figures().counts;
    for (const { subject, data } of recorded) engine.publish(subject, data);
    await engine.flush();
    await vi.waitFor(() => expect(second.figures().counts.syncs).toBeGreaterThan(syncs), LONG);
    await engine.flush();
    expect(second.presence.facts(mid).sealedAt).toBeUndefined();
  }, 90_000);
});
