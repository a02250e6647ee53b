import { formatDuration } from "./duration.ts";
import { formatHostPort, formatTarget } from "./host-port.ts";
import { bytesPerSecondOfMegabit } from "./parameters.ts";
import { formatProxyUrl } from "./proxy-url.ts";
import { formatQuota } from "./quota-kind.ts";
import type {
  BlockedProtocols,
  ClientSettings,
  MasterSettings,
  Rates,
  ServerSettings,
  Settings,
  TunnelSettings,
} from "./settings.ts";

type Query = Readonly<Record<string, string | number | undefined>>;

/**
 * Writes settings as a URL with every default spelled out and the query sorted, as the API's `config`
 * shows them. What NodePass 1.14 and its early successors knew nothing of (`allow`, `rateconn`, …) is
 * in it only where it is not the default: a URL without them stays as it was. `parse` gives the same settings back. A key that was derived from the port is left out;
 * one that was given is in it, percent-encoded: see `redact` before logging. A rate is rounded to
 * whole Mbit/s, but never to 0 = no limit.
 *
 * @example
 * format(parse("master://:9090/api")); // "master://:9090/api?log=info&mcp=1&tls=0&ui=1"
 */
export function format(settings: Settings): string {
  if (settings.scheme === "master") return formatMaster(settings);
  const key = settings.keyGiven ? `${encode(settings.key)}@` : "";
  const targets = settings.targets.map(formatTarget).join(",");
  const own = settings.scheme === "server" ? serverQuery(settings) : clientQuery(settings);
  const query = formatQuery({ ...sharedQuery(settings), ...own });
  const others = settings.scheme === "client" ? settings.otherServers : [];
  const tunnels = [settings.tunnel, ...others].map(formatHostPort).join(",");
  return `${settings.scheme}://${key}${tunnels}/${targets}?${query}`;
}

function formatMaster(settings: MasterSettings): string {
  const { listen, prefix, log, tls, crt, keyFile, mcp, ui } = settings;
  const own = { log, tls, crt, key: keyFile, mcp, ui: ui ? 1 : 0 };
  const query = formatQuery({ ...own, ...rulesQuery(settings) });
  return `master://${formatHostPort(listen)}${prefix}?${query}`;
}

function rulesQuery({ allow, deny }: Pick<Settings, "allow" | "deny">): Query {
  return { allow: listText(allow), deny: listText(deny) };
}

function listText(items: readonly string[]): string | undefined {
  return items.length === 0 ? undefined : items.join(",");
}

function serverQuery(settings: ServerSettings): Query {
  const { tls, crt, keyFile, max, mode, type, clients, lanes, ban, hosts } = settings;
  return {
    tls,
    crt,
    key: keyFile,
    max,
    mode,
    type,
    clients,
    lanes,
    ban: unless(0, ban ? 1 : 0),
    host: listText(hosts),
  };
}

function clientQuery({ min, mode, sni, front, via }: ClientSettings): Query {
  return { min, mode, sni: sni ?? "none", front, via: viaText(via) };
}

function viaText(via: ClientSettings["via"]): string {
  if (via === undefined) return "none";
  return via === "env" ? via : formatProxyUrl(via);
}

function sharedQuery(settings: TunnelSettings): Query {
  return {
    log: settings.log,
    read: formatDuration(settings.readTimeoutMs),
    rate: ratesText({
      upBytesPerSecond: settings.rateBytesPerSecond,
      downBytesPerSecond: settings.rateDownBytesPerSecond ?? settings.rateBytesPerSecond,
    }),
    rateconn: unless("0", ratesText(settings.connectionRates)),
    quota: settings.quota && formatQuota(settings.quota),
    quotaday: unless(1, settings.quotaDay),
    slotip: unless(0, settings.slotPerAddress),
    udpidle: unless("0s", formatDuration(settings.udpIdleMs)),
    proxy: settings.proxy ? settings.proxyVersion : 0,
    lbs: settings.lbs,
    sticky: unless(0, settings.sticky ? 1 : 0),
    trust: listText(settings.trust),
    slot: settings.slot,
    dns: formatDuration(settings.dnsTtlMs),
    dial: settings.dial,
    block: blockText(settings.block),
    notcp: settings.tcp ? 0 : 1,
    noudp: settings.udp ? 0 : 1,
    compat: settings.compat ? 1 : 0,
    path: settings.path,
    ...rulesQuery(settings),
  };
}

/** What is left out at its default. */
function unless<T extends string | number>(byDefault: T, value: T): T | undefined {
  return value === byDefault ? undefined : value;
}

function ratesText({ upBytesPerSecond, downBytesPerSecond }: Rates): string {
  const [up, down] = [megabits(upBytesPerSecond), megabits(downBytesPerSecond)];
  return up === down ? String(up) : `${up}/${down}`;
}

function megabits(bytesPerSecond: number): number {
  if (bytesPerSecond === 0) return 0;
  return Math.max(1, Math.round(bytesPerSecond / bytesPerSecondOfMegabit));
}

function blockText({ socks, http, tls }: BlockedProtocols): string {
  const digits = `${socks ? 1 : ""}${http ? 2 : ""}${tls ? 3 : ""}`;
  return digits === "" ? "0" : digits;
}

function formatQuery(query: Query): string {
  const names = Object.keys(query).sort();
  return names
    .flatMap((name) => {
      const value = query[name];
      return value === undefined ? [] : [`${name}=${encode(String(value))}`];
    })
    .join("&");
}

/** Percent-encodes; halves of UTF-16 pairs, which `encodeURIComponent` throws at, become U+FFFD. */
function encode(text: string): string {
  return encodeURIComponent(text.replaceAll(/\p{Cs}/gu, "\ufffd"));
}
