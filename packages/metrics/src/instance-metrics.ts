import {
  COUNTER_NAMES,
  COUNTERS,
  type CounterDefinition,
  type CounterName,
  type Counters,
  type Instance,
  LATENCIES,
  LATENCY_NAMES,
  type Latencies,
} from "@nodepass/model";
import { formatLabels, type Labels, type MetricsPage } from "./metrics-page.ts";
import { writePeerMetrics } from "./peer-metrics.ts";

/** What is shown of an instance; a tunnel without a master is one, too. */
export interface InstanceFigures
  extends Counters,
    Pick<
      Instance,
      "id" | "alias" | "type" | "status" | "link" | "mode" | "restingTargets" | "peers"
    > {}

/** What a page shows of instances. */
export interface InstanceMetricsOptions {
  /**
   * Instances that have series of their own, oldest first: each has 22, and 16 more for
   * each time that it measures. Those over it are counted and left out. @default 1000
   */
  readonly maxInstances?: number | undefined;
}

/** @see InstanceMetricsOptions.maxInstances */
export const DEFAULT_MAX_INSTANCES = 1000;

const STATUSES = ["running", "stopped", "error"] as const;
/** Most targets of one instance that are shown as resting. */
const MAX_RESTING = 64;
const PREFIX = "nodepass_instance_";

/** One metric: the values of an instance, each with the labels that tell it from the others. */
interface InstanceMetric {
  readonly name: string;
  readonly help: string;
  readonly isTotal: boolean;
  readonly values: readonly {
    readonly labels: Labels;
    read(instance: InstanceFigures): number;
  }[];
}

const gauge = (
  name: string,
  help: string,
  read: (instance: InstanceFigures) => number,
): InstanceMetric => ({ name, help, isTotal: false, values: [{ labels: {}, read }] });

const METRICS: readonly InstanceMetric[] = [
  gauge("up", "1 while the instance is running", ({ status }) => Number(status === "running")),
  gauge("failing", "1 while the instance cannot do its work: its status is error", ({ status }) =>
    Number(status === "error"),
  ),
  gauge("peer_connected", "1 while the instance has its peer", ({ link }) => Number(link === "up")),
  gauge(
    "peer_expected",
    "1 for an instance that needs a peer, 0 for one that forwards by itself",
    ({ link }) => Number(link !== "none"),
  ),
  gauge("mode", "Mode as run", ({ mode }) => mode),
  ...counterMetrics(),
];

/** The metrics of the model's counters; several counters may be one metric under other labels. */
function counterMetrics(): InstanceMetric[] {
  const byName = new Map<string, CounterName[]>();
  for (const name of COUNTER_NAMES) {
    const { metric } = COUNTERS[name];
    byName.set(metric, [...(byName.get(metric) ?? []), name]);
  }
  return [...byName].map(([name, names]) => {
    const definitions = names.map((each): CounterDefinition => COUNTERS[each]);
    return {
      name,
      help: definitions[0]?.metricHelp ?? definitions[0]?.help ?? name,
      isTotal: definitions[0]?.kind === "total",
      values: names.map((each) => {
        const { metricLabels = {}, metricScale = 1 }: CounterDefinition = COUNTERS[each];
        return { labels: metricLabels, read: (instance) => instance[each] * metricScale };
      }),
    };
  });
}

/**
 * Writes the metrics of instances. The label of an instance is `id`, since Prometheus keeps
 * `instance` for the address that it scrapes.
 *
 * @param all oldest first
 * @param latencies what they have measured, by id
 */
export function writeInstanceMetrics(
  page: MetricsPage,
  all: readonly InstanceFigures[],
  latencies: ReadonlyMap<string, Latencies>,
  { maxInstances = DEFAULT_MAX_INSTANCES }: InstanceMetricsOptions = {},
): void {
  page.family("nodepass_instances", "gauge", "Instances by status");
  for (const status of STATUSES) {
    const count = all.filter((instance) => instance.status === status).length;
    page.series(formatLabels({ status }), count);
  }
  page.family(
    "nodepass_instances_left_out",
    "gauge",
    "Instances without series of their own, over the limit NP_METRICS_INSTANCES",
  );
  page.series("", Math.max(0, all.length - maxInstances));

  const shown = all.slice(0, maxInstances).map((instance) => {
    const { id, alias, type } = instance;
    return { instance, labels: formatLabels({ id, alias, type }) };
  });
  for (const { name, help, isTotal, values } of METRICS) {
    page.family(
      PREFIX + name,
      isTotal ? "counter" : "gauge",
      isTotal ? `${help}; back to 0 after a reset` : help,
    );
    const suffixes = values.map((value) => ({ value, more: suffix(value.labels) }));
    for (const { instance, labels } of shown) {
      for (const { value, more } of suffixes) {
        page.series(labels + more, finite(value.read(instance)));
      }
    }
  }
  page.family(
    `${PREFIX}target_resting`,
    "gauge",
    "1 for a target that is left alone after a failure while others serve",
  );
  for (const { instance, labels } of shown) {
    for (const { target, protocol } of instance.restingTargets.slice(0, MAX_RESTING)) {
      page.series(labels + suffix({ target, protocol }), 1);
    }
  }
  writePeerMetrics(page, shown);
  for (const name of LATENCY_NAMES) {
    const { metric, help } = LATENCIES[name];
    page.family(PREFIX + metric, "histogram", help);
    for (const { instance, labels } of shown) {
      const histogram = latencies.get(instance.id)?.[name];
      // An end that never dials, waits or shakes hands has no series for it.
      if (histogram?.counts.some((count) => count > 0) === true) page.histogram(labels, histogram);
    }
  }
}

function suffix(labels: Labels): string {
  const text = formatLabels(labels);
  return text === "" ? "" : `,${text}`;
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}
