import { type LogRecord, openTunnel, type Tunnel, type TunnelOptions } from "@nodepass/tunnel-core";
import { vi } from "vitest";
import { openTunnel as openFirstRelease } from "../first-release/first-release.mjs";
import type { Target } from "../peer-114/index.ts";
import { type Authority, SERVER_NAME } from "./authority.ts";

/** How users reach the target: at the server, at the client, or through a client alone. */
export type Flow = "reverse" | "forward" | "single";

export interface PairOptions {
  readonly flow: Flow;
  /** Both ends find their mode out by themselves (`mode=0`). @default false */
  readonly auto?: boolean | undefined;
  readonly tls?: 0 | 1 | 2 | undefined;
  /** Needed with `tls` 2. */
  readonly authority?: Authority | undefined;
  /** The exit's targets, `host:port` with commas. */
  readonly target: string;
  /** Added to both URLs. */
  readonly query?: string | undefined;
  readonly serverQuery?: string | undefined;
  readonly clientQuery?: string | undefined;
  readonly limits?: TunnelOptions["limits"];
  /** Least idle pool connections. @default 8 */
  readonly min?: number | undefined;
  readonly key?: string | undefined;
  /** The end that is of the first release; the other one is of this. @default none */
  readonly firstRelease?: "server" | "client" | undefined;
}

/** A server and its client, or a single-end client: all that is between a user and a target. */
export interface TunnelPair {
  readonly server: Tunnel | undefined;
  readonly client: Tunnel;
  /** The end that the users connect to, and the end that dials the target. */
  readonly entryEnd: Tunnel;
  readonly exitEnd: Tunnel;
  readonly entry: Target;
  readonly logs: readonly LogRecord[];
  close(): Promise<void>;
}

/** Waits without caring how slow the machine is. */
export function eventually<T>(probe: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(probe, { timeout: 20_000, interval: 5 });
}

/** Short intervals, so that a test sees several of them. */
export const LIMITS = { reportIntervalMs: 500, serviceCooldownMs: 100 };

/** Opens one end and keeps its log. */
export async function openEnd(
  url: string,
  logs: LogRecord[] = [],
  options: TunnelOptions = {},
  open: typeof openTunnel = openTunnel,
): Promise<Tunnel> {
  return open(url, {
    ...options,
    limits: { ...LIMITS, ...options.limits },
    onCreate: (tunnel) => {
      tunnel.on("log", (record) => logs.push(record));
      options.onCreate?.(tunnel);
    },
  });
}

/** Where the end takes its users. */
export function entryOf(tunnel: Tunnel): Target {
  if (tunnel.entryAddress === undefined) throw new Error("the tunnel has no entry");
  return { host: "127.0.0.1", port: tunnel.entryAddress.port };
}

/** The server's URL. */
export function serverUrl(options: PairOptions): string {
  const { flow, auto = false, tls = 0, key = "secret" } = options;
  // In auto mode a target address that is taken by the target itself means forward.
  const at = flow === "reverse" ? "127.0.0.1:0" : options.target;
  const query = [
    `mode=${auto ? 0 : flow === "reverse" ? 1 : 2}&tls=${tls}`,
    tls === 2 ? options.authority?.query : undefined,
    options.query,
    options.serverQuery,
  ];
  return `server://${key}@127.0.0.1:0/${at}?${query.filter(Boolean).join("&")}`;
}

/** The client's URL. @param tunnelPort of the server; 0 for a single end */
export function clientUrl(options: PairOptions, tunnelPort: number): string {
  const { flow, auto = false, tls = 0, key = "secret" } = options;
  const at = flow === "forward" ? "127.0.0.1:0" : options.target;
  const query = [
    `mode=${auto ? 0 : flow === "single" ? 1 : 2}&min=${options.min ?? 8}`,
    tls === 2 && flow !== "single" ? `sni=${SERVER_NAME}` : undefined,
    options.query,
    options.clientQuery,
  ];
  return `client://${key}@127.0.0.1:${tunnelPort}/${at}?${query.filter(Boolean).join("&")}`;
}

export async function openServer(options: PairOptions, logs: LogRecord[] = []): Promise<Tunnel> {
  const open = options.firstRelease === "server" ? openFirstRelease : openTunnel;
  return openEnd(serverUrl(options), logs, { limits: options.limits }, open);
}

export async function openClient(
  options: PairOptions,
  tunnelPort: number,
  logs: LogRecord[] = [],
): Promise<Tunnel> {
  const { limits, authority } = options;
  const open = options.firstRelease === "client" ? openFirstRelease : openTunnel;
  return openEnd(clientUrl(options, tunnelPort), logs, { limits, ca: authority?.ca }, open);
}

/** The port that the server's clients dial. */
export function tunnelPort(server: Tunnel): number {
  if (server.tunnelAddress === undefined) throw new Error("the server does not listen");
  return server.tunnelAddress.port;
}

/** Opens both ends (or the single one) and waits until they serve. */
export async function openPair(options: PairOptions): Promise<TunnelPair> {
  const logs: LogRecord[] = [];
  if (options.flow === "single") {
    const client = await openClient(options, 0, logs);
    const close = () => client.close({ timeoutMs: 0 });
    const entry = entryOf(client);
    return { server: undefined, client, entryEnd: client, exitEnd: client, entry, logs, close };
  }
  const server = await openServer(options, logs);
  const client = await openClient(options, tunnelPort(server), logs);
  const [entryEnd, exitEnd] = options.flow === "reverse" ? [server, client] : [client, server];
  const close = async () => {
    await client.close({ timeoutMs: 0 });
    await server.close({ timeoutMs: 0 });
  };
  try {
    await client.ready();
    await eventually(() => {
      if (client.counters().pool === 0 || server.counters().pool === 0) throw new Error("no pool");
    });
    return { server, client, entryEnd, exitEnd, entry: entryOf(entryEnd), logs, close };
  } catch (error) {
    await close();
    throw error;
  }
}
