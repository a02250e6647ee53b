import type { FleetMaster, MasterStatus } from "@nodepass/model/fleet";
import type { Style } from "../output/colour.ts";
import type { TableColumn } from "../output/table.ts";
import { plainText } from "../output/terminal-text.ts";
import { formatBytes, formatSeconds } from "../output/units.ts";

/** Names and values, as `name=value` or `name` alone. */
export function shownLabels(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => plainText(value === "" ? name : `${name}=${value}`))
    .join(" ");
}

function shownStatus(status: MasterStatus, style: Style): string {
  if (status === "online") return style.green(status);
  return status === "lost" ? style.red(status) : style.yellow(status);
}

function shownInstances({ instances }: FleetMaster, style: Style): string {
  const { running, stopped, error } = instances;
  const failing = error === 0 ? "" : style.red(` ${error} in error`);
  return `${running} of ${running + stopped + error}${failing}`;
}

function shownTraffic({ traffic }: FleetMaster): string {
  const { tcprx, tcptx, udprx, udptx } = traffic;
  return formatBytes(tcprx + tcptx + udprx + udptx);
}

/** How long ago a time was. */
function shownAge(time: string | null, nowMs: number): string {
  const ms = time === null ? Number.NaN : nowMs - Date.parse(time);
  return Number.isNaN(ms) ? "never" : `${formatSeconds(ms / 1000)} ago`;
}

/** What a person should know beside the status. */
function shownNotes({ draining, duplicate, drift }: FleetMaster): string {
  return [
    ...(draining ? ["draining"] : []),
    ...(duplicate ? ["twice: another process has its identity"] : []),
    ...(drift > 0 ? [`${drift} not as the fleet says`] : []),
  ].join(", ");
}

/** The columns of `nodepass fleet ls`. */
export function masterColumns(style: Style, nowMs: number): TableColumn<FleetMaster>[] {
  const orDash = (text: string) => text || style.dim("-");
  return [
    { title: "NAME", cell: ({ name }) => orDash(plainText(name)) },
    { title: "MID", cell: ({ mid }) => plainText(mid) },
    { title: "LABELS", cell: ({ labels }) => orDash(shownLabels(labels)), dropOrder: 2 },
    { title: "VERSION", cell: ({ version }) => orDash(plainText(version)), dropOrder: 1 },
    { title: "STATUS", cell: ({ status }) => shownStatus(status, style) },
    { title: "INSTANCES", cell: (master) => shownInstances(master, style) },
    { title: "TRAFFIC", cell: shownTraffic, align: "right" },
    { title: "LAST WORD", cell: ({ lastSeen }) => shownAge(lastSeen, nowMs) },
    { title: "NOTE", cell: (master) => orDash(shownNotes(master)), hideIfEmpty: "-" },
  ];
}

/** Names and values of all that there is to say about a master. */
export function describeMaster(
  master: FleetMaster,
  style: Style,
  nowMs: number,
): [string, string][] {
  const { mid, name, address, joined, version, allow, parts, cpu, memory, traffic } = master;
  const optional = (title: string, value: string): [string, string][] =>
    value === "" ? [] : [[title, plainText(value)]];
  return [
    ["mid", plainText(mid)],
    ...optional("name", name),
    ["status", shownStatus(master.status, style)],
    ["last word", shownAge(master.lastSeen, nowMs)],
    ...optional("note", shownNotes(master)),
    ...optional("labels", shownLabels(master.labels)),
    ...optional("address", address),
    ["joined", plainText(joined)],
    ...optional("version", version),
    ["accepts", allow.join(", ") || "nothing"],
    ["instances", shownInstances(master, style)],
    ["parts of services", String(parts)],
    ["received", formatBytes(traffic.tcprx + traffic.udprx)],
    ["sent", formatBytes(traffic.tcptx + traffic.udptx)],
    ...optional("CPU", cpu < 0 ? "" : `${cpu} %`),
    ["memory", formatBytes(memory)],
  ];
}
