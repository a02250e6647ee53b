import { join } from "node:path";
import type { HostPort, LogLevel } from "@nodepass/url-config";
import type { CliContext } from "../context.ts";
import { serveUntilStopped } from "../master/run-master.ts";
import { createConsoleLogger } from "../output/console-logger.ts";
import type { LogFormat } from "../output/log-format.ts";
import { untilAborted } from "../stop-requests.ts";
import { readVersion } from "../version.ts";
import { readHubSettings } from "./hub-settings.ts";
import { keepNewSpaceSmall } from "./small-heap.ts";

/** Options of `fleet hub`. */
export interface FleetHubCommandOptions {
  readonly listen?: HostPort | undefined;
  readonly id?: string | undefined;
  readonly exports?: string | undefined;
  readonly log: LogLevel;
  readonly logFormat: LogFormat;
}

/** Runs `nodepass fleet hub` until it is asked to stop. */
export async function runHub(
  context: CliContext,
  directory: string,
  options: FleetHubCommandOptions,
): Promise<void> {
  const { log, logFormat, id, exports = join(directory, "exports") } = options;
  const logger = await createConsoleLogger(context, { level: log, format: logFormat });
  const { crt, key, ...settings } = await readHubSettings(directory);
  const stop = context.watchStop();
  // Before the hub is loaded: what has grown does not shrink.
  keepNewSpaceSmall();
  const { runFleetHub } = await import("@nodepass/fleet-hub");
  const { dashboardFolder } = await import("@nodepass/dashboard");
  const opening = runFleetHub({
    ...settings,
    listen: options.listen ?? settings.listen,
    secrets: directory,
    tls: crt === undefined || key === undefined ? undefined : { crt, keyFile: key },
    version: readVersion(),
    id,
    exports,
    dashboard: dashboardFolder,
    logger,
  });
  // An engine that is away is waited for; a second signal waits for nothing.
  const hub = await Promise.race([opening, untilAborted(stop.now)]);
  // On standard error where standard output is for programs.
  (logFormat === "json" ? context.stderr : context.stdout).write(`Hub URL: ${hub.url}\n`);
  await serveUntilStopped(hub, { stop, logger });
}
