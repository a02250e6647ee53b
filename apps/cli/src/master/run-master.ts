import { homedir } from "node:os";
import { cwd } from "node:process";
import type { ConfigFollower, ConfiguredMaster, LoadedConfig } from "@nodepass/config-file";
import type { Logger } from "@nodepass/logging";
import type { KeyOptions, RunMasterOptions, RunningMaster } from "@nodepass/master-server";
import type { MasterSettings } from "@nodepass/url-config";
import type { CliContext, StopRequests } from "../context.ts";
import { commandName } from "../output/command-name.ts";
import { createConsoleLogger } from "../output/console-logger.ts";
import type { LogFormat } from "../output/log-format.ts";
import { untilAborted } from "../stop-requests.ts";
import { readVersion } from "../version.ts";

/** How a master is run. */
export interface RunMasterCommandOptions {
  readonly settings: MasterSettings;
  readonly logFormat: LogFormat;
  /** In place of those of the environment. */
  readonly keys?: KeyOptions | undefined;
  /** What SIGHUP does. @default a stop */
  readonly onHangup?: (() => void) | undefined;
  /** What is done beside serving. */
  onStarted?(master: RunningMaster, logger: Logger): Promise<void>;
}

/**
 * Runs a master until it is asked to stop.
 *
 * @throws {MasterServerError} if it cannot start
 * @throws {CliError} if a second signal cut it
 */
export async function runMasterCommand(
  context: CliContext,
  { settings, logFormat, keys, onHangup, onStarted }: RunMasterCommandOptions,
): Promise<void> {
  const { readMasterEnvironment, startLines } = await import("@nodepass/master-server");
  const { showKey } = readMasterEnvironment(context.environment, homedir());
  const renewCommand = `${commandName(context.environment)} key renew --local`;
  const logger = await createConsoleLogger(context, { level: settings.log, format: logFormat });
  const stop = context.watchStop({ onHangup });
  const master = await startMaster(context, { settings, logger, keys, signal: stop.now });
  // On standard error where standard output is for programs, and at every level: dashboards are
  // set up with these lines, and the key is shown only once.
  const output = logFormat === "json" ? context.stderr : context.stdout;
  const signInLink = logFormat !== "json" && context.stdout.isTTY === true;
  for (const line of startLines(master, { showKey, renewCommand, signInLink })) {
    output.write(`${line}\n`);
  }
  onStarted?.(master, logger).catch((error: unknown) => {
    logger.error({ reason: String(error) }, "files not in force");
  });
  await serveUntilStopped(master, { stop, logger });
}

/** A master that is described in files, with its instances. */
export interface RunMasterFilesOptions {
  /** Absolute. */
  readonly paths: readonly string[];
  readonly config: LoadedConfig;
  readonly master: ConfiguredMaster;
  readonly logFormat: LogFormat;
}

/**
 * Runs the master of files until it is asked to stop, with the instances that they describe. SIGHUP
 * and a change of the files have them read again.
 *
 * @throws as {@link runMasterCommand}
 */
export async function runMasterFiles(
  context: CliContext,
  { paths, config, master: described, logFormat }: RunMasterFilesOptions,
): Promise<void> {
  const { followConfig, logFaults } = await import("@nodepass/config-file");
  let follower: ConfigFollower | undefined;
  try {
    await runMasterCommand(context, {
      settings: described.settings,
      logFormat,
      keys: { apiKey: described.apiKey, readKey: described.readKey },
      onHangup: () => follower?.reload(),
      async onStarted(master, logger) {
        await master.started;
        const isComplete = await master.become(config.tunnels);
        follower = followConfig({
          paths,
          environment: context.environment,
          last: config,
          isComplete,
          become: ({ master: now, tunnels }) => {
            if (now?.url !== described.url) {
              logger.warn({}, "master changed in the file: that needs a restart");
            }
            return master.become(tunnels);
          },
          ...logFaults(logger),
        });
      },
    });
  } finally {
    await follower?.close();
  }
}

/** What {@link startMaster} needs beyond the environment. */
export interface StartMasterOptions extends Pick<RunMasterOptions, "settings" | "signal"> {
  readonly logger: Logger;
  /** Where its state is. @default as the environment says */
  readonly stateDirectory?: string | undefined;
  /** In place of those of the environment. */
  readonly keys?: KeyOptions | undefined;
}

/** Starts a master with what the environment says about it. */
export async function startMaster(
  context: CliContext,
  { settings, signal, logger, stateDirectory, keys }: StartMasterOptions,
): Promise<RunningMaster> {
  const { findCarriers, goStateFiles, proxyVariables, readMasterEnvironment, runMaster } =
    await import("@nodepass/master-server");
  const { dashboardFolder } = await import("@nodepass/dashboard");
  const environment = readMasterEnvironment(context.environment, homedir());
  for (const { message } of environment.warnings) logger.warn({ problem: message }, "environment");
  return runMaster({
    settings,
    stateDirectory: stateDirectory ?? environment.stateDirectory,
    // A state of one's own, as the demonstration's, is not where anybody moves in.
    goStateFiles: stateDirectory === undefined ? goStateFiles(context.program, cwd()) : [],
    environment: environment.settings,
    workers: environment.workers,
    mcpOrigins: environment.mcpOrigins,
    metricsInstances: environment.metricsInstances,
    ways: {
      carriers: findCarriers(import.meta.url),
      proxyEnvironment: proxyVariables(context.environment),
    },
    keys: givenKeys(environment.keys, keys),
    logger,
    dashboard: dashboardFolder,
    version: readVersion(),
    signal,
  });
}

/** Keys of a file win over those of the environment, each of the two by itself. */
function givenKeys(environment: KeyOptions, { apiKey, readKey }: KeyOptions = {}): KeyOptions {
  return {
    ...environment,
    ...(apiKey !== undefined && { apiKey }),
    ...(readKey !== undefined && { readKey }),
  };
}

/** Waits for a request to stop, then closes what runs: a master within `NP_SHUTDOWN_TIMEOUT`. */
export async function serveUntilStopped(
  master: Pick<RunningMaster, "close" | "destroy">,
  { stop, logger }: { readonly stop: StopRequests; readonly logger: Logger },
): Promise<void> {
  const reason = await Promise.race([stop.requested, untilAborted(stop.now)]);
  logger.info({ reason }, "stopping");
  try {
    await Promise.race([master.close(), untilAborted(stop.now)]);
  } catch (error) {
    master.destroy();
    throw error;
  }
  logger.info({}, "stopped");
}
