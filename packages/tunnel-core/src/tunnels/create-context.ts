import type { BlockedProtocols, ClientSettings, ServerSettings } from "@nodepass/url-config";
import { openGate, openTrust } from "../access/address-gate.ts";
import { Bans } from "../access/bans.ts";
import { TrafficCounters } from "../counters.ts";
import { DeadlineQueue } from "../deadline-queue.ts";
import { Latencies } from "../latencies.ts";
import { NameCache } from "../names/name-cache.ts";
import { type Facing, localConnectionRates, localRates } from "../rate/local-rates.ts";
import { TokenBucket } from "../rate/token-bucket.ts";
import { HOLD_MS } from "../relay/first-bytes.ts";
import type { BlockInspection } from "../relay/relay-context.ts";
import { RelayRegistry } from "../relay/relay-registry.ts";
import { Slots } from "../slots.ts";
import { FlushQueue } from "../stream/flush-queue.ts";
import { Lingerer } from "../stream/lingerer.ts";
import { RelayBuffers } from "../stream/relay-buffers.ts";
import type { TunnelOptions } from "../tunnel.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import type { LogRecord, TargetState } from "../tunnel-reports.ts";
import { WaitingDatagrams } from "../udp/waiting-datagrams.ts";
import { BlockDetector } from "../wire/block-detector.ts";
import { checkOptions } from "./check-options.ts";
import { LogLimiter } from "./log-limiter.ts";

/** Where a tunnel's log records and changes go. */
export interface LogSink {
  emitLog(record: LogRecord): void;
  emitTarget?(state: TargetState): void;
  hasLogListener(): boolean;
  /** Who hears of connections, if anybody does now. */
  connectionListener(): TunnelContext["onConnection"];
}

/** Makes what all parts of a tunnel share. */
export function createContext(
  settings: ServerSettings | ClientSettings,
  options: TunnelOptions,
  sink: LogSink,
): LiveContext {
  const limits = checkOptions(options);
  // What an end without a mode becomes is told later.
  const facing = settings.scheme === "server" && settings.mode === 2 ? "targets" : "users";
  const rate = localRates(settings, facing);
  const log: TunnelContext["log"] = (level, message, fields = {}) => {
    if (level === "debug" && settings.log !== "debug") return;
    if (sink.hasLogListener()) sink.emitLog({ level, message, fields });
  };
  const limiter = new LogLimiter(log);
  const counters = new TrafficCounters();
  const logLimited: TunnelContext["logLimited"] = (level, message, fields) =>
    limiter.log(level, message, fields);
  const bans = settings.scheme === "server" && settings.ban ? new Bans() : undefined;
  const gates = { counters, log, logLimited };
  return {
    settings,
    limits,
    counters,
    userGate: openGate(gates, settings, "users", undefined),
    peerGate: openGate(gates, settings, "peers", bans),
    bans,
    trust: openTrust(gates, settings),
    latencies: new Latencies(),
    buffers: options.buffers ?? new RelayBuffers(limits.tcpDataBufferBytes),
    flushes: new FlushQueue(),
    lingerer: new Lingerer(),
    names: new NameCache({ ttlMs: settings.dnsTtlMs, lookup: options.lookup }),
    slots: new Slots(settings.slot, settings.slotPerAddress),
    facing,
    connectionRates: localConnectionRates(settings, facing),
    health: [],
    onTarget: (state) => sink.emitTarget?.(state),
    waitingDatagrams: new WaitingDatagrams(),
    tcpRelays: new RelayRegistry(settings.readTimeoutMs),
    udpSessions: new RelayRegistry(settings.udpIdleMs || limits.udpReadTimeoutMs),
    inspection: inspectionOf(settings.block),
    inbound: bucketOf(rate.inbound),
    outbound: bucketOf(rate.outbound),
    log,
    logLimited,
    logRarely: (level, message, fields) => limiter.logRarely(level, message, fields),
    get debugs() {
      return settings.log === "debug";
    },
    acceptor: options.onConnection,
    get onConnection() {
      return sink.connectionListener();
    },
  };
}

function bucketOf(bytesPerSecond: number): TokenBucket | undefined {
  return bytesPerSecond === 0 ? undefined : new TokenBucket(bytesPerSecond);
}

/** How an entry looks for the protocols that are blocked, if any are. */
export function inspectionOf(block: BlockedProtocols): BlockInspection | undefined {
  if (!(block.socks || block.http || block.tls)) return undefined;
  return {
    detector: () => new BlockDetector(block),
    holds: new DeadlineQueue(HOLD_MS, (firstBytes) => firstBytes.release()),
  };
}

/** A context whose owner changes what may change while the tunnel runs. */
export type LiveContext = Omit<TunnelContext, LiveName> &
  Pick<Mutable<TunnelContext>, LiveName> & {
    /** Whose side it is on: what is up and what is down depends on it. */
    facing: Facing;
  };
type LiveName =
  | "inspection"
  | "inbound"
  | "outbound"
  | "connectionRates"
  | "userGate"
  | "peerGate"
  | "trust";
type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };
