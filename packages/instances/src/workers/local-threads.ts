import type { RunnerSettings } from "./messages.ts";
import { type OpenTunnel, TunnelRunner } from "./tunnel-runner.ts";
import type { StartThread } from "./tunnel-thread.ts";

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
