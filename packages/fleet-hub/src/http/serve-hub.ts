import { networkInterfaces } from "node:os";
import type { EventOptions } from "@nodepass/master-api";
import {
  apiUrl,
  type HttpServer,
  type OpenedCertificate,
  openCertificate,
  openHttpServer,
  openSite,
  reachableAddress,
  resolveServerLimits,
  type ServerLimitOptions,
} from "@nodepass/master-server";
import { ServiceError, SILENT_LOGGER } from "@nodepass/model";
import { formatHostPort, type HostPort, isWildcard } from "@nodepass/url-config";
import type { FleetHub, FleetHubOptions } from "../hub.ts";
import { type HubSecrets, readHubSecrets } from "../hub-secrets.ts";
import { openFleetHub } from "../open-fleet-hub.ts";
import { createHubApi, type HubApi } from "./create-hub-api.ts";
import { hubFigures } from "./hub-figures.ts";

/** What a hub is, and where it is found. */
export interface RunFleetHubOptions extends Omit<FleetHubOptions, "certificate"> {
  /** Its API, and its masters by path and host name. An empty host means all interfaces, port 0 a free one. */
  readonly listen: HostPort;
  /** Ports that are one master's each, by mid. @default none */
  readonly masters?: Readonly<Record<string, HostPort>> | undefined;
  /** Path in front of every route. @default "/api" */
  readonly prefix?: string | undefined;
  /** Certificate chain and key, files that are read again when they change. @default plain HTTP */
  readonly tls?: { readonly crt: string; readonly keyFile: string } | undefined;
  /** What clients may take of each HTTP server. */
  readonly limits?: ServerLimitOptions | undefined;
  readonly events?: EventOptions | undefined;
  /** Streams through the gateway at once: a dashboard keeps one a master. Integer, 1 to 65 536. @default 256 */
  readonly maxStreams?: number | undefined;
  /** Folder of a built dashboard. @default none is served */
  readonly dashboard?: string | URL | undefined;
}

