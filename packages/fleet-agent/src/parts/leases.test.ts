import { LeaseRequestSchema, memberSubjects } from "@nodepass/fleet-protocol";
import { expect, test, vi } from "vitest";
import type { PartEntry } from "../file/fleet-file.ts";
import { type GrantedLease, Leases } from "./leases.ts";

const entry: PartEntry = {
  sid: "s",
  part: 0,
  rev: 1,
  epoch: 3,
  bucket: "b",
  running: true,
  url: "server://127.0.0.1:1/127.0.0.1:2",
  alias: "",
  tags: {},
  strict: true,
  ttlMs: 60_000,
  instance: "i",
  tries: 0,
  reason: "",
};

test("asks a hub that it has not heard of once more, with that hub's own word", async () => {
  const asked: (string | undefined)[] = [];
  const given: GrantedLease[] = [];
  const leases = new Leases({
    post: {
      session: "n",
      subjects: memberSubjects("f", "00000000000000a1"),
      ask: (_subject, message, schema) => {
        const { hub, parts } = LeaseRequestSchema.parse(message);
        asked.push(hub);
        const named = hub === "h1" ? parts.map((part) => ({ ...part, ttlMs: 1000 })) : [];
        return Promise.resolve(schema.parse({ hub: "h1", parts: named }));
      },
    },
    entries: () => [entry],
    onLease: (lease) => given.push(lease),
  });
  leases.start();
  await vi.waitFor(() => expect(given).toMatchObject([{ sid: "s", part: 0, epoch: 3 }]));
  leases.now();
  await vi.waitFor(() => expect(given).toHaveLength(2));
  leases.stop();
  expect(asked).toEqual([undefined, "h1", "h1"]);
});

test("a part that is not named yet is asked for again soon, not after a quarter of its TTL", async () => {
  let asked = 0;
  const given: GrantedLease[] = [];
  const leases = new Leases({
    post: {
      session: "n",
      subjects: memberSubjects("f", "00000000000000a1"),
      ask: (_subject, message, schema) => {
        const { parts } = LeaseRequestSchema.parse(message);
        asked += 1;
        // Once for a hub that it has not heard of, once without the part, then with it.
        const named = asked > 2 ? parts.map((part) => ({ ...part, ttlMs: 1000 })) : [];
        return Promise.resolve(schema.parse({ hub: "h1", parts: named }));
      },
    },
    entries: () => [entry],
    onLease: (lease) => given.push(lease),
  });
  leases.start();
  // A quarter would be 15 s.
  await vi.waitFor(() => expect(given).toHaveLength(1), { timeout: 10_000 });
  leases.stop();
  expect(asked).toBe(3);
});
