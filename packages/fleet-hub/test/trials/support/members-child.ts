// Many simulated members in a process of their own, with a channel to its parent.
import { randomBytes } from "node:crypto";
import { createServer, type Socket } from "node:net";
import { decodeJoinToken, type SealedJoinAnswer } from "@nodepass/fleet-protocol";
import { joinAs, type MemberIdentity } from "../../support/join-as.ts";
import { SimulatedMember } from "../../support/simulated-member.ts";
import { answerParent, tellParent } from "./calls.ts";

/** Joins of this process at once. */
const JOINS_AT_ONCE = 16;

const identities: MemberIdentity[] = [];
let members: SimulatedMember[] = [];
let isFailing = false;

async function join({ token, count, url }: { token: string; count: number; url: string }) {
  const { id, secret, fp } = decodeJoinToken(token);
  let left = count;
  const one = async () => {
    while (left > 0) {
      left -= 1;
      const mid = randomBytes(8).toString("hex");
      identities.push(
        await joinAs(mid, `m-${mid.slice(0, 6)}`, { id, secret }, fp, async (request) => {
          const answer = await fetch(`${url}/fleet/join`, {
            method: "POST",
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify(request),
          });
          if (!answer.ok) throw new Error(`join: ${answer.status} ${await answer.text()}`);
          return (await answer.json()) as SealedJoinAnswer;
        }),
      );
    }
  };
  await Promise.all(Array.from({ length: JOINS_AT_ONCE }, one));
  return identities.map(({ mid }) => mid);
}

interface StartOptions {
  readonly servers?: string[];
  /** Whether the parent is told of each order. */
  readonly tell: boolean;
  /** @default as a member's */
  readonly heartbeatMs?: number;
}

async function start({ servers, tell, heartbeatMs }: StartOptions): Promise<void> {
  members = identities.map(
    (identity) =>
      new SimulatedMember({
        identity,
        ...(servers !== undefined && { servers }),
        ...(heartbeatMs !== undefined && { heartbeatMs }),
        failure: () => (isFailing ? "it was told to fail" : undefined),
        onOrder: (order) => {
          // After it is kept.
          if (order.ttlMs > 0 && !order.gone) leasing.get(identity.mid)?.plan(1);
          if (!tell || order.gone) return;
          tellParent({ alias: order.alias, at: Number(process.hrtime.bigint() / 1000n) / 1000 });
        },
      }),
  );
  await Promise.all(members.map((member) => member.start()));
}

/** Between two requests for a lease while nobody answers, ms: as a member does. */
const LEASE_AGAIN_MS = 500;

/** Asks every quarter of the shortest TTL of its parts, and at once for a new one, as a member does. */
class Leasing {
  readonly #member: SimulatedMember;
  #timer: NodeJS.Timeout | undefined;

  constructor(member: SimulatedMember) {
    this.#member = member;
    this.plan(0);
  }

  plan(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#turn(), ms);
  }

  /** Whether all that may serve by a lease alone are named; else it asks again soon, as a member does. */
  #isWhole(): boolean {
    const named = new Set(this.#member.leases.map(({ sid, part }) => `${sid}/${part}`));
    return [...this.#member.parts].every(([key, { order }]) => !order.strict || named.has(key));
  }

  async #turn(): Promise<void> {
    const all = [...this.#member.parts.values()].map(({ order }) => order.ttlMs);
    const ttls = all.filter((ms) => ms > 0);
    if (ttls.length === 0) return;
    const interval = Math.min(...ttls) / 4;
    this.plan(Math.min(interval, LEASE_AGAIN_MS));
    if ((await this.#member.lease()) && this.#isWhole()) this.plan(interval);
  }
}
const leasing = new Map<string, Leasing>();

/** What this process's members serve now: sid/part, epoch. */
function serving(): [string, number][] {
  return members.flatMap((member) =>
    [...member.parts.keys()].flatMap((key): [string, number][] => {
      const epoch = member.serves(key);
      return epoch === undefined ? [] : [[key, epoch]];
    }),
  );
}

/** Users' end: a line names a part, the answer is the epoch at which one of these members serves it. */
const echo = createServer((socket: Socket) => {
  socket.on("error", () => socket.destroy());
  let rest = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const key of lines) {
      const epochs = members.flatMap((member) => member.serves(key) ?? []);
      socket.write(`${key} ${epochs.length === 0 ? "-" : epochs.join(",")}\n`);
    }
  });
});

answerParent({
  join,
  start,
  listen: () =>
    new Promise((resolve) => {
      echo.listen(0, "127.0.0.1", () => {
        const at = echo.address();
        resolve(typeof at === "object" && at !== null ? at.port : 0);
      });
    }),
  lease: () => {
    for (const member of members) leasing.set(member.identity.mid, new Leasing(member));
  },
  serving,
  fail: ({ isFailing: now }: { isFailing: boolean }) => {
    isFailing = now;
  },
  counts: () => ({
    synced: members.reduce((sum, { synced }) => sum + synced, 0),
    least: Math.min(...members.map(({ synced }) => synced)),
    busy: members.reduce((sum, { busy }) => sum + busy, 0),
    bad: members.reduce((sum, { badMessages }) => sum + badMessages, 0),
    evicted: members.filter(({ evicted }) => evicted !== undefined).length,
    parts: members.reduce((sum, { parts }) => sum + parts.size, 0),
  }),
  /** All lose their connections at the same moment, and come back as a member does. */
  reconnect: async () => {
    const before = members.map(({ synced }) => synced);
    const again = members.map((member) => member.nextSync());
    await Promise.all(members.map(async (member) => member.connection?.reconnect()));
    await Promise.all(again);
    return members.filter(({ synced }, at) => synced <= (before[at] ?? 0)).length;
  },
});
