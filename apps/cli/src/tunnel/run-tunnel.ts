import type { Tunnel } from "@nodepass/tunnel-core";
import {
  type ClientSettings,
  type EnvironmentResult,
  format,
  redact,
  type ServerSettings,
} from "@nodepass/url-config";
import type { CliContext } from "../context.ts";
import { CliError } from "../exit-code.ts";
import { openMetrics } from "../metrics/open-metrics.ts";
import { createConsoleLogger } from "../output/console-logger.ts";
import type { LogFormat } from "../output/log-format.ts";
import { untilAborted } from "../stop-requests.ts";
import { readVersion } from "../version.ts";
import { logTunnel } from "./log-tunnel.ts";

/** What to run and how to tell about it. */
export interface RunTunnelOptions {
  readonly settings: ServerSettings | ClientSettings;
  readonly environment: EnvironmentResult;
  readonly logFormat: LogFormat;
  /** Where to serve metrics, over `NP_METRICS`. */
  readonly metrics?: string | undefined;
}

/**
 * Runs one end of a tunnel until it is asked to stop, then lets running connections finish for
 * `NP_SHUTDOWN_TIMEOUT`.
 *
 * @throws {TunnelError} if it cannot start, as when its port is in use
 * @throws {CliError} if a second signal cut it, or it ended by itself
 */
export async function runTunnel(context: CliContext, options: RunTunnelOptions): Promise<void> {
  const { settings, environment, logFormat } = options;
  const logger = await createConsoleLogger(context, { level: settings.log, format: logFormat });
  const { findCarriers, openTunnel } = await import("@nodepass/tunnel-core");
  const stop = context.watchStop();

  logger.info({ version: readVersion(), url: redact(format(settings)) }, "nodepass starting");
  for (const { message } of environment.warnings) logger.warn({ problem: message }, "environment");
  const tunnels: [string, Tunnel][] = [];
  const closeMetrics = await openMetrics({
    address: options.metrics,
    environment: context.environment,
    tunnels: () => tunnels,
    logger,
  });
  try {
    const tunnel = await openTunnel(settings, {
      limits: environment.settings,
      carriers: findCarriers(import.meta.url),
      proxyEnvironment: context.environment,
      signal: stop.now,
      onCreate: (created) => {
        logTunnel(created, logger);
        // One without a mode may be made twice; the last one it is.
        tunnels[0] = ["tunnel", created];
      },
    });

    const reason = await Promise.race([
      stop.requested,
      untilClosed(tunnel),
      untilAborted(stop.now),
    ]);
    logger.info({ reason }, "stopping");
    await Promise.race([tunnel.close(), untilAborted(stop.now)]);
    stop.now.throwIfAborted();
  } finally {
    await closeMetrics();
  }
  logger.info({}, "stopped");
}

/** Rejects when the tunnel ends without being asked to. */
function untilClosed(tunnel: Tunnel): Promise<never> {
  return new Promise((_resolve, reject) => {
    tunnel.on("state", (state, reason) => {
      if (state === "closed") reject(new CliError(reason ?? "the tunnel closed"));
    });
  });
}
