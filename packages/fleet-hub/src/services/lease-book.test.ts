import type { PartRecord, PartReport, ServiceRecord } from "@nodepass/fleet-protocol";
import type { Clock } from "@nodepass/master-api";
import { SILENT_LOGGER } from "@nodepass/model";
import { describe, expect, it } from "vitest";
import { SYNCED } from "../../test/support/member-facts.ts";
import type { Stored } from "../store/fleet-store.ts";
import { createLeaseBook, FRESH_WITHIN_MS } from "./lease-book.ts";

const TTL_MS = 10_000;
const part: PartRecord = {
  role: "server",
  owner: "A",
  from: null,
  to: null,
  epoch: 4,
  running: true,
  url: "server://:1/:2",
  sel: "",
  home: null,
  adopt: null,
};

/** A leader's surroundings, each of which a test sets. */
function surroundings() {
  let now = 1_000_000;
  let led: number | undefined = now - 60_000;
  let isSure = true;
  let storeRevision = 7;
  const timers: { at: number; run: () => void }[] = [];
  const services = new Map<string, Stored<ServiceRecord>>();
  const reports = new Map<string, PartReport>();
  let onService: (...call: [string, Stored<ServiceRecord> | undefined, undefined, number]) => void =
    () => undefined;
  let onLead: (leading: boolean) => void = () => undefined;
  const index = { services, revision: 7 };
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    after: (delayMs, run) => {
      const timer = { at: now + delayMs, run };
      timers.push(timer);
      return () => timers.splice(timers.indexOf(timer), 1);
    },
  };
  const book = createLeaseBook({
    store: { services: { revision: () => Promise.resolve(storeRevision) } },
    index: {
      ...index,
      get revision() {
        return index.revision;
      },
      onService: (listener) => {
        onService = listener;
        return () => undefined;
      },
    },
    presence: {
      facts: () => ({ ...SYNCED, heardAt: 0, sealedAt: 0, heardAtWall: 0 }),
      reportOf: (mid) => reports.get(mid),
    },
    leadership: {
      isLeading: () => led !== undefined,
      isSure: () => led !== undefined && isSure,
      leadingSince: () => led,
      onChange: (listener) => {
        onLead = listener;
        return () => undefined;
      },
    },
    clock,
    logger: SILENT_LOGGER,
  });
  const put = (more: Partial<PartRecord>, failover: "strict" | "serve" = "strict") => {
    const record: ServiceRecord = {
      v: 1,
      alias: "",
      tags: {},
      policy: { failover, ttl: TTL_MS / 1000, failback: "never" },
      by: "",
      at: 0,
      detached: false,
      parts: [{ ...part, ...more }],
    };
    const stored = { value: record, revision: index.revision };
    services.set("s", stored);
    onService("s", stored, undefined, stored.revision);
  };
  const pass = async (ms: number) => {
    const end = now + ms;
    for (;;) {
      timers.sort((one, other) => one.at - other.at);
      const [first] = timers;
      if (first === undefined || first.at > end) break;
      timers.shift();
      now = first.at;
      first.run();
      await new Promise(setImmediate);
    }
    now = end;
    await new Promise(setImmediate);
  };
  const ask = (mid: string, epoch = 4, session = "boot") =>
    book.answer(mid, { session, parts: [{ sid: "s", part: 0, epoch }] })?.parts;
  return {
    book,
    put,
    pass,
    ask,
    reports,
    index,
    lead: (leads: boolean) => {
      led = leads ? now : undefined;
      onLead(leads);
    },
    /** As long as the engine takes no write. */
    doubt: (doubts: boolean) => {
      isSure = !doubts;
    },
    storeIsAt: (revision: number) => {
      storeRevision = revision;
    },
    begin: async () => {
      put({});
      book.start();
      await pass(1);
    },
  };
}

const released = (epoch: number): PartReport => ({
  sid: "s",
  part: 0,
  rev: 1,
  epoch,
  outcome: "released",
  reason: "",
  instance: null,
  running: false,
  carried: null,
});

const named = (epoch = 4) => [{ sid: "s", part: 0, epoch, ttlMs: TTL_MS }];

