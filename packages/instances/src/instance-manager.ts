import type {
  CreatedInstance,
  Instance,
  InstanceChange,
  InstanceMeta,
  InstanceOrigin,
  InstanceService,
  NewInstance,
  ReplacedInstance,
} from "@nodepass/model";
import type { ClientSettings, HostPort, ServerSettings } from "@nodepass/url-config";
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

/** Who changes an instance. */
export interface ChangeOptions {
  /** Who manages it says so; see `setManager`. @default false */
  readonly byManager?: boolean | undefined;
}

/** Who gives an instance another URL. */
export interface ReplaceOptions extends ChangeOptions {
  /** The file that describes it says so. @default false */
  readonly byFile?: boolean | undefined;
  /** Whether it runs then. @default true */
  readonly running?: boolean | undefined;
}

/** How an instance begins that somebody manages. */
export interface CreateOptions {
  /** Whether it starts now and with its master. @default true */
  readonly running?: boolean | undefined;
  /** As for `setManager`, from its first moment on. */
  readonly manager?: string | undefined;
  readonly meta?: InstanceMeta | undefined;
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
   * Says who manages an instance, such as `the fleet`: only they may change what it runs. Others may
   * name it, tag it, reset its counters and restart it while it runs. Not saved. No effect if
   * there is no such instance.
   */
  setManager(id: string, manager: string | undefined): void;
  /**
   * The instance takes no user and dials no target after that, wherever its tunnel runs and also if
   * this process stood still till then; within 50 ms it is `stopped`. Before that it may be called
   * again. Not saved. No effect if there is no such instance.
   *
   * @param until as `monotonicMs` of tunnel-core; `undefined`: no end, as at the beginning
   */
  serveUntil(id: string, until: number | undefined): void;
  /** @throws {ServiceError} as in `InstanceService` */
  create(instance: NewInstance, options?: CreateOptions): Promise<CreatedInstance>;
  /** @throws {ServiceError} as in `InstanceService`; `CONFLICT` also where somebody else manages it */
  update(id: string, change: InstanceChange, options?: ChangeOptions): Promise<Instance>;
  /**
   * @throws {ServiceError} as in `InstanceService`; `CONFLICT` also where a file describes it, or
   * somebody else manages it
   */
  replaceUrl(id: string, url: string, options?: ReplaceOptions): Promise<ReplacedInstance>;
  /** @throws {ServiceError} as in `InstanceService`; `CONFLICT` where somebody else manages it */
  remove(id: string, options?: ChangeOptions): Promise<void>;
  /**
   * Whether an instance could be made of a URL, or be given it, as far as this process knows.
   *
   * @param id the one whose addresses are its own; absent: a new one
   * @returns what the URL means
   * @throws {ServiceError} `INVALID_URL`, `CONFLICT`, `LIMIT_REACHED`
   */
  check(url: string, id?: string): ServerSettings | ClientSettings;

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
