import type { Duplex } from "node:stream";
import type {
  ClientSettings,
  EnvironmentSettings,
  HostPort,
  ServerSettings,
} from "@nodepass/url-config";
import type { AddressGate } from "./access/address-gate.ts";
import type { AddressLists } from "./access/address-lists.ts";
import type { Bans } from "./access/bans.ts";
import type { NameCache } from "./names/name-cache.ts";
import type { LocalRates } from "./rate/local-rates.ts";
import type { RelayContext } from "./relay/relay-context.ts";
import type { Slots } from "./slots.ts";
import type { ConnectionEvent, TargetState, TunnelLog } from "./tunnel-reports.ts";
import type { WaitingDatagrams } from "./udp/waiting-datagrams.ts";

/** Takes one TCP connection at the exit; `remote` is the user's address, `ip:port`. */
export type ConnectionAcceptor = (stream: Duplex, from: { readonly remote: string }) => void;

/** What all parts of one tunnel end share. */
export interface TunnelContext extends RelayContext, TunnelLog {
  readonly settings: ServerSettings | ClientSettings;
  readonly limits: EnvironmentSettings;
  readonly names: NameCache;
  readonly slots: Slots;
  /** Limits of each connection on its own; `undefined`: none. */
  readonly connectionRates: LocalRates | undefined;
  /** Who knows which targets work. */
  readonly health: {
    states(): readonly TargetState[];
    setTargets(targets: readonly HostPort[]): void;
  }[];
  /** A target has begun to rest, or serves again. */
  onTarget(state: TargetState): void;
  /** Who is kept out where users connect, and at the tunnel port; `undefined`: nobody. */
  readonly userGate: AddressGate | undefined;
  readonly peerGate: AddressGate | undefined;
  /** Proxies that say whose connections they pass on; `undefined`: none. */
  readonly trust: AddressLists | undefined;
  /** Who failed to prove himself at the tunnel port; `undefined` without `ban`. */
  readonly bans: Bans | undefined;
  /** The bound of all datagrams that wait for a connection. */
  readonly waitingDatagrams: WaitingDatagrams;
  /** Hears of each user's connection; `undefined` while nobody listens: make no event then. */
  readonly onConnection: ((event: ConnectionEvent) => void) | undefined;
  /** Takes the exit's TCP connections instead of the targets, if the program wants them. */
  readonly acceptor: ConnectionAcceptor | undefined;
  /** Whether anybody listens for `debug` records: skip making them otherwise. */
  readonly debugs: boolean;
}
