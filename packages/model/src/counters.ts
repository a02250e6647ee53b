/** How one counter of an instance is kept and shown. */
export interface CounterDefinition {
  /**
   * `gauge`: how much there is now; 0 while the instance does not run. `total`: how much there has
   * been, over restarts of the instance and of the master, until a reset; it is in the state file.
   */
  readonly kind: "gauge" | "total";
  /** What is counted, and its unit, for the API's document and the metrics. */
  readonly help: string;
  /** Name of the metric, after `nodepass_instance_`; totals end in `_total`. */
  readonly metric: string;
  /** Help of the metric, where several counters are one. @default help */
  readonly metricHelp?: string | undefined;
  /** The metric's value is this times the counter. @default 1 */
  readonly metricScale?: number | undefined;
  /** Labels that tell apart counters with the same metric. */
  readonly metricLabels?: Readonly<Record<string, string>> | undefined;
}

const gauge = (
  help: string,
  metric: string,
  metricScale?: number,
): CounterDefinition & { readonly kind: "gauge" } => ({
  kind: "gauge",
  help,
  metric,
  metricScale,
});

const total = (
  help: string,
  metric: string,
  metricLabels?: Readonly<Record<string, string>>,
): CounterDefinition & { readonly kind: "total" } => ({
  kind: "total",
  help,
  metric,
  metricLabels,
});

const refused = (reason: string, because: string) => ({
  ...total(`TCP connections of users refused: ${because}`, "refused_connections_total", { reason }),
  // One metric, one help: its label says which.
  metricHelp: "TCP connections of users refused",
});

/**
 * All that is counted of an instance, under the names that the API shows and that a tunnel's
 * `counters()` has. Nothing else lists them: a line here is a counter in the worker's reports, the
 * state file, the API, its document, events, metrics and the client.
 */
export const COUNTERS = {
  ping: gauge("Round trip to the peer, ms", "ping_seconds", 0.001),
  pool: gauge("Ready pool connections", "pool_connections"),
  tcps: gauge("TCP connections now", "tcp_connections"),
  udps: gauge("UDP sessions now", "udp_sessions"),
  tcprx: total("TCP bytes read from users (entry) or targets (exit)", "tcp_received_bytes_total"),
  tcptx: total("TCP bytes written to users (entry) or targets (exit)", "tcp_sent_bytes_total"),
  udprx: total(
    "UDP payload bytes read from users (entry) or targets (exit)",
    "udp_received_bytes_total",
  ),
  udptx: total(
    "UDP payload bytes written to users (entry) or targets (exit)",
    "udp_sent_bytes_total",
  ),
  udpDropped: total("Datagrams dropped", "udp_dropped_datagrams_total"),
  accepted: total("TCP connections accepted from users", "accepted_connections_total"),
  failed: total("TCP connections for which no target could be reached", "failed_connections_total"),
  refusedSlot: refused("slot", "no slot was free"),
  refusedSlotip: refused("slotip", "all slots of their address were taken"),
  refusedBlocked: refused("blocked", "their protocol is blocked"),
  refusedPeer: refused("peer", "there was no peer or no pool connection"),
  refusedDenied: refused("denied", "their address may not come (also at the tunnel port)"),
  refusedBanned: refused("banned", "their address is banned (at the tunnel port)"),
  refusedName: refused("name", "nobody serves the name they asked for"),
  refusedProxied: refused("proxied", "a trusted proxy did not say whose they are"),
  dialErrors: total("Targets that could not be dialled", "dial_errors_total"),
  handshakesRefused: total("Handshakes of peers refused", "refused_handshakes_total"),
  reconnects: total("Sessions after the first since the start", "reconnects_total"),
} as const satisfies Readonly<Record<string, CounterDefinition>>;

/** The name of a counter. */
export type CounterName = keyof typeof COUNTERS;

/** The name of a counter that is kept over restarts. */
export type TotalName = {
  [Name in CounterName]: (typeof COUNTERS)[Name]["kind"] extends "total" ? Name : never;
}[CounterName];

/** A number for each counter; sizes in bytes, ping in ms. */
export type Counters = { readonly [Name in CounterName]: number };

/** What is open, and the bytes of payload that were carried. */
export type Traffic = Pick<Counters, "tcps" | "udps" | "tcprx" | "tcptx" | "udprx" | "udptx">;

/** Every counter, in the order of the table. */
export const COUNTER_NAMES: readonly CounterName[] = Object.keys(COUNTERS) as CounterName[];

/** The counters that are kept over restarts, in the order of the table. */
export const TOTAL_NAMES: readonly TotalName[] = COUNTER_NAMES.filter(
  (name): name is TotalName => COUNTERS[name].kind === "total",
);

/** What has been counted since the last reset. */
export type Totals = { readonly [Name in TotalName]: number };

/** A number for each total, as `read` tells it. */
export function totalsOf(read: (name: TotalName) => number): Totals {
  const totals: Partial<Record<TotalName, number>> = {};
  for (const name of TOTAL_NAMES) totals[name] = read(name);
  // The loop above has been through all of them.
  return totals as Totals;
}

/** Nothing counted. */
export const NO_TOTALS: Totals = Object.freeze(totalsOf(() => 0));

/** A number for each counter, as `read` tells it. */
export function countersOf(read: (name: CounterName) => number): Counters {
  const counters: Partial<Record<CounterName, number>> = {};
  for (const name of COUNTER_NAMES) counters[name] = read(name);
  // The loop above has been through all of them.
  return counters as Counters;
}

/** The counters of what does nothing. */
export const NO_COUNTERS: Counters = Object.freeze(countersOf(() => 0));

/** Whether all numbers are the same. */
export function isSameCounters(one: Counters, other: Counters): boolean {
  for (const name of COUNTER_NAMES) if (one[name] !== other[name]) return false;
  return true;
}
