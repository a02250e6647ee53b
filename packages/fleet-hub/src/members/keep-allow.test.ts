import type { MemberRecord } from "@nodepass/fleet-protocol";
import { SILENT_LOGGER } from "@nodepass/model";
import type { MemberPermission } from "@nodepass/model/fleet";
import { expect, test } from "vitest";
import { SimulatedClock, SimulatedTime } from "../../test/support/simulated-clock.ts";
import type { FleetStore, Stored } from "../store/fleet-store.ts";
import { allowOf, keepAllow } from "./keep-allow.ts";
import type { MemberFacts } from "./presence.ts";

const MID = "00000000000000a1";

function open() {
  const time = new SimulatedTime();
  const members = new Map<string, Stored<MemberRecord>>();
  const put = (mid: string, stored: Stored<MemberRecord>) => void members.set(mid, stored);
  put(MID, { value: { name: "edge" } as MemberRecord, revision: 1 });
  const state: { allow: MemberPermission[]; writes: number; isAway: boolean } = {
    allow: ["apply", "api", "read"],
    writes: 0,
    isAway: false,
  };
  let sync: (mid: string) => void = () => undefined;
  const update = async () => {
    state.writes += 1;
    if (state.isAway) throw new Error("the engine is gone");
    return state.writes + 1;
  };
  const end = keepAllow({
    clock: new SimulatedClock(time),
    index: { members, wroteMember: put },
    presence: {
      facts: () => ({ allow: state.allow }) as unknown as MemberFacts,
      onSync: (listener) => {
        sync = listener;
        return () => undefined;
      },
    },
    store: { members: { update } as unknown as FleetStore["members"] },
    logger: SILENT_LOGGER,
  });
  const say = (...allow: MemberPermission[]) => {
    state.allow = allow;
    sync(MID);
    sync(MID);
  };
  const kept = async (afterMs: number) => {
    await time.run(time.now + afterMs);
    const record = members.get(MID)?.value;
    return [record && allowOf(record).join(), state.writes];
  };
  const said = async (...allow: MemberPermission[]) => {
    say(...allow);
    const now = await kept(0);
    // The next one is written at once, too.
    await time.run(time.now + 10_000);
    return now;
  };
  return { state, say, said, kept, end };
}

test("what a member says that it accepts is in its record, and written when it is something else", async () => {
  const { state, said } = open();
  expect(await said("apply", "api", "read")).toEqual(["apply,api,read", 0]);
  expect(await said("read")).toEqual(["read", 1]);
  expect(await said("read")).toEqual(["read", 1]);
  expect(await said()).toEqual(["", 2]);
  expect(await said("apply", "api", "read")).toEqual(["apply,api,read", 3]);
  state.isAway = true;
  expect(await said("read")).toEqual(["apply,api,read", 4]);
});

test("of one that says something else all the time the last is written, once in 10 s", async () => {
  const { say, kept, end } = open();
  say("read");
  expect(await kept(0)).toEqual(["read", 1]);
  for (let n = 0; n < 50; n += 1) {
    say("api");
    say("apply");
    expect(await kept(100)).toEqual(["read", 1]);
  }
  say("api", "read");
  expect(await kept(5000)).toEqual(["api,read", 2]);
  // Back to what is kept: nothing to write.
  say("api");
  say("api", "read");
  expect(await kept(60_000)).toEqual(["api,read", 2]);
  say("api");
  say("read");
  expect(await kept(0)).toEqual(["api", 3]);
  end();
  expect(await kept(60_000)).toEqual(["api", 3]);
});

test("what could not be written is, when the member says it again", async () => {
  const { state, say, kept } = open();
  state.isAway = true;
  say("read");
  expect(await kept(0)).toEqual(["apply,api,read", 1]);
  state.isAway = false;
  say("read");
  expect(await kept(10_000)).toEqual(["read", 2]);
});
