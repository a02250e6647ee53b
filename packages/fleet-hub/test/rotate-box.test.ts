import {
  decodeJoinToken,
  type FleetSecrets,
  fingerprintOf,
  rotateBoxKey,
} from "@nodepass/fleet-protocol";
import { findNatsServer } from "test-support/nats";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { FleetHub } from "../src/index.ts";
import { joinAs } from "./support/join-as.ts";
import { SimulatedMember } from "./support/simulated-member.ts";
import { TEST_HEARTBEAT_MS, TestFleet } from "./support/test-fleet.ts";

const here = findNatsServer() === undefined ? describe.skip : describe;
const LONG = { timeout: 60_000, interval: 50 };
const POLICY = { failover: "off", ttl: 15, failback: "never" } as const;

here("another box key", () => {
  let fleet: TestFleet;
  let hubs: FleetHub[] = [];
  let secrets: FleetSecrets;
  let made = 0;
  beforeAll(async () => {
    fleet = await TestFleet.start();
    ({ secrets } = fleet.created.hub);
    hubs = await Promise.all(["a", "b"].map((id) => fleet.hub({ id })));
  });
  afterAll(() => fleet.close());

  /** In the place of one of the two hubs one with the keys of now. */
  const restart = async (at: number): Promise<void> => {
    await hubs[at]?.close();
    hubs[at] = await fleet.hub({ id: `h${made++}`, secrets: { ...fleet.created.hub, secrets } });
  };
  const step = () => {
    const rotated = rotateBoxKey(secrets);
    ({ secrets } = rotated);
    return rotated.step;
  };
  const a = () => hubs[0] as FleetHub;
  const b = () => hubs[1] as FleetHub;
  /** Both hubs know what it runs, and each can have it do something. */
  const works = async (member: SimulatedMember) => {
    const { mid } = member.identity;
    for (const hub of hubs) {
      await vi.waitFor(() => expect(hub.presence.facts(mid).synced).toBe(true), LONG);
      const prepared = await hub.messenger.prepare(mid, { url: "server://:1/:2", key: null });
      expect(prepared.ok).toBe(true);
      const url = "server://0.0.0.0:auto/127.0.0.1:80";
      const parts = [{ url, master: mid, running: true }];
      const service = { alias: "", tags: {}, policy: POLICY, parts };
      await vi.waitFor(async () => {
        const { state } = (await hub.fleet.createService(fleet.admin(hub), service)).parts[0] ?? {};
        expect(state).toBe("applied");
      }, LONG);
    }
    await vi.waitFor(async () => expect(await member.lease()).toBe(true), LONG);
  };
  const keysOf = (member: SimulatedMember) => member.hubKeys.map((key) => fingerprintOf(key));

  test("comes in three steps, with one hub after the other, and members go on all the time", async () => {
    const [old] = secrets.allBoxKeys;
    const oldKey = fingerprintOf(old.publicKey);
    const member = await fleet.member(a());
    const away = await fleet.join(a());
    const late = await fleet.join(a());
    const { token } = await a().fleet.createToken(fleet.admin(a()), {
      ...{ kind: "join", role: "viewer", selector: "", labels: {}, uses: 2, note: "" },
    });
    const { id, secret, fp } = decodeJoinToken(token);
    await works(member);

    expect(step()).toBe("announced");
    await restart(0);
    await works(member);
    await restart(1);
    await vi.waitFor(() => expect(keysOf(member)).toHaveLength(2), LONG);
    expect(keysOf(member)[0]).toBe(oldKey);

    expect(step()).toBe("changed");
    await restart(1);
    await works(member);
    await restart(0);
    await vi.waitFor(() => expect(keysOf(member)[1]).toBe(oldKey), LONG);
    await works(member);
    // One that knows the former key alone learns of the new one when it syncs; so does one that joins by it.
    const back = await fleet.member(a(), { identity: away });
    expect(keysOf(back)).toEqual(keysOf(member));
    await works(back);
    const joined = await joinAs("00000000000000a1", "joined", { id, secret }, fp, (request) =>
      b().fleet.join(request, "127.0.0.1"),
    );
    expect(fingerprintOf(joined.hubKey)).toBe(oldKey);
    expect(joined.answer.hubKeys?.map(fingerprintOf)).toEqual(keysOf(member));

    expect(step()).toBe("ended");
    expect(secrets.reveal().boxKeys).toHaveLength(1);
    await restart(0);
    await works(member);
    await restart(1);
    await vi.waitFor(() => expect(keysOf(member)).toHaveLength(1), LONG);
    expect(keysOf(member)).not.toContain(oldKey);
    await works(member);
    await works(back);
    const refused = joinAs("00000000000000a2", "late", { id, secret }, fp, (request) =>
      b().fleet.join(request, "127.0.0.1"),
    );
    await expect(refused).rejects.toThrow(/not the one whose fingerprint the join token has/);
    // Who has missed all of it is a stranger to the engine's messages, and is told so.
    const stranger = new SimulatedMember({ identity: late, heartbeatMs: TEST_HEARTBEAT_MS });
    void stranger.start();
    await vi.waitFor(() => expect(a().figures().counts.bad.sync).toBeGreaterThan(0), LONG);
    expect(stranger.synced).toBe(0);
    await stranger.close();
    // Over HTTPS, with what a new token says of the fleet's key, it has its credentials and the key.
    const renewed = await joinAs(
      late.mid,
      late.name,
      undefined,
      fingerprintOf(secrets.boxKeys.publicKey),
      (request) => b().fleet.join(request, "127.0.0.1"),
      late,
    );
    await works(await fleet.member(a(), { identity: renewed }));
  }, 120_000);
});
