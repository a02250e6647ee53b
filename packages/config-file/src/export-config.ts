import { stringify } from "yaml";
import { NAME } from "./config-schema.ts";

/** An instance as it is to stand in a file. */
export interface ExportedInstance {
  /** Made a name that a file can have, and the only one of its kind. */
  readonly name: string;
  readonly url: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly start: boolean;
}

/** How the file is written. */
export interface ExportConfigOptions {
  /** JSON instead of YAML. @default false */
  readonly json?: boolean | undefined;
}

/**
 * The text of a file that describes the instances; `loadConfig` reads it. Keys are in it.
 *
 * @example
 * exportConfig([{ name: "web", url: "client://127.0.0.1:1/127.0.0.1:2?mode=1", tags: {}, start: true }]);
 */
export function exportConfig(
  instances: readonly ExportedInstance[],
  options: ExportConfigOptions = {},
): string {
  const tunnels: Record<string, unknown> = {};
  for (const { name, url, tags, start } of instances) {
    const plain = Object.keys(tags).length === 0 && start;
    tunnels[freeName(name, tunnels)] = plain
      ? quoted(url)
      : {
          url: quoted(url),
          ...(Object.keys(tags).length > 0 && { tags }),
          ...(!start && { start }),
        };
  }
  const config = { tunnels };
  return options.json === true
    ? `${JSON.stringify(config, undefined, 2)}\n`
    : stringify(config, {
        lineWidth: 0,
        defaultStringType: "QUOTE_DOUBLE",
        defaultKeyType: "PLAIN",
      });
}

/** A URL may hold what a file would take for a variable. */
function quoted(url: string): string {
  return url.replaceAll("${", () => "$${");
}

function freeName(wanted: string, taken: Readonly<Record<string, unknown>>): string {
  const name = wanted.replaceAll(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 60) || "tunnel";
  const base = NAME.test(name) ? name : "tunnel";
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? base : `${base}-${number}`;
    if (!Object.hasOwn(taken, candidate)) return candidate;
  }
}
