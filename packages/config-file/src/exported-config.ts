import { NAME } from "./tunnel-name.ts";

/** An instance as it is to stand in a file. */
export interface ExportedInstance {
  /** Made a name that a file can have, and the only one of its kind. */
  readonly name: string;
  readonly url: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly start: boolean;
}

/**
 * What a file that describes the instances holds; as JSON it is one. Keys are in it.
 *
 * @example
 * JSON.stringify(exportedConfig([{ name: "web", url: "client://:1/:2", tags: {}, start: true }]));
 */
export function exportedConfig(instances: readonly ExportedInstance[]): {
  readonly tunnels: Readonly<Record<string, unknown>>;
} {
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
  return { tunnels };
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
