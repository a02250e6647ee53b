import { networkInterfaces } from "node:os";
import { createInstanceManager, type GivenKeys } from "@nodepass/instances";
import { formatLogLine } from "@nodepass/logging";
import { type AgentOptions, createMasterApi, type Site } from "@nodepass/master-api";
import { createProcessMonitor } from "@nodepass/metrics";
import type { Logger } from "@nodepass/model";
import { historyFiles } from "@nodepass/store";
import { formatHostPort, isWildcard } from "@nodepass/url-config";
import type { Context } from "hono";
import { apiUrl, reachableAddress } from "./addresses.ts";
import { createLazyAgents } from "./agents/lazy-agents.ts";
import { createAsk } from "./extension.ts";
import { FileInstances } from "./files/file-instances.ts";
import { watchGivenKeys } from "./given-keys.ts";
import { apiVisitors } from "./http/api-visitors.ts";
import { openHttpServer } from "./http/http-server.ts";
import {
  type ResolvedMasterOptions,
  type RunMasterOptions,
  resolveMasterOptions,
} from "./master-options.ts";
import { toMasterServerError } from "./master-server-error.ts";
import { type OpenedCertificate, openCertificate } from "./open-certificate.ts";
import { openState } from "./open-state.ts";
import type { MountedMaster, RunningMaster } from "./running-master.ts";
import { createMasterService } from "./service/master-service.ts";
import { openSite } from "./site/open-site.ts";
import { type StoppingParts, stopMaster } from "./stop-master.ts";
import { createSystemMonitor } from "./system/system-monitor.ts";

/**
 * Runs a whole master: state, instances, API. It answers when this resolves; its instances start
 * beside that.
 *
 * @throws {MasterServerError} `STATE_LOCKED`, `STATE_UNUSABLE`, `ADDRESS_IN_USE`,
 * `ADDRESS_UNUSABLE`, `CERTIFICATE_INVALID`, `IMPORT_FAILED`, `INVALID_OPTIONS`
 * @example
 * const master = await runMaster({ settings: parseMasterUrl("master://127.0.0.1:9090"), stateDirectory });
 * console.log(master.url, master.apiKey);
 * await master.close();
 */
export function runMaster(options: RunMasterOptions): Promise<RunningMaster> {
  return withParts(options, openParts);
}

/**
 * A master without an HTTP server of its own, to be mounted in a program's Hono app. `listen`, `tls`
 * and the limits of the server in `options` are that program's matter and have no effect.
 *
 * @example
 * const master = await mountMaster({ settings: parseMasterUrl("master://:0/nodepass"), stateDirectory });
 * app.route("/", master.app); // answers under /nodepass
 *
 * @throws {MasterServerError} `STATE_LOCKED`, `STATE_UNUSABLE`, `INVALID_OPTIONS`
 */
export function mountMaster(options: RunMasterOptions): Promise<MountedMaster> {
  return withParts(options, (resolved, onFailure) =>
    openCore(resolved, onFailure, {
      server: { close: async () => {}, destroy: () => {} },
      // What is at `/` there is that program's matter.
      atRoot: false,
    }),
  );
}

type OnFailure = (close: () => unknown) => void;

async function withParts<T>(
  options: RunMasterOptions,
  open: (resolved: ResolvedMasterOptions, onFailure: OnFailure) => Promise<T>,
): Promise<T> {
  const resolved = resolveMasterOptions(options);
  resolved.signal?.throwIfAborted();
  /** What is open, first opened first. */
  const closers: (() => unknown)[] = [];
  try {
    return await open(resolved, (close) => closers.push(close));
  } catch (error) {
    // Each of them reports by itself; the first error is what counts.
    for (const close of closers.reverse()) {
      await Promise.resolve(close()).catch(() => undefined);
    }
    throw toMasterServerError(error);
  }
}

async function openParts(
  options: ResolvedMasterOptions,
  onFailure: OnFailure,
): Promise<RunningMaster> {
  const { settings, logger } = options;
  const opened = await openCertificate(settings, options.stateDirectory, logger);
  const certificate = opened?.source;
  onFailure(() => certificate?.close());
  let giveApp: (app: MountedMaster["app"]) => void = () => undefined;
  const ready = new Promise<MountedMaster["app"]>((resolve) => {
    giveApp = resolve;
  });
  // Before the state, whose key is told at its first start only: an address that cannot be had, or
  // a stop, must not make a state that nobody has the key of. Who asks meanwhile waits.
  const server = await openHttpServer({
    listen: settings.listen,
    fetch: async (request, from) => (await ready).fetch(request, from),
    limits: options.limits,
    admits: apiVisitors(settings, logger),
    certificate,
    onError: (error) => logger.error({ error: describeFault(error) }, "server failed"),
  });
  onFailure(() => server.destroy());
  const master = await openCore(options, onFailure, {
    server: {
      close: () => server.close(),
      destroy() {
        server.destroy();
        certificate?.close();
      },
    },
    atRoot: true,
  });
  await keepCertificate(opened, logger);
  giveApp(master.app);
  const { address } = server;
  const shown = formatHostPort(address);
  const fingerprint = certificate?.current().fingerprint;
  logger.info({ address: shown, tls: settings.tls, fingerprint }, "master listening");
  if (certificate === undefined && isWildcard(address.host)) {
    logger.warn({ address: shown }, "no TLS on all interfaces: keys can be read on the way");
  }
  const url = apiUrl(
    reachableAddress(address, networkInterfaces()),
    settings.prefix,
    certificate !== undefined,
  );
  return {
    address,
    url,
    docsUrl: `${url}/docs`,
    dashboardUrl: master.issueSignIn === undefined ? undefined : new URL("/", url).href,
    signInUrl: () => {
      const token = master.issueSignIn?.();
      return token === undefined ? undefined : `${new URL("/", url)}#sign-in=${token}`;
    },
    get apiKey() {
      return master.apiKey;
    },
    freshKey: master.freshKey,
    get certificateFingerprint() {
      return certificate?.current().fingerprint;
    },
    started: master.started,
    become: (tunnels) => master.become(tunnels),
    close: (closing) => master.close(closing),
    destroy: () => master.destroy(),
    [Symbol.asyncDispose]: () => master.close(),
  };
}

