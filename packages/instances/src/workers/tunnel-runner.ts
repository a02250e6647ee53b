import {
  type Counters,
  isSameCounters,
  type Latencies,
  NO_COUNTERS,
  NO_TOTALS,
  type Totals,
  totalsOf,
} from "@nodepass/model";
import {
  changeInPlace,
  EntryPorts,
  openTunnel,
  RelayBuffers,
  type Tunnel,
  type TunnelOptions,
  TunnelPorts,
  type TunnelWays,
} from "@nodepass/tunnel-core";
import type { EnvironmentSettings } from "@nodepass/url-config";
import { isLogged } from "../log-threshold.ts";
import { pushLatencies } from "./latency-rows.ts";
import { LineBudget } from "./line-budget.ts";
import {
  type ChangeOutcome,
  type LogReport,
  pushCounters,
  type RunnerCommand,
  type RunnerReport,
  type RunnerSettings,
  type TunnelAnswer,
  type TunnelQuestion,
  type TunnelSpec,
} from "./messages.ts";
import { closeWithin, countersNow, countersOfRun, latenciesOfAll } from "./run-counters.ts";

/** Tunnels that open at once: stretching a key takes a core and 16 MiB for some 40 ms. */
const MAX_OPENING = 4;

/** Most targets that are told of. */
const MAX_RESTING = 64;

/** Most peers that are told of. */
const MAX_PEERS = 64;

/** Opens a tunnel end; `openTunnel` of tunnel-core but in tests. */
export type OpenTunnel = (spec: TunnelSpec, options: TunnelOptions) => Promise<Tunnel>;

/** What a runner needs. */
export interface TunnelRunnerOptions extends RunnerSettings {
  readonly send: (report: RunnerReport) => void;
  /** @default openTunnel of tunnel-core */
  readonly open?: OpenTunnel | undefined;
}

interface RunEntry {
  readonly run: number;
  spec: TunnelSpec;
  readonly budget: LineBudget;
  tunnel: Tunnel | undefined;
  /** Is to take the place of `tunnel`. */
  next: Tunnel | undefined;
  /** Were replaced; their connections have their time. */
  readonly draining: Set<Tunnel>;
  /** What those that have drained counted. */
  past: Totals;
  /** And what they measured; `undefined` if there were none. */
  pastLatencies: Latencies | undefined;
  /** Another tunnel is being opened in its place. */
  replacing: boolean;
  /** `openTunnel` has resolved. */
  opened: boolean;
  /** Time for its connections to finish, once it is to close. */
  closeTimeoutMs: number | undefined;
  last: Counters;
  /** What was told of its peers last, as JSON. */
  lastPeers: string;
}

/**
 * Runs tunnels in the thread that it lives in, and reports what changes. One timer for all looks at
 * the counters; nothing is sent for tunnels that carry nothing.
 */
