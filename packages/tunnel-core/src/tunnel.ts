import type { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import type {
  ClientSettings,
  EnvironmentSettings,
  ServerSettings,
  TunnelSettings,
} from "@nodepass/url-config";
import type { Ban } from "./access/bans.ts";
import type { MoreCarriers } from "./carrier/more-carriers.ts";
import type { EntryPorts } from "./entry/entry-ports.ts";
import type { PortCounters } from "./entry/port-counts.ts";
import type { TunnelError } from "./errors.ts";
import type { TunnelPorts } from "./listener/tunnel-ports.ts";
import type { NameLookup } from "./names/name-cache.ts";
import type { ProxyEnvironment } from "./proxy/route.ts";
import type { RelayBuffers } from "./stream/relay-buffers.ts";
import type { ConnectionAcceptor } from "./tunnel-context.ts";
import type {
  PeerState,
  TargetState,
  TunnelCounters,
  TunnelEvents,
  TunnelLatencies,
  TunnelState,
} from "./tunnel-reports.ts";

/** Options beside the URL. */
export interface TunnelOptions {
  /** Limits and intervals; missing ones take the defaults of `EnvironmentSettings`. */
  readonly limits?: Partial<EnvironmentSettings> | undefined;
  /**
   * Tunnel ports to share with other server tunnels: those with the same tunnel address and different
   * keys are on one port then. @default a port of its own
   */
  readonly ports?: TunnelPorts | undefined;
  /** Read buffers to share with other tunnels of the process. @default buffers of its own */
  readonly buffers?: RelayBuffers | undefined;
  /** PEM certificates of authorities to trust with `tls` 2, beside those that Node brings (`tls.rootCertificates`). */
  readonly ca?: string | readonly string[] | undefined;
  /**
   * Carriers that are packages of their own (`type` 1, QUIC): modules as `import()` takes them, loaded
   * when they are used. @default none
   */
  readonly carriers?: MoreCarriers | undefined;
  /** What `via=env` looks at: `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`. @default nothing */
  readonly proxyEnvironment?: ProxyEnvironment | undefined;
  /**
   * Takes the TCP connections at the exit of a dual-end tunnel instead of a target: the targets of
   * the URL are for UDP only then. The stream errors with `ECONNRESET` when the user is cut; listen
   * to `error` at once, as with any socket. To destroy it cuts the user.
   *
   * @default the targets are dialled
   */
  readonly onConnection?: ConnectionAcceptor | undefined;
  /**
   * The users' ports that server tunnels share by the names that users ask for (`host`): the same
   * object for all that may. @default it shares its port with nobody
   */
  readonly entries?: EntryPorts | undefined;
  /** Called with the tunnel before it starts, to listen to its first log records and states. */
  readonly onCreate?: ((tunnel: Tunnel) => void) | undefined;
  /** Resolves names. @default the system's resolver, addresses in its order */
  readonly lookup?: NameLookup | undefined;
  /**
   * A tunnel that this one replaces. Addresses that both listen on pass from it to this one without
   * being closed; when this one has started, that one is closed and its connections get
   * `drainTimeoutMs` to end. If this one cannot start, that one goes on. A pool over QUIC (`type` 1)
   * cannot be taken over: `ADDRESS_IN_USE`.
   *
   * @default none
   */
  readonly takeOver?: Tunnel | undefined;
  /** Time for the connections of `takeOver`, ms. @default `shutdownTimeoutMs` of its limits */
  readonly drainTimeoutMs?: number | undefined;
  /** Aborting destroys the tunnel. */
  readonly signal?: AbortSignal | undefined;
}

/** What the program around a tunnel knows of the ways out: the same for all its tunnels. */
export type TunnelWays = Pick<TunnelOptions, "carriers" | "proxyEnvironment">;

/** How to wait for a tunnel. */
export interface ReadyOptions {
  /** Ends the wait; the tunnel goes on. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Reject when the server refuses this client (another key, no proof, another certificate) instead
   * of waiting for it to change its mind. @default false
   */
  readonly failOnRefusal?: boolean | undefined;
}

/** How to open a connection through a tunnel. */
export interface ConnectOptions {
  /** Gives the connection up while it is being opened. */
  readonly signal?: AbortSignal | undefined;
}

/** How to close a tunnel. */
export interface CloseOptions {
  /** Time for running connections, ms; 0 cuts at once. @default `shutdownTimeoutMs` of the limits */
  readonly timeoutMs?: number | undefined;
}

/**
 * What can change while a tunnel runs. Rates in bytes/s, times in ms, as in the settings.
 * `rateBytesPerSecond` alone is for both directions. `targets` at the end that dials them, `min` at a
 * client; `max`, and with `tls` 2 `crt` and `keyFile`, at a server.
 */
export type TunnelChanges = Partial<
  Pick<
    TunnelSettings,
    | "rateBytesPerSecond"
    | "rateDownBytesPerSecond"
    | "connectionRates"
    | "slot"
    | "slotPerAddress"
    | "udpIdleMs"
    | "readTimeoutMs"
    | "dnsTtlMs"
    | "log"
    | "targets"
    | "block"
    | "proxy"
    | "proxyVersion"
    | "trust"
    | "allow"
    | "deny"
  >
> &
  Partial<Pick<ClientSettings, "min">> &
  Partial<Pick<ServerSettings, "max" | "crt" | "keyFile">>;

/** A running tunnel end. Emits `TunnelEvents`. */
export interface Tunnel extends EventEmitter<TunnelEvents> {
  readonly settings: ServerSettings | ClientSettings;
  readonly state: TunnelState;
  /** Why the state is `error`, if it is. */
  readonly reason: string | undefined;
  /** The same with its code. */
  readonly error: TunnelError | undefined;
  /**
   * Whether a session with the peer stands. A server is `running` without one, too: it listens. Always
   * false for a single end, which has no peer.
   */
  readonly hasPeer: boolean;
  /** 0 while undecided, see `CheckPoint.mode`. */
  readonly mode: 0 | 1 | 2;
  /** The tunnel listener's bound address (`undefined` on a dual-end client), once listening. */
  readonly tunnelAddress: { readonly host: string; readonly port: number } | undefined;
  /** Where users connect at this end, once listening (`undefined` if this end is the exit). */
  readonly entryAddress: { readonly host: string; readonly port: number } | undefined;
  /**
   * Changes settings while the tunnel runs: no connection is cut, those that are open go on by the
   * new ones (`block` and `targets` count for new connections).
   *
   * @throws {TunnelError} `INVALID_OPTIONS` with the name and what is allowed; nothing is changed then
   * @example
   * tunnel.update({ rateBytesPerSecond: 12_500_000 }); // 100 Mbit/s from now on
   */
  update(changes: TunnelChanges): void;
  /**
   * No user is taken and no target dialled from then on, also if this process was stopped till after it;
   * what is open goes on until the tunnel is destroyed.
   *
   * @param until as {@link monotonicMs}; `undefined`: no end, as at the beginning
   */
  serveUntil(until: number | undefined): void;
  /** Reads the live counters. */
  counters(): TunnelCounters;
  /** Each of several peers; empty where there can be only one. */
  peers(): readonly PeerState[];
  /** Reads the histograms of what took time. */
  latencies(): TunnelLatencies;
  /** The targets that this end dials, for each protocol; empty at an entry of a dual-end tunnel. */
  targets(): readonly TargetState[];
  /** What each port of a range where users connect has carried; empty where there is one port. */
  ports(): readonly PortCounters[];
  /** Addresses that are refused at the tunnel port for a while (`ban=1`). */
  bans(): readonly Ban[];
  /** Ends bans before their time. @param address one of `bans()`. @default all @returns how many */
  liftBans(address?: string): number;
  /**
   * Resolves when the tunnel is `running`.
   *
   * @throws {TunnelError} `CLOSED` when it is closed before; with `failOnRefusal` the server's refusal;
   *   `INVALID_OPTIONS`
   * @throws the reason of `signal` when that aborts
   */
  ready(options?: ReadyOptions): Promise<void>;
  /**
   * Opens a connection through the tunnel, at the end where users connect, without a port: it counts,
   * waits and is limited like any user's.
   *
   * @example
   * const stream = await tunnel.connect();
   * stream.on("error", report).end("hello");
   *
   * @throws {TunnelError} `INVALID_OPTIONS` (also at an exit), `SLOTS_TAKEN`, `POOL_TIMEOUT`,
   *   `TARGET_UNREACHABLE` (single-end), `CLOSED`
   * @throws the reason of `signal` when that aborts
   */
  connect(options?: ConnectOptions): Promise<Duplex>;
  /**
   * Stops taking new connections, lets running ones finish for at most `timeoutMs` (default:
   * `shutdownTimeoutMs`; 0 cuts at once), then cuts the rest. Idempotent.
   *
   * @throws {TunnelError} `INVALID_OPTIONS` with the name, the value and what is allowed; the tunnel
   *   goes on then
   */
  close(options?: CloseOptions): Promise<void>;
  /** Cuts everything now. Idempotent. */
  destroy(error?: Error): void;
  [Symbol.asyncDispose](): Promise<void>;
}
