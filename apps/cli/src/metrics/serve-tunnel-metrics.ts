import type { Logger } from "@nodepass/logging";
import {
  createProcessMonitor,
  MetricsPage,
  serveMetrics,
  tunnelFigures,
  writeInstanceMetrics,
  writeProcessMetrics,
} from "@nodepass/metrics";
import { systemErrorMeaning, type Tunnel } from "@nodepass/tunnel-core";
import { formatHostPort, type HostPort, isLoopback } from "@nodepass/url-config";
import { CliError } from "../exit-code.ts";
import { readVersion } from "../version.ts";

/**
 * Serves the metrics of tunnels that no master runs, as a master's `/metrics` has them.
 *
 * @returns closes the server
 * @throws {CliError} if the address cannot be had
 */
export async function serveTunnelMetrics(
  at: HostPort,
  tunnels: () => Iterable<readonly [name: string, tunnel: Tunnel]>,
  logger: Logger,
): Promise<() => Promise<void>> {
  const monitor = createProcessMonitor();
  const version = readVersion();
  const page = (): string => {
    const named = [...tunnels()];
    const text = new MetricsPage();
    writeInstanceMetrics(
      text,
      named.map(([name, tunnel]) => tunnelFigures(name, tunnel)),
      new Map(named.map(([name, tunnel]) => [name, tunnel.latencies()])),
    );
    writeProcessMetrics(text, monitor.figures(), version);
    return text.toString();
  };
  try {
    const server = await serveMetrics({
      ...at,
      page,
      onError: (error) => logger.error({ error: String(error) }, "metrics failed"),
    });
    const url = metricsUrl(server.address);
    logger.info({ url }, "metrics served");
    if (!isLoopback(server.address.host)) {
      logger.warn({ url }, "metrics are served to other machines, without a key");
    }
    return async () => {
      monitor.close();
      await server.close();
    };
  } catch (error) {
    monitor.close();
    const reason = systemErrorMeaning(error) ?? (error instanceof Error ? error.message : "");
    throw new CliError(`cannot serve metrics at ${metricsUrl(at)}: ${reason}`, { cause: error });
  }
}

/** An address as the URL that a scraper is given. */
function metricsUrl(address: HostPort): string {
  return `http://${formatHostPort(address)}/metrics`;
}
