import type { FleetSecrets } from "../identity/fleet-secrets.ts";
import { FleetSetupError } from "../setup-error.ts";
import { type ConfigValue, configText } from "./config-text.ts";

/** A certificate for a listener: PEM files, read by the server. TLS 1.3 only. */
export interface EngineTls {
  certFile: string;
  keyFile: string;
}

/** The same between servers, which show each other their certificates. */
export interface EngineClusterTls extends EngineTls {
  /** PEM file of whose certificates they take; without it a server that connects shows none. */
  clientCaFile?: string | undefined;
}

/** A server among others: three of them keep working when one dies. */
export interface EngineCluster {
  name: string;
  /** `host:port` for the other servers. */
  listen: string;
  /** `host:port` of each of the other servers (its own may be among them). */
  routes: readonly string[];
  /** The same for all of them: who knows it can be one of them, and hear everything. At least 16 characters. */
  secret: string;
  /** Between servers; without it, only on a network of their own. */
  tls?: EngineClusterTls | undefined;
}

/** How a nats-server carries a fleet. */
export interface ServerConfigOptions {
  /** Unique among the servers of a cluster. */
  name: string;
  /** `host:port` for members and hubs; port -1: any. */
  listen: string;
  tls?: EngineTls | undefined;
  /** For networks that let nothing but HTTPS out. */
  websocket?: { listen: string; tls?: EngineTls | undefined } | undefined;
  /** Folder for the buckets and the accounts' JWTs, the server's alone. */
  storeDir: string;
  /** Disk that JetStream may fill, bytes; without it three quarters of what is free. */
  maxStoreBytes?: number | undefined;
  /** JetStream's domain, where leaf nodes have one of their own. */
  domain?: string | undefined;
  cluster?: EngineCluster | undefined;
  /** `host:port` of the server's own pages (`/healthz`, `/varz`): never to be reached from outside. */
  monitor?: string | undefined;
  /** Connections at most. @default 65536 */
  maxConnections?: number | undefined;
  /**
   * Silence after which the server asks whether a client lives; it is given up when it has not
   * answered for as long again, so within three times this. Heartbeats count as life. ms. @default 3300
   */
  pingIntervalMs?: number | undefined;
}

/** A message at most, bytes: a passed body of 1 MiB with its head, sealed. */
export const MAX_PAYLOAD_BYTES = 2 * 1024 * 1024;

/** Shortest secret between servers. */
const MIN_SECRET_LENGTH = 16;
const ROUTE_USER = "route";

/** What a server may hold for one client that does not read, bytes; then it is cut and syncs anew. */
const MAX_PENDING_BYTES = 16 * 1024 * 1024;

/**
 * The configuration of one nats-server (2.12 or newer) for a fleet, as text. It trusts the fleet's operator,
 * holds the accounts in a folder (`resolver: full`, so that members' keys can be revoked while it runs),
 * and has every write of JetStream on the disk before it is acknowledged (`sync_interval: always`).
 *
 * No key is in it but a cluster's secret. The accounts' JWTs are there for the first start; a newer one
 * in the folder stays.
 *
 * @throws {FleetSetupError} `INVALID_OPTIONS` for a text with control characters, or a cluster's secret
 * that is too short
 */
export function serverConfig(secrets: FleetSecrets, options: ServerConfigOptions): string {
  const { operator, system, account } = secrets.reveal();
  const { cluster, websocket, pingIntervalMs = 3300 } = options;
  if (cluster !== undefined && cluster.secret.length < MIN_SECRET_LENGTH) {
    const message = `a cluster's secret has at least ${MIN_SECRET_LENGTH} characters`;
    throw new FleetSetupError("INVALID_OPTIONS", message);
  }
  return configText({
    server_name: options.name,
    listen: options.listen,
    ...tlsBlock(options.tls),
    websocket: websocket && {
      listen: websocket.listen,
      ...(websocket.tls === undefined ? { no_tls: true } : tlsBlock(websocket.tls)),
      compression: false,
    },
    cluster: cluster && {
      name: cluster.name,
      listen: cluster.listen,
      authorization: { user: ROUTE_USER, password: cluster.secret, timeout: 10 },
      routes: cluster.routes.map((route) => {
        return `nats-route://${ROUTE_USER}:${encodeURIComponent(cluster.secret)}@${route}`;
      }),
      ...tlsBlock(cluster.tls),
    },
    http: options.monitor,
    max_payload: MAX_PAYLOAD_BYTES,
    max_pending: MAX_PENDING_BYTES,
    max_connections: options.maxConnections ?? 65_536,
    write_deadline: "5s",
    ping_interval: `${pingIntervalMs}ms`,
    ping_max: 1,
    // A member of a freshly started server may be one of 2,000 that come at once.
    authorization: { timeout: 10 },
    jetstream: {
      store_dir: options.storeDir,
      sync_interval: "always",
      domain: options.domain,
      max_file_store: options.maxStoreBytes,
    },
    operator: operator.jwt,
    system_account: secrets.systemAccount,
    resolver: {
      type: "full",
      dir: `${options.storeDir}/jwt`,
      allow_delete: true,
      interval: "2m",
      timeout: "1900ms",
    },
    resolver_preload: {
      [secrets.systemAccount]: system.jwt,
      [secrets.account]: account.jwt,
    },
  });
}

function tlsBlock(tls: EngineClusterTls | undefined): { tls?: ConfigValue } {
  if (tls === undefined) return {};
  const client = tls.clientCaFile;
  return {
    tls: {
      cert_file: tls.certFile,
      key_file: tls.keyFile,
      min_version: "1.3",
      ...(client === undefined ? {} : { ca_file: client, verify: true }),
      timeout: 10,
    },
  };
}
