import type { MemberRecord } from "@nodepass/fleet-protocol";
import { SILENT_LOGGER } from "@nodepass/model";
import type { MemberPermission } from "@nodepass/model/fleet";
import { expect, test } from "vitest";
import type { FleetStore, Stored } from "../store/fleet-store.ts";
import { allowOf, keepAllow } from "./keep-allow.ts";
import type { MemberFacts } from "./presence.ts";

const MID = "00000000000000a1";

test("what a member says that it accepts is in its record, and written when it is something else", async () => {
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
  keepAllow({
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
  const said = async (...allow: MemberPermission[]) => {
    state.allow = allow;
    sync(MID);
    sync(MID);
    await new Promise(setImmediate);
    const record = members.get(MID)?.value;
    return [record && allowOf(record).join(), state.writes];
  };
  expect(await said("apply", "api", "read")).toEqual(["apply,api,read", 0]);
  state.isAway = true;
  expect(await said("read")).toEqual(["apply,api,read", 1]);
  state.isAway = false;
  expect(await said("read")).toEqual(["read", 2]);
  expect(await said("read")).toEqual(["read", 2]);
  expect(await said()).toEqual(["", 3]);
  expect(await said("apply", "api", "read")).toEqual(["apply,api,read", 4]);
});
