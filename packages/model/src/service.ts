import type { Instance, InstanceChange, InstanceEvent, NewInstance } from "./instance.ts";
import type { MasterInfo, ProcessMetrics, TcpingResult } from "./master.ts";

/**
 * The instances of a master, as its API sees them. Every call may go to another machine. What
 * changes something resolves when the change is on disk and, for actions, when the state is
 * reached; it rejects with a {@link ServiceError}.
 *
 * Events: `create` no later than `create()` resolves, `update` for each change of state and, for
 * running instances, every report interval (5 s) with the full state, `delete` no later than
 * `remove()` resolves. The API key's entry is not the service's business.
 */
export interface InstanceService {
  /** All instances, oldest first, without the API key's entry. */
  list(): Promise<readonly Instance[]>;
  get(id: string): Promise<Instance | undefined>;
  /**
   * Makes, saves and starts an instance (`restart` true). One that fails to start is no error: its
   * status is.
   * @throws {ServiceError} `INVALID_URL`, `INVALID`, `CONFLICT` (address held by a running one),
   *   `LIMIT_REACHED`, `UNAVAILABLE`
   */
  create(instance: NewInstance): Promise<Instance>;
  /**
   * Applies a change; all fields are checked before any is applied.
   * @returns the state reached, not the one before
   * @throws {ServiceError} `NOT_FOUND`, `CONFLICT` (start), `INVALID`, `UNAVAILABLE`
   */
  update(id: string, change: InstanceChange): Promise<Instance>;
  /**
   * Gives an instance another URL; the traffic counters stay.
   * @throws {ServiceError} `NOT_FOUND`, `INVALID_URL`, `SAME_URL`, `CONFLICT`, `UNAVAILABLE`
   */
  replaceUrl(id: string, url: string): Promise<Instance>;
  /**
   * Resolves when the instance is stopped and gone from disk.
   * @throws {ServiceError} `NOT_FOUND`, `UNAVAILABLE`
   */
  remove(id: string): Promise<void>;
  /** @returns a function that ends the subscription; the listener neither throws nor blocks */
  subscribe(listener: (event: InstanceEvent) => void): () => void;
}

/** Who a master is to its clients. */
export interface MasterIdentity {
  /** 16 hexadecimal digits, `mid` of {@link MasterInfo}. */
  readonly masterId: string;
  /** The API key itself: its entry in the list shows it in `url`. */
  readonly apiKey: string;
}

/** The master itself, as its API sees it; every call may go to another machine. */
export interface MasterService {
  identity(): Promise<MasterIdentity>;
  /** Compares in constant time, whatever the candidate's length. */
  verifyKey(candidate: string): Promise<boolean>;
  /**
   * Makes and saves a new key; the old one is refused from then on. The API ends the streams.
   * @returns the new key
   * @throws {ServiceError} `UNAVAILABLE`: the old key stays
   */
  renewKey(): Promise<string>;
  /** Takes milliseconds: CPU is measured between calls or by a sampler. */
  info(): Promise<MasterInfo>;
  /** Names the master. @throws {ServiceError} `INVALID`, `UNAVAILABLE` */
  setAlias(alias: string): Promise<MasterInfo>;
  /**
   * Opens and closes one TCP connection. The API bounds how many run and for how long: on `signal`
   * the attempt ends.
   */
  tcping(host: string, port: number, signal: AbortSignal): Promise<TcpingResult>;
  processMetrics(): Promise<ProcessMetrics>;
}
