import { parentPort, workerData } from "node:worker_threads";
import type { RunnerCommand, RunnerSettings } from "./messages.ts";
import { TunnelRunner } from "./tunnel-runner.ts";

// The entry of a worker thread: never imported. An error here ends the thread, and the pool of the
// main thread starts another one.
const port = parentPort;
if (port === null) throw new Error("this file is the entry of a worker thread");

const settings: RunnerSettings = workerData;
const runner = new TunnelRunner({ ...settings, send: (report) => port.postMessage(report) });
port.on("message", (command: RunnerCommand) => runner.handle(command));