export class TunnelRunner {
  readonly #limits: EnvironmentSettings;
  readonly #counterIntervalMs: number;
  readonly #ways: TunnelWays;
  readonly #send: (report: RunnerReport) => void;
  readonly #openTunnel: OpenTunnel;
  readonly #buffers: RelayBuffers;
  /** Server tunnels of this thread with the same tunnel address are on one port. */
  readonly #ports = new TunnelPorts();
  readonly #entryPorts = new EntryPorts();
  readonly #entries = new Map<number, RunEntry>();
  readonly #queue: { readonly entry: RunEntry; readonly open: () => Promise<void> }[] = [];
  /** Those whose state is told at the end of this turn of the loop. */
  readonly #due = new Set<RunEntry>();
  #dueSent: NodeJS.Immediate | undefined;
  #opening = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TunnelRunnerOptions) {
    this.#limits = options.limits;
    this.#counterIntervalMs = options.counterIntervalMs;
    this.#ways = options.ways ?? {};
    this.#send = options.send;
    this.#openTunnel = options.open ?? openTunnel;
    this.#buffers = new RelayBuffers(options.limits.tcpDataBufferBytes);
  }

  handle(command: RunnerCommand): void {
    if (command.kind === "open") {
      this.#open(command.run, command.spec);
      return;
    }
    if (command.kind === "measure") {
      this.#sendLatencies();
      return;
    }
    const entry = this.#entries.get(command.run);
    // It may have ended by itself meanwhile; `closed` was sent then.
    if (entry === undefined) return;
    if (command.kind === "read") this.#sendCounters([entry], true);
    else if (command.kind === "change") this.#change(entry, command.spec);
    else if (command.kind === "ask") this.#ask(entry, command.ask, command.question);
    else this.#close(entry, command.timeoutMs);
  }

  /** Cuts every tunnel now and sends nothing more about them. */
  destroy(): void {
    clearInterval(this.#timer);
    clearImmediate(this.#dueSent);
    this.#due.clear();
    this.#queue.length = 0;
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    for (const entry of entries) {
      entry.closeTimeoutMs = 0;
      if (entry.opened) entry.tunnel?.destroy();
      for (const tunnel of entry.draining) tunnel.destroy();
    }
  }

  #open(run: number, spec: TunnelSpec): void {
    const entry: RunEntry = {
      run,
      spec,
      budget: new LineBudget(performance.now()),
      tunnel: undefined,
      next: undefined,
      draining: new Set(),
      past: NO_TOTALS,
      pastLatencies: undefined,
      replacing: false,
      opened: false,
      closeTimeoutMs: undefined,
      last: NO_COUNTERS,
      lastPeers: "[]",
    };
    this.#entries.set(run, entry);
    this.#queue.push({ entry, open: () => this.#openOne(entry) });
    this.#openNext();
  }

  #openNext(): void {
    while (this.#opening < MAX_OPENING) {
      const waiting = this.#queue.shift();
      if (waiting === undefined) return;
      this.#opening++;
      void waiting.open().finally(() => {
        this.#opening--;
        this.#openNext();
      });
    }
  }

  async #openOne(entry: RunEntry): Promise<void> {
    try {
      const tunnel = await this.#openTunnel(entry.spec, {
        ...this.#tunnelOptions(),
        onCreate: (created) => {
          entry.tunnel = created;
          this.#listen(entry, created);
        },
      });
      entry.tunnel = tunnel;
      entry.opened = true;
    } catch (error) {
      this.#over(entry, error instanceof Error ? error.message : String(error));
      return;
    }
    if (entry.closeTimeoutMs !== undefined) {
      this.#close(entry, entry.closeTimeoutMs);
      return;
    }
    this.#sendState(entry);
    this.#timer ??= setInterval(
      () => this.#sendCounters(this.#entries.values(), false),
      this.#counterIntervalMs,
    );
  }

  #tunnelOptions(): TunnelOptions {
    return {
      ...this.#ways,
      limits: this.#limits,
      buffers: this.#buffers,
      ports: this.#ports,
      entries: this.#entryPorts,
    };
  }

  /** A client without a mode may be created twice: as a forwarder, then as a dual-end client. */
  #listen(entry: RunEntry, tunnel: Tunnel): void {
    const isOurs = (): boolean =>
      entry.tunnel === tunnel || entry.next === tunnel || entry.draining.has(tunnel);
    tunnel.on("log", ({ level, message, fields }) => {
      if (isOurs() && isLogged(level, entry.spec.log)) {
        this.#log(entry, level, message, fields);
      }
    });
    tunnel.on("target", () => this.#changed(entry, tunnel));
    // A server serves before its first client comes, so its state does not tell.
    tunnel.on("peer", () => this.#changed(entry, tunnel));
    tunnel.on("state", (state, reason) => {
      if (state !== "closed") this.#changed(entry, tunnel);
      else if (entry.tunnel === tunnel && entry.opened && entry.closeTimeoutMs === undefined) {
        this.#over(entry, reason ?? "the tunnel ended by itself");
      }
    });
  }

  /** What begins or ends a session comes as several events, in one turn: they are told of once. */
  #changed(entry: RunEntry, tunnel: Tunnel): void {
    if (entry.tunnel !== tunnel || !entry.opened) return;
    this.#due.add(entry);
    this.#dueSent ??= setImmediate(() => {
      this.#dueSent = undefined;
      for (const one of this.#due) if (one.closeTimeoutMs === undefined) this.#sendState(one);
      this.#due.clear();
    });
  }

  #ask({ run, tunnel }: RunEntry, ask: number, question: TunnelQuestion): void {
    if (tunnel === undefined) return;
    let answer: TunnelAnswer;
    switch (question.about) {
      case "bans":
        answer = { bans: tunnel.bans() };
        break;
      case "ports":
        answer = { ports: tunnel.ports() };
        break;
      case "liftBans":
        answer = { lifted: tunnel.liftBans(question.address) };
        break;
    }
    this.#send({ kind: "answer", run, ask, answer });
  }

  #change(entry: RunEntry, spec: TunnelSpec): void {
    const { run, tunnel } = entry;
    const isOpen = entry.opened && entry.closeTimeoutMs === undefined && !entry.replacing;
    if (!isOpen || tunnel === undefined) {
      this.#send({ kind: "changed", run, outcome: "refused" });
    } else if (changeInPlace(tunnel, spec)) {
      entry.spec = spec;
      this.#send({ kind: "changed", run, outcome: "inPlace" });
    } else {
      entry.replacing = true;
      this.#queue.push({ entry, open: () => this.#replace(entry, tunnel, spec) });
      this.#openNext();
    }
  }

  async #replace(entry: RunEntry, former: Tunnel, spec: TunnelSpec): Promise<void> {
    const { run } = entry;
    const isOver = (): boolean =>
      entry.closeTimeoutMs !== undefined || !this.#entries.has(run) || entry.tunnel !== former;
    let outcome: ChangeOutcome = "refused";
    try {
      if (isOver()) return;
      const tunnel = await this.#openTunnel(spec, {
        ...this.#tunnelOptions(),
        takeOver: former,
        onCreate: (created) => {
          entry.next = created;
          this.#listen(entry, created);
        },
      });
      if (isOver()) {
        tunnel.destroy();
        return;
      }
      entry.draining.add(former);
      entry.tunnel = tunnel;
      entry.spec = spec;
      outcome = "replaced";
      // It is closing already; this only waits for it.
      void former.close().finally(() => this.#drained(entry, former));
      this.#sendCounters([entry], false);
      this.#sendState(entry);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#log(entry, "warn", "tunnel could not be replaced while it runs", { reason });
    } finally {
      entry.next = undefined;
      entry.replacing = false;
      if (this.#entries.has(run)) this.#send({ kind: "changed", run, outcome });
    }
  }

  #drained(entry: RunEntry, tunnel: Tunnel): void {
    if (!entry.draining.delete(tunnel)) return;
    const last = countersNow(tunnel);
    const { past } = entry;
    entry.past = totalsOf((name) => past[name] + last[name]);
    entry.pastLatencies = latenciesOfAll([tunnel], entry.pastLatencies);
  }

  #close(entry: RunEntry, timeoutMs: number): void {
    entry.closeTimeoutMs = timeoutMs;
    const { tunnel } = entry;
    if (entry.opened && tunnel !== undefined) {
      const rest = [...entry.draining].map((each) => closeWithin(each, timeoutMs));
      void Promise.all([tunnel.close({ timeoutMs }), ...rest]).then(
        () => this.#over(entry, undefined),
        (error: unknown) => {
          tunnel.destroy();
          this.#over(entry, error instanceof Error ? error.message : String(error));
        },
      );
      return;
    }
    // While it opens it can't be stopped cleanly; `#openOne` closes it then.
    const queued = this.#queue.findIndex((waiting) => waiting.entry === entry);
    if (queued < 0) return;
    this.#queue.splice(queued, 1);
    this.#over(entry, undefined);
  }

  #over(entry: RunEntry, reason: string | undefined): void {
    // Destroyed meanwhile: nobody wants to hear of it.
    if (!this.#entries.has(entry.run)) return;
    if (entry.opened) this.#sendCounters([entry], false);
    this.#logSuppressed(entry);
    this.#entries.delete(entry.run);
    this.#due.delete(entry);
    this.#send({ kind: "closed", run: entry.run, reason });
    if (this.#entries.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #sendState(entry: RunEntry): void {
    const { run, tunnel } = entry;
    this.#due.delete(entry);
    if (tunnel === undefined) return;
    const { state, reason, mode, tunnelAddress, entryAddress } = tunnel;
    if (state === "closing" || state === "closed") return;
    const isSingleEnd = tunnel.settings.scheme === "client" && mode === 1;
    const link = isSingleEnd ? "none" : tunnel.hasPeer && state === "running" ? "up" : "down";
    const restingTargets = tunnel
      .targets()
      .filter(({ resting }) => resting)
      .slice(0, MAX_RESTING)
      .map(({ target, protocol, reason = "" }) => ({ target, protocol, reason }));
    this.#sendPeers(entry);
    const at = { tunnelAddress, entryAddress };
    this.#send({ kind: "state", run, state, reason, mode, link, restingTargets, ...at });
  }

  #sendCounters(entries: Iterable<RunEntry>, always: boolean): void {
    const rows: number[] = [];
    for (const entry of entries) {
      this.#sendPeers(entry);
      const counters = countersOfRun(entry);
      if (!always && isSameCounters(counters, entry.last)) continue;
      entry.last = counters;
      pushCounters(rows, entry.run, counters);
    }
    if (rows.length > 0) this.#send({ kind: "counters", rows });
  }

  /** Nothing for tunnels that can have one peer only. */
  #sendPeers(entry: RunEntry): void {
    const states = entry.tunnel?.peers() ?? [];
    if (states.length === 0 && entry.lastPeers === "[]") return;
    const peers = states
      .slice(0, MAX_PEERS)
      .map(({ reason = "", ...peer }) => ({ ...peer, reason }));
    const told = JSON.stringify(peers);
    if (told === entry.lastPeers) return;
    entry.lastPeers = told;
    this.#send({ kind: "peers", run: entry.run, peers });
  }

  #sendLatencies(): void {
    const rows: number[] = [];
    for (const { run, tunnel, draining, pastLatencies } of this.#entries.values()) {
      if (tunnel === undefined) continue;
      pushLatencies(rows, run, latenciesOfAll([tunnel, ...draining], pastLatencies));
    }
    this.#send({ kind: "latencies", rows });
  }

  #log(
    entry: RunEntry,
    level: LogReport["level"],
    message: string,
    fields: LogReport["fields"],
  ): void {
    if (!this.#entries.has(entry.run) || !entry.budget.take(performance.now())) return;
    this.#logSuppressed(entry);
    this.#send({ kind: "log", run: entry.run, time: Date.now(), level, message, fields });
  }

  #logSuppressed({ run, budget }: RunEntry): void {
    const lines = budget.takeSuppressed();
    if (lines === 0) return;
    const message = "log lines held back";
    this.#send({ kind: "log", run, time: Date.now(), level: "warn", message, fields: { lines } });
  }
}