/** A hub that answers. */
export interface RunningFleetHub {
  readonly hub: FleetHub;
  /** As bound. */
  readonly address: HostPort;
  /** The API's URL with its prefix, as others reach it. */
  readonly url: string;
  /** Where the ports of single masters are, by mid. */
  readonly masters: ReadonlyMap<string, HostPort>;
  /** SHA-256 of the certificate, `sha256:AA:BB:…`; `undefined` without TLS. */
  readonly certificateFingerprint: string | undefined;
  /** Streams are told, requests finish, the lead is given up. Idempotent. */
  close(): Promise<void>;
  /** At once. Idempotent. */
  destroy(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Longest wait for requests that are being answered when a hub closes, ms. */
const CLOSE_TIMEOUT_MS = 10_000;

/**
 * Runs a whole hub: engine, index, API, gateway.
 *
 * @throws {MasterServerError} `ADDRESS_IN_USE`, `ADDRESS_UNUSABLE`, `CERTIFICATE_INVALID`,
 * `INVALID_OPTIONS`
 * @throws {ServiceError} `UNAVAILABLE`, `INVALID_OPTIONS`, as `openFleetHub` does
 * @example
 * const hub = await runFleetHub({ secrets: "/var/lib/nodepass-fleet", listen: { host: "", port: 9443 }, version: "1.0.0" });
 */
export async function runFleetHub(options: RunFleetHubOptions): Promise<RunningFleetHub> {
  const { logger = SILENT_LOGGER } = options;
  const limits = resolveServerLimits(options.limits ?? {});
  const secrets =
    typeof options.secrets === "string" ? await readHubSecrets(options.secrets) : options.secrets;
  const { dashboard } = options;
  const site = dashboard === undefined ? undefined : openSite(dashboard, "hub");
  const closers: (() => unknown)[] = [];
  try {
    const certificate =
      options.tls && (await openCertificate({ tls: 2, ...options.tls }, "", logger));
    closers.push(() => certificate?.source.close());
    const hub = await openFleetHub({
      ...options,
      secrets,
      certificate: () => pinOf(secrets, certificate),
    });
    closers.push(() => hub.close());
    const api = createHubApi({
      ...{ fleet: hub.fleet, messenger: hub.messenger, presence: hub.presence },
      ...{ suffix: hub.gateway, prefix: options.prefix, publicUrl: secrets.hubs[0] },
      ...{ version: options.version, events: options.events, clock: options.clock, logger, site },
      ports: portsOf(options.masters ?? {}),
      maxStreams: options.maxStreams,
      readiness: () => ({ engine: hub.figures().connected }),
      figures: () => hubFigures(hub.figures()),
    });
    closers.push(() => api.close());
    const open = async (listen: HostPort, app: HubApi["app"]): Promise<HttpServer> => {
      const server = await openHttpServer({
        listen,
        limits,
        certificate: certificate?.source,
        fetch: (request, environment) => app.fetch(request, environment),
        isStreamed: (response) => api.isStreamed(response),
        onError: (error) => logger.error({ error: describeFault(error) }, "server failed"),
      });
      closers.push(() => server.destroy());
      return server;
    };
    const server = await open(options.listen, api.app);
    const own = new Map<string, HttpServer>();
    for (const [mid, at] of Object.entries(options.masters ?? {})) {
      own.set(mid, await open(at, api.appOf(mid)));
    }
    const { address } = server;
    const shown = formatHostPort(address);
    logger.info({ address: shown, tls: certificate !== undefined }, "hub listening");
    if (certificate === undefined && isWildcard(address.host)) {
      logger.warn({ address: shown }, "no TLS on all interfaces: tokens can be read on the way");
    }
    return toRunning({ hub, api, server, own, certificate, prefix: options.prefix ?? "/api" });
  } catch (error) {
    // Each of them reports by itself; the first error is what counts.
    for (const close of closers.reverse()) await Promise.resolve(close()).catch(() => undefined);
    throw error;
  }
}

interface RunningParts {
  readonly hub: FleetHub;
  readonly api: HubApi;
  readonly server: HttpServer;
  /** By mid. */
  readonly own: ReadonlyMap<string, HttpServer>;
  readonly certificate: OpenedCertificate | undefined;
  readonly prefix: string;
}

function toRunning({ hub, api, server, own, certificate, prefix }: RunningParts): RunningFleetHub {
  const servers = [server, ...own.values()];
  const cut = (): void => {
    for (const one of servers) one.destroy();
    certificate?.source.close();
  };
  const closeAll = async (): Promise<void> => {
    const answered = Promise.all([api.close(), ...servers.map((one) => one.close())]);
    const timer = setTimeout(cut, CLOSE_TIMEOUT_MS);
    try {
      await answered;
    } finally {
      clearTimeout(timer);
      cut();
    }
    await hub.close();
  };
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= closeAll();
    return closing;
  };
  const address = reachableAddress(server.address, networkInterfaces());
  return {
    hub,
    address: server.address,
    url: apiUrl(address, prefix, certificate !== undefined),
    masters: new Map([...own].map(([mid, one]) => [mid, one.address])),
    get certificateFingerprint() {
      return certificate?.source.current().fingerprint;
    },
    close,
    destroy() {
      cut();
      void api.close();
      hub.destroy();
    },
    [Symbol.asyncDispose]: close,
  };
}

/** What join tokens pin: a certificate for which only the fleet's own authority vouches. */
function pinOf(secrets: HubSecrets, certificate: OpenedCertificate | undefined) {
  return secrets.ca === "" ? undefined : certificate?.source.current().fingerprint;
}

/** @throws {ServiceError} `INVALID_OPTIONS`: no mid */
function portsOf(masters: Readonly<Record<string, HostPort>>): ReadonlyMap<string, number> {
  for (const mid of Object.keys(masters)) {
    if (/^[0-9a-f]{16}$/.test(mid)) continue;
    const message = `masters: ${JSON.stringify(mid)} is no mid, which is 16 hexadecimal digits`;
    throw new ServiceError("INVALID_OPTIONS", message);
  }
  return new Map(Object.entries(masters).map(([mid, { port }]) => [mid, port]));
}

/** A fault of the program: where it happened is what somebody needs who looks for it. */
function describeFault(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
