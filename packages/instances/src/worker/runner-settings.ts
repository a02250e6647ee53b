import type { TunnelWays } from "@nodepass/tunnel-core";
import { DEFAULT_ENVIRONMENT, type EnvironmentSettings } from "@nodepass/url-config";

/** What a worker is started with. */
export interface RunnerSettings {
  readonly limits: EnvironmentSettings;
  readonly counterIntervalMs: number;
  readonly ways?: TunnelWays | undefined;
}

/**
 * Checks `workerData`.
 *
 * @throws {TypeError} if it is not what a worker is started with
 */
export function readRunnerSettings(value: unknown): RunnerSettings {
  if (isRunnerSettings(value)) return value;
  throw new TypeError("worker data are no runner settings");
}

function isRunnerSettings(value: unknown): value is RunnerSettings {
  if (typeof value !== "object" || value === null) return false;
  if (!("limits" in value && "counterIntervalMs" in value)) return false;
  const { limits, counterIntervalMs } = value;
  if (typeof limits !== "object" || limits === null || !isCount(counterIntervalMs)) return false;
  const given = new Map<string, unknown>(Object.entries(limits));
  return Object.keys(DEFAULT_ENVIRONMENT).every((name) => isCount(given.get(name)));
}

function isCount(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
