import { formatDuration } from "./duration.ts";
import { formatHostPort } from "./host-port.ts";
import { bytesPerSecondOfMegabit } from "./parameters.ts";
import { formatProxyUrl } from "./proxy-url.ts";
import type {
  BlockedProtocols,
  ClientSettings,
  MasterSettings,
  ServerSettings,
  Settings,
  TunnelSettings,
} from "./settings.ts";

type Query = Readonly<Record<string, string | number | undefined>>;

/**
 * Writes settings as a URL with every default spelled out and the query sorted, as the API's `config`
 * shows them. `parse` gives the same settings back. A key that was derived from the port is left out;
 * one that was given is in it, percent-encoded: see `redact` before logging. A rate is rounded to
 * whole Mbit/s, but never to 0 = no limit.
 *
 * @example
 * format(parse("master://:9090/api")); // "master://:9090/api?log=info&mcp=1&tls=0&ui=1"
 */
export function format(settings: Settings): string {
  if (settings.scheme === "master") return formatMaster(settings);
  const key = settings.keyGiven ? `${encode(settings.key)}@` : "";
  const targets = settings.targets.map(formatHostPort).join(",");
  const own = settings.scheme === "server" ? serverQuery(settings) : clientQuery(settings);
  const query = formatQuery({ ...sharedQuery(settings), ...own });
  const others = settings.scheme === "client" ? settings.otherServers : [];
  const tunnels = [settings.tunnel, ...others].map(formatHostPort).join(",");
  return `${settings.scheme}://${key}${tunnels}/${targets}?${query}`;
}

function formatMaster(settings: MasterSettings): string {
  const { listen, prefix, log, tls, crt, keyFile, mcp, ui } = settings;
  const query = formatQuery({ log, tls, crt, key: keyFile, mcp, ui: ui ? 1 : 0 });
  return `master://${formatHostPort(listen)}${prefix}?${query}`;
}

function serverQuery(settings: ServerSettings): Query {
  const { tls, crt, keyFile, max, mode, type, clients, lbs, lanes } = settings;
  return { tls, crt, key: keyFile, max, mode, type, clients, lbs: lbs ?? "none", lanes };
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
    rate: megabits(settings.rateBytesPerSecond),
    proxy: settings.proxy ? 1 : 0,
    slot: settings.slot,
    dns: formatDuration(settings.dnsTtlMs),
    dial: settings.dial,
    block: blockText(settings.block),
    notcp: settings.tcp ? 0 : 1,
    noudp: settings.udp ? 0 : 1,
    compat: settings.compat ? 1 : 0,
    path: settings.path,
  };
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
