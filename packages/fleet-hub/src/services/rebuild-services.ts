import type { PartRecord, PartReport, ServiceRecord } from "@nodepass/fleet-protocol";
import { ServiceError } from "@nodepass/model";
import { DEFAULT_POLICY, type FleetInstance, type ServicePolicy } from "@nodepass/model/fleet";
import { roleOf } from "./part-url.ts";
import { inTurns } from "./remove-service.ts";
import type { Rebuilt, ServiceOperations, ServiceParts } from "./service-operations.ts";
import type { ServiceWriter } from "./service-writer.ts";

/** Records that are written at the same time. */
const AT_ONCE = 16;
/** Ids of a fleet's services, as hubs make them: what was a part once has one in `meta.peer`. */
const SID = /^[0-9a-f]{16}$/;

/** What may be a part of a service that the store does not know. */
interface Found {
  readonly instance: FleetInstance;
  /** Where its member holds it as a part still; `undefined` for one that is local now. */
  readonly held: PartReport | undefined;
}

/**
 * Makes the records of services anew from what members run, where the store has lost them and there is no
 * export: those that members hold as parts still, and those that became local when they left but bear
 * their service's id. Ids and tunnels stay as they are, and the policy that a hub told a member of a part
 * that it holds; else failover is off. That it holds it, and at which epoch, it has to show.
 */
export function createRebuilder(
  { index, presence, vouchers, clock, logger }: ServiceParts,
  writer: ServiceWriter,
): ServiceOperations["rebuild"] {
  const find = (instance: FleetInstance): (Found & { readonly sid: string }) | undefined => {
    const report = presence
      .reportsOf(instance.mid)
      .find(({ instance: id, outcome }) => id === instance.id && outcome !== "released");
    const sid = report?.sid ?? instance.sid;
    if (sid === null || (report === undefined && !SID.test(sid))) return undefined;
    const known = index.services.get(sid)?.value.parts;
    const isKnown =
      report === undefined
        ? known?.some(({ adopt, role }) => adopt === instance.id || role === roleOf(instance.url))
        : known?.[report.part] !== undefined;
    return isKnown === true ? undefined : { sid, instance, held: report };
  };

  const recordOf = ({ instance, held }: Found): PartRecord => ({
    role: roleOf(instance.url),
    owner: instance.mid,
    // It may run without a lease, by an order of before: it has to hear first.
    from: held?.policy?.failover === "strict" ? instance.mid : null,
    to: null,
    // Above what any member may have applied.
    epoch: (held?.epoch ?? 0) + 1,
    running: instance.status !== "stopped",
    url: instance.url,
    sel: "",
    home: null,
    adopt: instance.id,
  });

  /** The parts of a service in their places. @throws {ServiceError} `CONFLICT` if they make none */
  const arrange = (sid: string, found: readonly Found[]): readonly PartRecord[] => {
    const parts: PartRecord[] = [...(index.services.get(sid)?.value.parts ?? [])];
    const before = parts.length;
    // Of two that hold a part, the one that got it later; what is held has its place, the rest what is left.
    const held = found
      .filter((one) => one.held !== undefined)
      .sort((one, other) => (other.held?.epoch ?? 0) - (one.held?.epoch ?? 0));
    for (const one of held) parts[one.held?.part ?? 0] ??= recordOf(one);
    for (const one of found) {
      if (one.held !== undefined) continue;
      const made = recordOf(one);
      const twin = parts.find((part) => part?.role === made.role);
      if (twin !== undefined) {
        throw new ServiceError("CONFLICT", `more than one master runs its ${made.role}`);
      }
      parts[parts[0] === undefined ? 0 : 1] ??= made;
    }
    if (parts[0] === undefined) {
      throw new ServiceError("CONFLICT", "its first half is at no master that is there");
    }
    return parts.length > before ? parts : [];
  };

  const write = async (
    sid: string,
    parts: readonly PartRecord[],
    name: FleetInstance,
    policy: ServicePolicy,
    by: string,
  ) => {
    const noted = { by, at: clock.now(), parts: [...parts] };
    if (index.services.has(sid)) {
      await writer.change(sid, undefined, ({ value }) => {
        if (value.parts.length >= parts.length) throw new ServiceError("CONFLICT", "it is whole");
        return { ...value, ...noted };
      });
      return;
    }
    const { alias, meta } = name;
    const record: ServiceRecord = {
      ...{ v: 1, alias, tags: meta.tags, policy, detached: false },
      ...noted,
    };
    await writer.create(sid, record);
  };

  return async (caller, instances, dryRun) => {
    const bySid = new Map<string, Found[]>();
    for (const instance of instances) {
      const found = find(instance);
      if (found !== undefined) bySid.set(found.sid, [...(bySid.get(found.sid) ?? []), found]);
    }
    const made: Rebuilt["made"][number][] = [];
    const left: Rebuilt["left"][number][] = [];
    await inTurns([...bySid], AT_ONCE, async ([sid, all]) => {
      const isShown = ({ instance: { mid }, held }: Found) =>
        held === undefined || vouchers.holds(mid, held);
      const found = all.filter(isShown);
      const [first] = found;
      const doubted = all.filter((one) => !isShown(one)).map(({ instance: { mid } }) => mid);
      if (doubted.length > 0) {
        const fields = { sid, masters: doubted.join(", ") };
        logger.warn(fields, "masters say to have a part, and can't show that a hub told them so");
      }
      if (first === undefined) {
        const reason = `master ${doubted.join(", ")} can't show that a hub has told it to run it`;
        left.push({ sid, reason });
        return;
      }
      try {
        const parts = arrange(sid, found);
        if (parts.length === 0) return;
        // What was told last counts.
        const [held] = found
          .flatMap((one) => one.held ?? [])
          .sort((one, other) => other.rev - one.rev);
        const policy = held?.policy ?? DEFAULT_POLICY;
        if (!dryRun) await write(sid, parts, first.instance, policy, caller.token);
        const { alias } = first.instance;
        made.push({ sid, alias, masters: found.map(({ instance }) => instance.mid) });
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        left.push({ sid, reason: error.message });
      }
    });
    logger.info({ made: made.length, left: left.length, dryRun }, "services were rebuilt");
    return { made, left };
  };
}
