import { networkInterfaces } from "node:os";
import { join } from "node:path";
import type { FleetHub, HubApi } from "@nodepass/fleet-hub";
import type { HttpServer, OpenedCertificate } from "@nodepass/master-server";
import type { Logger } from "@nodepass/model";
import type { FleetHubCommandOptions } from "../commands/fleet-files.ts";
import type { CliContext } from "../context.ts";
import { serveUntilStopped } from "../master/run-master.ts";
import { createConsoleLogger } from "../output/console-logger.ts";
import { untilAborted } from "../stop-requests.ts";
import { readVersion } from "../version.ts";
import { hubFigures } from "./hub-figures.ts";
import { type HubSettings, readHubSettings } from "./hub-settings.ts";

/** Runs `nodepass fleet hub` until it is asked to stop. */
export async function runHub(
  context: CliContext,
  directory: string,
  options: FleetHubCommandOptions,
): Promise<void> {
  const { log, logFormat, id, exports = join(directory, "exports") } = options;
  const logger = await createConsoleLogger(context, { level: log, format: logFormat });
  const settings = await readHubSettings(directory);
  const { crt, key: keyFile } = settings;
  const listen = options.listen ?? settings.listen;
  const stop = context.watchStop();
  const { openCertificate, openSite } = await import("@nodepass/master-server");
  const { dashboardFolder } = await import("@nodepass/dashboard");
  const site = openSite(dashboardFolder, "hub");
  const tls = crt === undefined ? 0 : 2;
  const certificate = await openCertificate({ tls, crt, keyFile }, directory, logger);
  const { createHubApi, openFleetHub, readHubSecrets } = await import("@nodepass/fleet-hub");
  const secrets = await readHubSecrets(directory);
  const opening = openFleetHub({
    secrets,
    version: readVersion(),
    id,
    // What an authority of everybody vouches for may change.
    certificate: () => (secrets.ca === "" ? undefined : certificate?.source.current().fingerprint),
    exports,
    logger,
  });
  // An engine that is away is waited for; a second signal waits for nothing.
  const hub = await Promise.race([opening, untilAborted(stop.now)]);
  const { messenger, presence, fleet, gateway: suffix } = hub;
  const ports = Object.entries(settings.masters).map(([mid, { port }]) => [mid, port] as const);
  const api = createHubApi({
    ...{ fleet, messenger, presence, suffix, logger, prefix: settings.prefix },
    publicUrl: secrets.hubs[0],
    ports: new Map(ports),
    version: readVersion(),
    readiness: () => ({ engine: hub.figures().connected }),
    figures: () => hubFigures(hub),
    site,
  });
  const parts: HubParts = { hub, api, certificate, logger };
  const running = await serve(parts, { ...settings, listen }).catch(async (error: unknown) => {
    await Promise.all([api.close(), hub.close()]);
    throw error;
  });
  context.stdout.write(`Hub URL: ${running.url}\n`);
  await serveUntilStopped(running, { stop, logger });
}

interface HubParts {
  readonly hub: FleetHub;
  readonly api: HubApi;
  readonly certificate: OpenedCertificate | undefined;
  readonly logger: Logger;
}

interface RunningHub {
  readonly url: string;
  close(): Promise<void>;
  destroy(): void;
}

/** Opens the hub's port, and those of single masters. */
async function serve(
  { hub, api, certificate, logger }: HubParts,
  { listen, prefix, masters }: HubSettings,
): Promise<RunningHub> {
  const { apiUrl, openHttpServer, reachableAddress, resolveServerLimits } = await import(
    "@nodepass/master-server"
  );
  const common = {
    isStreamed: (response: Response) => api.isStreamed(response),
    limits: resolveServerLimits({}),
    certificate: certificate?.source,
    onError: (error: unknown) => logger.error({ error: String(error) }, "a request failed"),
  };
  const servers: HttpServer[] = [];
  const destroy = () => {
    for (const server of servers) server.destroy();
  };
  try {
    const fetch = (request: Request, env: object) => api.app.fetch(request, env);
    servers.push(await openHttpServer({ ...common, listen, fetch }));
    for (const [mid, at] of Object.entries(masters)) {
      const own = api.appOf(mid);
      const fetchOwn = (request: Request, env: object) => own.fetch(request, env);
      servers.push(await openHttpServer({ ...common, listen: at, fetch: fetchOwn }));
    }
  } catch (error) {
    destroy();
    throw error;
  }
  const address = reachableAddress(servers[0]?.address ?? listen, networkInterfaces());
  return {
    url: apiUrl(address, prefix, certificate !== undefined),
    close: async () => {
      // Streams have no end of their own.
      await api.close();
      await Promise.all(servers.map((server) => server.close()));
      await hub.close();
    },
    destroy: () => {
      destroy();
      hub.destroy();
    },
  };
}