describe("leases", () => {
  it("names a strict part to its owner, at its epoch only", async () => {
    const { ask, begin, put } = surroundings();
    await begin();
    expect(ask("A")).toEqual(named());
    expect(ask("A", 3)).toEqual([]);
    expect(ask("B")).toEqual([]);
    expect(ask("A", 4, "another process")).toEqual([]);
    put({}, "serve");
    expect(ask("A")).toEqual([]);
  });

  it("gives no answer while this hub does not lead", async () => {
    const { ask, begin, lead, pass } = surroundings();
    await begin();
    lead(false);
    expect(ask("A")).toBeUndefined();
    lead(true);
    await pass(1);
    expect(ask("A")).toEqual(named());
  });

  it("gives no answer from an index that is behind the store", async () => {
    const { ask, begin, pass, index, storeIsAt } = surroundings();
    await begin();
    storeIsAt(8);
    await pass(FRESH_WITHIN_MS + 1000);
    expect(ask("A")).toBeUndefined();
    index.revision = 8;
    expect(ask("A")).toBeUndefined();
    await pass(1000);
    expect(ask("A")).toEqual(named());
  });

  it("names a new owner TTL + 1 s after the last lease of the one before", async () => {
    const { ask, begin, pass, put } = surroundings();
    await begin();
    ask("A");
    put({ owner: "B", from: "A", epoch: 5 });
    expect(ask("B", 5)).toEqual([]);
    await pass(TTL_MS + 1000);
    expect(ask("B", 5)).toEqual([]);
    await pass(2);
    expect(ask("B", 5)).toEqual(named(5));
  });

  it("waits as long for a lease that the record does not name any more", async () => {
    const { ask, begin, pass, put } = surroundings();
    await begin();
    ask("A");
    // Written by a hub that was frozen, after this one had just renewed it.
    put({ owner: "B", epoch: 5 });
    expect(ask("B", 5)).toEqual([]);
    await pass(TTL_MS + 1001);
    expect(ask("B", 5)).toEqual(named(5));
  });

  it("names a new owner at once when the one before has released it after that lease", async () => {
    const { ask, begin, put, reports } = surroundings();
    await begin();
    ask("A");
    put({ owner: "B", from: "A", epoch: 5 });
    reports.set("A", released(3));
    expect(ask("B", 5)).toEqual([]);
    reports.set("A", released(4));
    expect(ask("B", 5)).toEqual(named(5));
  });

  it("names no new owner before this hub has led for TTL + 1 s", async () => {
    const { ask, begin, lead, pass, put } = surroundings();
    await begin();
    put({ owner: "B", from: "A", epoch: 5 });
    lead(false);
    lead(true);
    await pass(TTL_MS + 1000);
    expect(ask("B", 5)).toEqual([]);
    await pass(2);
    expect(ask("B", 5)).toEqual(named(5));
  });

  it("names no new owner while another hub may lead already, and renews those that have one", async () => {
    const { book, ask, begin, doubt, pass, put } = surroundings();
    await begin();
    put({ owner: "B", from: "A", epoch: 5 });
    doubt(true);
    expect(ask("B", 5)).toEqual([]);
    expect(book.isLapsed("A", "s", 0, TTL_MS)).toBe(false);
    doubt(false);
    expect(ask("B", 5)).toEqual(named(5));
    doubt(true);
    // For as long as it asks in time.
    for (let round = 0; round < 5; round += 1) {
      await pass(TTL_MS / 2);
      expect(ask("B", 5)).toEqual(named(5));
    }
    put({ owner: "C", from: "B", epoch: 6 });
    await pass(TTL_MS + 1001);
    expect(ask("C", 6)).toEqual([]);
    put({ epoch: 6 });
    expect(ask("A", 6)).toEqual(named(6));
  });

  it("names who waits to confirm that its part is strict from now on", async () => {
    const { ask, begin, put } = surroundings();
    await begin();
    put({ from: "A", epoch: 5 });
    expect(ask("A", 5)).toEqual(named(5));
  });

  it("lets the record forget the one before only when no leader can have given it a lease", async () => {
    const { book, ask, begin, pass, put } = surroundings();
    await begin();
    ask("A");
    put({ owner: "B", from: "A", epoch: 5 });
    await pass(TTL_MS + 1000 + 1);
    expect(book.isLapsed("A", "s", 0, TTL_MS)).toBe(true);
    expect(book.isForgettable("A", "s", 0, TTL_MS)).toBe(false);
    await pass(FRESH_WITHIN_MS);
    expect(book.isForgettable("A", "s", 0, TTL_MS)).toBe(true);
    expect(book.isForgettable("B", "s", 0, TTL_MS)).toBe(false);
  });
});
