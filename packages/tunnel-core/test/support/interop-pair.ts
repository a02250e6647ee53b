import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LogRecord, type MoreCarriers, openTunnel, type Tunnel } from "@nodepass/tunnel-core";
import { vi } from "vitest";
import {
  type Certificate,
  makeCertificate,
  Peer114Client,
  type Peer114ClientOptions,
  Peer114Server,
  type Peer114ServerOptions,
  startTarget,
  type Target,
  type TestTarget,
  type TestTargetOptions,
  type Tls,
} from "../peer-114/index.ts";

/** Name in the certificate of `tls=2`. */
export const SERVER_NAME = "nodepass.test";

/** Both ends' intervals: short, so that several pass in a test; long enough for a busy machine. */
export const LIMITS = { reportIntervalMs: 400, serviceCooldownMs: 200 };
const TIMINGS = { reportIntervalMs: 400, minPoolIntervalMs: 5, maxPoolIntervalMs: 50 };

export interface InteropOptions {
  /** Which end is ours; the other one is the 1.14 peer. */
  readonly ours: "server" | "client";
  readonly flow: "-" | "+";
  readonly tls: Tls;
  /** Kind of pool: 0 TCP, 1 QUIC, 2 WebSocket, 3 HTTP/2. @default 0 */
  readonly type?: 0 | 1 | 2 | 3 | undefined;
  /** Carriers of our node that are packages of their own. */
  readonly carriers?: MoreCarriers | undefined;
  /** Address of the tunnel port. @default "127.0.0.1" */
  readonly tunnelHost?: string | undefined;
  /** `undefined` derives the key from the port at both ends. @default "secret" */
  readonly key?: string | undefined;
  /** Tunnel port of our server. @default 0 */
  readonly tunnelPort?: number | undefined;
  /** Our node trusts the certificate of `tls` 2. @default false */
  readonly trusted?: boolean | undefined;
  /** Added to our URL's query. */
  readonly query?: string | undefined;
  /** Puts something between the two. @returns the port that the client is to dial */
  readonly between?: ((tunnelPort: number) => Promise<number>) | undefined;
  readonly target?: TestTargetOptions | undefined;
  readonly server?: Partial<Peer114ServerOptions> | undefined;
  readonly client?: Partial<Peer114ClientOptions> | undefined;
}

