import { type Counters, countersOf, type InstancePeer, KEY_INSTANCE_ID } from "@nodepass/model";

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
  /** `up` with its peer, `down` without, `none` if it has none; empty from masters that don't tell. */
  readonly link: string;
  /** Why the status is `error`; empty otherwise, and from masters that don't tell. */
  readonly reason: string;
  /** Since when the status is what it is, RFC 3339; empty from masters that don't tell. */
  readonly since: string;
  /** When it is started again by itself, RFC 3339. */
  readonly nextRetry: string | null;
  /** All that the master sent. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** The other half of a service. */
export type RemotePeer = InstancePeer;

/** A log line that a master has kept. */
export interface RemoteLogLine {
  /** RFC 3339. */
  readonly time: string;
  readonly line: string;
}

/** Reads one; `undefined` for anything else. */
export function readLogLine(value: unknown): RemoteLogLine | undefined {
  if (!isRecord(value) || typeof value.line !== "string") return undefined;
  return { time: text(value.time), line: value.line };
}

/** Whether `value` is an object with fields. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads an instance; `undefined` for anything else, and for the entry of the API key. */
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
    link: text(value.link),
    reason: text(value.reason),
    since: text(value.since),
    nextRetry: text(value.nextRetry) || null,
    ...countersOf((name) => count(value[name])),
    raw: value,
  };
}

/** A text, empty for anything else. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** A number, 0 for anything else. */
export function count(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
