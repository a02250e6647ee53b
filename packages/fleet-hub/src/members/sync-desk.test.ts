import type { MemberRecord, Sync } from "@nodepass/fleet-protocol";
import { SILENT_LOGGER } from "@nodepass/model";
import { expect, test } from "vitest";
import { SimulatedClock, SimulatedTime } from "../../test/support/simulated-clock.ts";
import { createSyncDesk } from "./sync-desk.ts";
import { createVouchers } from "./vouchers.ts";

const member: MemberRecord = {
  v: 1,
  name: "n",
  labels: {},
  address: "",
  nkey: "U",
  box: new Uint8Array(32),
  draining: false,
  joined: 0,
  evicted: false,
};
const sync: Sync = {
  session: "s",
  version: "1",
  name: "n",
  allow: [],
  revision: 0,
  bucket: "",
  parts: [],
  local: 0,
};

test("one member that syncs without end takes no other's turn", async () => {
  const time = new SimulatedTime();
  const mids = ["00000000000000a1", "00000000000000b1"];
  const answer = createSyncDesk({
    index: {
      members: new Map(mids.map((mid) => [mid, { value: member, revision: 1 }])),
      services: new Map(),
      ownedBy: () => [],
      revision: 1,
    },
    presence: { isEvicted: () => false },
    bucket: "b",
    clock: new SimulatedClock(time),
    storeRevision: () => Promise.resolve(1),
    onOlder: () => undefined,
    vouchers: createVouchers("f", [new Uint8Array(32)], () => "b"),
    logger: SILENT_LOGGER,
    hubKeys: [new Uint8Array(32)],
    runs: () => [],
  });
  const [hostile = "", other = ""] = mids;
  const answers = Array.from({ length: 500 }, () => answer(hostile, sync).answer);
  expect(answers.filter((one) => one === "set")).toHaveLength(1);
  expect(answer(other, sync).answer).toBe("set");
  await time.run(200);
  expect(answer(hostile, sync).answer).toBe("set");
});
