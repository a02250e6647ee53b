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

function desk(mids: readonly string[]) {
  const time = new SimulatedTime();
  const answer = createSyncDesk({
    index: {
      members: new Map(mids.map((mid) => [mid, { value: member, revision: 1 }])),
      services: new Map(),
      ownedBy: () => [],
      isWhole: true,
      revision: 1,
    },
    presence: { isEvicted: () => false },
    bucket: () => "b",
    clock: new SimulatedClock(time),
    storeRevision: () => Promise.resolve(1),
    onOlder: () => undefined,
    vouchers: createVouchers("f", [new Uint8Array(32)], () => "b"),
    logger: SILENT_LOGGER,
    hubKeys: [new Uint8Array(32)],
    runs: () => [],
  });
  return { time, answer };
}

test("one member that syncs without end takes no other's turn", async () => {
  const [hostile = "", other = "", ...crowd] = Array.from({ length: 60 }, (_, at) => `m${at}`);
  const { time, answer } = desk([hostile, other, ...crowd]);
  const answers = Array.from({ length: 500 }, () => answer(hostile, sync).answer);
  expect(answers.filter((one) => one === "set")).toHaveLength(1);
  expect(answer(other, sync).answer).toBe("set");
  await time.run(200);
  expect(answer(hostile, sync).answer).toBe("set");
  // It moves nobody's turn away either.
  for (const mid of crowd) answer(mid, sync);
  for (let n = 0; n < 500; n += 1) answer(hostile, sync);
  expect(answer(crowd.at(-1) ?? "", sync)).toMatchObject({ answer: "busy" });
  const late = answer(other, sync);
  expect(late.answer === "busy" && late.afterMs < 200).toBe(true);
});

test("2,000 that come at once are all told in about 3 s, and few are turned away twice", async () => {
  const mids = Array.from({ length: 2000 }, (_, at) => `m${at}`);
  const { time, answer } = desk(mids);
  const comes = new Map(mids.map((mid, at) => [mid, at * 0.05]));
  const times = new Map<string, number>();
  let now = 0;
  while (comes.size > 0 && now < 10_000) {
    for (const [mid, at] of comes) {
      if (at > now) continue;
      times.set(mid, (times.get(mid) ?? 0) + 1);
      const told = answer(mid, sync);
      // None is punctual.
      if (told.answer === "busy") comes.set(mid, now + told.afterMs + ((at * 7919) % 30));
      else comes.delete(mid);
    }
    now += 1;
    await time.run(now);
  }
  expect(now).toBeLessThan(3500);
  const counts = [...times.values()];
  expect(counts.filter((count) => count > 2).length).toBeLessThan(200);
  expect(Math.max(...counts)).toBeLessThanOrEqual(4);
});
