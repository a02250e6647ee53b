import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "@nats-io/transport-node";
import {
  decodeJoinToken,
  engineAuthenticator,
  memberInbox,
  type SealedJoinAnswer,
} from "@nodepass/fleet-protocol";
import { LoopDisk } from "test-support/loop-disk";
import { joinAs, type MemberIdentity } from "../support/join-as.ts";
import { until } from "./failover.ts";
import { AcknowledgedWrites } from "./support/acknowledged.ts";
import { onDisk } from "./support/on-disk.ts";
import { Place } from "./support/place.ts";
import { plainWrites } from "./support/plain-writes.ts";
import { type Found, Marks, monotonic, round } from "./support/results.ts";

export interface PowerCutOptions {
  readonly rounds: number;
  /** Changes at once. */
  readonly writers: number;
  readonly members: number;
  /** Of the engine: 1 or 3. */
  readonly servers: 1 | 3;
  /** How many of them are cut in a round, at the same moment. */
  readonly cut: number;
  /** Longest time of writing before a cut, ms: below 10 s, as the kernel writes by itself after 30 s. */
  readonly mostMs: number;
  /** What a plain client writes, for comparison, ms. */
  readonly controlMs: number;
}

const DISK_MIB = 192;
/** A hub that has begun asks those that it hears of to sync. */
const HEARTBEAT_MS = 1000;
const LIMIT_MS = 60_000;
/** How often it is looked who serves what, ms. */
const LOOK_MS = 100;
/** Shortest time of writing, ms. */
const LEAST_MS = 300;

/** The engine's power is cut amid writes, and what it had not synced is gone; then it is as it was an hour ago. */
export async function powerCutTrial(options: PowerCutOptions): Promise<Found> {
  const { rounds, writers, members, servers, cut, mostMs, controlMs } = options;
  const marks = new Marks(`power cut of ${cut} of ${servers}`);
  const [late, synced] = await Promise.all([
    plainWrites(controlMs, undefined),
    plainWrites(controlMs, "always"),
  ]);
  const lossy = late.lost > 0 ? "some" : "none";
  marks.is("control: a server that syncs every 2 minutes loses", lossy, "some");
  marks.note("of its acknowledged writes, lost", `${late.acknowledged}, ${late.lost}`);
  marks.is(`control: one that always syncs, of ${synced.acknowledged} lost`, synced.lost, 0);

  const disks: LoopDisk[] = [];
  let place: Place | undefined;
  const stopping = new AbortController();
  try {
    for (let n = 0; n < servers; n += 1) disks.push(await LoopDisk.make(DISK_MIB));
    place = await Place.start({
      servers,
      hubPort: true,
      alter: (config, server) => onDisk(config, disks[server]?.folder ?? ""),
    });
    await place.hub();
    const group = await place.join(place.process(), members);
    await group.calls.ask("start", { tell: false, heartbeatMs: HEARTBEAT_MS });
    const writes = new AcknowledgedWrites(place, group.mids);
    const watch = watchParts(place, writes, stopping.signal);
    const cuts = new Cuts(place, disks, writes);

    for (let n = 0; n < rounds; n += 1) {
      await cuts.round({
        writers,
        count: cut,
        first: n % servers,
        afterMs: LEAST_MS + Math.random() * (mostMs - LEAST_MS),
      });
    }
    marks.note("cuts; changes acknowledged; refused", cuts.summary);
    marks.note("until all members were back, most", `${round(cuts.longestMs / 1000)} s`);
    marks.is("acknowledged changes that are lost or undone", cuts.problems.length, 0);
    for (const problem of cuts.problems.slice(0, 10)) marks.note("lost or undone", problem);
    marks.is("removed masters whose key is taken for good", cuts.takenForGood, 0);
    marks.note("removed masters; those taken at first", `${cuts.removed}; ${cuts.takenAtFirst}`);
    // The engine's own ends when it has said again what it is.
    const hubs = place;
    await until(LIMIT_MS, "no alarm is left", async () => (await alarms(hubs)).length === 0);
    marks.is("alarms", (await alarms(place)).join(" ") || "none", "none");
    marks.is("parts that were seen stopped", watch.stopped.size, 0);

    const gone = await cuts.anHourAgo(writers);
    marks.is("as it was an hour ago: alarms", (await alarms(place)).join(" "), "store-older");
    marks.note("services that the older store does not have", String(gone));
    await delay(1000);
    marks.is("parts that were seen stopped then", watch.stopped.size, 0);
    await place.ask("POST", "/fleet/services", {
      alias: "after it",
      parts: [{ url: "server://0.0.0.0:auto/127.0.0.1:80", master: group.mids[0] }],
    });
    return marks.found();
  } finally {
    stopping.abort();
    await place?.close();
    await Promise.all(disks.map((disk) => disk.close()));
  }
}

