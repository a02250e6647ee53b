import { type NatsConnection, type WsConnectionOptions, wsconnect } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import {
  createUserKey,
  type EngineCredentials,
  engineAuthenticator,
  type FleetSecrets,
  issueHubCredentials,
  issueMemberJwt,
  issueSystemCredentials,
  memberInbox,
} from "@nodepass/fleet-protocol";

/** A member's credentials, as it has them after a join. */
export interface MemberCredentials extends EngineCredentials {
  mid: string;
  userPublicKey: string;
}

export async function joinMember(
  secrets: FleetSecrets,
  mid: string,
  expiresAt?: number,
): Promise<MemberCredentials> {
  const { publicKey, seed } = createUserKey();
  const jwt = await issueMemberJwt(secrets, { mid, userPublicKey: publicKey, expiresAt });
  return { mid, jwt, seed, userPublicKey: publicKey };
}

function options(credentials: EngineCredentials): WsConnectionOptions {
  const authenticator = engineAuthenticator(() => credentials);
  return { authenticator, reconnect: false, timeout: 20_000, noAsyncTraces: true };
}

/** Connections that are closed by {@link Connections.close}. */
export class Connections {
  readonly #open: NatsConnection[] = [];

  async member(servers: string, credentials: MemberCredentials): Promise<NatsConnection> {
    const inboxPrefix = memberInbox(credentials.mid);
    return this.#keep(connect({ ...options(credentials), servers, inboxPrefix }));
  }

  async memberByTls(
    servers: string,
    credentials: MemberCredentials,
    authorities: { ca?: string },
  ): Promise<NatsConnection> {
    // The client gives TLS no name for an address, so that it would be compared with `localhost`.
    const tls = { ...authorities, host: "127.0.0.1" };
    const inboxPrefix = memberInbox(credentials.mid);
    return this.#keep(connect({ ...options(credentials), servers, inboxPrefix, tls }));
  }

  async memberByWebSocket(url: string, credentials: MemberCredentials): Promise<NatsConnection> {
    const inboxPrefix = memberInbox(credentials.mid);
    return this.#keep(wsconnect({ ...options(credentials), servers: url, inboxPrefix }));
  }

  async hub(servers: string, secrets: FleetSecrets): Promise<NatsConnection> {
    return this.#keep(connect({ ...options(await issueHubCredentials(secrets, "hub")), servers }));
  }

  async system(servers: string, secrets: FleetSecrets): Promise<NatsConnection> {
    return this.#keep(
      connect({ ...options(await issueSystemCredentials(secrets, "hub")), servers }),
    );
  }

  async #keep(opening: Promise<NatsConnection>): Promise<NatsConnection> {
    const connection = await opening;
    this.#open.push(connection);
    return connection;
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((connection) => connection.close()));
  }
}
