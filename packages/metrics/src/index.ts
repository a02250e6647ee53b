export {
  DEFAULT_MAX_INSTANCES,
  type InstanceFigures,
  type InstanceMetricsOptions,
  writeInstanceMetrics,
} from "./instance-metrics.ts";
export { formatLabels, type Labels, METRICS_CONTENT_TYPE, MetricsPage } from "./metrics-page.ts";
export { writeProcessMetrics } from "./process-metrics.ts";
export { createProcessMonitor, type ProcessMonitor } from "./process-monitor.ts";
export {
  type MetricsServer,
  type MetricsServerOptions,
  serveMetrics,
} from "./server/metrics-server.ts";
export { type ShownTunnel, tunnelFigures } from "./tunnel-figures.ts";
