import type { RemoteInstance } from "@nodepass/master-client";
import { redact } from "@nodepass/url-config";
import type { Style } from "./colour.ts";
import type { TableColumn } from "./table.ts";
import { plainText } from "./terminal-text.ts";
import { formatBytes, formatSeconds } from "./units.ts";

/** How instances are shown. */
export interface ShowOptions {
  /** Leave the tunnel's key in URLs. */
  readonly showKey?: boolean | undefined;
  /** Show more columns. */
  readonly wide?: boolean | undefined;
}

/** The instance as the master sent it, with the keys in its URLs hidden unless asked for. */
export function toJson(instance: RemoteInstance, { showKey }: ShowOptions): unknown {
  if (showKey === true) return instance.raw;
  const hide = (value: unknown) => (typeof value === "string" ? redact(value) : value);
  const { url, config, ...rest } = instance.raw;
  return {
    ...rest,
    ...(url === undefined ? {} : { url: hide(url) }),
    ...(config === undefined ? {} : { config: hide(config) }),
  };
}

/** A URL as people see it. */
export function shownUrl(url: string, { showKey }: ShowOptions): string {
  return plainText(showKey === true ? url : redact(url));
}

/** A status in its colour. */
export function shownStatus(status: string, style: Style): string {
  if (status === "running") return style.green(status);
  return status === "error" ? style.red(status) : style.dim(plainText(status));
}

/** What is known beside the status: a tunnel that waits for its peer, or why it fails. */
function shownState({ status, link, reason }: RemoteInstance): string {
  if (status === "running") return link === "down" ? "waits for its peer" : "";
  return status === "error" ? plainText(reason) : "";
}

/** Since when it fails and when it is tried again; empty where a master does not tell. */
export function shownRetry({ status, since, nextRetry }: RemoteInstance, nowMs: number): string {
  if (status !== "error") return "";
  const ago = nowMs - Date.parse(since);
  const ahead = nextRetry === undefined ? Number.NaN : Date.parse(nextRetry) - nowMs;
  return [
    ...(Number.isNaN(ago) ? [] : [`since ${plainText(since)} (${formatSeconds(ago / 1000)})`]),
    ...(Number.isNaN(ahead) ? [] : [`tried again in ${formatSeconds(Math.ceil(ahead / 1000))}`]),
  ].join(", ");
}

/** Round trip to the peer; masters tell 0 while they don't know it. */
export function shownPing({ ping, status }: RemoteInstance): string {
  return status === "running" && ping > 0 ? `${ping} ms` : "-";
}

/** The columns of `nodepass ls`. */
export function listColumns(style: Style, options: ShowOptions): TableColumn<RemoteInstance>[] {
  return [
    { title: "ID", cell: ({ id }) => plainText(id) },
    { title: "ALIAS", cell: ({ alias }) => plainText(alias) || style.dim("-") },
    { title: "TYPE", cell: ({ type }) => plainText(type) },
    { title: "STATUS", cell: ({ status }) => shownStatus(status, style) },
    { title: "TCP", cell: ({ tcps }) => String(tcps), align: "right" },
    { title: "UDP", cell: ({ udps }) => String(udps), align: "right" },
    { title: "POOL", cell: ({ pool }) => String(pool), align: "right" },
    { title: "PING", cell: shownPing, align: "right" },
    { title: "RX", cell: ({ tcprx, udprx }) => formatBytes(tcprx + udprx), align: "right" },
    { title: "TX", cell: ({ tcptx, udptx }) => formatBytes(tcptx + udptx), align: "right" },
    { title: "NOTE", cell: (instance) => shownState(instance) || style.dim("-"), hideIfEmpty: "-" },
    ...(options.wide === true ? wideColumns(style) : []),
    { title: "URL", cell: ({ url }) => shownUrl(url, options), dropOrder: 1 },
  ];
}

function wideColumns(style: Style): TableColumn<RemoteInstance>[] {
  const orDash = (text: string) => plainText(text) || style.dim("-");
  return [
    { title: "SINCE", cell: ({ since }) => orDash(since) },
    { title: "RESTART", cell: ({ restart }) => (restart ? "yes" : "no") },
    { title: "TAGS", cell: ({ tags }) => orDash(formatTags(tags)) },
    { title: "PEER", cell: ({ peer }) => orDash(peer.alias || peer.sid) },
  ];
}

/** One of several peers in a line. */
function shownPeer(peer: RemoteInstance["peers"][number]): string {
  const { address, connected, reason, tcps, udps, users, pool, ping } = peer;
  if (!connected) return `${address}: not connected${reason === "" ? "" : ` (${reason})`}`;
  const far = ping > 0 ? `, ping ${ping} ms` : "";
  return `${address}: ${tcps} TCP, ${udps} UDP, ${users} users so far, ${pool} ready${far}`;
}

function formatTags(tags: Readonly<Record<string, string>>): string {
  return Object.entries(tags)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
}

/** Names and values of all that there is to say about an instance. */
export function describeInstance(
  instance: RemoteInstance,
  style: Style,
  options: ShowOptions,
): [string, string][] {
  const { peer, tags } = instance;
  const optional = (name: string, value: string): [string, string][] =>
    value === "" ? [] : [[name, plainText(value)]];
  const traffic = (received: number, sent: number) =>
    `${formatBytes(received)} received, ${formatBytes(sent)} sent`;
  return [
    ["id", plainText(instance.id)],
    ...optional("alias", instance.alias),
    ["type", plainText(instance.type)],
    ["status", shownStatus(instance.status, style)],
    ...optional("link", { up: "with its peer", down: "without its peer" }[instance.link] ?? ""),
    ...optional("reason", instance.reason),
    ...optional("fails", shownRetry(instance, Date.now())),
    ["starts with the master", instance.restart ? "yes" : "no"],
    ["mode", String(instance.mode)],
    ["ping", shownPing(instance)],
    ["pool", `${instance.pool} ready`],
    ...optional(
      "resting targets",
      instance.restingTargets
        .map(({ target, protocol, reason }) => `${target} (${protocol}: ${reason})`)
        .join(", "),
    ),
    ...instance.peers.map((each): [string, string] => [
      `peer ${each.number}`,
      plainText(shownPeer(each)),
    ]),
    ["connections", `${instance.tcps} TCP, ${instance.udps} UDP`],
    ["TCP traffic", traffic(instance.tcprx, instance.tcptx)],
    ["UDP traffic", traffic(instance.udprx, instance.udptx)],
    ...optional("peer", [peer.alias, peer.type, peer.sid].filter((part) => part !== "").join(" ")),
    ...optional("tags", formatTags(tags)),
    ["url", shownUrl(instance.url, options)],
    ...(instance.config === ""
      ? []
      : ([["in full", shownUrl(instance.config, options)]] satisfies [string, string][])),
  ];
}
