import { ownTags } from "@nodepass/model";
import {
  type FleetMaster,
  isSelected,
  parseSelector,
  type Service,
  type ServicePart,
} from "@nodepass/model/fleet";
import { formatHostPort, joinUrl, parseTunnelUrlLenient, splitUrl } from "@nodepass/url-config";
import { nameOf } from "../desired-state.ts";
import type { DesiredPart, DesiredService } from "./service-host.ts";

/**
 * A service as something that shall be, for a file: without the marks of who brought it. A pair is without
 * its key, and its client without its server's address: the hub knows them, and they change when an end is
 * moved or taken over.
 *
 * @example
 * const services = (await fleet.services()).map((each) => toDesiredService(each, masters));
 */
export function toDesiredService(
  service: Service,
  masters: readonly Pick<FleetMaster, "mid" | "labels" | "address">[],
): DesiredService {
  const { sid, tags, policy, parts } = service;
  return {
    name: nameOf({ ...service, id: sid }),
    tags: ownTags(tags),
    policy,
    start: parts.some(({ running }) => running),
    parts: parts.map((part): DesiredPart => {
      const owner = masters.find(({ mid }) => mid === part.owner);
      const isThere = owner !== undefined && isSelected(owner.labels, parseSelector(part.selector));
      // One that was placed by name, or was moved away from where it may be placed, is where it is.
      const isNamed = part.owner !== null && (part.selector === "" || !isThere);
      return {
        role: part.role,
        url: parts.length === 1 ? part.url : pairUrl(part, parts, masters),
        ...(isNamed && part.owner !== null && { master: part.owner }),
        ...((part.selector !== "" || !isNamed) && { selector: part.selector }),
      };
    }),
  };
}

function pairUrl(
  { role, url }: ServicePart,
  parts: readonly ServicePart[],
  masters: readonly Pick<FleetMaster, "mid" | "address">[],
): string {
  const written = splitUrl(url);
  const server = parts.find((part) => part.role === "server");
  const host = masters.find(({ mid }) => mid === server?.owner)?.address ?? "";
  const isDialled =
    role === "client" &&
    server !== undefined &&
    host !== "" &&
    written.authority === formatHostPort({ host, port: tunnelPortOf(server.url) });
  const authority = isDialled ? "auto" : written.authority;
  return joinUrl({ ...written, userInfo: undefined, authority });
}

function tunnelPortOf(url: string): number {
  return parseTunnelUrlLenient(url).settings.tunnel.port;
}
