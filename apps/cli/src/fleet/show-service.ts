import type { FleetMaster, PartRole, Service, ServicePart } from "@nodepass/model/fleet";
import { redact } from "@nodepass/url-config";
import type { Style } from "../output/colour.ts";
import { type ShowOptions, shownUrl } from "../output/show-instance.ts";
import type { TableColumn } from "../output/table.ts";
import { plainText } from "../output/terminal-text.ts";

/** What people call a master, by its mid. */
export type MasterNames = (mid: string) => string;

/** Names of these masters; a mid where there is none. */
export function namesOf(masters: readonly FleetMaster[]): MasterNames {
  const names = new Map(masters.map(({ mid, name }) => [mid, name]));
  return (mid) => plainText(names.get(mid) || mid);
}

/** The service as the hub sent it, with the keys in its URLs hidden unless asked for. */
export function serviceToJson(service: Service, { showKey }: ShowOptions): Service {
  if (showKey === true) return service;
  return { ...service, parts: service.parts.map((part) => ({ ...part, url: redact(part.url) })) };
}

/** The state of a part in its colour. */
function shownState({ state, running }: ServicePart, style: Style): string {
  if (state === "applied") return running ? style.green("runs") : style.dim("stopped");
  return state === "failed" || state === "unreachable" ? style.red(state) : style.yellow(state);
}

function shownPart(part: ServicePart, style: Style, names: MasterNames): string {
  const owner = part.owner === null ? "nobody" : names(part.owner);
  return `${owner} ${shownState(part, style)}`;
}

function shownPolicy({ policy }: Service): string {
  return policy.failover === "off" ? "off" : `${policy.failover} ${policy.ttl}s`;
}

/** The columns of `nodepass fleet ls services`. */
export function serviceColumns(style: Style, names: MasterNames): TableColumn<Service>[] {
  const orDash = (text: string) => text || style.dim("-");
  const end = (role: PartRole) => (service: Service) =>
    orDash(
      service.parts
        .filter((part) => part.role === role)
        .map((part) => shownPart(part, style, names))
        .join(", "),
    );
  return [
    { title: "ALIAS", cell: ({ alias }) => orDash(plainText(alias)) },
    { title: "SID", cell: ({ sid }) => plainText(sid) },
    { title: "SERVER", cell: end("server"), hideIfEmpty: "-" },
    { title: "CLIENT", cell: end("client"), hideIfEmpty: "-" },
    { title: "FAILOVER", cell: shownPolicy },
    { title: "CHANGED", cell: ({ changed }) => plainText(changed), dropOrder: 1 },
    {
      title: "NOTE",
      cell: ({ parts }) =>
        orDash(
          plainText(parts.flatMap(({ reason }) => (reason === "" ? [] : [reason])).join("; ")),
        ),
      hideIfEmpty: "-",
    },
  ];
}

/** Names and values of all that there is to say about a service. */
export function describeService(
  service: Service,
  style: Style,
  options: ShowOptions & { readonly names: MasterNames },
): [string, string][] {
  const { names } = options;
  const tags = Object.entries(service.tags).map(([name, value]) => `${name}=${value}`);
  const optional = (title: string, value: string): [string, string][] =>
    value === "" ? [] : [[title, plainText(value)]];
  return [
    ["sid", plainText(service.sid)],
    ...optional("alias", service.alias),
    ...optional("tags", tags.join(" ")),
    ["failover", shownPolicy(service)],
    ...optional("failback", service.policy.failback === "never" ? "" : service.policy.failback),
    ["changed", plainText(`${service.changed} by ${service.by}`)],
    ["revision", plainText(service.revision)],
    ...service.parts.flatMap((part): [string, string][] => [
      [part.role, shownPart(part, style, names)],
      ...optional("  reason", part.reason),
      ["  url", shownUrl(part.url, options)],
      ...optional("  may be on", part.selector),
      ...optional("  instance", part.instance ?? ""),
      ["  epoch", String(part.epoch)],
    ]),
  ];
}

/** A service in a sentence: its sid, and its alias if it has one. */
export function shownService({ sid, alias }: Service): string {
  return plainText(alias === "" ? sid : `${sid} (${alias})`);
}
