import {
  COUNTER_NAMES,
  COUNTERS,
  type CounterDefinition,
  type CounterName,
  type Instance,
} from "@nodepass/model";
import { Counter, Gauge, type Registry } from "prom-client";
import { registerPeerMetrics } from "./peer-metrics.ts";

const LABELS = ["id", "alias", "type"] as const;
const STATUSES = ["running", "stopped", "error"] as const;

const finite = (value: number): number => (Number.isFinite(value) ? value : 0);

/** One metric: the values of an instance, each with the labels that tell it from the others. */
interface InstanceMetric {
  readonly name: string;
  readonly help: string;
  readonly isTotal: boolean;
  readonly labels: readonly string[];
  readonly values: readonly {
    readonly labels: Readonly<Record<string, string>>;
    read(instance: Instance): number;
  }[];
}

const OWN: readonly InstanceMetric[] = [
  {
    name: "up",
    help: "1 while the instance is running",
    isTotal: false,
    labels: [],
    values: [{ labels: {}, read: ({ status }) => (status === "running" ? 1 : 0) }],
  },
  {
    name: "peer_connected",
    help: "1 while the instance has its peer",
    isTotal: false,
    labels: [],
    values: [{ labels: {}, read: ({ link }) => (link === "up" ? 1 : 0) }],
  },
  {
    name: "mode",
    help: "Mode as run",
    isTotal: false,
    labels: [],
    values: [{ labels: {}, read: ({ mode }) => mode }],
  },
];

/** The metrics of the model's counters; several counters may be one metric under other labels. */
function counterMetrics(): InstanceMetric[] {
  const byName = new Map<string, CounterName[]>();
  for (const name of COUNTER_NAMES) {
    const { metric } = COUNTERS[name];
    byName.set(metric, [...(byName.get(metric) ?? []), name]);
  }
  return [...byName].map(([metric, names]) => {
    const definitions = names.map((name): CounterDefinition => COUNTERS[name]);
    return {
      name: metric,
      help: definitions[0]?.metricHelp ?? definitions[0]?.help ?? metric,
      isTotal: definitions[0]?.kind === "total",
      labels: Object.keys(definitions[0]?.metricLabels ?? {}),
      values: names.map((name) => {
        const { metricLabels = {}, metricScale = 1 }: CounterDefinition = COUNTERS[name];
        return { labels: metricLabels, read: (instance) => instance[name] * metricScale };
      }),
    };
  });
}

/**
 * Metrics of every instance.
 *
 * @param list the instances at the scrape under way
 */
export function registerInstanceMetrics(registry: Registry, list: () => readonly Instance[]): void {
  registerRestingTargets(registry, list);
  registerPeerMetrics(registry, list);
  for (const { name, help, isTotal, labels, values } of [...OWN, ...counterMetrics()]) {
    const options = {
      name: `nodepass_instance_${name}`,
      help: isTotal ? `${help}; back to 0 after a reset` : help,
      labelNames: [...LABELS, ...labels],
      registers: [registry],
    };
    const each = (put: (labels: Record<string, string>, value: number) => void): void => {
      for (const instance of list()) {
        const { id, alias, type } = instance;
        for (const value of values) {
          put({ id, alias, type, ...value.labels }, finite(value.read(instance)));
        }
      }
    };
    if (isTotal) {
      new Counter({
        ...options,
        collect() {
          this.reset();
          each((at, value) => this.inc(at, Math.max(0, value)));
        },
      });
    } else {
      new Gauge({
        ...options,
        collect() {
          this.reset();
          each((at, value) => this.set(at, value));
        },
      });
    }
  }
  new Gauge({
    name: "nodepass_instances",
    help: "Instances by status",
    labelNames: ["status"],
    registers: [registry],
    collect() {
      const instances = list();
      for (const status of STATUSES) {
        this.set({ status }, instances.filter((instance) => instance.status === status).length);
      }
    },
  });
}

/** A series for each target that rests, gone when it serves again. */
function registerRestingTargets(registry: Registry, list: () => readonly Instance[]): void {
  new Gauge({
    name: "nodepass_instance_target_resting",
    help: "1 for a target that is left alone after a failure while others serve",
    labelNames: [...LABELS, "target", "protocol"],
    registers: [registry],
    collect() {
      this.reset();
      for (const { id, alias, type, restingTargets } of list()) {
        for (const { target, protocol } of restingTargets) {
          this.set({ id, alias, type, target, protocol }, 1);
        }
      }
    },
  });
}
