import type { FleetMaster } from "@nodepass/model/fleet";
import { formatHostPort } from "@nodepass/url-config";

/** Where clients find masters: what the hub is told of its surroundings. */
export interface PublicPlaces {
  /** The hub's API as clients reach it: `https://hub.example/api`. */
  readonly url: URL;
  /** `{mid}.<suffix>` leads to a master; empty: there is no such name. */
  readonly suffix: string;
  /** Ports that are one master's each. */
  readonly ports: ReadonlyMap<string, number>;
  /** Where a master's API is below its root: `/api`. */
  prefixOf(mid: string): string;
}

/** A file that NodePassDash imports ("batch import"), version 2.0 of its form. */
export interface NodePassDashFile {
  readonly version: "2.0";
  readonly timestamp: string;
  readonly data: {
    readonly endpoints: readonly {
      readonly name: string;
      readonly url: string;
      readonly apiPath: string;
      readonly apiKey: string;
    }[];
  };
}

/**
 * The root of a master's URLs, with nothing behind the port: NodePassDash cuts URLs there, and takes
 * each root once only.
 *
 * @returns `undefined`: only the path form leads to it
 */
export function rootOf(mid: string, { url, suffix, ports }: PublicPlaces): string | undefined {
  const port = ports.get(mid);
  if (port !== undefined) {
    const host = url.hostname.replace(/^\[|\]$/g, "");
    return `${url.protocol}//${formatHostPort({ host, port })}`;
  }
  if (suffix === "") return undefined;
  return `${url.protocol}//${mid}.${suffix}${url.port === "" ? "" : `:${url.port}`}`;
}

/**
 * @param key what the dashboard is to show the hub: a fleet's token
 */
export function nodePassDashFile(
  masters: readonly FleetMaster[],
  places: PublicPlaces,
  options: { readonly key: string; readonly now: number },
): NodePassDashFile {
  const names = new Map<string, number>();
  for (const { name } of masters) names.set(name, (names.get(name) ?? 0) + 1);
  const endpoints = masters.flatMap(({ mid, name }) => {
    const url = rootOf(mid, places);
    if (url === undefined) return [];
    // It wants each name once, too.
    const shown = name === "" ? mid : names.get(name) === 1 ? name : `${name} ${mid}`;
    return [{ name: shown, url, apiPath: places.prefixOf(mid), apiKey: options.key }];
  });
  return { version: "2.0", timestamp: new Date(options.now).toISOString(), data: { endpoints } };
}
