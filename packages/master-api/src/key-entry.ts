import {
  type Instance,
  KEY_INSTANCE_ID,
  type MasterIdentity,
  NO_COUNTERS,
  NO_META,
} from "@nodepass/model";

/**
 * The API key as an instance: clients find the key and the master's id in it.
 *
 * @param url the key; empty where it must not be told (event streams, which tickets open too)
 */
export function keyEntry({ masterId }: MasterIdentity, url: string): Instance {
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
  };
}
