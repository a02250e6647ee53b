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
import type { LogFormat } from "./arguments.ts";
import { type SignalSource, watchStopSignals } from "./stop-signals.ts";

/** What `serve` needs of the process. */
export interface ServeOptions {
  readonly url: string;
  readonly logFormat: LogFormat;
  readonly importFile: string | undefined;
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
  const { stdout, variables } = options;
  const settings = parseMasterUrl(options.url);
  const environment = readMasterEnvironment(variables, options.home);
  const logger = createLogger({
    level: settings.log,
    format: options.logFormat,
    colour: stdout.isTTY === true && (variables.NO_COLOR ?? "") === "",
    write: (line) => stdout.write(line),
  });
  const stop = watchStopSignals(options.signals);
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
      ways: {
        carriers: findCarriers(import.meta.url),
        proxyEnvironment: proxyVariables(variables),
      },
      keys: environment.keys,
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
  output.write(`${startLines(master, environment).join("\n")}\n`);

  logger.info({ reason: await stop.first }, "master stopping");
  const cut = await Promise.race([master.close(), stop.second]);
  if (cut !== undefined) {
    master.destroy();
    return cut;
  }
  logger.info({}, "master stopped");
  return 0;
}
