import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountMaster, openHttpServer, resolveServerLimits } from "@nodepass/master-server";
import { parseMasterUrl } from "@nodepass/url-config";
import { onTestFinished } from "vitest";
import { createHubApi, type HubApi, type HubApiOptions } from "../../src/index.ts";
import { FakeFleet } from "./fake-fleet.ts";
import { type FakeMember, FakeMessenger } from "./fake-messenger.ts";

export const MID = "00000000000000a1";
export const SUFFIX = "gw.example";

/** A hub's HTTP side on a socket of loopback, with members in this process. */
export interface StartedGateway {
  readonly api: HubApi;
  readonly fleet: FakeFleet;
  readonly messenger: FakeMessenger;
  /** Of the hub's server, and of the one that is only {@link MID}'s. */
  readonly port: number;
  readonly ownPort: number;
  /** Up to `/masters/{mid}`. */
  readonly base: string;
}

export async function startGateway(options: Partial<HubApiOptions> = {}): Promise<StartedGateway> {
  const fleet = new FakeFleet();
  const messenger = new FakeMessenger();
  const { presence } = messenger;
  const api = createHubApi({ fleet, messenger, presence, suffix: SUFFIX, ...options });
  const serve = async (fetch: HubApi["app"]["fetch"]) => {
    const server = await openHttpServer({
      listen: { host: "127.0.0.1", port: 0 },
      fetch,
      isStreamed: api.isStreamed,
      limits: resolveServerLimits({}),
      onError: (error) => {
        throw error;
      },
    });
    onTestFinished(() => server.destroy());
    return server.address.port;
  };
  onTestFinished(() => api.close());
  const port = await serve(api.app.fetch);
  const ownPort = await serve(api.appOf(MID).fetch);
  fleet.addMaster(MID, { labels: { region: "eu" } });
  return {
    api,
    fleet,
    messenger,
    port,
    ownPort,
    base: `http://127.0.0.1:${port}/api/masters/${MID}`,
  };
}

/** A real master, reached directly at `direct` and through the gateway under {@link MID}. */
export async function addRealMaster({ messenger }: Pick<StartedGateway, "messenger">) {
  const stateDirectory = mkdtempSync(join(tmpdir(), "np-hub-"));
  onTestFinished(() => rmSync(stateDirectory, { recursive: true, force: true }));
  const master = await mountMaster({
    settings: parseMasterUrl("master://127.0.0.1:0"),
    stateDirectory,
    workers: 0,
    version: "1.2.3",
  });
  onTestFinished(() => master.close({ timeoutMs: 1000 }));
  const server = await openHttpServer({
    listen: { host: "127.0.0.1", port: 0 },
    fetch: master.app.fetch,
    limits: resolveServerLimits({}),
    onError: (error) => {
      throw error;
    },
  });
  onTestFinished(() => server.destroy());
  const member = messenger.add(MID, { fetch: master.app.fetch });
  return { master, member, direct: `http://127.0.0.1:${server.address.port}` };
}

/** A member whose API is only a function. */
export function addMember(
  { messenger }: Pick<StartedGateway, "messenger">,
  fetch: FakeMember["fetch"],
  mid = MID,
): FakeMember {
  return messenger.add(mid, { fetch });
}
