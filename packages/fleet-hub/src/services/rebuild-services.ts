import type { PartRecord, ServiceRecord } from "@nodepass/fleet-protocol";
import { ServiceError } from "@nodepass/model";
import { DEFAULT_POLICY } from "@nodepass/model/fleet";
import { type AskedInstance, askInstance } from "./ask-instance.ts";
import { roleOf } from "./part-url.ts";
import { inTurns } from "./remove-service.ts";
import type { ServiceOperations, ServiceParts } from "./service-operations.ts";
import type { ServiceWriter } from "./service-writer.ts";

/** Instances and records that are asked for and written at the same time. */
const AT_ONCE = 16;

/** A part as the member that runs it has it. */
interface Found {
  readonly mid: string;
  readonly epoch: number;
  readonly instance: AskedInstance;
}

/**
 * Makes the records of services anew from what members say they run, where the store has lost them and
 * there is no export. Ids, parts and tunnels stay as they are; policies are not known to members, so
 * failover is off then.
 */
export function createRebuilder(
  parts: ServiceParts,
  writer: ServiceWriter,
): ServiceOperations["rebuild"] {
  const { index, presence, clock, logger } = parts;

  /** Parts that no record has, by what members have said in their last sync and since. */
  const listLost = () => {
    const lost: { mid: string; sid: string; part: number; epoch: number; instance: string }[] = [];
    for (const [mid, { value }] of index.members) {
      if (value.evicted) continue;
      for (const { sid, part, epoch, outcome, instance } of presence.reportsOf(mid)) {
        const isKnown = index.services.get(sid)?.value.parts[part] !== undefined;
        if (outcome === "released" || instance === null || isKnown) continue;
        lost.push({ mid, sid, part, epoch, instance });
      }
    }
    return lost;
  };

  const recordOf = ({ mid, epoch, instance }: Found): PartRecord => ({
    role: roleOf(instance.url),
    owner: mid,
    from: null,
    to: null,
    // Above what any member may have applied.
    epoch: epoch + 1,
    running: instance.status !== "stopped",
    url: instance.url,
    sel: "",
    home: null,
    adopt: instance.id,
  });

  return async (caller) => {
    const found = new Map<string, Map<number, Found>>();
    const left = new Map<string, string>();
    await inTurns(listLost(), AT_ONCE, async ({ mid, sid, part, epoch, instance }) => {
      try {
        const asked = await askInstance(parts, mid, instance, caller.from);
        const ofService = found.get(sid) ?? new Map<number, Found>();
        found.set(sid, ofService);
        // Of two that say to have it, the one that got it later.
        const other = ofService.get(part);
        if (other === undefined || other.epoch < epoch) {
          ofService.set(part, { mid, epoch, instance: asked });
        }
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        left.set(sid, error.message);
      }
    });
    let created = 0;
    await inTurns([...found], AT_ONCE, async ([sid, ofService]) => {
      if (left.has(sid)) return;
      try {
        await rebuild(sid, ofService, caller.token);
        created += 1;
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        left.set(sid, error.message);
      }
    });
    logger.info({ created, left: left.size }, "services were rebuilt from what masters run");
    return { created, left: [...left].map(([sid, reason]) => ({ sid, reason })) };
  };

  /** A service that is not there, or the half of a pair that a master has brought back. */
  async function rebuild(sid: string, ofService: ReadonlyMap<number, Found>, by: string) {
    const noted = { by, at: clock.now() };
    const [first, second] = [ofService.get(0), ofService.get(1)];
    if (index.services.has(sid)) {
      await writer.change(sid, undefined, ({ value }) => {
        const [one, more] = value.parts;
        if (one === undefined || second === undefined || more !== undefined) return value;
        return { ...value, ...noted, parts: [one, recordOf(second)] };
      });
      return;
    }
    if (first === undefined) {
      throw new ServiceError("CONFLICT", "its first half is at no master that is there");
    }
    const { alias, meta } = first.instance;
    const record: ServiceRecord = {
      v: 1,
      alias,
      tags: meta.tags,
      policy: DEFAULT_POLICY,
      ...noted,
      detached: false,
      parts: second === undefined ? [recordOf(first)] : [recordOf(first), recordOf(second)],
    };
    await writer.create(sid, record);
  }
}
