/** How one thing that takes time is shown. */
export interface LatencyDefinition {
  /** What is measured, for the metrics. */
  readonly help: string;
  /** Name of the metric, after `nodepass_instance_`: seconds, as Prometheus wants them. */
  readonly metric: string;
}

/**
 * What is measured of an instance, under the names that a tunnel's `latencies()` has, each as a
 * histogram of what succeeded since the tunnel was opened. Nothing else lists them: a line here is in
 * the workers' answers and in the metrics. The buckets are the data plane's.
 */
export const LATENCIES = {
  dial: {
    metric: "dial_seconds",
    help: "Time of users' dials of the targets: look-up, every attempt, until one answers",
  },
  handshake: {
    metric: "handshake_seconds",
    help: "Time of handshakes with the peer",
  },
  poolDial: {
    metric: "pool_dial_seconds",
    help: "Time to make a pool connection, at the client",
  },
  poolWait: {
    metric: "pool_wait_seconds",
    help: "Time users waited for a pool connection, 0 for who found one ready",
  },
  firstByte: {
    metric: "first_byte_seconds",
    help: "Time to the first byte of the answer, from the user's connection (entry) or the target's (exit) on",
  },
} as const satisfies Readonly<Record<string, LatencyDefinition>>;

/** The name of a measured time. */
export type LatencyName = keyof typeof LATENCIES;

/** A histogram. */
export interface LatencyHistogram {
  /** Upper bounds of the buckets, ms, rising. */
  readonly boundsMs: readonly number[];
  /** How many are in each bucket and no lower one; one more than bounds: the last has what is over all. */
  readonly counts: readonly number[];
  /** All together, ms. */
  readonly sumMs: number;
}

/** A histogram for each measured time. */
export type Latencies = { readonly [Name in LatencyName]: LatencyHistogram };

/** Every measured time, in the order of the table. */
export const LATENCY_NAMES: readonly LatencyName[] = Object.keys(LATENCIES) as LatencyName[];

/** A histogram for each measured time, as `read` tells it. */
export function latenciesOf(read: (name: LatencyName) => LatencyHistogram): Latencies {
  const latencies: Partial<Record<LatencyName, LatencyHistogram>> = {};
  for (const name of LATENCY_NAMES) latencies[name] = read(name);
  // The loop above has been through all of them.
  return latencies as Latencies;
}
