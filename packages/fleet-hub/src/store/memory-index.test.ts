import type { MemberRecord, ServiceRecord } from "@nodepass/fleet-protocol";
import { expect, test } from "vitest";
import type { Bucket, BucketWatcher } from "./fleet-store.ts";
import { createIndex } from "./memory-index.ts";

const record = (alias: string) => ({ alias, parts: [] as unknown }) as ServiceRecord;

test("says that it knows all up to a revision only when it was told so, whatever it wrote itself", async () => {
  let watcher: BucketWatcher<ServiceRecord> | undefined;
  const services: Partial<Bucket<ServiceRecord>> = {
    watch: async (given) => {
      watcher = given;
      return () => undefined;
    },
  };
  const members: Partial<Bucket<MemberRecord>> = { watch: async () => () => undefined };
  const index = await createIndex({
    services: services as Bucket<ServiceRecord>,
    members: members as Bucket<MemberRecord>,
  });
  if (watcher === undefined) throw new Error("nobody watches");
  watcher.onRestart();
  watcher.onLoaded(7);
  expect(index.revision).toBe(7);
  // Another hub has written 8, of which nothing was heard yet.
  index.wroteService("own", { value: record("own"), revision: 9 });
  expect(index.services.get("own")?.revision).toBe(9);
  expect(index.revision).toBe(7);
  watcher.onRecord("other", { value: record("other"), revision: 8 }, 8);
  expect(index.revision).toBe(8);
  watcher.onRecord("own", { value: record("own"), revision: 9 }, 9);
  expect(index.revision).toBe(9);
  index.removedService("own", 11);
  expect([index.services.has("own"), index.revision]).toEqual([false, 9]);
  watcher.onRecord("own", undefined, 11);
  expect(index.revision).toBe(11);
});
