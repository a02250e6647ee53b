import {
  type Counters,
  type Latencies,
  NO_COUNTERS,
  NO_TOTALS,
  type Totals,
} from "@nodepass/model";
import type { Tunnel } from "@nodepass/tunnel-core";
import { LineBudget } from "./line-budget.ts";
import type { TunnelSpec } from "./messages.ts";

/** What a thread knows of one run: its tunnels, what they have counted, what was told of them. */
export interface RunEntry {
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
  /** It is not to serve after that, by `monotonicMs`. */
  until: number | undefined;
  /** `openTunnel` has resolved. */
  opened: boolean;
  /** Time for its connections to finish, once it is to close. */
  closeTimeoutMs: number | undefined;
  last: Counters;
  /** What was told of its peers last, as JSON. */
  lastPeers: string;
}

/** A run whose tunnel is not opened yet. */
export function newRunEntry(
  run: number,
  spec: TunnelSpec,
  until: number | undefined = undefined,
): RunEntry {
  return {
    run,
    spec,
    budget: new LineBudget(performance.now()),
    tunnel: undefined,
    next: undefined,
    draining: new Set(),
    past: NO_TOTALS,
    pastLatencies: undefined,
    replacing: false,
    until,
    opened: false,
    closeTimeoutMs: undefined,
    last: NO_COUNTERS,
    lastPeers: "[]",
  };
}
