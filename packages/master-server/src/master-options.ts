import type { InstanceManagerOptions } from "@nodepass/instances";
import type { Logger } from "@nodepass/logging";
import {
  DEFAULT_ENVIRONMENT,
  type EnvironmentSettings,
  type MasterSettings,
} from "@nodepass/url-config";
import type { MasterExtension } from "./extension.ts";
import type { KeyOptions } from "./given-keys.ts";
import {
  resolveServerLimits,
  type ServerLimitOptions,
  type ServerLimits,
} from "./http/server-limits.ts";
import { MasterServerError } from "./master-server-error.ts";

/** What a master is made of. */
export interface RunMasterOptions {
  /** What its URL says. */
  readonly settings: MasterSettings;
  /** Where its state lies; made if it does not exist. */
  readonly stateDirectory: string;
  /** A state of the Go program (`nodepass.gob`) to begin with; an error where a state is already. */
  readonly importFile?: string | undefined;
  /** Where such a state is looked for where there is none yet, see `goStateFiles`. @default [] */
  readonly goStateFiles?: readonly string[] | undefined;
  /** The `NP_*` variables. @default DEFAULT_ENVIRONMENT */
  readonly environment?: EnvironmentSettings | undefined;
  /**
   * Worker threads that run the tunnels, at most; 0 runs them in this thread.
   * @default availableParallelism()
   */
  readonly workers?: number | undefined;
  /** Instances with series of their own in `/metrics`. @default 1000 */
  readonly metricsInstances?: number | undefined;
  /** Carriers that are packages of their own, and the variables of `via=env`. @default {} */
  readonly ways?: InstanceManagerOptions["ways"];
  /** Where it tells what it does, its instances' lines included. @default silent */
  readonly logger?: Logger | undefined;
  /** Of the program, for `/info`, `/metrics` and the document. @default "0.0.0" */
  readonly version?: string | undefined;
  /** Keys from outside in place of those of the state. @default {} */
  readonly keys?: KeyOptions | undefined;
  /** What clients may take of the HTTP server. */
  readonly limits?: ServerLimitOptions | undefined;
  /** Folder of a built dashboard; none is served with `ui=0` in the settings. @default none */
  readonly dashboard?: string | URL | undefined;
  /**
   * Host names of pages whose scripts may speak MCP to this master, beside those of its machine; `*` is
   * any. @default []
   */
  readonly mcpOrigins?: readonly string[] | undefined;
  /** What runs beside it in this process, such as the member's side of a fleet. @default nothing */
  readonly extension?: MasterExtension | undefined;
  /** Gives up starting. */
  readonly signal?: AbortSignal | undefined;
}

/** {@link RunMasterOptions} with every default filled in. */
export interface ResolvedMasterOptions {
  readonly settings: MasterSettings;
  readonly stateDirectory: string;
  readonly importFile: string | undefined;
  readonly goStateFiles: readonly string[];
  readonly environment: EnvironmentSettings;
  readonly workers: number | undefined;
  readonly metricsInstances: number | undefined;
  readonly ways: InstanceManagerOptions["ways"];
  readonly logger: Logger;
  readonly version: string;
  readonly keys: KeyOptions;
  readonly limits: ServerLimits;
  readonly dashboard: string | URL | undefined;
  readonly mcpOrigins: readonly string[];
  readonly extension: MasterExtension | undefined;
  readonly signal: AbortSignal | undefined;
}

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  record: () => undefined,
  checkPoint: () => undefined,
  isEnabled: () => false,
};

/** Fills in the defaults. @throws {MasterServerError} `INVALID_OPTIONS`, naming the option */
export function resolveMasterOptions(options: RunMasterOptions): ResolvedMasterOptions {
  if (options.stateDirectory === "") {
    throw new MasterServerError("INVALID_OPTIONS", "stateDirectory is empty");
  }
  return {
    settings: options.settings,
    stateDirectory: options.stateDirectory,
    importFile: options.importFile,
    goStateFiles: options.goStateFiles ?? [],
    environment: options.environment ?? DEFAULT_ENVIRONMENT,
    workers: options.workers,
    metricsInstances: options.metricsInstances,
    ways: options.ways,
    logger: options.logger ?? silent,
    version: options.version ?? "0.0.0",
    keys: options.keys ?? {},
    limits: resolveServerLimits(options.limits ?? {}),
    dashboard: options.settings.ui ? options.dashboard : undefined,
    mcpOrigins: options.mcpOrigins ?? [],
    extension: options.extension,
    signal: options.signal,
  };
}
