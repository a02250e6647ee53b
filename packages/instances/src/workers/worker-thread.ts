import { Worker } from "node:worker_threads";
import type { RunnerCommand, RunnerReport, RunnerSettings } from "./messages.ts";
import { type OpenTunnel, TunnelRunner } from "./tunnel-runner.ts";

/** Something that runs tunnels beside others: a worker thread, or this one. */
export interface TunnelThread {
  post(command: RunnerCommand): void;
  /** Ends it now and its tunnels with it; `onExit` follows. */
  terminate(reason: string): void;
}

/** What a thread tells; never from inside `start`, `post` or `terminate`. */
export interface ThreadHandlers {
  onReport(report: RunnerReport): void;
  /** It has ended. Called once; nothing follows. */
  onExit(reason: string): void;
}

/** Starts a thread. */
export type StartThread = (name: string, handlers: ThreadHandlers) => TunnelThread;

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

/** Runs the tunnels in this thread: for tests and for hosts with little memory. */
export function localThreads(settings: RunnerSettings, open?: OpenTunnel): StartThread {
  return (_name, handlers) => {
    let ended = false;
    const runner = new TunnelRunner({
      ...settings,
      open,
      // Later, as between threads.
      send: (report) => {
        queueMicrotask(() => {
          if (!ended) handlers.onReport(report);
        });
      },
    });
    return {
      post: (command) => runner.handle(command),
      terminate: (reason) => {
        if (ended) return;
        ended = true;
        runner.destroy();
        queueMicrotask(() => handlers.onExit(reason));
      },
    };
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