async function alarms(place: Place): Promise<string[]> {
  const raised = await Promise.all(
    place.hubs.map(({ calls }) => calls.ask<{ alarms: { alarm: string }[] }>("figures")),
  );
  return [...new Set(raised.flatMap((hub) => hub.alarms.map(({ alarm }) => alarm)))];
}

/** Parts that a member served and serves no more, though nobody has asked for that. */
function watchParts(place: Place, writes: AcknowledgedWrites, signal: AbortSignal) {
  const seen = new Set<string>();
  const stopped = new Set<string>();
  const look = async () => {
    while (!signal.aborted) {
      const said = await Promise.all(
        place.groups.map(({ calls }) => calls.ask<[string, number][]>("serving")),
      );
      const now = new Set(said.flat().map(([key]) => key));
      for (const key of seen) if (!now.has(key) && !writes.mayBeGone(key)) stopped.add(key);
      for (const key of now) seen.add(key);
      await delay(LOOK_MS);
    }
  };
  // The place is closed.
  void look().catch(() => undefined);
  return { stopped };
}

/** One cut after the other, and what was found after each. */
class Cuts {
  readonly problems: string[] = [];
  longestMs = 0;
  removed = 0;
  takenAtFirst = 0;
  takenForGood = 0;
  readonly #place: Place;
  readonly #disks: readonly LoopDisk[];
  readonly #writes: AcknowledgedWrites;
  #cuts = 0;
  #old: string[] = [];

  constructor(place: Place, disks: readonly LoopDisk[], writes: AcknowledgedWrites) {
    this.#place = place;
    this.#disks = disks;
    this.#writes = writes;
  }

  get summary(): string {
    return `${this.#cuts}; ${this.#writes.count}; ${this.#writes.refused}`;
  }

