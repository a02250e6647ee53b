import type {
  Instance,
  InstanceChange,
  InstanceDetails,
  InstanceEvent,
  InstanceMetrics,
  NewInstance,
} from "./instance.ts";

/**
 * The instances of a master and its key. What changes something resolves when the change is on
 * disk and, for actions, when the state is reached; it rejects with an `InstanceError`.
 * Operations on one instance come one after the other, those on different ones at once.
 */
export interface InstanceManager {
  /**
   * Starts the instances that are to start with the master. The others stay `stopped`.
   * @returns resolves when each runs or has failed, or after 6 s; nobody needs to wait for it
   */
  start(): Promise<void>;
  /** All instances, oldest first. */
  list(): readonly Instance[];
  get(id: string): Instance | undefined;
  /** What the API's fields leave out. */
  details(id: string): InstanceDetails | undefined;
  /**
   * Makes, saves and starts an instance. One that fails to start is no error: its status is.
   * @throws {InstanceError} `INVALID_URL`, `INVALID`, `CONFLICT`, `LIMIT_REACHED`, `UNAVAILABLE`
   */
  create(instance: NewInstance): Promise<Instance>;
  /**
   * Applies a change; all fields are checked before any is applied.
   * @throws {InstanceError} `NOT_FOUND`, `INVALID`, `CONFLICT` (start), `UNAVAILABLE`
   */
  update(id: string, change: InstanceChange): Promise<Instance>;
  /**
   * Stops the instance, replaces its URL and starts it; the traffic counters stay.
   * @throws {InstanceError} `NOT_FOUND`, `INVALID_URL`, `SAME_URL`, `CONFLICT`, `UNAVAILABLE`
   */
  replaceUrl(id: string, url: string): Promise<Instance>;
  /**
   * Resolves when the instance is really stopped and gone from disk.
   * @throws {InstanceError} `NOT_FOUND`, `UNAVAILABLE`
   */
  remove(id: string): Promise<void>;

  /** 16 hexadecimal digits. */
  masterId(): string;
  /** The master's name. */
  alias(): string;
  /** Names the master. @throws {InstanceError} `INVALID`, `UNAVAILABLE` */
  setAlias(alias: string): Promise<void>;
  apiKey(): string;
  /** Compares in constant time, whatever the candidate's length. */
  verifyKey(candidate: string): boolean;
  /**
   * Makes and saves a new key; the old one is refused from then on.
   * @throws {InstanceError} `UNAVAILABLE`: the old key stays
   */
  renewKey(): Promise<string>;

  /** @returns a function that ends the subscription; the listener neither throws nor blocks */
  subscribe(listener: (event: InstanceEvent) => void): () => void;
  metrics(): InstanceMetrics;

  /**
   * Tells subscribers `shutdown`, closes all instances gracefully, and saves the final counters.
   * Takes nothing new from its call on. Idempotent.
   * @throws {InstanceError} `UNAVAILABLE` if the state could not be saved
   */
  close(options?: { readonly timeoutMs?: number | undefined }): Promise<void>;
  /** Cuts everything now, without saving. Idempotent. */
  destroy(): void;
  [Symbol.asyncDispose](): Promise<void>;
}
