import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@nodepass/logging";
import { createMasterClient, type MasterClient, parseMasterAddress } from "@nodepass/master-client";
import { type RunningMaster, SIGN_IN_HINT } from "@nodepass/master-server";
import { formatHostPort, parseMasterUrl } from "@nodepass/url-config";
import type { CliContext } from "../context.ts";
import { startVisitors } from "../demo/demo-visitors.ts";
import { fetchOnce } from "../demo/fetch-once.ts";
import { commandName } from "../output/command-name.ts";
import { createConsoleLogger } from "../output/console-logger.ts";
import { errorLines } from "../output/error-lines.ts";
import type { LogFormat } from "../output/log-format.ts";
import { toSignal } from "../watch/follow-until-stopped.ts";
import { createDemonstration, type Demonstration, openDemonstration } from "./demonstration.ts";
import { serveUntilStopped, startMaster } from "./run-master.ts";
import { leaveNote, refuseSecond } from "./running-note.ts";

/** How the quick start is run. */
export interface RunQuickstartOptions {
  readonly stateDirectory: string;
  /** Port of the API. @default 9090, or a free one if that is taken */
  readonly port?: number | undefined;
  readonly logFormat: LogFormat;
}

const defaultPort = 9090;
const requestTimeoutMs = 15_000;
/** How long the page of the demonstration is waited for: 10 s in all. */
const maxAttempts = 100;
const attemptPauseMs = 100;

/** Runs a master on loopback until asked to stop; a state without instances gets a demonstration. */
export async function runQuickstart(
  context: CliContext,
  options: RunQuickstartOptions,
): Promise<void> {
  const folder = resolve(options.stateDirectory);
  await refuseSecond(folder);
  const logger = await createConsoleLogger(context, { level: "info", format: options.logFormat });
  const stop = context.watchStop();
  const stopped = toSignal(stop);
  const master = await startOnPort(context, options, logger, stop.now);
  let demonstration: Demonstration | undefined;
  let endVisits: () => void = () => undefined;
  let takeNoteBack = leaveNote(folder, { pid: process.pid, url: master.url });
  try {
    const client = clientOf(master);
    demonstration = await demonstrate(client, logger);
    // A page that does not come is not announced.
    const page = await fetchThrough(demonstration, logger, stopped);
    takeNoteBack = leaveNote(folder, { pid: process.pid, url: master.url, page });
    announce(context, options.logFormat, master, page);
    // Something to see: charts of a tunnel that nobody uses are empty.
    if (page !== undefined) endVisits = startVisitors(page);
    await serveUntilStopped(master, { stop, logger });
  } catch (error) {
    master.destroy();
    throw error;
  } finally {
    endVisits();
    demonstration?.close();
    takeNoteBack();
  }
}

/** A master without the demonstration is still a master. */
async function demonstrate(
  client: MasterClient,
  logger: Logger,
): Promise<Demonstration | undefined> {
  try {
    if ((await client.list()).length === 0) await createDemonstration(client);
    return await openDemonstration(client, logger);
  } catch (error) {
    logger.warn({ reason: errorLines(error).join("; ") }, "no demonstration");
    return undefined;
  }
}

async function startOnPort(
  context: CliContext,
  { stateDirectory: folder, port }: RunQuickstartOptions,
  logger: Logger,
  signal: AbortSignal,
): Promise<RunningMaster> {
  const start = (each: number) =>
    startMaster(context, {
      settings: parseMasterUrl(`master://127.0.0.1:${each}/api?log=info`),
      stateDirectory: resolve(folder),
      logger,
      signal,
    });
  if (port !== undefined) return start(port);
  try {
    return await start(defaultPort);
  } catch (error) {
    if (!isInUse(error)) throw error;
    logger.warn({ port: defaultPort }, "port in use, taking a free one");
    return start(0);
  }
}

function isInUse(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ADDRESS_IN_USE";
}

/** The demonstration is made through the API, as users make tunnels. */
function clientOf({ address, apiKey }: RunningMaster): MasterClient {
  return createMasterClient({
    address: parseMasterAddress(`http://${formatHostPort(address)}/api`),
    key: apiKey,
    timeoutMs: requestTimeoutMs,
  });
}

function announce(
  context: CliContext,
  format: LogFormat,
  master: RunningMaster,
  page: string | undefined,
): void {
  const { url, docsUrl, apiKey } = master;
  const link = master.signInUrl();
  // Dashboards are set up by these lines, so they are as a master prints them.
  const lines = [`API URL: ${url}`, `API KEY: ${apiKey}`, `API docs: ${docsUrl}`];
  if (link !== undefined) lines.unshift(`Open:     ${link}`, `          (${SIGN_IN_HINT})`);
  if (page !== undefined) lines.push(`Page:     ${page}`);
  const command = commandName(context.environment);
  const output = format === "json" ? context.stderr : context.stdout;
  output.write(`
${lines.map((line) => `  ${line}`).join("\n")}
${page === undefined ? "" : "\n  The page comes through a tunnel of two instances of this master.\n"}
  Save the key, then watch:  ${command} login --master ${url} && ${command} top
  Ctrl-C stops it; the state is kept for the next start.

`);
}

/** Shows that the tunnel works as soon as it does. @returns the page's URL, if it came */
async function fetchThrough(
  demonstration: Demonstration | undefined,
  logger: Logger,
  stopped: AbortSignal,
): Promise<string | undefined> {
  if (demonstration === undefined) return undefined;
  for (let attempt = 0; attempt < maxAttempts && !stopped.aborted; attempt += 1) {
    try {
      logger.info(await fetchOnce(demonstration.url), "page fetched through the tunnel");
      return demonstration.url;
    } catch {
      // Not yet: the tunnel connects beside this. Rejects only when it is to stop.
      await sleep(attemptPauseMs, undefined, { signal: stopped }).catch(() => undefined);
    }
  }
  if (!stopped.aborted) logger.warn({ url: demonstration.url }, "the tunnel does not answer");
  return undefined;
}
