import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import type { Instance, InstanceEvent } from "@nodepass/model";
import { openStore } from "@nodepass/store";
import { DEFAULT_ENVIRONMENT, type EnvironmentSettings } from "@nodepass/url-config";
import { vi } from "vitest";
import type { InstanceManager } from "../../src/instance-manager.ts";
import { createInstanceManagerWith } from "../../src/local-instances.ts";
import { createMasterState } from "../../src/master-identity.ts";
import { localThreads } from "../../src/workers/local-threads.ts";
import { workerThreads } from "../../src/workers/worker-threads.ts";

/** A manager over real tunnels, threads and files. */
export interface RealMaster {
  readonly manager: InstanceManager;
  readonly directory: string;
  /** Every worker that was started, in order. */
  readonly workers: Worker[];
  readonly events: InstanceEvent[];
  /** What the manager and its instances logged. */
  readonly lines: string[];
  /** Closes the manager and the state, which stays on disk. */
  stop(): Promise<void>;
  /** That, and removes the state. */
  close(): Promise<void>;
}

export interface RealMasterOptions {
  /** @default a new one */
  readonly directory?: string | undefined;
  /** @default 2 */
  readonly workers?: number | undefined;
  readonly environment?: Partial<EnvironmentSettings> | undefined;
  /** Wall clock. @default the system's */
  readonly now?: (() => number) | undefined;
}

/** Opens the state in a directory and makes a manager of it; `start()` is the test's. */
export async function realMaster(options: RealMasterOptions = {}): Promise<RealMaster> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), "nodepass-")));
  const { store, state } = await openStore({
    directory,
    createInitial: createMasterState,
    counterIntervalMs: 100,
  });
  const count = options.workers ?? 2;
  const limits = { ...DEFAULT_ENVIRONMENT, shutdownTimeoutMs: 1000, ...options.environment };
  const settings = { limits, counterIntervalMs: 50 };
  const workers: Worker[] = [];
  const lines: string[] = [];
  const note = (fields: object, message: string): void => {
    lines.push(`${message} ${JSON.stringify(fields)}`);
  };
  const manager = createInstanceManagerWith(
    {
      store,
      state,
      workers: count,
      environment: limits,
      now: options.now,
      formatLog: ({ level, message }) => `${level} ${message}`,
      logger: { debug: note, info: note, warn: note, error: note },
    },
    {
      startThread:
        count === 0
          ? localThreads(settings)
          : workerThreads({
              settings,
              heapMiB: 256,
              onWorker: (worker) => workers.push(worker),
            }),
    },
  );
  const events: InstanceEvent[] = [];
  manager.subscribe((event) => events.push(event));
  const stop = async (): Promise<void> => {
    await manager.close();
    await store.close();
  };
  return {
    manager,
    directory,
    workers,
    events,
    lines,
    stop,
    close: async () => {
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Waits until an instance is as it should be. */
export function untilInstance(
  { manager }: RealMaster,
  id: string,
  expected: (instance: Instance) => boolean,
): Promise<Instance> {
  return vi.waitFor(
    async () => {
      const instance = await manager.get(id);
      if (instance !== undefined && expected(instance)) return instance;
      throw new Error(`not yet: ${JSON.stringify(instance)} ${manager.details(id)?.reason}`);
    },
    { timeout: 30_000, interval: 20 },
  );
}