  async round(how: {
    readonly writers: number;
    readonly count: number;
    readonly first: number;
    readonly afterMs: number;
  }): Promise<void> {
    const place = this.#place;
    const over = new AbortController();
    const writing = Array.from({ length: how.writers }, (_, writer) =>
      this.#writes.write(writer, over.signal),
    );
    const leaving = this.#joinAndLeave();
    // At any moment, or as soon as a master's removal is acknowledged.
    const when = [delay(how.afterMs), ...(this.#cuts % 2 === 1 ? [leaving] : [])];
    await Promise.race(when);
    const cut = place.engines
      .map((engine, at) => ({ engine, disk: this.#disks[at] }))
      .filter(
        (_, at) => (at - how.first + place.engines.length) % place.engines.length < how.count,
      );
    await Promise.all(cut.map(({ engine }) => engine.kill()));
    for (const { disk } of cut) await disk?.cutPower();
    this.#cuts += 1;
    const from = monotonic();
    await Promise.all(cut.map(({ engine }) => engine.restart()));
    over.abort();
    await this.#areBack();
    this.longestMs = Math.max(this.longestMs, monotonic() - from);
    await this.#lookAtKey(await leaving);
    // What was under way when the engine died is given up by the hub after 5 s.
    await Promise.all(writing);
    await this.#look();
    // An image of an hour ago, for later: of one moment, so nobody may write meanwhile.
    if (this.#old.length > 0) return;
    for (const engine of place.engines) engine.freeze();
    this.#old = this.#disks.map((disk) => disk.copy());
    for (const engine of place.engines) engine.thaw();
  }

  /** @returns how many services it has no more */
  async anHourAgo(writers: number): Promise<number> {
    const place = this.#place;
    const over = new AbortController();
    const writing = Array.from({ length: writers }, (_, writer) =>
      this.#writes.write(writer, over.signal),
    );
    await delay(2 * LEAST_MS);
    over.abort();
    await Promise.all(writing);
    await Promise.all(place.engines.map((engine) => engine.kill()));
    for (const [at, disk] of this.#disks.entries()) await disk.insert(this.#old[at] ?? "");
    await Promise.all(place.engines.map((engine) => engine.restart()));
    await this.#areBack();
    await until(
      LIMIT_MS,
      "the alarm is raised, and that of the engine is over",
      async () => (await alarms(place)).join(" ") === "store-older",
    );
    // And a hub that knows the older store only.
    const other = await place.hub();
    await this.#areBack();
    const told = await place.ask<{ sid: string }[]>("GET", "/fleet/services", undefined, other);
    const there = new Set(told.map(({ sid }) => sid));
    return this.#writes.there.filter((sid) => !there.has(sid)).length;
  }

  async #areBack(): Promise<void> {
    const { hubs, groups } = this.#place;
    const count = groups.reduce((sum, { mids }) => sum + mids.length, 0);
    await until(LIMIT_MS, "all members have synced", async () => {
      for (const { calls } of hubs) {
        const { connected } = await calls.ask<{ connected: boolean }>("figures");
        const { synced } = await calls.ask<{ synced?: number }>("statuses");
        if (!connected || (synced ?? 0) < count) return false;
      }
      return true;
    });
  }

  /** Asks the hub that has lived through it, and one that has read the store anew. */
  async #look(): Promise<void> {
    const place = this.#place;
    const fresh = await place.hub();
    for (const hub of place.hubs) {
      const missing = await this.#writes.missing((path) => place.ask("GET", path, undefined, hub));
      this.problems.push(...missing.map((problem) => `cut ${this.#cuts}: ${problem}`));
    }
    place.hubs.splice(place.hubs.indexOf(fresh), 1);
    await place.kill(fresh);
    let lost: string[] = [];
    await until(LIMIT_MS, "members serve what is acknowledged", async () => {
      const said = await Promise.all(
        place.groups.map(({ calls }) => calls.ask<[string, number][]>("serving")),
      );
      const serving = new Set(said.flat().map(([key]) => key));
      lost = this.#writes.there.filter((sid) => !serving.has(`${sid}/0`));
      return lost.length === 0;
    }).catch(() => {
      this.problems.push(...lost.map((sid) => `cut ${this.#cuts}: no member serves ${sid}`));
    });
  }

  /** A master that joins and is removed. @returns it, if both were acknowledged before the cut */
  async #joinAndLeave(): Promise<MemberIdentity | undefined> {
    const place = this.#place;
    const mid = randomBytes(8).toString("hex");
    try {
      const { token } = await place.ask<{ token: string }>("POST", "/fleet/tokens", {
        kind: "join",
      });
      const { id, secret, fp } = decodeJoinToken(token);
      const identity = await joinAs(mid, `m-${mid}`, { id, secret }, fp, (request) =>
        place.ask<SealedJoinAnswer>("POST", "/fleet/join", request),
      );
      await place.ask("DELETE", `/fleet/masters/${mid}`);
      return identity;
    } catch {
      // The cut came first.
      return undefined;
    }
  }

  /** A removed master's key is refused by the engine, also after the cut; by a hub's doing at the latest. */
  async #lookAtKey(identity: MemberIdentity | undefined): Promise<void> {
    if (identity === undefined) return;
    this.removed += 1;
    if (!(await this.#takes(identity))) return;
    this.takenAtFirst += 1;
    await until(20_000, "the key is refused", async () => !(await this.#takes(identity))).catch(
      () => {
        this.takenForGood += 1;
      },
    );
  }

  async #takes({ mid, seed, answer: { jwt } }: MemberIdentity): Promise<boolean> {
    try {
      const connection = await connect({
        servers: this.#place.engines.map(({ url }) => url),
        authenticator: engineAuthenticator(() => ({ jwt, seed })),
        inboxPrefix: memberInbox(mid),
        reconnect: false,
        noAsyncTraces: true,
      });
      await connection.close();
      return true;
    } catch {
      return false;
    }
  }
}
