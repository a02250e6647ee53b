import {
  type Counters,
  countersOf,
  type Latencies,
  NO_COUNTERS,
  NO_TOTALS,
  type Totals,
} from "@nodepass/model";
import type { Tunnel } from "@nodepass/tunnel-core";
import { sumLatencies } from "./latency-rows.ts";

/** Waits for a tunnel that closes already, and cuts it if it takes longer. */
export async function closeWithin(tunnel: Tunnel, timeoutMs: number): Promise<void> {
  const timer = setTimeout(() => tunnel.destroy(), timeoutMs);
  try {
    await tunnel.close();
  } finally {
    clearTimeout(timer);
  }
}

/** The tunnels of one run. */
export interface RunTunnels {
  readonly tunnel: Tunnel | undefined;
  /** Were replaced; their connections have their time. */
  readonly draining: ReadonlySet<Tunnel>;
  /** What those that have drained counted. */
  readonly past: Totals;
}

/** All that the tunnels of a run count; what is there now is also what drains. */
export function countersOfRun({ tunnel, draining, past }: RunTunnels): Counters {
  const now = countersNow(tunnel);
  if (draining.size === 0 && past === NO_TOTALS) return now;
  const others = Array.from(draining, countersNow);
  return countersOf((name) => {
    if (name === "ping" || name === "pool") return now[name];
    const drained = name in past ? past[name as keyof Totals] : 0;
    return others.reduce((sum, each) => sum + each[name], now[name] + drained);
  });
}

/** The counters of the table that this tunnel has. */
export function countersNow(tunnel: Tunnel | undefined): Counters {
  if (tunnel === undefined) return NO_COUNTERS;
  const live: Partial<Counters> = tunnel.counters();
  return countersOf((name) => live[name] ?? 0);
}

/** All that the tunnels of a run have measured. @param past what those that have drained measured */
export function latenciesOfAll(tunnels: readonly Tunnel[], past: Latencies | undefined): Latencies {
  const now = tunnels.map((tunnel): Latencies => tunnel.latencies());
  return sumLatencies(past === undefined ? now : [...now, past]);
}
