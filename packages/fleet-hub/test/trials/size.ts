import { setTimeout as delay } from "node:timers/promises";
import { deferred } from "./support/deferred.ts";
import { engineConsumers } from "./support/engine-figures.ts";
import { Place } from "./support/place.ts";
import { processorMs, residentMiB, wireBytes } from "./support/processes.ts";
import { type Found, Marks, monotonic, percentile, round } from "./support/results.ts";

export interface SizeOptions {
  readonly members: number;
  readonly processes: number;
  /** How long nothing happens, ms. */
  readonly idleMs: number;
  readonly creates: number;
}

/** Of 500 and of 2,000 members; in between, the larger's. */
const marksFor = (members: number) =>
  members <= 500 ? { joinS: 5, serverMiB: 100 } : { joinS: 15, serverMiB: 250 };

/** Members join and sync; then nothing happens; then services are made; then all reconnect at once. */
export async function sizeTrial(options: SizeOptions): Promise<Found> {
  const { members, processes, idleMs, creates } = options;
  const marks = new Marks(`size ${members}`);
  const place = await Place.start({ tls: true });
  try {
    const emptyMiB = residentMiB(place.enginePid);
    const hub = await place.hub();
    const children = Array.from({ length: processes }, () => place.process());
    // Node's own start is not what is measured.
    await Promise.all(children.map((calls) => calls.ask("counts")));
    const pids = () => [place.enginePid, hub.pid];
    const used = () => pids().map(processorMs);

    const before = used();
    const began = monotonic();
    const share = Math.ceil(members / processes);
    await Promise.all(children.map((calls) => place.join(calls, share)));
    const joined = monotonic();
    await Promise.all(children.map((calls) => calls.ask("start", { tell: true })));
    const synced = monotonic();
    const after = used();
    const { joinS, serverMiB } = marksFor(members);
    marks.below("all joined and synced", (synced - began) / 1000, joinS, "s");
    marks.note(
      "joined over HTTP; connected with TLS and synced",
      `${round((joined - began) / 1000)} s; ${round((synced - joined) / 1000)} s`,
    );
    marks.note(
      "processor time of engine; hub for it",
      after.map((ms, at) => `${round((ms - (before[at] ?? 0)) / 1000)} s`).join("; "),
    );
    const statuses = await hub.calls.ask<Record<string, number>>("statuses");
    marks.is("members that the hub sees synced", statuses.synced ?? 0, share * processes);

    await delay(Math.min(idleMs, 5000));
    const memberPids = place.groups.map(({ pid }) => pid);
    const wire = () => wireBytes(place.enginePort, [...memberPids, hub.pid]);
    const membersWire = () => wireBytes(place.enginePort, memberPids);
    const idle = { at: monotonic(), wire: wire(), own: membersWire(), used: used() };
    const memberUsed = memberPids.map(processorMs);
    await delay(idleMs);
    const seconds = (monotonic() - idle.at) / 1000;
    const each = (bytes: number) => bytes / seconds / (share * processes);
    marks.below(
      "idle, a member, with TLS, TCP/IP and the hub's copy",
      each(wire() - idle.wire),
      120,
      "B/s",
    );
    marks.note("of that between member and engine", `${round(each(membersWire() - idle.own))} B/s`);
    for (const [at, name] of ["engine", "hub"].entries()) {
      const percent = ((used()[at] ?? 0) - (idle.used[at] ?? 0)) / seconds / 10;
      if (members <= 500) marks.below(`idle, ${name}'s processor`, percent, 5, "% of a core");
      else marks.note(`idle, ${name}'s processor`, `${round(percent)} % of a core`);
    }
    const memberPercent =
      memberPids.reduce((sum, pid, at) => sum + processorMs(pid) - (memberUsed[at] ?? 0), 0) /
      seconds /
      10 /
      (share * processes);
    marks.note("idle, a simulated member's processor", `${memberPercent.toFixed(4)} % of a core`);
    marks.below("engine's memory", residentMiB(place.enginePid), serverMiB, "MiB");
    marks.note("engine's memory when empty", `${round(emptyMiB)} MiB`);
    marks.note("hub's memory", `${round(residentMiB(hub.pid))} MiB`);

    await createAll(place, creates, marks);
    await reconnectAll(place, marks);
    return marks.found();
  } finally {
    await place.close();
  }
}

/** One service after the other; counts until its member acts. */
async function createAll(place: Place, creates: number, marks: Marks): Promise<void> {
  const began = new Map<string, number>();
  const acts: number[] = [];
  const answers: number[] = [];
  const all = deferred<void>();
  place.onOrder = ({ alias, at }) => {
    const from = began.get(alias);
    if (from === undefined) return;
    acts.push(at - from);
    began.delete(alias);
    if (acts.length === creates) all.resolve();
  };
  const mids = place.groups.flatMap((group) => group.mids);
  const used = place.hubs.map(({ pid }) => processorMs(pid))[0] ?? 0;
  for (let n = 0; n < creates; n += 1) {
    const alias = `s${n}`;
    const from = monotonic();
    began.set(alias, from);
    await place.ask("POST", "/fleet/services", {
      alias,
      parts: [{ url: "server://0.0.0.0:auto/127.0.0.1:80", master: mids[(n * 7) % mids.length] }],
    });
    answers.push(monotonic() - from);
  }
  await Promise.race([all.promise, delay(15_000)]);
  marks.is("services made that a member acted on", acts.length, creates);
  marks.below(
    `of ${creates} creates, until the member acts, p99`,
    percentile(acts, 0.99),
    50,
    "ms",
  );
  marks.note(
    "until the member acts, p50; max",
    `${round(percentile(acts, 0.5))}; ${round(Math.max(...acts))} ms`,
  );
  marks.note(
    "until it is answered, p50; p99",
    `${round(percentile(answers, 0.5))}; ${round(percentile(answers, 0.99))} ms`,
  );
  const spent = (processorMs(place.hubs[0]?.pid ?? 0) - used) / creates;
  marks.note("hub's processor time a create", `${round(spent)} ms`);
}

/** All connections end at one moment. */
async function reconnectAll(place: Place, marks: Marks): Promise<void> {
  const from = monotonic();
  const lost = await Promise.all(place.groups.map(({ calls }) => calls.ask<number>("reconnect")));
  const tookS = (monotonic() - from) / 1000;
  const count = place.groups.flatMap(({ mids }) => mids).length;
  if (count <= 500) marks.below("all reconnected at once and synced", tookS, 10, "s");
  else marks.note("all reconnected at once and synced", `${round(tookS)} s`);
  marks.is(
    "members whose sync was lost",
    lost.reduce((sum, one) => sum + one, 0),
    0,
  );
  const consumers = await engineConsumers(place.created.hub);
  // Two watches of buckets a hub, and none of any member.
  marks.below("consumers at the engine, of one hub", consumers, 6, "");
}
