import { stringify } from "yaml";
import { type ExportedInstance, exportedConfig } from "./exported-config.ts";
import type { ExportedService } from "./exported-service.ts";

/** How the file is written. */
export interface ExportConfigOptions {
  /** JSON instead of YAML. @default false */
  readonly json?: boolean | undefined;
}

/**
 * The text of a file that describes instances, or a fleet's services; `loadConfig` reads it. Keys are in it.
 *
 * @example
 * exportConfig([{ name: "web", url: "client://127.0.0.1:1/127.0.0.1:2?mode=1", tags: {}, start: true }]);
 */
export function exportConfig(
  instances: readonly (ExportedInstance | ExportedService)[],
  options: ExportConfigOptions = {},
): string {
  const config = exportedConfig(instances);
  return options.json === true
    ? `${JSON.stringify(config, undefined, 2)}\n`
    : stringify(config, {
        lineWidth: 0,
        defaultStringType: "QUOTE_DOUBLE",
        defaultKeyType: "PLAIN",
      });
}
