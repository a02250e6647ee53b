import type { MemberRecord, ServiceRecord } from "@nodepass/fleet-protocol";
import { ServiceError } from "@nodepass/model";
import type { Caller } from "../fleet.ts";
import { ANSWER_WITHIN_MS } from "./create-service.ts";
import { hasLetGo } from "./part-steps.ts";
import type { Reconciler } from "./reconciler.ts";
import type { ServiceParts } from "./service-operations.ts";
import { noService, type ServiceWriter, withPart } from "./service-writer.ts";

/** Services that are to be no more, and members that are to have none. */
export interface ServiceRemover {
  remove(caller: Caller, sid: string, revision: number | undefined, keep: boolean): Promise<void>;
  leave(caller: Caller, mid: string, member: MemberRecord, stop: boolean): Promise<void>;
}

const MOST_TRIES = 5;
/** Services of a member that leaves which are written at once. */
const AT_ONCE = 8;

export function createServiceRemover(
  { index, presence, store, clock }: ServiceParts,
  writer: ServiceWriter,
  reconciler: Reconciler,
): ServiceRemover {
  const isThere = (mid: string) =>
    presence.facts(mid).status === "online" && index.members.get(mid)?.value.evicted === false;

  /**
   * Resolves when all who are there have let go of what is no more, or after the time: who asks for
   * another service at the same addresses then finds them free.
   */
  const letGo = (sid: string, { parts }: ServiceRecord) =>
    new Promise<void>((resolve) => {
      const isOver = () =>
        parts.every((part, at) =>
          [part.owner, part.from].every(
            (mid) =>
              mid === null || !isThere(mid) || hasLetGo(presence.reportOf(mid, sid, at), part),
          ),
        );
      const stops: (() => void)[] = [];
      const end = () => {
        for (const stop of stops.splice(0)) stop();
        resolve();
      };
      const look = () => {
        if (isOver()) end();
      };
      stops.push(
        clock.after(ANSWER_WITHIN_MS, end),
        presence.onReport((_mid, report) => {
          if (report.sid === sid) look();
        }),
        presence.onStatus(look),
      );
      look();
    });

  const remove = async (sid: string, revision: number | undefined) => {
    let stored = writer.read(sid);
    for (let tries = 1; ; tries += 1) {
      if (revision !== undefined && stored.revision !== revision) {
        throw new ServiceError(
          "PRECONDITION",
          `service ${sid} has revision ${stored.revision}, not ${revision}`,
        );
      }
      try {
        await writer.remove(sid, stored.revision);
        await letGo(sid, stored.value);
        return;
      } catch (error) {
        const conflicts = error instanceof ServiceError && error.code === "CONFLICT";
        if (!conflicts || tries >= MOST_TRIES) throw error;
        const again = await store.services.get(sid);
        if (again === undefined) throw noService(sid);
        stored = again;
      }
    }
  };

  /** Owners are told to let go and keep what runs; the record goes when all have said so. */
  const detach = async (caller: Caller, sid: string, revision: number | undefined) => {
    await writer.change(sid, revision, ({ value: record }) => {
      if (record.detached) return record;
      return { ...record, detached: true, by: caller.token, at: clock.now() };
    });
    await reconciler.drive(sid, ANSWER_WITHIN_MS);
  };

  /** The record without a member, or with it as the one who is to give its parts up. */
  const without = (record: ServiceRecord, mid: string, by: string, stop: boolean) => {
    let changed = record;
    for (const [at, { owner, from, to, home }] of record.parts.entries()) {
      if (owner === mid) {
        // What has just come by a move goes back.
        const back = to === mid && from !== null && from !== mid ? from : null;
        changed = withPart(changed, at, { owner: null, from: stop ? mid : null, to: back });
      } else if (owner === null && from === mid && !stop) {
        changed = withPart(changed, at, { from: null });
      } else if (owner === null && to === mid) {
        changed = withPart(changed, at, { to: from });
      }
      if (home === mid) changed = withPart(changed, at, { home: null });
    }
    return changed === record ? record : { ...changed, by, at: clock.now() };
  };

  return {
    remove: (caller, sid, revision, keep) =>
      keep ? detach(caller, sid, revision) : remove(sid, revision),
    leave: async (caller, mid, _member, stop) => {
      const sids = new Set(index.ownedBy(mid).map(({ sid }) => sid));
      for (const [sid, { value }] of index.services) {
        const isNamed = value.parts.some(({ from, to, home }) => [from, to, home].includes(mid));
        if (isNamed) sids.add(sid);
      }
      const deadline = clock.monotonic() + ANSWER_WITHIN_MS;
      await inTurns([...sids], AT_ONCE, async (sid) => {
        await writer.change(sid, undefined, ({ value }) => without(value, mid, caller.token, stop));
        if (stop) await reconciler.drive(sid, Math.max(0, deadline - clock.monotonic()));
      });
    },
  };
}

/** Does something for each, a few at the same time. */
export async function inTurns<Item>(
  items: readonly Item[],
  atOnce: number,
  action: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await action(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}
