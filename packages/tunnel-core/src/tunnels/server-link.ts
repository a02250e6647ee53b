import { isIP } from "node:net";
import { type ClientSettings, formatHostPort, type HostPort } from "@nodepass/url-config";
import { type HandshakeResult, shakeHands } from "../handshake/handshake-client.ts";
import { connectFirst } from "../names/connect-first.ts";
import type { PeerLoad } from "../peers/peer-load.ts";
import { proxyOnTheWay, type Route } from "../proxy/route.ts";
import { isOwnFault } from "../system-errors.ts";
import type { TunnelOptions } from "../tunnel.ts";
import type { TunnelContext } from "../tunnel-context.ts";
import type { PeerState } from "../tunnel-reports.ts";
import { EXTENSIONS } from "../wire/extensions.ts";
import { newClientId, type ProofKeys } from "../wire/proof.ts";
import { tunnelToken } from "../wire/tunnel-token.ts";
import type { ClientSession } from "./client-session.ts";

export interface ServerLinkOptions {
  readonly context: TunnelContext;
  readonly settings: ClientSettings;
  readonly tunnelOptions: TunnelOptions;
  readonly server: HostPort;
  /** Its place in the URL, from 1. */
  readonly number: number;
  /** `undefined` where there is one server. */
  readonly load: PeerLoad | undefined;
}

/** What a client needs to meet a server. */
export interface MeetingOptions {
  readonly keys: ProofKeys;
  /** Bounds each handshake, ms. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** How a server was met, and on which way. */
export interface Meeting {
  readonly met: HandshakeResult;
  readonly route: Route;
}

/** One of a client's servers: how it is reached, and what has come of it. */
export class ServerLink {
  readonly server: HostPort;
  readonly number: number;
  readonly load: PeerLoad | undefined;
  readonly #options: ServerLinkOptions;
  /** Addresses that have proved themselves: never spoken to in the 1.14 way again. */
  readonly #provedAddresses = new Set<string>();
  /**
   * This client instance's identity: one for each server, since two of the URL may be the same, which
   * would take its session over again and again.
   */
  identity = newClientId();
  /** The session in the making, or that stands. */
  current: ClientSession | undefined;
  /** Sessions that stood. */
  sessions = 0;
  /** Why there is none; `undefined` if there is, or it has not been tried. */
  reason: string | undefined;

  constructor(options: ServerLinkOptions) {
    this.#options = options;
    this.server = options.server;
    this.number = options.number;
    this.load = options.load;
  }

  /** Server name for TLS and the handshake; `undefined` if it is given by address. */
  get serverName(): string | undefined {
    const { host } = this.server;
    const name = this.#options.settings.sni ?? (isIP(host) === 0 ? host : undefined);
    return name === "" ? undefined : name;
  }

  get state(): PeerState | undefined {
    const { load, number, current, reason } = this;
    if (load === undefined) return undefined;
    const session = current?.session;
    const connected = session?.hasControl === true && !session.ended;
    const { poolSize: pool = 0, ping = 0 } = connected ? session : {};
    const address = formatHostPort(this.server);
    return { number, address, connected, reason, ...load.counters(), pool, ping };
  }

  /** Tries the server's addresses in turn; with a proxy on the way, the proxy's. */
  async meet(options: MeetingOptions): Promise<Meeting> {
    const { server } = this;
    const { settings, tunnelOptions, context } = this.#options;
    const { compat, key, path, front, via } = settings;
    const through = proxyOnTheWay(via, server, tunnelOptions.proxyEnvironment);
    const dialled = through ?? server;
    const { ca } = tunnelOptions;
    const { names } = context;
    const addresses = (await names.resolve(dialled.host)).map((resolved) => resolved.address);
    let lastError: unknown;
    for (const address of await this.#inOrder(dialled, addresses, options.signal)) {
      const proxy = through && { through, to: server };
      const route: Route = { address, port: dialled.port, proxy };
      // Through a proxy the server's address is not known here, only what it is asked for.
      const asked = through === undefined ? address : server.host;
      try {
        const startedAt = performance.now();
        const allow114 = compat && !this.#provedAddresses.has(asked);
        const met = await shakeHands({
          ...options,
          client: this.identity,
          address: asked,
          port: server.port,
          route,
          path,
          front,
          ca: ca === undefined ? undefined : [ca].flat(),
          serverName: this.serverName,
          token: allow114 ? tunnelToken(key) : undefined,
          extensions: EXTENSIONS,
        });
        context.latencies.handshake.observe(performance.now() - startedAt);
        if (met.proved) this.#provedAddresses.add(asked);
        return { met, route };
      } catch (error) {
        if (options.signal.aborted) throw error;
        if (!isOwnFault(error)) names.failed(dialled.host, address);
        lastError = error;
      }
    }
    throw lastError;
  }

  /**
   * The server's addresses, first the one that takes a connection first: of several, one that
   * swallows what is sent to it would cost the time of a whole handshake.
   */
  async #inOrder(
    dialled: HostPort,
    addresses: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    if (addresses.length < 2) return addresses;
    const first = await this.#connect(dialled, signal);
    return [first.address, ...addresses.filter((address) => address !== first.address)];
  }

  /**
   * How long a connection to the server takes, or to the proxy on the way.
   *
   * @returns ms, from the first packet of the attempt that succeeded
   * @throws as `connectFirst`
   */
  async probe(signal: AbortSignal): Promise<number> {
    const { settings, tunnelOptions } = this.#options;
    const through = proxyOnTheWay(settings.via, this.server, tunnelOptions.proxyEnvironment);
    return (await this.#connect(through ?? this.server, signal)).latencyMs;
  }

  async #connect(dialled: HostPort, signal: AbortSignal) {
    const { names, limits } = this.#options.context;
    const within = AbortSignal.any([signal, AbortSignal.timeout(limits.handshakeTimeoutMs)]);
    const { socket, address, latencyMs } = await connectFirst(names, dialled, within);
    socket.destroy();
    return { address, latencyMs };
  }
}
