import { isIP } from "node:net";
import {
  type ConnectionOptions,
  jwtAuthenticator,
  type NatsConnection,
  wsconnect,
} from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { WebSocket as CaWebSocket } from "ws";
import { FleetAgentError } from "../fleet-agent-error.ts";

/** What a connection to the engine needs. */
export interface EngineAddress {
  /** `tls://`, `nats://`, `wss://` or `ws://`, host and port. */
  readonly servers: readonly string[];
  /** PEM of the authority of their certificates; empty: the system's. */
  readonly ca: string;
  readonly jwt: string;
  /** Seed of the NKey (`SU…`). */
  readonly seed: string;
  /** Where answers to its requests come. */
  readonly inboxPrefix: string;
  /** Shown by the server. */
  readonly name: string;
}

/** Longest time that one server gets to answer, ms. */
const CONNECT_LIMIT_MS = 10_000;
/** The server is asked whether it lives so often, ms; it is given up when two of that were for nothing. */
const PING_INTERVAL_MS = 10_000;
/** Of a WebSocket frame, bytes: a message with its head. */
const MAX_FRAME_BYTES = 4 * 1024 * 1024;

type Way = "tls" | "nats" | "websocket";

/**
 * The ways that lead to the engine, each with its servers: where a network lets nothing out but
 * WebSocket on 443, the other ways fail and that one is left.
 *
 * @throws {FleetAgentError} `INVALID_OPTIONS` for a URL of another scheme
 */
export function waysTo(servers: readonly string[]): ReadonlyMap<Way, readonly string[]> {
  const ways = new Map<Way, string[]>();
  for (const server of servers) {
    const way = wayOf(server);
    ways.set(way, [...(ways.get(way) ?? []), server]);
  }
  return ways;
}

function wayOf(server: string): Way {
  const scheme = /^([a-z]+):\/\//.exec(server)?.[1] ?? "nats";
  if (scheme === "ws" || scheme === "wss") return "websocket";
  if (scheme === "tls" || scheme === "nats") return scheme;
  throw new FleetAgentError(
    "INVALID_OPTIONS",
    `the engine's URL has the scheme ${scheme}, allowed are tls, nats, wss, ws`,
  );
}

/**
 * Opens one connection, which is not opened again by itself: what a member does at a new
 * connection (another JWT, another way, the sync) is the caller's. The servers of a way are tried one
 * after the other, from any of them on.
 *
 * @param attempt each one takes the next way
 * @throws what the client or the system throws, of the last server
 */
export async function connectEngine(
  address: EngineAddress,
  attempt: number,
): Promise<NatsConnection> {
  const ways = [...waysTo(address.servers)];
  const [way, servers] = ways[attempt % ways.length] ?? ["nats", []];
  const first = Math.floor(Math.random() * servers.length);
  let failure: unknown = new Error("no server of the engine is known");
  for (const server of [...servers.slice(first), ...servers.slice(0, first)]) {
    try {
      return await connectServer(address, way, server);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function connectServer(address: EngineAddress, way: Way, server: string): Promise<NatsConnection> {
  const { ca } = address;
  const options: ConnectionOptions = {
    servers: [server],
    authenticator: jwtAuthenticator(address.jwt, new TextEncoder().encode(address.seed)),
    inboxPrefix: address.inboxPrefix,
    name: address.name,
    reconnect: false,
    timeout: CONNECT_LIMIT_MS,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: 2,
    ignoreClusterUpdates: true,
    noAsyncTraces: true,
  };
  if (way === "websocket") return connectWebSocket(options, ca);
  if (way === "nats" && ca === "") return connect(options);
  // The client gives TLS no name for an IP address, which would be compared with `localhost` then.
  const ip = ipOf(server);
  const tls = { ...(ca !== "" && { ca }), ...(ip !== undefined && { host: ip }) };
  return connect({ ...options, tls });
}

/** The IP address that a URL names, if it is one. */
function ipOf(server: string): string | undefined {
  const host = new URL(server.replace(/^[a-z]+:/, "http:")).hostname.replace(/^\[(.*)\]$/, "$1");
  return isIP(host) === 0 ? undefined : host;
}

async function connectWebSocket(options: ConnectionOptions, ca: string): Promise<NatsConnection> {
  let failure: Error | undefined;
  const wsFactory = async (url: string) => {
    // The platform's own takes no authority of a fleet's making.
    const socket = new CaWebSocket(url, {
      ...(ca !== "" && { ca }),
      perMessageDeflate: false,
      maxPayload: MAX_FRAME_BYTES,
      handshakeTimeout: CONNECT_LIMIT_MS,
    });
    socket.on("error", (error) => {
      failure ??= error;
    });
    // It has all that the client uses of a browser's: the types differ in what it does not.
    return { socket: socket as unknown as WebSocket, encrypted: url.startsWith("wss:") };
  };
  try {
    return await wsconnect({ ...options, wsFactory });
  } catch (error) {
    // The client says "connection refused", whatever it was.
    throw failure ?? error;
  }
}
