import { networkInterfaces } from "node:os";
import { join } from "node:path";
import type { FleetHub, HubApi } from "@nodepass/fleet-hub";
import type { HttpServer, OpenedCertificate } from "@nodepass/master-server";
import type { Logger } from "@nodepass/model";
import type { FleetHubCommandOptions } from "../commands/fleet-files.ts";
import type { CliContext } from "../context.ts";
import { serveUntilStopped } from "../master/run-master.ts";
import { createConsoleLogger } from "../output/console-logger.ts";
import { readVersion } from "../version.ts";
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
  const { openCertificate } = await import("@nodepass/master-server");
  const tls = crt === undefined ? 0 : 2;
  const certificate = await openCertificate({ tls, crt, keyFile }, directory, logger);
  const { createHubApi, openFleetHub } = await import("@nodepass/fleet-hub");
  const hub = await openFleetHub({
    secrets: directory,
    version: readVersion(),
    id,
    certificate: () => certificate?.source.current().fingerprint,
    exports,
    logger,
  });
  const { messenger, presence, fleet, gateway: suffix } = hub;
  const { prefix } = settings;
  const api = createHubApi({ fleet, messenger, presence, prefix, suffix, logger });
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
