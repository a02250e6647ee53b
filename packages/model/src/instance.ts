import type { Counters, Traffic } from "./counters.ts";
import type { LogLineLevel } from "./logger.ts";

/** `""` only for the API key's entry, which no service ever returns. */
export type InstanceType = "server" | "client" | "";

/**
 * `running` while the instance works or tries to (re)connect without error, `error` when it failed
 * to start, cannot bind, is refused or has lost its peer, `stopped` otherwise.
 */
export type InstanceStatus = "running" | "stopped" | "error";

/**
 * `up` with its peer, `down` without one: not yet, or not any more. `none` for an end that has no
 * peer (single-end forwarding).
 */
export type InstanceLink = "up" | "down" | "none";

/** What an instance can be made to do. */
export type InstanceAction = "start" | "stop" | "restart" | "reset";

/** All actions. */
export const INSTANCE_ACTIONS = ["start", "stop", "restart", "reset"] as const;

/** The other half of a service, as a dashboard records it; empty strings when unknown. */
export interface InstancePeer {
  readonly sid: string;
  readonly type: string;
  readonly alias: string;
}

/** What brought an instance, where that is a file. */
export interface InstanceOrigin {
  /** The file that describes it. */
  readonly file: string;
  /** Its name there: it stays when the rest changes. */
  readonly name: string;
}

/** What clients attached to an instance. */
export interface InstanceMeta {
  readonly peer: InstancePeer;
  readonly tags: Readonly<Record<string, string>>;
}

/** Nothing attached. */
export const NO_META: InstanceMeta = { peer: { sid: "", type: "", alias: "" }, tags: {} };

/**
 * One instance at one moment: a snapshot, never changed after it was handed out (a change makes a
 * new object). Counters may be fractions; the API rounds them where it answers.
 */
export interface Instance extends Counters {
  /** 8 hexadecimal digits. */
  readonly id: string;
  readonly alias: string;
  readonly type: InstanceType;
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
  readonly link: InstanceLink;
  /**
   * Why the status is `error`, or `stopped` by itself (a quota that is used up), at most 512
   * characters; empty otherwise.
   */
  readonly reason: string;
  /** Since when the status is what it is, RFC 3339 in UTC. */
  readonly since: string;
  /** When it is started again by itself after a failure, RFC 3339; `null` if nothing is planned. */
  readonly nextRetry: string | null;
  /** Targets that are left alone after a failure while others serve; at most 64. */
  readonly restingTargets: readonly RestingTarget[];
  /**
   * Each of several peers, at most 64; `undefined` where there can be only one. A server with `clients`
   * above 1 lists those that are there, a client of several servers all of these.
   */
  readonly peers?: readonly PeerLink[] | undefined;
  /** Only where its URL has a quota. */
  readonly quota?: InstanceQuota | undefined;
  /** The file that describes it; `undefined` for one that was made over the API. */
  readonly origin?: InstanceOrigin | undefined;
}

/** One of several peers, and what it carries since it has its number. */
export interface PeerLink extends Traffic {
  /** From 1: the place of a client among those that may be there, or of a server in the URL. */
  readonly number: number;
  /** IP address of a client, `host:port` of a server. */
  readonly address: string;
  readonly connected: boolean;
  /** Why it is not connected; empty if it is, or has not been tried. */
  readonly reason: string;
  /** Users it was given, over TCP and UDP. */
  readonly users: number;
  /** Ready pool connections. */
  readonly pool: number;
  /** Last round trip, ms; 0 while not known. */
  readonly ping: number;
}

/** One of several targets that does not work at the moment. */
export interface RestingTarget {
  /** `host:port` as in the URL. */
  readonly target: string;
  readonly protocol: "tcp" | "udp";
  /** Why it failed last. */
  readonly reason: string;
}

/** What was made, and what the master overlooked in its URL. */
export interface CreatedInstance extends Instance {
  /** Texts for people, without the key. */
  readonly warnings: readonly string[];
}

/** An instance under another URL. */
export interface ReplacedInstance extends CreatedInstance {
  readonly changes: UrlChanges;
}

/** What another URL changed, as names of its parts: parameters, `address`, `targets`, `password`. */
export interface UrlChanges {
  /** Took effect while connections went on. */
  readonly inPlace: readonly string[];
  /** Needed a restart of the instance. */
  readonly restarted: readonly string[];
}

/** One line of an instance's log. */
export interface InstanceLogLine {
  /** RFC 3339 in UTC. */
  readonly time: string;
  readonly level: LogLineLevel;
  /** As event streams carry it. */
  readonly line: string;
}

/** Which of the kept lines are wanted. */
export interface LogQuery {
  /** The last so many. @default all that are kept */
  readonly tail?: number | undefined;
  /** Later than this, milliseconds since 1970. */
  readonly since?: number | undefined;
}

/** The last log lines of an instance, oldest first. */
export interface InstanceLogs {
  readonly lines: readonly InstanceLogLine[];
  /** Lines so far, those that are not kept any more included. */
  readonly total: number;
}

/** An address that an instance refuses at its tunnel port for a while, since it failed to prove itself. */
export interface InstanceBan {
  /** IPv4, or the /64 of an IPv6 address. */
  readonly address: string;
  /** When it ends, RFC 3339 in UTC. */
  readonly until: string;
  /** Failures since it was last forgotten. */
  readonly offences: number;
}

/** What one port of a range where users connect has carried since the tunnel opened. */
export interface InstancePort extends Traffic {
  readonly port: number;
}

/** How much an instance may carry, and how much of it it has. */
export interface InstanceQuota {
  /** Bytes, both ways together. */
  readonly limit: number;
  /** Bytes in the present period. */
  readonly used: number;
  /** When the next period begins, RFC 3339 in UTC; `null`: never. */
  readonly resets: string | null;
}

/** A new instance. */
export interface NewInstance {
  /** `server://` or `client://`. */
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
 * event may carry several lines; the API splits and cleans them. `shutdown` ends every stream: on a
 * stop of the master, and when the key was renewed by other means than the API.
 */
export type InstanceEvent =
  | { readonly type: "create" | "update" | "delete"; readonly instance: Instance }
  | { readonly type: "log"; readonly instance: Instance; readonly line: string }
  | { readonly type: "shutdown" };
