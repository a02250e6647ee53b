import { Worker } from "node:worker_threads";
import type { RunnerReport, RunnerSettings } from "./messages.ts";
import type { StartThread } from "./tunnel-thread.ts";

/** How worker threads are started. */
export interface WorkerThreadOptions {
  readonly settings: RunnerSettings;
  /** Heap of one thread, MiB; a thread that needs more ends alone. */
  readonly heapMiB: number;
  /** Sees each worker, to make it crash; for tests. */
  readonly onWorker?: ((worker: Worker) => void) | undefined;
}

/** Built files beside built files, sources beside sources: Node 22.18 and later run both. */
const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
const entry = new URL(`./worker-main.${extension}`, import.meta.url);

/** Runs tunnels in worker threads. */
export function workerThreads(options: WorkerThreadOptions): StartThread {
  return (name, handlers) => {
    let reason: string | undefined;
    let worker: Worker;
    try {
      worker = new Worker(entry, {
        name,
        workerData: options.settings,
        // Flags of the main thread may be about its entry (`--input-type`), which this is not.
        execArgv: [],
        resourceLimits: { maxOldGenerationSizeMb: options.heapMiB },
      });
    } catch (error) {
      // The system has no thread left for us.
      queueMicrotask(() => handlers.onExit(reasonOf(error)));
      return { post: () => undefined, terminate: () => undefined };
    }
    const end = (why: string): void => {
      reason ??= why;
      void worker.terminate();
    };
    worker.on("message", (report: RunnerReport) => {
      // Not what was sent before the end of a thread that is being ended.
      if (reason === undefined) handlers.onReport(report);
    });
    worker.on("messageerror", (error) => end(`unreadable message: ${error.message}`));
    worker.on("error", (error) => {
      reason ??= reasonOf(error);
    });
    worker.once("exit", (code) => handlers.onExit(reason ?? `exit code ${code}`));
    options.onWorker?.(worker);
    return { post: (command) => worker.postMessage(command), terminate: end };
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
