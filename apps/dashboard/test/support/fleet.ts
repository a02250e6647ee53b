import { fleetExtension } from "@nodepass/fleet-agent";
import { createFleet, type RunningFleetHub, runFleetHub } from "@nodepass/fleet-hub";
import { serverConfig } from "@nodepass/fleet-protocol";
import { type MasterClient, parseMasterAddress } from "@nodepass/master-client";
import { createFleetClient, type FleetClient } from "@nodepass/master-client/fleet";
import type { Page } from "playwright-core";
import { reservePort } from "test-support";
import { findNatsServer, type NatsServer, startNatsServer } from "test-support/nats";
import { expect, onTestFinished } from "vitest";
import { built, startMaster } from "./master.ts";

/** Whether a fleet can be started here; CI installs its engine. */
export const hasEngine = findNatsServer() !== undefined;

/** A real fleet: a nats-server, a hub that serves the dashboard, and masters that join it. */
export interface TestFleet {
  readonly client: FleetClient;
  readonly engine: NatsServer;
  /** The first admin's. */
  readonly token: string;
  /** Where the dashboard is, with a slash at its end. */
  readonly site: string;
  /** Starts a master that joins; resolves when the hub says that it is online. */
  join(name: string, options?: JoinOptions): Promise<Member>;
  /** Starts a master that joins with such a token; resolves when it is online. */
  joinWith(token: string): Promise<Member>;
  /** Ends the hub, starts it again, and lets another one be asked between. */
  restart(meanwhile: (other: FleetClient) => Promise<void>): Promise<void>;
  /** A token of another role. */
  tokenOf(role: "viewer" | "operator"): Promise<string>;
}

export interface JoinOptions {
  readonly labels?: Readonly<Record<string, string>>;
  /** Where its tunnels are reached. */
  readonly address?: string;
}

/** A master of the fleet, in this process. */
export interface Member {
  readonly mid: string;
  /** Asks it directly. */
  readonly client: MasterClient;
  /** It ends at once, and says nothing to anybody. */
  kill(): void;
}

/** Starts a fleet without masters; it ends with the test. */
export async function startFleet(): Promise<TestFleet> {
  // Join tokens name the hub's address, so it has to be known before.
  const port = await reservePort();
  const fleet = await createFleet({
    fleet: "home",
    servers: ["nats://127.0.0.1:1"],
    hubs: [`http://127.0.0.1:${port}/api`],
  });
  const engine = await startNatsServer(({ name, listen: at, dir }) =>
    serverConfig(fleet.hub.secrets, { name, listen: at, storeDir: dir }),
  );
  onTestFinished(() => engine.close());
  const servers = [`nats://${engine.url}`];
  const secrets = { ...fleet.hub, servers, memberServers: servers };
  const { adminToken: token } = fleet;
  const hubs: RunningFleetHub[] = [];
  onTestFinished(async () => void (await Promise.all(hubs.map((each) => each.close()))));
  const startHub = async (id: string, port: number): Promise<RunningFleetHub> => {
    const hub = await runFleetHub({
      ...{ secrets, id, version: "1.2.3", dashboard: built },
      listen: { host: "127.0.0.1", port },
    });
    hubs.push(hub);
    return hub;
  };
  const clientOf = ({ url }: RunningFleetHub) =>
    createFleetClient({ address: parseMasterAddress(url), key: token });
  const first = await startHub("hub-one", port);
  const client = clientOf(first);
  const restart = async (meanwhile: (other: FleetClient) => Promise<void>): Promise<void> => {
    await hubs[0]?.close();
    await meanwhile(clientOf(await startHub("hub-two", await reservePort())));
    await startHub("hub-one", port);
  };

  const joinWith = async (joinToken: string): Promise<Member> => {
    const { master, client: own } = await startMaster({
      extension: fleetExtension({ token: joinToken }),
      dashboard: undefined,
    });
    const { mid } = await own.info();
    const isOnline = async () =>
      (await client.masters({ status: "online" })).some((each) => each.mid === mid);
    await expect.poll(isOnline, { timeout: 30_000 }).toBe(true);
    return { mid: String(mid), client: own, kill: () => master.destroy() };
  };
  const join = async (name: string, { labels = {}, address }: JoinOptions = {}) => {
    const made = await client.createToken({ kind: "join", labels: { ...labels }, uses: 1 });
    const member = await joinWith(made.token);
    await client.changeMaster(member.mid, { name, ...(address !== undefined && { address }) });
    return member;
  };
  const tokenOf = async (role: "viewer" | "operator") =>
    (await client.createToken({ kind: "api", role })).token;
  const site = new URL("/", first.url).href;
  return { client, engine, token, site, join, joinWith, restart, tokenOf };
}

/** Opens the dashboard of a hub with a token. */
export async function signInAtHub(page: Page, site: string, token: string): Promise<void> {
  await page.goto(site);
  await page.getByLabel("Fleet token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation").first().waitFor();
}