/** What a master is served by. */
interface Serving {
  /** Told when to stop. */
  readonly server: StoppingParts["server"];
  /** Whether the dashboard is at `/`, too. */
  readonly atRoot: boolean;
}

/** All of a master but its server. */
async function openCore(
  options: ResolvedMasterOptions,
  onFailure: OnFailure,
  { server, atRoot }: Serving,
): Promise<MountedMaster & { issueSignIn: (() => string) | undefined }> {
  const { settings, environment, logger, signal } = options;
  signal?.throwIfAborted();
  const { store, state, fresh, movedIn } = await openState({
    directory: options.stateDirectory,
    importFile: options.importFile,
    goStateFiles: options.goStateFiles,
    backupIntervalMs: environment.reloadIntervalMs,
    logger,
  });
  onFailure(() => store.close());
  let useKeys: (keys: GivenKeys) => void = () => undefined;
  const keys = watchGivenKeys(options.keys, logger, (changed) => useKeys(changed));
  onFailure(() => keys.close());

  const { log, tls, crt, keyFile } = settings;
  const instances = createInstanceManager({
    store,
    state,
    environment,
    logger,
    workers: options.workers,
    ways: options.ways,
    masterDefaults: { log, tls, crt, keyFile },
    history: historyFiles(options.stateDirectory),
    // Dashboards translate the colours.
    formatLog: (entry) => formatLogLine(entry, { colour: true }),
  });
  onFailure(() => instances.destroy());
  const monitors = { system: createSystemMonitor(), process: createProcessMonitor() };
  onFailure(() => monitors.system.close());
  onFailure(() => monitors.process.close());

  const files = findSite(options);
  const service = createMasterService({ instances, store, settings, ...monitors });
  const api = createMasterApi({
    instances,
    master: service,
    prefix: settings.prefix,
    version: options.version,
    metricsInstances: options.metricsInstances,
    logger,
    remoteAddress,
    site: files && { files, atRoot },
    agents: settings.mcp === 0 ? undefined : findAgents(options),
  });
  onFailure(() => api.close());
  instances.identity.useKeys(keys.current);
  useKeys = (changed) => {
    instances.identity.useKeys(changed);
    api.endStreams();
  };
  const closeMonitors = (): void => {
    monitors.system.close();
    monitors.process.close();
    keys.close();
  };
  const extension = await options.extension?.({
    instances,
    ask: createAsk(api.app),
    prefix: settings.prefix,
    stateDirectory: options.stateDirectory,
    version: options.version,
    logger,
    info: () => service.info(),
    signal,
  });
  onFailure(() => extension?.destroy());
  const fileInstances = new FileInstances(instances, logger);
  let closing: Promise<void> | undefined;
  const close: MountedMaster["close"] = ({ timeoutMs = environment.shutdownTimeoutMs } = {}) => {
    const parts = { api, server, extension, instances, store };
    closing ??= stopMaster(parts, timeoutMs).finally(closeMonitors);
    return closing;
  };
  return {
    app: api.app,
    get apiKey() {
      return instances.identity.apiKey;
    },
    // A key that came along, or was given, is known to whoever uses it.
    freshKey: fresh && movedIn === undefined && keys.current.apiKey === undefined,
    started: instances.start(),
    become: (tunnels) => fileInstances.become(tunnels),
    issueSignIn: files && api.issueSignIn,
    close,
    destroy() {
      extension?.destroy();
      server.destroy();
      void api.close();
      instances.destroy();
      store.destroy();
      closeMonitors();
    },
    [Symbol.asyncDispose]: close,
  };
}

/** A master whose dashboard is not there is still a master. */
function findSite({ dashboard, logger }: ResolvedMasterOptions): Site | undefined {
  if (dashboard === undefined) return undefined;
  try {
    return openSite(dashboard);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    logger.warn({ reason }, "no dashboard");
    return undefined;
  }
}

/** What answers agents. */
function findAgents(options: ResolvedMasterOptions): AgentOptions {
  return { handler: createLazyAgents(options), origins: options.mcpOrigins };
}

/** Who asks: as our own server tells it, or as @hono/node-server does. */
function remoteAddress({ env }: Context): string | undefined {
  const given: unknown = env?.remoteAddress ?? env?.incoming?.socket?.remoteAddress;
  return typeof given === "string" ? given : undefined;
}

/** One that cannot be kept serves all the same, and is another one at the next start. */
async function keepCertificate(
  opened: OpenedCertificate | undefined,
  logger: Logger,
): Promise<void> {
  try {
    await opened?.keep();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    logger.warn({ reason }, "certificate not kept: its fingerprint will change");
  }
}

/** A fault of the program: where it happened is what somebody needs who looks for it. */
function describeFault(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
