import type { InstanceManager } from "./instance-manager.ts";
import { InstanceService, type InstanceServiceParts } from "./instance-service.ts";
import { localThreads } from "./local-thread.ts";
import { type InstanceManagerOptions, resolveManagerOptions } from "./manager-options.ts";
import { workerThreads } from "./worker-thread.ts";

/**
 * Makes the manager of a state's instances; none runs until `start()`.
 *
 * @throws {InstanceError} `INVALID_OPTIONS`
 */
export function createInstanceManager(options: InstanceManagerOptions): InstanceManager {
  const resolved = resolveManagerOptions(options);
  const settings = {
    limits: resolved.environment,
    counterIntervalMs: resolved.counterIntervalMs,
    ways: resolved.ways,
  };
  const startThread =
    resolved.workers === 0
      ? localThreads(settings)
      : workerThreads({ settings, heapMiB: resolved.workerHeapMiB });
  return new InstanceService(resolved, { startThread });
}

/** {@link createInstanceManager} over other threads, for tests. */
export function createInstanceManagerWith(
  options: InstanceManagerOptions,
  parts: InstanceServiceParts,
): InstanceManager {
  return new InstanceService(resolveManagerOptions(options), parts);
}
