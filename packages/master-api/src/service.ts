/** `""` only for the API key's pseudo instance, which no service ever returns. */
export type InstanceType = "server" | "client" | "";

/**
 * `running` while the instance works or tries to (re)connect without error, `error` when it
 * failed to start, cannot bind, is refused or has lost its peer, `stopped` otherwise.
 */
export type InstanceStatus = "running" | "stopped" | "error";

/** What a PATCH can make an instance do. */
export type InstanceAction = "start" | "stop" | "restart" | "reset";

/** The other half of a service, as the dashboard records it; empty strings when unknown. */
export interface InstancePeer {
  readonly sid: string;
  readonly type: string;
  readonly alias: string;
}

export interface InstanceMeta {
  readonly peer: InstancePeer;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * One instance at one moment: a snapshot, never changed after it was handed out (a change makes a
 * new object). Numbers may be fractions; the API rounds them where it answers.
 */
export interface Instance {
  readonly id: string;
  readonly alias: string;
  readonly type: InstanceType;
  readonly status: InstanceStatus;
  /** Byte for byte as it was sent. */
  readonly url: string;
  /** The URL with every default filled in and the query keys sorted. */
  readonly config: string;
  /** Whether it starts with the master. */
  readonly restart: boolean;
  readonly meta: InstanceMeta;
  /** 0, 1 or 2 as run. */
  readonly mode: number;
  /** Round trip to the peer, ms. */
  readonly ping: number;
  /** Ready pool connections. */
  readonly pool: number;
  /** TCP connections now. */
  readonly tcps: number;
  /** UDP sessions now. */
  readonly udps: number;
  /** Bytes, cumulative over restarts of the instance and of the master, until a `reset`. */
  readonly tcprx: number;
  readonly tcptx: number;
  readonly udprx: number;
  readonly udptx: number;
}

/** A new instance; the strings are already checked for length, the URL only for length. */
export interface NewInstance {
  readonly url: string;
  readonly alias?: string | undefined;
}

/** A change of an instance: only what is present changes. */
export interface InstanceChange {
  readonly alias?: string | undefined;
  readonly restart?: boolean | undefined;
  /** `peer` and `tags` each replace the old one whole, and leave the other alone. */
  readonly meta?:
    | {
        readonly peer?: InstancePeer | undefined;
        readonly tags?: Readonly<Record<string, string>> | undefined;
      }
    | undefined;
  readonly action?: InstanceAction | undefined;
}

/** What `GET /info` answers, but for `ver` and `impl`, which the API adds; names as on the wire. */
export interface MasterInfo {
  /** 16 hexadecimal digits, kept for the life of the state. */
  readonly mid: string;
  readonly alias: string;
  /** `linux`, `darwin`, ... */
  readonly os: string;
  /** As Go names it (`amd64`, `arm64`): dashboards show and compare it. */
  readonly arch: string;
  /** CPU cores. */
  readonly noc: number;
  /** Per cent since the last measurement; -1 unknown. */
  readonly cpu: number;
  /** Bytes; 0 unknown. */
  readonly mem_total: number;
  readonly mem_used: number;
  readonly mem_free: number;
  readonly swap_total: number;
  readonly swap_used: number;
  readonly swap_free: number;
  /** Bytes since boot; 0 unknown. */
  readonly netrx: number;
  readonly nettx: number;
  readonly diskr: number;
  readonly diskw: number;
  /** Seconds since boot. */
  readonly sysup: number;
  /** Host name. */
  readonly name: string;
  /** Seconds since the master started. */
  readonly uptime: number;
  /** Log level of the master. */
  readonly log: string;
  readonly tls: "0" | "1" | "2";
  /** Paths, empty without `tls=2`. */
  readonly crt: string;
  readonly key: string;
}

/** Outcome of one TCP ping; a refused or timed out connection is an outcome, not an exception. */
export interface TcpingResult {
  readonly connected: boolean;
  /** Milliseconds to the connection; 0 when not connected. */
  readonly latencyMs: number;
  /** `null` when connected. */
  readonly error: string | null;
}

/** The master's process, for `/metrics`; leave out what the platform does not tell. */
export interface ProcessMetrics {
  /** Unix time, seconds. */
  readonly startTimeSeconds: number;
  readonly cpuUserSeconds: number;
  readonly cpuSystemSeconds: number;
  readonly residentMemoryBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly openFileDescriptors?: number | undefined;
  /** Mean delay of the event loop since the last scrape. */
  readonly eventLoopLagSeconds?: number | undefined;
  /** Worker threads that run now, and how often one was replaced after a crash. */
  readonly workers?: number | undefined;
  readonly workerRestarts?: number | undefined;
}

/**
 * Something that event streams tell. `instance` is the state after it (for `delete` the last one).
 * One `log` event may carry several lines; the API splits and cleans them. `shutdown` ends every
 * stream: on a stop of the master, and when the key was renewed by other means than the API.
 */
export type InstanceEvent =
  | { readonly type: "create" | "update" | "delete"; readonly instance: Instance }
  | { readonly type: "log"; readonly instance: Instance; readonly line: string }
  | { readonly type: "shutdown" };

/**
 * What the API needs from a master. Calls that change something resolve when the change is on disk
 * (and, for actions, when the state is reached), and reject with a {@link ServiceError}.
 *
 * Events: `create` no later than `create()` resolves, `update` for each change of state and, for
 * running instances, every report interval (5 s) with the full state, `delete` no later than
 * `remove()` resolves. The API's own key instance is not the service's business.
 */
export interface MasterService {
  /** All instances, oldest first, without the API key's. */
  list(): readonly Instance[];
  get(id: string): Instance | undefined;
  /**
   * Makes, saves and starts an instance (`restart` true).
   * @throws {ServiceError} `INVALID_URL`, `CONFLICT` (address held by a running one),
   *   `LIMIT_REACHED`, `UNAVAILABLE`. An instance that fails to start is no error: its status is.
   */
  create(instance: NewInstance): Promise<Instance>;
  /**
   * Applies a change; all fields are checked before any is applied.
   * @returns the state reached, not the one before
   * @throws {ServiceError} `NOT_FOUND`, `CONFLICT` (start), `INVALID`, `UNAVAILABLE`
   */
  update(id: string, change: InstanceChange): Promise<Instance>;
  /**
   * Stops, replaces the URL, starts; the traffic counters stay.
   * @throws {ServiceError} `NOT_FOUND`, `INVALID_URL`, `SAME_URL`, `CONFLICT`, `UNAVAILABLE`
   */
  replaceUrl(id: string, url: string): Promise<Instance>;
  /**
   * Resolves when the instance is stopped and gone from disk.
   * @throws {ServiceError} `NOT_FOUND`, `UNAVAILABLE`
   */
  remove(id: string): Promise<void>;

