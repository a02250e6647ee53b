import { findNatsServer } from "test-support/nats";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { FleetHub } from "../src/index.ts";
import { TestFleet } from "./support/test-fleet.ts";

const here = findNatsServer() === undefined ? describe.skip : describe;

here("a hub with an engine", () => {
  let fleet: TestFleet;
  let hub: FleetHub;
  beforeAll(async () => {
    fleet = await TestFleet.start();
    hub = await fleet.hub();
  });
  afterAll(() => fleet.close());

  test("lets a master in by a token, and lists it", async () => {
    const member = await fleet.member(hub, { labels: { region: "eu" } });
    const { mid } = member.identity;
    await vi.waitFor(() => {
      expect(hub.fleet.master(fleet.admin(hub), mid)).toMatchObject({
        mid,
        labels: { region: "eu" },
        status: "online",
        version: "simulated",
        allow: ["apply", "api", "read"],
      });
    });
    expect(hub.fleet.masters(fleet.admin(hub)).map((master) => master.mid)).toContain(mid);
  });

  test("creates a service on a master and is told that it runs", async () => {
    const member = await fleet.member(hub, { labels: { region: "eu" } });
    const { mid } = member.identity;
    const service = await hub.fleet.createService(fleet.admin(hub), {
      alias: "web",
      tags: {},
      policy: { failover: "off", ttl: 15, failback: "never" },
      parts: [{ url: "server://0.0.0.0:auto/127.0.0.1:80", master: mid, running: true }],
    });
    expect(service.parts[0]).toMatchObject({ owner: mid, state: "applied", running: true });
    expect(member.parts.size).toBe(1);
    await hub.fleet.removeService(fleet.admin(hub), service.sid, undefined, false);
    await vi.waitFor(() => expect(member.parts.size).toBe(0));
  });
});
