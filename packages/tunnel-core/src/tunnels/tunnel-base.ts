import { EventEmitter, once } from "node:events";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import type { ClientSettings, ServerSettings } from "@nodepass/url-config";
import type { Ban } from "../access/bans.ts";
import type { BoundAddress } from "../bind-address.ts";
import type { ConduitUser } from "../conduit/conduit.ts";
import type { PortCounters, PortCounts } from "../entry/port-counts.ts";
import type { TcpEntry } from "../entry/tcp-entry.ts";
import { asTunnelError, TunnelError, type TunnelErrorCode } from "../errors.ts";
import { ProcessStream } from "../stream/process-stream.ts";
import type {
  CloseOptions,
  ConnectOptions,
  ReadyOptions,
  Tunnel,
  TunnelChanges,
  TunnelOptions,
} from "../tunnel.ts";
import type {
  ConnectionEvent,
  PeerState,
  TargetState,
  TunnelCounters,
  TunnelEvents,
  TunnelLatencies,
  TunnelState,
} from "../tunnel-reports.ts";
import { CLOSE_OPTIONS, CONNECT_OPTIONS, checkGiven, READY_OPTIONS } from "./check-options.ts";
import { createContext, type LiveContext } from "./create-context.ts";
import { hideKey } from "./hide-key.ts";
import { updateSettings } from "./update-settings.ts";

/** Longest wait, ms, of a closing end for its peer to hear of it. */
const PEER_HEARS_MS = 1000;
/** How often a closing end looks, ms. */
const STEP_MS = 10;

/** The server has answered, and its answer is no: the next try will hear the same. */
const REFUSALS: ReadonlySet<TunnelErrorCode> = new Set([
  "HANDSHAKE_REJECTED",
  "PEER_UNPROVED",
  "PEER_CERTIFICATE_MISMATCH",
  "UNSUPPORTED_POOL_TYPE",
]);

