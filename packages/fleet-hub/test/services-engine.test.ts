import { NewServiceSchema } from "@nodepass/model/fleet";
import { findNatsServer } from "test-support/nats";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { FleetHub } from "../src/index.ts";
import { keyOf } from "../src/services/part-url.ts";
import type { SimulatedMember } from "./support/simulated-member.ts";
import { TestFleet } from "./support/test-fleet.ts";

const here = findNatsServer() === undefined ? describe.skip : describe;
const SLOW = { timeout: 60_000, interval: 50 };
const TTL_S = 3;

const SERVER = "server://0.0.0.0:auto/127.0.0.1:8080";
const CLIENT = "client://auto/127.0.0.1:80";

here("services on a real engine", () => {
  let fleet: TestFleet;
  let hubs: FleetHub[];
  let members: SimulatedMember[];
  beforeAll(async () => {
    fleet = await TestFleet.start();
    hubs = [await fleet.hub({ id: "one" }), await fleet.hub({ id: "two" })];
    members = [];
    const [first] = hubs;
    if (first === undefined) throw new Error("no hub");
    for (let at = 0; at < 5; at += 1) {
      const member = await fleet.member(first, { labels: { place: `p${at}` } });
      member.leaseEvery((TTL_S * 1000) / 4);
      await first.fleet.changeMaster(fleet.admin(first), member.identity.mid, {
        address: `10.0.0.${at + 1}`,
      });
      members.push(member);
    }
    for (const hub of hubs) {
      await vi.waitFor(() => {
        const all = hub.fleet.masters(fleet.admin(hub));
        expect(all.map(({ status, address }) => [status, address !== ""])).toEqual(
          members.map(() => ["online", true]),
        );
      }, SLOW);
    }
  }, 60_000);
  afterAll(() => fleet.close());

  const hubAt = (at: number) => {
    const hub = hubs[at];
    if (hub === undefined) throw new Error(`no hub ${at}`);
    return hub;
  };
  const midAt = (at: number) => members[at]?.identity.mid ?? "";
  const create = (service: unknown, hub = hubAt(0)) =>
    hub.fleet.createService(fleet.admin(hub), NewServiceSchema.parse(service));
  /** Who runs a part, by members' own books. */
  const runners = (sid: string, part = 0) =>
    members.flatMap((member, at) => (member.parts.has(`${sid}/${part}`) ? [at] : []));
  /** Who has a lease that names a part. */
  const named = (sid: string) =>
    members.flatMap(({ leases }, at) => (leases.some((lease) => lease.sid === sid) ? [at] : []));

  test("makes a pair by selectors and moves its server, with a new key and address", async () => {
    const made = await create({
      alias: "pair",
      parts: [
        { url: SERVER, selector: "place=p0" },
        { url: CLIENT, selector: "place=p1" },
      ],
    });
    const { sid } = made;
    expect(made.parts).toMatchObject([
      { owner: midAt(0), state: "applied", epoch: 1 },
      { owner: midAt(1), state: "applied", epoch: 1 },
    ]);
    const client = () => members[1]?.parts.get(`${sid}/1`)?.order.url ?? "";
    const before = keyOf(client());
    expect(client()).toMatch(/@10\.0\.0\.1:\d+\//);
    // Through the other hub.
    const hub = hubAt(1);
    const moved = await hub.fleet.moveService(fleet.admin(hub), sid, {
      part: "server",
      to: midAt(2),
      force: false,
    });
    expect(moved.parts[0]).toMatchObject({ owner: midAt(2), state: "applied", epoch: 2 });
    expect(runners(sid)).toEqual([2]);
    await vi.waitFor(() => expect(client()).toMatch(/@10\.0\.0\.3:\d+\//), SLOW);
    expect(keyOf(client())).not.toBe(before);
    expect(keyOf(client())).toBe(keyOf(members[2]?.parts.get(`${sid}/0`)?.order.url ?? ""));
  });

  test("two moves at once through two hubs: one wins, the other is told so", async () => {
    const { sid } = await create({ parts: [{ url: SERVER, master: midAt(0) }] });
    await vi.waitFor(() => expect(hubAt(1).index.services.has(sid)).toBe(true), SLOW);
    const moves = await Promise.allSettled(
      [0, 1].map((at) => {
        const hub = hubAt(at);
        const move = { to: midAt(at + 1), force: false };
        return hub.fleet.moveService(fleet.admin(hub), sid, move);
      }),
    );
    expect(moves.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(moves.find(({ status }) => status === "rejected")).toMatchObject({
      reason: { code: "CONFLICT" },
    });
    await vi.waitFor(() => expect(runners(sid)).toHaveLength(1), SLOW);
  });

  test("gives a strict part to another when its owner is gone, and names only one of them", async () => {
    const { sid } = await create({
      alias: "strict",
      policy: { failover: "strict", ttl: TTL_S },
      parts: [{ url: SERVER, master: midAt(3) }],
    });
    await vi.waitFor(() => expect(named(sid)).toEqual([3]), SLOW);
    const events: string[] = [];
    const hub = hubAt(1);
    const unsubscribe = hub.fleet.subscribe(fleet.admin(hub), { instances: false }, (event) => {
      if (event.type === "failover") events.push(event.sid);
    });
    await members[3]?.close();
    const gone = performance.now();
    await vi.waitFor(() => expect(named(sid).filter((at) => at !== 3)).toHaveLength(1), SLOW);
    const tookMs = performance.now() - gone;
    // Not before TTL + 1 s after its last word, which is at most a quarter of the TTL old.
    expect(tookMs).toBeGreaterThan(TTL_S * 1000 * 0.75 + 900);
    await vi.waitFor(() => expect(events).toContain(sid), SLOW);
    unsubscribe();
    const audited = await hub.fleet.audit(fleet.admin(hub), { limit: 100 });
    expect(
      audited
        .filter(({ action, object }) => action === "service.failover" && object === sid)
        .map(({ outcome, token }) => `${token} ${outcome}`),
    ).toEqual(["hub done", "hub intended"]);
  }, 90_000);

  test("the other hub finishes what the leading one had begun when it is gone", async () => {
    const made = await create({ parts: [{ url: SERVER, master: midAt(0) }] });
    const { sid } = made;
    const leader = hubs.find(({ leadership }) => leadership.isLeading()) ?? hubAt(0);
    const other = hubs.find((hub) => hub !== leader) ?? hubAt(1);
    await vi.waitFor(() => expect(other.index.services.has(sid)).toBe(true), SLOW);
    const began = new Promise<void>((resolve) => {
      leader.index.onService((changed, now) => {
        if (changed === sid && now?.value.parts[0]?.owner === null) resolve();
      });
    });
    leader.fleet
      .moveService(fleet.admin(leader), sid, { to: midAt(1), force: false })
      .catch(() => undefined);
    await began;
    leader.destroy();
    await vi.waitFor(
      () =>
        expect(other.index.services.get(sid)?.value.parts[0]).toMatchObject({
          owner: midAt(1),
          from: null,
          to: null,
          epoch: 2,
        }),
      SLOW,
    );
    await vi.waitFor(() => expect(runners(sid)).toEqual([1]), SLOW);
  }, 90_000);
});
