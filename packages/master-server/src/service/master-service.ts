import { arch, availableParallelism, endianness, hostname, platform } from "node:os";
import type { InstanceManager } from "@nodepass/instances";
import type { ProcessMonitor } from "@nodepass/metrics";
import type { MasterInfo, MasterService } from "@nodepass/model";
import type { StateStore } from "@nodepass/store";
import { NameCache } from "@nodepass/tunnel-core";
import type { MasterSettings } from "@nodepass/url-config";
import { architectureName, systemName } from "../system/platform-name.ts";
import type { SystemMonitor } from "../system/system-monitor.ts";
import { tcping } from "./tcping.ts";

/** How long `tcping` uses an address that works, ms: the default of a tunnel's `dns`. */
const NAMES_MS = 300_000;

/** What a master knows itself by. */
export interface MasterServiceParts {
  readonly instances: Pick<InstanceManager, "identity" | "metrics">;
  readonly store: Pick<StateStore, "failure">;
  readonly settings: MasterSettings;
  readonly system: SystemMonitor;
  readonly process: ProcessMonitor;
}

/** This master and its host, as its API tells of them. */
export function createMasterService(parts: MasterServiceParts): MasterService {
  const { instances, settings, system } = parts;
  const { identity } = instances;
  const startedAt = performance.now();
  const names = new NameCache({ ttlMs: NAMES_MS });
  const unchanging = {
    os: systemName(platform()),
    arch: architectureName(arch(), endianness()),
    noc: availableParallelism(),
    log: settings.log,
    tls: toText(settings.tls),
    crt: settings.tls === 2 ? (settings.crt ?? "") : "",
    key: settings.tls === 2 ? (settings.keyFile ?? "") : "",
  };
  const info = async (): Promise<MasterInfo> => ({
    ...unchanging,
    ...system.figures(),
    mid: identity.masterId,
    alias: identity.alias,
    name: hostname(),
    uptime: Math.floor((performance.now() - startedAt) / 1000),
  });

  return {
    identity: async () => ({
      masterId: identity.masterId,
      apiKey: identity.apiKey,
      readKey: identity.readKey,
    }),
    verifyKey: async (candidate) => identity.verifyKey(candidate),
    renewKey: (access) => identity.renewKey(access),
    info,
    async setAlias(alias) {
      await identity.setAlias(alias);
      return info();
    },
    tcping: (host, port, signal) => tcping(names, host, port, signal),
    async processMetrics() {
      const { workers, workerRestarts } = instances.metrics();
      return { ...parts.process.figures(), workers, workerRestarts };
    },
    readiness: async () => ({
      state: parts.store.failure === undefined,
      workers: instances.metrics().workersAway === 0,
    }),
  };
}

function toText(tls: MasterSettings["tls"]): "0" | "1" | "2" {
  return tls === 0 ? "0" : tls === 1 ? "1" : "2";
}
