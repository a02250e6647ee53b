import { resolve } from "node:path";
import type { ConfigFollower, LoadedConfig } from "@nodepass/config-file";
import type { Logger } from "@nodepass/logging";
import type { Tunnel } from "@nodepass/tunnel-core";
import type { EnvironmentResult } from "@nodepass/url-config";
import type { CliContext } from "../context.ts";
import { refuseMetricsOfMaster } from "../metrics/metrics-option.ts";
import { openMetrics } from "../metrics/open-metrics.ts";
import { createConsoleLogger } from "../output/console-logger.ts";
import type { LogFormat } from "../output/log-format.ts";
import { untilAborted } from "../stop-requests.ts";
import { readVersion } from "../version.ts";
import { loadFiles } from "./load-files.ts";
import { type ReloadReport, TunnelSet } from "./tunnel-set.ts";

/** What to run and how to tell about it. */
export interface RunFilesOptions {
  /** Files and folders. */
  readonly paths: readonly string[];
  readonly environment: EnvironmentResult;
  readonly logFormat: LogFormat;
  /** Where to serve metrics, over `NP_METRICS`. */
  readonly metrics?: string | undefined;
}

/**
 * Runs the tunnels of files, or the master that is in them, until it is asked to stop. SIGHUP and a change of the files or of the
 * files with keys that they name have them read again; files that are wrong change nothing.
 *
 * @throws {CliError} if the files are wrong at the start, or a second signal cut it
 * @throws {TunnelError} if no tunnel at all can start
 */
export async function runFiles(context: CliContext, options: RunFilesOptions): Promise<void> {
  const { environment, logFormat } = options;
  // Absolute: they are watched for as long as this runs.
  const paths = options.paths.map((path) => resolve(path));
  const config = await loadFiles(context, paths);
  if (config.master !== undefined) {
    refuseMetricsOfMaster(options.metrics);
    const { runMasterFiles } = await import("../master/run-master.ts");
    await runMasterFiles(context, { paths, config, master: config.master, logFormat });
    return;
  }
  const logger = await createConsoleLogger(context, { level: "info", format: logFormat });
  const { findCarriers, TunnelPorts } = await import("@nodepass/tunnel-core");
  const { followConfig, logFaults } = await import("@nodepass/config-file");
  const logTunnel = await tunnelLogs(context, logFormat);

  let follower: ConfigFollower | undefined;
  const stop = context.watchStop({ onHangup: () => follower?.reload() });
  logger.info({ version: readVersion(), files: config.files.join(", ") }, "nodepass starting");
  for (const { message } of environment.warnings) logger.warn({ problem: message }, "environment");
  const set = new TunnelSet({
    tunnelOptions: {
      limits: environment.settings,
      carriers: findCarriers(import.meta.url),
      ports: new TunnelPorts(),
      proxyEnvironment: context.environment,
      signal: stop.now,
    },
    onCreate: logTunnel,
    onEnded: (tunnel, reason) => {
      logger.error({ tunnel, reason }, "tunnel ended");
      follower?.retry();
    },
  });

  const become = async ({ tunnels }: LoadedConfig): Promise<ReloadReport> => {
    const report = await set.become(tunnels);
    tell(logger, report);
    return report;
  };
  const closeMetrics = await openMetrics({
    address: options.metrics,
    environment: context.environment,
    tunnels: () => set.tunnels(),
    logger,
  });
  const first = await become(config);
  const [failure] = first.failed;
  if (set.size === 0 && failure !== undefined) {
    await closeMetrics();
    throw failure.error;
  }

  follower = followConfig({
    paths,
    environment: context.environment,
    last: config,
    isComplete: first.failed.length === 0,
    become: async (loaded) => {
      if (loaded.master !== undefined) {
        logger.error({}, "master in the file: it needs a restart, what runs goes on");
        return true;
      }
      return (await become(loaded)).failed.length === 0;
    },
    ...logFaults(logger),
  });

  try {
    const reason = await Promise.race([stop.requested, untilAborted(stop.now)]);
    logger.info({ reason }, "stopping");
    await Promise.race([follower.close(), untilAborted(stop.now)]);
    await Promise.race([set.close(environment.settings.shutdownTimeoutMs), untilAborted(stop.now)]);
    stop.now.throwIfAborted();
  } finally {
    void follower.close();
    await closeMetrics();
  }
  logger.info({}, "stopped");
}

/** Logs what tunnels tell, each by its own level, with its name. */
async function tunnelLogs(
  context: CliContext,
  format: LogFormat,
): Promise<(name: string, tunnel: Tunnel) => void> {
  const levels = ["none", "debug", "info", "warn", "error", "event"] as const;
  const loggers = new Map<string, Logger>();
  for (const level of levels) {
    loggers.set(level, await createConsoleLogger(context, { level, format }));
  }
  return (name, tunnel) => {
    // Looked up each time: the level can change while the tunnel runs.
    const logger = (): Logger | undefined => loggers.get(tunnel.settings.log);
    tunnel.on("log", (record) => {
      logger()?.record({ ...record, fields: { ...record.fields, tunnel: name } });
    });
    tunnel.on("checkpoint", (point) => logger()?.checkPoint(point, { tunnel: name }));
  };
}

function tell(logger: Logger, report: ReloadReport): void {
  for (const { name, error } of report.failed) {
    logger.error({ tunnel: name, reason: error.message }, "tunnel could not be started or changed");
  }
  const { unchanged, inPlace, replaced, opened, closed } = report;
  logger.info(
    {
      unchanged: unchanged.length,
      inPlace: names(inPlace),
      replaced: names(replaced),
      opened: names(opened),
      closed: names(closed),
    },
    "configuration in force",
  );
}

/** Names for a line of the log, which is not to be longer than a screen. */
function names(list: readonly string[]): string | undefined {
  if (list.length === 0) return undefined;
  const shown = list.slice(0, 10).join(", ");
  return list.length > 10 ? `${shown} and ${list.length - 10} more` : shown;
}
