import { availableParallelism } from "node:os";
import {
  type LogFields,
  type Logger,
  type LogLineLevel,
  ServiceError,
  SILENT_LOGGER,
} from "@nodepass/model";
import type { HistoryFiles, MasterState, StateStore } from "@nodepass/store";
import type { TunnelWays } from "@nodepass/tunnel-core";
import {
  DEFAULT_ENVIRONMENT,
  type EnvironmentSettings,
  type ParseDefaults,
} from "@nodepass/url-config";

/** One line of an instance's log before it is text. */
export interface InstanceLogEntry {
  readonly time: Date;
  readonly level: LogLineLevel;
  /** Fixed lower-case text. */
  readonly message: string;
  readonly fields: LogFields;
}

/** What an instance manager is made of. */
export interface InstanceManagerOptions {
  /** Where the state is saved. The caller closes it, after the manager. */
  readonly store: Pick<StateStore, "save" | "saveSoon">;
  /** What `openStore` loaded; the manager owns and changes it from now on. */
  readonly state: MasterState;
  /** Writes the text of a `log` event. */
  readonly formatLog: (entry: InstanceLogEntry) => string;
  /**
   * Worker threads at most, 0 to 256; one is started when the first instance needs it. 0 runs the
   * tunnels in this thread. @default availableParallelism()
   */
  readonly workers?: number | undefined;
  /** Heap of one worker, MiB, 16 to 65 536; one that needs more crashes alone. @default 1024 */
  readonly workerHeapMiB?: number | undefined;
  /** Limits and intervals of the tunnels, report interval and graceful stop. @default DEFAULT_ENVIRONMENT */
  readonly environment?: EnvironmentSettings | undefined;
  /** Carriers that are packages of their own, and the variables of `via=env`. @default {} */
  readonly ways?: TunnelWays | undefined;
  /** The master's own `log`, and for servers `tls`, `crt`, `keyFile`, where a URL lacks them. @default {} */
  readonly masterDefaults?: ParseDefaults | undefined;
  /** Instances at most, 1 to 1 000 000. @default 10000 */
  readonly maxInstances?: number | undefined;
  /** Operations that wait for one instance at most, 1 to 10 000. @default 64 */
  readonly maxPendingOperations?: number | undefined;
  /** How long a restart shows `stopped`, ms, 0 to 60 000. @default 300 */
  readonly restartPauseMs?: number | undefined;
  /**
   * How long counters of a tunnel may be behind, ms, 10 to 60 000. With the store's
   * `counterIntervalMs` this is what kill -9 can lose. @default 250
   */
  readonly counterIntervalMs?: number | undefined;
  /** How long a worker must have lived for the next crash to wait only 1 s, ms, 0 to 86 400 000. @default 60000 */
  readonly workerStableMs?: number | undefined;
  /** Where histories outlive the process. @default nowhere */
  readonly history?: HistoryFiles | undefined;
  /** Wall clock, ms since 1970, for creation times and the manager's own log lines. @default Date.now */
  readonly now?: (() => number) | undefined;
  /** Where it tells what it does, instances' lines included, with `instance`. @default silent */
  readonly logger?: Logger | undefined;
}

/** {@link InstanceManagerOptions} with every default filled in. */
export type ResolvedManagerOptions = {
  readonly [Name in Exclude<keyof InstanceManagerOptions, "history">]-?: Exclude<
    InstanceManagerOptions[Name],
    undefined
  >;
} & Pick<InstanceManagerOptions, "history">;

/** What `createInstanceManager` takes where a number is absent, but for `workers`. */
export const DEFAULT_MANAGER_LIMITS = {
  workerHeapMiB: 1024,
  maxInstances: 10_000,
  maxPendingOperations: 64,
  restartPauseMs: 300,
  counterIntervalMs: 250,
  workerStableMs: 60_000,
} as const;

/** Lowest and highest. */
const RANGES = {
  workers: [0, 256],
  workerHeapMiB: [16, 65_536],
  maxInstances: [1, 1_000_000],
  maxPendingOperations: [1, 10_000],
  restartPauseMs: [0, 60_000],
  counterIntervalMs: [10, 60_000],
  workerStableMs: [0, 86_400_000],
} as const;

/**
 * Fills in defaults and checks the ranges.
 *
 * @throws {ServiceError} `INVALID_OPTIONS`, naming the option, its value and its limits
 */
export function resolveManagerOptions(options: InstanceManagerOptions): ResolvedManagerOptions {
  const defaults = { ...DEFAULT_MANAGER_LIMITS, workers: availableParallelism() };
  const pick = (name: keyof typeof RANGES): number => {
    const value = options[name] ?? defaults[name];
    const [lowest, highest] = RANGES[name];
    if (Number.isInteger(value) && value >= lowest && value <= highest) return value;
    const range = `must be an integer from ${lowest} to ${highest}`;
    throw new ServiceError("INVALID_OPTIONS", `${name} is ${value}, ${range}`);
  };
  return {
    store: options.store,
    state: options.state,
    history: options.history,
    formatLog: options.formatLog,
    environment: options.environment ?? DEFAULT_ENVIRONMENT,
    masterDefaults: options.masterDefaults ?? {},
    ways: options.ways ?? {},
    now: options.now ?? Date.now,
    logger: options.logger ?? SILENT_LOGGER,
    workers: pick("workers"),
    workerHeapMiB: pick("workerHeapMiB"),
    maxInstances: pick("maxInstances"),
    maxPendingOperations: pick("maxPendingOperations"),
    restartPauseMs: pick("restartPauseMs"),
    counterIntervalMs: pick("counterIntervalMs"),
    workerStableMs: pick("workerStableMs"),
  };
}
