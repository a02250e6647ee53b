import {
  createBoxKeys,
  createUserKey,
  type MemberRecord,
  signJoin,
} from "@nodepass/fleet-protocol";
import { systemClock } from "@nodepass/master-api";
import { SILENT_LOGGER } from "@nodepass/model";
import { expect, test } from "vitest";
import { createFleet } from "../hub-secrets.ts";
import type { Stored } from "../store/fleet-store.ts";
import { createJoinDesk, MAX_MASTERS } from "./join-desk.ts";

const NET = { fleet: "demo", servers: ["nats://127.0.0.1:1"], hubs: ["http://127.0.0.1/api"] };

test("a fleet takes 2,000 masters, and refuses the next one before its token is used", async () => {
  const { hub } = await createFleet(NET);
  const members = new Map<string, Stored<MemberRecord>>();
  let used = 0;
  const join = createJoinDesk({
    hub,
    store: {
      members: {
        get: async (mid: string) => members.get(mid),
        create: async () => 1,
      } as unknown as Parameters<typeof createJoinDesk>[0]["store"]["members"],
    },
    index: {
      members,
      findMembers: () => [],
      wroteMember: (mid, now) => void members.set(mid, now),
    },
    tokens: {
      check: async () => undefined,
      use: async () => {
        used += 1;
        return { labels: {} } as Awaited<
          ReturnType<Parameters<typeof createJoinDesk>[0]["tokens"]["use"]>
        >;
      },
    },
    audit: { changing: (_who, _action, change) => change(), note: async () => undefined },
    clock: systemClock,
    waitOf: () => 0,
    runs: () => [],
    logger: SILENT_LOGGER,
  });
  const enter = (mid: string) => {
    const keys = { seed: createUserKey().seed, box: createBoxKeys().publicKey };
    const token = { id: "t", secret: "s".repeat(32) };
    return join(signJoin({ token, mid, name: "vm", ...keys }), "127.0.0.1");
  };
  await enter("f".repeat(16));
  const [record] = members.values();
  if (record === undefined) throw new Error("it has not joined");
  for (let n = 1; n < MAX_MASTERS; n += 1) members.set(n.toString(16).padStart(16, "0"), record);
  await expect(enter("e".repeat(16))).rejects.toMatchObject({
    code: "CONFLICT",
    message: "the fleet has 2000 masters, which is the most; remove one, or begin another fleet",
  });
  expect(used).toBe(1);
  // Who was removed makes room.
  members.set("1".padStart(16, "0"), { ...record, value: { ...record.value, evicted: true } });
  await enter("e".repeat(16));
  expect(used).toBe(2);
});
