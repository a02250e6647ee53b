import type { RemoteInstance } from "@nodepass/master-client";
import type { Master } from "./master.ts";
import { type UrlFields, writeFields } from "./url-text.ts";

/** A tunnel's way, whoever runs its ends. */
export interface PairWay {
  /** Where users connect. */
  readonly listen: string;
  /** Where it goes. */
  readonly target: string;
  /** Which of the two the other one can reach: it listens for the tunnel. */
  readonly server: "entry" | "exit";
  /** Where the server listens. */
  readonly tunnelPort: string;
  readonly key: string;
  readonly tls: "0" | "1";
  /** Kind of pool, 0 to 3. */
  readonly pool: string;
}

/** What is wanted of a pair: a way for users at one master to a target at another. */
export interface PairPlan extends PairWay {
  readonly name: string;
  /** Users connect at this master. */
  readonly entry: Master;
  /** Their target is seen from this master. */
  readonly exit: Master;
  /** Where the client finds the server. */
  readonly serverHost: string;
}

/**
 * The URLs of a pair's two ends.
 *
 * @param clientTunnel where the client finds the server
 */
export function pairUrls(
  plan: PairWay,
  clientTunnel: string,
): { readonly server: string; readonly client: string } {
  const { key, tls, pool, tunnelPort } = plan;
  const isReverse = plan.server === "entry";
  const server: UrlFields = {
    scheme: "server",
    key,
    tunnel: `:${tunnelPort}`,
    targets: isReverse ? plan.listen : plan.target,
    parameters: new Map([
      ["mode", isReverse ? "1" : "2"],
      ["tls", tls],
      ...(pool === "0" ? [] : ([["type", pool]] as const)),
    ]),
  };
  const client: UrlFields = {
    scheme: "client",
    key,
    tunnel: clientTunnel,
    targets: isReverse ? plan.target : plan.listen,
    parameters: new Map([["mode", "2"]]),
  };
  return { server: writeFields(server), client: writeFields(client) };
}

/** Where the client of a plan finds its server. */
export function clientTunnelOf({ serverHost, tunnelPort }: PairPlan): string {
  return `${serverHost}:${tunnelPort}`;
}

/** What NodePassDash calls the two kinds of a pair. */
const REVERSE_SERVICE = "1";
const FORWARD_SERVICE = "2";

/**
 * Makes both ends and ties them by `meta.peer`. If the second can't be made, the first is taken back.
 *
 * @throws {MasterClientError} of the end that could not be made
 */
export async function createPair(
  plan: PairPlan,
): Promise<{ readonly server: RemoteInstance; readonly client: RemoteInstance }> {
  const urls = pairUrls(plan, clientTunnelOf(plan));
  const [atServer, atClient] =
    plan.server === "entry" ? [plan.entry, plan.exit] : [plan.exit, plan.entry];
  const made: { readonly master: Master; readonly id: string }[] = [];
  const make = async (master: Master, url: string): Promise<RemoteInstance> => {
    const instance = await master.client.create(url, plan.name);
    made.push({ master, id: instance.id });
    return instance;
  };
  try {
    // The server first: else the client's first line says that nobody is there.
    const server = await make(atServer, urls.server);
    const client = await make(atClient, urls.client);
    const peer = {
      sid: makeId(),
      type: plan.server === "entry" ? REVERSE_SERVICE : FORWARD_SERVICE,
      alias: plan.name,
    };
    await atServer.client.change(server.id, { meta: { peer } });
    await atClient.client.change(client.id, { meta: { peer } });
    return { server, client };
  } catch (error) {
    await Promise.allSettled(made.map(({ master, id }) => master.client.remove(id)));
    throw error;
  }
}

/** A UUID of version 4; over plain HTTP from another machine browsers make none. */
function makeId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join("-");
}
