import {
  type Instance,
  KEY_INSTANCE_ID,
  type MasterIdentity,
  NO_COUNTERS,
  NO_META,
} from "@nodepass/model";
import { redact } from "@nodepass/url-config";

/** An instance as it is shown to who may only read: what its tunnel's key opens is not theirs. */
export function withoutKeys(instance: Instance): Instance {
  return { ...instance, url: redact(instance.url), config: redact(instance.config) };
}

/** A key is not started; any time does. */
const SINCE = "1970-01-01T00:00:00.000Z";

/**
 * The API key as an instance: clients find the key and the master's id in it.
 *
 * @param url the key; empty where it must not be told (event streams, which tickets open too,
 *   and whoever may only read)
 */
export function keyEntry({ masterId }: Pick<MasterIdentity, "masterId">, url: string): Instance {
  return {
    id: KEY_INSTANCE_ID,
    alias: "",
    type: "",
    status: "stopped",
    url,
    config: masterId,
    restart: false,
    meta: NO_META,
    mode: 0,
    ...NO_COUNTERS,
    link: "none",
    reason: "",
    since: SINCE,
    nextRetry: null,
    restingTargets: [],
  };
}
