import { exportedConfig } from "@nodepass/config-file/exported";
import { toDesired } from "@nodepass/desired-state";
import type { RemoteInstance } from "@nodepass/master-client";

/** A file that describes instances, for `nodepass apply` and `nodepass run`; keys are in it. */
export function exportText(instances: readonly RemoteInstance[]): string {
  return `${JSON.stringify(exportedConfig(instances.map(toDesired)), undefined, 2)}\n`;
}
