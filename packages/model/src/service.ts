import type { HistoryRange, InstanceHistory } from "./history.ts";
import type {
  CreatedInstance,
  Instance,
  InstanceBan,
  InstanceChange,
  InstanceEvent,
  InstanceLogs,
  InstancePort,
  LogQuery,
  NewInstance,
  ReplacedInstance,
} from "./instance.ts";
import type { Latencies } from "./latencies.ts";
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
  create(instance: NewInstance): Promise<CreatedInstance>;
  /**
   * Applies a change; all fields are checked before any is applied.
   * @returns the state reached, not the one before
   * @throws {ServiceError} `NOT_FOUND`, `CONFLICT` (start), `INVALID`, `UNAVAILABLE`
   */
  update(id: string, change: InstanceChange): Promise<Instance>;
  /**
   * Gives an instance another URL and starts it; the traffic counters stay.
   * @throws {ServiceError} `NOT_FOUND`, `INVALID_URL`, `SAME_URL`, `CONFLICT`, `UNAVAILABLE`
   */
  replaceUrl(id: string, url: string): Promise<ReplacedInstance>;
  /**
   * Resolves when the instance is stopped and gone from disk.
   * @throws {ServiceError} `NOT_FOUND`, `UNAVAILABLE`
   */
  remove(id: string): Promise<void>;
  /** The last log lines. @throws {ServiceError} `NOT_FOUND` */
  logs(id: string, query: LogQuery): Promise<InstanceLogs>;
  /** Rates, connections, pool and ping over time. @throws {ServiceError} `NOT_FOUND` */
  history(id: string, range: HistoryRange): Promise<InstanceHistory>;
  /** Addresses that it refuses for a while; none while it does not run. @throws {ServiceError} `NOT_FOUND` */
  bans(id: string): Promise<readonly InstanceBan[]>;
  /** What each port of its range has carried; none of one port, or while it does not run. @throws {ServiceError} `NOT_FOUND` */
  ports(id: string): Promise<readonly InstancePort[]>;
  /**
   * Ends bans before their time.
   * @param address one of `bans()`; all if it is absent
   * @returns how many
   * @throws {ServiceError} `NOT_FOUND`
   */
  liftBans(id: string, address?: string): Promise<number>;
  /**
   * What took how long, by id, of instances whose tunnel has measured anything since it was opened.
   * Asked for at each scrape and at no other time. What cannot be had within a second is as it was
   * when it was asked for last.
   */
  latencies(): Promise<ReadonlyMap<string, Latencies>>;
  /** @returns a function that ends the subscription; the listener neither throws nor blocks */
  subscribe(listener: (event: InstanceEvent) => void): () => void;
}

/** What a key may do: everything, or read (GET, events, metrics). */
export type KeyAccess = "full" | "read";

/** Whether a master can do its work. */
export interface MasterReadiness {
  /** The state is open, and what was written last is on disk. */
  readonly state: boolean;
  /** No worker is being replaced. */
  readonly workers: boolean;
}

/** Who a master is to its clients. */
export interface MasterIdentity {
  /** 16 hexadecimal digits, `mid` of {@link MasterInfo}. */
  readonly masterId: string;
  /** The API key itself: its entry in the list shows it in `url`. */
  readonly apiKey: string;
  /** The key that may only read; `undefined` if there is none. */
  readonly readKey: string | undefined;
}

/** The master itself, as its API sees it; every call may go to another machine. */
export interface MasterService {
  identity(): Promise<MasterIdentity>;
  /**
   * Compares in constant time, whatever the candidate's length.
   * @returns what the key may do; `undefined` for none of the master's
   */
  verifyKey(candidate: string): Promise<KeyAccess | undefined>;
  /**
   * Makes and saves a new key; the old one is refused from then on. The API ends the streams.
   * @returns the new key
   * @throws {ServiceError} `UNAVAILABLE`: the old key stays; `FORBIDDEN` for one that was given to
   *   the master at its start, by environment or file: it is changed there
   */
  renewKey(access: KeyAccess): Promise<string>;
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
  readiness(): Promise<MasterReadiness>;
}
