import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { KEY_SECURITY } from "@nodepass/master-api";
import {
  formatLabels,
  METRICS_CONTENT_TYPE,
  MetricsPage,
  type ProcessMonitor,
  writeProcessMetrics,
} from "@nodepass/metrics";
import { ALARMS, type FleetInfo, type FleetMaster, MASTER_STATUSES } from "@nodepass/model/fleet";
import { callerOf } from "../access/require-token.ts";
import { answers } from "../answers.ts";
import type { HubRouteParts } from "./parts.ts";

/** A figure of this hub's own, beside those that its HTTP side knows. */
export interface HubFigure {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** What a scrape is told beside what the fleet knows. */
export interface HubMetricsParts {
  readonly process: Pick<ProcessMonitor, "figures">;
  /** Streams through the gateway that are open. */
  readonly streams: () => number;
  /** Those of one name beside each other. */
  readonly figures: () => readonly HubFigure[];
}

type Series = readonly [labels: Readonly<Record<string, string>>, value: number];
type Family = readonly [
  name: string,
  type: "counter" | "gauge",
  help: string,
  read: (master: FleetMaster, now: number) => readonly Series[],
];

const alone = (value: number): readonly Series[] => [[{}, value]];

/** Thirteen series a master, none for an instance: two thousand masters are a page of 2 MB. */
const FAMILIES: readonly Family[] = [
  [
    "up",
    "gauge",
    "1: heard of within three heartbeats",
    (m) => alone(Number(m.status === "online")),
  ],
  [
    "silent_seconds",
    "gauge",
    "Time since its last word",
    (m, now) =>
      m.lastSeen === null ? [] : alone(Math.max(0, now - Date.parse(m.lastSeen)) / 1000),
  ],
  [
    "instances",
    "gauge",
    "Its instances by status",
    ({ instances }) => Object.entries(instances).map(([status, count]) => [{ status }, count]),
  ],
  ["parts", "gauge", "Parts of services that it owns", (m) => alone(m.parts)],
  ["drift", "gauge", "Parts that do not run as their service says", (m) => alone(m.drift)],
  [
    "bytes_total",
    "counter",
    "Bytes that its tunnels carried",
    ({ traffic }) => [
      [{ protocol: "tcp", direction: "rx" }, traffic.tcprx],
      [{ protocol: "tcp", direction: "tx" }, traffic.tcptx],
      [{ protocol: "udp", direction: "rx" }, traffic.udprx],
      [{ protocol: "udp", direction: "tx" }, traffic.udptx],
    ],
  ],
  ["cpu_percent", "gauge", "CPU of its machine", (m) => (m.cpu < 0 ? [] : alone(m.cpu))],
  ["memory_bytes", "gauge", "Resident set of its process", (m) => alone(m.memory)],
];

function writeMasters(page: MetricsPage, masters: readonly FleetMaster[], now: number): void {
  for (const [name, type, help, read] of FAMILIES) {
    page.family(`nodepass_fleet_master_${name}`, type, help);
    for (const master of masters) {
      const { mid, name: shown } = master;
      for (const [labels, value] of read(master, now)) {
        page.series(formatLabels({ mid, master: shown, ...labels }), value);
      }
    }
  }
}

function writeFleet(page: MetricsPage, info: FleetInfo, masters: readonly FleetMaster[]): void {
  page.family("nodepass_fleet_masters", "gauge", "Masters by status");
  for (const status of MASTER_STATUSES) {
    const count = masters.filter((master) => master.status === status).length;
    page.series(formatLabels({ status }), count);
  }
  page.family("nodepass_fleet_services", "gauge", "Services");
  page.series("", info.services);
  page.family("nodepass_fleet_alarm", "gauge", "1: raised");
  for (const alarm of ALARMS) {
    const isRaised = info.alarms.some((one) => one.alarm === alarm);
    page.series(formatLabels({ alarm }), Number(isRaised));
  }
  page.family("nodepass_hub_leading", "gauge", "1: this hub leads");
  page.series(formatLabels({ hub: info.hub }), Number(info.leader === info.hub));
  page.family("nodepass_hub_engine_connected", "gauge", "1: this hub has its engine");
  page.series(formatLabels({ hub: info.hub }), Number(info.engine.connected));
}

/** `/fleet/metrics`: what is known from heartbeats at the moment of a scrape. */
export function registerFleetMetricsRoute(
  app: OpenAPIHono,
  parts: HubRouteParts,
  own: HubMetricsParts,
): void {
  const { fleet, requireToken, clock } = parts;
  app.openapi(
    createRoute({
      method: "get",
      path: "/fleet/metrics",
      operationId: "getFleetMetrics",
      summary: "Metrics of the masters and of this hub, in the Prometheus text format",
      tags: ["fleet"],
      security: KEY_SECURITY,
      middleware: [requireToken.role("viewer")] as const,
      responses: {
        200: { description: "The values now", content: { "text/plain": { schema: z.string() } } },
        ...answers.token,
      },
    }),
    (c) => {
      const caller = callerOf(c);
      const masters = fleet.masters(caller);
      const info = fleet.info(caller);
      const page = new MetricsPage();
      writeMasters(page, masters, clock.now());
      writeFleet(page, info, masters);
      page.family("nodepass_hub_streams", "gauge", "Streams through the gateway that are open");
      page.series("", own.streams());
      page.family("nodepass_hub_event_readers", "gauge", "Open streams of the fleet's events");
      page.series("", parts.streams.readers);
      let before = "";
      for (const { name, type, help, value, labels } of own.figures()) {
        if (name !== before) page.family(name, type, help);
        before = name;
        page.series(labels === undefined ? "" : formatLabels(labels), value);
      }
      writeProcessMetrics(
        page,
        { ...own.process.figures(), workers: 0, workerRestarts: 0 },
        info.version,
      );
      return c.text(page.toString(), 200, { "Content-Type": METRICS_CONTENT_TYPE });
    },
  );
}
