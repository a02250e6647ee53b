import type { MemberRecord } from "@nodepass/fleet-protocol";
import type { Clock } from "@nodepass/master-api";
import { type Logger, ServiceError } from "@nodepass/model";
import { ADMIN_LABEL_PREFIX, type FleetMasterChange, hasRole } from "@nodepass/model/fleet";
import type { Auditor } from "../access/auditor.ts";
import { demandMember } from "../access/demand-member.ts";
import { demandRole, maySee } from "../access/scope.ts";
import { stored } from "../access/tokens.ts";
import type { EngineControl } from "../engine/engine-control.ts";
import type { Caller, Fleet } from "../fleet.ts";
import type { LivePresence } from "../members/live-presence.ts";
import type { Messenger } from "../members/messenger.ts";
import type { ServiceOperations } from "../services/service-operations.ts";
import { claimName, releaseName } from "../store/claim-name.ts";
import { type FleetStore, type Stored, StoreError } from "../store/fleet-store.ts";
import type { LiveIndex } from "../store/memory-index.ts";
import { demandAddress } from "./demand-address.ts";
import { masterView } from "./master-view.ts";

const MAX_TRIES = 5;
/** Addresses that a master had and that clients may dial still. */
const MAX_FORMER_ADDRESSES = 16;

/** What masters are changed with. */
export interface MastersOptions {
  readonly store: Pick<FleetStore, "members" | "names">;
  readonly index: LiveIndex;
  readonly presence: LivePresence;
  readonly messenger: Pick<Messenger, "evict">;
  readonly operations: Pick<ServiceOperations, "leave">;
  readonly control: Pick<EngineControl, "revoke">;
  readonly audit: Auditor;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What callers see of masters and do with them. */
export type Masters = Pick<Fleet, "masters" | "master" | "changeMaster" | "removeMaster"> & {
  /** @throws {ServiceError} `NOT_FOUND` if there is none, or they may not see it */
  demand(
    caller: Caller,
    midOrName: string,
  ): { readonly mid: string; readonly record: MemberRecord };
};

/** The part of the fleet that is its masters. */
export function createMasters(options: MastersOptions): Masters {
  const { store, index, presence, messenger, operations, control, audit, clock, logger } = options;

  const demand: Masters["demand"] = (caller, midOrName) =>
    demandMember(index, midOrName, caller.selector);
  const view = (mid: string, record: MemberRecord) => masterView(mid, record, presence, index);

  /** Reads, changes and writes it, again if another was faster. @param revision that it must have */
  const rewrite = async (
    mid: string,
    change: (record: MemberRecord) => MemberRecord,
    revision?: string | undefined,
  ): Promise<Stored<MemberRecord>> => {
    for (let tries = 1; ; tries += 1) {
      const found = await stored(store.members.get(mid));
      if (found === undefined || found.value.evicted) {
        throw new ServiceError("NOT_FOUND", `there is no master ${mid}`);
      }
      if (revision !== undefined && revision !== String(found.revision)) {
        const text = `master ${mid} is at revision ${found.revision}, not ${revision}: somebody has changed it since`;
        throw new ServiceError("PRECONDITION", text);
      }
      const value = change(found.value);
      try {
        const now = {
          value,
          revision: await stored(store.members.update(mid, value, found.revision)),
        };
        index.wroteMember(mid, now);
        return now;
      } catch (error) {
        const isLost = error instanceof ServiceError && error.code === "CONFLICT";
        if (!isLost || tries === MAX_TRIES) throw error;
      }
    }
  };

  const hasName = (name: string) => async (mid: string) => {
    const found = await store.members.get(mid);
    return found?.value.name === name && !found.value.evicted;
  };

  /** It has the name no more. Never rejects: what is left behind is in nobody's way. */
  const release = (mid: string, name: string) =>
    releaseName(store.names, "master", name, mid, hasName(name)).catch((error: unknown) => {
      logger.debug({ mid, name, error: String(error) }, "a claim of a name is left behind");
    });

  /** Another hub may have given the name to another master at the same moment: then it is the former one again. */
  const settleName = async (
    mid: string,
    name: string,
    before: string,
    written: Stored<MemberRecord>,
  ) => {
    let other: string | undefined;
    try {
      other = await claimName(store.names, "master", name, mid, hasName(name));
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      // It is written already, and no other hub that knows of it gives the name again.
      logger.warn({ mid, name, error: error.message }, "a master's name could not be claimed");
    }
    if (other === undefined) {
      void release(mid, before);
      return written;
    }
    await rewrite(mid, (record) => (record.name === name ? { ...record, name: before } : record));
    throw new ServiceError("CONFLICT", `master ${other} has the name ${name} already`);
  };

  return {
    demand,
    masters: (caller) =>
      [...index.members]
        .filter(([, { value }]) => !value.evicted && maySee(caller, value.labels))
        .map(([mid, { value }]) => view(mid, value)),
    master: (caller, midOrName) => {
      const { mid, record } = demand(caller, midOrName);
      return view(mid, record);
    },
    changeMaster: async (caller, midOrName, change, revision) => {
      const { mid } = demand(caller, midOrName);
      const { name, labels, address, draining } = change;
      demandRole(caller, name === undefined && address === undefined ? "operator" : "admin");
      if (name?.trim() === "") throw new ServiceError("INVALID", "a master's name is empty");
      if (address !== undefined) demandAddress(address);
      const [other] = name === undefined ? [] : index.findMembers(name);
      if (other !== undefined && other.mid !== mid) {
        throw new ServiceError("CONFLICT", `master ${other.mid} has the name ${name} already`);
      }
      if (labels !== undefined && !maySee(caller, labels)) {
        const text = "with these labels the master would not be the token's to see any more";
        throw new ServiceError("FORBIDDEN", text);
      }
      const action = {
        action: "master.change",
        object: mid,
        before: index.members.get(mid)?.revision,
        detail: describe(change),
      };
      const write = async () => {
        let before = "";
        const written = await rewrite(
          mid,
          (record) => {
            if (labels !== undefined) demandLabels(caller, record.labels, labels);
            before = record.name;
            return {
              ...record,
              ...(name !== undefined && { name }),
              ...(labels !== undefined && { labels }),
              ...(address !== undefined && withAddress(record, address)),
              ...(draining !== undefined && { draining }),
            };
          },
          revision,
        );
        return name === undefined ? written : settleName(mid, name, before, written);
      };
      const { value } = await audit.changing(caller, action, write, (now) => now.revision);
      return view(mid, value);
    },
    removeMaster: async (caller, midOrName, { stop }) => {
      demandRole(caller, "admin");
      const { mid, record } = demand(caller, midOrName);
      const action = {
        action: "master.remove",
        object: mid,
        before: index.members.get(mid)?.revision,
        detail: `${record.name}${stop ? ", its parts are stopped" : ""}`,
      };
      await audit.changing(caller, action, async () => {
        await operations.leave(caller, mid, record, stop);
        const { session } = presence.facts(mid);
        const { value } = await rewrite(mid, (now) => ({
          ...now,
          evicted: true,
          evictedAt: clock.now(),
        }));
        void release(mid, value.name);
        if (session !== undefined) {
          messenger.evict(mid, { session, reason: "it was removed from the fleet" });
        }
        try {
          await control.revoke([record.nkey]);
        } catch (error) {
          // The record is what counts: the leader revokes what the engine still takes.
          logger.warn({ mid, error: String(error) }, "a removed master's key is not revoked yet");
        }
      });
    },
  };
}

/** @throws {ServiceError} `FORBIDDEN`: labels that admins alone set are another's to change */
function demandLabels(
  { role }: Caller,
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): void {
  if (hasRole(role, "admin")) return;
  const [name] = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (each) => each.startsWith(ADMIN_LABEL_PREFIX) && before[each] !== after[each],
  );
  if (name === undefined) return;
  const text = `label ${name}: those beginning with ${ADMIN_LABEL_PREFIX} are set by the role admin only, the token has ${role}`;
  throw new ServiceError("FORBIDDEN", text);
}

/** Clients that dial one of the addresses that it had are to follow. */
function withAddress(
  { address: before, formerAddresses = [] }: MemberRecord,
  address: string,
): Pick<MemberRecord, "address" | "formerAddresses"> {
  const former = new Set([...formerAddresses, before]);
  former.delete(address);
  former.delete("");
  return { address, formerAddresses: [...former].slice(-MAX_FORMER_ADDRESSES) };
}

function describe(change: FleetMasterChange): string {
  return Object.entries(change)
    .filter(([, value]) => value !== undefined)
    .map(
      ([name, value]) =>
        `${name}=${typeof value === "object" ? JSON.stringify(value) : String(value)}`,
    )
    .join(" ")
    .slice(0, 1000);
}
