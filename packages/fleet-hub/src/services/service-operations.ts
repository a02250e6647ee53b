import type { Lease, LeaseRequest, MemberRecord, ServiceRecord } from "@nodepass/fleet-protocol";
import type { Clock } from "@nodepass/master-api";
import type { Logger } from "@nodepass/model";
import type {
  Alarm,
  FleetInstance,
  Move,
  NewService,
  PartRole,
  ServiceChange,
} from "@nodepass/model/fleet";
import type { Auditor } from "../access/auditor.ts";
import type { Caller } from "../fleet.ts";
import type { Leadership } from "../leader/leadership.ts";
import type { Messenger } from "../members/messenger.ts";
import type { Presence } from "../members/presence.ts";
import type { Vouchers } from "../members/vouchers.ts";
import type { FleetIndex } from "../store/fleet-index.ts";
import type { FleetStore, Stored } from "../store/fleet-store.ts";

/** Where operations tell what readers of the fleet's events, at every hub, are to hear. */
export interface FleetNews {
  /**
   * A part has another owner without anybody's word; `to` is `null` where nobody can be it, which is told
   * again as long as it is so: readers hear of it when the message is another one.
   */
  failover(event: {
    readonly sid: string;
    readonly part: PartRole;
    readonly from: string | null;
    readonly to: string | null;
    readonly message: string;
  }): void;
  /** Raises an alarm, or ends it; nothing if it is so already. Kept by this hub and told to the others. */
  alarm(alarm: Alarm, raised: boolean, message: string): void;
  isRaised(alarm: Alarm): boolean;
}

/** Brings orders to members; it follows the index, so operations need it only to hurry or to wait. */
export interface OrderPusher {
  /** Tells the owners of a service's parts now, and who must give one up; returns at once. */
  push(sid: string): void;
  /**
   * Resolves with what each part's owner has said of the record at this revision: `applied`, `failed`
   * with its reason, `pending` for whoever has not answered within the time. Never rejects.
   */
  settled(
    sid: string,
    revision: number,
    timeoutMs: number,
  ): Promise<
    readonly { readonly state: "applied" | "failed" | "pending"; readonly reason: string }[]
  >;
}

/**
 * All that the operations on services are made of. A write is: read `index`, make the new record, CAS in
 * `store.services`, `index.wroteService` (tells all listeners, among them the pusher), `orders.settled`.
 */
export interface ServiceParts {
  readonly fleet: string;
  /** Id of this hub. */
  readonly hub: string;
  readonly store: FleetStore;
  readonly index: FleetIndex;
  readonly presence: Presence;
  readonly messenger: Messenger;
  readonly leadership: Leadership;
  readonly orders: OrderPusher;
  /**
   * For what the hub does by itself (failover, failback). What a caller asked for is already in the
   * audit stream as intended when an operation is called, and its outcome is written after it.
   */
  readonly audit: Auditor;
  readonly news: FleetNews;
  /** Signs and checks exports (HMAC-SHA256 with a key derived from the fleet's data key). */
  readonly signature: ExportSignature;
  /** Tells what members were told from what they say. */
  readonly vouchers: Pick<Vouchers, "holds">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Tells whether an export was written by a hub of this fleet. */
export interface ExportSignature {
  /** @returns base64url */
  sign(body: Uint8Array): string;
  /** Compares in constant time. */
  verify(body: Uint8Array, signature: string): boolean;
}

/** What an import did: of services, and how many masters are known again. */
export interface Imported {
  readonly created: number;
  readonly changed: number;
  readonly kept: number;
  readonly masters: number;
}

/** What came of a rebuild: services made or made whole, and those that could not be, each with the reason. */
export interface Rebuilt {
  readonly made: readonly {
    readonly sid: string;
    readonly alias: string;
    /** mids of who runs what was found. */
    readonly masters: readonly string[];
  }[];
  readonly left: readonly { readonly sid: string; readonly reason: string }[];
}

/**
 * What can be done with services. The caller's role has been checked, as has that they may see what is
 * named (a service is seen by who may see one of its owners, or everything); whether they may place
 * something on a master that is chosen here is checked here, by `Caller.selector`.
 *
 * All reject with a `ServiceError` (`NOT_FOUND`, `INVALID`, `INVALID_URL`, `FORBIDDEN`, `CONFLICT`,
 * `PRECONDITION`, `LIMIT_REACHED`, `UNAVAILABLE`); an unexpected `StoreError` is turned into one by who calls.
 */
export interface ServiceOperations {
  /** @param sid made by who calls, so that the audit names it before it is there */
  create(caller: Caller, sid: string, service: NewService): Promise<Stored<ServiceRecord>>;
  /** @param revision that it must have (412 else); `undefined`: whatever it has */
  change(
    caller: Caller,
    sid: string,
    change: ServiceChange,
    revision: number | undefined,
  ): Promise<Stored<ServiceRecord>>;
  /**
   * Answers when all masters that are online have let go of it, or after 10 s.
   *
   * @param keep its instances stay with their masters as local ones (`fleet detach`)
   */
  remove(caller: Caller, sid: string, revision: number | undefined, keep: boolean): Promise<void>;
  move(caller: Caller, sid: string, move: Move): Promise<Stored<ServiceRecord>>;
  adopt(caller: Caller, sid: string, mid: string, instance: string): Promise<Stored<ServiceRecord>>;
  drain(
    caller: Caller,
    mid: string,
  ): Promise<{
    readonly moved: readonly string[];
    readonly left: readonly { readonly sid: string; readonly reason: string }[];
  }>;
  /**
   * A master is about to be removed: its parts lose their owner. With `stop`, they are stopped there
   * first; else they stay there as local instances. Waits no longer than 10 s for its word.
   */
  leave(caller: Caller, mid: string, member: MemberRecord, stop: boolean): Promise<void>;
  /** Answers a lease; `undefined`: no answer, this hub does not lead. Section 7, rules 4 and 5. */
  lease(mid: string, request: LeaseRequest): Lease | undefined;
  resumeFailover(caller: Caller): void;
  /** All services with their keys, signed. Also written to a file every hour. */
  export(): string;
  import(caller: Caller, exported: string): Promise<Imported>;
  /**
   * Makes services anew of what members run, where the store has lost them: under their ids, their
   * tunnels untouched, with the policies that their members were told. A member that names an epoch
   * which no hub has told it is not believed.
   *
   * @param instances all of all members that answer, their keys not masked
   * @param dryRun only says what it would make
   */
  rebuild(caller: Caller, instances: readonly FleetInstance[], dryRun: boolean): Promise<Rebuilt>;
  /** Which part a managed instance is. */
  managedPart(
    mid: string,
    instance: string,
  ): { readonly sid: string; readonly part: number } | undefined;
  /** Begins what the leading hub does by itself: reconcile of moves, failover, failback. */
  start(): void;
  /** Ends it; nothing is left behind in memory. */
  close(): void;
}

/** Made by `services/`; the hub calls it once. */
export type CreateServiceOperations = (parts: ServiceParts) => ServiceOperations;
