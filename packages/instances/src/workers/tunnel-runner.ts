import { totalsOf } from "@nodepass/model";
import {
  changeInPlace,
  EntryPorts,
  monotonicMs,
  openTunnel,
  RelayBuffers,
  type Tunnel,
  type TunnelOptions,
  TunnelPorts,
  type TunnelWays,
} from "@nodepass/tunnel-core";
import type { EnvironmentSettings } from "@nodepass/url-config";
import { isLogged } from "../log-threshold.ts";
import {
  type ChangeOutcome,
  type LogReport,
  type RunnerCommand,
  type RunnerReport,
  type RunnerSettings,
  TIME_OVER,
  type TunnelAnswer,
  type TunnelQuestion,
  type TunnelSpec,
} from "./messages.ts";
import { OpeningQueue } from "./opening-queue.ts";
import { closeWithin, countersNow, latenciesOfAll } from "./run-counters.ts";
import { newRunEntry, type RunEntry } from "./run-entry.ts";
import { RunReporter } from "./run-reporter.ts";

/** Tunnels that open at once: stretching a key takes a core and 16 MiB for some 40 ms. */
const MAX_OPENING = 4;

/** How long after the end of its time a tunnel that nothing asks is cut, ms. */
const TIMES_INTERVAL_MS = 50;

/** Opens a tunnel end; `openTunnel` of tunnel-core but in tests. */
export type OpenTunnel = (spec: TunnelSpec, options: TunnelOptions) => Promise<Tunnel>;

/** What a runner needs. */
export interface TunnelRunnerOptions extends RunnerSettings {
  readonly send: (report: RunnerReport) => void;
  /** @default openTunnel of tunnel-core */
  readonly open?: OpenTunnel | undefined;
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
  readonly #reporter: RunReporter;
  readonly #openTunnel: OpenTunnel;
  readonly #buffers: RelayBuffers;
  /** Server tunnels of this thread with the same tunnel address are on one port. */
  readonly #ports = new TunnelPorts();
  readonly #entryPorts = new EntryPorts();
  readonly #entries = new Map<number, RunEntry>();
  readonly #queue = new OpeningQueue<RunEntry>(MAX_OPENING);
  /** Those whose state is told at the end of this turn of the loop. */
  readonly #due = new Set<RunEntry>();
  #dueSent: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #times: NodeJS.Timeout | undefined;

  constructor(options: TunnelRunnerOptions) {
    this.#limits = options.limits;
    this.#counterIntervalMs = options.counterIntervalMs;
    this.#ways = options.ways ?? {};
    this.#send = options.send;
    this.#reporter = new RunReporter(options.send);
    this.#openTunnel = options.open ?? openTunnel;
    this.#buffers = new RelayBuffers(options.limits.tcpDataBufferBytes);
  }

  handle(command: RunnerCommand): void {
    if (command.kind === "open") {
      this.#open(newRunEntry(command.run, command.spec, command.until));
      return;
    }
    if (command.kind === "measure") {
      this.#reporter.latencies(this.#entries.values());
      return;
    }
    const entry = this.#entries.get(command.run);
    // It may have ended by itself meanwhile; `closed` was sent then.
    if (entry === undefined) return;
    if (command.kind === "read") this.#reporter.counters([entry], true);
    else if (command.kind === "change") this.#change(entry, command.spec);
    else if (command.kind === "until") this.#serveUntil(entry, command.until);
    else if (command.kind === "ask") this.#ask(entry, command.ask, command.question);
    else this.#close(entry, command.timeoutMs);
  }

  /** Cuts every tunnel now and sends nothing more about them. */
  destroy(): void {
    clearInterval(this.#timer);
    clearInterval(this.#times);
    clearImmediate(this.#dueSent);
    this.#due.clear();
    this.#queue.clear();
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    for (const entry of entries) {
      entry.closeTimeoutMs = 0;
      if (entry.opened) entry.tunnel?.destroy();
      for (const tunnel of entry.draining) tunnel.destroy();
    }
  }

  #open(entry: RunEntry): void {
    this.#entries.set(entry.run, entry);
    if (entry.until !== undefined) this.#watchTimes();
    this.#queue.add(entry, () => this.#openOne(entry));
  }

  async #openOne(entry: RunEntry): Promise<void> {
    try {
      const tunnel = await this.#openTunnel(entry.spec, {
        ...this.#tunnelOptions(),
        onCreate: (created) => {
          entry.tunnel = created;
          created.serveUntil(entry.until);
          this.#listen(entry, created);
        },
      });
      if (!this.#entries.has(entry.run)) {
        // Its time was over before it stood.
        tunnel.destroy();
        return;
      }
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
      () => this.#reporter.counters(this.#entries.values(), false),
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

  #serveUntil(entry: RunEntry, until: number | undefined): void {
    entry.until = until;
    for (const tunnel of tunnelsOf(entry)) tunnel.serveUntil(until);
    this.#watchTimes();
  }

  /** Only while some run has an end: the tunnels take nobody after it by themselves, this cuts the rest. */
  #watchTimes(): void {
    const any = [...this.#entries.values()].some(({ until }) => until !== undefined);
    if (any) this.#times ??= setInterval(() => this.#cutLate(), TIMES_INTERVAL_MS);
    else {
      clearInterval(this.#times);
      this.#times = undefined;
    }
  }

  #cutLate(): void {
    const now = monotonicMs();
    for (const entry of [...this.#entries.values()]) {
      if (entry.until === undefined || now < entry.until) continue;
      const tunnels = tunnelsOf(entry);
      this.#over(entry, TIME_OVER);
      for (const tunnel of tunnels) tunnel.destroy();
      this.#queue.drop(entry);
    }
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
      this.#queue.add(entry, () => this.#replace(entry, tunnel, spec));
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
          created.serveUntil(entry.until);
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
      this.#reporter.counters([entry], false);
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
    if (this.#queue.drop(entry)) this.#over(entry, undefined);
  }

  #over(entry: RunEntry, reason: string | undefined): void {
    // Destroyed meanwhile: nobody wants to hear of it.
    if (!this.#entries.has(entry.run)) return;
    if (entry.opened) this.#reporter.counters([entry], false);
    this.#reporter.heldBack(entry);
    this.#entries.delete(entry.run);
    if (entry.until !== undefined) this.#watchTimes();
    this.#due.delete(entry);
    this.#send({ kind: "closed", run: entry.run, reason });
    if (this.#entries.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #sendState(entry: RunEntry): void {
    this.#due.delete(entry);
    this.#reporter.state(entry);
  }

  #log(
    entry: RunEntry,
    level: LogReport["level"],
    message: string,
    fields: LogReport["fields"],
  ): void {
    if (this.#entries.has(entry.run)) this.#reporter.log(entry, level, message, fields);
  }
}

function tunnelsOf({ tunnel, next, draining }: RunEntry): Tunnel[] {
  return [tunnel, next, ...draining].filter((each) => each !== undefined);
}
