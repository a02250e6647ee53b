import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { jetstream } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { hubSubjects, memberSubjects, packMessage, storeNames } from "@nodepass/fleet-protocol";
import { until } from "./failover.ts";
import { connectAsHub } from "./support/engine-figures.ts";
import { FLEET, Place } from "./support/place.ts";
import { processorMs, residentMiB } from "./support/processes.ts";
import { type Found, Marks, monotonic, percentile, round } from "./support/results.ts";

export interface PoisonOptions {
  /** Bad messages and records in all. */
  readonly messages: number;
  /** Readers of events that read, and events of the fleet in the second half. */
  readonly readers: number;
  readonly events: number;
}

/** Of services and members; an even number, so that each name is in one bucket. */
const BAD_RECORDS = 30;
/** As if from each master: who floods is cut off, which is another trial's. */
const MESSAGES_A_MASTER = 1500;

/** Messages, heartbeats and records of every kind that are none; then readers of events of whom one never reads. */
export async function poisonTrial({ messages, readers, events }: PoisonOptions): Promise<Found> {
  const marks = new Marks("poison");
  const place = await Place.start();
  try {
    const hub = await place.hub();
    const group = await place.join(
      place.process(),
      Math.max(3, Math.ceil(messages / MESSAGES_A_MASTER)),
    );
    await group.calls.ask("start", { tell: true });
    const [mid = ""] = group.mids;
    const figures = () =>
      hub.calls.ask<{ counts: { bad: Record<string, number> }; badRecords: number }>("figures");
    const before = await figures();
    const beforeMembers = (await group.calls.ask<{ bad: number }>("counts")).bad;

    const engine = await connectAsHub(place.created.hub);
    const kindsOf = (of: string) => {
      const subjects = memberSubjects(FLEET, of);
      const { sync, lease, done, event, heartbeat } = subjects;
      const toHub = [sync, lease, done, event, heartbeat, subjects.stream("0".repeat(32))];
      const { apply, prepare, api, watch, credit, evict, resync } = subjects;
      const toMember = [apply, prepare, api, watch, credit, evict, resync];
      return [...toHub, hubSubjects(FLEET).notices, ...toMember];
    };
    const all = group.mids.flatMap(kindsOf);
    const kinds = kindsOf(mid).length;
    /** Of them to a member. */
    const toMember = 7;
    const names = storeNames(FLEET);
    const kvm = new Kvm(jetstream(engine));
    const buckets = await Promise.all(
      [names.services, names.members].map((name) => kvm.open(name)),
    );
    const tokens = await kvm.open(names.auth);
    // Records are few: each is written to the disk.
    const records = Math.min(300, Math.ceil(messages / 100));
    for (let n = 0; n < records; n += 1) {
      const bucket = buckets[n % buckets.length];
      await bucket?.put(`bad${n % BAD_RECORDS}`, bad(n));
      if (n % 10 === 0) await tokens.put(`bad${n}`, bad(n));
    }
    const began = monotonic();
    for (let n = 0; n < messages - records; n += 1) {
      engine.publish(all[n % all.length] ?? "", bad(n));
      if (n % 500 === 499) await engine.flush();
    }
    await engine.flush();
    const sum = ({ counts: { bad: of } }: Awaited<ReturnType<typeof figures>>) =>
      Object.values(of).reduce((total, one) => total + one, 0);
    const share = Math.floor((messages - records) / kinds);
    // Of events and pieces of streams that nobody waits for none is opened.
    await until(
      60_000,
      "the hub has counted them",
      async () => sum(await figures()) - sum(before) >= share * 5,
    );
    await until(60_000, "the members have counted them", async () => {
      const { bad: counted } = await group.calls.ask<{ bad: number }>("counts");
      return counted - beforeMembers >= share * toMember;
    });
    marks.note(
      "bad messages and records; a second",
      `${messages}; ${round(messages / ((monotonic() - began) / 1000))}`,
    );
    const after = await figures();
    marks.note(
      "counted by the hub, by kind",
      Object.entries(after.counts.bad)
        .map(([kind, n]) => `${kind} ${n}`)
        .join(", "),
    );
    marks.is("bad records that the hub names", after.badRecords, Math.min(BAD_RECORDS, records));
    const made = await place.ask<{ parts: { state: string }[] }>("POST", "/fleet/services", {
      alias: "after",
      parts: [{ url: "server://0.0.0.0:auto/127.0.0.1:80", master: mid }],
    });
    marks.is("a service made after it", made.parts[0]?.state ?? "", "applied");
    const { evicted } = await group.calls.ask<{ evicted: number }>("counts");
    marks.is("members that left", evicted, 0);
    await engine.close();

    await readersOf(place, { readers, events, mid }, marks);
    marks.below("hub's memory", residentMiB(hub.pid), 200, "MiB");
    return marks.found();
  } finally {
    await place.close();
  }
}

