import { parentPort, workerData } from "node:worker_threads";
import { readRunnerCommand } from "./runner-command.ts";
import { readRunnerSettings } from "./runner-settings.ts";
import { TunnelRunner } from "./tunnel-runner.ts";

// The entry of a worker thread: never imported. An error here ends the thread, and the pool of the
// main thread starts another one.
const port = parentPort;
if (port === null) throw new Error("this file is the entry of a worker thread");

const runner = new TunnelRunner({
  ...readRunnerSettings(workerData),
  send: (report) => port.postMessage(report),
});
port.on("message", (message: unknown) => runner.handle(readRunnerCommand(message)));
