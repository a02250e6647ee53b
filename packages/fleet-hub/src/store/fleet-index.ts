import type { MemberRecord, ServiceRecord } from "@nodepass/fleet-protocol";
import type { Stored } from "./fleet-store.ts";

/** A part of a service by its place. */
export interface PartPlace {
  readonly sid: string;
  readonly part: number;
}

/** What the buckets hold, in memory, by the watches on them: reading it costs no request. */
export interface FleetIndex {
  readonly members: ReadonlyMap<string, Stored<MemberRecord>>;
  readonly services: ReadonlyMap<string, Stored<ServiceRecord>>;
  /** All changes of services up to this revision are known, removals too; of later ones this hub's own. */
  readonly revision: number;
  /** Whether it holds all that the store does; not while that, being another one, is read anew. */
  readonly isWhole: boolean;
  /** Parts that a member owns, or that still wait for its word (`from`). */
  ownedBy(mid: string): readonly PartPlace[];
  /** The member with this mid, or all that have it as their name; never an evicted one. */
  findMembers(
    midOrName: string,
  ): readonly { readonly mid: string; readonly record: MemberRecord }[];
  /**
   * Told after the index has changed; never throws.
   *
   * @param listener its `revision` is that of the record or its removal; `undefined`: the store has
   *   lost the record (it is older than it was), which is no order to anybody
   * @returns ends it
   */
  onService(
    listener: (
      sid: string,
      now: Stored<ServiceRecord> | undefined,
      before: Stored<ServiceRecord> | undefined,
      revision: number | undefined,
    ) => void,
  ): () => void;
  onMember(
    listener: (
      mid: string,
      now: Stored<MemberRecord> | undefined,
      before: Stored<MemberRecord> | undefined,
    ) => void,
  ): () => void;
  /**
   * A write of this hub, so that its next read sees it, and its members hear of it, before the watch
   * tells. Nothing if the index is beyond it already.
   */
  wroteService(sid: string, now: Stored<ServiceRecord>): void;
  /** Whether listeners are being told of a write of this hub at this moment. */
  readonly isOwnWrite: boolean;
  /** The same of a removal, with the revision of its marker. */
  removedService(sid: string, revision: number): void;
}
