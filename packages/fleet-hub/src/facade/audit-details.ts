import type { PartRecord, ServiceRecord } from "@nodepass/fleet-protocol";
import type { Move, NewService, ServiceChange, ServicePolicy } from "@nodepass/model/fleet";
import { redact } from "@nodepass/url-config";
import { roleOf } from "../services/part-url.ts";

/** Name of a master by its mid, for people. */
type NameOf = (mid: string) => string;

const joined = (texts: readonly string[]) => texts.filter((text) => text !== "").join(", ");
const shownName = (alias: string) => (alias === "" ? "no alias" : alias);
const shownPolicy = ({ failover, ttl, failback }: ServicePolicy) =>
  failover === "off" ? "" : `failover ${failover} ${ttl} s, failback ${failback}`;
const shownTags = (tags: Readonly<Record<string, string>>) =>
  Object.keys(tags).length === 0 ? "" : `tags ${JSON.stringify(tags)}`;
const shownPlace = (mid: string | null, nameOf: NameOf) => (mid === null ? "nobody" : nameOf(mid));

/** A new service, as it was asked for; keys are hidden. */
export function describeNewService({ alias, tags, policy, parts }: NewService): string {
  const asked = parts.map(({ role, url, master, selector, running }) =>
    [
      role ?? schemeOf(url),
      redact(url),
      `on ${master ?? (selector || "any master")}`,
      ...(running ? [] : ["stopped"]),
    ].join(" "),
  );
  return joined([shownName(alias), ...asked, shownTags(tags), shownPolicy(policy)]);
}

/** What a change makes of a service: each thing that differs, from what to what; keys are hidden. */
export function describeChange(record: ServiceRecord, change: ServiceChange): string {
  const { alias, tags, policy, parts = [] } = change;
  return joined([
    shownName(record.alias),
    alias === undefined || alias === record.alias ? "" : `alias ${alias === "" ? '""' : alias}`,
    tags === undefined || shownTags(tags) === shownTags(record.tags)
      ? ""
      : shownTags(tags) || "no tags",
    ...Object.entries(policy ?? {}).map(([name, value]) => {
      const before = record.policy[name as keyof ServicePolicy];
      return value === undefined || value === before ? "" : `${name} ${before} -> ${value}`;
    }),
    ...parts.map(({ role, url, running, selector }) => {
      const at = record.parts.findIndex((part) => role === undefined || part.role === role);
      const part = record.parts[at];
      if (part === undefined) return "";
      const before = redact(part.url);
      const after = url === undefined ? before : redact(url);
      // A new key alone looks the same on both sides.
      const isOther = url !== undefined && url !== part.url;
      const shown = after === before ? "another key" : `${before} -> ${after}`;
      const all = joined([
        running === undefined || running === part.running ? "" : running ? "start" : "stop",
        isOther ? shown : "",
        selector === undefined || selector === part.sel
          ? ""
          : `selector ${JSON.stringify(part.sel)} -> ${JSON.stringify(selector)}`,
      ]);
      return all === "" ? "" : `${part.role}: ${all}`;
    }),
  ]);
}

/** A move, with the masters that have the part and shall have it. */
export function describeMove(
  record: ServiceRecord,
  { part, to, selector, force }: Move,
  nameOf: NameOf,
): string {
  const moved = record.parts.find(({ role }) => part === undefined || role === part);
  const from = shownPlace(moved?.owner ?? null, nameOf);
  const target = to ?? ((selector ?? moved?.sel) || "any master");
  const how = force ? ", by force" : "";
  return `${shownName(record.alias)}, ${moved?.role ?? ""} from ${from} to ${target}${how}`;
}

/** Where the parts of a service are, and with which URLs; keys are hidden. */
export function describeParts({ parts }: ServiceRecord, nameOf: NameOf): string {
  return joined(parts.map((part) => describePart(part, nameOf)));
}

function describePart({ role, owner, to, url, running }: PartRecord, nameOf: NameOf): string {
  const where = owner === null && to !== null ? `on its way to ${nameOf(to)}` : "";
  const place = where || `on ${shownPlace(owner, nameOf)}`;
  return `${role} ${redact(url)} ${place}${running ? "" : " stopped"}`;
}

/** What is no tunnel's URL is refused later, with the reason. */
function schemeOf(url: string): string {
  try {
    return roleOf(url);
  } catch {
    return "";
  }
}
