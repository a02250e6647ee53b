import { networkInterfaces } from "node:os";
import { createInstanceManager } from "@nodepass/instances";
import { formatLogLine } from "@nodepass/logging";
import { createMasterApi, type MasterApi } from "@nodepass/master-api";
import { formatHostPort } from "@nodepass/url-config";
import { apiUrl, reachableAddress } from "./addresses.ts";
import { toApiLogger } from "./api-logger.ts";
import { openHttpServer } from "./http/http-server.ts";
import {
  type ResolvedMasterOptions,
  type RunMasterOptions,
  resolveMasterOptions,
} from "./master-options.ts";
import { toMasterServerError } from "./master-server-error.ts";
import { openCertificate } from "./open-certificate.ts";
import { openState } from "./open-state.ts";
import type { RunningMaster } from "./running-master.ts";
import { composeService } from "./service/compose-service.ts";
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
  const certificate = await openCertificate(settings, logger);
  onFailure(() => certificate?.close());
  const apiLogger = toApiLogger(logger);
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
    onError: (error) => apiLogger.error({ error }, "server failed"),
  });
  onFailure(() => server.destroy());
  signal?.throwIfAborted();
  const { store, state, fresh } = await openState({
    directory: options.stateDirectory,
    backupIntervalMs: environment.reloadIntervalMs,
    logger,
  });
  onFailure(() => store.close());

  const { log, tls, crt, keyFile } = settings;
  const instances = createInstanceManager({
    store,
    state,
    environment,
    logger,
    workers: options.workers,
    ways: options.ways,
    masterDefaults: { log, tls, crt, keyFile },
    // Dashboards translate the colours.
    formatLog: (entry) => formatLogLine(entry, { colour: true }),
  });
  onFailure(() => instances.destroy());
  const monitors = { system: createSystemMonitor(), process: createProcessMonitor() };
  onFailure(() => monitors.system.close());
  onFailure(() => monitors.process.close());

  const api = createMasterApi({
    service: composeService({ instances, settings, ...monitors }),
    prefix: settings.prefix,
    version: options.version,
    logger: apiLogger,
  });
  onFailure(() => api.close());
  giveApi(api);
  logger.info({ address: formatHostPort(server.address), tls }, "master listening");

  const url = apiUrl(
    reachableAddress(server.address, networkInterfaces()),
    settings.prefix,
    certificate !== undefined,
  );
  const closeMonitors = (): void => {
    monitors.system.close();
    monitors.process.close();
    certificate?.close();
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
      return instances.apiKey();
    },
    freshKey: fresh,
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
