import type { ConfiguredService, ExportedService, FilePart } from "@nodepass/config-file";
import { toDesiredService } from "@nodepass/desired-state/fleet";
import { MasterClientError } from "@nodepass/master-client";
import { findMaster } from "@nodepass/master-client/fleet";
import {
  FAILOVER_TTL,
  type FleetMaster,
  isLabelName,
  parseSelector,
  SelectorError,
  type Service,
} from "@nodepass/model/fleet";

/** What an entry says that no fleet takes, each with its place. */
export function serviceFaults({ name, parts, policy, origin }: ConfiguredService): string[] {
  const at = `${origin.file}:${origin.line}: tunnels.${name}`;
  const { min, max } = FAILOVER_TTL;
  const { ttl = FAILOVER_TTL.default } = policy;
  return [
    ...(ttl < min || ttl > max
      ? [`${at}.ttl: ${ttl} s is not valid (allowed: ${min} to ${max})`]
      : []),
    ...parts.flatMap(({ selector = "", spread }) => [
      ...selectorFault(selector).map((fault) => `${at}.selector: ${fault}`),
      ...(spread === undefined || isLabelName(spread)
        ? []
        : [`${at}.spread: ${JSON.stringify(spread)} is no label's name`]),
    ]),
  ];
}

function selectorFault(selector: string): string[] {
  try {
    parseSelector(selector);
    return [];
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    return [error.message];
  }
}

/** The ends of an entry with where each runs. @param show a URL for people */
export function shownParts({ parts }: ConfiguredService, show: (url: string) => string): string[] {
  return parts.map(({ url, on, selector = "" }) => {
    const place = on ?? (selector === "" ? "any master" : selector);
    return `${show(url)} on ${place}`;
  });
}

/** A service as it is to stand in a file, its masters by the names that mean them. */
export function toEntry(service: Service, masters: readonly FleetMaster[]): ExportedService {
  const { name, tags, start, policy, parts } = toDesiredService(service, masters);
  const { failover, ttl, failback } = policy;
  return {
    ...{ name, tags, start },
    policy: { failover, ttl, failback: failback === "healthy" },
    parts: parts.map(
      ({ master, ...part }): FilePart =>
        master === undefined ? part : { ...part, on: nameOf(master, masters) },
    ),
  };
}

function nameOf(mid: string, masters: readonly FleetMaster[]): string {
  const name = masters.find((master) => master.mid === mid)?.name ?? "";
  try {
    return /[=!,]/.test(name) || findMaster(masters, name).mid !== mid ? mid : name;
  } catch (error) {
    // None, or another's as well.
    if (error instanceof MasterClientError) return mid;
    throw error;
  }
}