/** What every tunnel end is: a state, counters, check points, and an orderly end. */
export abstract class TunnelBase extends EventEmitter<TunnelEvents> implements Tunnel {
  readonly settings: ServerSettings | ClientSettings;
  protected readonly context: LiveContext;
  protected readonly options: TunnelOptions;
  /** Aborted when the tunnel closes: ends every wait. */
  protected readonly lifetime = new AbortController();
  protected entry: BoundAddress | undefined;
  protected listener: BoundAddress | undefined;
  /** Of each port of a range where users connect. */
  protected portCounts: readonly PortCounts[] = [];
  protected runMode: 0 | 1 | 2 = 0;
  #state: TunnelState = "starting";
  #error: TunnelError | undefined;
  #hasPeer = false;
  #sessions = 0;
  /** Whose addresses this one takes over, until it has. */
  #former: TunnelBase | undefined;
  /** Somebody has taken over: what is open here may last. */
  #succeeded = false;
  #reporter: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;
  readonly #emitConnection = (event: ConnectionEvent): void => {
    this.emit("connection", event);
  };
  readonly #onAbort = (): void => this.destroy();

  constructor(settings: ServerSettings | ClientSettings, options: TunnelOptions) {
    super();
    this.settings = hideKey(settings);
    this.options = options;
    this.context = createContext(this.settings, options, {
      emitLog: (record) => this.emit("log", record),
      emitTarget: (state) => this.emit("target", state),
      hasLogListener: () => this.listenerCount("log") > 0,
      connectionListener: () =>
        this.listenerCount("connection") > 0 ? this.#emitConnection : undefined,
    });
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  get state(): TunnelState {
    return this.#state;
  }

  get reason(): string | undefined {
    return this.#error?.message;
  }

  get error(): TunnelError | undefined {
    return this.#error;
  }

  get hasPeer(): boolean {
    return this.#hasPeer;
  }

  get mode(): 0 | 1 | 2 {
    return this.runMode;
  }

  get tunnelAddress(): { readonly host: string; readonly port: number } | undefined {
    return this.listener && { host: this.listener.host, port: this.listener.port };
  }

  get entryAddress(): { readonly host: string; readonly port: number } | undefined {
    return this.entry && { host: this.entry.host, port: this.entry.port };
  }

  update(changes: TunnelChanges): void {
    if (this.closingOrClosed) throw new TunnelError("CLOSED", "the tunnel is closed");
    // A single end listens on its tunnel address: its targets are dialled.
    const isEntry = this.entry !== undefined && this.entry !== this.listener;
    updateSettings(this.context, this.settings, changes, isEntry);
  }

  serveUntil(until: number | undefined): void {
    this.context.slots.setUntil(until);
  }

  counters(): TunnelCounters {
    const peers = this.peers();
    const { counters } = this.context;
    const ping = peers.reduce((longest, peer) => Math.max(longest, peer.ping), 0);
    return { ...counters, pool: this.poolSize(), ping: peers.length > 0 ? ping : counters.ping };
  }

  peers(): readonly PeerState[] {
    return [];
  }

  latencies(): TunnelLatencies {
    const { dial, handshake, poolDial, poolWait, firstByte } = this.context.latencies;
    return {
      dial: dial.snapshot(),
      handshake: handshake.snapshot(),
      poolDial: poolDial.snapshot(),
      poolWait: poolWait.snapshot(),
      firstByte: firstByte.snapshot(),
    };
  }

  targets(): readonly TargetState[] {
    return this.context.health.flatMap((health) => health.states());
  }

  ports(): readonly PortCounters[] {
    return this.portCounts.map((counts) => counts.read());
  }

  bans(): readonly Ban[] {
    return this.context.bans?.list() ?? [];
  }

  liftBans(address?: string): number {
    return this.context.bans?.lift(address) ?? 0;
  }

  async ready(options: ReadyOptions = {}): Promise<void> {
    checkGiven(options, READY_OPTIONS);
    const { signal, failOnRefusal = false } = options;
    while (this.#state !== "running") {
      signal?.throwIfAborted();
      if (this.#state === "closing" || this.#state === "closed") {
        throw new TunnelError("CLOSED", this.reason ?? "the tunnel is closed");
      }
      if (failOnRefusal && this.#error !== undefined && REFUSALS.has(this.#error.code)) {
        throw this.#error;
      }
      try {
        await once(this, "state", signal === undefined ? {} : { signal });
      } catch (error) {
        // Not the AbortError that `once` makes of it: callers match on what they aborted with.
        signal?.throwIfAborted();
        throw error;
      }
    }
  }

  async connect(options: ConnectOptions = {}): Promise<Duplex> {
    checkGiven(options, CONNECT_OPTIONS);
    const { signal } = options;
    signal?.throwIfAborted();
    if (this.closingOrClosed) throw new TunnelError("CLOSED", "the tunnel is closed");
    const entry = this.settings.tcp ? this.tcpEntry() : undefined;
    if (entry === undefined) {
      throw new TunnelError("INVALID_OPTIONS", "connect() is for the end where TCP users connect");
    }
    const stream = new ProcessStream();
    let onAbort: () => void = () => {};
    try {
      await new Promise<void>((resolve, reject) => {
        onAbort = () => {
          reject(signal?.reason);
          stream.destroy();
        };
        signal?.addEventListener("abort", onAbort, { once: true });
        entry.take(stream, { onOpen: resolve, onFailed: reject });
      });
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
    return stream.duplex;
  }

  /** What is shown of a tunnel: no key, no parts. */
  toJSON(): object {
    const { settings, state, reason, mode, tunnelAddress, entryAddress } = this;
    const shown = { scheme: settings.scheme, state, reason, mode, tunnelAddress, entryAddress };
    return { ...shown, counters: this.counters() };
  }

  [inspect.custom](): object {
    return { ...this.toJSON(), settings: this.settings };
  }

  /** Before `start`: takes over what both listen on. A predecessor that is closing has nothing. */
  replace(former: TunnelBase): void {
    if (!former.closingOrClosed) this.#former = former;
  }

  /** What this one can have of its predecessor, first what served the same. */
  protected offered(as: "listener" | "entry"): readonly BoundAddress[] {
    const former = this.#former;
    const listener = former?.listener;
    const entry = former?.entry;
    const all = as === "listener" ? [listener, entry] : [entry, listener];
    return all.filter((bound) => bound !== undefined);
  }

  /** This one serves: its predecessor gives it the users who still wait, and drains. */
  succeed(drainTimeoutMs: number | undefined): void {
    const former = this.#former;
    this.#former = undefined;
    if (former === undefined || this.closingOrClosed || former.closingOrClosed) return;
    this.tcpEntry()?.adopt(former.waitingUsers());
    former.#succeeded = true;
    void former.close({ timeoutMs: drainTimeoutMs });
  }

  /** The users for whom there is no conduit yet leave this tunnel. */
  protected waitingUsers(): ConduitUser[] {
    return [];
  }

  /** Begins serving; called once by `openTunnel`. Rejects when the tunnel cannot start at all. */
  abstract start(): Promise<void>;

  /** Where TCP users come in, if they do at this end. */
  protected abstract tcpEntry(): TcpEntry | undefined;
  /** Idle pool connections. */
  protected abstract poolSize(): number;
  /** Whether the peer has yet to hear that this end closes. */
  protected retiring(): boolean {
    return false;
  }
  /**
   * Stops taking new work; running relays go on, UDP sessions of users only with a successor: a UDP
   * port can't be given away with somebody still on it.
   */
  protected abstract stopTaking(succeeded: boolean): void;
  /** Ends everything but the relays. */
  protected abstract endAll(): void;

  /** Once per report interval. */
  protected tick(): void {
    this.emit("checkpoint", { ...this.counters(), mode: this.runMode });
  }

  protected startReporting(): void {
    if (this.#reporter !== undefined || this.closingOrClosed) return;
    if (this.settings.quota !== undefined) {
      this.context.log("warn", "quota has no effect here: a master counts it");
    }
    this.#reporter = setInterval(() => this.tick(), this.context.limits.reportIntervalMs);
  }

  protected get closingOrClosed(): boolean {
    return this.#state === "closing" || this.#state === "closed";
  }

  /** A session stands, or has ended. */
  protected setPeer(connected: boolean): void {
    if (connected && this.#sessions++ > 0) this.context.counters.reconnects++;
    if (this.#hasPeer !== connected) this.setPeers(connected);
  }

  /** The same where there are several. @param connected whether a session with one of them stands */
  protected setPeers(connected: boolean): void {
    this.#hasPeer = connected;
    this.emit("peer", connected);
  }

  protected setState(state: TunnelState, error?: TunnelError): void {
    if (this.#state === "closed" || (this.#state === "closing" && state !== "closed")) return;
    const same = this.#error?.code === error?.code && this.reason === error?.message;
    if (this.#state === state && same) return;
    this.#state = state;
    this.#error = error;
    this.emit("state", state, error?.message, error);
  }

  async close(options: CloseOptions = {}): Promise<void> {
    checkGiven(options, CLOSE_OPTIONS);
    this.#closing ??= this.#close(options.timeoutMs ?? this.context.limits.shutdownTimeoutMs);
    await this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    if (this.#state === "closed") return;
    this.setState("closing");
    const deadline = performance.now() + timeoutMs;
    this.stopTaking(this.#succeeded);
    const { counters, tcpRelays, udpSessions } = this.context;
    await this.#wait(() => this.retiring(), Math.min(deadline, performance.now() + PEER_HEARS_MS));
    if (this.#succeeded) await this.#wait(() => counters.tcps > tcpRelays.size, deadline);
    await tcpRelays.drained(deadline - performance.now());
    if (this.#succeeded) await udpSessions.drained(deadline - performance.now());
    this.#finish();
  }

  /**
   * Looks until nobody is waited for any more: the peer, which sends nobody here once it has closed its
   * idle pool connections; users accepted before a successor came, whose targets are still dialled.
   */
  async #wait(isWaiting: () => boolean, deadline: number): Promise<void> {
    while (isWaiting() && performance.now() < deadline) {
      await sleep(STEP_MS, undefined, { signal: this.lifetime.signal }).catch(() => {
        // Destroyed meanwhile.
      });
      if (this.lifetime.signal.aborted) return;
    }
  }

  destroy(error?: Error): void {
    if (this.#state === "closed") return;
    this.setState("closing", error && asTunnelError(error, "CLOSED"));
    this.stopTaking(this.#succeeded);
    this.#finish();
  }

  #finish(): void {
    if (this.#state === "closed") return;
    this.options.signal?.removeEventListener("abort", this.#onAbort);
    this.lifetime.abort();
    clearInterval(this.#reporter);
    this.endAll();
    this.context.tcpRelays.cutAll();
    this.context.udpSessions.cutAll();
    this.context.lingerer.close();
    this.context.inbound?.destroy();
    this.context.outbound?.destroy();
    // The last counters, so that whoever adds them up misses nothing.
    this.emit("checkpoint", { ...this.counters(), mode: this.runMode });
    this.setState("closed", this.#error);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
