/**
 * `running` while the instance works or tries to (re)connect without error, `error` when it failed
 * to start, cannot bind, is refused or has lost its peer, `stopped` otherwise.
 */
export type InstanceStatus = "running" | "stopped" | "error";

/** What an instance can be made to do. */
export type InstanceAction = "start" | "stop" | "restart" | "reset";

/** The other half of a service, as a dashboard records it; empty strings when unknown. */
export interface InstancePeer {
  readonly sid: string;
  readonly type: string;
  readonly alias: string;
}

/** What clients attached to an instance. */
export interface InstanceMeta {
  readonly peer: InstancePeer;
  readonly tags: Readonly<Record<string, string>>;
}

/** One instance at one moment; never changed after it was handed out. */
export interface Instance {
  /** 8 hexadecimal digits. */
  readonly id: string;
  readonly alias: string;
  readonly type: "server" | "client";
  readonly status: InstanceStatus;
  /** Byte for byte as it was sent. */
  readonly url: string;
  /** The URL with every default filled in, the master's own where the URL lacks them. */
  readonly config: string;
  /** Whether it starts with the master. */
  readonly restart: boolean;
  readonly meta: InstanceMeta;
  /** 0, 1 or 2 as run; as configured while it does not run. */
  readonly mode: number;
  /** Round trip to the peer, ms. */
  readonly ping: number;
  /** Ready pool connections. */
  readonly pool: number;
  /** TCP connections now. */
  readonly tcps: number;
  /** UDP sessions now. */
  readonly udps: number;
  /** Bytes, cumulative over restarts of the instance and of the master, until a reset. */
  readonly tcprx: number;
  readonly tcptx: number;
  readonly udprx: number;
  readonly udptx: number;
}

/** A new instance. */
export interface NewInstance {
  readonly url: string;
  /** At most 256 characters. @default "" */
  readonly alias?: string | undefined;
}

/** A change of an instance: only what is present changes. Texts have at most 256 characters. */
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

/**
 * What subscribers are told. `instance` is the state after it (for `delete` the last one). A `log`
 * event is one line, as `formatLog` made it. `shutdown` comes once, when the manager closes.
 */
export type InstanceEvent =
  | { readonly type: "create" | "update" | "delete"; readonly instance: Instance }
  | { readonly type: "log"; readonly instance: Instance; readonly line: string }
  | { readonly type: "shutdown" };

/** What the API's fields of an instance leave out. */
export interface InstanceDetails {
  /** Why the status is `error`. */
  readonly reason: string | undefined;
  /** Starts that failed in a row; the next try comes after 1, 2, 4 … 60 s. */
  readonly failedStarts: number;
  /** How often it was started again because its worker had crashed, since it was last started. */
  readonly workerCrashes: number;
  /** Where its tunnel listens for its peer, once it does. */
  readonly tunnelAddress: BoundAddress | undefined;
  /** Where users connect at this end, once it listens. */
  readonly entryAddress: BoundAddress | undefined;
}

/** An address that a socket is bound to. */
export interface BoundAddress {
  readonly host: string;
  readonly port: number;
}

/** Figures over all instances. */
export interface InstanceMetrics {
  readonly running: number;
  readonly error: number;
  readonly stopped: number;
  /** Worker threads alive now; 0 when the tunnels run in the main thread. */
  readonly workers: number;
  /** Crashed or hung worker threads so far. */
  readonly workerRestarts: number;
}
