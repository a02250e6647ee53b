import { homedir } from "node:os";
import { cwd } from "node:process";
import type { Logger } from "@nodepass/logging";
import type { RunMasterOptions, RunningMaster } from "@nodepass/master-server";
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
}

/**
 * Runs a master until it is asked to stop.
 *
 * @throws {MasterServerError} if it cannot start
 * @throws {CliError} if a second signal cut it
 */
export async function runMasterCommand(
  context: CliContext,
  { settings, logFormat }: RunMasterCommandOptions,
): Promise<void> {
  const { readMasterEnvironment, startLines } = await import("@nodepass/master-server");
  const { showKey } = readMasterEnvironment(context.environment, homedir());
  const renewCommand = `${commandName(context.environment)} key renew --local`;
  const logger = await createConsoleLogger(context, { level: settings.log, format: logFormat });
  const stop = context.watchStop();
  const master = await startMaster(context, { settings, logger, signal: stop.now });
  // On standard error where standard output is for programs, and at every level: dashboards are
  // set up with these lines, and the key is shown only once.
  const output = logFormat === "json" ? context.stderr : context.stdout;
  for (const line of startLines(master, { showKey, renewCommand })) {
    output.write(`${line}\n`);
  }
  await serveUntilStopped(master, { stop, logger });
}

/** What {@link startMaster} needs beyond the environment. */
export interface StartMasterOptions extends Pick<RunMasterOptions, "settings" | "signal"> {
  readonly logger: Logger;
  /** Where its state is. @default as the environment says */
  readonly stateDirectory?: string | undefined;
}

/** Starts a master with what the environment says about it. */
export async function startMaster(
  context: CliContext,
  { settings, signal, logger, stateDirectory }: StartMasterOptions,
): Promise<RunningMaster> {
  const { findCarriers, goStateFiles, proxyVariables, readMasterEnvironment, runMaster } =
    await import("@nodepass/master-server");
  const environment = readMasterEnvironment(context.environment, homedir());
  for (const { message } of environment.warnings) logger.warn({ problem: message }, "environment");
  return runMaster({
    settings,
    stateDirectory: stateDirectory ?? environment.stateDirectory,
    // A state of one's own, as the demonstration's, is not where anybody moves in.
    goStateFiles: stateDirectory === undefined ? goStateFiles(context.program, cwd()) : [],
    environment: environment.settings,
    workers: environment.workers,
    ways: {
      carriers: findCarriers(import.meta.url),
      proxyEnvironment: proxyVariables(context.environment),
    },
    keys: environment.keys,
    logger,
    version: readVersion(),
    signal,
  });
}

/** Waits for a request to stop, then closes the master within `NP_SHUTDOWN_TIMEOUT`. */
export async function serveUntilStopped(
  master: RunningMaster,
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
