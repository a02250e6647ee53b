import {
  type Counters,
  countersOf,
  type InstanceOrigin,
  type InstancePeer,
  type InstanceQuota,
  KEY_INSTANCE_ID,
  type PeerLink,
  type Traffic,
  type UrlChanges,
} from "@nodepass/model";

/** An instance as a master tells about it; what an older master leaves out is filled in. */
export interface RemoteInstance extends Counters {
  readonly id: string;
  readonly alias: string;
  /** `server` or `client`. */
  readonly type: string;
  /** `running`, `stopped` or `error`. */
  readonly status: string;
  readonly url: string;
  /** The URL with every default filled in; empty from masters that don't tell. */
  readonly config: string;
  /** Whether it starts with the master. */
  readonly restart: boolean;
  readonly peer: RemotePeer;
  readonly tags: Readonly<Record<string, string>>;
  readonly mode: number;
  /** `up` with its peer, `down` without, `none` for an end that has none; empty where not told. */
  readonly link: string;
  /** Why it is in `error`; empty otherwise, and where not told. */
  readonly reason: string;
  /** Since when the status is what it is, RFC 3339; empty where not told. */
  readonly since: string;
  /** When it is started again by itself, RFC 3339. */
  readonly nextRetry: string | undefined;
  /** Targets that are left alone after a failure while others serve. */
  readonly restingTargets: readonly RemoteRestingTarget[];
  /** Each of several peers; empty where there can be only one, and where not told. */
  readonly peers: readonly PeerLink[];
  /** How much it may carry, where its URL says so. */
  readonly quota: InstanceQuota | undefined;
  /** The file of the master that describes it, if one does. */
  readonly origin: InstanceOrigin | undefined;
  /** What the master overlooked in the URL; in answers to a new URL. */
  readonly warnings: readonly string[];
  /** What another URL changed; in answers to one. */
  readonly changes: UrlChanges | undefined;
  /** All that the master sent. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** The other half of a service. */
export type RemotePeer = InstancePeer;

/**
 * Whether `value` is an object with fields.
 *
 * @example
 * if (isRecord(value)) console.log(value.id);
 */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Reads an instance; `undefined` for anything else, and for the entry of the API key.
 *
 * @example
 * const instance = readInstance(await response.json());
 */
export function readInstance(value: unknown): RemoteInstance | undefined {
  if (!isRecord(value)) return undefined;
  const { id, type } = value;
  if (typeof id !== "string" || id === "" || id === KEY_INSTANCE_ID || type === "") {
    return undefined;
  }
  const meta = isRecord(value.meta) ? value.meta : {};
  const peer = isRecord(meta.peer) ? meta.peer : {};
  const tags = isRecord(meta.tags) ? Object.entries(meta.tags) : [];
  return {
    id,
    alias: text(value.alias),
    type: text(type),
    status: text(value.status),
    url: text(value.url),
    config: text(value.config),
    restart: value.restart === true,
    peer: { sid: text(peer.sid), type: text(peer.type), alias: text(peer.alias) },
    tags: Object.fromEntries(tags.map(([name, tag]) => [name, String(tag)])),
    mode: count(value.mode),
    ...countersOf((name) => count(value[name])),
    link: text(value.link),
    reason: text(value.reason),
    since: text(value.since),
    nextRetry: text(value.nextRetry) || undefined,
    restingTargets: readResting(value.restingTargets),
    peers: (Array.isArray(value.peers) ? value.peers : []).filter(isRecord).map(readPeer),
    quota: isRecord(value.quota)
      ? {
          limit: count(value.quota.limit),
          used: count(value.quota.used),
          resets: text(value.quota.resets) || null,
        }
      : undefined,
    origin: isRecord(value.origin)
      ? { file: text(value.origin.file), name: text(value.origin.name) }
      : undefined,
    warnings: texts(value.warnings),
    changes: isRecord(value.changes)
      ? { inPlace: texts(value.changes.inPlace), restarted: texts(value.changes.restarted) }
      : undefined,
    raw: value,
  };
}

/** A target that does not work at the moment. */
export interface RemoteRestingTarget {
  readonly target: string;
  readonly protocol: string;
  readonly reason: string;
}

function readPeer(peer: Readonly<Record<string, unknown>>): PeerLink {
  return {
    number: count(peer.number),
    address: text(peer.address),
    connected: peer.connected === true,
    reason: text(peer.reason),
    users: count(peer.users),
    ...readTraffic(peer),
    pool: count(peer.pool),
    ping: count(peer.ping),
  };
}

/** Reads what is open and what was carried. */
export function readTraffic(value: Readonly<Record<string, unknown>>): Traffic {
  const [tcps, tcprx, tcptx] = [count(value.tcps), count(value.tcprx), count(value.tcptx)];
  const [udps, udprx, udptx] = [count(value.udps), count(value.udprx), count(value.udptx)];
  return { tcps, udps, tcprx, tcptx, udprx, udptx };
}

function readResting(value: unknown): RemoteRestingTarget[] {
  return (Array.isArray(value) ? value : []).filter(isRecord).map((each) => ({
    target: text(each.target),
    protocol: text(each.protocol),
    reason: text(each.reason),
  }));
}

/** A text, empty for anything else. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The texts of a list. */
function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** A number, 0 for anything else. */
export function count(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
