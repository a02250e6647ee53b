import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { engineAuthenticator, issueHubCredentials } from "@nodepass/fleet-protocol";
import type { HubSecrets } from "../../../src/index.ts";

/** A connection with a hub's rights. */
export async function connectAsHub(hub: HubSecrets) {
  const credentials = await issueHubCredentials(hub.secrets, "trial");
  // The client gives TLS no name for an address, which would be compared with `localhost` then.
  const tls = { ca: hub.ca, host: "127.0.0.1" };
  return connect({
    servers: hub.servers.map((url) => url.replace(/^\w+:\/\//, "")),
    authenticator: engineAuthenticator(() => credentials),
    ...(hub.ca !== "" && { tls }),
    timeout: 20_000,
    noAsyncTraces: true,
  });
}

/** Consumers of all streams. */
export async function engineConsumers(hub: HubSecrets): Promise<number> {
  const connection = await connectAsHub(hub);
  try {
    const manager = await jetstreamManager(connection);
    let consumers = 0;
    for await (const { state } of manager.streams.list()) consumers += state.consumer_count;
    return consumers;
  } finally {
    await connection.close();
  }
}
