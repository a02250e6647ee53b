import { issueHubCredentials } from "@nodepass/fleet-protocol";
import { SILENT_LOGGER } from "@nodepass/model";
import { connectEngine, type EngineLink } from "../../src/engine/engine-link.ts";
import { type OpenedStore, openStore } from "../../src/store/open-store.ts";
import type { TestFleet } from "./test-fleet.ts";

/** A hub's connection and its store, without a hub. */
export async function openTestStore(
  { created, servers }: TestFleet,
  dataKeys = created.hub.secrets.dataKeys,
): Promise<OpenedStore & { readonly link: EngineLink }> {
  const { secrets, servers: urls, ca } = created.hub;
  const link = await connectEngine({
    servers: urls,
    ca,
    credentials: await issueHubCredentials(secrets, "store"),
    name: "store",
    logger: SILENT_LOGGER,
  });
  const replicas = servers.length === 3 ? 3 : 1;
  const fleet = secrets.fleet;
  const opened = await openStore({ fleet, link, dataKeys, replicas, logger: SILENT_LOGGER });
  return { ...opened, link };
}
