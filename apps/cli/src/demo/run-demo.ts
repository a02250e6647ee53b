import type { Logger } from "@nodepass/logging";
import type { Tunnel, TunnelOptions } from "@nodepass/tunnel-core";
import { type EnvironmentResult, formatHostPort, redact } from "@nodepass/url-config";
import type { CliContext } from "../context.ts";
import { CliError } from "../exit-code.ts";
import { commandName } from "../output/command-name.ts";
import { createConsoleLogger } from "../output/console-logger.ts";
import type { LogFormat } from "../output/log-format.ts";
import { shellQuote } from "../output/shell-quote.ts";
import { untilAborted } from "../stop-requests.ts";
import { createKey } from "../tunnel/create-key.ts";
import { logTunnel } from "../tunnel/log-tunnel.ts";
import { createDemoSite } from "./demo-site.ts";
import { fetchOnce } from "./fetch-once.ts";
import { listen } from "./listen.ts";

/** How the demonstration is run. */
export interface RunDemoOptions {
  /** Port that a browser opens; 0 takes a free one. */
  readonly port: number;
  readonly logFormat: LogFormat;
  readonly environment: EnvironmentResult;
}

/** Check points come at this pace unless `NP_REPORT_INTERVAL` says otherwise, ms. */
const reportIntervalMs = 1000;

/** Runs a web server behind a server and a client on loopback until asked to stop. */
export async function runDemo(context: CliContext, options: RunDemoOptions): Promise<void> {
  const stop = context.watchStop();
  const logger = await createConsoleLogger(context, { level: "info", format: options.logFormat });
  const ownInterval = context.environment.NP_REPORT_INTERVAL !== undefined;
  const tunnelOptions: TunnelOptions = {
    limits: { ...options.environment.settings, ...(ownInterval ? {} : { reportIntervalMs }) },
    signal: stop.now,
  };
  const command = commandName(context.environment);
  const demo = await openDemo(options.port, tunnelOptions, logger, command);
  announce(context, options.logFormat, demo, logger);
  logger.info(await fetchOnce(demo.url), "page fetched through the tunnel");
  await Promise.race([stop.requested, untilAborted(stop.now)]);
  logger.info({}, "stopping");
  await Promise.race([demo.close(), untilAborted(stop.now)]);
  stop.now.throwIfAborted();
}

interface Demo {
  /** What to open in a browser. */
  readonly url: string;
  /** The commands that would do the same, keys hidden. */
  readonly commands: readonly string[];
  close(): Promise<void>;
}

async function openDemo(
  port: number,
  options: TunnelOptions,
  logger: Logger,
  command: string,
): Promise<Demo> {
  const { openTunnel } = await import("@nodepass/tunnel-core");
  const tunnels: Tunnel[] = [];
  const site = createDemoSite(() => {
    const [server] = tunnels;
    if (server === undefined) throw new CliError("the demonstration is not open");
    return server.counters();
  });
  const open = async (url: string, end: string) => {
    const ownLogger = end === "server" ? logger : withoutCheckPoints(logger);
    const onCreate = (tunnel: Tunnel) => logTunnel(tunnel, ownLogger, { end });
    const tunnel = await openTunnel(url, { ...options, onCreate });
    tunnels.push(tunnel);
    return tunnel;
  };
  const key = createKey();
  const sitePort = await listen(site, 0);
  const serverUrl = (tunnel: number, entry: number) =>
    `server://${key}@127.0.0.1:${tunnel}/127.0.0.1:${entry}?mode=1&tls=1`;
  const server = await open(serverUrl(0, port), "server");
  const tunnelPort = server.tunnelAddress?.port ?? 0;
  const clientUrl = `client://${key}@127.0.0.1:${tunnelPort}/127.0.0.1:${sitePort}?mode=2&min=4`;
  const client = await open(clientUrl, "client");
  await Promise.all([server.ready(), client.ready()]);
  if (server.entryAddress === undefined) throw new CliError("the server listens nowhere");
  return {
    url: `http://${formatHostPort(server.entryAddress)}/`,
    commands: [serverUrl(tunnelPort, server.entryAddress.port), clientUrl].map(
      (url) => `${command} ${shellQuote(redact(url))}`,
    ),
    close: async () => {
      // Else a browser's idle connection would hold up the tunnels for their whole time-out.
      site.close();
      site.closeIdleConnections();
      await Promise.all(tunnels.map((tunnel) => tunnel.close()));
      site.closeAllConnections();
    },
  };
}

/** Both ends count the same traffic: one line an interval is enough. */
function withoutCheckPoints(logger: Logger): Logger {
  return { ...logger, checkPoint: () => undefined };
}

function announce(context: CliContext, format: LogFormat, demo: Demo, logger: Logger): void {
  if (format === "json") {
    logger.info({ url: demo.url }, "open this page");
    return;
  }
  context.stdout.write(`
  A web server behind a tunnel, all on this machine. The same by hand:
${demo.commands.map((command) => `    ${command}`).join("\n")}

  Open ${demo.url}    (Ctrl-C stops it)

`);
}
