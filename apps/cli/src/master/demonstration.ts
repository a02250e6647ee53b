import type { Server } from "node:http";
import type { Logger } from "@nodepass/logging";
import {
  act,
  createInstance,
  type MasterClient,
  type RemoteInstance,
} from "@nodepass/master-client";
import { formatHostPort, parseTunnelUrlLenient } from "@nodepass/url-config";
import { createDemoSite } from "../demo/demo-site.ts";
import { findFreePorts, listen } from "../demo/listen.ts";
import { withReason } from "../instances/why-it-fails.ts";
import { createKey } from "../tunnel/create-key.ts";

/** The tag by which the two instances are known again at another start. */
const tagName = "demonstration";
const serverTag = "entry";
const clientTag = "page";

/** Below the ports that systems hand out by themselves. */
const firstPort = 9180;

/** A tunnel among the master's instances, and the page that it carries. */
export interface Demonstration {
  /** What to open in a browser. */
  readonly url: string;
  close(): void;
}

/**
 * Makes the two instances of the demonstration: a server and a client on loopback. The client comes
 * when its server runs, else its first line would be that nobody answers.
 *
 * @throws {CliError} if one of them does not run
 */
export async function createDemonstration(client: MasterClient): Promise<void> {
  const [entry, tunnel, page] = await findFreePorts(firstPort, 3);
  const key = createKey();
  // Not with the master: the page comes first then, and the server before the client.
  const common = { start: true, restart: false };
  await createInstance(client, {
    ...common,
    url: `server://${key}@127.0.0.1:${tunnel}/127.0.0.1:${entry}?mode=1&tls=1&noudp=1`,
    alias: "demonstration-server",
    tags: { [tagName]: serverTag },
  });
  await createInstance(client, {
    ...common,
    url: `client://${key}@127.0.0.1:${tunnel}/127.0.0.1:${page}?mode=2&min=4&noudp=1`,
    alias: "demonstration-client",
    tags: { [tagName]: clientTag },
  });
}

/**
 * Serves the page of the demonstration where its client looks for it, then starts the server and
 * the client, each when the one before it runs.
 *
 * @throws {CliError} if one of them does not run
 * @returns `undefined` if its instances have been removed, or the port is taken
 */
export async function openDemonstration(
  client: MasterClient,
  logger: Logger,
): Promise<Demonstration | undefined> {
  const instances = await client.list();
  const server = instances.find(({ tags }) => tags[tagName] === serverTag);
  const end = instances.find(({ tags }) => tags[tagName] === clientTag);
  const pagePort = targetOf(end)?.port;
  const entry = targetOf(server);
  if (server === undefined || end === undefined) return undefined;
  if (entry === undefined || pagePort === undefined) return undefined;
  const site = createDemoSite(() => client.get(server.id));
  try {
    await listen(site, pagePort);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    logger.warn({ reason }, "the demonstration's page cannot be served");
    return undefined;
  }
  try {
    for (const each of [server, end]) {
      if (each.status !== "running") await withReason(client, act(client, each, "start"));
    }
  } catch (error) {
    closeSite(site);
    throw error;
  }
  return { url: `http://${formatHostPort(entry)}/`, close: () => closeSite(site) };
}

function closeSite(site: Server): void {
  site.close();
  site.closeAllConnections();
}

function targetOf(instance: RemoteInstance | undefined) {
  if (instance === undefined) return undefined;
  try {
    return parseTunnelUrlLenient(instance.url).settings.targets[0];
  } catch {
    // Somebody has made something else of it: then it is no demonstration any more.
    return undefined;
  }
}