/** Random bytes, or something packed that has another shape. */
function bad(n: number): Uint8Array {
  if (n % 3 === 0)
    return packMessage({ session: n, parts: [n], reports: { a: n }, s: [], orders: 7 });
  return new Uint8Array(randomBytes(1 + (n % 300)));
}

/** Readers of a fleet's events over HTTP; beside them one that never reads. */
async function readersOf(
  place: Place,
  { readers, events, mid }: { readers: number; events: number; mid: string },
  marks: Marks,
): Promise<void> {
  const [hub] = place.hubs;
  if (hub === undefined) throw new Error("no hub");
  const headers = { "X-API-Key": place.created.adminToken };
  const ends = new AbortController();
  const open = () =>
    fetch(`${hub.url}/fleet/events?instances=true`, { headers, signal: ends.signal });
  const deaf = await open();
  const lateness: number[] = [];
  /** When a change was asked for, by its alias. */
  const answered = new Map<string, number>();
  const seen = new Map<string, number>();
  for (let n = 0; n < readers; n += 1) {
    const { body } = await open();
    if (body === null) throw new Error("no events");
    void (async () => {
      let rest = "";
      for await (const piece of body.pipeThrough(new TextDecoderStream())) {
        rest += piece;
        const frames = rest.split("\n\n");
        rest = frames.pop() ?? "";
        for (const frame of frames) {
          const alias = /"alias":"(e\d+)"/.exec(frame)?.[1];
          if (alias === undefined) continue;
          const key = `${n} ${alias}`;
          if (!seen.has(key)) seen.set(key, monotonic());
        }
      }
    })().catch(() => undefined);
  }
  const { sid } = await place.ask<{ sid: string }>("POST", "/fleet/services", {
    alias: "watched",
    parts: [{ url: "server://0.0.0.0:auto/127.0.0.1:80", master: mid }],
  });
  place.onOrder = ({ alias, at }) => {
    // Its member has heard of the record, so it has been written: readers may know it from now on.
    if (!answered.has(alias)) answered.set(alias, at);
  };
  for (let n = 0; n < events; n += 1) {
    await place.ask("PATCH", `/fleet/services/${sid}`, { alias: `e${n}` });
    // One beat of a dashboard that is used.
    if (n % 10 === 9) await delay(20);
  }
  await delay(1000);
  let missed = 0;
  for (let n = 0; n < readers; n += 1) {
    for (const [alias, at] of answered) {
      const when = seen.get(`${n} ${alias}`);
      if (when === undefined) missed += 1;
      else lateness.push(Math.max(0, when - at));
    }
  }
  const used = processorMs(hub.pid);
  marks.note(
    "readers; changes; states that were overtaken by a later one",
    `${readers} and a deaf one; ${answered.size}; ${missed}`,
  );
  marks.below("how late a reader hears after the member, max", Math.max(...lateness), 100, "ms");
  marks.note(
    "how late, p50; p99",
    `${round(percentile(lateness, 0.5))}; ${round(percentile(lateness, 0.99))} ms`,
  );
  marks.note("hub's processor time in all", `${round(used / 1000)} s`);
  ends.abort();
  await deaf.body?.cancel().catch(() => undefined);
}
