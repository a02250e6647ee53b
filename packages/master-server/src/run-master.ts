import { networkInterfaces } from "node:os";
import { createInstanceManager, type GivenKeys } from "@nodepass/instances";
import { formatLogLine } from "@nodepass/logging";
import { createMasterApi, type MasterApi } from "@nodepass/master-api";
import type { Logger } from "@nodepass/model";
import { historyFiles } from "@nodepass/store";
import { formatHostPort, isWildcard } from "@nodepass/url-config";
import { apiUrl, reachableAddress } from "./addresses.ts";
import { watchGivenKeys } from "./given-keys.ts";
import { openHttpServer } from "./http/http-server.ts";
import {
  type ResolvedMasterOptions,
  type RunMasterOptions,
  resolveMasterOptions,
} from "./master-options.ts";
import { toMasterServerError } from "./master-server-error.ts";
import { type OpenedCertificate, openCertificate } from "./open-certificate.ts";
import { openState } from "./open-state.ts";
import type { RunningMaster } from "./running-master.ts";
import { createMasterService } from "./service/master-service.ts";
import { createProcessMonitor } from "./service/process-figures.ts";
import { stopMaster } from "./stop-master.ts";
import { createSystemMonitor } from "./system/system-monitor.ts";

/**
 * Runs a whole master: state, instances, API. It answers when this resolves; its instances start
 * beside that.
 *
 * @throws {MasterServerError} `STATE_LOCKED`, `STATE_UNUSABLE`, `ADDRESS_IN_USE`,
 * `ADDRESS_UNUSABLE`, `CERTIFICATE_INVALID`, `INVALID_OPTIONS`
 */
export async function runMaster(options: RunMasterOptions): Promise<RunningMaster> {
  const resolved = resolveMasterOptions(options);
  resolved.signal?.throwIfAborted();
  /** What is open, first opened first. */
  const closers: (() => unknown)[] = [];
  try {
    return await openParts(resolved, (close) => closers.push(close));
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
  onFailure: (close: () => unknown) => void,
): Promise<RunningMaster> {
  const { settings, environment, logger, signal } = options;
  let useKeys: (keys: GivenKeys) => void = () => undefined;
  const keys = watchGivenKeys(options.keys, logger, (changed) => useKeys(changed));
  onFailure(() => keys.close());
  const opened = await openCertificate(settings, options.stateDirectory, logger);
  const certificate = opened?.source;
  onFailure(() => certificate?.close());
  let giveApi: (api: MasterApi) => void = () => undefined;
  const ready = new Promise<MasterApi>((resolve) => {
    giveApi = resolve;
  });
  // Before the state, whose key is told at its first start only: an address that cannot be had, or
  // a stop, must not make a state that nobody has the key of. Who asks meanwhile waits.
  const server = await openHttpServer({
    listen: settings.listen,
    fetch: async (request, from) => (await ready).app.fetch(request, from),
    limits: options.limits,
    certificate,
    onError: (error) => logger.error({ error: describeFault(error) }, "server failed"),
  });
  onFailure(() => server.destroy());
  signal?.throwIfAborted();
  const { store, state, fresh } = await openState({
    directory: options.stateDirectory,
    backupIntervalMs: environment.reloadIntervalMs,
    logger,
  });
  onFailure(() => store.close());
  await keepCertificate(opened, logger);

  const { log, tls, crt, keyFile } = settings;
  const instances = createInstanceManager({
    store,
    state,
    environment,
    logger,
    workers: options.workers,
    masterDefaults: { log, tls, crt, keyFile },
    history: historyFiles(options.stateDirectory),
    // Dashboards translate the colours.
    formatLog: (entry) => formatLogLine(entry, { colour: true }),
  });
  onFailure(() => instances.destroy());
  const monitors = { system: createSystemMonitor(), process: createProcessMonitor() };
  onFailure(() => monitors.system.close());
  onFailure(() => monitors.process.close());

  const api = createMasterApi({
    instances,
    master: createMasterService({ instances, store, settings, ...monitors }),
    prefix: settings.prefix,
    version: options.version,
    logger,
  });
  onFailure(() => api.close());
  instances.identity.useKeys(keys.current);
  useKeys = (changed) => {
    instances.identity.useKeys(changed);
    api.endStreams();
  };
  giveApi(api);
  const fingerprint = certificate?.current().fingerprint;
  const address = formatHostPort(server.address);
  logger.info({ address, tls, fingerprint }, "master listening");
  if (certificate === undefined && isWildcard(server.address.host)) {
    logger.warn({ address }, "no TLS on all interfaces: keys can be read on the way");
  }

  const url = apiUrl(
    reachableAddress(server.address, networkInterfaces()),
    settings.prefix,
    certificate !== undefined,
  );
  const closeMonitors = (): void => {
    monitors.system.close();
    monitors.process.close();
    certificate?.close();
    keys.close();
  };
  let closing: Promise<void> | undefined;
  const close: RunningMaster["close"] = ({ timeoutMs = environment.shutdownTimeoutMs } = {}) => {
    closing ??= stopMaster({ api, server, instances, store }, timeoutMs).finally(closeMonitors);
    return closing;
  };
  return {
    address: server.address,
    url,
    docsUrl: `${url}/docs`,
    get apiKey() {
      return instances.identity.apiKey;
    },
    freshKey: fresh && keys.current.apiKey === undefined,
    get certificateFingerprint() {
      return certificate?.current().fingerprint;
    },
    started: instances.start(),
    close,
    destroy() {
      server.destroy();
      void api.close();
      instances.destroy();
      store.destroy();
      closeMonitors();
    },
    [Symbol.asyncDispose]: close,
  };
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
