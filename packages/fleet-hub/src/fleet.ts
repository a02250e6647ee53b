import type { JoinRequest, SealedJoinAnswer } from "@nodepass/fleet-protocol";
import type {
  AuditEntry,
  CreatedToken,
  FleetEvent,
  FleetInfo,
  FleetInstances,
  FleetMaster,
  FleetMasterChange,
  FleetRole,
  FleetToken,
  Move,
  NewService,
  NewToken,
  Selector,
  Service,
  ServiceChange,
} from "@nodepass/model/fleet";
import type { Imported, Rebuilt } from "./services/service-operations.ts";
import type { AuditQuery } from "./store/fleet-store.ts";

/** Who asks a hub. Masters that the selector leaves out do not exist for them. */
export interface Caller {
  /** Id of the token. */
  readonly token: string;
  readonly role: FleetRole;
  readonly selector: Selector;
  /** IP address. */
  readonly from: string;
}

/** Which instances of all masters are wanted. */
export interface FleetInstanceQuery {
  readonly selector: Selector;
  readonly master: string | undefined;
  readonly status: string | undefined;
  /** From the page before. */
  readonly cursor: string | undefined;
}

/**
 * A fleet as its HTTP API sees it. Every call checks what the caller may: what is not theirs to see is
 * `NOT_FOUND`, what they may not do is `FORBIDDEN`. Whatever changes something is in the audit stream
 * before it resolves; if it can't be, it is refused (`UNAVAILABLE`).
 *
 * All reject with a `ServiceError`: `NOT_FOUND`, `INVALID`, `INVALID_URL`, `FORBIDDEN`, `CONFLICT`,
 * `PRECONDITION` (another revision), `LIMIT_REACHED`, `UNAVAILABLE`.
 */
export interface Fleet {
  info(caller: Caller): FleetInfo;
  masters(caller: Caller): readonly FleetMaster[];
  master(caller: Caller, mid: string): FleetMaster;
  /** @param revision of `If-Match`; `undefined`: whatever it is */
  changeMaster(
    caller: Caller,
    mid: string,
    change: FleetMasterChange,
    revision?: string | undefined,
  ): Promise<FleetMaster>;
  /** Its JWT is revoked; what it runs stays there as local, unless `stop`. */
  removeMaster(caller: Caller, mid: string, options: { readonly stop: boolean }): Promise<void>;
  /** Moves what may move. @returns what was moved and what was not, with the reason */
  drainMaster(
    caller: Caller,
    mid: string,
  ): Promise<{
    readonly moved: readonly string[];
    readonly left: readonly { readonly sid: string; readonly reason: string }[];
  }>;

  services(caller: Caller): readonly Service[];
  service(caller: Caller, sid: string): Service;
  createService(caller: Caller, service: NewService): Promise<Service>;
  /** @param revision of `If-Match`; `undefined`: whatever it is */
  changeService(
    caller: Caller,
    sid: string,
    change: ServiceChange,
    revision: string | undefined,
  ): Promise<Service>;
  /** @param keep its instances stay with their masters as local ones (`fleet detach`) */
  removeService(
    caller: Caller,
    sid: string,
    revision: string | undefined,
    keep?: boolean,
  ): Promise<void>;
  moveService(caller: Caller, sid: string, move: Move): Promise<Service>;
  /** Makes a service of an instance that a member runs locally (`fleet adopt`). */
  adopt(caller: Caller, mid: string, instance: string): Promise<Service>;

  instances(caller: Caller, query: FleetInstanceQuery): Promise<FleetInstances>;
  /** What is there first, then what changes; the listener neither throws nor blocks. @returns ends it */
  subscribe(
    caller: Caller,
    options: { readonly instances: boolean },
    listener: (event: FleetEvent) => void,
  ): () => void;
  audit(caller: Caller, query: AuditQuery): Promise<readonly AuditEntry[]>;

  tokens(caller: Caller): readonly FleetToken[];
  createToken(caller: Caller, token: NewToken): Promise<CreatedToken>;
  removeToken(caller: Caller, id: string): Promise<void>;
  /** Compares in constant time. @returns `undefined` for none, or one that has ended */
  verifyToken(secret: string, from: string): Caller | undefined;

  /**
   * A master comes in, or renews its JWT with its own key. No caller: the token is in the request.
   *
   * @param from IP address
   */
  join(request: JoinRequest, from: string): Promise<SealedJoinAnswer>;
  /** Ends the hold on failovers after `mass-loss`. */
  resumeFailover(caller: Caller): Promise<void>;
  /** All services with their keys, signed; for admins. */
  exportServices(caller: Caller): Promise<string>;
  /** Makes what is not there and changes what differs. @returns what was done */
  importServices(caller: Caller, exported: string): Promise<Imported>;
  /**
   * Makes services anew of what members run, after the store was lost without an export.
   *
   * @returns what was made, what could not be, and masters that did not answer
   */
  rebuildServices(
    caller: Caller,
    dryRun: boolean,
  ): Promise<Rebuilt & { readonly missing: readonly string[] }>;
  /** A change through the gateway is about to reach a managed instance: whose it is. */
  managedPart(
    mid: string,
    instance: string,
  ): { readonly sid: string; readonly part: number } | undefined;
  /** Stores who passes what to a member before it is done, and its status after; for requests that write. */
  auditPassed<Answer extends { readonly status: number }>(
    caller: Caller | undefined,
    mid: string,
    what: string,
    from: string,
    pass: () => Promise<Answer>,
  ): Promise<Answer>;
}
