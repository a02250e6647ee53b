import type { parameters } from "../parameters.ts";
import type { ParseDefaults } from "../parse-options.ts";
import type { Settings } from "../settings.ts";
import { listSettings } from "./list-settings.ts";

/** Why a setting changes nothing. */
export type NoEffect =
  | "dialsElsewhere"
  | "usersElsewhere"
  | "noServer"
  | "noTcp"
  | "noUdp"
  | "noFiles"
  | "noMonth"
  | "noChoice";

/** A setting that changes nothing beside the others. */
export interface IdleSetting {
  readonly name: string;
  /** As a URL gives it. */
  readonly value: string;
  /** Both, as messages show it. */
  readonly shown: string;
  readonly why: NoEffect;
}

type Rule = (settings: Settings) => NoEffect | undefined;

const always: Rule = () => undefined;

/** What concerns targets: in reverse mode the client dials them. */
const atExit: Rule = (settings) =>
  settings.scheme === "server" && settings.mode === 1 ? "dialsElsewhere" : undefined;

/** What concerns users: in forward mode they connect at the client. */
const atEntry: Rule = (settings) =>
  settings.scheme === "server" && settings.mode === 2 ? "usersElsewhere" : undefined;

/** What concerns the tunnel: a client by itself has none. */
const ofTunnel: Rule = (settings) =>
  settings.scheme === "client" && settings.mode === 1 ? "noServer" : undefined;

const ofTcp: Rule = (settings) =>
  settings.scheme !== "master" && !settings.tcp ? "noTcp" : undefined;

const ofUdp: Rule = (settings) =>
  settings.scheme !== "master" && !settings.udp ? "noUdp" : undefined;

const ofFiles: Rule = (settings) =>
  settings.scheme !== "client" && settings.tls !== 2 ? "noFiles" : undefined;

/** Of several targets, where this end may dial them. */
const ofTargets: Rule = (settings) => {
  if (settings.scheme === "master") return undefined;
  const dials = atExit(settings) === undefined;
  return dials && settings.targets.length > 1 ? undefined : "noChoice";
};

/** Every parameter has to say when it changes nothing, if ever. */
const rules: Readonly<Record<keyof typeof parameters, Rule>> = {
  log: always,
  tls: always,
  crt: ofFiles,
  key: ofFiles,
  min: ofTunnel,
  max: always,
  mode: always,
  read: ofTcp,
  rate: always,
  proxy: (settings) => {
    const isFirst = settings.scheme !== "master" && settings.proxyVersion === 1;
    return atExit(settings) ?? (isFirst ? ofTcp(settings) : undefined);
  },
  slot: always,
  dns: atExit,
  sni: ofTunnel,
  dial: atExit,
  block: (settings) => atEntry(settings) ?? ofTcp(settings),
  notcp: always,
  noudp: always,
  type: always,
  clients: always,
  lanes: always,
  path: ofTunnel,
  front: ofTunnel,
  via: always,
  compat: ofTunnel,
  ui: always,
  allow: always,
  deny: always,
  lbs: (settings) => {
    // Dashboards write `lbs=0` into every URL.
    if (settings.scheme === "master" || settings.lbs === 0) return undefined;
    return settings.scheme === "server" && settings.clients > 1 ? undefined : ofTargets(settings);
  },
  sticky: ofTargets,
  trust: always,
  rateconn: always,
  slotip: always,
  udpidle: ofUdp,
  // Whether there is a master, no URL says.
  quota: always,
  quotaday: (settings) =>
    settings.scheme !== "master" && settings.quota?.period !== "month" ? "noMonth" : undefined,
  host: always,
  ban: always,
  mcp: always,
};

/**
 * The settings that are not the default and change nothing, as others stand in the way.
 *
 * @param defaults a master's: what comes from them is nobody's mistake
 * @example
 * withoutEffect(parse("server://:1/:2?mode=1&proxy=1"))[0]?.name; // "proxy"
 */
export function withoutEffect(
  settings: Settings,
  defaults: ParseDefaults = {},
): readonly IdleSetting[] {
  const inherited = new Set<string | undefined>([defaults.crt, defaults.keyFile]);
  return listSettings(settings).flatMap(({ name, value, isDefault }) => {
    if (isDefault || value === undefined || !isParameter(name)) return [];
    const why = rules[name](settings);
    if (why === undefined || (why === "noFiles" && inherited.has(value))) return [];
    // Of a path, the name will do.
    const shown = /^[\w.,-]{1,40}$/.test(value) ? `${name}=${value}` : name;
    return [{ name, value, shown, why }];
  });
}

function isParameter(name: string): name is keyof typeof rules {
  return name in rules;
}
