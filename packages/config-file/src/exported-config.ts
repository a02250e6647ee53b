import type { ExportedService, FilePart, FilePolicy } from "./exported-service.ts";
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
 * What a file that describes instances, or a fleet's services, holds; as JSON it is one. Keys are in it.
 *
 * @example
 * JSON.stringify(exportedConfig([{ name: "web", url: "client://:1/:2", tags: {}, start: true }]));
 */
export function exportedConfig(instances: readonly (ExportedInstance | ExportedService)[]): {
  readonly tunnels: Readonly<Record<string, unknown>>;
} {
  const tunnels: Record<string, unknown> = {};
  for (const each of instances) {
    const more = {
      ...(Object.keys(each.tags).length > 0 && { tags: each.tags }),
      ...(!each.start && { start: false }),
    };
    tunnels[freeName(each.name, tunnels)] =
      "parts" in each ? serviceEntry(each, more) : instanceEntry(each.url, more);
  }
  return { tunnels };
}

function instanceEntry(url: string, more: object): unknown {
  return Object.keys(more).length === 0 ? quoted(url) : { url: quoted(url), ...more };
}

function serviceEntry({ parts, policy }: ExportedService, more: object): unknown {
  const ends = parts.length === 1 ? parts.map(partEntry)[0] : { pair: pairEntry(parts) };
  return { ...ends, ...more, ...policyEntry(policy) };
}

function pairEntry(parts: readonly FilePart[]): object {
  return Object.fromEntries(parts.map((part) => [part.role, partEntry(part)]));
}

function partEntry({ url, on, selector, spread }: FilePart): object {
  return {
    url: quoted(url),
    ...(on !== undefined && { on: quoted(on) }),
    ...(selector !== undefined && { selector }),
    ...(spread !== undefined && { spread }),
  };
}

function policyEntry({ failover = "off", ttl, failback }: FilePolicy): object {
  if (failover === "off") return {};
  return { failover, ...(ttl !== undefined && { ttl }), ...(failback === true && { failback }) };
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
