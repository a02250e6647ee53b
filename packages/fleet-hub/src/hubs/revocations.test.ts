import type { MemberRecord } from "@nodepass/fleet-protocol";
import { SILENT_LOGGER } from "@nodepass/model";
import { expect, test } from "vitest";
import { SimulatedClock, SimulatedTime } from "../../test/support/simulated-clock.ts";
import type { FleetIndex } from "../store/fleet-index.ts";
import type { Stored } from "../store/fleet-store.ts";
import { keepRevoked } from "./revocations.ts";

function setUp() {
  const time = new SimulatedTime();
  const clock = new SimulatedClock(time);
  const member = (nkey: string, evictedAt: number | undefined): Stored<MemberRecord> => ({
    revision: 1,
    value: {
      v: 1,
      name: nkey,
      labels: {},
      address: "",
      nkey,
      box: new Uint8Array(32),
      draining: false,
      joined: 0,
      evicted: evictedAt !== undefined,
      ...(evictedAt !== undefined && { evictedAt }),
    },
  });
  const members = new Map<string, Stored<MemberRecord>>();
  const state = { isLeading: false, isAway: false, revoked: [] as string[], asked: 0, retired: 0 };
  let onMember: Parameters<FleetIndex["onMember"]>[0] = () => undefined;
  let onLink: (connected: boolean) => void = () => undefined;
  let onLead: (leading: boolean) => void = () => undefined;
  const stop = keepRevoked({
    index: {
      members,
      onMember: (listener) => {
        onMember = listener;
        return () => undefined;
      },
    },
    leadership: {
      isLeading: () => state.isLeading,
      isSure: () => state.isLeading,
      leadingSince: () => undefined,
      leader: () => undefined,
      onChange: (listener) => {
        onLead = listener;
        return () => undefined;
      },
    },
    control: {
      revoke: async (keys) => {
        state.revoked.push(...keys);
      },
      retire: async () => {
        if (!state.isAway) state.retired += 1;
        return false;
      },
      notRevoked: async (keys) => {
        state.asked += 1;
        if (state.isAway) throw new Error("the engine is gone");
        return keys.filter((key) => !state.revoked.includes(key));
      },
    },
    link: {
      onChange: (listener) => {
        onLink = listener;
        return () => undefined;
      },
    },
    clock,
    logger: SILENT_LOGGER,
  });
  const put = (mid: string, nkey: string, evictedAt: number | undefined) => {
    const now = member(nkey, evictedAt);
    members.set(mid, now);
    onMember(mid, now, undefined);
  };
  const lead = () => {
    state.isLeading = true;
    onLead(true);
  };
  return { time, clock, state, put, lead, link: (connected: boolean) => onLink(connected), stop };
}

test("the leader revokes what the engine still takes of removed masters, and nothing else", async () => {
  const { time, clock, state, put, lead } = setUp();
  put("a", "UA", clock.now());
  put("b", "UB", undefined);
  put("old", "UOLD", clock.now() - 40 * 86_400_000);
  await time.run(10_000);
  expect(state.asked).toBe(0);
  lead();
  await time.run(20_000);
  expect(state.revoked).toEqual(["UA"]);
  expect(state.retired).toBe(1);
  put("c", "UC", clock.now());
  await time.run(30_000);
  expect(state.revoked).toEqual(["UA", "UC"]);
});

test("it tries again while the engine is away, until it is closed", async () => {
  const { time, clock, state, put, lead, stop } = setUp();
  lead();
  state.isAway = true;
  put("a", "UA", clock.now());
  await time.run(100_000);
  expect(state.asked).toBeGreaterThan(2);
  expect(state.revoked).toEqual([]);
  state.isAway = false;
  await time.run(140_000);
  expect(state.revoked).toEqual(["UA"]);
  stop();
  put("b", "UB", clock.now());
  await time.run(300_000);
  expect(state.revoked).toEqual(["UA"]);
});

test("it revokes again, at once, what the engine has forgotten when it is back", async () => {
  const { time, clock, state, put, lead, link } = setUp();
  put("a", "UA", clock.now());
  lead();
  await time.run(20_000);
  expect(state.revoked).toEqual(["UA"]);
  link(false);
  state.revoked = [];
  await time.run(30_000);
  expect(state.revoked).toEqual([]);
  link(true);
  await time.run(30_001);
  expect(state.revoked).toEqual(["UA"]);
});
