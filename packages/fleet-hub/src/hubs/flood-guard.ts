import type { Clock } from "@nodepass/master-api";
import type { Logger } from "@nodepass/model";
import type { EngineControl } from "../engine/engine-control.ts";
import type { EngineClient, EngineLoad } from "../engine/engine-load.ts";
import type { Leadership } from "../leader/leadership.ts";
import type { FleetIndex } from "../store/fleet-index.ts";
import type { LiveNews } from "./fleet-news.ts";
import type { Notices } from "./notices.ts";

/** How often the engine's load is looked at, ms. */
const CHECK_MS = 3000;
/** How long its users are watched when there is too much of it, ms. */
const SAMPLE_MS = 1000;
/** A member has one connection, for a moment two. */
const MAX_CONNECTIONS = 16;
/** Of hubs and of members that come back, beyond one a member. */
const SPARE_CONNECTIONS = 64;
const MIB = 1024 * 1024;
/** What one member sends a second at most, to whatever subject; streams are the most of it. */
export const MAX_SENT_A_SECOND = { messages: 20_000, bytes: 64 * MIB } as const;
/** So long no other JWT is given to one that was cut off, ms. */
export const CUT_OFF_MS = 60_000;
/** It has been told to the engine, which needs a moment, ms. */
const CUTTING_MS = 5000;

/** Keeps one member's flood from costing all others their hub. */
export interface FloodGuard {
  /** Its key is not taken any more, till it asks for another JWT. */
  cut(mid: string, why: string): void;
  /** How long a member must wait for another JWT, ms; 0: it need not. */
  waitOf(mid: string): number;
  close(): void;
}

/**
 * The engine bounds a client's subscriptions and messages, but neither its connections nor what it sends a
 * second. So hubs look: who has too many of them, or sends too much, is cut off by the system account's
 * connection, which no member's flood reaches; it comes back with a new JWT, if it is an honest one.
 */
export function guardAgainstFloods(options: {
  readonly index: Pick<FleetIndex, "members">;
  readonly control: Pick<EngineControl, "revoke" | "load" | "clients">;
  readonly leadership: Leadership;
  /** Whether this hub is there for its members. */
  readonly isConnected: () => boolean;
  readonly news: LiveNews;
  readonly notices: Notices;
  readonly clock: Clock;
  readonly logger: Logger;
}): FloodGuard {
  const { index, control, leadership, isConnected, news, notices, clock, logger } = options;
  const cutAt = new Map<string, number>();
  /** Their keys, which the engine has not been told yet: it could not be. */
  const uncut = new Map<string, string>();
  let last: { readonly load: EngineLoad; readonly at: number } | undefined;
  let isClosed = false;
  let cancel = (): void => undefined;

  const sinceCut = (mid: string) =>
    clock.monotonic() - (cutAt.get(mid) ?? Number.NEGATIVE_INFINITY);

  const cut = (mid: string, why: string) => {
    const record = index.members.get(mid)?.value;
    if (isClosed || record === undefined || record.evicted || sinceCut(mid) < CUTTING_MS) return;
    cutAt.set(mid, clock.monotonic());
    logger.warn({ mid, why }, "a master is cut off from the engine");
    news.alarm("flood", true, `master ${mid} was cut off: ${why}`);
    notices.publish({ kind: "cut", mid });
    revoke(mid, record.nkey);
  };

  const revoke = (mid: string, nkey: string) => {
    uncut.delete(mid);
    control.revoke([nkey]).catch((error: unknown) => {
      logger.warn({ mid, error: String(error) }, "a master can't be cut off; tried again");
      uncut.set(mid, nkey);
    });
  };

  const revokeAgain = () => {
    for (const [mid, nkey] of [...uncut]) {
      // Later it may have another JWT, which it would lose.
      if (sinceCut(mid) < CUT_OFF_MS - CUTTING_MS) revoke(mid, nkey);
      else uncut.delete(mid);
    }
  };

  const judge = (before: readonly EngineClient[], now: readonly EngineClient[]) => {
    const known = new Map(before.map((client) => [client.id, client]));
    const mids = new Map([...index.members].map(([mid, { value }]) => [value.nkey, mid]));
    const sums = new Map<string, { connections: number; messages: number; bytes: number }>();
    for (const { id, nkey, messages, bytes, since, at } of now) {
      const mid = mids.get(nkey);
      if (mid === undefined) continue;
      const sum = sums.get(mid) ?? { connections: 0, messages: 0, bytes: 0 };
      // One that was not there before may only have been missed, with a server whose answer was late or
      // between two pages: it has sent all of it since it began.
      const past = known.get(id) ?? { messages: 0, bytes: 0, at: since };
      const seconds = Math.max(SAMPLE_MS, at - past.at) / 1000;
      sum.connections += 1;
      sum.messages += (messages - past.messages) / seconds;
      sum.bytes += (bytes - past.bytes) / seconds;
      sums.set(mid, sum);
    }
    for (const [mid, { connections, messages, bytes }] of sums) {
      const rate = Math.round(messages);
      const mib = Math.round(bytes / MIB);
      if (connections > MAX_CONNECTIONS) cut(mid, `it has ${connections} connections`);
      else if (rate > MAX_SENT_A_SECOND.messages) cut(mid, `it sends ${rate} messages a second`);
      else if (mib * MIB > MAX_SENT_A_SECOND.bytes) cut(mid, `it sends ${mib} MiB a second`);
    }
  };

  const look = async () => {
    if (!leadership.isLeading() && isConnected()) {
      last = undefined;
      return;
    }
    const load = await control.load();
    const at = clock.monotonic();
    const before = last;
    last = { load, at };
    const seconds = before === undefined ? 0 : (at - before.at) / 1000;
    const rate = (kind: "messages" | "bytes") => {
      let more = 0;
      // Of servers that answered both times: what another has carried since it began is no rate.
      for (const [id, now] of load.servers) {
        more += now[kind] - (before?.load.servers.get(id) ?? now)[kind];
      }
      return more === 0 ? 0 : more / seconds;
    };
    const isFull = load.connections > index.members.size + SPARE_CONNECTIONS;
    const isMuch =
      rate("messages") > MAX_SENT_A_SECOND.messages || rate("bytes") > MAX_SENT_A_SECOND.bytes;
    if (!isFull && !isMuch) return;
    const first = await control.clients();
    if (isMuch) await new Promise<void>((resolve) => clock.after(SAMPLE_MS, resolve));
    const later = isMuch ? await control.clients() : first;
    judge(first, later);
  };

  const tick = async () => {
    try {
      await look();
    } catch (error) {
      // The engine is away, or full: another look is taken.
      logger.debug({ error: String(error) }, "the engine's load is not known");
    }
    if (isClosed) return;
    revokeAgain();
    for (const [mid] of cutAt) if (sinceCut(mid) > 2 * CUT_OFF_MS) cutAt.delete(mid);
    if (cutAt.size === 0) news.alarm("flood", false, "no master sends too much");
    cancel = clock.after(CHECK_MS, () => void tick());
  };
  cancel = clock.after(CHECK_MS, () => void tick());

  const unlisten = notices.on((notice) => {
    if (notice.kind === "cut") cutAt.set(notice.mid, clock.monotonic());
  });

  return {
    cut,
    waitOf: (mid) => Math.max(0, CUT_OFF_MS - sinceCut(mid)),
    close: () => {
      isClosed = true;
      cancel();
      unlisten();
    },
  };
}
