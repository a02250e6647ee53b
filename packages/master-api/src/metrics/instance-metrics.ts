import { Counter, Gauge, type Registry } from "prom-client";
import type { Instance, MasterService } from "../service.ts";

const LABELS = ["id", "alias", "type"] as const;
const STATUSES = ["running", "stopped", "error"] as const;

type Read = (instance: Instance) => number;

const GAUGES: readonly (readonly [name: string, help: string, read: Read])[] = [
  ["up", "1 while the instance is running", (i) => (i.status === "running" ? 1 : 0)],
  ["mode", "Mode as run", (i) => i.mode],
  ["ping_seconds", "Round trip to the peer", (i) => i.ping / 1000],
  ["pool_connections", "Ready pool connections", (i) => i.pool],
  ["tcp_connections", "TCP connections now", (i) => i.tcps],
  ["udp_sessions", "UDP sessions now", (i) => i.udps],
];

const COUNTERS: readonly (readonly [name: string, help: string, read: Read])[] = [
  ["tcp_received_bytes_total", "TCP bytes received", (i) => i.tcprx],
  ["tcp_sent_bytes_total", "TCP bytes sent", (i) => i.tcptx],
  ["udp_received_bytes_total", "UDP bytes received", (i) => i.udprx],
  ["udp_sent_bytes_total", "UDP bytes sent", (i) => i.udptx],
];

const finite = (value: number): number => (Number.isFinite(value) ? value : 0);

/** Metrics of every instance, read from the service at each scrape. */
export function registerInstanceMetrics(registry: Registry, service: MasterService): void {
  for (const [name, help, read] of GAUGES) {
    new Gauge({
      name: `nodepass_instance_${name}`,
      help,
      labelNames: LABELS,
      registers: [registry],
      collect() {
        this.reset();
        for (const instance of service.list()) {
          const { id, alias, type } = instance;
          this.set({ id, alias, type }, finite(read(instance)));
        }
      },
    });
  }
  for (const [name, help, read] of COUNTERS) {
    new Counter({
      name: `nodepass_instance_${name}`,
      help: `${help}; back to 0 after a reset`,
      labelNames: LABELS,
      registers: [registry],
      collect() {
        this.reset();
        for (const instance of service.list()) {
          const { id, alias, type } = instance;
          this.inc({ id, alias, type }, Math.max(0, finite(read(instance))));
        }
      },
    });
  }
  new Gauge({
    name: "nodepass_instances",
    help: "Instances by status",
    labelNames: ["status"],
    registers: [registry],
    collect() {
      const instances = service.list();
      for (const status of STATUSES) {
        this.set({ status }, instances.filter((instance) => instance.status === status).length);
      }
    },
  });
}