  /** The master's id, `mid` of {@link MasterInfo}. */
  masterId(): string;
  /** The API key itself: the key's pseudo instance shows it in `url`. */
  apiKey(): string;
  /** Compares in constant time, whatever the candidate's length. */
  verifyKey(candidate: string): boolean;
  /**
   * Makes and saves a new key; the old one is refused from then on. The API ends the streams.
   * @returns the new key
   * @throws {ServiceError} `UNAVAILABLE`: the old key stays
   */
  renewKey(): Promise<string>;

  /** Takes milliseconds: CPU is measured between calls or by a sampler. */
  info(): MasterInfo | Promise<MasterInfo>;
  /** Names the master. @throws {ServiceError} `UNAVAILABLE` */
  setAlias(alias: string): Promise<MasterInfo>;

  /**
   * Opens and closes one TCP connection. The API bounds how many run and for how long: on `signal`
   * the attempt ends.
   */
  tcping(host: string, port: number, signal: AbortSignal): Promise<TcpingResult>;

  /** @returns a function that ends the subscription; the listener neither throws nor blocks */
  subscribe(listener: (event: InstanceEvent) => void): () => void;

  processMetrics(): ProcessMetrics;
}

/** Stable: the API turns each into one status (README.md). */
export type ServiceErrorCode =
  | "NOT_FOUND"
  | "INVALID"
  | "INVALID_URL"
  | "FORBIDDEN"
  | "CONFLICT"
  | "SAME_URL"
  | "LIMIT_REACHED"
  | "UNAVAILABLE";

/**
 * An expected failure of the service. The message reaches the client: no keys, no paths, no stack.
 * The API matches on `code` and not on the class, so that implementations which may not import
 * this package can throw their own error class with the same codes.
 */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly code: ServiceErrorCode;
  constructor(code: ServiceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
