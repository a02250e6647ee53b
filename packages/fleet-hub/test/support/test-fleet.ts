import { randomBytes } from "node:crypto";
import { decodeJoinToken, serverConfig } from "@nodepass/fleet-protocol";
import { type NatsServer, startNatsCluster, startNatsServer } from "test-support/nats";
import {
  type Caller,
  type CreatedFleet,
  createFleet,
  type FleetHub,
  type FleetHubOptions,
  openFleetHub,
} from "../../src/index.ts";
import { joinAs, type MemberIdentity } from "./join-as.ts";
import { SimulatedMember, type SimulatedMemberOptions } from "./simulated-member.ts";

/** Members say that they live so often in tests, ms. */
export const TEST_HEARTBEAT_MS = 1000;

/** A fleet with a real engine; everything that is opened by it ends with it. */
export class TestFleet {
  readonly created: CreatedFleet;
  readonly servers: readonly NatsServer[];
  readonly #hubs: FleetHub[] = [];
  readonly #members: SimulatedMember[] = [];

  private constructor(created: CreatedFleet, servers: readonly NatsServer[]) {
    this.created = created;
    this.servers = servers;
  }

  /** @param size servers of the engine @param alter makes their configuration another one */
  static async start(
    size: 1 | 3 = 1,
    name = "test",
    alter: (config: string) => string = (config) => config,
  ): Promise<TestFleet> {
    // The servers' addresses are known only after they began, and their configuration needs the keys.
    const draft = await createFleet({
      fleet: name,
      servers: ["nats://127.0.0.1:1"],
      hubs: ["http://127.0.0.1/api"],
    });
    const { secrets } = draft.hub;
    const secret = randomBytes(24).toString("hex");
    const config = (place: Parameters<Parameters<typeof startNatsServer>[0]>[0]) =>
      alter(
        serverConfig(secrets, {
          name: place.name,
          listen: place.listen,
          storeDir: place.dir,
          ...(size > 1 && {
            cluster: {
              name: "c",
              secret,
              listen: place.cluster.listen,
              routes: place.cluster.routes,
            },
          }),
        }),
      );
    const servers =
      size === 1 ? [await startNatsServer(config)] : await startNatsCluster(config, size);
    const urls = servers.map(({ url }) => `nats://${url}`);
    const hub = { ...draft.hub, servers: urls, memberServers: urls };
    return new TestFleet({ ...draft, hub }, servers);
  }

  async hub(options: Partial<FleetHubOptions> = {}): Promise<FleetHub> {
    const hub = await openFleetHub({
      secrets: this.created.hub,
      version: "test",
      ...options,
    });
    this.#hubs.push(hub);
    return hub;
  }

  /** The first admin, as HTTP would tell it. */
  admin(hub: FleetHub): Caller {
    const caller = hub.fleet.verifyToken(this.created.adminToken, "127.0.0.1");
    if (caller === undefined) throw new Error("the first admin's token is not known");
    return caller;
  }

  /** Joins by a new token. */
  async join(
    hub: FleetHub,
    labels: Record<string, string> = {},
    mid = randomBytes(8).toString("hex"),
  ): Promise<MemberIdentity> {
    const { token } = await hub.fleet.createToken(this.admin(hub), {
      kind: "join",
      role: "viewer",
      selector: "",
      labels,
      uses: 1,
      note: "",
    });
    const { id, secret, fp } = decodeJoinToken(token);
    return joinAs(mid, `m-${mid.slice(0, 4)}`, { id, secret }, fp, (request) =>
      hub.fleet.join(request, "127.0.0.1"),
    );
  }

  /** A member that is there, and has synced. */
  async member(
    hub: FleetHub,
    options: Omit<SimulatedMemberOptions, "identity"> & {
      readonly labels?: Record<string, string>;
      readonly identity?: MemberIdentity;
    } = {},
  ): Promise<SimulatedMember> {
    const { labels, identity = await this.join(hub, labels), ...rest } = options;
    const member = new SimulatedMember({ heartbeatMs: TEST_HEARTBEAT_MS, ...rest, identity });
    this.#members.push(member);
    return member.start();
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.close()));
    await Promise.all(this.#hubs.map((hub) => hub.close()));
    await Promise.all(this.servers.map((server) => server.close()));
  }
}
