import { arch, availableParallelism, endianness, hostname, platform } from "node:os";
import type { InstanceManager } from "@nodepass/instances";
import type { MasterInfo, MasterService } from "@nodepass/master-api";
import { NameCache } from "@nodepass/tunnel-core";
import type { MasterSettings } from "@nodepass/url-config";
import { architectureName, systemName } from "../system/platform-name.ts";
import type { SystemMonitor } from "../system/system-monitor.ts";
import type { ProcessMonitor } from "./process-figures.ts";
import { tcping } from "./tcping.ts";

/** How long `tcping` uses an address that works, ms: the default of a tunnel's `dns`. */
const NAMES_MS = 300_000;

/** What the API's service is made of. */
export interface ServiceParts {
  readonly instances: InstanceManager;
  readonly settings: MasterSettings;
  readonly system: SystemMonitor;
  readonly process: ProcessMonitor;
}

/** Makes one service of the instances and what the master knows of itself and its host. */
export function composeService(parts: ServiceParts): MasterService {
  const { instances, settings, system } = parts;
  const startedAt = performance.now();
  const names = new NameCache({ ttlMs: NAMES_MS });
  const unchanging = {
    mid: instances.masterId(),
    os: systemName(platform()),
    arch: architectureName(arch(), endianness()),
    noc: availableParallelism(),
    log: settings.log,
    tls: toText(settings.tls),
    crt: settings.tls === 2 ? (settings.crt ?? "") : "",
    key: settings.tls === 2 ? (settings.keyFile ?? "") : "",
  };
  const info = (): MasterInfo => ({
    ...unchanging,
    ...system.figures(),
    alias: instances.alias(),
    name: hostname(),
    uptime: Math.floor((performance.now() - startedAt) / 1000),
  });

  return {
    list: () => instances.list(),
    get: (id) => instances.get(id),
    create: (instance) => instances.create(instance),
    update: (id, change) => instances.update(id, change),
    replaceUrl: (id, url) => instances.replaceUrl(id, url),
    remove: (id) => instances.remove(id),
    masterId: () => instances.masterId(),
    apiKey: () => instances.apiKey(),
    verifyKey: (candidate) => instances.verifyKey(candidate),
    renewKey: () => instances.renewKey(),
    info,
    async setAlias(alias) {
      await instances.setAlias(alias);
      return info();
    },
    tcping: (host, port, signal) => tcping(names, host, port, signal),
    subscribe: (listener) => instances.subscribe(listener),
    processMetrics() {
      const { workers, workerRestarts } = instances.metrics();
      return { ...parts.process.figures(), workers, workerRestarts };
    },
  };
}

function toText(tls: MasterSettings["tls"]): "0" | "1" | "2" {
  return tls === 0 ? "0" : tls === 1 ? "1" : "2";
}
