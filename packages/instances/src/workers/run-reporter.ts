import { isSameCounters } from "@nodepass/model";
import { pushLatencies } from "./latency-rows.ts";
import { type LogReport, pushCounters, type RunnerReport } from "./messages.ts";
import { countersOfRun, latenciesOfAll } from "./run-counters.ts";
import type { RunEntry } from "./run-entry.ts";

/** Most targets that are told of. */
const MAX_RESTING = 64;

/** Most peers that are told of. */
const MAX_PEERS = 64;

/** Tells of runs what has changed since it was last told. */
export class RunReporter {
  readonly #send: (report: RunnerReport) => void;

  constructor(send: (report: RunnerReport) => void) {
    this.#send = send;
  }

  state(entry: RunEntry): void {
    const { run, tunnel } = entry;
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
    this.#peers(entry);
    const at = { tunnelAddress, entryAddress };
    this.#send({ kind: "state", run, state, reason, mode, link, restingTargets, ...at });
  }

  /** @param always also those that are as they were told last */
  counters(entries: Iterable<RunEntry>, always: boolean): void {
    const rows: number[] = [];
    for (const entry of entries) {
      this.#peers(entry);
      const counters = countersOfRun(entry);
      if (!always && isSameCounters(counters, entry.last)) continue;
      entry.last = counters;
      pushCounters(rows, entry.run, counters);
    }
    if (rows.length > 0) this.#send({ kind: "counters", rows });
  }

  latencies(entries: Iterable<RunEntry>): void {
    const rows: number[] = [];
    for (const { run, tunnel, draining, pastLatencies } of entries) {
      if (tunnel === undefined) continue;
      pushLatencies(rows, run, latenciesOfAll([tunnel, ...draining], pastLatencies));
    }
    this.#send({ kind: "latencies", rows });
  }

  /** A line, if the run has not had too many of them. */
  log(
    entry: RunEntry,
    level: LogReport["level"],
    message: string,
    fields: LogReport["fields"],
  ): void {
    if (!entry.budget.take(performance.now())) return;
    this.heldBack(entry);
    this.#send({ kind: "log", run: entry.run, time: Date.now(), level, message, fields });
  }

  /** How many lines the run has had too many. */
  heldBack({ run, budget }: RunEntry): void {
    const lines = budget.takeSuppressed();
    if (lines === 0) return;
    const message = "log lines held back";
    this.#send({ kind: "log", run, time: Date.now(), level: "warn", message, fields: { lines } });
  }

  /** Nothing for tunnels that can have one peer only. */
  #peers(entry: RunEntry): void {
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
}
