import { isIP } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { checkServerIdentity } from "node:tls";
import type { ConnectionOptions, NatsConnection } from "@nats-io/nats-core";
import { errors } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { type EngineCredentials, engineAuthenticator } from "@nodepass/fleet-protocol";
import { type Logger, ServiceError } from "@nodepass/model";

/** How the engine is reached. */
export interface EngineOptions {
  /** URLs of nats-servers, tried in turn: `tls://host:port` or `nats://host:port`. */
  readonly servers: readonly string[];
  /** CA certificate(s) in PEM; empty: the system's. */
  readonly ca: string;
  readonly credentials: EngineCredentials;
  /** Shown by the server. */
  readonly name: string;
  /** Longest wait for the first connection, ms; later ones are tried for ever. @default 30_000 */
  readonly connectTimeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly logger: Logger;
}

/** A connection to the engine that comes back by itself for as long as it is not closed. */
export interface EngineLink {
  readonly connection: NatsConnection;
  isConnected(): boolean;
  /** Of the server it is connected to, or was. */
  version(): string;
  /** @throws {ServiceError} `UNAVAILABLE` while it is not connected: what is sent then is kept by the client and sent late */
  demand(): NatsConnection;
  /** Told of each loss and return. @returns ends it */
  onChange(listener: (connected: boolean) => void): () => void;
  close(): Promise<void>;
}

/** Waits between two tries, ms: jittered, so that hubs do not come back all at once. */
const RETRY_MS = { least: 200, most: 5000 } as const;
/** A dead road is noticed within three of these, ms. */
const PING_INTERVAL_MS = 3000;

/** @throws {ServiceError} `UNAVAILABLE` if no server can be reached in time, or refuses the credentials */
export async function connectEngine(options: EngineOptions): Promise<EngineLink> {
  const { logger, connectTimeoutMs = 30_000, signal } = options;
  const until = performance.now() + connectTimeoutMs;
  for (let tries = 0; ; tries += 1) {
    try {
      return linkOf(await connect(connectionOptions(options)), logger);
    } catch (error) {
      const wait = retryDelay(tries);
      const isRefused = error instanceof errors.AuthorizationError;
      if (isRefused || signal?.aborted === true || performance.now() + wait > until) {
        const why = error instanceof Error ? error.message : "no connection";
        const message = `the engine at ${options.servers.join(", ")} can't be reached: ${why}`;
        throw new ServiceError("UNAVAILABLE", message, { cause: error });
      }
      await delay(wait);
    }
  }
}

function connectionOptions(options: EngineOptions): ConnectionOptions {
  const { servers, ca, credentials, name } = options;
  const isTls = ca !== "" || servers.some((url) => url.startsWith("tls:"));
  let retries = 0;
  return {
    servers: servers.map((url) => url.replace(/^(?:tls|nats):\/\//, "")),
    name,
    authenticator: engineAuthenticator(() => credentials),
    ...(isTls && { tls: { ...(ca !== "" && { ca }), ...identityOf(servers) } }),
    timeout: 5000,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: 2,
    maxReconnectAttempts: -1,
    // A server that has just begun may not know the account yet.
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
    reconnectDelayHandler: () => {
      retries = (retries + 1) % 8;
      return retryDelay(retries);
    },
  };
}

/**
 * The client gives TLS no name for an IP address, so that a certificate would have to be `localhost`'s: it
 * may be that of any address that was given.
 */
function identityOf(servers: readonly string[]): {
  readonly checkServerIdentity?: typeof checkServerIdentity;
} {
  const hosts = servers.map((url) => new URL(url.replace(/^\w+:/, "http:")).hostname);
  const addresses = hosts
    .map((host) => host.replace(/^\[(.*)\]$/, "$1"))
    .filter((host) => isIP(host) !== 0);
  if (addresses.length === 0) return {};
  const check: typeof checkServerIdentity = (name, certificate) => {
    const failure = checkServerIdentity(name, certificate);
    const isOne = addresses.some((one) => checkServerIdentity(one, certificate) === undefined);
    return isOne ? undefined : failure;
  };
  return { checkServerIdentity: check };
}

function retryDelay(tries: number): number {
  const most = Math.min(RETRY_MS.most, RETRY_MS.least * 2 ** Math.min(tries, 8));
  return RETRY_MS.least + Math.random() * (most - RETRY_MS.least);
}

function linkOf(connection: NatsConnection, logger: Logger): EngineLink {
  const listeners = new Set<(connected: boolean) => void>();
  let isConnected = true;
  let isClosing = false;
  let version = connection.info?.version ?? "";
  const turn = (connected: boolean, server: string) => {
    if (isConnected === connected) return;
    isConnected = connected;
    version = connection.info?.version ?? version;
    if (connected) logger.info({ server }, "connected to the engine again");
    else if (!isClosing) logger.warn({ server }, "the engine is gone");
    for (const listener of listeners) listener(connected);
  };
  const follow = async () => {
    for await (const status of connection.status()) {
      if (status.type === "disconnect") turn(false, status.server);
      else if (status.type === "reconnect") turn(true, status.server);
      else if (status.type === "error") {
        logger.warn({ error: status.error.message }, "the engine says no");
      } else if (status.type === "close") turn(false, "");
    }
  };
  void follow().catch((error: unknown) => {
    logger.error({ error: String(error) }, "the engine's status can't be followed");
  });
  return {
    connection,
    isConnected: () => isConnected,
    version: () => version,
    demand: () => {
      if (isConnected && !connection.isClosed()) return connection;
      throw new ServiceError("UNAVAILABLE", "the engine can't be reached");
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => {
      listeners.clear();
      isClosing = true;
      await connection.close();
    },
  };
}
