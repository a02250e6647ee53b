import {
  type Instance,
  type InstanceMeta,
  type InstanceOrigin,
  type InstanceRecord,
  totalsOf,
} from "@nodepass/model";
import type { InstanceUrl } from "./instance-url.ts";
import type { QuotaMeter } from "./quota/quota-meter.ts";
import type { TunnelLife } from "./tunnel-life.ts";

/** Longest reason shown, in UTF-16 units: an event must stay small. */
const MAX_REASON = 512;

/** What makes up an instance. */
export interface InstanceParts {
  readonly record: InstanceRecord;
  /** While a URL is being replaced, the record has the new one already. */
  readonly shown: Pick<InstanceRecord, "url" | "type">;
  readonly life: TunnelLife;
  /** `undefined` if it cannot be read any more. */
  readonly url: InstanceUrl | undefined;
  readonly quota: QuotaMeter | undefined;
  readonly origin: InstanceOrigin | undefined;
}

/** The instance as the API shows it, now. */
export function viewInstance({ record, shown, life, url, quota, origin }: InstanceParts): Instance {
  const { live } = life;
  return {
    id: record.id,
    alias: record.alias,
    type: shown.type,
    status: life.status,
    url: shown.url,
    config: url?.config ?? shown.url,
    restart: record.restart,
    meta: copyMeta(record.meta),
    mode: live.mode || (url?.settings.mode ?? 0),
    ...live.counters,
    ...totalsOf((name) => record[name]),
    link: live.link,
    reason: (life.reason ?? "").slice(0, MAX_REASON),
    since: new Date(life.since).toISOString(),
    nextRetry: life.retryAt === undefined ? null : new Date(life.retryAt).toISOString(),
    restingTargets: live.restingTargets,
    ...(url !== undefined && hasSeveralPeers(url.settings) && { peers: live.peers }),
    ...(quota !== undefined && { quota: quota.view }),
    ...(origin !== undefined && { origin }),
  };
}

function hasSeveralPeers(settings: InstanceUrl["settings"]): boolean {
  return settings.scheme === "server" ? settings.clients > 1 : settings.otherServers.length > 0;
}

function copyMeta({ peer, tags }: InstanceMeta): InstanceMeta {
  return { peer: { ...peer }, tags: { ...tags } };
}
