import type { PartRecord, ServiceRecord } from "@nodepass/fleet-protocol";
import { ServiceError } from "@nodepass/model";
import type { Caller } from "../fleet.ts";
import { changePolicy } from "./change-service.ts";
import { type Exported, readExport } from "./export-services.ts";
import { inTurns } from "./remove-service.ts";
import { demandRoom } from "./room.ts";
import type { ServiceOperations, ServiceParts } from "./service-operations.ts";
import type { ServiceWriter } from "./service-writer.ts";

/** Records that are written at the same time. */
const AT_ONCE = 16;

/** Brings an export back: what is not there is made, what differs is changed, nothing is removed. */
export function createImporter(
  { fleet, index, presence, store, signature, vouchers, clock, logger }: ServiceParts,
  writer: ServiceWriter,
): ServiceOperations["import"] {
  /** @returns how many were made */
  const importMembers = async ({ members }: Exported) => {
    let made = 0;
    for (const [mid, member] of members) {
      if (index.members.has(mid) || (await store.members.get(mid)) !== undefined) continue;
      await store.members.create(mid, member);
      if (!member.evicted) made += 1;
    }
    return made;
  };

  /** Who says that it runs a part, at the highest epoch; the export may be older than a move. */
  const findRunner = (sid: string, at: number, epoch: number, members: Iterable<string>) => {
    const doubted: string[] = [];
    let best: { readonly mid: string; readonly epoch: number } | undefined;
    for (const mid of members) {
      const said = presence.reportOf(mid, sid, at);
      if (said === undefined || said.outcome === "released") continue;
      if (said.epoch >= epoch && !vouchers.holds(mid, said)) {
        doubted.push(mid);
        continue;
      }
      if (best === undefined || said.epoch > best.epoch) best = { mid, epoch: said.epoch };
    }
    if (doubted.length > 0) {
      const fields = { sid, part: at, masters: doubted.slice(0, 5).join(", ") };
      logger.warn(fields, "masters say to have a part, and can't show that a hub has told them so");
    }
    return best;
  };

  const renew = (
    sid: string,
    { parts, policy: { failover } }: ServiceRecord,
    members: ReadonlySet<string>,
  ): PartRecord[] =>
    parts.map((part, at) => {
      const exported = part.owner ?? part.from;
      const runner = findRunner(sid, at, part.epoch, members);
      const newer = runner !== undefined && runner.epoch >= part.epoch ? runner.mid : exported;
      const owner = newer !== null && members.has(newer) ? newer : null;
      // Above all that its owner, or one before, may have applied.
      const epoch = Math.max(part.epoch, runner?.epoch ?? 0) + 1;
      // Its owner may run it without a lease, by an order of before: it has to hear first.
      const from = failover === "strict" ? owner : null;
      const home = part.home !== null && members.has(part.home) ? part.home : null;
      const adopt = owner === part.owner ? part.adopt : null;
      return { ...part, owner, from, to: null, epoch, home, adopt };
    });

  /** What is there with what the export says of it; who has it stays. */
  const merge = (sid: string, now: ServiceRecord, exported: ServiceRecord): ServiceRecord => {
    const { alias, tags, policy } = exported;
    const parts = now.parts.map((part, at): PartRecord => {
      const { url = part.url, running = part.running, sel = part.sel } = exported.parts[at] ?? {};
      const same = url === part.url && running === part.running && sel === part.sel;
      // The key may be another one.
      const epoch = url === part.url ? part.epoch : part.epoch + 1;
      return same ? part : { ...part, url, running, sel, epoch };
    });
    const same =
      parts.every((part, at) => part === now.parts[at]) &&
      JSON.stringify([alias, tags]) === JSON.stringify([now.alias, now.tags]);
    return changePolicy(sid, same ? now : { ...now, alias, tags, parts }, policy);
  };

  return async (caller: Caller, text) => {
    const exported = readExport(text, fleet, signature);
    if (exported.members.size + exported.services.size === 0) {
      throw new ServiceError("INVALID", `the export of ${exported.time} has nothing in it`);
    }
    const members = new Set(
      [...exported.members, ...[...index.members].map(([mid, { value }]) => [mid, value] as const)]
        .filter(([, member]) => !member.evicted)
        .map(([mid]) => mid),
    );
    // All of it or nothing.
    const fresh = new Map(
      [...exported.services]
        .filter(([sid]) => !index.services.has(sid))
        .map(([sid, record]) => [sid, renew(sid, record, members)] as const),
    );
    demandRoom(
      index,
      [...fresh.values()].map((parts) => ({ parts })),
    );
    const masters = await importMembers(exported);
    let [created, changed, kept] = [0, 0, 0];
    await inTurns([...exported.services], AT_ONCE, async ([sid, record]) => {
      const noted = { by: caller.token, at: clock.now() };
      const now = index.services.get(sid);
      if (now === undefined) {
        const parts = fresh.get(sid) ?? renew(sid, record, members);
        await writer.create(sid, { ...record, ...noted, parts, detached: false });
        created += 1;
        return;
      }
      if (merge(sid, now.value, record) === now.value) {
        kept += 1;
        return;
      }
      await writer.change(sid, undefined, ({ value }) => {
        if (value.parts.length !== record.parts.length) {
          throw new ServiceError("CONFLICT", `service ${sid} has another number of parts now`);
        }
        return { ...merge(sid, value, record), ...noted };
      });
      changed += 1;
    });
    logger.info({ created, changed, kept, masters }, "an export was imported");
    return { created, changed, kept, masters };
  };
}
