import type { InstanceOrigin, InstanceService, ReplacedInstance } from "@nodepass/model";
import type { HostPort } from "@nodepass/url-config";
import type { MasterIdentity } from "./master-identity.ts";

/** What the API's fields of an instance leave out. */
export interface InstanceDetails {
  /** Why the status is `error`. */
  readonly reason: string | undefined;
  /** Starts that failed in a row; the next try comes after 1, 2, 4 … 60 s. */
  readonly failedStarts: number;
  /** How often it was started again because its worker had crashed, since it was last started. */
  readonly workerCrashes: number;
  /** Where its tunnel listens for its peer, once it does. */
  readonly tunnelAddress: HostPort | undefined;
  /** Where users connect at this end, once it listens. */
  readonly entryAddress: HostPort | undefined;
}

/** Figures over all instances. */
export interface InstanceMetrics {
  readonly running: number;
  readonly error: number;
  readonly stopped: number;
  /** Worker threads alive now; 0 when the tunnels run in the main thread. */
  readonly workers: number;
  /** Worker threads that crashed and are not yet replaced. */
  readonly workersAway: number;
  /** Crashed or hung worker threads so far. */
  readonly workerRestarts: number;
}

/**
 * The instances of this process, as a master's API sees them, and what their owner does beside:
 * start and close. Operations on one instance come one after the other, those on different ones at
 * once.
 */
export interface InstanceManager extends InstanceService {
  /** The master's name and key, which are kept with the instances. */
  readonly identity: MasterIdentity;
  /**
   * Starts the instances that are to start with the master. The others stay `stopped`.
   * @returns resolves when each runs or has failed, or after 6 s; nobody needs to wait for it
   */
  start(): Promise<void>;
  /** What the API's fields leave out. */
  details(id: string): InstanceDetails | undefined;
  metrics(): InstanceMetrics;
  /**
   * Says which file describes an instance: its URL can then only be changed with `byFile`. Not saved.
   * No effect if there is no such instance.
   */
  setOrigin(id: string, origin: InstanceOrigin | undefined): void;
  /**
   * @param options `byFile`: the file that describes it says so
   * @throws {ServiceError} as in `InstanceService`; `CONFLICT` also where a file describes it
   */
  replaceUrl(
    id: string,
    url: string,
    options?: { readonly byFile?: boolean | undefined },
  ): Promise<ReplacedInstance>;

  /**
   * Tells subscribers `shutdown`, closes all instances gracefully, and saves the final counters.
   * Takes nothing new from its call on. Idempotent.
   * @throws {ServiceError} `UNAVAILABLE` if the state could not be saved
   */
  close(options?: { readonly timeoutMs?: number | undefined }): Promise<void>;
  /** Cuts everything now, without saving. Idempotent. */
  destroy(): void;
  [Symbol.asyncDispose](): Promise<void>;
}
