import type { PartRecord, ServiceRecord } from "@nodepass/fleet-protocol";
import { ServiceError } from "@nodepass/model";
import type { Move, PartRole, Selector } from "@nodepass/model/fleet";
import type { Caller } from "../fleet.ts";
import type { Stored } from "../store/fleet-store.ts";
import { clientConnects } from "./client-connects.ts";
import { ANSWER_WITHIN_MS } from "./create-service.ts";
import { handOver, losesClient, noAddress } from "./hand-over.ts";
import { isUnsettled } from "./part-steps.ts";
import type { Placer } from "./placer.ts";
import type { Reconciler } from "./reconciler.ts";
import type { ServiceParts } from "./service-operations.ts";
import { type ServiceWriter, withPart } from "./service-writer.ts";

/** Where a part is to go, and by whose word. */
export interface MoveRequest {
  /** Id of the token, or `hub`. */
  readonly by: string;
  /** Masters that do not exist for who asks are left out. */
  readonly visible: Selector;
  /** mid or name; else `selector`, else the part's own selector. */
  readonly to?: string | undefined;
  readonly selector?: string | undefined;
  readonly force: boolean;
}

/** Moves parts; section 6, "Move". */
export interface ServiceMover {
  move(caller: Caller, sid: string, move: Move): Promise<Stored<ServiceRecord>>;
  movePart(sid: string, part: number, request: MoveRequest): Promise<Stored<ServiceRecord>>;
}

export function createServiceMover(
  parts: ServiceParts,
  writer: ServiceWriter,
  placer: Placer,
  reconciler: Reconciler,
): ServiceMover {
  const { index, presence, clock, orders } = parts;
  const nameOf = (mid: string | null) =>
    mid === null ? "nobody" : (index.members.get(mid)?.value.name ?? mid);

  /** Step 1: somebody else says that it could run it. */
  const findTarget = async (
    sid: string,
    at: number,
    { value: record }: Stored<ServiceRecord>,
    part: PartRecord,
    { visible, to, selector, force }: MoveRequest,
  ) => {
    checkSettled(sid, record);
    if (force && record.policy.failover === "strict") {
      throw new ServiceError(
        "CONFLICT",
        "a strict part waits for its owner's word or the end of its lease (force is not for it)",
      );
    }
    const placed = await placer.place({
      visible,
      master: to,
      selector: selector ?? part.sel,
      exclude: new Set(part.owner === null ? [] : [part.owner]),
      url: part.url,
      key: null,
    });
    placed.release();
    if (losesClient(record, at, placed.mid, index.members)) {
      throw new ServiceError("CONFLICT", noAddress(placed.mid, placed.name));
    }
    return placed.mid;
  };

  /** Step 2: the old owner is to give it up. A part without one goes to the new one at once. */
  const begin = async (sid: string, at: number, part: PartRecord, target: string, by: string) =>
    writer.change(sid, undefined, ({ value: record }) => {
      const now = record.parts[at];
      checkSettled(sid, record);
      if (now === undefined || now.owner !== part.owner || now.epoch !== part.epoch) {
        throw new ServiceError("CONFLICT", `service ${sid} was moved by somebody else meanwhile`);
      }
      const noted = { ...record, by, at: clock.now() };
      if (now.owner === null) {
        const handed = handOver(noted, at, target, index.members);
        return withPart(handed, at, { owner: target, from: null, to: null, home: null });
      }
      return withPart(noted, at, { owner: null, from: now.owner, to: target, home: null });
    });

  const movePart = async (sid: string, at: number, request: MoveRequest) => {
    const stored = writer.read(sid);
    const part = stored.value.parts[at];
    if (part === undefined) throw new ServiceError("INVALID", `service ${sid} has no part ${at}`);
    if (request.to !== undefined) {
      const { mid } = placer.find(request.to, request.visible);
      if (mid === part.owner && !isUnsettled(part)) return stored;
    }
    const target = await findTarget(sid, at, stored, part, request);
    const begun = await begin(sid, at, part, target, request.by);
    if (part.owner === null) {
      await orders.settled(sid, begun.revision, ANSWER_WITHIN_MS);
      return writer.read(sid);
    }
    const { owner } = part;
    // What it says later, when it has let go of it, has no reason.
    let reason = "";
    const unlisten = presence.onReport((mid, report) => {
      const isIt = mid === target && report.sid === sid && report.part === at;
      if (isIt && report.outcome === "failed") ({ reason } = report);
    });
    const deadline = clock.monotonic() + ANSWER_WITHIN_MS;
    try {
      // One who is there is asked all the same: it costs a moment and nobody's connections.
      if (request.force && presence.facts(owner).status === "online") {
        await reconciler.drive(sid, FORCED_WAIT_MS);
      }
      const forced = new Set(request.force ? [owner] : []);
      await reconciler.drive(sid, Math.max(0, deadline - clock.monotonic()), forced);
    } finally {
      unlisten();
    }
    const after = writer.read(sid);
    const now = after.value.parts[at];
    if (now?.owner === owner) {
      throw new ServiceError(
        "CONFLICT",
        `master ${nameOf(target)} could not run it${reason === "" ? "" : `: ${reason}`}; it is back at ${nameOf(owner)}`,
      );
    }
    return after;
  };

  return {
    movePart,
    move: async (caller, sid, { part, to, selector, force }) => {
      const at = partAt(sid, writer.read(sid).value, part);
      const { token: by, selector: visible } = caller;
      const deadline = clock.monotonic() + ANSWER_WITHIN_MS;
      const moved = await movePart(sid, at, { by, visible, to, selector, force });
      if (moved.value.parts[at]?.owner === null) return moved;
      await clientConnects(parts, sid, moved.revision, Math.max(0, deadline - clock.monotonic()));
      return index.services.get(sid) ?? moved;
    },
  };
}

/** How long a forced move waits for an owner that seems to be there, ms. */
const FORCED_WAIT_MS = 1000;

/** Which part is meant. @throws {ServiceError} `INVALID` */
export function partAt(sid: string, record: ServiceRecord, role: PartRole | undefined): number {
  if (role === undefined) {
    if (record.parts.length === 1) return 0;
    throw new ServiceError("INVALID", "part is missing (allowed: server, client)");
  }
  const at = record.parts.findIndex((part) => part.role === role);
  if (at < 0) throw new ServiceError("INVALID", `service ${sid} has no ${role}`);
  return at;
}

/** @throws {ServiceError} `CONFLICT` while a part is on its way */
export function checkSettled(sid: string, record: ServiceRecord): void {
  if (record.detached) {
    throw new ServiceError("CONFLICT", `service ${sid} is being detached`);
  }
  if (record.parts.some(isUnsettled)) {
    throw new ServiceError("CONFLICT", `service ${sid} is being moved or made; try again soon`);
  }
}
