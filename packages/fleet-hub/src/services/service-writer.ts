import type { PartRecord, ServiceRecord } from "@nodepass/fleet-protocol";
import { ServiceError } from "@nodepass/model";
import type { FleetIndex } from "../store/fleet-index.ts";
import { type FleetStore, type Stored, StoreError } from "../store/fleet-store.ts";
import type { Aliases } from "./aliases.ts";
import { demandRoom } from "./room.ts";

/** Two parts at most, so a record has the same number of them after a change. */
export type PartRecords = ServiceRecord["parts"];

/** How often a change without a revision of its own is tried again on a record that changed meanwhile. */
const MOST_TRIES = 5;

/** Reads and writes services so that this hub sees what it wrote. */
export interface ServiceWriter {
  /** @throws {ServiceError} `NOT_FOUND` */
  read(sid: string): Stored<ServiceRecord>;
  /** @throws {ServiceError} `CONFLICT` if it is there, `LIMIT_REACHED`, `UNAVAILABLE` */
  create(sid: string, record: ServiceRecord): Promise<Stored<ServiceRecord>>;
  /** One CAS. @returns `undefined` if the record is not at that revision any more @throws {ServiceError} `UNAVAILABLE` */
  replace(
    sid: string,
    record: ServiceRecord,
    revision: number,
  ): Promise<Stored<ServiceRecord> | undefined>;
  /**
   * Changes the record as it is at the moment.
   *
   * @param revision that it must have; `undefined`: if it changes meanwhile, `change` is asked again
   * @param change gives the record itself if there is nothing to change; its errors end it
   * @throws {ServiceError} `NOT_FOUND`, `PRECONDITION`, `CONFLICT`, `UNAVAILABLE`
   */
  change(
    sid: string,
    revision: number | undefined,
    change: (stored: Stored<ServiceRecord>) => ServiceRecord | Promise<ServiceRecord>,
  ): Promise<Stored<ServiceRecord>>;
  /** @throws {ServiceError} `CONFLICT`, `UNAVAILABLE` */
  remove(sid: string, revision: number): Promise<void>;
}

export function createServiceWriter(
  store: Pick<FleetStore, "services">,
  index: Pick<FleetIndex, "services" | "members" | "ownedBy" | "wroteService" | "removedService">,
  aliases: Pick<Aliases, "release">,
): ServiceWriter {
  const bucket = store.services;

  const read = (sid: string) => {
    const stored = index.services.get(sid);
    if (stored === undefined) throw noService(sid);
    return stored;
  };
  /** What the store has, which the index may not have heard of yet. */
  const readAgain = async (sid: string) => {
    const stored = await bucket.get(sid);
    if (stored === undefined) throw noService(sid);
    index.wroteService(sid, stored);
    return stored;
  };
  const replace = async (sid: string, record: ServiceRecord, revision: number) => {
    let written: number;
    try {
      written = await bucket.update(sid, record, revision);
    } catch (error) {
      if (error instanceof StoreError && error.code === "CONFLICT") return undefined;
      throw unavailable(error);
    }
    const stored = { value: record, revision: written };
    index.wroteService(sid, stored);
    return stored;
  };

  return {
    read,
    replace,
    create: async (sid, record) => {
      demandRoom(index, [record]);
      try {
        const stored = { value: record, revision: await bucket.create(sid, record) };
        index.wroteService(sid, stored);
        return stored;
      } catch (error) {
        if (error instanceof StoreError && error.code === "CONFLICT") {
          throw new ServiceError("CONFLICT", `service ${sid} is there already`, { cause: error });
        }
        throw unavailable(error);
      }
    },
    change: async (sid, revision, change) => {
      let stored = read(sid);
      for (let tries = 1; ; tries += 1) {
        if (revision !== undefined && stored.revision !== revision) {
          // The index may be behind the caller, who has the revision from another hub.
          if (tries === 1 && revision > stored.revision) {
            stored = await readAgain(sid).catch(rethrowUnavailable);
            continue;
          }
          throw new ServiceError(
            "PRECONDITION",
            `service ${sid} has revision ${stored.revision}, not ${revision}`,
          );
        }
        const record = await change(stored);
        if (record === stored.value) return stored;
        const written = await replace(sid, record, stored.revision);
        if (written !== undefined) return written;
        if (tries >= MOST_TRIES) throw changedMeanwhile(sid);
        stored = await readAgain(sid).catch(rethrowUnavailable);
      }
    },
    remove: async (sid, revision) => {
      const alias = index.services.get(sid)?.value.alias ?? "";
      try {
        index.removedService(sid, await bucket.remove(sid, revision));
        void aliases.release(sid, alias);
      } catch (error) {
        if (error instanceof StoreError && error.code === "CONFLICT") throw changedMeanwhile(sid);
        throw unavailable(error);
      }
    },
  };
}

export function noService(sid: string): ServiceError {
  return new ServiceError("NOT_FOUND", `no service ${JSON.stringify(sid.slice(0, 80))}`);
}

export function changedMeanwhile(sid: string): ServiceError {
  return new ServiceError("CONFLICT", `service ${sid} was changed by somebody else meanwhile`);
}

/** The record with one part changed. */
export function withPart(
  record: ServiceRecord,
  part: number,
  change: Partial<PartRecord>,
): ServiceRecord {
  const parts = record.parts.map((one, at) => (at === part ? { ...one, ...change } : one));
  return { ...record, parts };
}

function unavailable(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error;
  const code = error.code === "TOO_LARGE" ? "LIMIT_REACHED" : "UNAVAILABLE";
  return new ServiceError(code, `the fleet's store: ${error.message}`, { cause: error });
}

function rethrowUnavailable(error: unknown): never {
  throw unavailable(error);
}
