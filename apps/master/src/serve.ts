import { type ConfigFollower, followConfig, loadConfig, logFaults } from "@nodepass/config-file";
import { dashboardFolder } from "@nodepass/dashboard";
import { createLogger } from "@nodepass/logging";
import {
  findCarriers,
  proxyVariables,
  type RunningMaster,
  readMasterEnvironment,
  runMaster,
  startLines,
  type Variables,
} from "@nodepass/master-server";
import { parseMasterUrl } from "@nodepass/url-config";
import { chooseUrl, type LogFormat } from "./arguments.ts";
import { type FleetRequest, findFleet } from "./fleet.ts";
import { type SignalSource, watchStopSignals } from "./stop-signals.ts";

/** What `serve` needs of the process. */
export interface ServeOptions {
  /** Wins over the files'. @default theirs, else `NP_MASTER_URL`, else `defaultUrl` */
  readonly url: string | undefined;
  /** Files and folders that say what shall run; absolute. */
  readonly configFiles: readonly string[];
  readonly logFormat: LogFormat;
  readonly importFile: string | undefined;
  readonly fleet: FleetRequest;
  /** Where a state of the Go program may lie. */
  readonly goStateFiles: readonly string[];
  readonly variables: Variables;
  readonly home: string;
  readonly version: string;
  readonly stdout: { readonly isTTY?: boolean | undefined; write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly signals: SignalSource;
}

/**
 * Runs a master until it is asked to stop.
 *
 * @returns the exit code
 * @throws whatever keeps it from starting, or its state from being saved at the end
 */
export async function serve(options: ServeOptions): Promise<number> {
  const { stdout, variables, configFiles } = options;
  const config =
    configFiles.length === 0 ? undefined : loadConfig(configFiles, { environment: variables });
  const described = config?.master;
  const settings = parseMasterUrl(chooseUrl(options.url, described?.url, variables.NP_MASTER_URL));
  const environment = readMasterEnvironment(variables, options.home);
  const logger = createLogger({
    level: settings.log,
    format: options.logFormat,
    colour: stdout.isTTY === true && (variables.NO_COLOR ?? "") === "",
    write: (line) => stdout.write(line),
  });
  let follower: ConfigFollower | undefined;
  const stop = watchStopSignals(
    options.signals,
    config === undefined ? undefined : () => follower?.reload(),
  );
  for (const { message } of environment.warnings) logger.warn({ problem: message }, "environment");

  let master: RunningMaster;
  try {
    master = await runMaster({
      settings,
      environment: environment.settings,
      stateDirectory: environment.stateDirectory,
      importFile: options.importFile,
      goStateFiles: options.goStateFiles,
      workers: environment.workers,
      mcpOrigins: environment.mcpOrigins,
      metricsInstances: environment.metricsInstances,
      ways: {
        carriers: findCarriers(import.meta.url),
        proxyEnvironment: proxyVariables(variables),
      },
      keys: {
        ...environment.keys,
        ...(described?.apiKey !== undefined && { apiKey: described.apiKey }),
        ...(described?.readKey !== undefined && { readKey: described.readKey }),
      },
      dashboard: dashboardFolder,
      extension: await findFleet(environment.stateDirectory, options.fleet, variables),
      version: options.version,
      logger,
      signal: stop.signal,
    });
  } catch (error) {
    if (stop.signal.aborted && error === stop.signal.reason) return 0;
    throw error;
  }
  // Not through the logger: these are wanted at every level, and dashboards read them as they are.
  // Where standard output is for programs, they go elsewhere.
  const output = options.logFormat === "json" ? options.stderr : stdout;
  const signInLink = output === stdout && stdout.isTTY === true;
  output.write(`${startLines(master, { ...environment, signInLink }).join("\n")}\n`);

  const follow = async (): Promise<void> => {
    if (config === undefined) return;
    await master.started;
    const isComplete = await master.become(config.tunnels);
    if (stop.signal.aborted) return;
    follower = followConfig({
      paths: configFiles,
      environment: variables,
      last: config,
      isComplete,
      become(now) {
        if (now.master?.url !== described?.url) {
          logger.warn({}, "master changed in the file: that needs a restart");
        }
        return master.become(now.tunnels);
      },
      ...logFaults(logger),
    });
  };
  follow().catch((error: unknown) => {
    logger.error({ reason: String(error) }, "files not in force");
  });

  logger.info({ reason: await stop.first }, "master stopping");
  void follower?.close();
  const cut = await Promise.race([master.close(), stop.second]);
  if (cut !== undefined) {
    master.destroy();
    return cut;
  }
  logger.info({}, "master stopped");
  return 0;
}
