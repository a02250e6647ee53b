import { EventEmitter } from "node:events";
import {
  type Ban,
  LATENCY_BOUNDS_MS,
  type LatencySnapshot,
  type PeerState,
  type PortCounters,
  type TargetState,
  type Tunnel,
  type TunnelChanges,
  type TunnelCounters,
  TunnelError,
  type TunnelEvents,
  type TunnelLatencies,
  type TunnelOptions,
  type TunnelState,
} from "@nodepass/tunnel-core";
import type { ClientSettings, ServerSettings } from "@nodepass/url-config";
import type { OpenTunnel } from "../../src/workers/tunnel-runner.ts";

type Settings = ServerSettings | ClientSettings;
type MutableCounters = { -readonly [Name in keyof TunnelCounters]: TunnelCounters[Name] };

/** A tunnel without sockets: tests say what it carries and how it is. */
export class FakeTunnel extends EventEmitter<TunnelEvents> implements Tunnel {
  readonly settings: Settings;
  state: TunnelState = "starting";
  error: TunnelError | undefined;
  hasPeer = false;
  targetStates: readonly TargetState[] = [];
  mode: 0 | 1 | 2 = 1;
  tunnelAddress: Tunnel["tunnelAddress"];
  entryAddress: Tunnel["entryAddress"];
  /** Resolves to let `close()` finish; at once by default. */
  closing: Promise<void> = Promise.resolve();
  closeTimeoutMs: number | undefined;
  readonly live: MutableCounters = {
    ...{ tcps: 0, udps: 0, tcprx: 0, tcptx: 0, udprx: 0, udptx: 0 },
    ...{ pool: 0, ping: 0, udpDropped: 0, accepted: 0, failed: 0, dialErrors: 0 },
    ...{ refusedSlot: 0, refusedBlocked: 0, refusedPeer: 0, handshakesRefused: 0, reconnects: 0 },
    ...{ refusedSlotip: 0, refusedDenied: 0, refusedBanned: 0, refusedProxied: 0, refusedName: 0 },
  };

  constructor(settings: Settings) {
    super();
    this.settings = { ...settings };
    if (settings.scheme === "server" || settings.mode !== 2) this.tunnelAddress = settings.tunnel;
  }

  get reason(): string | undefined {
    return this.error?.message;
  }

  setPeer(connected: boolean): void {
    this.hasPeer = connected;
    this.emit("peer", connected);
  }

  go(state: TunnelState, reason?: string): void {
    this.state = state;
    this.error = reason === undefined ? undefined : new TunnelError("PEER_LOST", reason);
    this.emit("state", state, reason, this.error);
  }

  counters(): TunnelCounters {
    return { ...this.live };
  }

  /** What its dials took, ms; nothing else is measured. */
  dials: readonly number[] = [];
  latencies(): TunnelLatencies {
    const of = (times: readonly number[]): LatencySnapshot => ({
      boundsMs: LATENCY_BOUNDS_MS,
      counts: [...LATENCY_BOUNDS_MS, Number.POSITIVE_INFINITY].map(
        (bound, at, bounds) =>
          times.filter((ms) => ms <= bound && ms > (bounds[at - 1] ?? -1)).length,
      ),
      sumMs: times.reduce((sum, ms) => sum + ms, 0),
    });
    const none = of([]);
    return {
      dial: of(this.dials),
      ...{ handshake: none, poolDial: none, poolWait: none, firstByte: none },
    };
  }

  until: number | undefined;
  serveUntil(until: number | undefined): void {
    this.until = until;
  }

  /** What it was told to change. */
  readonly updates: TunnelChanges[] = [];
  update(changes: TunnelChanges): void {
    if (this.state === "closed") throw new TunnelError("CLOSED", "the tunnel is closed");
    this.updates.push(changes);
    Object.assign(this.settings, changes);
  }

  peerStates: readonly PeerState[] = [];
  peers(): readonly PeerState[] {
    return this.peerStates;
  }

  targets(): readonly TargetState[] {
    return this.targetStates;
  }

  setTarget(state: TargetState): void {
    this.targetStates = [state];
    this.emit("target", state);
  }

  portCounters: readonly PortCounters[] = [];
  ports(): readonly PortCounters[] {
    return this.portCounters;
  }

  banned: readonly Ban[] = [];
  bans(): readonly Ban[] {
    return this.banned;
  }

  liftBans(address?: string): number {
    const before = this.banned.length;
    this.banned = this.banned.filter((ban) => address !== undefined && ban.address !== address);
    return before - this.banned.length;
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  connect(): Promise<never> {
    return Promise.reject(new TunnelError("CLOSED", "a fake has nothing to connect to"));
  }

  async close(options: { timeoutMs?: number | undefined } = {}): Promise<void> {
    this.closeTimeoutMs = options.timeoutMs;
    this.go("closing");
    await this.closing;
    this.go("closed");
  }

  destroy(): void {
    this.go("closed");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Opens fake tunnels and keeps them. */
export class FakeTunnels {
  readonly opened: FakeTunnel[] = [];
  readonly options: TunnelOptions[] = [];
  /** Opens under way now, and the most there were. */
  opening = 0;
  mostOpening = 0;
  /** The next opens fail with these. */
  failures: Error[] = [];
  /** Opens wait for this. */
  gate: Promise<void> = Promise.resolve();
  /** What a tunnel is after it opened. */
  firstState: TunnelState = "running";

  readonly open: OpenTunnel = async (settings, options) => {
    this.opening++;
    this.mostOpening = Math.max(this.mostOpening, this.opening);
    const tunnel = new FakeTunnel(settings);
    options.onCreate?.(tunnel);
    await this.gate;
    this.opening--;
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    this.opened.push(tunnel);
    this.options.push(options);
    tunnel.go(this.firstState);
    return tunnel;
  };

  /** The tunnel that was opened last. */
  get last(): FakeTunnel {
    const tunnel = this.opened.at(-1);
    if (tunnel === undefined) throw new Error("no tunnel was opened");
    return tunnel;
  }
}