/** One of our nodes and a 1.14 peer, joined or about to be. */
export interface InteropPair {
  readonly tunnel: Tunnel;
  readonly peer: Peer114Server | Peer114Client;
  readonly target: TestTarget;
  readonly logs: readonly LogRecord[];
  /** Where users connect; throws while there is nobody to take them. */
  entry(): Target;
  /** Both ends serve. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** Waits without caring how slow the machine is. */
export function eventually<T>(probe: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(probe, { timeout: 30_000, interval: 10 });
}

let shared: Promise<Certificate> | undefined;

/** One certificate for `SERVER_NAME` for all tests of a file. */
export function sharedCertificate(): Promise<Certificate> {
  shared ??= makeCertificate(SERVER_NAME);
  return shared;
}

/** The bound tunnel address of our server. */
export function boundTunnel(tunnel: Tunnel): Promise<Target> {
  return eventually(() => {
    if (tunnel.tunnelAddress === undefined) throw new Error("not listening yet");
    return { host: "127.0.0.1", port: tunnel.tunnelAddress.port };
  });
}

/** Our node's entry; throws while it has none. */
export function boundEntry(tunnel: Tunnel): Target {
  if (tunnel.entryAddress === undefined) throw new Error("no entry yet");
  return { host: "127.0.0.1", port: tunnel.entryAddress.port };
}

/** Starts a target, our node and a peer. */
export async function startPair(options: InteropOptions): Promise<InteropPair> {
  const target = await startTarget(options.target);
  const logs: LogRecord[] = [];
  const ca = options.trusted === true ? (await sharedCertificate()).cert : undefined;
  const open = async (url: string): Promise<Tunnel> => {
    const tunnel = await openTunnel(url, { limits: LIMITS, ca, carriers: options.carriers });
    tunnel.on("log", (record) => logs.push(record));
    return tunnel;
  };
  const pair =
    options.ours === "server"
      ? await startOurServer(options, target, open)
      : await startOurClient(options, target, open);
  return {
    ...pair,
    target,
    logs,
    ready: async () => {
      await Promise.all([pair.tunnel.ready(), pair.peer.ready()]);
    },
    close: async () => {
      await pair.tunnel.close({ timeoutMs: 0 });
      await pair.close();
      await target.close();
    },
  };
}

type Started = Pick<InteropPair, "tunnel" | "peer" | "entry" | "close">;
const FREE: Target = { host: "127.0.0.1", port: 0 };

const userPart = (options: InteropOptions) =>
  "key" in options ? (options.key === undefined ? "" : `${options.key}@`) : "secret@";
const keyOf = (options: InteropOptions) => ("key" in options ? options.key : "secret");

async function startOurServer(
  options: InteropOptions,
  target: Target,
  open: (url: string) => Promise<Tunnel>,
): Promise<Started> {
  const { flow, tls, type = 0, tunnelHost = "127.0.0.1" } = options;
  const certificate = await sharedCertificate();
  const folder = await mkdtemp(join(tmpdir(), "nodepass-"));
  const crt = join(folder, "cert.pem");
  const key = join(folder, "key.pem");
  await Promise.all([writeFile(crt, certificate.cert), writeFile(key, certificate.key)]);
  const query = [
    `mode=${flow === "-" ? 1 : 2}&tls=${tls}&type=${type}&max=256`,
    ...(tls === 2 ? [`crt=${encodeURIComponent(crt)}`, `key=${encodeURIComponent(key)}`] : []),
    ...(options.query === undefined ? [] : [options.query]),
  ].join("&");
  const port = flow === "-" ? 0 : target.port;
  const tunnel = await open(
    `server://${userPart(options)}${tunnelHost}:${options.tunnelPort ?? 0}/127.0.0.1:${port}?${query}`,
  );
  const { port: listening } = await boundTunnel(tunnel);
  const peer = Peer114Client.start({
    tunnel: { host: tunnelHost, port: (await options.between?.(listening)) ?? listening },
    key: keyOf(options),
    min: 16,
    target: flow === "-" ? target : FREE,
    timings: TIMINGS,
    ...(tls === 2 ? { ca: certificate.cert, serverName: SERVER_NAME } : {}),
    ...options.client,
  });
  return {
    tunnel,
    peer,
    entry: () => (flow === "-" ? boundEntry(tunnel) : peer.entryAddress),
    close: async () => {
      await peer.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function startOurClient(
  options: InteropOptions,
  target: Target,
  open: (url: string) => Promise<Tunnel>,
): Promise<Started> {
  const { flow, tls, type = 0, tunnelHost = "127.0.0.1" } = options;
  const certificate = await sharedCertificate();
  const peer = await Peer114Server.start({
    flow,
    tls,
    type,
    tunnelHost,
    key: keyOf(options),
    max: 256,
    target: flow === "-" ? FREE : target,
    timings: TIMINGS,
    ...(tls === 2 ? { certificate, serverName: SERVER_NAME } : {}),
    ...options.server,
  });
  const query = [
    "mode=2&min=16",
    ...(tls === 2 ? [`sni=${SERVER_NAME}`] : []),
    ...(options.query === undefined ? [] : [options.query]),
  ].join("&");
  const port = flow === "+" ? 0 : target.port;
  const dialled = (await options.between?.(peer.tunnelPort)) ?? peer.tunnelPort;
  const tunnel = await open(
    `client://${userPart(options)}${tunnelHost}:${dialled}/127.0.0.1:${port}?${query}`,
  );
  return {
    tunnel,
    peer,
    entry: () => (flow === "-" ? peer.entryAddress : boundEntry(tunnel)),
    close: () => peer.close(),
  };
}
