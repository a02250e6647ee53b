import { isMemberId } from "@nodepass/fleet-protocol";

/** A master that a request is for, and what is asked of it. */
export interface FoundMaster {
  /** As the URL says it; for a host name in lower case. Not checked. */
  readonly mid: string;
  /** Path and query as they go to the master; begins with a slash. */
  readonly target: string;
  /** It shares its origin with the hub's own pages. */
  readonly underPath: boolean;
}

/** How masters are addressed. */
export interface MasterPlaces {
  /** Of the hub's API: `/masters/{mid}/…` below it, and below its `/v1`. */
  readonly prefix: string;
  /** `{mid}.<suffix>` is a master's host name; empty: none is. Lower case, without a port. */
  readonly suffix: string;
}

/**
 * The master that a URL names by its host or its path.
 *
 * @param url normalised, as a `Request` has it
 * @returns `undefined`: the hub itself is asked
 */
export function findMaster(url: string, { prefix, suffix }: MasterPlaces): FoundMaster | undefined {
  const { hostname, pathname, search } = new URL(url);
  const host = hostname.replace(/\.$/, "");
  if (suffix !== "" && host.endsWith(`.${suffix}`)) {
    const mid = host.slice(0, -suffix.length - 1);
    // Other names below the suffix may be the hub's own.
    if (isMemberId(mid)) return { mid, target: pathname + search, underPath: false };
  }
  for (const place of [`${prefix}/v1/masters/`, `${prefix}/masters/`]) {
    if (!pathname.startsWith(place)) continue;
    const rest = pathname.slice(place.length);
    const slash = rest.indexOf("/");
    const mid = slash === -1 ? rest : rest.slice(0, slash);
    return { mid, target: rest.slice(mid.length) + search, underPath: true };
  }
  return undefined;
}
