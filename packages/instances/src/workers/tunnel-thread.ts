import type { RunnerCommand, RunnerReport } from "./messages.ts";

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
